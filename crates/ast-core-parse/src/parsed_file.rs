//! What parsing a file gives.

use crate::{Encoding, Language};
use crate::Annotation;
use ast_core_model::{Chunk, Reference, Span, Symbol};
use std::time::Duration;

/// What parsing a file gives. All positions are those of the file on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFile {
    /// The language it was parsed as.
    pub language: Language,
    /// The encoding it was read in.
    pub encoding: Encoding,
    /// Its definitions, outer before inner, in order of their beginning.
    pub symbols: Vec<Symbol>,
    /// What the syntax says of each definition: one for each of `symbols`, in the same order.
    pub annotations: Vec<Annotation>,
    /// What it mentions: calls, types, imports, in order of their place.
    pub references: Vec<Reference>,
    /// Its pieces, in order. Every byte that is not white space is in exactly one.
    pub chunks: Vec<Chunk>,
    /// Number of lines; a last line without line break counts.
    pub lines: u32,
    /// Whether a comment at its beginning says that a program wrote it.
    pub generated: bool,
    /// What the parser stumbled over.
    pub syntax_errors: SyntaxErrors,
    /// Whether all of the file was understood.
    pub coverage: Coverage,
}

/// Places where the text does not follow the grammar. The rest of the file is understood all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyntaxErrors {
    /// How many places.
    pub count: u32,
    /// The line of the first, from 1.
    pub first_line: Option<u32>,
    /// The first of the places, at most 32. A place where something is missing is empty.
    pub places: Vec<Span>,
}

/// How much of a file was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// All of it.
    Full,
    /// The chunks are complete, but symbols beyond the limit were left out.
    SymbolLimit {
        /// The limit.
        limit: usize,
    },
    /// It is larger than the limit: there are no symbols, and the chunks are cut by lines.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Its text is squeezed onto a few long lines, or is a table of data: there are no symbols, and the chunks are
    /// cut by lines.
    Minified,
    /// The syntax tree took longer than its budget: there are no symbols, and the chunks are cut by lines.
    TimedOut {
        /// The budget.
        budget: Duration,
    },
}
