//! Writing: one transaction a batch.

use super::direct::{self, in_list};
use super::fence::{PUT_META, REPOSITORY, WRITER, value};
use super::pages::{self, PageTable};
use super::signatures::{INSERT_SIGNATURE, put_signature};
use super::step::reach;
use super::store::GENERATION;
use super::{SqliteStore, checksum, jobs};
use crate::{Committed, FileContent, FileRecord, IndexedFile, JobProgress, StoreError, WriteBatch};
use ast_core_model::{FileId, LanguageName};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement, params};
use std::path::Path;

impl SqliteStore {
    pub(crate) async fn commit(&self, mut batch: WriteBatch) -> Result<Committed, StoreError> {
        batch.check()?;
        let writer = self.writer().await?;
        let fence = writer.fence.clone();
        let caches = self.caches.clone();
        direct::run(writer, self.path.clone(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let transaction = fence.begin(connection, path)?;
            reach("commit/begun").map_err(failed)?;
            let last = last_generation(&transaction, path)?;
            let next = last.checked_add(1).ok_or_else(|| no_generation(path, &last.to_string()))?;
            let Applied { is_changed, removed } = apply(&transaction, &mut batch, next, path)?;
            let generation = if is_changed { next } else { last };
            if is_changed {
                let terms = batch.take_terms();
                let update = |table, removed, terms| {
                    pages::update(&transaction, table, removed, terms, caches.of(table))
                        .map_err(|error| error.into_store_error(path))
                };
                update(PageTable::Words, removed.clone(), terms.words)?;
                update(PageTable::Names, removed, terms.names)?;
                transaction.execute(PUT_META, [GENERATION, &next.to_string()]).map_err(failed)?;
            }
            let generation = generation.cast_unsigned();
            if let Some((id, progress)) = &batch.job {
                let progress = JobProgress { generation, ..progress.clone() };
                jobs::progress(&transaction, *id, &progress).map_err(failed)?;
            }
            reach("commit/written").map_err(failed)?;
            transaction.commit().map_err(failed)?;
            reach("commit/done").map_err(failed)?;
            Ok(Committed { generation })
        })
        .await
    }
}

/// The number of the last commit, which is not negative.
fn last_generation(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let last = value(connection, GENERATION).map_err(|error| StoreError::from_rusqlite(path, error))?;
    let Some(last) = last else { return Ok(0) };
    last.parse().ok().filter(|last| *last >= 0).ok_or_else(|| no_generation(path, &last))
}

fn no_generation(path: &Path, last: &str) -> StoreError {
    StoreError::Corrupt { path: path.to_owned(), reason: format!("generation {last:?}") }
}

/// What a batch came to.
struct Applied {
    is_changed: bool,
    /// The files whose terms are to go.
    removed: Vec<FileId>,
}

/// Writes everything but terms. Files that are there already are taken out of the batch.
fn apply(
    connection: &Connection,
    batch: &mut WriteBatch,
    generation: i64,
    path: &Path,
) -> Result<Applied, StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let mut removed = known_files(connection, &batch.removed).map_err(failed)?;
    remove_files(connection, &removed).map_err(failed)?;
    // In the order of ids rows go to the end of their tables.
    batch.files.sort_by_key(|file| file.record.id);
    let replaced = files_at_paths_of(connection, batch).map_err(failed)?;
    remove_files(connection, &replaced).map_err(failed)?;
    let touched = touch_files(connection, &batch.touched).map_err(failed)?;
    reach("commit/removed").map_err(failed)?;
    insert_files(connection, &batch.files, generation, path)?;
    reach("commit/files").map_err(failed)?;
    let set = put_meta(connection, &batch.meta).map_err(failed)?;
    let is_changed =
        !removed.is_empty() || !replaced.is_empty() || !batch.files.is_empty() || touched > 0 || set > 0;
    removed.extend(replaced);
    Ok(Applied { is_changed, removed })
}

/// Those of the files that there are.
fn known_files(connection: &Connection, files: &[FileId]) -> rusqlite::Result<Vec<FileId>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = connection.prepare(KNOWN)?;
    known.query_map([in_list(files)], |row| row.get(0))?.map(|id| direct::file_id(id?)).collect()
}

pub(crate) const KNOWN: &str = "SELECT id FROM files WHERE id IN (SELECT value FROM json_each(?))";

/// Sets keys and values; how many of them are others than before.
fn put_meta(connection: &Connection, meta: &[(String, String)]) -> rusqlite::Result<usize> {
    let mut set = connection.prepare(
        "INSERT INTO meta (key, value) VALUES (?, ?) \
         ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
    )?;
    let own = |key: &str| [GENERATION, REPOSITORY, WRITER].contains(&key);
    let meta = meta.iter().filter(|(key, _)| !own(key));
    meta.map(|(key, value)| set.execute([key, value])).sum()
}

pub(crate) const TOUCH: &str =
    "UPDATE files SET size = ?2, modified_ns = ?3 WHERE id = ?1 AND (size <> ?2 OR modified_ns <> ?3)";

/// Notes sizes and times; how many of them are others than before.
fn touch_files(connection: &Connection, touched: &[(FileId, u64, i64)]) -> rusqlite::Result<usize> {
    let mut touch = connection.prepare(TOUCH)?;
    let touched = touched.iter().map(|(file, size, modified_ns)| {
        touch.execute(params![file.get().cast_signed(), size.cast_signed(), modified_ns])
    });
    touched.sum()
}

pub(crate) const AT_PATH: &str = "SELECT id FROM files WHERE path = ?";

