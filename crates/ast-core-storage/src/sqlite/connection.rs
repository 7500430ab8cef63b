//! The connection that writes, which file it is to, and how a file is opened.

use super::fence::Fence;
use super::lock::WriterLock;
use super::{StoreConfig, direct, schema};
use crate::{RepositoryId, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The connection that writes, and the right to.
pub(crate) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    pub(crate) fence: Fence,
    _lock: WriterLock,
}

impl Writer {
    /// Opens the database to write, makes it if it is missing, and brings its tables up to date.
    pub(crate) async fn open(
        path: &Path,
        file: &Path,
        config: &StoreConfig,
        repository: Arc<OnceLock<RepositoryId>>,
    ) -> Result<Self, StoreError> {
        let lock = WriterLock::acquire(path, file)?;
        let failed = |error| StoreError::from_sqlx(path, error);
        let options = options(file, config, config.cache_kib)
            .create_if_missing(true)
            .pragma("wal_autocheckpoint", "4000");
        let connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        // What is under way holds the lock, also if nobody waits for it any more.
        let (runtime, mut writing) = (tokio::runtime::Handle::current(), (lock, connection));
        let migrate = move |path: &Path| {
            let fence = runtime.block_on(schema::migrate(&mut writing.1, path, repository))?;
            Ok((writing, fence))
        };
        let ((lock, mut connection), fence) = direct::blocking(path.to_owned(), migrate).await?;
        // Only now, as the write-ahead log of a file is no place to say first whose file it is. It stays that way.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&mut connection).await.map_err(failed)?;
        Ok(Self { connection, options, fence, _lock: lock })
    }

    /// The connection, outside of any transaction.
    ///
    /// One that does not answer, or whose last transaction could not be rolled back, is replaced.
    pub(crate) async fn ready(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let is_ready = direct::lend(&mut self.connection, |direct| direct.is_autocommit()).await;
        if !is_ready.unwrap_or(false) {
            let connection = SqliteConnection::connect_with(&self.options).await?;
            let broken = std::mem::replace(&mut self.connection, connection);
            // Nothing that it could say matters any more.
            let _ = broken.close().await;
        }
        Ok(&mut self.connection)
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

/// Which file is under a name. A file that takes the place of an open one leaves those who have it open with what is
/// gone; and what they keep in memory by the numbers of rows and pages is of other rows and pages in the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    file: PathBuf,
    /// `None` where the system does not tell; there a file that is open cannot be replaced.
    numbers: Option<(u64, u64)>,
}

impl Identity {
    pub(crate) fn of(file: &Path) -> Self {
        #[cfg(unix)]
        let numbers = {
            use std::os::unix::fs::MetadataExt;
            // One that is not there is none that was.
            std::fs::metadata(file).map_or(Some((0, 0)), |metadata| Some((metadata.dev(), metadata.ino())))
        };
        #[cfg(not(unix))]
        let numbers = None;
        Self { file: file.to_owned(), numbers }
    }

    /// Refuses to go on if another file is there now.
    pub(crate) fn check(&self, path: &Path) -> Result<(), StoreError> {
        match Self::of(&self.file) == *self {
            true => Ok(()),
            false => Err(StoreError::Replaced { path: path.to_owned() }),
        }
    }
}

/// The one name of the file: what is locked under one must be locked under all, and SQLite takes a name that begins
/// with `file:` for an address.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let file = match path.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match (path.parent(), path.file_name())
        {
            (Some(parent), Some(name)) => {
                let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                parent.canonicalize().map(|parent| parent.join(name))
            }
            _ => Err(error),
        },
        resolved => resolved,
    };
    file.map_err(|error| StoreError::Open { path: path.to_owned(), reason: error.to_string() })
}

/// How long is waited for a lock: SQLite counts milliseconds in an `i32`.
pub(super) fn busy_timeout(config: &StoreConfig) -> Duration {
    config.busy_timeout.min(Duration::from_millis(i32::MAX as u64))
}

