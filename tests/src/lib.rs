//! Cross-crate tests of ast-core-engine; see `tests/`.
