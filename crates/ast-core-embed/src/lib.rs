//! Texts of code to vectors: the Embedder trait and the built-in embedder.
#![deny(missing_docs)]
