//! What a store is held against, and what that shows.

use crate::{Document, FileRecord, Finding};
use ast_core_model::ChunkTerms;

/// What is made from a file's document, and kept beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Derived {
    /// The terms of each chunk.
    pub terms: Vec<ChunkTerms>,
    /// The vectors of the chunks, one after the other, or none.
    pub vectors: Vec<f32>,
}

/// Makes from documents what is kept beside them: to be compared with what there is, and to mend it.
pub trait Derive: Send + 'static {
    /// What is to be there of this file.
    ///
    /// # Errors
    /// Why nothing can be made of it: the document is then taken for damaged.
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String>;

    /// Whether the store is to have the vectors. If not, none are missing; those that there are have to be right all the
    /// same. Default: yes.
    fn keeps_vectors(&self) -> bool {
        true
    }
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// What is wrong, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// How many files the store knows of.
    pub files: u64,
    /// How many chunks they have.
    pub chunks: u64,
    /// How many pages the indexes of words and of names have.
    pub pages: u64,
}

/// What was mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// What was wrong.
    pub before: Verification,
    /// What still is. If that is damage of the database itself, nothing was changed.
    pub after: Verification,
}
