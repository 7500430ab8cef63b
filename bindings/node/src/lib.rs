//! Node binding of ast-core-engine: type conversions only.
//!
//! The JavaScript files of the package are in front of it: they check arguments and turn what is thrown here into
//! `AstCoreError`. Here, `types` are the shapes that cross over, `convert` is from and to those of the engine,
//! `engine` is what can be called, and `error` gives a stable code to whatever fails.
#![deny(missing_docs)]

mod convert;
mod engine;
mod error;
mod types;

/// The version of the library.
#[napi_derive::napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
