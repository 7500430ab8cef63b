//! Node binding of ast-core-engine: type conversions only.
#![deny(missing_docs)]
