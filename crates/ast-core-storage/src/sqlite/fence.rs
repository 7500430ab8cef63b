//! Which repository a transaction is of, and whether its writer is still the last that opened it.
//!
//! The lock of the operating system keeps a second writer out. It does not where its file was deleted, or where a network
//! file system lets go of it: then both write, and each is right about a store that the other changes. So the number of
//! the last writer is in the store, where a transaction cannot be wrong about it.

use super::store::META;
use crate::{RepositoryId, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use sqlx::{Row, SqliteConnection};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The key of the id of the repository.
pub(crate) const REPOSITORY: &str = "repository";

/// The key of the number of the last writer.
pub(crate) const WRITER: &str = "writer";

pub(crate) const PUT_META: &str =
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";

/// A new repository, by SQLite's generator, which it seeds from the system's.
pub(crate) const NEW_REPOSITORY: &str = "SELECT lower(hex(randomblob(16)))";

/// The number that follows on one that cannot be read: one that nobody has had, but by accident.
const NEW_WRITER: &str = "SELECT abs(random() / 2)";

/// The right to write, as far as the store itself says.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    writer: u64,
    repository: Arc<OnceLock<RepositoryId>>,
}

impl Fence {
    /// Raises the number of the writer, in the transaction that the connection is in.
    pub(crate) async fn raise(
        connection: &mut SqliteConnection,
        repository: Arc<OnceLock<RepositoryId>>,
    ) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(META).bind(WRITER).fetch_optional(&mut *connection).await?;
        let last: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        let writer = match last.as_deref().and_then(number) {
            Some(last) if last < i64::MAX as u64 => last + 1,
            _ => {
                let drawn: i64 = sqlx::query_scalar(NEW_WRITER).fetch_one(&mut *connection).await?;
                drawn.unsigned_abs()
            }
        };
        sqlx::query(PUT_META).bind(WRITER).bind(writer.to_string()).execute(connection).await?;
        Ok(Self { writer, repository })
    }

    /// Begins a transaction that writes, if this is the last writer and the repository is the one that was opened.
    pub(crate) fn begin<'c>(
        &self,
        connection: &'c mut Connection,
        path: &Path,
    ) -> Result<Transaction<'c>, StoreError> {
        let transaction = self.begin_to_mend(connection, path)?;
        let found =
            value(&transaction, REPOSITORY).map_err(|error| StoreError::from_rusqlite(path, error))?;
        match (self.repository.get(), found.as_deref().and_then(|text| text.parse().ok())) {
            (Some(opened), Some(found)) if *opened == found => Ok(transaction),
            (Some(_), Some(_)) => Err(StoreError::Replaced { path: path.to_owned() }),
            _ => Err(StoreError::Corrupt { path: path.to_owned(), reason: format!("repository {found:?}") }),
        }
    }

    /// The same for what mends, which may find no repository.
    pub(crate) fn begin_to_mend<'c>(
        &self,
        connection: &'c mut Connection,
        path: &Path,
    ) -> Result<Transaction<'c>, StoreError> {
        let failed = |error| StoreError::from_rusqlite(path, error);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let last = value(&begun, WRITER).map_err(failed)?.as_deref().and_then(number);
        match last == Some(self.writer) {
            true => Ok(begun),
            false => Err(StoreError::Fenced { path: path.to_owned(), writer: self.writer, last }),
        }
    }

    /// Takes the repository that was mended for the one that was opened.
    pub(crate) fn bind(&self, repository: RepositoryId) {
        // One that was known is not mended.
        let _ = self.repository.set(repository);
    }
}

/// The number of a writer.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number <= i64::MAX as u64)
}

/// The value of a key.
pub(crate) fn value(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached(META)?.query_row([key], |row| row.get(0)).optional()
}
