//! The terms of chunks, kept and in the lexical index.

use crate::IndexedFile;
use crate::commit::with_content;
use crate::direct::{damaged, file_id, in_list};
use crate::document::decompress;
use ast_core_model::{ChunkId, ChunkTerms, FileId};
use rusqlite::{Connection, params};

/// After each field of the terms of a file.
pub(crate) const END: char = '\0';

/// The most files whose terms are in memory at a time.
const PAGE: usize = 256;

/// Keeps and indexes the terms of these files' chunks.
pub(crate) fn insert(connection: &Connection, files: &[&IndexedFile]) -> rusqlite::Result<()> {
    let mut keep = connection.prepare("INSERT INTO terms (file_id, content) VALUES (?, ?)")?;
    let mut index =
        connection.prepare("INSERT INTO lexical (rowid, name, path, doc, body) VALUES (?, ?, ?, ?, ?)")?;
    for (id, content) in with_content(files).filter(|(_, content)| !content.terms.is_empty()) {
        keep.execute(params![id, content.compressed_terms])?;
        for (chunk, terms) in numbered(file_id(id)?, &content.terms) {
            index.execute(params![chunk, terms.name, terms.path, terms.doc, terms.body])?;
        }
    }
    Ok(())
}

pub(crate) const REMOVE: &str =
    "DELETE FROM terms WHERE file_id IN (SELECT value FROM json_each(?)) RETURNING file_id, content";

/// Takes the terms of these files' chunks out of the index, and forgets them.
pub(crate) fn remove(connection: &Connection, files: &[FileId]) -> rusqlite::Result<()> {
    let mut forget = connection.prepare(REMOVE)?;
    let mut unindex = connection.prepare(
        "INSERT INTO lexical (lexical, rowid, name, path, doc, body) VALUES ('delete', ?, ?, ?, ?, ?)",
    )?;
    for files in files.chunks(PAGE) {
        let rows = forget.query_map([in_list(files)], |row| {
            let file = file_id(row.get(0)?)?;
            let terms = decompress(row.get_ref(1)?.as_blob()?).and_then(|terms| {
                String::from_utf8(terms).map_err(|error| error.to_string()).and_then(|terms| split(&terms))
            });
            Ok((file, terms.map_err(|reason| damaged(format!("the terms of {file:?}: {reason}")))?))
        })?;
        let mut removed = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        removed.sort_by_key(|(file, _)| *file);
        for (file, terms) in &removed {
            for (chunk, terms) in numbered(*file, terms) {
                unindex.execute(params![chunk, terms.name, terms.path, terms.doc, terms.body])?;
            }
        }
    }
    Ok(())
}

/// The chunks of a file, by the numbers of their rows.
fn numbered(file: FileId, terms: &[ChunkTerms]) -> impl Iterator<Item = (i64, &ChunkTerms)> {
    (*ChunkId::range_of(file).start()..).map(u64::cast_signed).zip(terms)
}

pub(crate) fn joined(terms: &[ChunkTerms]) -> String {
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
