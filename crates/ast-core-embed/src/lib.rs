//! Texts of code to vectors.
//!
//! An [`Embedder`] turns a piece of code, or a question, into a vector; texts that are alike get vectors that are
//! near each other by cosine. Two are always there, and need no network: [`StaticEmbedder`] has learned from documentation
//! and code which words mean alike, [`FeatureHashEmbedder`] has learned nothing and finds texts that share words. Two are
//! behind features: `MiniLmEmbedder` (`minilm`) runs a sentence transformer whose weights are in a folder, `HttpEmbedder`
//! (`http`) asks a service.
//!
//! ```
//! use ast_core_embed::{EmbedInput, Embedder, StaticEmbedder};
//!
//! let embedder = StaticEmbedder::default();
//! let code = [
//!     EmbedInput { name: "parseHeader", code: "function parseHeader(line) { return line.split(':') }", ..Default::default() },
//!     EmbedInput { name: "area", code: "function area(circle) { return circle.r ** 2 * Math.PI }", ..Default::default() },
//! ];
//! let mut vectors = Vec::new();
//! embedder.embed(&code, &mut vectors)?;
//!
//! let question = embedder.embed_query("where is a header line parsed")?;
//! let near = |at: usize| vectors[256 * at..][..256].iter().zip(&question).map(|(a, b)| a * b).sum::<f32>();
//! assert!(near(0) > near(1));
//! # Ok::<(), ast_core_embed::EmbedError>(())
//! ```
//!
//! The program `ast-core-trainer` makes the table of a [`StaticEmbedder`]; [`words`] and [`table`] are what it shares with
//! it.
#![deny(missing_docs)]

mod embedder;
mod error;
mod feature_hash;
mod hashing;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "minilm")]
mod minilm;
mod static_embedder;
pub mod table;
#[cfg(any(feature = "http", feature = "minilm"))]
mod text;
pub mod words;

pub use embedder::{EmbedInput, Embedder, ModelInfo};
pub use error::EmbedError;
pub use feature_hash::FeatureHashEmbedder;
#[cfg(feature = "http")]
pub use http::{ApiKey, HttpConfig, HttpEmbedder};
#[cfg(feature = "minilm")]
pub use minilm::{MiniLmConfig, MiniLmEmbedder};
pub use static_embedder::StaticEmbedder;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
