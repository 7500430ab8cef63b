//! Benchmarks of ast-core-engine; see `benches/`.
