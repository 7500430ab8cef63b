//! Search: candidates by words and by vectors, fused, and made into hits.

use crate::discover::Stamp;
use crate::engine::blocking;
use crate::snapshot::Snapshot;
use crate::{Engine, EngineError, VectorError};
use ast_core_model::{
    Chunk, ChunkId, ContentHash, FileId, LanguageName, LineRange, ModelError, RepoPath, Span, SymbolKind,
    scope_of,
};
use ast_core_parse::{Language, ParseError, SourceText};
use ast_core_search::{Candidate, ParsedQuery, QueryError, QueryKind, Ranked, SearchMode, Why, fuse, rank};
use ast_core_storage::{Bm25f, ChunkFilter, FileRecord, NameMatch, StoreError, SymbolQuery};
use ast_core_vector::SearchOptions;
use globset::{GlobSet, GlobSetBuilder};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Candidates that each way of finding brings, at least.
const CANDIDATES: usize = 200;

/// How often a search is made before it does without what commits took away meanwhile: a file that is indexed anew is another.
const ATTEMPTS: usize = 4;

/// Definitions of one name that are looked at, and files that they are looked for in, each of which is read whole.
const MAX_DEFINITIONS: usize = 50;
const MAX_DEFINING_FILES: usize = 64;

/// A match in a name says more than one in the text. Of the parameters that were measured, these find the most.
const BM25F: Bm25f = Bm25f { weights: [4.0, 2.0, 2.0, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 1.0 };

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// Words, a name, a path, a question, or a piece of code; `lang:`, `path:` and `kind:` in it are filters.
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
    /// Whether the first fifty hits are put in order anew, by what [`EngineConfig::reranking`](crate::EngineConfig) says
    /// of their texts. Default: no.
    pub rerank: bool,
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
            rerank: false,
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
    /// What was left out of the search, and why.
    pub notices: Vec<SearchNotice>,
}

