//! In which forms an index keeps its vectors.

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
    /// A code, and the vector in floats of 16 bits: 3 bytes a value. Scores are off by up to 1 in 2,000 of a value.
    CodeAndHalf,
    /// A code alone, 1 byte a value. Scores are approximate, and so is the order of neighbors that are nearly as near
    /// as each other.
    Code,
}
