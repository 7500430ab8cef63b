//! The store of a code index: files, symbols, chunks, embeddings and lexical rows in SQLite.
#![deny(missing_docs)]
