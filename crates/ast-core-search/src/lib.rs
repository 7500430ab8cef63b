//! Relevance for code search, as pure functions: what of a chunk is searched, what of a query is looked for, how what was
//! found by words and by meaning becomes one score, and how rules that know code put it in order.
//!
//! ```
//! use ast_core_search::{Candidate, ParsedQuery, QueryKind, RankingWeights, fuse, rank};
//!
//! let query = ParsedQuery::parse("where do we parse the HTTPRequest? lang:rust")?;
//! assert_eq!(query.kind, QueryKind::Sentence);
//! assert_eq!(query.terms, ["pars", "http", "request", "httprequest"]);
//! assert_eq!(query.languages, ["rust"]);
//!
//! let weights = RankingWeights::default();
//! let by_words = [(1, 12.0), (2, 9.0), (3, 2.0)];
//! let by_meaning = [(1, 0.8), (3, 0.3)];
//! let fused = fuse(Some(&by_words), Some(&by_meaning), weights.meaning(query.kind));
//!
//! let paths = ["tests/request.rs", "src/request.rs", "src/server.rs"];
//! let candidate =
//!     |&(id, score): &(usize, f64)| Candidate { id, score, path: paths[id - 1], defines: false, file_cosine: 0.0 };
//! let candidates: Vec<_> = fused.iter().map(candidate).collect();
//! let ranked = rank(&query, &candidates, &weights);
//! assert!(ranked.iter().any(|hit| hit.boosts.iter().any(|(rule, change)| *rule == "test" && *change < 0.0)));
//! # Ok::<(), ast_core_search::QueryError>(())
//! ```
#![deny(missing_docs)]

mod centrality;
mod document;
mod error;
mod fusion;
mod hit;
mod likeness;
mod marks;
mod measure;
mod query;
mod ranking;

pub use centrality::Graph;
pub use document::Document;
pub use error::QueryError;
pub use fusion::fuse;
pub use hit::Why;
pub use likeness::{Likeness, LikenessWeights, Profile, Profiler, Rarity};
pub use marks::matched_words;
pub use measure::{Measures, Relevance};
pub use query::{ParsedQuery, QueryKind, SearchMode};
pub use ranking::{Candidate, PathRole, Ranked, RankingWeights, Rule, rank};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
