//! Files, as rows and as the documents beside them.

use super::direct::{self, in_list};
use super::{SqliteStore, checksum};
use crate::document::{StoredDocument, Wanted};
use crate::{Document, FileRecord, FileStatus, FileVersion, StoreCounts, StoreError};
use ast_core_model::{ContentHash, FileId, LanguageName, RepoPath};
use rusqlite::{Connection, Row};
use std::collections::HashSet;
use std::path::Path;

pub(crate) const FILES: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, \
    checksum FROM files ORDER BY path";

pub(crate) const DOCUMENTS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum, d.content, d.checksum FROM files AS f LEFT JOIN documents AS d \
    ON d.file_id = f.id WHERE f.id IN (SELECT value FROM json_each(?)) ORDER BY f.id";

pub(crate) const PATHS: &str = "\
    SELECT f.id, f.path, f.language, f.status, f.detail, f.size, f.modified_ns, f.content_hash, f.lines, \
    f.syntax_errors, f.checksum FROM files AS f WHERE f.id IN (SELECT value FROM json_each(?)) \
    AND f.language IS NOT NULL AND f.status IN ('indexed', 'timeout') ORDER BY f.id";

const SEARCHABLE: &str = "\
    SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, checksum \
    FROM files WHERE language IS NOT NULL AND status IN ('indexed', 'timeout') ORDER BY id";

const COUNTS: &str = "\
    SELECT (SELECT coalesce(sum(size), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
    (SELECT coalesce(sum(lines), 0) FROM files WHERE status IN ('indexed', 'timeout')), \
    (SELECT coalesce(sum(symbols), 0) FROM files), (SELECT coalesce(sum(coalesce(chunks, \
    (SELECT length(kinds) FROM vectors WHERE file_id = files.id))), 0) FROM files)";

const VERSIONS: &str = "SELECT id, checksum, size, status, language IS NOT NULL FROM files ORDER BY id";

/// So few files are looked up at once.
const FEW: usize = 32;

