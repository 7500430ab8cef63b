//! What it is measured with how well code finds the code that it was made from.

mod sample;
mod tables;
mod transform;

pub use sample::{Function, functions, plant};
pub use tables::{Case, Tables, best_weights};
pub use transform::{Transformation, names, transformed};
