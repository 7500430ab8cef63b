//! What can go wrong with a store.

use ast_core_lexical::LexicalError;
use ast_core_model::RepoPath;
use std::path::{Path, PathBuf};

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no index at this path.
    #[error("no index at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the index {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no SQLite database.
    #[error("{} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error("{} is a database of another program (application id {application_id:#010x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id in its header; 0 if none was set.
        application_id: i64,
    },
    /// The file was written by a newer version.
    #[error(
        "{} has schema version {found}, and this program knows versions up to {supported}; use a newer program or rebuild the index",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version in its header.
        found: i64,
        /// The newest version known.
        supported: i64,
    },
    /// The file is damaged.
    #[error("the index {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says, or which value is not what it must be.
        reason: String,
    },
    /// Another file was put in the place of the open one, or it was removed.
    #[error("the index {} was replaced or removed since it was opened; open it again", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Another process is writing, or another store of this one.
    #[error("the index {} is being written by {}", path.display(), by(*holder))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The id of the process that writes, if it could be read.
        holder: Option<u32>,
    },
    /// The file, its directory or its file system cannot be written.
    #[error("the index {} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no space left on the device. What was committed before is kept.
    #[error("no space is left for the index {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// What is to be stored of a file contradicts itself.
    #[error("{file} cannot be stored: {reason}")]
    InvalidFile {
        /// The file.
        file: RepoPath,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// Something is too large for its place in the store.
    #[error("{what} of {received} exceeds the limit of {limit}")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// Its size.
        received: u64,
        /// The largest there can be.
        limit: u64,
    },
    /// What a search by words is to rank by makes no sense.
    #[error(transparent)]
    Lexical(LexicalError),
    /// Anything else that SQLite says.
    #[error("the index {} failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn by(holder: Option<u32>) -> String {
    holder.map_or("another process".into(), |pid| format!("process {pid}"))
}

/// SQLite's result codes, <https://sqlite.org/rescode.html>.
mod code {
    pub(super) const READONLY: u32 = 8;
    pub(super) const BUSY: u32 = 5;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const IOERR_SHMSIZE: u32 = 10 | 19 << 8;
    pub(super) const NOTADB: u32 = 26;
}

impl StoreError {
    pub(crate) fn from_sqlx(path: &Path, error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        let extended: Option<u32> =
            database.and_then(|error| error.code()).and_then(|code| code.parse().ok());
        let reason = || database.map_or_else(|| error.to_string(), |error| error.message().to_owned());
        match extended.and_then(|code| Self::of_code(path, code, &reason)) {
            Some(known) => known,
            // A value is not of its column's type.
            None if matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) => {
                Self::Corrupt { path: path.to_owned(), reason: reason() }
            }
            // The name of the file is none for SQLite.
            None if matches!(error, sqlx::Error::Io(_)) => {
                Self::Open { path: path.to_owned(), reason: reason() }
            }
            None => Self::Database { path: path.to_owned(), source: Box::new(error) },
        }
    }

    pub(crate) fn from_rusqlite(path: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match &error {
            Error::SqliteFailure(failure, message) => {
                let reason = || message.clone().unwrap_or_else(|| failure.to_string());
                let known = Self::of_code(path, failure.extended_code.cast_unsigned(), &reason);
                known.unwrap_or_else(|| Self::Database { path: path.to_owned(), source: Box::new(error) })
            }
            Error::FromSqlConversionFailure(_, _, reason) => {
                Self::Corrupt { path: path.to_owned(), reason: reason.to_string() }
            }
            Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..) | Error::Utf8Error(..) => {
                Self::Corrupt { path: path.to_owned(), reason: error.to_string() }
            }
            _ => Self::Database { path: path.to_owned(), source: Box::new(error) },
        }
    }

    pub(crate) fn from_lexical(path: &Path, error: LexicalError) -> Self {
        match error {
            LexicalError::TooManyTerms { .. } | LexicalError::InvalidParameter { .. } => Self::Lexical(error),
            damaged => Self::Corrupt { path: path.to_owned(), reason: damaged.to_string() },
        }
    }

    /// What an extended result code of SQLite means here.
    fn of_code(path: &Path, extended: u32, reason: &dyn Fn() -> String) -> Option<Self> {
        let path = path.to_owned();
        // The low byte of an extended code is the primary one.
        Some(match extended & 0xFF {
            // The index of the write-ahead log is not written but grown, which fails only where space does.
            _ if extended == code::IOERR_SHMSIZE => Self::DiskFull { path },
            code::NOTADB => Self::NotADatabase { path },
            code::CORRUPT => Self::Corrupt { reason: reason(), path },
            code::READONLY => Self::ReadOnly { path },
            code::FULL => Self::DiskFull { path },
            code::BUSY => Self::Locked { path, holder: None },
            code::CANTOPEN => Self::Open { reason: reason(), path },
            _ => return None,
        })
    }
}
