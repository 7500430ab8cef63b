//! Files, as rows and as the documents beside them.

use super::direct::{self, in_list};
use super::{SqliteStore, checksum};
use crate::document::Wanted;
use crate::{Document, FileRecord, FileStatus, FileVersion, StoreCounts, StoreError};
use ast_core_model::{ContentHash, FileId, LanguageName, RepoPath};
use rusqlite::Row;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::HashSet;

pub(crate) const FILES: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, \
    checksum FROM files ORDER BY path";

pub(crate) const DOCUMENTS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum, d.content, d.checksum FROM files AS f JOIN documents AS d ON d.file_id = f.id \
    WHERE f.id IN (SELECT value FROM json_each(?)) ORDER BY f.id";

pub(crate) const PATHS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum FROM files AS f WHERE f.id IN (SELECT value FROM json_each(?)) \
    AND f.language IS NOT NULL AND f.status IN ('indexed', 'timeout') ORDER BY f.id";

const SEARCHABLE: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, checksum \
    FROM files WHERE language IS NOT NULL AND status IN ('indexed', 'timeout') ORDER BY id";

const VERSIONS: &str = "SELECT id, checksum, size, status, language IS NOT NULL FROM files ORDER BY id";

/// Of so many files the rows come sooner one by one from the connection's own thread, which has the statement prepared,
/// than all at once from another that has to be woken first.
const FEW: usize = 32;

impl SqliteStore {
    pub(crate) async fn files(&self) -> Result<Vec<FileRecord>, StoreError> {
        let mut connection = self.reader().await?;
        let rows =
            sqlx::query(FILES).fetch_all(&mut *connection).await.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_record(row)).collect()
    }

    pub(crate) async fn files_until(&self, generation: u64) -> Result<HashSet<FileId>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query("SELECT id FROM files WHERE generation <= ?")
            .bind(i64::try_from(generation).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_id(row, 0)).collect()
    }

    pub(crate) async fn counts(&self) -> Result<StoreCounts, StoreError> {
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

    pub(crate) async fn documents(
        &self,
        files: &[FileId],
        wanted: Wanted,
    ) -> Result<Vec<(FileRecord, Document)>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query(DOCUMENTS)
            .bind(in_list(files))
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
        direct::on_a_thread(self.path.clone(), async move |path| {
            let read = |(record, content, noted): (FileRecord, Vec<u8>, Option<i64>)| {
                let of = || checksum::of_row(record.id.get().cast_signed(), &[&content]);
                let sound = checksum::check(noted, of).and_then(|()| Document::read(&content, wanted));
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

    pub(crate) async fn paths(
        &self,
        files: &[FileId],
    ) -> Result<Vec<(FileId, RepoPath, LanguageName)>, StoreError> {
        if files.len() > FEW {
            return self.named_files(PATHS, Some(in_list(files))).await;
        }
        let mut connection = self.reader().await?;
        let rows = sqlx::query(PATHS)
            .bind(in_list(files))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let FileRecord { id, path, language, .. } = self.file_record(row)?;
            found.extend(language.map(|language| (id, path, language)));
        }
        Ok(found)
    }

    pub(crate) async fn searchable_files(&self) -> Result<Vec<(FileId, RepoPath, LanguageName)>, StoreError> {
        self.named_files(SEARCHABLE, None).await
    }

    /// Of a row no more is checked than that it can be searchable, which takes a fraction of the time.
    pub(crate) async fn searchable_versions(&self) -> Result<Vec<FileVersion>, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), move |connection, path| {
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
        direct::read(connection, self.path.clone(), move |connection, path| {
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
