//! What the store knows of files.

use crate::{Store, StoreError};
use ast_core_model::{ContentHash, FileId, LanguageName, RepoPath};
use std::fmt;
use std::str::FromStr;
use twox_hash::XxHash3_64;

/// A file that the index knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// This version of it.
    pub id: FileId,
    /// Where it is.
    pub path: RepoPath,
    /// What it is written in; `None` if it was not indexed.
    pub language: Option<LanguageName>,
    /// What became of it.
    pub status: FileStatus,
    /// Why, if it is not wholly indexed.
    pub detail: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last modification, in nanoseconds since 1970, as the file system says.
    pub modified_ns: i64,
    /// The hash of what was read; `None` if it was not read.
    pub content_hash: Option<ContentHash>,
    /// Number of lines.
    pub lines: u32,
    /// Number of places where its text does not follow the grammar.
    pub syntax_errors: u32,
}

/// A version of a file that can be found, without what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileVersion {
    /// Its id.
    pub id: FileId,
    /// A checksum over its path, its language and the hash of its content: where id and checksum are the same, so is all
    /// that was made of the file. `None` if it was stored before there were checksums.
    pub checksum: Option<u64>,
    /// Size in bytes.
    pub size: u64,
}

/// The versions of a store that has no checksums of its own: over what is known of each file.
pub(crate) async fn versions_of_files<S: Store + ?Sized>(store: &S) -> Result<Vec<FileVersion>, StoreError> {
    let version = |file: FileRecord| {
        let language = file.language.as_ref().map_or("", LanguageName::as_str);
        let hash = file.content_hash.as_ref().map_or(&[][..], |hash| hash.as_bytes());
        let parts = [file.path.as_str().as_bytes(), language.as_bytes(), hash];
        let chained = parts.iter().fold(0, |seed, part| XxHash3_64::oneshot_with_seed(seed, part));
        FileVersion { id: file.id, checksum: Some(chained), size: file.size }
    };
    let files = store.files().await?.into_iter();
    let mut versions: Vec<FileVersion> =
        files.filter(|file| file.status.is_searchable()).map(version).collect();
    versions.sort_unstable_by_key(|version| version.id);
    Ok(versions)
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileStatus {
    /// It is in the index.
    Indexed,
    /// It took too long to parse: it is in the index as text, without symbols.
    TimedOut,
    /// It is larger than the limit.
    TooLarge,
    /// It is not text.
    Binary,
    /// It could not be read or understood.
    Failed,
}

impl FileStatus {
    /// Every status.
    pub const ALL: &[FileStatus] =
        &[Self::Indexed, Self::TimedOut, Self::TooLarge, Self::Binary, Self::Failed];

    /// The name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Indexed => "indexed",
            Self::TimedOut => "timeout",
            Self::TooLarge => "too_large",
            Self::Binary => "binary",
            Self::Failed => "error",
        }
    }

    /// Whether the index holds chunks of it.
    pub const fn is_searchable(self) -> bool {
        matches!(self, Self::Indexed | Self::TimedOut)
    }
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FileStatus {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name).ok_or(())
    }
}
