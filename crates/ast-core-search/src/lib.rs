//! Relevance for code search: documents, queries, fusion and ranking, as pure functions.
#![deny(missing_docs)]
