//! What can be found to be wrong with a store.

use ast_core_model::RepoPath;

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What of the store it is in.
    pub part: Part,
    /// The file that it is about, if it is about one whose path is known.
    pub path: Option<RepoPath>,
    /// What there is.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What mends it.
    pub remedy: Remedy,
}

impl Finding {
    /// A finding about no single file.
    pub fn new(part: Part, found: impl Into<String>, expected: impl Into<String>, remedy: Remedy) -> Self {
        Self { part, path: None, found: found.into(), expected: expected.into(), remedy }
    }

    pub(crate) fn of(self, path: Option<RepoPath>) -> Self {
        Self { path, ..self }
    }
}

/// A part of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The file itself, as SQLite sees it.
    Database,
    /// Keys and values beside the rows.
    Meta,
    /// What is known of files.
    Files,
    /// What is kept of their content.
    Documents,
    /// Vectors, and the kinds of chunks.
    Vectors,
    /// Which texts may be in which file.
    Signatures,
    /// The index of words.
    Lexical,
    /// The index of names.
    Names,
    /// The file beside the store that vectors are copied to.
    VectorFile,
}

impl Part {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Meta => "meta",
            Self::Files => "files",
            Self::Documents => "documents",
            Self::Vectors => "vectors",
            Self::Signatures => "signatures",
            Self::Lexical => "lexical",
            Self::Names => "names",
            Self::VectorFile => "vector_file",
        }
    }
}

/// What mends something that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// It is made anew from what it follows from: the documents, or of the file of vectors the vectors in the store.
    Derive,
    /// What belongs to no file is removed.
    Remove,
    /// The value is set to what follows from the rest.
    Set,
    /// SQLite makes its own indexes anew.
    Reindex,
    /// The file is taken out, and the next index run reads it again.
    ReadAgain,
    /// The database is set aside under another name, and the next index run makes it anew.
    SetAside,
}

impl Remedy {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Derive => "derive",
            Self::Remove => "remove",
            Self::Set => "set",
            Self::Reindex => "reindex",
            Self::ReadAgain => "read_again",
            Self::SetAside => "set_aside",
        }
    }

    /// Whether an index run is needed for all to be there again.
    pub const fn needs_index(self) -> bool {
        matches!(self, Self::ReadAgain | Self::SetAside)
    }
}
