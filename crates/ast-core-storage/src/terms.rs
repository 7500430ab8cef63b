//! The terms of chunks, kept and in the lexical index.

use crate::commit::json_list;
use crate::insert::{Insert, insert_rows};
use crate::{CompressedSource, IndexedFile};
use ast_core_model::{ChunkId, ChunkTerms, FileId};
use sqlx::{Row, SqliteConnection};

/// After each field of the terms of a file.
pub(crate) const END: char = '\0';

/// The most files whose terms are in memory at a time.
const PAGE: usize = 256;

/// Keeps and indexes the terms of these files' chunks.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    files: &[&IndexedFile],
) -> Result<(), sqlx::Error> {
    const TERMS: Insert = Insert { head: "INSERT INTO terms (file_id, content)", columns: 2 };
    const LEXICAL: Insert = Insert { head: "INSERT INTO lexical (rowid, name, path, doc, body)", columns: 5 };
    for files in files.chunks(PAGE) {
        let mut kept = Vec::with_capacity(files.len());
        for file in files.iter().filter(|file| !file.terms.is_empty()) {
            let text = CompressedSource::new(joined(&file.terms));
            kept.push((file.record.id, text.map_err(|error| sqlx::Error::Encode(Box::new(error)))?));
        }
        insert_rows(connection, &TERMS, &kept, |query, (file, text)| {
            query.bind(file.get().cast_signed()).bind(text.as_bytes())
        })
        .await?;
    }
    let terms: Vec<_> = files.iter().flat_map(|file| numbered(file.record.id, &file.terms)).collect();
    insert_rows(connection, &LEXICAL, &terms, |query, &(chunk, terms)| {
        query.bind(chunk).bind(&*terms.name).bind(&*terms.path).bind(&*terms.doc).bind(&*terms.body)
    })
    .await
}

/// Takes the terms of these files' chunks out of the index, and forgets them.
pub(crate) async fn remove(connection: &mut SqliteConnection, files: &[FileId]) -> Result<(), sqlx::Error> {
    const LEXICAL: Insert =
        Insert { head: "INSERT INTO lexical (lexical, rowid, name, path, doc, body)", columns: 6 };
    for files in files.chunks(PAGE) {
        let rows = sqlx::query(REMOVE)
            .bind(json_list(files.iter().map(|file| file.get())))
            .fetch_all(&mut *connection)
            .await?;
        let mut removed = Vec::with_capacity(rows.len());
        for row in rows {
            let id: i64 = row.try_get(0)?;
            let file = FileId::new(id.cast_unsigned()).ok_or_else(|| damaged(format!("file id {id}")))?;
            let terms = CompressedSource::decompress(row.try_get(1)?).and_then(|terms| {
                String::from_utf8(terms).map_err(|error| error.to_string()).and_then(|terms| split(&terms))
            });
            removed
                .push((file, terms.map_err(|reason| damaged(format!("the terms of {file:?}: {reason}")))?));
        }
        removed.sort_by_key(|(file, _)| *file);
        let terms: Vec<_> = removed.iter().flat_map(|(file, terms)| numbered(*file, terms)).collect();
        insert_rows(connection, &LEXICAL, &terms, |query, &(chunk, terms)| {
            let query = query.bind("delete").bind(chunk);
            query.bind(&*terms.name).bind(&*terms.path).bind(&*terms.doc).bind(&*terms.body)
        })
        .await?;
    }
    Ok(())
}

pub(crate) const REMOVE: &str =
    "DELETE FROM terms WHERE file_id IN (SELECT value FROM json_each(?)) RETURNING file_id, content";

/// The chunks of a file, by the numbers of their rows.
fn numbered(file: FileId, terms: &[ChunkTerms]) -> impl Iterator<Item = (i64, &ChunkTerms)> {
    (*ChunkId::range_of(file).start()..).map(u64::cast_signed).zip(terms)
}

fn joined(terms: &[ChunkTerms]) -> String {
    let fields = || terms.iter().flat_map(|terms| [&terms.name, &terms.path, &terms.doc, &terms.body]);
    let mut text = String::with_capacity(fields().map(|field| field.len() + END.len_utf8()).sum());
    for field in fields() {
        text.push_str(field);
        text.push(END);
    }
    text
}

fn split(text: &str) -> Result<Vec<ChunkTerms>, String> {
    let mut fields = text.split_terminator(END).map(str::to_owned);
    let mut terms = Vec::new();
    while let Some(name) = fields.next() {
        let (Some(path), Some(doc), Some(body)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(format!("chunk {} has less than four fields", terms.len()));
        };
        terms.push(ChunkTerms { name, path, doc, body });
    }
    Ok(terms)
}

fn damaged(reason: String) -> sqlx::Error {
    sqlx::Error::Decode(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn terms_are_kept_as_they_were(fields in prop::collection::vec("[^\0]{0,8}", 0..24)) {
            let terms: Vec<_> = fields
                .as_chunks::<4>()
                .0
                .iter()
                .cloned()
                .map(|[name, path, doc, body]| ChunkTerms { name, path, doc, body })
                .collect();
            prop_assert_eq!(split(&joined(&terms)), Ok(terms));
        }
    }

    #[test]
    fn terms_of_half_a_chunk_are_damage() {
        assert!(split("a\0b\0c\0d\0e\0").is_err());
    }
}
