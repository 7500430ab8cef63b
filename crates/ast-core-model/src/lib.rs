//! The nouns of code intelligence, shared by every crate of the engine.
//!
//! This crate has no I/O, no threads, no async and no serialisation: only the words that the other crates
//! speak to each other. A source file has a [`RepoPath`], a [`ContentHash`] and a [`LanguageName`]; parsing it
//! yields [`Symbol`]s, [`Reference`]s and [`Chunk`]s, placed by [`Span`] (bytes) and [`LineRange`] (lines); the store names
//! them by [`FileId`], [`SymbolId`] and [`ChunkId`].
//!
//! [`terms`] cuts text into the words of code. It lives here because the lexical index, the built-in embedder
//! and the embedder's training must cut words alike.
//!
//! ```
//! use ast_core_model::{ChunkId, FileId, RepoPath, terms::TermSplitter};
//!
//! let path = RepoPath::new("src/http/server.rs")?;
//! assert_eq!(path.file_stem(), "server");
//!
//! let file = FileId::new(7).expect("7 is in range");
//! let chunk = ChunkId::in_file(file, 3).expect("3 is in range");
//! assert_eq!((chunk.file(), chunk.ordinal()), (file, 3));
//!
//! let mut words = Vec::new();
//! TermSplitter::default().split("parseHTTPRequests(buf)", |term| words.push(term.text.to_owned()));
//! assert_eq!(words, ["pars", "http", "request", "parsehttprequests", "buf"]);
//! # Ok::<(), ast_core_model::ModelError>(())
//! ```
#![deny(missing_docs)]

mod chunk;
mod error;
mod hash;
mod id;
mod language;
mod names;
mod path;
mod reference;
mod span;
mod symbol;
pub mod terms;

pub use chunk::{Chunk, ChunkTerms};
pub use error::ModelError;
pub use hash::ContentHash;
pub use id::{ChunkId, FileId, SymbolId};
pub use language::LanguageName;
pub use path::RepoPath;
pub use reference::{Reference, ReferenceKind};
pub use span::{LineRange, Span};
pub use symbol::{Symbol, SymbolKind, Visibility, scope_of};