impl SqliteStore {
    pub(crate) async fn files(&self) -> Result<Vec<FileRecord>, StoreError> {
        direct::read(self.reader().await?, self.path.clone(), |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let mut statement = connection.prepare(FILES).map_err(failed)?;
            let rows = statement.query_map([], FileRow::read).map_err(failed)?;
            rows.map(|row| row.map_err(failed)?.record(path)).collect()
        })
        .await
    }

    pub(crate) async fn files_until(&self, generation: u64) -> Result<HashSet<FileId>, StoreError> {
        direct::read(self.reader().await?, self.path.clone(), move |connection, path| {
            let work = || {
                let mut statement = connection.prepare("SELECT id FROM files WHERE generation <= ?")?;
                let until = i64::try_from(generation).unwrap_or(i64::MAX);
                let ids = statement.query_map([until], |row| row.get(0))?;
                ids.map(|id| direct::file_id(id?)).collect::<rusqlite::Result<_>>()
            };
            work().map_err(|error| StoreError::from_rusqlite(path, error))
        })
        .await
    }

    pub(crate) async fn counts(&self) -> Result<StoreCounts, StoreError> {
        direct::read(self.reader().await?, self.path.clone(), |connection, path| {
            let counts = connection.query_row(COUNTS, [], |row| {
                let count = |at| row.get::<_, i64>(at);
                Ok([count(0)?, count(1)?, count(2)?, count(3)?])
            });
            let counts = counts.map_err(|error| StoreError::from_rusqlite(path, error))?;
            let [bytes, lines, symbols, chunks] = counts.map(|count| {
                let reason = format!("a sum or count of {count}");
                u64::try_from(count).map_err(|_| StoreError::Corrupt { path: path.to_owned(), reason })
            });
            Ok(StoreCounts { bytes: bytes?, lines: lines?, symbols: symbols?, chunks: chunks? })
        })
        .await
    }

    pub(crate) async fn documents(
        &self,
        files: &[FileId],
        wanted: Wanted,
    ) -> Result<Vec<(FileRecord, Document)>, StoreError> {
        let list = in_list(files);
        let found = direct::read(self.reader().await?, self.path.clone(), move |connection, path| {
            let rows = compressed(connection, &list, path)?;
            match shares(rows) {
                // There is little to be done, and so it is done here.
                Shares::One(rows) => read_documents(rows, wanted, path).map(Found::Read),
                Shares::Some(shares) => Ok(Found::Compressed(shares)),
            }
        });
        match found.await? {
            Found::Read(documents) => Ok(documents),
            Found::Compressed(shares) => {
                let read = |rows| {
                    let path = self.path.clone();
                    tokio::task::spawn_blocking(move || read_documents(rows, wanted, &path))
                };
                let reading: Vec<_> = shares.into_iter().map(read).collect();
                let mut documents = Vec::new();
                for share in reading {
                    let ended =
                        |error| StoreError::Database { path: self.path.clone(), source: Box::new(error) };
                    documents.extend(share.await.map_err(ended)??);
                }
                Ok(documents)
            }
        }
    }

    pub(crate) async fn stored_documents(
        &self,
        files: &[FileId],
    ) -> Result<Vec<(FileRecord, StoredDocument)>, StoreError> {
        let list = in_list(files);
        direct::read(self.reader().await?, self.path.clone(), move |connection, path| {
            let stored = |stored: Compressed| {
                stored.check().map_err(|reason| damaged(&stored.record, &reason, path))?;
                Ok((stored.record, StoredDocument::new(stored.content)))
            };
            compressed(connection, &list, path)?.into_iter().map(stored).collect()
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
        let list = in_list(files);
        let rows = direct::look(self.reader().await?, self.path.clone(), move |connection| {
            connection
                .prepare_cached(PATHS)?
                .query_map([&list], FileRow::read)?
                .collect::<Result<Vec<_>, _>>()
        });
        let mut found = Vec::with_capacity(files.len());
        for row in rows.await? {
            let FileRecord { id, path, language, .. } = row.record(&self.path)?;
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
            let mut statement = connection.prepare(VERSIONS).map_err(failed)?;
            let mut rows = statement.query([]).map_err(failed)?;
            let mut versions = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                versions.extend(version(row, path)?);
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
                let FileRecord { id, path, language, .. } =
                    FileRow::read(row).map_err(failed)?.record(path)?;
                files.extend(language.map(|language| (id, path, language)));
            }
            Ok(files)
        })
        .await
    }
}

/// The version of a file by the first columns of a row: its id, checksum, size and status, and whether it has a language. `None`
/// if it is not searchable.
pub(crate) fn version(row: &Row<'_>, path: &Path) -> Result<Option<FileVersion>, StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let corrupt = |reason| StoreError::Corrupt { path: path.to_owned(), reason };
    let id = direct::file_id(row.get(0).map_err(failed)?).map_err(failed)?;
    let status = row.get_ref(3).map_err(failed)?.as_str().map_err(|error| failed(error.into()))?;
    let status: FileStatus =
        status.parse().map_err(|()| corrupt(format!("the status of {id:?} is {status:?}")))?;
    let has_language: bool = row.get(4).map_err(failed)?;
    if has_language != status.is_searchable() {
        let has = if has_language { "a" } else { "no" };
        return Err(corrupt(format!("{id:?} has {has} language and is {status}")));
    }
    if !status.is_searchable() {
        return Ok(None);
    }
    let checksum: Option<i64> = row.get(1).map_err(failed)?;
    let size: i64 = row.get(2).map_err(failed)?;
    let size = u64::try_from(size).map_err(|_| corrupt(format!("the size of {id:?} is {size}")))?;
    Ok(Some(FileVersion { id, checksum: checksum.map(i64::cast_unsigned), size }))
}

/// A document as it is stored.
struct Compressed {
    record: FileRecord,
    content: Vec<u8>,
    noted: Option<i64>,
}

impl Compressed {
    fn check(&self) -> Result<(), String> {
        checksum::check(self.noted, || checksum::of_row(self.record.id.get().cast_signed(), &[&self.content]))
    }
}

