//! The store: opening it, and what it says of itself.

use crate::checksum;
use crate::connection::{Identity, Readers, Writer, resolve};
use crate::files::{FileRow, FileStatus};
use crate::pages::PageTable;
use crate::step::reach;
use crate::{Document, FileRecord, StoreConfig, StoreError, direct, schema};
use ast_core_lexical::PageCache;
use ast_core_model::{ContentHash, FileId, LanguageName, RepoPath};
use sqlx::Row;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqliteRow};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The key of the number of the last commit.
pub(crate) const GENERATION: &str = "generation";

pub(crate) const META: &str = "SELECT value FROM meta WHERE key = ?";

pub(crate) const FILES: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, \
    checksum FROM files ORDER BY path";

pub(crate) const DOCUMENTS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum, d.content, d.checksum FROM json_each(?) AS wanted \
    JOIN files AS f ON f.id = wanted.value JOIN documents AS d ON d.file_id = f.id ORDER BY f.id";

pub(crate) const PATHS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum FROM json_each(?) AS wanted JOIN files AS f ON f.id = wanted.value \
    WHERE f.language IS NOT NULL AND f.status IN ('indexed', 'timeout') ORDER BY f.id";

const SEARCHABLE: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, checksum \
    FROM files WHERE language IS NOT NULL AND status IN ('indexed', 'timeout') ORDER BY id";

const VERSIONS: &str = "SELECT id, checksum, size, status, language IS NOT NULL FROM files ORDER BY id";

/// A version of a file that can be found, without what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileVersion {
    /// Its id.
    pub id: FileId,
    /// A checksum over its row, and so over its path, its language and the hash of its content: where id and checksum are
    /// the same, so is all that was made of the file. `None` if it was stored before rows had checksums.
    pub checksum: Option<u64>,
    /// Size in bytes.
    pub size: u64,
}

/// The index of one tree, in a SQLite database.
///
/// Reads go through a pool and never wait for a writer; all writes go through [`commit`](Self::commit), one
/// transaction after the other, and each makes a new generation.
pub struct Store {
    path: PathBuf,
    identity: Identity,
    readers: Readers,
    pub(crate) caches: Caches,
    /// `None` if the store was opened for reading.
    pub(crate) writer: Option<Arc<Mutex<Writer>>>,
}

/// Pages of the indexes of terms that were read, in memory.
#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) words: Arc<PageCache>,
    pub(crate) names: Arc<PageCache>,
}

impl Caches {
    pub(crate) fn of(&self, table: PageTable) -> &PageCache {
        match table {
            PageTable::Words => &self.words,
            PageTable::Names => &self.names,
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To search it. Any number of processes can at the same time, also while another writes.
    Read,
    /// To change it; it is made if it is missing. One process can at a time.
    Write,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreCounts {
    /// Bytes of the files that are searchable.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Symbols.
    pub symbols: u64,
    /// Chunks.
    pub chunks: u64,
}

impl Store {
    /// Opens the store at this path. Needs a Tokio runtime with timers.
    ///
    /// A store in a directory that cannot be written is read as well, as long as nothing is left to recover from its
    /// last writer; when somebody who can does write to it, it has to be opened again. So it has when the file is removed
    /// or replaced: whatever is asked then is refused with [`StoreError::Replaced`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none and `access` is [`Access::Read`]; [`StoreError::Locked`] if another
    /// process writes and `access` is [`Access::Write`]; [`StoreError::NotADatabase`], [`StoreError::Foreign`],
    /// [`StoreError::NewerSchema`] and [`StoreError::Corrupt`] if the file is not what it should be, and then it is
    /// left as it is; [`StoreError::ReadOnly`] and [`StoreError::Open`] if the system does not let.
    pub async fn open(path: &Path, access: Access, config: &StoreConfig) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing { path: path.to_owned() };
        let exists = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Err(StoreError::Open { path: path.to_owned(), reason: "it is a directory".into() });
            }
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => {
                return Err(StoreError::Open { path: path.to_owned(), reason: error.to_string() });
            }
        };
        if !exists && access == Access::Read {
            return Err(missing());
        }
        let file = resolve(path)?;
        if exists {
            schema::check_untouched(path, &file).await?;
        }
        let writer = match access {
            Access::Read => None,
            Access::Write => Some(Arc::new(Mutex::new(Writer::open(path, &file, config).await?))),
        };
        let identity = Identity::of(&file);
        let readers = Readers::open(path, &file, config).await?;
        let cache =
            |share: usize| Arc::new(PageCache::new(config.lexical_cache_kib as usize * 1024 / 4 * share));
        let caches = Caches { words: cache(3), names: cache(1) };
        let store = Self { path: path.to_owned(), identity, readers, caches, writer };
        if access == Access::Read {
            let mut connection = store.reader().await?;
            if schema::check(&mut connection, path).await? < schema::VERSION {
                // An older store is brought up by the next writer; its tables may not be what is asked for.
                return Err(missing());
            }
        }
        Ok(store)
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the tables that this program writes.
    pub const fn schema_version() -> u32 {
        schema::VERSION
    }

    /// The number of the last commit; 0 before the first.
    pub async fn generation(&self) -> Result<u64, StoreError> {
        match self.meta(GENERATION).await? {
            Some(text) => text.parse().map_err(|_| self.corrupt(format!("generation {text:?}"))),
            None => Ok(0),
        }
    }

    /// The value of a key, if it is set.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut connection = self.reader().await?;
        let row = sqlx::query(META)
            .bind(key)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        row.map(|row| row.try_get(0).map_err(|error| self.failed(error))).transpose()
    }

