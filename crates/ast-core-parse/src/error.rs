//! What parsing refuses.

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
    /// The grammar was made for another version of tree-sitter.
    #[error("the grammar of {language} does not load: {reason}")]
    Grammar {
        /// The language.
        language: &'static str,
        /// What tree-sitter says.
        reason: String,
    },
}
