//! How the similarity of two vectors is scored.

use std::fmt;

/// How two vectors are compared. Whatever the metric, a **higher score is nearer**.
///
/// The metric belongs to the embedding model, not to taste: take the one that the model was trained for. For
/// vectors of length 1 all three rank alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// The cosine of the angle between the vectors, in `-1.0..=1.0`; 1 is the same direction.
    ///
    /// Vectors are normalised once, when they are inserted, and queries once a search, so that a comparison is a dot
    /// product. A vector of zeros has no direction and is refused.
    Cosine,
    /// The dot product, unbounded on both sides. The length of a vector counts.
    Dot,
    /// The negative of the squared Euclidean distance, at most 0; 0 is the same vector.
    ///
    /// The square root is left out: it changes no ranking. A threshold on distance `d` is a score of `-(d * d)`.
    Euclidean,
}

impl Metric {
    /// The lowercase name: `cosine`, `dot` or `euclidean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::Euclidean => "euclidean",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
