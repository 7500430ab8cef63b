//! Source text to symbols, references, annotations and chunks, with tree-sitter.
//!
//! A [`Parser`] takes the bytes of a file and its [`Language`] and gives a [`ParsedFile`]: the definitions in it
//! ([`Symbol`](ast_core_model::Symbol)), how each is made ([`Annotation`]), what the file mentions
//! ([`Reference`](ast_core_model::Reference)), and its pieces for embedding and reading
//! ([`Chunk`](ast_core_model::Chunk)). It is sync, knows no file system, and is meant to be used one a thread.
//!
//! Who wants the tree itself lists its nodes in columns ([`Parser::nodes`]) or runs a [`Query`] over it
//! ([`Parser::query`]); a text that is edited is an [`EditedText`], which [`Parser::reparse`] follows.
//!
//! A broken file is still a file: syntax errors are counted and what is round them is understood; a file that
//! takes too long is cut by lines and says so ([`Coverage`]); only binary and oversized content is refused
//! ([`ParseError`]). No nesting overflows the stack: every pass over a tree is iterative.
//!
//! ```
//! use ast_core_model::{SymbolKind, scope_of};
//! use ast_core_parse::{Language, Parser};
//!
//! let source = "/// A place.\npub struct Point { x: f64 }\n\nimpl Point {\n    fn norm(&self) -> f64 { self.x.abs() }\n}\n";
//! let language: Language = "rust".parse()?;
//! let file = Parser::default().parse(source.as_bytes(), language)?;
//!
//! let point = &file.symbols[0];
//! assert_eq!((&*point.name, point.kind, point.doc.as_deref()), ("Point", SymbolKind::Struct, Some("A place.")));
//! let norm = file.symbols.iter().position(|symbol| &*symbol.name == "norm").expect("it is there");
//! assert_eq!(scope_of(&file.symbols, norm), ["Point"]);
//! assert_eq!(&*file.symbols[norm].signature, "fn norm(&self) -> f64");
//! # Ok::<(), ast_core_parse::ParseError>(())
//! ```
#![deny(missing_docs)]

mod annotation;
mod budget;
mod chunking;
mod comment;
mod encoding;
mod error;
mod highlight;
mod language;
mod languages;
mod limits;
#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
mod mention;
mod nature;
mod nodes;
mod outline;
mod parsed_file;
mod parser;
mod query;
mod reparse;
mod syntax;
mod tokens;
#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
mod visit;

pub use annotation::{Annotation, Complexity, Modifier, Modifiers, Parameter};
pub use encoding::{Encoding, SourceText, Utf16Places};
pub use error::ParseError;
pub use highlight::{Accent, Highlight};
pub use language::Language;
pub use limits::{ChunkingConfig, ParseLimits};
pub use nodes::{NodeFilter, Nodes};
pub use parsed_file::{Coverage, ParsedFile, SyntaxErrors};
pub use parser::{ParseTimings, Parser};
pub use query::{Query, QueryCapture, QueryMatch, QueryResult};
pub use reparse::{Edit, EditedText};
/// The functions that give tree-sitter its memory, and the way to replace them for the whole process: call it before
/// the first [`Parser`] is made. Trees that are read at once, as [`Parser::parse`] does, have memory of their own all
/// the same, which is given back as a whole; if the functions are replaced later, they do without.
pub use tree_sitter::{Allocator as SyntaxAllocator, set_allocator as set_syntax_allocator};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