/// The documents of files as they are stored, not yet checked.
fn compressed(connection: &Connection, list: &str, path: &Path) -> Result<Vec<Compressed>, StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let mut statement = connection.prepare_cached(DOCUMENTS).map_err(failed)?;
    let rows = statement.query_map([list], |row| {
        Ok((FileRow::read(row)?, row.get::<_, Option<Vec<u8>>>(11)?, row.get::<_, Option<i64>>(12)?))
    });
    let rows = rows.map_err(failed)?.filter_map(|row| {
        let compressed =
            row.map_err(failed).and_then(|(row, content, noted)| Ok((row.record(path)?, content, noted)));
        match compressed {
            Ok((record, Some(content), noted)) => Some(Ok(Compressed { record, content, noted })),
            Ok((record, None, _)) if record.status.is_searchable() => {
                let reason = format!("{} has no document", record.path);
                Some(Err(StoreError::Corrupt { path: path.to_owned(), reason }))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    });
    rows.collect()
}

fn damaged(record: &FileRecord, reason: &str, path: &Path) -> StoreError {
    let reason = format!("the document of {}: {reason}", record.path);
    StoreError::Corrupt { path: path.to_owned(), reason }
}

enum Found {
    Read(Vec<(FileRecord, Document)>),
    Compressed(Vec<Vec<Compressed>>),
}

enum Shares {
    One(Vec<Compressed>),
    Some(Vec<Vec<Compressed>>),
}

/// With so many bytes to be decompressed it is worth waking another thread, which takes as long as some 50 KB do.
const WORTH_SHARING: usize = 256 << 10;

/// Shares documents among the processors, in their order.
fn shares(mut documents: Vec<Compressed>) -> Shares {
    let bytes: usize = documents.iter().map(|document| document.content.len()).sum();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let most = threads.min(bytes / (WORTH_SHARING / 2)).min(documents.len());
    if bytes < WORTH_SHARING || most < 2 {
        return Shares::One(documents);
    }
    let mut shares = Vec::with_capacity(most);
    // From the end, so that none is moved twice.
    for left in (2..=most).rev() {
        let (mut at, mut taken) = (documents.len(), 0);
        let rest: usize = documents.iter().map(|document| document.content.len()).sum();
        while at > 1 && taken < rest / left {
            at -= 1;
            taken += documents[at].content.len();
        }
        shares.push(documents.split_off(at));
    }
    shares.push(documents);
    shares.reverse();
    Shares::Some(shares)
}

fn read_documents(
    rows: Vec<Compressed>,
    wanted: Wanted,
    path: &Path,
) -> Result<Vec<(FileRecord, Document)>, StoreError> {
    let read = |stored: Compressed| {
        let sound = stored.check().and_then(|()| Document::read(&stored.content, wanted));
        let document = sound.map_err(|reason| damaged(&stored.record, &reason, path))?;
        Ok((stored.record, document))
    };
    rows.into_iter().map(read).collect()
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

    /// The file, or an error that says of which what is damaged.
    fn record(self, store: &Path) -> Result<FileRecord, StoreError> {
        let path = self.path.clone();
        let damaged = |reason| StoreError::Corrupt {
            path: store.to_owned(),
            reason: format!("the row of {path}: {reason}"),
        };
        self.parse().map_err(damaged)
    }

    /// The file, or what of its row cannot have been written of a file that was read.
    pub(crate) fn check(self) -> Result<FileRecord, String> {
        let record = self.parse()?;
        if record.content_hash.is_none() && record.status.is_searchable() {
            return Err("no content hash".into());
        }
        if record.language.is_some() != record.status.is_searchable() {
            return Err(format!("language {:?} of a file that is {}", record.language, record.status));
        }
        Ok(record)
    }

    fn parse(self) -> Result<FileRecord, String> {
        let id = u64::try_from(self.id).ok().and_then(FileId::new);
        let hash = match self.content_hash.as_deref().map(<[u8; 16]>::try_from) {
            None => None,
            Some(Ok(hash)) => Some(ContentHash::from_bytes(hash)),
            Some(Err(_)) => return Err("a content hash of another length".into()),
        };
        let record = FileRecord {
            id: id.ok_or_else(|| format!("file id {}", self.id))?,
            path: RepoPath::new(self.path).map_err(|error| error.to_string())?,
            language: self.language.map(LanguageName::new),
            status: self.status.parse().map_err(|()| format!("status {:?}", self.status))?,
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
