//! What parsing refuses.

use ast_core_model::Span;
use std::time::Duration;

/// Why a text was not parsed at all. A syntax error is not one of these: it is part of a
/// [`ParsedFile`](crate::ParsedFile).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A language name that is not in the list.
    #[error("unknown language {received:?}; expected one of {expected}")]
    UnknownLanguage {
        /// The name as received.
        received: String,
        /// All known names, separated by spaces.
        expected: String,
    },
    /// The content is not text.
    #[error("binary content: a NUL byte at offset {offset}")]
    Binary {
        /// Where the first NUL is, in bytes from 0.
        offset: usize,
    },
    /// The content is larger than the limit.
    #[error("content of {received} bytes exceeds the limit of {limit} bytes")]
    TooLarge {
        /// Size of the content in bytes.
        received: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The syntax tree took longer than its budget.
    #[error("the syntax tree took longer than {} s", budget.as_secs_f64())]
    TimedOut {
        /// The budget.
        budget: Duration,
    },
    /// The text is nested too deep, or can be read in too many ways.
    #[error("the text is nested too deep or can be read in too many ways for a syntax tree")]
    TooComplex,
    /// A node kind that the grammar does not have.
    #[error(
        "the grammar of {language} has no node kind {received:?}; see the kinds that a tree is made of by listing all of them"
    )]
    UnknownKind {
        /// The kind as received.
        received: String,
        /// The language.
        language: &'static str,
    },
    /// A query that cannot be compiled.
    #[error("query for {language}, line {line}, column {column}: {reason}")]
    Query {
        /// The language.
        language: &'static str,
        /// The line of what is wrong, from 1.
        line: usize,
        /// Its column in bytes, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// An edit that is not within the text, or cuts a character.
    #[error("edit of bytes {}..{} of a text of {length} bytes; expected places within it, between characters", received.start, received.end)]
    Edit {
        /// The bytes that it would replace.
        received: Span,
        /// The length of the text in bytes.
        length: usize,
    },
    /// The grammar was made for another version of tree-sitter.
    #[error("the grammar of {language} does not load: {reason}")]
    Grammar {
        /// The language.
        language: &'static str,
        /// What tree-sitter says.
        reason: String,
    },
}
