//! Nearest neighbours over u64 keys: exact search and HNSW behind one trait.
#![deny(missing_docs)]
