//! Writing: one transaction a batch.

use crate::checksum;
use crate::direct::{self, in_list};
use crate::pages::{self, PageTable};
use crate::step::reach;
use crate::store::{GENERATION, META};
use crate::write_batch::Content;
use crate::{IndexedFile, JobProgress, Store, StoreError, WriteBatch, jobs};
use ast_core_model::{FileId, LanguageName};
use rusqlite::{Connection, OptionalExtension, Statement, TransactionBehavior, params};
use std::path::Path;

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The generation that it made.
    pub generation: u64,
}

impl Store {
    /// Applies a batch in one transaction, as a new generation. A file takes the place of what is at its path.
    ///
    /// Once it returns, the batch survives the end of the process however it comes; see [`settle`](Self::settle) for
    /// the end of the machine. After an error nothing of the batch is applied, and the store is as good as before. If it
    /// is dropped before it returns, all of the batch is applied, or nothing.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if the store was opened for reading or cannot be written; [`StoreError::DiskFull`];
    /// [`StoreError::Replaced`];
    /// [`StoreError::InvalidFile`] and [`StoreError::OutOfRange`] if a file is not fit to be stored;
    /// [`StoreError::Database`] if a file's id is taken.
    pub async fn commit(&self, batch: WriteBatch) -> Result<Committed, StoreError> {
        batch.check()?;
        let path = self.path().to_owned();
        let writer = self.writer().await?;
        let caches = self.caches.clone();
        let mut batch = batch;
        direct::run(writer, path, move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let begin = connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = begin.map_err(failed)?;
            reach("commit/begun").map_err(failed)?;
            let generation = next_generation(&transaction, path)?;
            let removed = apply(&transaction, &batch, generation).map_err(failed)?;
            let terms = batch.take_terms();
            let update = |table, removed, terms| {
                pages::update(&transaction, table, removed, terms, caches.of(table))
                    .map_err(|error| error.into_store_error(path))
            };
            update(PageTable::Words, removed.clone(), terms.words)?;
            update(PageTable::Names, removed, terms.names)?;
            reach("commit/written").map_err(failed)?;
            transaction.commit().map_err(failed)?;
            reach("commit/done").map_err(failed)?;
            Ok(Committed { generation: generation.cast_unsigned() })
        })
        .await
    }
}

fn next_generation(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let last = connection.query_row(META, [GENERATION], |row| row.get::<_, String>(0)).optional();
    let Some(last) = last.map_err(|error| StoreError::from_rusqlite(path, error))? else { return Ok(1) };
    let next = last.parse::<i64>().ok().filter(|last| *last >= 0).and_then(|last| last.checked_add(1));
    let reason = format!("generation {last:?}");
    next.ok_or_else(|| StoreError::Corrupt { path: path.to_owned(), reason })
}

/// Writes everything but terms; gives the files whose terms are to go.
fn apply(connection: &Connection, batch: &WriteBatch, generation: i64) -> rusqlite::Result<Vec<FileId>> {
    remove_files(connection, &batch.removed)?;
    touch_files(connection, &batch.touched)?;
    // In the order of ids rows go to the end of their tables.
    let mut files: Vec<&IndexedFile> = batch.files.iter().collect();
    files.sort_by_key(|file| file.record.id);
    let replaced = files_at_paths_of(connection, &files)?;
    remove_files(connection, &replaced)?;
    reach("commit/removed")?;
    insert_files(connection, &files, generation)?;
    reach("commit/files")?;
    if let Some((id, progress)) = &batch.job {
        jobs::progress(
            connection,
            *id,
            &JobProgress { generation: generation.cast_unsigned(), ..progress.clone() },
        )?;
    }
    let generation = generation.to_string();
    let meta = batch.meta.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let mut set = connection.prepare(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    )?;
    meta.chain([(GENERATION, generation.as_str())]).try_for_each(|pair| set.execute(pair).map(drop))?;
    Ok([&batch.removed[..], &replaced].concat())
}

pub(crate) const TOUCH: &str = "UPDATE files SET size = ?2, modified_ns = ?3 WHERE id = ?1";

fn touch_files(connection: &Connection, touched: &[(FileId, u64, i64)]) -> rusqlite::Result<()> {
    let mut touch = connection.prepare(TOUCH)?;
    touched.iter().try_for_each(|(file, size, modified_ns)| {
        touch.execute(params![file.get().cast_signed(), size.cast_signed(), modified_ns]).map(drop)
    })
}

pub(crate) const AT_PATH: &str = "SELECT id FROM files WHERE path = ?";

fn files_at_paths_of(connection: &Connection, files: &[&IndexedFile]) -> rusqlite::Result<Vec<FileId>> {
    let mut at_path = connection.prepare(AT_PATH)?;
    let mut found = Vec::new();
    for file in files {
        if let Some(id) = at_path.query_row([file.record.path.as_str()], |row| row.get(0)).optional()? {
            found.push(direct::file_id(id)?);
        }
    }
    Ok(found)
}

pub(crate) const REMOVE: [&str; 3] = [
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

fn insert_files(connection: &Connection, files: &[&IndexedFile], generation: i64) -> rusqlite::Result<()> {
    let mut insert = connection.prepare(
        "INSERT INTO files (id, path, language, status, detail, size, modified_ns, content_hash, lines, \
         syntax_errors, generation, symbols, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for file in files {
        let record = &file.record;
        insert.execute(params![
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
            checksum::of_file(record),
        ])?;
    }
    let mut insert =
        connection.prepare("INSERT INTO documents (file_id, content, checksum) VALUES (?, ?, ?)")?;
    for (id, content) in with_content(files) {
        insert.execute(params![id, content.document, checksum::of_row(id, &[&content.document])])?;
    }
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

fn with_content<'a>(files: &'a [&IndexedFile]) -> impl Iterator<Item = (i64, &'a Content)> {
    files.iter().filter_map(|file| Some((file.record.id.get().cast_signed(), file.content.as_ref()?)))
}
