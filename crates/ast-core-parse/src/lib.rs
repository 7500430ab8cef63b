//! Source text to symbols and chunks, with tree-sitter.
#![deny(missing_docs)]
