//! Mends what is wrong with a store.

use super::commit::{INSERT_VECTORS, put_vectors};
use super::connection::resolve;
use super::fence::{NEW_REPOSITORY, PUT_META, REPOSITORY, value};
use super::files::{FileRow, ROWS};
use super::lock::{WriterLock, lock_path};
use super::pages::{self, PageTable, Pages};
use super::signatures::{INSERT_SIGNATURE, put_signature};
use super::step::reach;
use super::store::{Caches, GENERATION};
use super::verify::{Diagnosis, ORPHANS, diagnose};
use super::{SqliteStore, direct};
use crate::names::names_of;
use crate::signatures::signature_of;
use crate::vectors::{codes_of, kinds_of};
use crate::{Derive, Derived, Document, FileRecord, Remedy, Repair, RepositoryId, StoreError};
use ast_core_lexical::FileTerms;
use ast_core_model::FileId;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Files whose terms are put into an index of words together, by the size of their sources.
const BYTES_AT_A_TIME: usize = 8 << 20;

impl SqliteStore {
    pub(crate) async fn repair(&self, mut derive: Box<dyn Derive>) -> Result<Repair, StoreError> {
        let writer = self.writer().await?;
        let fence = writer.fence.clone();
        let caches = self.caches.clone();
        direct::run(writer, self.path.clone(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let transaction = fence.begin_to_mend(connection, path)?;
            let diagnosis = diagnose(&transaction, path, &mut *derive)?;
            let before = diagnosis.verification.clone();
            if before.findings.is_empty()
                || before.findings.iter().any(|finding| finding.remedy == Remedy::SetAside)
            {
                return Ok(Repair { after: before.clone(), before });
            }
            let repository = mend(&transaction, path, &diagnosis, &mut *derive, &caches)?;
            reach("repair/mended").map_err(failed)?;
            let after = diagnose(&transaction, path, &mut *derive)?.verification;
            transaction.commit().map_err(failed)?;
            if let Some(repository) = repository {
                fence.bind(repository);
            }
            Ok(Repair { before, after })
        })
        .await
    }

    /// Whether a store was once opened here for writing, whatever is here now: the file on which its writers hold a lock
    /// stays.
    pub fn was_written_at(path: &Path) -> bool {
        resolve(path).is_ok_and(|file| lock_path(&file).exists())
    }

    /// Gives a database that cannot be read another name, `.damaged-1` or the next number behind its own, and with it the
    /// logs beside it; where it is then. What is opened under its name after that is a new one.
    ///
    /// # Errors
    /// [`StoreError::NotADatabase`] if there is no sign that it ever was a store, see
    /// [`was_written_at`](Self::was_written_at); [`StoreError::Locked`] if somebody writes to it; [`StoreError::ReadOnly`] and [`StoreError::Open`] if the
    /// system does not let.
    pub fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
        let file = resolve(path)?;
        if !Self::was_written_at(path) {
            return Err(StoreError::NotADatabase { path: path.to_owned() });
        }
        let _lock = WriterLock::acquire(path, &file)?;
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path: path.to_owned() }
            }
            _ => StoreError::Open { path: path.to_owned(), reason: error.to_string() },
        };
        let name = |number: u64, suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(format!(".damaged-{number}{suffix}"));
            PathBuf::from(name)
        };
        let is_free = |number: &u64| SUFFIXES.iter().all(|suffix| !name(*number, suffix).exists());
        let number = (1..u64::MAX).find(is_free).unwrap_or(u64::MAX);
        // The database comes last: a log that is left beside a new database would be taken for the new one's.
        for suffix in SUFFIXES {
            let mut from = file.as_os_str().to_owned();
            from.push(suffix);
            match std::fs::rename(&from, name(number, suffix)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                renamed => renamed.map_err(failed)?,
            }
            reach("set_aside/renamed").map_err(|error| StoreError::from_rusqlite(path, error))?;
        }
        Ok(name(number, ""))
    }
}

/// What the names of a database and of what SQLite keeps beside it end with.
const SUFFIXES: [&str; 4] = ["-wal", "-journal", "-shm", ""];

