//! Search by words.

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

impl Store {
    /// The chunks that hold any of the terms, best first by BM25 (Robertson et al., "Okapi at TREC-3", 1994, as
    /// SQLite's FTS5 computes it: k1 = 1.2, b = 0.75), ties by id.
    ///
    /// Terms must be cut as those of the index were; any character is safe in them. With `files`, only chunks of
    /// these files are looked for.
    pub async fn lexical_search(
        &self,
        terms: &[&str],
        weights: FieldWeights,
        files: Option<&[FileId]>,
        limit: usize,
    ) -> Result<Vec<LexicalHit>, StoreError> {
        let terms: Vec<String> = terms
            .iter()
            .filter(|term| !term.is_empty())
            .map(|term| format!("\"{}\"", term.replace('"', "\"\"")))
            .collect();
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        const ALL: &str = "SELECT rowid, bm25(lexical, ?, ?, ?, ?) AS cost FROM lexical WHERE lexical MATCH ? \
             ORDER BY cost, rowid LIMIT ?";
        const OF_FILES: &str = "SELECT rowid, bm25(lexical, ?, ?, ?, ?) AS cost FROM lexical WHERE lexical MATCH ? \
             AND (rowid >> 20) IN (SELECT value FROM json_each(?)) ORDER BY cost, rowid LIMIT ?";
        let mut query = sqlx::query(if files.is_some() { OF_FILES } else { ALL })
            .bind(weights.name)
            .bind(weights.path)
            .bind(weights.doc)
            .bind(weights.body)
            .bind(terms.join(" OR "));
        if let Some(files) = files {
            let ids: Vec<String> = files.iter().map(|file| file.get().to_string()).collect();
            query = query.bind(format!("[{}]", ids.join(",")));
        }
        let mut connection = self.reader().await?;
        let rows =
            query.bind(limit as i64).fetch_all(&mut *connection).await.map_err(|error| self.failed(error))?;
        let hit = |row: &sqlx::sqlite::SqliteRow| {
            let id: i64 = row.try_get(0).map_err(|error| self.failed(error))?;
            let cost: f64 = row.try_get(1).map_err(|error| self.failed(error))?;
            let chunk = ChunkId::from_raw(id as u64).ok_or_else(|| self.corrupt(format!("chunk id {id}")))?;
            Ok(LexicalHit { chunk, score: -cost })
        };
        rows.iter().map(hit).collect()
    }
}
