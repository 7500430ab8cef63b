//! Definitions that are stored, and nothing else of their files.

use crate::clock::{Stopwatch, Took};
use anyhow::{Context, Result};
use ast_core_model::{ContentHash, FileId, RepoPath};
use ast_core_parse::{Language, Parser, SourceText};
use ast_core_storage::{
    Access, Document, FileRecord, FileStatus, IndexedFile, SqliteStore, Store, StoreConfig, WriteBatch,
};
use std::path::Path;

/// As many files a transaction as an index run takes of ordinary size.
const FILES_A_TRANSACTION: usize = 512;

/// A source file with its definitions, as file number `number`, from 0; `None` if it cannot be parsed, and so has none.
///
/// # Errors
/// More files than there are ids.
pub fn of_file(
    parser: &mut Parser,
    number: usize,
    path: RepoPath,
    language: Language,
    source: Vec<u8>,
) -> Result<Option<(FileRecord, Document)>> {
    let Ok(text) = SourceText::decode(&source) else { return Ok(None) };
    let Ok(parsed) = parser.parse_source(&text.named(path.file_stem()), language) else { return Ok(None) };
    let record = FileRecord {
        id: FileId::new(number as u64 + 1).context("too many files")?,
        path,
        language: Some(language.name()),
        status: FileStatus::Indexed,
        detail: None,
        size: source.len() as u64,
        modified_ns: 0,
        content_hash: Some(ContentHash::of(&source)),
        lines: parsed.lines,
        syntax_errors: parsed.syntax_errors.count,
    };
    Ok(Some((record, Document { source, symbols: parsed.symbols, ..Document::default() })))
}

/// Stores everything in a new store, which stays open: what is taken is from the open database with its tables to the last
/// commit.
///
/// # Errors
/// Of the store.
pub async fn store(database: &Path, files: &[(FileRecord, Document)]) -> Result<(SqliteStore, Took)> {
    let store = SqliteStore::open(database, Access::Write, &StoreConfig::default()).await?;
    let clock = Stopwatch::start();
    for files in files.chunks(FILES_A_TRANSACTION) {
        let mut batch = WriteBatch::default();
        for (record, document) in files {
            batch.files.push(IndexedFile::new(record.clone(), document, &[], &[])?);
        }
        Store::commit(&store, batch).await?;
    }
    Ok((store, clock.took()))
}
