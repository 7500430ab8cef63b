//! What SQLite says, as errors of a store.

use crate::StoreError;
use ast_core_lexical::LexicalError;
use std::path::Path;

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
