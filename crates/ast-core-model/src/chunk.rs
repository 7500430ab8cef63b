//! Pieces of a file that are embedded, ranked and read as one.

use crate::{ContentHash, LineRange, Span};

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its bytes.
    pub span: Span,
    /// The lines its bytes touch.
    pub lines: LineRange,
    /// The index, in the file's list of symbols, of the definition it is about: the one it is all of or inside
    /// of, else the first that it holds.
    pub symbol: Option<u32>,
    /// The hash of its text.
    pub hash: ContentHash,
}

/// The terms of a chunk, by the field they are from; each field is terms separated by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChunkTerms {
    /// Of the names it defines.
    pub name: String,
    /// Of the file's path and of the names round the chunk.
    pub path: String,
    /// Of its documentation.
    pub doc: String,
    /// Of its text.
    pub body: String,
}
