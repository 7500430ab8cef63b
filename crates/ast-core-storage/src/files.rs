//! What the store knows of files.

use crate::checksum;
use ast_core_model::{ContentHash, FileId, LanguageName, RepoPath};
use rusqlite::Row;
use std::fmt;
use std::str::FromStr;

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

/// All rows of files as [`FileRow`] reads them.
pub(crate) const ROWS: &str = "SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, \
    syntax_errors, checksum FROM files ORDER BY id";

/// The row of a file, whatever it says.
#[derive(Debug)]
pub(crate) struct FileRow {
    pub(crate) id: i64,
    pub(crate) path: String,
    language: Option<String>,
    status: String,
    detail: Option<String>,
    size: i64,
    modified_ns: i64,
    content_hash: Option<Vec<u8>>,
    lines: i64,
    syntax_errors: i64,
    checksum: Option<i64>,
}

impl FileRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            path: row.get(1)?,
            language: row.get(2)?,
            status: row.get(3)?,
            detail: row.get(4)?,
            size: row.get(5)?,
            modified_ns: row.get(6)?,
            content_hash: row.get(7)?,
            lines: row.get(8)?,
            syntax_errors: row.get(9)?,
            checksum: row.get(10)?,
        })
    }

    /// The file, or what of its row cannot have been written.
    pub(crate) fn check(self) -> Result<FileRecord, String> {
        let id = u64::try_from(self.id).ok().and_then(FileId::new);
        let status: FileStatus = self.status.parse().map_err(|()| format!("status {:?}", self.status))?;
        let hash = match self.content_hash.as_deref().map(<[u8; 16]>::try_from) {
            None if status.is_searchable() => return Err("no content hash".into()),
            None => None,
            Some(Ok(hash)) => Some(ContentHash::from_bytes(hash)),
            Some(Err(_)) => return Err("a content hash of another length".into()),
        };
        if self.language.is_some() != status.is_searchable() {
            return Err(format!("language {:?} of a file that is {status}", self.language));
        }
        let record = FileRecord {
            id: id.ok_or_else(|| format!("file id {}", self.id))?,
            path: RepoPath::new(self.path).map_err(|error| error.to_string())?,
            language: self.language.map(LanguageName::new),
            status,
            detail: self.detail,
            size: u64::try_from(self.size).map_err(|_| format!("file size {}", self.size))?,
            modified_ns: self.modified_ns,
            content_hash: hash,
            lines: u32::try_from(self.lines).map_err(|_| format!("{} lines", self.lines))?,
            syntax_errors: u32::try_from(self.syntax_errors)
                .map_err(|_| format!("{} syntax errors", self.syntax_errors))?,
        };
        checksum::check(self.checksum, || checksum::of_file(&record))?;
        Ok(record)
    }
}
