//! The code-intelligence engine: index a source tree and search it.
#![deny(missing_docs)]
