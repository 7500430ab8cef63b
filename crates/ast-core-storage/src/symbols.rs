//! Definitions by their names.

use crate::{NameMatch, Store, StoreError};
use ast_core_model::{ChunkId, FileId, LanguageName, RepoPath, Symbol, SymbolId, SymbolKind, scope_of};

/// Which definitions are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolQuery {
    /// The name, or a part of it.
    pub name: String,
    /// How names are compared with it.
    pub matching: NameMatch,
    /// Only where the names round it end with these, the innermost last; anywhere if empty.
    pub scope: Vec<String>,
    /// Only of these kinds; of all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only in these files; in all if `None`.
    pub files: Option<Vec<FileId>>,
    /// Only those after this one, in order of ids: where the last page ended.
    pub after: Option<SymbolId>,
    /// The most that are returned.
    pub limit: usize,
}

impl SymbolQuery {
    /// All definitions of this very name.
    pub fn exact(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            matching: NameMatch::Exact,
            scope: Vec::new(),
            kinds: Vec::new(),
            files: None,
            after: None,
            limit: usize::MAX,
        }
    }

    fn takes(&self, symbols: &[Symbol], index: usize) -> bool {
        let Symbol { name, kind, .. } = &symbols[index];
        self.matching.takes(&self.name, name)
            && (self.kinds.is_empty() || self.kinds.contains(kind))
            && (self.scope.is_empty() || {
                let scope = scope_of(symbols, index);
                scope.len() >= self.scope.len()
                    && scope.iter().rev().zip(self.scope.iter().rev()).all(|(name, wanted)| name == wanted)
            })
    }
}

/// A definition that was found by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolRecord {
    /// The file and the place in its document's list of symbols.
    pub id: SymbolId,
    /// The path of its file.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// The definition.
    pub symbol: Symbol,
    /// The names round it, outermost first.
    pub scope: Vec<Box<str>>,
    /// The chunk that its name is in.
    pub chunk: Option<ChunkId>,
}

/// Documents that are in memory at a time.
const AT_A_TIME: usize = 32;

/// The definitions whose names match, by the index of names and the documents that it tells of.
pub(crate) async fn symbols_of_documents<S: Store + ?Sized>(
    store: &S,
    query: &SymbolQuery,
) -> Result<Vec<SymbolRecord>, StoreError> {
    let naming = store.files_naming(&query.name, query.matching).await?;
    let mut files: Vec<FileId> =
        naming.into_iter().filter(|naming| naming.defines).map(|naming| naming.file).collect();
    if let Some(wanted) = &query.files {
        let mut wanted = wanted.clone();
        wanted.sort_unstable();
        files.retain(|file| wanted.binary_search(file).is_ok());
    }
    if let Some(after) = query.after {
        files.retain(|file| *file >= after.file());
    }
    let mut found = Vec::new();
    for files in files.chunks(AT_A_TIME) {
        for (record, document) in store.outlines(files).await? {
            let Some(language) = record.language else { continue };
            let symbols = &document.symbols;
            for index in (0..symbols.len()).filter(|&index| query.takes(symbols, index)) {
                let id = SymbolId::in_file(record.id, index as u32).ok_or_else(|| StoreError::Corrupt {
                    path: store.path().to_owned(),
                    reason: format!("{} symbols in {}", symbols.len(), record.path),
                })?;
                if query.after.is_some_and(|after| id <= after) {
                    continue;
                }
                if found.len() == query.limit {
                    return Ok(found);
                }
                let name = symbols[index].name_span;
                let chunk = document.chunks.iter().position(|chunk| chunk.span.contains(name));
                found.push(SymbolRecord {
                    id,
                    path: record.path.clone(),
                    language: language.clone(),
                    symbol: symbols[index].clone(),
                    chunk: chunk.and_then(|ordinal| ChunkId::in_file(record.id, ordinal as u32)),
                    scope: scope_of(symbols, index).into_iter().map(Into::into).collect(),
                });
            }
        }
        if found.len() == query.limit {
            break;
        }
    }
    Ok(found)
}
