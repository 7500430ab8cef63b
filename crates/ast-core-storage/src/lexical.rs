//! Search by words.

use crate::store::json_list;
use crate::{Store, StoreError};
use ast_core_model::{ChunkId, FileId};
use sqlx::Row;

/// What one match in each field counts for, against one in the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldWeights {
    /// Of a match in the names that the chunk defines.
    pub name: f64,
    /// Of a match in the path.
    pub path: f64,
    /// Of a match in the documentation.
    pub doc: f64,
    /// Of a match in the text.
    pub body: f64,
}

/// A chunk that was found by words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LexicalHit {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its BM25 score: more is better.
    pub score: f64,
}

/// How many rows a search scores. Each costs about 0.35 us, so a search stays within some ten milliseconds however
/// common its words are.
const SCORED_ROWS: u64 = 20_000;

pub(crate) const SEARCH: &str = "\
    SELECT rowid, bm25(lexical, ?, ?, ?, ?) AS cost FROM lexical WHERE lexical MATCH ? \
    ORDER BY cost, rowid LIMIT ?";

pub(crate) const SEARCH_FILES: &str = "\
    SELECT rowid, bm25(lexical, ?, ?, ?, ?) AS cost FROM lexical WHERE lexical MATCH ? \
    AND rowid >> 20 IN (SELECT value FROM json_each(?)) ORDER BY cost, rowid LIMIT ?";

impl Store {
    /// The chunks that hold any of the terms, best first by BM25 (Robertson et al., "Okapi at TREC-3", 1994, as
    /// SQLite's FTS5 computes it: k1 = 1.2, b = 0.75), ties by id.
    ///
    /// Terms that are in very many chunks are left out where rarer ones are given: they would cost the most and tell
    /// the least. Terms must be cut as those of the index were; any text is safe, and a term that the index would have cut is
    /// looked for in its parts. With `files`, only chunks of these files are looked for.
    pub async fn lexical_search(
        &self,
        terms: &[&str],
        weights: FieldWeights,
        files: Option<&[FileId]>,
        limit: usize,
    ) -> Result<Vec<LexicalHit>, StoreError> {
        // The index cuts at every ASCII character that is no letter or digit. What it would take for several words
        // is looked for as such: as one it would be a phrase.
        let is_separator = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
        let words: Vec<&str> =
            terms.iter().flat_map(|term| term.split(is_separator)).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.reader().await?;
        let terms = self.telling_terms(&mut connection, &words).await?;
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let terms: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
        let mut query = sqlx::query(if files.is_some() { SEARCH_FILES } else { SEARCH })
            .bind(weights.name)
            .bind(weights.path)
            .bind(weights.doc)
            .bind(weights.body)
            .bind(terms.join(" OR "));
        if let Some(files) = files {
            query = query.bind(json_list(files.iter().map(|file| file.get())));
        }
        let rows = query
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        let hit = |row: &sqlx::sqlite::SqliteRow| {
            let cost: f64 = row.try_get(1).map_err(|error| self.failed(error))?;
            Ok(LexicalHit { chunk: self.chunk_id(row, 0)?, score: -cost })
        };
        rows.iter().map(hit).collect()
    }

    /// The terms to score by: the rarest first, as many as stay within [`SCORED_ROWS`], but one at least. Terms that
    /// are in no chunk are left out.
    async fn telling_terms(
        &self,
        connection: &mut sqlx::SqliteConnection,
        words: &[&str],
    ) -> Result<Vec<String>, StoreError> {
        // None of them holds an ASCII character that JSON would have escaped.
        let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let rows = sqlx::query(DOCUMENT_FREQUENCIES)
            .bind(format!("[{}]", list.join(",")))
            .fetch_all(connection)
            .await
            .map_err(|error| self.failed(error))?;
        let mut telling: Vec<String> = Vec::new();
        let mut scored = 0_u64;
        for row in &rows {
            let term: String = row.try_get(0).map_err(|error| self.failed(error))?;
            let chunks: i64 = row.try_get(1).map_err(|error| self.failed(error))?;
            scored = scored.saturating_add(chunks.unsigned_abs());
            if scored > SCORED_ROWS && !telling.is_empty() {
                break;
            }
            telling.push(term);
        }
        Ok(telling)
    }
}

pub(crate) const DOCUMENT_FREQUENCIES: &str = "SELECT DISTINCT t.term, t.doc FROM json_each(?) AS wanted \
     CROSS JOIN lexical_terms AS t ON t.term = wanted.value ORDER BY t.doc, t.term";
