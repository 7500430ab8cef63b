//! How alike two pieces of code are: by what they mean, by their shape, and by their words.
//!
//! Shape and words are computed here, of two [profiles](Profile); what they mean is the cosine of their vectors.

mod lexer;
mod profile;
mod vocabulary;

pub use profile::{Profile, Profiler, Rarity};

/// How alike two pieces of code are, part by part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// The cosine of their vectors, from 0 to 1, what is below 0 being 0; `None` if one of them has none.
    pub meaning: Option<f64>,
    /// How much of the order of their tokens they share, whatever their names, numbers and strings are: from 0 to 1. See
    /// [`Rarity::shape`].
    pub shape: f64,
    /// How many of the words in their names and strings they share, from 0 to 1. See [`Rarity::words`].
    pub words: f64,
}

impl Likeness {
    /// One score of all parts, from 0 to 1: 1 of code that is alike in all of them. What there is no vector for is judged by
    /// the other parts.
    pub fn score(&self, weights: &LikenessWeights) -> f64 {
        let LikenessWeights { meaning, shape, words, .. } = weights;
        let parts = [(self.meaning, *meaning), (Some(self.shape), *shape), (Some(self.words), *words)];
        let known = parts.iter().filter_map(|(part, weight)| Some(((*part)?, *weight)));
        let (sum, total) =
            known.fold((0.0, 0.0), |(sum, total), (part, weight)| (sum + weight * part, total + weight));
        if total > 0.0 { (sum / total).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// How alike code is compared, and what each part counts for. docs/relevance.md says how the default was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikenessWeights {
    /// What the cosine of vectors counts for.
    pub meaning: f64,
    /// What the shape counts for.
    pub shape: f64,
    /// What the words count for.
    pub words: f64,
    /// Of shape and words, what counts how much of the smaller is in the larger, from 0 to 1; what both share of all that is
    /// in either counts for the rest.
    pub containment: f64,
    /// Tokens behind each other that are compared as one, at least 1.
    pub gram: usize,
}

impl Default for LikenessWeights {
    fn default() -> Self {
        Self { meaning: 0.4, shape: 0.3, words: 0.3, containment: 0.3, gram: 5 }
    }
}
