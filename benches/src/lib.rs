//! Benchmarks of ast-core-engine: criterion benches in `benches/`, whole-corpus measurements in `src/bin/`.

pub mod corpus;
pub mod lexical;
pub mod quality;
pub mod queries;
pub mod similar;
pub mod stats;