pub(super) fn options(file: &Path, config: &StoreConfig, cache_kib: u32) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(busy_timeout(config))
        // SQLite counts KiB in an `i32`.
        .pragma("cache_size", format!("-{}", cache_kib.min(i32::MAX as u32)))
        .synchronous(SqliteSynchronous::Normal)
        // An index may come from anywhere, and it may be damaged: <https://sqlite.org/security.html>.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Who borrows the handle sends the thread of the connection a command, and may hold the handle while it waits for a
        // place in the queue: if that is full because the thread waits for the handle, they wait for each other for ever.
        // On a busy machine the thread may not get to run for as many loans as one likes.
        .command_buffer_size(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::super::direct;
    use super::options;
    use crate::{Access, Document, FileRecord, FileStatus, IndexedFile, SqliteStore, StoreConfig};
    use crate::{StoreError, WriteBatch};
    use ast_core_model::{ContentHash, FileId, RepoPath};
    use sqlx::{Connection, SqliteConnection};
    use std::time::Duration;

    /// Files whose texts do not get smaller by compression.
    fn batch(files: u64, text_bytes: usize) -> WriteBatch {
        let text = |seed: u64| -> Vec<u8> {
            let hashes =
                (0..text_bytes).map(|at| ContentHash::of(&[seed, at as u64].map(u64::to_le_bytes).concat()));
            hashes.map(|hash| hash.as_bytes()[0]).collect()
        };
        let file = |number: u64| {
            let record = FileRecord {
                id: FileId::new(number).unwrap(),
                path: RepoPath::new(format!("{number}.txt")).unwrap(),
                language: None,
                status: FileStatus::Indexed,
                detail: None,
                size: text_bytes as u64,
                modified_ns: 0,
                content_hash: None,
                lines: 1,
                syntax_errors: 0,
            };
            let document = Document { source: text(number), ..Document::default() };
            IndexedFile::new(record, &document, &[], &[]).unwrap()
        };
        WriteBatch { files: (1..=files).map(file).collect(), ..WriteBatch::default() }
    }

    /// Leaves the database so many pages to grow by.
    async fn limit(store: &SqliteStore, pages: i64) {
        let mut writer = store.writer.as_ref().unwrap().lock().await;
        let connection = writer.ready().await.unwrap();
        let count: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *connection).await.unwrap();
        let limit = format!("PRAGMA max_page_count = {}", count + pages);
        sqlx::query(sqlx::AssertSqlSafe(limit)).execute(connection).await.unwrap();
    }

    /// A loan takes less time than to wake the thread of the connection, which then finds many that are over.
    #[tokio::test]
    async fn a_handle_is_lent_however_late_the_thread_of_the_connection_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        drop(SqliteStore::open(&path, Access::Write, &StoreConfig::default()).await.unwrap());
        let options = options(&path, &StoreConfig::default(), 1024);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let loans = async {
            for _ in 0..20_000 {
                assert!(direct::lend(&mut connection, |direct| direct.is_autocommit()).await.unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(60), loans).await.expect("all loans come to their end");
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_writing_goes_on_when_there_is_space() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let store = SqliteStore::open(&path, Access::Write, &StoreConfig::default()).await.unwrap();
        store.commit(WriteBatch::default()).await.unwrap();
        // One large row ends the transaction within SQLite, one of many in a statement does not.
        for too_much in [|| batch(1, 1 << 20), || batch(300, 3_000)] {
            let before = store.generation().await.unwrap();
            for _ in 0..2 {
                limit(&store, 40).await;
                let error = store.commit(too_much()).await.unwrap_err();
                assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
                assert_eq!(store.generation().await.unwrap(), before);
                assert_eq!(store.files().await.unwrap(), []);
            }
            limit(&store, 1 << 20).await;
            assert_eq!(store.commit(too_much()).await.unwrap().generation, before + 1);
            let removed = too_much().files.iter().map(|file| file.record.id).collect();
            store.commit(WriteBatch { removed, ..WriteBatch::default() }).await.unwrap();
            store.settle().await.unwrap();
        }
    }
}
