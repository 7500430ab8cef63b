//! Relevance for code search, as pure functions: what of a chunk is searched, what of a query is looked for, and how
//! rankings become one.
//!
//! ```
//! use ast_core_search::{query_terms, reciprocal_rank_fusion};
//!
//! let terms = query_terms("where do we parse the HTTPRequest?")?;
//! assert_eq!(terms, ["pars", "http", "request", "httprequest"]);
//!
//! let by_words = ["request.rs", "server.rs"];
//! let by_vectors = ["request.rs", "parser.rs"];
//! let fused = reciprocal_rank_fusion(&[&by_words, &by_vectors]);
//! assert_eq!(fused[0], ("request.rs", 1.0));
//! # Ok::<(), ast_core_search::QueryError>(())
//! ```
#![deny(missing_docs)]

mod document;
mod error;
mod fusion;
mod hit;
mod query;

pub use document::Document;
pub use error::QueryError;
pub use fusion::{RANK_CONSTANT, reciprocal_rank_fusion};
pub use hit::Why;
pub use query::{SearchMode, query_terms};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
