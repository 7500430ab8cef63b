//! The connections that read, each lent to one at a time.

use super::connection::{busy_timeout, options};
use super::{StoreConfig, direct, schema};
use crate::StoreError;
use rusqlite::Connection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Each connection has a thread.
const MAX_READERS: u32 = 1024;

/// The connections that read. They are opened as they come to be needed, and stay open.
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    busy_timeout: Duration,
    most: u32,
    /// As many as may still be lent.
    places: Arc<Semaphore>,
    /// Those that nobody has; the last one that was used is the next, as it has the most in memory.
    free: Arc<Mutex<Vec<Reader>>>,
    /// Set where SQLite could not take part in locking.
    snapshot: Option<Snapshot>,
}

/// A connection and its handle, which is used instead of it: see `direct.rs`.
pub(super) struct Reader {
    /// It goes before the connection does, with the statements that it has prepared.
    pub(super) direct: Connection,
    /// Nothing is asked of it, so that nobody but us uses the handle.
    pub(super) connection: SqliteConnection,
}

/// A connection that is lent. One that is not given back, because what was done with it came to no end, is closed.
pub(crate) struct Lent {
    pub(super) reader: Reader,
    pub(super) busy_timeout: Duration,
    free: Arc<Mutex<Vec<Reader>>>,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    pub(super) fn give_back(self) {
        if self.reader.direct.is_autocommit() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.reader);
        }
    }
}

impl Readers {
    pub(crate) async fn open(path: &Path, file: &Path, config: &StoreConfig) -> Result<Self, StoreError> {
        let options = options(file, config, config.cache_kib / 2).read_only(true);
        let most = config.readers.clamp(1, MAX_READERS);
        let readers = |options, reader, snapshot| Self {
            options,
            busy_timeout: busy_timeout(config),
            most,
            places: Arc::new(Semaphore::new(most as usize)),
            free: Arc::new(Mutex::new(vec![reader])),
            snapshot,
        };
        let mut opened = direct::open(&options).await;
        if opened.is_err() && schema::has_journal(file) {
            // Whoever made the store was killed. A connection that only reads cannot undo what was half done.
            let undo = options.clone().read_only(false).create_if_missing(false);
            if let Ok(mut connection) = SqliteConnection::connect_with(&undo).await {
                let undone = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await;
                if undone.is_ok() && connection.close().await.is_ok() {
                    opened = direct::open(&options).await;
                }
            }
        }
        let error = match opened {
            Ok(reader) => return Ok(readers(options, reader, None)),
            Err(error) => StoreError::from_sqlx(path, error),
        };
        if !matches!(error, StoreError::Open { .. } | StoreError::ReadOnly { .. }) {
            return Err(error);
        }
        // Reading goes through files beside the database, and they cannot be made. As long as nobody writes, it can
        // go without.
        let Some(snapshot) = Snapshot::of(file) else { return Err(error) };
        let options = options.immutable(true);
        let reader = direct::open(&options).await.map_err(|error| StoreError::from_sqlx(path, error))?;
        Ok(readers(options, reader, Some(snapshot)))
    }

    pub(crate) async fn acquire(&self, path: &Path) -> Result<Lent, StoreError> {
        if let Some(snapshot) = &self.snapshot
            && Snapshot::of(&snapshot.file).as_ref() != Some(snapshot)
        {
            let reason = "it was changed while it was open in a read-only directory; open it again".into();
            return Err(StoreError::Open { path: path.to_owned(), reason });
        }
        let closed = |error| StoreError::Database { path: path.to_owned(), source: Box::new(error) };
        let place = self.places.clone().acquire_owned().await.map_err(closed)?;
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match free {
            Some(reader) => reader,
            None => {
                let opened = direct::open(&self.options).await;
                opened.map_err(|error| StoreError::from_sqlx(path, error))?
            }
        };
        let (free, busy_timeout) = (self.free.clone(), self.busy_timeout);
        Ok(Lent { reader, busy_timeout, free, _place: place })
    }

    /// Closes all of them, those that are lent when they come back.
    pub(crate) async fn close(&self) {
        // The semaphore is closed by nobody else.
        let _all = self.places.acquire_many(self.most).await;
        self.places.close();
        let free = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        for Reader { direct, connection } in free {
            drop(direct);
            // Nothing that is read is lost by it.
            let _ = connection.close().await;
        }
    }
}

/// A database that nobody is writing to, all of it in the one file.
#[derive(PartialEq)]
struct Snapshot {
    file: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl Snapshot {
    /// `None` if there is more of it in a log.
    fn of(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok().filter(|_| !schema::has_log(file))?;
        Some(Self { file: file.to_owned(), length: metadata.len(), modified: metadata.modified().ok() })
    }
}
