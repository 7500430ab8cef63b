//! Why something was found.

use crate::Likeness;

/// What a hit's score is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Why {
    /// Its BM25 score; `None` if it was not found by words.
    pub lexical: Option<f64>,
    /// The cosine of its vector and the query's; `None` if it was not found by its vector.
    pub semantic: Option<f64>,
    /// What rules added, by name.
    pub boosts: Vec<(&'static str, f64)>,
    /// The cosine by which it was put in order anew; `None` if it was not.
    pub reranked: Option<f64>,
    /// How alike it is to the code that was looked for, part by part; `None` if words were looked for.
    pub likeness: Option<Likeness>,
}