/// Mends what was found; the repository that the store is of from now on, if it did not say.
fn mend(
    connection: &Connection,
    path: &Path,
    diagnosis: &Diagnosis,
    derive: &mut dyn Derive,
    caches: &Caches,
) -> Result<Option<RepositoryId>, StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    if diagnosis.verification.findings.iter().any(|finding| finding.remedy == Remedy::Reindex) {
        connection.execute_batch("REINDEX").map_err(failed)?;
    }
    for id in &diagnosis.drop {
        connection.execute("DELETE FROM files WHERE id = ?", [id]).map_err(failed)?;
    }
    for (_, table, condition) in ORPHANS {
        connection.execute(&format!("DELETE FROM {table} WHERE {condition}"), []).map_err(failed)?;
    }
    let files = indexed_files(connection).map_err(failed)?;
    for record in files.iter().filter(|record| diagnosis.derive.contains(&record.id)) {
        derive_rows(connection, path, record, derive)?;
    }
    for table in PageTable::ALL {
        if diagnosis.rebuild.contains(&table) {
            rebuild_pages(connection, path, table, &files, derive, caches)?;
        } else {
            let gone = diagnosis.drop.iter().filter_map(|id| FileId::new(id.cast_unsigned()));
            pages::update(connection, table, gone.collect(), Vec::new(), caches.of(table))
                .map_err(|error| error.into_store_error(path))?;
        }
    }
    let generation = match diagnosis.generation {
        Some(generation) => generation,
        None => generation_of(connection).map_err(failed)?,
    };
    let next = generation.saturating_add(1).to_string();
    connection.execute(PUT_META, [GENERATION, &next]).map_err(failed)?;
    if !diagnosis.has_no_repository {
        return Ok(None);
    }
    let drawn: String = connection.query_row(NEW_REPOSITORY, [], |row| row.get(0)).map_err(failed)?;
    connection.execute(PUT_META, [REPOSITORY, &drawn]).map_err(failed)?;
    Ok(drawn.parse().ok())
}

fn generation_of(connection: &Connection) -> rusqlite::Result<i64> {
    let text = value(connection, GENERATION)?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The files that have documents, in order of ids.
fn indexed_files(connection: &Connection) -> rusqlite::Result<Vec<FileRecord>> {
    let mut rows = connection.prepare(ROWS)?;
    let rows = rows.query_map([], FileRow::read)?.collect::<Result<Vec<_>, _>>()?;
    // Those that are not as they should be are taken out by now.
    let records = rows.into_iter().filter_map(|row| row.check().ok());
    Ok(records.filter(|record| record.status.is_searchable()).collect())
}

/// The document of a file and what is made from it.
fn derived(
    connection: &Connection,
    path: &Path,
    record: &FileRecord,
    derive: &mut dyn Derive,
) -> Result<(Document, Derived), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let damaged = |reason: String| StoreError::Corrupt {
        path: path.to_owned(),
        reason: format!("the document of {}: {reason}", record.path),
    };
    let mut content =
        connection.prepare("SELECT content FROM documents WHERE file_id = ?").map_err(failed)?;
    let content: Vec<u8> =
        content.query_row([record.id.get().cast_signed()], |row| row.get(0)).map_err(failed)?;
    let document = Document::from_stored(&content).map_err(damaged)?;
    let derived = derive.derive(record, &document).map_err(damaged)?;
    Ok((document, derived))
}

/// Writes the rows of a file anew that follow from its document.
fn derive_rows(
    connection: &Connection,
    path: &Path,
    record: &FileRecord,
    derive: &mut dyn Derive,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let (document, derived) = derived(connection, path, record, derive)?;
    let vectors = if derive.keeps_vectors() { &*derived.vectors } else { &[] };
    let (kinds, codes) = (kinds_of(&document), codes_of(&document, vectors));
    let id = record.id.get().cast_signed();
    connection.execute("DELETE FROM vectors WHERE file_id = ?", [id]).map_err(failed)?;
    let mut insert = connection.prepare(INSERT_VECTORS).map_err(failed)?;
    put_vectors(&mut insert, id, &kinds, &codes).map_err(failed)?;
    connection.execute("DELETE FROM signatures WHERE file_id = ?", [id]).map_err(failed)?;
    let mut insert = connection.prepare(INSERT_SIGNATURE).map_err(failed)?;
    put_signature(&mut insert, id, &signature_of(&document.source)).map_err(failed)?;
    let counts = [document.symbols.len(), document.chunks.len()];
    let [symbols, chunks] = counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let update = "UPDATE files SET symbols = ?, chunks = ? WHERE id = ?";
    connection.execute(update, [symbols, chunks, id]).map(drop).map_err(failed)
}

/// Makes an index of terms anew.
fn rebuild_pages(
    connection: &Connection,
    path: &Path,
    table: PageTable,
    files: &[FileRecord],
    derive: &mut dyn Derive,
    caches: &Caches,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let put = |batch| {
        pages::update(connection, table, Vec::new(), batch, caches.of(table))
            .map_err(|error| error.into_store_error(path))
    };
    let generation = generation_of(connection).map_err(failed)?;
    let mut pages = Pages::of(connection, table).map_err(failed)?;
    let begun = pages.begin_anew(generation.max(0).cast_unsigned());
    begun.map_err(|error| error.into_store_error(path))?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for record in files {
        let (document, derived) = derived(connection, path, record, derive)?;
        let terms = match table {
            PageTable::Words => FileTerms::new(&derived.terms),
            PageTable::Names => names_of(&document),
        };
        bytes += document.source.len();
        batch.push((record.id, terms.map_err(|error| StoreError::from_lexical(path, error))?));
        if bytes >= BYTES_AT_A_TIME {
            put(std::mem::take(&mut batch))?;
            bytes = 0;
        }
    }
    put(batch)
}
