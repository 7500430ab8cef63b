//! What one would have without this engine: counting words in files, and the full text search of SQLite over the same chunks.

use anyhow::Result;
use ast_core_engine::SourceText;
use ast_core_model::terms::{is_stop_word, stem};
use ast_core_storage::{Access, SqliteStore, Store, StoreConfig};
use rusqlite::Connection;
use std::path::Path;

/// The files of an index, ready to be asked in other ways.
pub struct Baseline {
    /// Path and text, in small letters.
    files: Vec<(String, String)>,
    /// The chunks, by row.
    full_text: Connection,
    /// The number of the file of each row.
    rows: Vec<usize>,
}

impl Baseline {
    /// Reads the files of an index.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub async fn open(database: &Path) -> Result<Self> {
        let store = SqliteStore::open(database, Access::Read, &StoreConfig::default()).await?;
        let full_text = Connection::open_in_memory()?;
        full_text.execute_batch(
            "CREATE VIRTUAL TABLE chunks USING fts5(body, tokenize = 'porter unicode61'); BEGIN",
        )?;
        let (mut files, mut rows) = (Vec::new(), Vec::new());
        {
            let mut insert = full_text.prepare("INSERT INTO chunks (rowid, body) VALUES (?1, ?2)")?;
            for (id, path, _) in store.searchable_files().await? {
                for (_, document) in store.documents(&[id]).await? {
                    let source = SourceText::decode(&document.source)?;
                    for chunk in &document.chunks {
                        insert.execute((rows.len() as i64, source.slice(chunk.span)))?;
                        rows.push(files.len());
                    }
                    files.push((path.to_string(), source.text().to_lowercase()));
                }
            }
        }
        full_text.execute_batch("COMMIT")?;
        Ok(Self { files, full_text, rows })
    }

    /// The files that have most of the words, as often as possible: what one sees who counts the matches of `ripgrep`, word by
    /// word, as parts of words and in any letters.
    pub fn by_count(&self, query: &str, limit: usize) -> Vec<&str> {
        let words = words(query);
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (path, text) in &self.files {
            let counts: Vec<usize> = words
                .iter()
                .map(|word| text.matches(word.as_str()).count())
                .filter(|count| *count > 0)
                .collect();
            if !counts.is_empty() {
                found.push((counts.len(), counts.iter().sum(), path));
            }
        }
        found.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(a.2.cmp(b.2)));
        found.into_iter().map(|(_, _, path)| path).take(limit).collect()
    }

    /// The files of the chunks that SQLite's FTS5 finds by any of the words, best first by its `bm25`, Porter's stems of words.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn by_full_text(&self, query: &str, limit: usize) -> Result<Vec<&str>> {
        let words: Vec<String> = words(query).into_iter().map(|word| format!("\"{word}\"")).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = self.full_text.prepare(
            "SELECT rowid FROM chunks WHERE chunks MATCH ?1 ORDER BY bm25(chunks), rowid LIMIT ?2",
        )?;
        let found = select.query_map((words.join(" OR "), limit as i64), |row| row.get::<_, i64>(0))?;
        let mut files = Vec::new();
        for row in found {
            files.push(self.files[self.rows[row? as usize]].0.as_str());
        }
        Ok(files)
    }
}

/// The words of a query that say something, in small letters, each once.
fn words(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in query.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 1) {
        let word = word.to_lowercase();
        if !is_stop_word(&word) && !is_stop_word(stem(&word)) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
