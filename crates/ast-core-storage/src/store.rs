//! The store: opening it, writing to it, and what it says of itself.

use crate::insert::{Insert, insert_rows};
use crate::lock::WriterLock;
use crate::{CompressedSource, FileRecord, IndexedFile, StoreConfig, StoreError, WriteBatch};
use ast_core_model::{ChunkId, ContentHash, FileId, LanguageName, RepoPath, SymbolId, scope_of};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// "ACEi", in the header of the file, says whose database it is.
const APPLICATION_ID: i64 = 0x4143_4569;

/// Each brings a store from the version before to its own: the first to version 1. They only ever grow in number.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_index.sql")];

/// Between the names of a scope in the store.
pub(crate) const SCOPE_SEPARATOR: char = '\u{1F}';

/// The index of one tree, in a SQLite database.
///
/// Reads go through a pool and never wait for a writer; all writes go through [`commit`](Self::commit), one
/// transaction after the other, and each makes a new generation.
pub struct Store {
    path: PathBuf,
    readers: SqlitePool,
    /// `None` if the store was opened for reading.
    writer: Option<Mutex<Writer>>,
}

struct Writer {
    connection: SqliteConnection,
    _lock: WriterLock,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To search it. Any number of processes can at the same time, also while another writes.
    Read,
    /// To change it; it is made if it is missing. One process can at a time.
    Write,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The generation that it made.
    pub generation: u64,
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
    /// Opens the store at this path.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none and `access` is [`Access::Read`]; [`StoreError::Locked`] if another
    /// process writes and `access` is [`Access::Write`]; [`StoreError::NotADatabase`], [`StoreError::Foreign`],
    /// [`StoreError::NewerSchema`] and [`StoreError::Corrupt`] if the file is not what it should be;
    /// [`StoreError::ReadOnly`] and [`StoreError::Open`] if the system does not let.
    pub async fn open(path: &Path, access: Access, config: &StoreConfig) -> Result<Self, StoreError> {
        if access == Access::Read && !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let writer = match access {
            Access::Read => None,
            Access::Write => Some(Mutex::new(open_writer(path, config).await?)),
        };
        let failed = |error| StoreError::from_sqlx(path, error);
        let options = options(path, config, config.cache_kib / 2).read_only(true);
        let readers = SqlitePoolOptions::new()
            .max_connections(config.readers.max(1))
            .connect_with(options)
            .await
            .map_err(failed)?;
        let store = Self { path: path.to_owned(), readers, writer };
        if access == Access::Read {
            let mut connection = store.reader().await?;
            let version = check_header(&mut connection, path).await?;
            if version < MIGRATIONS.len() as i64 {
                // An older store is brought up by the next writer; its tables may not be what is asked for.
                return Err(StoreError::Missing { path: path.to_owned() });
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
        MIGRATIONS.len() as u32
    }

    /// The number of the last commit; 0 before the first.
    pub async fn generation(&self) -> Result<u64, StoreError> {
        Ok(self.meta("generation").await?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The value of a key, if it is set.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut connection = self.reader().await?;
        let row =
            sqlx::query("SELECT value FROM meta WHERE key = ?").bind(key).fetch_optional(&mut *connection);
        match row.await.map_err(|error| self.failed(error))? {
            Some(row) => Ok(Some(row.try_get(0).map_err(|error| self.failed(error))?)),
            None => Ok(None),
        }
    }

    /// Every file that the index knows of, in order of paths.
    pub async fn files(&self) -> Result<Vec<FileRecord>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query(
            "SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors \
             FROM files ORDER BY path",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_record(row)).collect()
    }

    /// How much the store holds.
    pub async fn counts(&self) -> Result<StoreCounts, StoreError> {
        let mut connection = self.reader().await?;
        let row = sqlx::query(
            "SELECT (SELECT coalesce(sum(size), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
             (SELECT coalesce(sum(lines), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
             (SELECT count(*) FROM symbols), (SELECT count(*) FROM chunks)",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| self.failed(error))?;
        let count =
            |at: usize| row.try_get::<i64, _>(at).map(|n| n as u64).map_err(|error| self.failed(error));
        Ok(StoreCounts { bytes: count(0)?, lines: count(1)?, symbols: count(2)?, chunks: count(3)? })
    }

    /// Applies a batch in one transaction, as a new generation. A file takes the place of what is at its path.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if the store was opened for reading or cannot be written;
    /// [`StoreError::DiskFull`]; nothing of the batch is applied then.
    pub async fn commit(&self, batch: &WriteBatch) -> Result<Committed, StoreError> {
        let writer = self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly { path: self.path.clone() })?;
        let mut writer = writer.lock().await;
        let failed = |error| self.failed(error);
        let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let generation: i64 = sqlx::query(
            "SELECT coalesce(max(value), 0) + 1 FROM \
             (SELECT CAST(value AS INTEGER) AS value FROM meta WHERE key = 'generation')",
        )
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
        for &file in &batch.removed {
            remove_file(&mut transaction, file).await.map_err(failed)?;
        }
        for &(file, size, modified_ns) in &batch.touched {
            sqlx::query("UPDATE files SET size = ?, modified_ns = ? WHERE id = ?")
                .bind(size as i64)
                .bind(modified_ns)
                .bind(file.get() as i64)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        for file in &batch.files {
            let replaced = sqlx::query("SELECT id FROM files WHERE path = ?")
                .bind(file.record.path.as_str())
                .fetch_optional(&mut *transaction)
                .await
                .and_then(|row| row.map(|row| row.try_get::<i64, _>(0)).transpose())
                .map_err(failed)?;
            if let Some(replaced) = replaced.and_then(|id| FileId::new(id as u64)) {
                remove_file(&mut transaction, replaced).await.map_err(failed)?;
            }
            self.insert_file(&mut transaction, file, generation).await?;
        }
        let generation_text = generation.to_string();
        let generation_row = [("generation", generation_text.as_str())];
        let meta = batch.meta.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        for (key, value) in meta.chain(generation_row) {
            sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
                .bind(key)
                .bind(value)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(Committed { generation: generation as u64 })
    }

    /// Lets the write-ahead log flow back into the database and gathers statistics for the query planner, which is
    /// best done after a large change.
    pub async fn settle(&self) -> Result<(), StoreError> {
        let Some(writer) = &self.writer else { return Ok(()) };
        let mut writer = writer.lock().await;
        for statement in ["PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            sqlx::query(statement)
                .execute(&mut writer.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Closes all connections. Dropping the store does so too, but does not wait.
    pub async fn close(self) {
        self.readers.close().await;
        if let Some(writer) = self.writer {
            // What is committed is safe whatever closing says.
            let _ = writer.into_inner().connection.close().await;
        }
    }

    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(|error| self.failed(error))
    }

    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, error)
    }

    pub(crate) fn corrupt(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), reason: reason.into() }
    }

    fn file_record(&self, row: &SqliteRow) -> Result<FileRecord, StoreError> {
        let read = |error| self.failed(error);
        let id: i64 = row.try_get(0).map_err(read)?;
        let path: String = row.try_get(1).map_err(read)?;
        let status: &str = row.try_get(3).map_err(read)?;
        let hash: Option<&[u8]> = row.try_get(7).map_err(read)?;
        Ok(FileRecord {
            id: FileId::new(id as u64).ok_or_else(|| self.corrupt(format!("file id {id}")))?,
            path: RepoPath::new(path).map_err(|error| self.corrupt(error.to_string()))?,
            language: row.try_get::<Option<String>, _>(2).map_err(read)?.map(LanguageName::new),
            status: status.parse().map_err(|()| self.corrupt(format!("file status {status:?}")))?,
            detail: row.try_get(4).map_err(read)?,
            size: row.try_get::<i64, _>(5).map_err(read)? as u64,
            modified_ns: row.try_get(6).map_err(read)?,
            content_hash: hash
                .map(|bytes| bytes.try_into().map_err(|_| self.corrupt("a content hash of another length")))
                .transpose()?
                .map(ContentHash::from_bytes),
            lines: row.try_get::<i64, _>(8).map_err(read)? as u32,
            syntax_errors: row.try_get::<i64, _>(9).map_err(read)? as u32,
        })
    }

    async fn insert_file(
        &self,
        connection: &mut SqliteConnection,
        file: &IndexedFile,
        generation: i64,
    ) -> Result<(), StoreError> {
        let record = &file.record;
        let failed = |error| self.failed(error);
        sqlx::query(
            "INSERT INTO files (id, path, language, status, detail, size, modified_ns, content_hash, lines, \
             syntax_errors, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(record.id.get() as i64)
        .bind(record.path.as_str())
        .bind(record.language.as_ref().map(LanguageName::as_str))
        .bind(record.status.as_str())
        .bind(record.detail.as_deref())
        .bind(record.size as i64)
        .bind(record.modified_ns)
        .bind(record.content_hash.as_ref().map(|hash| hash.as_bytes().as_slice()))
        .bind(i64::from(record.lines))
        .bind(i64::from(record.syntax_errors))
        .bind(generation)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
        if let Some(source) = &file.source {
            sqlx::query("INSERT INTO sources (file_id, content) VALUES (?, ?)")
                .bind(record.id.get() as i64)
                .bind(source.as_bytes())
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
        }
        self.insert_symbols(connection, file).await?;
        self.insert_chunks(connection, file).await?;
        if !file.vectors.is_empty() {
            let bytes: Vec<u8> = file.vectors.iter().flat_map(|value| value.to_le_bytes()).collect();
            sqlx::query("INSERT INTO embeddings (file_id, vectors) VALUES (?, ?)")
                .bind(record.id.get() as i64)
                .bind(bytes)
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn insert_symbols(
        &self,
        connection: &mut SqliteConnection,
        file: &IndexedFile,
    ) -> Result<(), StoreError> {
        const SYMBOLS: Insert = Insert {
            head: "INSERT INTO symbols (id, parent, name, qualifier, scope, kind, span_start, span_end, line_start, \
                   line_end, extent_start, extent_end, name_start, name_end, signature, doc, visibility)",
            columns: 17,
        };
        let count = file.symbols.len();
        let first = first_id(SymbolId::in_file(file.record.id, 0).map(SymbolId::get), "symbols", count)?;
        let numbered: Vec<_> = file.symbols.iter().enumerate().collect();
        insert_rows(connection, &SYMBOLS, &numbered, |query, &(ordinal, symbol)| {
            query
                .bind(first + ordinal as i64)
                .bind(symbol.parent.map(i64::from))
                .bind(&*symbol.name)
                .bind(symbol.qualifier.as_deref())
                .bind(scope_of(&file.symbols, ordinal).join("\u{1F}"))
                .bind(symbol.kind.as_str())
                .bind(i64::from(symbol.span.start))
                .bind(i64::from(symbol.span.end))
                .bind(i64::from(symbol.lines.start))
                .bind(i64::from(symbol.lines.end))
                .bind(i64::from(symbol.extent.start))
                .bind(i64::from(symbol.extent.end))
                .bind(i64::from(symbol.name_span.start))
                .bind(i64::from(symbol.name_span.end))
                .bind(&*symbol.signature)
                .bind(symbol.doc.as_deref())
                .bind(symbol.visibility.map(|visibility| visibility.as_str()))
        })
        .await
        .map_err(|error| self.failed(error))
    }

    async fn insert_chunks(
        &self,
        connection: &mut SqliteConnection,
        file: &IndexedFile,
    ) -> Result<(), StoreError> {
        const CHUNKS: Insert = Insert {
            head: "INSERT INTO chunks (id, symbol, span_start, span_end, line_start, line_end, content_hash)",
            columns: 7,
        };
        const LEXICAL: Insert =
            Insert { head: "INSERT INTO lexical (rowid, name, path, doc, body)", columns: 5 };
        let count = file.chunks.len();
        let first = first_id(ChunkId::in_file(file.record.id, 0).map(ChunkId::get), "chunks", count)?;
        let numbered: Vec<_> = file.chunks.iter().enumerate().collect();
        insert_rows(connection, &CHUNKS, &numbered, |query, &(ordinal, chunk)| {
            query
                .bind(first + ordinal as i64)
                .bind(chunk.symbol.map(i64::from))
                .bind(i64::from(chunk.span.start))
                .bind(i64::from(chunk.span.end))
                .bind(i64::from(chunk.lines.start))
                .bind(i64::from(chunk.lines.end))
                .bind(chunk.hash.as_bytes().as_slice())
        })
        .await
        .map_err(|error| self.failed(error))?;
        let numbered: Vec<_> = file.terms.iter().enumerate().collect();
        insert_rows(connection, &LEXICAL, &numbered, |query, &(ordinal, terms)| {
            query
                .bind(first + ordinal as i64)
                .bind(&*terms.name)
                .bind(&*terms.path)
                .bind(&*terms.doc)
                .bind(&*terms.body)
        })
        .await
        .map_err(|error| self.failed(error))
    }

    /// The content of a file as it was indexed; `None` if the file is not (or no longer) indexed.
    pub async fn source(&self, file: FileId) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.reader().await?;
        let row = sqlx::query("SELECT content FROM sources WHERE file_id = ?")
            .bind(file.get() as i64)
            .fetch_optional(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        let Some(row) = row else { return Ok(None) };
        let bytes: &[u8] = row.try_get(0).map_err(|error| self.failed(error))?;
        let content = CompressedSource::decompress(bytes);
        content.map(Some).map_err(|reason| self.corrupt(format!("the content of {file:?}: {reason}")))
    }
}

/// The first id of a file's items, if there are not too many for ordinals.
fn first_id(first: Option<u64>, what: &'static str, count: usize) -> Result<i64, StoreError> {
    let limit = u64::from(ChunkId::MAX_ORDINAL) + 1;
    match first {
        Some(first) if count as u64 <= limit => Ok(first as i64),
        _ => Err(StoreError::OutOfRange { what, received: count as u64, limit }),
    }
}

async fn remove_file(connection: &mut SqliteConnection, file: FileId) -> Result<(), sqlx::Error> {
    let id = file.get() as i64;
    let chunks = ChunkId::range_of(file);
    let symbols = SymbolId::range_of(file);
    for (statement, range) in [
        ("DELETE FROM lexical WHERE rowid BETWEEN ? AND ?", &chunks),
        ("DELETE FROM chunks WHERE id BETWEEN ? AND ?", &chunks),
        ("DELETE FROM symbols WHERE id BETWEEN ? AND ?", &symbols),
    ] {
        sqlx::query(statement)
            .bind(*range.start() as i64)
            .bind(*range.end() as i64)
            .execute(&mut *connection)
            .await?;
    }
    for statement in [
        "DELETE FROM embeddings WHERE file_id = ?",
        "DELETE FROM sources WHERE file_id = ?",
        "DELETE FROM files WHERE id = ?",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

fn options(path: &Path, config: &StoreConfig, cache_kib: u32) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(config.busy_timeout)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", format!("-{cache_kib}"))
        // Rows of a large answer are handed over so many at a time.
        .row_buffer_size(1024)
}

async fn open_writer(path: &Path, config: &StoreConfig) -> Result<Writer, StoreError> {
    let lock = WriterLock::acquire(path)?;
    let failed = |error| StoreError::from_sqlx(path, error);
    // Whose file it is must be known before anything is written to it, the journal mode included.
    let plain = options(path, config, config.cache_kib).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&plain).await.map_err(failed)?;
    check_header(&mut connection, path).await?;
    connection.close().await.map_err(failed)?;
    let wal = plain.journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "4000");
    let mut connection = SqliteConnection::connect_with(&wal).await.map_err(failed)?;
    migrate(&mut connection).await.map_err(failed)?;
    Ok(Writer { connection, _lock: lock })
}

/// The schema version of our database, 0 if it is new; an error if it is not ours.
async fn check_header(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let failed = |error| StoreError::from_sqlx(path, error);
    let application_id = pragma(connection, "PRAGMA application_id").await.map_err(failed)?;
    let version = pragma(connection, "PRAGMA user_version").await.map_err(failed)?;
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema").await.map_err(failed)?;
    if application_id != APPLICATION_ID && (application_id != 0 || tables != 0) {
        return Err(StoreError::Foreign { path: path.to_owned(), application_id });
    }
    let supported = MIGRATIONS.len() as i64;
    if version > supported {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: version, supported });
    }
    Ok(version)
}

async fn pragma(connection: &mut SqliteConnection, statement: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query(statement).fetch_one(connection).await?.try_get(0)
}

/// Brings the tables up to this program's version, all or nothing.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let version = pragma(&mut transaction, "PRAGMA user_version").await?;
    let pending = MIGRATIONS.get(version.max(0) as usize..).unwrap_or_default();
    for migration in pending {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    if !pending.is_empty() {
        let header =
            format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", MIGRATIONS.len());
        // Both are numbers of this program.
        sqlx::raw_sql(AssertSqlSafe(header)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
