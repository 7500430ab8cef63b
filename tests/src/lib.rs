//! Cross-crate tests of ast-core-engine; see `tests/`.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
