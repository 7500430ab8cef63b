//! Search: candidates by words and by vectors, fused, and made into hits.

use crate::discover::Stamp;
use crate::engine::blocking;
use crate::snapshot::Snapshot;
use crate::{Engine, EngineError, VectorError};
use ast_core_model::{
    Chunk, ChunkId, ContentHash, FileId, LanguageName, LineRange, RepoPath, Span, SymbolKind, scope_of,
};
use ast_core_parse::{Language, SourceText};
use ast_core_search::{SearchMode, Why, query_terms, reciprocal_rank_fusion};
use ast_core_storage::{Bm25f, ChunkFilter, FileRecord, LexicalHit};
use ast_core_vector::SearchOptions;
use globset::{GlobSet, GlobSetBuilder};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Candidates that each way of finding brings, at least.
const CANDIDATES: usize = 200;

/// A match in a name says more than one in the text. Of the parameters that were measured, these find the most.
const RANKING: Bm25f = Bm25f { weights: [8.0, 1.0, 1.0, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// Words, a name, or a question.
    pub text: String,
    /// The most hits. Default: 10.
    pub limit: usize,
    /// By what to find. Default: both words and vectors.
    pub mode: SearchMode,
    /// Only files in one of these languages; all if empty.
    pub languages: Vec<Language>,
    /// Only files whose path matches one of these globs; all if empty. `*` does not match `/`, `**` does; a
    /// pattern without `/` matches the file name.
    pub paths: Vec<String>,
    /// Only chunks about a definition of one of these kinds; all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only hits of at least this score, from 0 to 1. Default: 0.
    pub threshold: f64,
    /// Lines before and after each hit that are shown with it. Default: 0.
    pub context: u32,
}

impl SearchQuery {
    /// Looks for this text everywhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            limit: 10,
            mode: SearchMode::default(),
            languages: Vec::new(),
            paths: Vec::new(),
            kinds: Vec::new(),
            threshold: 0.0,
            context: 0,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchReply {
    /// Best first.
    pub hits: Vec<SearchHit>,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

/// A piece of a file that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchHit {
    /// Its id in the store.
    pub chunk: ChunkId,
    /// Its file, relative to the tree.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// Its lines.
    pub lines: LineRange,
    /// Its bytes.
    pub span: Span,
    /// The definition it is about: its name, `None` if it is about none.
    pub name: Option<String>,
    /// The kind of that definition.
    pub kind: Option<SymbolKind>,
    /// The names round that definition, outermost first.
    pub scope: Vec<String>,
    /// From 0 to 1: 1 for what is first both by words and by vectors.
    pub score: f64,
    /// Its text as it was indexed, with as many lines round it as were asked for.
    pub snippet: String,
    /// The lines of the snippet.
    pub snippet_lines: LineRange,
    /// What the score is made of.
    pub why: Why,
    /// Whether its file has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}

impl Engine {
    /// The pieces of the tree that best match a query: by the words in them (BM25 over names, paths, documentation
    /// and text) and by their vectors, fused by reciprocal rank. The same query on the same index gives the same
    /// answer.
    ///
    /// # Errors
    /// [`EngineError::Query`] if there is nothing to look for, [`EngineError::Pattern`] if a path filter is no glob,
    /// [`EngineError::OtherPipeline`] if the index was made with another embedder, [`EngineError::Store`].
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchReply, EngineError> {
        match self.search_once(query).await {
            // The vector file is only read where it is needed, so that damage shows here. Everything is in the store.
            Err(EngineError::Vector(VectorError::Damaged { .. })) => self.search_once(query).await,
            answered => answered,
        }
    }

    async fn search_once(&self, query: &SearchQuery) -> Result<SearchReply, EngineError> {
        let begin = Instant::now();
        let terms = query_terms(&query.text)?;
        let paths = path_filter(&query.paths)?;
        self.check_pipeline().await?;
        let generation = self.store.generation().await?;
        let files = self.filter_files(query, paths.as_ref(), generation).await?;
        // Words alone are found without them.
        let snapshot = match query.mode.is_semantic() || !query.kinds.is_empty() {
            true => Some(self.vectors(generation).await?),
            false => None,
        };
        let wanted = CANDIDATES.max(query.limit);
        let filter = Arc::new(Filter { files, kinds: query.kinds.clone(), snapshot });
        let lexical = async {
            match query.mode.is_lexical() {
                true => self.lexical_candidates(&terms, &filter, wanted).await,
                false => Ok(Vec::new()),
            }
        };
        let semantic = async {
            match query.mode.is_semantic() {
                true => {
                    let found = self.semantic_candidates(&query.text, filter.clone(), wanted).await;
                    if let (Err(EngineError::Vector(error @ VectorError::Damaged { .. })), Some(snapshot)) =
                        (&found, &filter.snapshot)
                    {
                        self.distrust(snapshot.stamp(), error)?;
                    }
                    found
                }
                false => Ok(Vec::new()),
            }
        };
        let (lexical, semantic) = tokio::try_join!(lexical, semantic)?;
        let by_words: Vec<ChunkId> = lexical.iter().map(|hit| hit.chunk).collect();
        let by_vectors: Vec<ChunkId> = semantic.iter().map(|hit| hit.0).collect();
        let mut rankings: Vec<&[ChunkId]> = Vec::new();
        if query.mode.is_lexical() {
            rankings.push(&by_words);
        }
        if query.mode.is_semantic() {
            rankings.push(&by_vectors);
        }
        let mut fused = reciprocal_rank_fusion(&rankings);
        fused.retain(|(_, score)| *score >= query.threshold);
        fused.truncate(query.limit);
        let ids: Vec<ChunkId> = fused.iter().map(|(id, _)| *id).collect();
        let scores: HashMap<ChunkId, f64> = fused.into_iter().collect();
        let lexical: HashMap<ChunkId, f64> = lexical.into_iter().map(|hit| (hit.chunk, hit.score)).collect();
        let semantic: HashMap<ChunkId, f32> = semantic.into_iter().collect();
        let mut hits = self.hydrate(&ids, query.context).await?;
        for hit in &mut hits {
            hit.score = scores.get(&hit.chunk).copied().unwrap_or(0.0);
            hit.why.lexical = lexical.get(&hit.chunk).copied();
            hit.why.semantic = semantic.get(&hit.chunk).map(|&cosine| f64::from(cosine));
        }
        // Between hits that are first in one ranking each, words decide: a name that was typed is meant. What is left
        // is told apart by place, as ids depend on what was indexed when.
        hits.sort_by(|a, b| {
            let words = |hit: &SearchHit| hit.why.lexical.unwrap_or(0.0);
            let by_score = b.score.total_cmp(&a.score).then_with(|| words(b).total_cmp(&words(a)));
            by_score.then_with(|| a.path.cmp(&b.path)).then(a.span.start.cmp(&b.span.start))
        });
        let complete = self.is_complete().await?;
        Ok(SearchReply { hits, generation, complete, took: begin.elapsed() })
    }

    /// The files that a query is about; `None` for all.
    async fn filter_files(
        &self,
        query: &SearchQuery,
        paths: Option<&GlobSet>,
        generation: u64,
    ) -> Result<Option<HashSet<FileId>>, EngineError> {
        if query.languages.is_empty() && paths.is_none() {
            return Ok(None);
        }
        let names: Vec<LanguageName> = query.languages.iter().map(|language| language.name()).collect();
        let catalog = self.catalog(generation).await?;
        let matching = catalog.files.iter().filter(|(_, file)| {
            (names.is_empty() || names.contains(&file.language))
                && paths.is_none_or(|paths| paths.is_match(file.path.as_str()))
        });
        Ok(Some(matching.map(|(id, _)| *id).collect()))
    }

    async fn lexical_candidates(
        &self,
        terms: &[String],
        filter: &Arc<Filter>,
        wanted: usize,
    ) -> Result<Vec<LexicalHit>, EngineError> {
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let filter = match (&filter.files, filter.kinds.is_empty()) {
            (None, true) => ChunkFilter::All,
            (Some(files), true) => ChunkFilter::Files(files.iter().copied().collect()),
            (_, false) => {
                let filter = filter.clone();
                ChunkFilter::Chunks(Arc::new(move |id| filter.lets_pass(id)))
            }
        };
        Ok(self.store.lexical_search(&terms, RANKING, filter, wanted).await?)
    }

    async fn semantic_candidates(
        &self,
        text: &str,
        filter: Arc<Filter>,
        wanted: usize,
    ) -> Result<Vec<(ChunkId, f32)>, EngineError> {
        let (embedder, text) = (self.config.embedder.clone(), text.to_owned());
        let pool = self.search_pool.clone();
        blocking(move || {
            let query = embedder.embed_query(&text)?;
            if query.iter().all(|&value| value == 0.0) {
                return Ok(Vec::new());
            }
            let Some(snapshot) = &filter.snapshot else { return Ok(Vec::new()) };
            let passes = |key: u64| ChunkId::from_raw(key).is_some_and(|id| filter.lets_pass(id));
            let options = SearchOptions::new(wanted).with_threshold(embedder.noise_floor());
            let options = if filter.is_open() { options } else { options.with_filter(&passes) };
            let neighbors = pool.install(|| snapshot.search(&query, &options))?;
            Ok(neighbors
                .into_iter()
                .filter_map(|found| Some((ChunkId::from_raw(found.key)?, found.score)))
                .collect())
        })
        .await?
    }

    /// Adds the texts, and whether they are still on disk as they were. What a commit took away since it was found is
    /// left out.
    async fn hydrate(&self, ids: &[ChunkId], context: u32) -> Result<Vec<SearchHit>, EngineError> {
        let root = self.tree().await?;
        let mut files: Vec<FileId> = ids.iter().map(|id| id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let documents = self.store.documents(&files).await?;
        let mut hits = Vec::with_capacity(ids.len());
        for (record, document) in &documents {
            let source = SourceText::decode(&document.source)?;
            let changed = root.as_deref().map(|root| has_changed(root, record));
            let Some(language) = &record.language else { continue };
            for &id in ids.iter().filter(|id| id.file() == record.id) {
                let Some(chunk) = document.chunks.get(id.ordinal() as usize) else { continue };
                let index = chunk.symbol.map(|index| index as usize);
                let symbol = index.and_then(|index| document.symbols.get(index));
                let scope = index.map_or(Vec::new(), |index| scope_of(&document.symbols, index));
                let (snippet, snippet_lines) = snippet(&source, chunk, context);
                hits.push(SearchHit {
                    chunk: id,
                    path: record.path.clone(),
                    language: language.clone(),
                    lines: chunk.lines,
                    span: chunk.span,
                    name: symbol.map(|symbol| symbol.name.to_string()),
                    kind: symbol.map(|symbol| symbol.kind),
                    scope: scope.into_iter().map(str::to_owned).collect(),
                    score: 0.0,
                    snippet,
                    snippet_lines,
                    why: Why::default(),
                    changed,
                });
            }
        }
        Ok(hits)
    }
}

/// Which chunks may be returned.
struct Filter {
    files: Option<HashSet<FileId>>,
    /// All if empty.
    kinds: Vec<SymbolKind>,
    /// Where there are vectors or kinds to be looked at.
    snapshot: Option<Arc<Snapshot>>,
}

impl Filter {
    fn is_open(&self) -> bool {
        self.files.is_none() && self.kinds.is_empty()
    }

    fn lets_pass(&self, id: ChunkId) -> bool {
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

/// The text of a chunk with whole lines of context, and the lines that it is.
fn snippet(source: &SourceText<'_>, chunk: &Chunk, context: u32) -> (String, LineRange) {
    if context == 0 {
        return (source.slice(chunk.span).to_owned(), chunk.lines);
    }
    let first = chunk.lines.start.saturating_sub(context).max(1);
    let wanted = chunk.lines.end.saturating_add(context).saturating_sub(first).saturating_add(1);
    let lines: Vec<&str> = source.text().lines().skip(first as usize - 1).take(wanted as usize).collect();
    let last = first + (lines.len() as u32).saturating_sub(1);
    (lines.join("\n"), LineRange::new(first, last))
}

/// Whether the file is another than was indexed. The stamp tells quickly that it is not; the content decides.
pub(crate) fn has_changed(root: &Path, record: &FileRecord) -> bool {
    let path = root.join(record.path.as_str());
    let Ok(metadata) = std::fs::metadata(&path) else { return true };
    let stamp = Stamp::of(&metadata);
    if stamp.size != record.size {
        return true;
    }
    stamp.changed_ns != record.modified_ns
        && std::fs::read(&path).map_or(true, |bytes| Some(ContentHash::of(&bytes)) != record.content_hash)
}
