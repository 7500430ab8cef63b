//! Definitions by their names.

use crate::filter::path_filter;
use crate::hit::has_changed;
use crate::references::{definition_of, names_in, place_names};
use crate::{Definition, Engine, EngineError};
use ast_core_model::{FileId, SymbolKind};
use ast_core_parse::Language;
use ast_core_storage::{NameMatch, SymbolQuery, SymbolRecord};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Definitions that are looked at: of a name with more, the others are left out.
const MAX_DEFINITIONS: usize = 1000;

/// Which definitions are looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolLookup {
    /// The name, or a part of it; it may have names round it before it: `open`, `Engine.open`, `engine::Engine::open`.
    pub name: String,
    /// Only of these kinds; of all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only in files in one of these languages; in all if empty.
    pub languages: Vec<Language>,
    /// Only in files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery); in all if empty.
    pub paths: Vec<String>,
    /// The most definitions. Default: 50.
    pub limit: usize,
}

impl SymbolLookup {
    /// Looks for definitions of this name everywhere.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), kinds: Vec::new(), languages: Vec::new(), paths: Vec::new(), limit: 50 }
    }
}

/// A definition that was found by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundSymbol {
    /// The definition.
    pub definition: Definition,
    /// Its doc comment, without the comment markers.
    pub doc: Option<String>,
    /// Whether its file has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}

/// The definitions of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolReply {
    /// Those with shorter names first, then in the order of their places.
    pub symbols: Vec<FoundSymbol>,
    /// How their names are like the one looked for: they are the same, if there are such; else the same but for the case;
    /// else they begin with it; else they hold it.
    pub matching: NameMatch,
    /// How many were found, of which these are the first; of very many, a thousand.
    pub found: usize,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

impl Engine {
    /// The definitions of a name. If there are none of this very name, those whose names are like it.
    ///
    /// # Errors
    /// [`EngineError::Pattern`] if a path filter is no glob, [`EngineError::Store`].
    pub async fn find_symbols(&self, lookup: &SymbolLookup) -> Result<SymbolReply, EngineError> {
        let begin = Instant::now();
        let paths = path_filter(&lookup.paths)?;
        let generation = self.store.generation().await?;
        let files = self.filter_files(&lookup.languages, paths.as_ref(), generation).await?;
        let files: Option<Vec<FileId>> = files.map(|files| files.into_iter().collect());
        let mut reply = SymbolReply {
            symbols: Vec::new(),
            matching: NameMatch::Exact,
            found: 0,
            generation,
            complete: self.is_complete().await?,
            took: Duration::ZERO,
        };
        for matching in [NameMatch::Exact, NameMatch::IgnoreCase, NameMatch::Prefix, NameMatch::Substring] {
            let mut found = self.symbols_like(lookup, matching, files.as_deref()).await?;
            if found.is_empty() {
                continue;
            }
            found.sort_by(|a, b| {
                let key = |found: &SymbolRecord| (found.symbol.name.len(), found.id);
                (key(a).0, &a.path, key(a).1).cmp(&(key(b).0, &b.path, key(b).1))
            });
            reply.matching = matching;
            reply.found = found.len();
            found.truncate(lookup.limit);
            reply.symbols = self.with_changes(found).await?;
            break;
        }
        reply.took = begin.elapsed();
        Ok(reply)
    }

    /// Definitions whose names are like the one looked for, with the names round them that were asked for.
    async fn symbols_like(
        &self,
        lookup: &SymbolLookup,
        matching: NameMatch,
        files: Option<&[FileId]>,
    ) -> Result<Vec<SymbolRecord>, EngineError> {
        let text = lookup.name.trim();
        let query = |name: &str| SymbolQuery {
            matching,
            kinds: lookup.kinds.clone(),
            files: files.map(<[FileId]>::to_vec),
            limit: MAX_DEFINITIONS,
            ..SymbolQuery::exact(name)
        };
        if text.is_empty() {
            return Ok(Vec::new());
        }
        // Some names have dots in them: a file that is included, a namespace.
        let found = self.store.symbols(&query(text)).await?;
        let names: Vec<&str> = names_in(text).collect();
        let Some((last, round)) = names.split_last().filter(|(_, round)| !round.is_empty()) else {
            return Ok(found);
        };
        if !found.is_empty() {
            return Ok(found);
        }
        let mut found = self.store.symbols(&query(last)).await?;
        let is_same = |name: &String, wanted: &str| match matching {
            NameMatch::Exact => name == wanted,
            _ => name.eq_ignore_ascii_case(wanted),
        };
        found.retain(|found| {
            let names = place_names(found);
            names.len() >= round.len()
                && names.iter().rev().zip(round.iter().rev()).all(|(name, wanted)| is_same(name, wanted))
        });
        Ok(found)
    }

    /// The same with what is said of them beside their names.
    async fn with_changes(&self, found: Vec<SymbolRecord>) -> Result<Vec<FoundSymbol>, EngineError> {
        let root = self.tree().await?;
        let mut files: Vec<FileId> = found.iter().map(|found| found.id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let records = self.store.outlines(&files).await?;
        let changed: HashMap<FileId, bool> = match &root {
            Some(root) => records.iter().map(|(record, _)| (record.id, has_changed(root, record))).collect(),
            None => HashMap::new(),
        };
        let described = found.into_iter().map(|found| FoundSymbol {
            changed: changed.get(&found.id.file()).copied(),
            doc: found.symbol.doc.as_deref().map(str::to_owned),
            definition: definition_of(&found),
        });
        Ok(described.collect())
    }
}
