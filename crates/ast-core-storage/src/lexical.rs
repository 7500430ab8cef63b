//! What a search by words is of.

use ast_core_model::{ChunkId, FileId};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Which chunks a search by words may find.
#[derive(Clone, Default)]
pub enum ChunkFilter {
    /// All of them.
    #[default]
    All,
    /// Those of these files.
    Files(Vec<FileId>),
    /// Those that a function takes; it is asked only of chunks that score high enough.
    Chunks(Arc<dyn Fn(ChunkId) -> bool + Send + Sync>),
}

impl fmt::Debug for ChunkFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("All"),
            Self::Files(files) => f.debug_tuple("Files").field(files).finish(),
            Self::Chunks(_) => f.write_str("Chunks"),
        }
    }
}

/// What an index of [words](crate::FileContent::words) is asked for these terms: what is between characters of ASCII that are
/// neither letters nor digits, in lower case, each once.
pub fn query_words(terms: &[&str]) -> Vec<String> {
    let mut seen = HashSet::new();
    let is_separator = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    let words = terms.iter().flat_map(|term| term.split(is_separator)).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).filter(|word| seen.insert(word.clone())).collect()
}