    /// Every file that the index knows of, in order of paths.
    pub async fn files(&self) -> Result<Vec<FileRecord>, StoreError> {
        let mut connection = self.reader().await?;
        let rows =
            sqlx::query(FILES).fetch_all(&mut *connection).await.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_record(row)).collect()
    }

    /// The files that came in with this generation or one before.
    ///
    /// # Errors
    /// [`StoreError::Database`] and [`StoreError::Corrupt`].
    pub async fn files_until(&self, generation: u64) -> Result<HashSet<FileId>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query("SELECT id FROM files WHERE generation <= ?")
            .bind(i64::try_from(generation).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_id(row, 0)).collect()
    }

    /// How much the store holds.
    pub async fn counts(&self) -> Result<StoreCounts, StoreError> {
        let mut connection = self.reader().await?;
        let row = sqlx::query(
            "SELECT (SELECT coalesce(sum(size), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
             (SELECT coalesce(sum(lines), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
             (SELECT coalesce(sum(symbols), 0) FROM files), (SELECT coalesce(sum(length(kinds)), 0) FROM vectors)",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| self.failed(error))?;
        let count = |at| self.unsigned(&row, at, "sum or count");
        Ok(StoreCounts { bytes: count(0)?, lines: count(1)?, symbols: count(2)?, chunks: count(3)? })
    }

    /// Lets the write-ahead log flow back into the database, which is best done after a large change.
    ///
    /// What was committed before survives a power loss from then on, as far as the device keeps its word; until then
    /// only the end of the process.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let Some(writer) = &self.writer else { return Ok(()) };
        self.identity.check(&self.path)?;
        let mut writer = writer.lock().await;
        let failed = |error| self.failed(error);
        let connection = writer.ready().await.map_err(failed)?;
        reach("settle").map_err(|error| StoreError::from_rusqlite(&self.path, error))?;
        // No statistics are gathered: queries go by keys, and are to go on doing so.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await.map(drop).map_err(failed)
    }

    /// Closes all connections. Dropping the store does so too, but does not wait.
    pub async fn close(self) {
        self.readers.close().await;
        if let Some(writer) = self.writer {
            // A commit that nobody waits for any more comes to its end first.
            drop(writer.lock().await);
            if let Some(writer) = Arc::into_inner(writer) {
                // What is committed is safe whatever closing says.
                let _ = writer.into_inner().close().await;
            }
        }
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.identity.check(&self.path)?;
        self.readers.acquire(&self.path).await
    }

    /// The connection that writes, for whoever gets it next.
    pub(crate) async fn writer(&self) -> Result<OwnedMutexGuard<Writer>, StoreError> {
        let read_only = || StoreError::ReadOnly { path: self.path.clone() };
        self.identity.check(&self.path)?;
        Ok(self.writer.clone().ok_or_else(read_only)?.lock_owned().await)
    }

    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, error)
    }

    pub(crate) fn corrupt(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), reason: reason.into() }
    }

    /// The integer in a column, if it is in the range of its type.
    pub(crate) fn unsigned<N: TryFrom<i64>>(
        &self,
        row: &SqliteRow,
        column: usize,
        what: &str,
    ) -> Result<N, StoreError> {
        let number: i64 = row.try_get(column).map_err(|error| self.failed(error))?;
        N::try_from(number).map_err(|_| self.corrupt(format!("{what} {number}")))
    }

    /// The id of a file in a column.
    pub(crate) fn file_id(&self, row: &SqliteRow, column: usize) -> Result<FileId, StoreError> {
        let number: u64 = self.unsigned(row, column, "file id")?;
        FileId::new(number).ok_or_else(|| self.corrupt(format!("file id {number}")))
    }

    /// The content hash in a column.
    pub(crate) fn hash(&self, bytes: &[u8]) -> Result<ContentHash, StoreError> {
        let bytes = bytes.try_into();
        bytes.map(ContentHash::from_bytes).map_err(|_| self.corrupt("a content hash of another length"))
    }

    fn file_record(&self, row: &SqliteRow) -> Result<FileRecord, StoreError> {
        let read = |error| self.failed(error);
        let path: String = row.try_get(1).map_err(read)?;
        let status: &str = row.try_get(3).map_err(read)?;
        let hash: Option<&[u8]> = row.try_get(7).map_err(read)?;
        let record = FileRecord {
            id: self.file_id(row, 0)?,
            path: RepoPath::new(path).map_err(|error| self.corrupt(error.to_string()))?,
            language: row.try_get::<Option<String>, _>(2).map_err(read)?.map(LanguageName::new),
            status: status.parse().map_err(|()| self.corrupt(format!("file status {status:?}")))?,
            detail: row.try_get(4).map_err(read)?,
            size: self.unsigned(row, 5, "file size")?,
            modified_ns: row.try_get(6).map_err(read)?,
            content_hash: hash.map(|bytes| self.hash(bytes)).transpose()?,
            lines: self.unsigned(row, 8, "number of lines")?,
            syntax_errors: self.unsigned(row, 9, "number of syntax errors")?,
        };
        let damaged = |reason| self.corrupt(format!("the row of {}: {reason}", record.path));
        checksum::check(row.try_get(10).map_err(read)?, || checksum::of_file(&record)).map_err(damaged)?;
        Ok(record)
    }

    /// These files and what was found in them, in order of ids; a file that is gone, or of which nothing is kept, is
    /// left out.
    pub async fn documents(&self, files: &[FileId]) -> Result<Vec<(FileRecord, Document)>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query(DOCUMENTS)
            .bind(json_list(files.iter().map(|file| file.get())))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        drop(connection);
        let mut compressed = Vec::with_capacity(rows.len());
        for row in &rows {
            let read = |error| self.failed(error);
            let content: Vec<u8> = row.try_get(11).map_err(read)?;
            let noted: Option<i64> = row.try_get(12).map_err(read)?;
            compressed.push((self.file_record(row)?, content, noted));
        }
        direct::on_a_thread(self.path().to_owned(), async move |path| {
            let read = |(record, content, noted): (FileRecord, Vec<u8>, Option<i64>)| {
                let of = || checksum::of_row(record.id.get().cast_signed(), &[&content]);
                let sound = checksum::check(noted, of).and_then(|()| Document::decompress(&content));
                let document = sound.map_err(|reason| StoreError::Corrupt {
                    path: path.to_owned(),
                    reason: format!("the document of {}: {reason}", record.path),
                })?;
                Ok((record, document))
            };
            compressed.into_iter().map(read).collect()
        })
        .await
    }

    /// The paths and languages of these files, in order of ids; a file that is gone, or that is not searchable, is left
    /// out.
    pub async fn paths(&self, files: &[FileId]) -> Result<Vec<(FileId, RepoPath, LanguageName)>, StoreError> {
        self.named_files(PATHS, Some(direct::in_list(files))).await
    }

    /// The paths and languages of all searchable files, in order of ids.
    pub async fn searchable_files(&self) -> Result<Vec<(FileId, RepoPath, LanguageName)>, StoreError> {
        self.named_files(SEARCHABLE, None).await
    }

    /// The versions of all searchable files, in order of ids: what there is to tell whether something that was made from
    /// the store is still of it, in a fraction of the time of [`searchable_files`](Self::searchable_files). Of a row no more
    /// is checked than that it can be searchable.
    ///
    /// # Errors
    /// [`StoreError::Database`] and [`StoreError::Corrupt`].
    pub async fn searchable_versions(&self) -> Result<Vec<FileVersion>, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path().to_owned(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let corrupt = |reason| StoreError::Corrupt { path: path.to_owned(), reason };
            let mut statement = connection.prepare(VERSIONS).map_err(failed)?;
            let mut rows = statement.query([]).map_err(failed)?;
            let mut versions = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let id = direct::file_id(row.get(0).map_err(failed)?).map_err(failed)?;
                let status =
                    row.get_ref(3).map_err(failed)?.as_str().map_err(|error| failed(error.into()))?;
                let status: FileStatus =
                    status.parse().map_err(|()| corrupt(format!("the status of {id:?} is {status:?}")))?;
                let has_language: bool = row.get(4).map_err(failed)?;
                if has_language != status.is_searchable() {
                    let has = if has_language { "a" } else { "no" };
                    return Err(corrupt(format!("{id:?} has {has} language and is {status}")));
                }
                if status.is_searchable() {
                    let checksum: Option<i64> = row.get(1).map_err(failed)?;
                    let size: i64 = row.get(2).map_err(failed)?;
                    let size =
                        u64::try_from(size).map_err(|_| corrupt(format!("the size of {id:?} is {size}")))?;
                    versions.push(FileVersion { id, checksum: checksum.map(i64::cast_unsigned), size });
                }
            }
            Ok(versions)
        })
        .await
    }

    async fn named_files(
        &self,
        statement: &'static str,
        list: Option<String>,
    ) -> Result<Vec<(FileId, RepoPath, LanguageName)>, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path().to_owned(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let mut statement = connection.prepare(statement).map_err(failed)?;
            let mut rows = statement.query(rusqlite::params_from_iter(&list)).map_err(failed)?;
            let mut files = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let checked = FileRow::read(row).map_err(failed)?.check();
                let corrupt = |reason| StoreError::Corrupt { path: path.to_owned(), reason };
                let FileRecord { id, path, language, .. } = checked.map_err(corrupt)?;
                files.extend(language.map(|language| (id, path, language)));
            }
            Ok(files)
        })
        .await
    }
}

/// A list for `json_each`: as many values as there are, in one statement.
pub(crate) fn json_list(numbers: impl Iterator<Item = u64>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}
