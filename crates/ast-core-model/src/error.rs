//! What can be wrong with a noun.

/// A value that is not what its type promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A path that is not relative, `/`-separated and free of `.` and `..`.
    #[error("path {path:?} {reason}; expected a path relative to the indexed root, such as \"src/lib.rs\"")]
    InvalidPath {
        /// The path as received.
        path: String,
        /// What is wrong with it, as the end of a sentence.
        reason: &'static str,
    },
    /// A name of a symbol kind that is not in the list.
    #[error("unknown symbol kind {received:?}; expected one of {expected}")]
    UnknownSymbolKind {
        /// The name as received.
        received: String,
        /// All known names, space-separated.
        expected: String,
    },
    /// A name of a visibility that is not in the list.
    #[error("unknown visibility {received:?}; expected public, internal, protected or private")]
    UnknownVisibility {
        /// The name as received.
        received: String,
    },
    /// A name of a reference kind that is not in the list.
    #[error("unknown reference kind {received:?}; expected call, type, import or inherit")]
    UnknownReferenceKind {
        /// The name as received.
        received: String,
    },
    /// A hexadecimal content hash that cannot be read.
    #[error("invalid content hash {received:?}; expected 32 hexadecimal digits")]
    InvalidHash {
        /// The text as received.
        received: String,
    },
}
