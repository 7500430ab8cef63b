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

/// How many rows a search scores. Each costs about 0.35 us, so a search stays within some ten milliseconds
/// however common its words are.
const SCORED_ROWS: u64 = 20_000;

impl Store {
    /// The terms to score by: the rarest first, as many as stay within [`SCORED_ROWS`], but one at least. Terms that
    /// are in no chunk are left out. A term that is in very many chunks tells them apart the least.
    async fn telling_terms(
        &self,
        connection: &mut sqlx::SqliteConnection,
        terms: &[&str],
    ) -> Result<Vec<String>, StoreError> {
        let mut list = String::from("[");
        for term in terms {
            if list.len() > 1 {
                list.push(',');
            }
            push_json_string(&mut list, term);
        }
        list.push(']');
        let rows = sqlx::query(
            "SELECT t.term, t.doc FROM json_each(?) AS wanted JOIN lexical_terms AS t ON t.term = wanted.value \
             ORDER BY t.doc, t.term",
        )
        .bind(list)
        .fetch_all(connection)
        .await
        .map_err(|error| self.failed(error))?;
        let mut telling: Vec<String> = Vec::new();
        let mut scored = 0;
        for row in &rows {
            let term: String = row.try_get(0).map_err(|error| self.failed(error))?;
            scored += row.try_get::<i64, _>(1).map_err(|error| self.failed(error))?.unsigned_abs();
            if scored > SCORED_ROWS && !telling.is_empty() {
                break;
            }
            telling.push(term);
        }
        Ok(telling)
    }

    /// The chunks that hold any of the terms, best first by BM25 (Robertson et al., "Okapi at TREC-3", 1994, as
    /// SQLite's FTS5 computes it: k1 = 1.2, b = 0.75), ties by id.
    ///
    /// Terms that are in very many chunks are left out where rarer ones are given: they would cost the most and tell
    /// the least. Terms must be cut as those of the index were; any character is safe in them. With `files`, only chunks of
    /// these files are looked for.
    pub async fn lexical_search(
        &self,
        terms: &[&str],
        weights: FieldWeights,
        files: Option<&[FileId]>,
        limit: usize,
    ) -> Result<Vec<LexicalHit>, StoreError> {
        let mut connection = self.reader().await?;
        let terms = self.telling_terms(&mut connection, terms).await?;
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let terms: Vec<String> =
            terms.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
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

fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\0'..='\u{1F}' => json.push_str(&format!("\\u{:04x}", c as u32)),
            _ => json.push(c),
        }
    }
    json.push('"');
}
