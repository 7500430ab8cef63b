//! Benchmarks of ast-core-engine: criterion benches in `benches/`, whole-corpus measurements in `src/bin/`.

pub mod clock;
pub mod corpus;
pub mod definitions;
pub mod lexical;
pub mod quality;
pub mod queries;
pub mod side;
pub mod similar;
pub mod stats;
