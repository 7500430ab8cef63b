//! Writing: one transaction a batch.

use crate::insert::{Insert, insert_rows};
use crate::store::{GENERATION, META};
use crate::{IndexedFile, Store, StoreError, WriteBatch, terms};
use ast_core_model::{Chunk, ChunkId, FileId, LanguageName, SymbolId, scope_of};
use sqlx::{Connection, Row, SqliteConnection};

/// Between the names of a scope in the store.
pub(crate) const SCOPE_SEPARATOR: char = '\u{1F}';

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
    /// the end of the machine. After an error, and when it is dropped before it returns, nothing of the batch is
    /// applied, and the store is as good as before.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if the store was opened for reading or cannot be written; [`StoreError::DiskFull`];
    /// [`StoreError::InvalidFile`] and [`StoreError::OutOfRange`] if a file is not fit to be stored;
    /// [`StoreError::Database`] if a file's id is taken.
    pub async fn commit(&self, batch: &WriteBatch) -> Result<Committed, StoreError> {
        batch.check()?;
        let writer =
            self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly { path: self.path().to_owned() })?;
        let mut writer = writer.lock().await;
        let failed = |error| self.failed(error);
        let connection = writer.ready().await.map_err(failed)?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let generation = self.next_generation(&mut transaction).await?;
        apply(&mut transaction, batch, generation).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Committed { generation: generation.cast_unsigned() })
    }

    async fn next_generation(&self, connection: &mut SqliteConnection) -> Result<i64, StoreError> {
        let failed = |error| self.failed(error);
        let row = sqlx::query(META).bind(GENERATION).fetch_optional(connection).await.map_err(failed)?;
        let Some(row) = row else { return Ok(1) };
        let last: &str = row.try_get(0).map_err(failed)?;
        let next = last.parse::<i64>().ok().filter(|last| *last >= 0).and_then(|last| last.checked_add(1));
        next.ok_or_else(|| self.corrupt(format!("generation {last:?}")))
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    batch: &WriteBatch,
    generation: i64,
) -> Result<(), sqlx::Error> {
    remove_files(connection, &batch.removed).await?;
    touch_files(connection, &batch.touched).await?;
    // In the order of ids rows go to the end of their tables, and the lexical index need not write a segment a file.
    let mut files: Vec<&IndexedFile> = batch.files.iter().collect();
    files.sort_by_key(|file| file.record.id);
    let replaced = files_at_paths_of(connection, &files).await?;
    remove_files(connection, &replaced).await?;
    insert_files(connection, &files, generation).await?;
    insert_symbols(connection, &files).await?;
    insert_chunks(connection, &files).await?;
    terms::insert(connection, &files).await?;
    let generation = generation.to_string();
    let meta = batch.meta.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in meta.chain([(GENERATION, generation.as_str())]) {
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A list for `json_each`: as many values as there are, in one statement.
pub(crate) fn json_list(numbers: impl Iterator<Item = u64>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

pub(crate) const TOUCH: &str = "\
    UPDATE files SET size = new.value ->> 1, modified_ns = new.value ->> 2 \
    FROM json_each(?) AS new WHERE files.id = new.value ->> 0";

async fn touch_files(
    connection: &mut SqliteConnection,
    touched: &[(FileId, u64, i64)],
) -> Result<(), sqlx::Error> {
    if touched.is_empty() {
        return Ok(());
    }
    let rows: Vec<String> = touched
        .iter()
        .map(|(file, size, modified_ns)| format!("[{},{size},{modified_ns}]", file.get()))
        .collect();
    sqlx::query(TOUCH).bind(format!("[{}]", rows.join(","))).execute(connection).await.map(drop)
}

// What is not bound is null, and no path is.
pub(crate) const AT_PATHS: &str = "SELECT id FROM files WHERE path IN \
    (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

async fn files_at_paths_of(
    connection: &mut SqliteConnection,
    files: &[&IndexedFile],
) -> Result<Vec<FileId>, sqlx::Error> {
    let mut found = Vec::new();
    for group in files.chunks(32) {
        let query = sqlx::query(AT_PATHS);
        let query = group.iter().fold(query, |query, file| query.bind(file.record.path.as_str()));
        for row in query.fetch_all(&mut *connection).await? {
            let id: i64 = row.try_get(0)?;
            let id = FileId::new(id.cast_unsigned());
            found.push(id.ok_or_else(|| sqlx::Error::Decode("a file id that is out of range".into()))?);
        }
    }
    Ok(found)
}

// The low 20 bits of the id of a chunk or symbol are its ordinal in the file.
pub(crate) const REMOVE: &str = "\
    DELETE FROM chunks WHERE id IN (SELECT chunks.id FROM json_each(?1) AS gone JOIN chunks \
        ON chunks.id BETWEEN gone.value << 20 AND gone.value << 20 | 0xFFFFF); \
    DELETE FROM symbols WHERE id IN (SELECT symbols.id FROM json_each(?1) AS gone JOIN symbols \
        ON symbols.id BETWEEN gone.value << 20 AND gone.value << 20 | 0xFFFFF); \
    DELETE FROM embeddings WHERE file_id IN (SELECT value FROM json_each(?1)); \
    DELETE FROM sources WHERE file_id IN (SELECT value FROM json_each(?1)); \
    DELETE FROM files WHERE id IN (SELECT value FROM json_each(?1))";

async fn remove_files(connection: &mut SqliteConnection, files: &[FileId]) -> Result<(), sqlx::Error> {
    if files.is_empty() {
        return Ok(());
    }
    terms::remove(connection, files).await?;
    let list = json_list(files.iter().map(|file| file.get()));
    sqlx::query(REMOVE).bind(list).execute(connection).await.map(drop)
}

async fn insert_files(
    connection: &mut SqliteConnection,
    files: &[&IndexedFile],
    generation: i64,
) -> Result<(), sqlx::Error> {
    const FILES: Insert = Insert {
        head: "INSERT INTO files (id, path, language, status, detail, size, modified_ns, content_hash, lines, \
               syntax_errors, generation)",
        columns: 11,
    };
    const SOURCES: Insert = Insert { head: "INSERT INTO sources (file_id, content)", columns: 2 };
    const EMBEDDINGS: Insert = Insert { head: "INSERT INTO embeddings (file_id, vectors)", columns: 2 };
    insert_rows(connection, &FILES, files, |query, file| {
        let record = &file.record;
        query
            .bind(record.id.get().cast_signed())
            .bind(record.path.as_str())
            .bind(record.language.as_ref().map(LanguageName::as_str))
            .bind(record.status.as_str())
            .bind(record.detail.as_deref())
            .bind(record.size.cast_signed())
            .bind(record.modified_ns)
            .bind(record.content_hash.as_ref().map(|hash| hash.as_bytes().as_slice()))
            .bind(i64::from(record.lines))
            .bind(i64::from(record.syntax_errors))
            .bind(generation)
    })
    .await?;
    let with_source: Vec<_> =
        files.iter().filter_map(|file| file.source.as_ref().map(|source| (file.record.id, source))).collect();
    insert_rows(connection, &SOURCES, &with_source, |query, (id, source)| {
        query.bind(id.get().cast_signed()).bind(source.as_bytes())
    })
    .await?;
    let with_vectors: Vec<_> = files.iter().filter(|file| !file.vectors.is_empty()).collect();
    insert_rows(connection, &EMBEDDINGS, &with_vectors, |query, file| {
        let mut bytes = Vec::with_capacity(size_of_val(file.vectors.as_slice()));
        file.vectors.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        query.bind(file.record.id.get().cast_signed()).bind(bytes)
    })
    .await
}

async fn insert_symbols(
    connection: &mut SqliteConnection,
    files: &[&IndexedFile],
) -> Result<(), sqlx::Error> {
    const SYMBOLS: Insert = Insert {
        head: "INSERT INTO symbols (id, parent, name, qualifier, scope, kind, span_start, span_end, line_start, \
               line_end, extent_start, extent_end, name_start, name_end, signature, doc, visibility)",
        columns: 17,
    };
    let symbols: Vec<_> =
        files.iter().flat_map(|&file| (0..file.symbols.len()).map(move |ordinal| (file, ordinal))).collect();
    insert_rows(connection, &SYMBOLS, &symbols, |query, &(file, ordinal)| {
        let first = *SymbolId::range_of(file.record.id).start();
        let symbol = &file.symbols[ordinal];
        let mut separator = [0; 4];
        let separator = SCOPE_SEPARATOR.encode_utf8(&mut separator);
        query
            .bind((first + ordinal as u64).cast_signed())
            .bind(symbol.parent.map(i64::from))
            .bind(&*symbol.name)
            .bind(symbol.qualifier.as_deref())
            .bind(scope_of(&file.symbols, ordinal).join(separator))
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
}

async fn insert_chunks(connection: &mut SqliteConnection, files: &[&IndexedFile]) -> Result<(), sqlx::Error> {
    const CHUNKS: Insert = Insert {
        head: "INSERT INTO chunks (id, symbol, kind, span_start, span_end, line_start, line_end, content_hash)",
        columns: 8,
    };
    let chunks: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let ids = (*ChunkId::range_of(file.record.id).start()..).map(u64::cast_signed);
            let symbol = |chunk: &Chunk| chunk.symbol.and_then(|at| file.symbols.get(at as usize));
            ids.zip(&file.chunks).map(move |(id, chunk)| (id, chunk, symbol(chunk)))
        })
        .collect();
    insert_rows(connection, &CHUNKS, &chunks, |query, &(id, chunk, symbol)| {
        query
            .bind(id)
            .bind(chunk.symbol.map(i64::from))
            .bind(symbol.map(|symbol| symbol.kind.as_str()))
            .bind(i64::from(chunk.span.start))
            .bind(i64::from(chunk.span.end))
            .bind(i64::from(chunk.lines.start))
            .bind(i64::from(chunk.lines.end))
            .bind(chunk.hash.as_bytes().as_slice())
    })
    .await
}
