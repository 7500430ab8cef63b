//! Node binding of ast-core-engine: type conversions only.
//!
//! The JavaScript files of the package are in front of it: they check arguments and turn what is thrown here into
//! `AstCoreError`. Here, `types` are the shapes that cross over, `convert` is from and to those of the engine, `columns`
//! is for what there may be very much of and `record` for replies of many parts, `engine` and its neighbours are what can be
//! called, and `error` gives a stable code to whatever fails.
#![deny(missing_docs)]

mod call;
mod columns;
mod convert;
mod engine;
mod error;
mod files;
mod jobs;
mod reads;
mod record;
mod text;
mod types;
mod user;
mod watch;

use napi_derive::napi;

/// The version of the library.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The words that columns have numbers for, in the order of these.
#[napi(object, object_from_js = false)]
pub struct Vocabulary {
    /// Kinds of definitions.
    pub symbol_kinds: Vec<String>,
    /// Who can see a definition.
    pub visibilities: Vec<String>,
    /// Kinds of mentions.
    pub reference_kinds: Vec<String>,
    /// Languages.
    pub languages: Vec<types::LanguageInfo>,
}

/// The words that columns have numbers for.
#[napi]
pub fn vocabulary() -> Vocabulary {
    use ast_core_engine::{Language, ReferenceKind, SymbolKind, Visibility};
    Vocabulary {
        symbol_kinds: SymbolKind::ALL.iter().map(ToString::to_string).collect(),
        visibilities: Visibility::ALL.iter().map(ToString::to_string).collect(),
        reference_kinds: ReferenceKind::ALL.iter().map(ToString::to_string).collect(),
        languages: Language::all().map(types::LanguageInfo::from).collect(),
    }
}

/// What the process uses and the machine has.
#[napi]
pub fn figures() -> types::Figures {
    use ast_core_engine::{ProcessFigures, SystemFigures};
    types::Figures { process: ProcessFigures::read().into(), system: SystemFigures::read().into() }
}

/// Reads which steps are to fail from the environment, for tests.
#[cfg(feature = "failpoints")]
#[napi_derive::module_init]
fn set_up_failpoints() {
    std::mem::forget(fail::FailScenario::setup());
}