/// Something that was left out of a search. The answer is that of what was left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchNotice {
    /// It was searched by words alone: the vectors of the index are of another embedder.
    OtherEmbedder {
        /// The id of the embedder that made them.
        indexed: String,
        /// The id of the engine's.
        current: String,
    },
    /// It was searched by words alone: the query could not be embedded.
    NotEmbedded {
        /// Why.
        reason: String,
    },
    /// Hits are in the order that they have without reranking.
    NotReranked {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for SearchNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEmbedder { indexed, current } => write!(
                f,
                "searched by words alone: the vectors of the index are of {indexed}, not of {current}"
            ),
            Self::NotEmbedded { reason } => write!(f, "searched by words alone: {reason}"),
            Self::NotReranked { reason } => write!(f, "not reranked: {reason}"),
        }
    }
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
    /// From 0 to 1. It compares hits of one reply, not those of two.
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
    /// and text) and by their vectors, fused and put in order by [rules](crate::Rule) that know code. `lang:`, `path:` and
    /// `kind:` in the text of the query are filters like those beside it. The same query on the same index gives the same
    /// answer.
    ///
    /// # Errors
    /// [`EngineError::Query`] if there is nothing to look for, [`EngineError::Pattern`] if a path filter is no glob,
    /// [`EngineError::OtherPipeline`] if the index was made by other settings, or was to be searched by vectors alone that
    /// are of another embedder; [`EngineError::Embed`] if it was so, and the query cannot be embedded;
    /// [`EngineError::NoReranking`]; [`EngineError::Store`]. A search by words and vectors goes on by words then, and says so
    /// in [`SearchReply::notices`].
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchReply, EngineError> {
        let begin = Instant::now();
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let is_last = attempts.next() == Some(ATTEMPTS);
            match self.search_once(query).await {
                // The vector file is only read where it is needed, so that damage shows here. Everything is in the store.
                Err(EngineError::Vector(VectorError::Damaged { .. })) if !is_last => {}
                Ok((_, true)) if !is_last => {}
                answered => {
                    let (mut reply, _) = answered?;
                    reply.took = begin.elapsed();
                    return Ok(reply);
                }
            }
        }
    }

    /// The answer, and whether commits took away meanwhile some of what was found.
    async fn search_once(&self, query: &SearchQuery) -> Result<(SearchReply, bool), EngineError> {
        let parsed = ParsedQuery::parse(&query.text)?;
        let query = &with_filters(query, &parsed)?;
        let paths = path_filter(&query.paths)?;
        if query.rerank && self.config.reranking.is_none() {
            return Err(EngineError::NoReranking);
        }
        let mut other = self.other_embedder().await?;
        let generation = self.store.generation().await?;
        let files = self.filter_files(query, paths.as_ref(), generation).await?;
        // Words alone are found without them.
        let snapshot = match (query.mode.is_semantic() && other.is_none()) || !query.kinds.is_empty() {
            true => Some(self.vectors(generation).await?),
            false => None,
        };
        if query.mode.is_semantic() && other.is_none() {
            // By now others may have begun to replace them.
            other = self.other_embedder().await?;
        }
        let mut notices = Vec::new();
        if let Some(indexed) = other.filter(|_| query.mode.is_semantic()) {
            if !query.mode.is_lexical() {
                return Err(self.other_pipeline(self.config.pipeline_of(&indexed)));
            }
            let current = self.config.embedder.model().id.clone();
            notices.push(SearchNotice::OtherEmbedder { indexed, current });
        }
        let wanted = CANDIDATES.max(query.limit);
        let filter = Arc::new(Filter { files, kinds: query.kinds.clone(), snapshot });
        let lexical = async {
            match query.mode.is_lexical() {
                true => self.lexical_candidates(&parsed.terms, &filter, wanted).await.map(Some),
                false => Ok(None),
            }
        };
        let semantic = async {
            if !query.mode.is_semantic() || !notices.is_empty() {
                return Ok((None, None));
            }
            match self.semantic_candidates(&parsed.text, filter.clone(), wanted).await {
                Err(EngineError::Embed(error)) if query.mode.is_lexical() => {
                    Ok((None, Some(SearchNotice::NotEmbedded { reason: error.to_string() })))
                }
                found => found.map(|found| (found, None)),
            }
        };
        let definitions = async {
            match query.mode.is_lexical() {
                true => self.defining_chunks(&parsed, &filter).await,
                false => Ok(HashSet::new()),
            }
        };
        let (lexical, (semantic, notice), defining) = tokio::try_join!(lexical, semantic, definitions)?;
        notices.extend(notice);
        let (vector, semantic) = semantic.unzip();
        let found = Found {
            lexical: lexical.as_deref(),
            semantic: semantic.as_deref(),
            defining,
            vector: vector.unwrap_or_default(),
        };
        let (mut ranked, is_torn) = self.rank(&parsed, &found, &filter, generation).await?;
        let mut reranked = HashMap::new();
        if let Some(reranking) = self.config.reranking.as_ref().filter(|_| query.rerank) {
            match self.rerank(reranking, &parsed.text, &mut ranked).await {
                Ok(cosines) => reranked = cosines,
                Err(EngineError::Embed(error)) => {
                    notices.push(SearchNotice::NotReranked { reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        let mut ranked: Vec<Ranked<ChunkId>> =
            ranked.into_iter().filter(|hit| hit.score >= query.threshold).collect();
        ranked.truncate(query.limit);
        let ids: Vec<ChunkId> = ranked.iter().map(|hit| hit.id).collect();
        let mut hits: HashMap<ChunkId, SearchHit> =
            self.hydrate(&ids, query.context).await?.into_iter().map(|hit| (hit.chunk, hit)).collect();
        let score_in = |found: Option<&[(ChunkId, f64)]>, id: ChunkId| {
            found?.iter().find(|(found, _)| *found == id).map(|(_, score)| *score)
        };
        let with_score = |ranked: Ranked<ChunkId>| {
            let mut hit = hits.remove(&ranked.id)?;
            hit.score = ranked.score;
            hit.why = Why {
                lexical: score_in(lexical.as_deref(), ranked.id),
                semantic: score_in(semantic.as_deref(), ranked.id),
                boosts: ranked.boosts,
                reranked: reranked.get(&ranked.id).copied(),
            };
            Some(hit)
        };
        let hits: Vec<SearchHit> = ranked.into_iter().filter_map(with_score).collect();
        let is_torn = is_torn || hits.len() < ids.len();
        let complete = self.is_complete().await?;
        Ok((SearchReply { hits, generation, complete, took: Duration::ZERO, notices }, is_torn))
    }

    /// Puts candidates in order, and says whether a commit took some away meanwhile. Where all else is alike, their places
    /// decide, as ids depend on what was indexed when.
    async fn rank(
        &self,
        query: &ParsedQuery,
        found: &Found<'_>,
        filter: &Arc<Filter>,
        generation: u64,
    ) -> Result<(Vec<Ranked<ChunkId>>, bool), EngineError> {
        let mut scores = fuse(found.lexical, found.semantic, self.config.ranking.meaning(query.kind));
        let known: HashSet<ChunkId> = scores.iter().map(|(id, _)| *id).collect();
        scores.extend(found.defining.difference(&known).map(|id| (*id, 0.0)));
        let mut files: Vec<FileId> = scores.iter().map(|(id, _)| id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let paths: HashMap<FileId, RepoPath> =
            self.store.paths(&files).await?.into_iter().map(|(file, path, _)| (file, path)).collect();
        let is_torn = match files.iter().find(|file| !paths.contains_key(file)) {
            None => false,
            Some(lost) if self.store.generation().await? == generation => {
                let reason = format!("{lost:?} is found by its words or its vectors, and is no file");
                return Err(StoreError::Corrupt { path: self.config.database.clone(), reason }.into());
            }
            Some(_) => true,
        };
        let cosines = self.file_cosines(&found.vector, files, filter).await?;
        // What a commit took away meanwhile has no path any more.
        let mut candidates: Vec<Candidate<'_, (&RepoPath, u32)>> = Vec::with_capacity(scores.len());
        for (id, score) in scores {
            if let Some(path) = paths.get(&id.file()) {
                let defines = found.defining.contains(&id);
                let file_cosine = cosines.get(&id.file()).copied().unwrap_or(0.0);
                let id = (path, id.ordinal());
                candidates.push(Candidate { id, score, path: path.as_str(), defines, file_cosine });
            }
        }
        let files: HashMap<&RepoPath, FileId> = paths.iter().map(|(file, path)| (path, *file)).collect();
        let ranked = rank(query, &candidates, &self.config.ranking).into_iter();
        let with_id = |Ranked { id: (path, ordinal), score, boosts }| {
            let id = ChunkId::in_file(*files.get(path)?, ordinal)?;
            Some(Ranked { id, score, boosts })
        };
        Ok((ranked.filter_map(with_id).collect(), is_torn))
    }

    /// The chunks in which names of the query are defined.
    async fn defining_chunks(
        &self,
        query: &ParsedQuery,
        filter: &Filter,
    ) -> Result<HashSet<ChunkId>, EngineError> {
        let mut chunks = HashSet::new();
        for name in &query.names {
            let Some((last, scope)) = name.split_last() else { continue };
            let look_for = |matching, scope: &[String], files| SymbolQuery {
                matching,
                scope: scope.to_vec(),
                files: Some(files),
                limit: MAX_DEFINITIONS,
                ..SymbolQuery::exact(last)
            };
            let mut found = Vec::new();
            if !scope.is_empty() {
                let files = self.defining_files(last, scope.last()).await?;
                found = self.store.symbols(&look_for(NameMatch::Exact, scope, files)).await?;
            }
            if found.is_empty() {
                // What is before it may be a module or a value, which are not round it.
                let files = self.defining_files(last, None).await?;
                found = self.store.symbols(&look_for(NameMatch::Exact, &[], files.clone())).await?;
                if found.is_empty() && query.kind == QueryKind::Name {
                    found = self.store.symbols(&look_for(NameMatch::IgnoreCase, &[], files)).await?;
                }
            }
            chunks.extend(found.iter().filter_map(|found| found.chunk).filter(|id| filter.lets_pass(*id)));
        }
        Ok(chunks)
    }

    /// Files that define a name: of very many the first ones, as a name that is defined everywhere tells little. With a
    /// name round it only files that have that, too, and those first that define both.
    async fn defining_files(&self, name: &str, round: Option<&String>) -> Result<Vec<FileId>, EngineError> {
        let mut files = self.store.files_naming(name, NameMatch::Exact).await?;
        files.retain(|naming| naming.defines);
        if let Some(round) = round {
            let naming = self.store.files_naming(round, NameMatch::Exact).await?;
            let defines: HashMap<FileId, bool> =
                naming.into_iter().map(|naming| (naming.file, naming.defines)).collect();
            files.retain(|naming| defines.contains_key(&naming.file));
            files.sort_by_key(|naming| !defines.get(&naming.file).copied().unwrap_or(false));
        }
        Ok(files.into_iter().map(|naming| naming.file).take(MAX_DEFINING_FILES).collect())
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
    ) -> Result<Vec<(ChunkId, f64)>, EngineError> {
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let filter = match (&filter.files, filter.kinds.is_empty()) {
            (None, true) => ChunkFilter::All,
            (Some(files), true) => ChunkFilter::Files(files.iter().copied().collect()),
            (_, false) => {
                let filter = filter.clone();
                ChunkFilter::Chunks(Arc::new(move |id| filter.lets_pass(id)))
            }
        };
        let hits = self.store.lexical_search(&terms, BM25F, filter, wanted).await?;
        Ok(hits.into_iter().map(|hit| (hit.chunk, hit.score)).collect())
    }

    /// The vector of a query and the chunks nearest to it; `None` if it has none.
    async fn semantic_candidates(
        &self,
        text: &str,
        filter: Arc<Filter>,
        wanted: usize,
    ) -> Result<Option<(Vec<f32>, Vec<(ChunkId, f64)>)>, EngineError> {
        let (embedder, text) = (self.config.embedder.clone(), text.to_owned());
        let pool = self.search_pool.clone();
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let found = blocking(move || {
            let query = embedder.embed_query(&text)?;
            if query.iter().all(|&value| value == 0.0) {
                return Ok(Some(Default::default()));
            }
            let Some(snapshot) = &filter.snapshot else { return Ok(Some(Default::default())) };
            let passes = |key: u64| ChunkId::from_raw(key).is_some_and(|id| filter.lets_pass(id));
            let options = SearchOptions::new(wanted).with_threshold(embedder.noise_floor());
            let options = if filter.is_open() { options } else { options.with_filter(&passes) };
            let neighbors = pool.install(|| snapshot.search(&query, &options))?;
            let found = neighbors
                .into_iter()
                .filter_map(|found| Some((ChunkId::from_raw(found.key)?, f64::from(found.score))))
                .collect();
            Ok(Some((query, found)))
        })
        .await?;
        if let Err(EngineError::Vector(error @ VectorError::Damaged { .. })) = &found {
            self.distrust(stamp, error)?;
        }
        found
    }

    /// Of files the cosine of a query's vector and the mean of theirs; none if there is no vector.
    async fn file_cosines(
        &self,
        query: &[f32],
        files: Vec<FileId>,
        filter: &Arc<Filter>,
    ) -> Result<HashMap<FileId, f64>, EngineError> {
        if query.is_empty() {
            return Ok(HashMap::new());
        }
        let (query, filter) = (query.to_owned(), filter.clone());
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let cosines = blocking(move || {
            let Some(snapshot) = &filter.snapshot else { return Ok(HashMap::new()) };
            Ok(files
                .into_iter()
                .map(|file| Ok((file, snapshot.file_cosine(&query, file)?)))
                .collect::<Result<_, VectorError>>()?)
        })
        .await?;
        if let Err(EngineError::Vector(error @ VectorError::Damaged { .. })) = &cosines {
            self.distrust(stamp, error)?;
        }
        cosines
    }

    /// Adds the texts, and whether they are still on disk as they were. What a commit took away since it was found is
    /// left out.
    async fn hydrate(&self, ids: &[ChunkId], context: u32) -> Result<Vec<SearchHit>, EngineError> {
        let root = self.tree().await?;
        let mut files: Vec<FileId> = ids.iter().map(|id| id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let documents = self.store.outlines(&files).await?;
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

/// The query with the filters that are in its text.
fn with_filters(query: &SearchQuery, parsed: &ParsedQuery) -> Result<SearchQuery, EngineError> {
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

/// What was found for a query, before it is ranked.
struct Found<'a> {
    /// By words, if these were looked for.
    lexical: Option<&'a [(ChunkId, f64)]>,
    /// By the query's vector, if this was looked for.
    semantic: Option<&'a [(ChunkId, f64)]>,
    /// The chunks that define what the query names.
    defining: HashSet<ChunkId>,
    /// The vector of the query; empty if it has none.
    vector: Vec<f32>,
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
