//! What can be wrong with pages, files and questions.

use crate::PageId;
use ast_core_model::{ChunkId, FileId};

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LexicalError {
    /// The bytes of a page are not those that were written.
    #[error("page {page:?} of the lexical index is damaged ({reason}); index the tree anew")]
    Damaged {
        /// The page.
        page: PageId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A page that should be there is not.
    #[error(
        "page {page:?} of the lexical index is missing; read the manifest and the pages in one transaction, or index \
         the tree anew"
    )]
    Missing {
        /// The page.
        page: PageId,
    },
    /// The index was written by a newer program.
    #[error("the lexical index has format {found}; this program knows formats up to {supported}")]
    NewerFormat {
        /// The format of the index.
        found: u8,
        /// The newest format that this program reads.
        supported: u8,
    },
    /// A file is given twice.
    #[error("{file:?} is given twice; an id names one version of one file")]
    DuplicateFile {
        /// The file.
        file: FileId,
    },
    /// A file has more chunks than can have ids.
    #[error("a file has {received} chunks; a file can have {}", ChunkId::MAX_ORDINAL + 1)]
    TooManyChunks {
        /// How many it has.
        received: usize,
    },
    /// A number does not fit where it must be kept.
    #[error("{what} is beyond {limit}, the most that an index can have")]
    Overflow {
        /// What would overflow.
        what: &'static str,
        /// Its limit.
        limit: u64,
    },
    /// A question has too many terms.
    #[error("a query of {received} terms; expected at most {}", crate::MAX_QUERY_TERMS)]
    TooManyTerms {
        /// How many it has.
        received: usize,
    },
    /// A parameter of the ranking is out of its range.
    #[error("{parameter} is {received}; expected {expected}")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// The values that it can have.
        expected: &'static str,
        /// The value that was given.
        received: f64,
    },
    /// A task is asked for its result before it has all pages.
    #[error(
        "the task still waits for {waiting} pages; supply those that `wanted` names until there are none"
    )]
    Unfinished {
        /// How many pages it waits for.
        waiting: usize,
    },
}

/// What is wrong with bytes whose page is not known where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

impl Damage {
    pub(crate) fn of(self, page: PageId) -> LexicalError {
        LexicalError::Damaged { page, reason: self.0 }
    }
}
