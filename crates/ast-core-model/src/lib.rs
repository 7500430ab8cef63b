//! The nouns of code intelligence: ids, paths, spans, symbols, chunks, and the words of code.
#![deny(missing_docs)]
