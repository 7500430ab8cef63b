//! What a search leaves out.

use crate::snapshot::Snapshot;
use crate::{Engine, EngineError, SearchQuery};
use ast_core_model::{ChunkId, FileId, LanguageName, ModelError, SymbolKind};
use ast_core_parse::{Language, ParseError};
use ast_core_search::{ParsedQuery, QueryError};
use globset::{GlobSet, GlobSetBuilder};
use std::collections::HashSet;
use std::sync::Arc;

impl Engine {
    /// The files in one of these languages, if any is named, whose paths match; `None` for all.
    pub(crate) async fn filter_files(
        &self,
        languages: &[Language],
        paths: Option<&GlobSet>,
        generation: u64,
    ) -> Result<Option<HashSet<FileId>>, EngineError> {
        if languages.is_empty() && paths.is_none() {
            return Ok(None);
        }
        let names: Vec<LanguageName> = languages.iter().map(|language| language.name()).collect();
        let catalog = self.catalog(generation).await?;
        let matching = catalog.files.iter().filter(|(_, file)| {
            (names.is_empty() || names.contains(&file.language))
                && paths.is_none_or(|paths| paths.is_match(file.path.as_str()))
        });
        Ok(Some(matching.map(|(id, _)| *id).collect()))
    }
}

/// The query with the filters that are in its text.
pub(crate) fn with_filters(query: &SearchQuery, parsed: &ParsedQuery) -> Result<SearchQuery, EngineError> {
    let mut query = query.clone();
    let invalid = |filter, received: &String, reason: String| {
        EngineError::Query(QueryError::Filter { filter, received: received.clone(), reason })
    };
    for name in &parsed.languages {
        let language = name.parse().map_err(|error: ParseError| invalid("lang:", name, error.to_string()))?;
        query.languages.push(language);
    }
    for name in &parsed.kinds {
        let kind = name.parse().map_err(|error: ModelError| invalid("kind:", name, error.to_string()))?;
        query.kinds.push(kind);
    }
    query.paths.extend(parsed.paths.iter().cloned());
    Ok(query)
}

/// Which chunks may be returned.
pub(crate) struct Filter {
    pub(crate) files: Option<HashSet<FileId>>,
    /// All if empty.
    pub(crate) kinds: Vec<SymbolKind>,
    /// Where there are vectors or kinds to be looked at.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
}

impl Filter {
    pub(crate) fn is_open(&self) -> bool {
        self.files.is_none() && self.kinds.is_empty()
    }

    pub(crate) fn lets_pass(&self, id: ChunkId) -> bool {
        let kind = || self.snapshot.as_ref()?.kind_of(id);
        self.files.as_ref().is_none_or(|files| files.contains(&id.file()))
            && (self.kinds.is_empty() || kind().is_some_and(|kind| self.kinds.contains(&kind)))
    }
}

pub(crate) fn path_filter(patterns: &[String]) -> Result<Option<GlobSet>, EngineError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let invalid = |error: globset::Error| EngineError::Pattern {
            pattern: pattern.clone(),
            reason: error.kind().to_string(),
        };
        let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
        // A folder stands for what is in it, and a name for files of that name anywhere.
        let anywhere = if trimmed.contains('/') { trimmed.to_owned() } else { format!("**/{trimmed}") };
        for glob in [anywhere.clone(), format!("{anywhere}/**")] {
            set.add(globset::GlobBuilder::new(&glob).literal_separator(true).build().map_err(invalid)?);
        }
    }
    let invalid = |error: globset::Error| EngineError::Pattern {
        pattern: patterns.join(" "),
        reason: error.kind().to_string(),
    };
    set.build().map(Some).map_err(invalid)
}