/// What is at the paths of the batch and has to give way. A file that is there in this very version is taken out of the
/// batch instead: whoever sends it again was not told that it had come in.
fn files_at_paths_of(connection: &Connection, batch: &mut WriteBatch) -> rusqlite::Result<Vec<FileId>> {
    let mut at_path = connection.prepare(AT_PATH)?;
    let mut checksums = connection.prepare(CHECKSUMS)?;
    let mut replaced = Vec::new();
    let mut is_new = |file: &IndexedFile| -> rusqlite::Result<bool> {
        let found = at_path.query_row([file.record.path.as_str()], |row| row.get(0)).optional()?;
        let Some(found) = found.map(direct::file_id).transpose()? else { return Ok(true) };
        if found == file.record.id {
            let stored: [Option<i64>; 3] = checksums
                .query_row([found.get().cast_signed()], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
            if stored == checksums_of(file) {
                return Ok(false);
            }
        } else {
            replaced.push(found);
        }
        Ok(true)
    };
    let mut new = Vec::with_capacity(batch.files.len());
    for file in batch.files.drain(..) {
        if is_new(&file)? {
            new.push(file);
        }
    }
    batch.files = new;
    Ok(replaced)
}

/// What tells one version of a file from another: the checksums of its row, its document and its vectors.
pub(crate) const CHECKSUMS: &str = "\
    SELECT f.checksum, d.checksum, v.checksum FROM files AS f LEFT JOIN documents AS d ON d.file_id = f.id \
    LEFT JOIN vectors AS v ON v.file_id = f.id WHERE f.id = ?";

fn checksums_of(file: &IndexedFile) -> [Option<i64>; 3] {
    let id = file.record.id.get().cast_signed();
    let content = file.content.as_ref();
    let document = content.map(|content| checksum::of_row(id, &[&content.document]));
    let vectors = content.filter(|content| !content.kinds.is_empty());
    let vectors = vectors.map(|content| checksum::of_row(id, &[&content.kinds, &content.codes]));
    [Some(checksum::of_file(&file.record)), document, vectors]
}

pub(crate) const REMOVE: [&str; 4] = [
    "DELETE FROM signatures WHERE file_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM vectors WHERE file_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM documents WHERE file_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM files WHERE id IN (SELECT value FROM json_each(?1))",
];

fn remove_files(connection: &Connection, files: &[FileId]) -> rusqlite::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let list = in_list(files);
    REMOVE.iter().try_for_each(|statement| connection.execute(statement, [&list]).map(drop))
}

fn insert_files(
    connection: &Connection,
    files: &[IndexedFile],
    generation: i64,
    path: &Path,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let insert = connection.prepare(
        "INSERT INTO files (id, path, language, status, detail, size, modified_ns, content_hash, lines, \
         syntax_errors, generation, symbols, chunks, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let mut insert = insert.map_err(failed)?;
    for file in files {
        let record = &file.record;
        let inserted = insert.execute(params![
            record.id.get().cast_signed(),
            record.path.as_str(),
            record.language.as_ref().map(LanguageName::as_str),
            record.status.as_str(),
            record.detail,
            record.size.cast_signed(),
            record.modified_ns,
            record.content_hash.as_ref().map(|hash| hash.as_bytes().as_slice()),
            record.lines,
            record.syntax_errors,
            generation,
            i64::try_from(file.symbols()).unwrap_or(i64::MAX),
            i64::try_from(file.chunks()).unwrap_or(i64::MAX),
            checksum::of_file(record),
        ]);
        inserted.map_err(|error| id_is_taken(&error, record).unwrap_or_else(|| failed(error)))?;
    }
    insert_contents(connection, files).map_err(failed)
}

/// What an id that names something else already comes to.
fn id_is_taken(error: &rusqlite::Error, record: &FileRecord) -> Option<StoreError> {
    let is_taken = error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    let reason =
        || format!("its id {} names another version of a file; give it one of its own", record.id.get());
    is_taken.then(|| StoreError::InvalidFile { file: record.path.clone(), reason: reason() })
}

fn insert_contents(connection: &Connection, files: &[IndexedFile]) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare("INSERT INTO documents (file_id, content, checksum) VALUES (?, ?, ?)")?;
    for (id, content) in with_content(files) {
        insert.execute(params![id, content.document, checksum::of_row(id, &[&content.document])])?;
    }
    let mut insert = connection.prepare(INSERT_SIGNATURE)?;
    with_content(files).try_for_each(|(id, content)| put_signature(&mut insert, id, &content.signature))?;
    let mut insert = connection.prepare(INSERT_VECTORS)?;
    with_content(files)
        .try_for_each(|(id, content)| put_vectors(&mut insert, id, &content.kinds, &content.codes))
}

pub(crate) const INSERT_VECTORS: &str =
    "INSERT INTO vectors (file_id, kinds, codes, checksum) VALUES (?, ?, ?, ?)";

/// Writes the vectors of a file; one without chunks has none.
pub(crate) fn put_vectors(
    insert: &mut Statement<'_>,
    file: i64,
    kinds: &[u8],
    codes: &[u8],
) -> rusqlite::Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    insert.execute(params![file, kinds, codes, checksum::of_row(file, &[kinds, codes])]).map(drop)
}

fn with_content(files: &[IndexedFile]) -> impl Iterator<Item = (i64, &FileContent)> {
    files.iter().filter_map(|file| Some((file.record.id.get().cast_signed(), file.content.as_ref()?)))
}
