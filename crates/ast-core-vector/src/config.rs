//! In which forms an index keeps its vectors, and what they take.

/// What an index keeps of each vector. More finds and scores more exactly and takes more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Storage {
    /// The vector as it came, 4 bytes a value. Every comparison reads it.
    Float,
    /// A code of 1 byte a value, by which candidates are found, and the vector as it came, by which the best of them
    /// are scored: 5 bytes a value, of which a search reads 1.
    #[default]
    CodeAndFloat,
    /// A code, and the vector in floats of 16 bits: 3 bytes a value. They keep 11 bits of a value of at least 2^-14,
    /// and less of smaller ones; values beyond 65,504 are refused, but under [`Metric::Cosine`](crate::Metric::Cosine),
    /// which normalises.
    CodeAndHalf,
    /// A code alone, 1 byte a value. Scores are approximate, and so is the order of neighbors that are nearly as near
    /// as each other.
    Code,
}

/// The bytes that an index takes for its vectors, in memory or in a file. Keys take 14 to 20 bytes a vector more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Memory {
    /// What a search compares by: codes and their lengths; 0 with [`Storage::Float`].
    pub codes: usize,
    /// Links of a graph.
    pub links: usize,
    /// What scores are computed from: the vectors as they came, or in floats of 16 bits; 0 with [`Storage::Code`].
    pub originals: usize,
    /// How many of all these are in the file that the index was opened from. Of them the system keeps in memory what
    /// is used, as long as there is room.
    pub mapped: usize,
}
