//! Search: candidates by words and by vectors, fused, and made into hits.

use crate::attempts::Attempts;
use crate::engine::blocking;
use crate::filter::{Filter, path_filter, with_filters};
use crate::metrics::{Metrics, Stage};
use crate::step::reach;
use crate::{Engine, EngineError, SearchHit, SearchNotice, SearchQuery, SearchReply, VectorError};
use ast_core_model::{ChunkId, FileId, RepoPath};
use ast_core_search::{Candidate, ParsedQuery, QueryKind, Ranked, Why, fuse, rank};
use ast_core_storage::{Bm25f, ChunkFilter, NameMatch, StoreError, SymbolQuery};
use ast_core_vector::SearchOptions;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Candidates that each way of finding brings, at least.
pub(crate) const CANDIDATES: usize = 200;

/// Chunks that are compared with a query for each that is wanted, and at least: those that are nearest by sketches of their
/// vectors. Of the nearest 200 of 250,000 this misses one in fifty, and of the nearest ten none.
const SKETCHED_A_NEIGHBOR: usize = 20;
const FEWEST_SKETCHED: usize = 4000;

/// Definitions of one name that are looked at, and files that they are looked for in, each of which is read whole.
const MAX_DEFINITIONS: usize = 50;
const MAX_DEFINING_FILES: usize = 64;

/// A match in a name says more than one in the text. Of the parameters that were measured, these find the most.
const BM25F: Bm25f = Bm25f { weights: [4.0, 2.0, 2.0, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 1.0 };

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
        let _active = self.metrics.enter_search();
        let span = tracing::debug_span!("search", mode = %query.mode, limit = query.limit);
        let mut reply = self.search_until_whole(query).instrument(span).await;
        let took = begin.elapsed();
        self.metrics.search_ended(&reply, took);
        if let Ok(reply) = &mut reply {
            reply.took = took;
            let (generation, hits, found) = (reply.generation, reply.hits.len(), reply.found);
            tracing::debug!(generation, hits, found, ?took, "searched");
        }
        reply
    }

    async fn search_until_whole(&self, query: &SearchQuery) -> Result<SearchReply, EngineError> {
        let mut attempts = Attempts::new();
        loop {
            if let Some(answer) = attempts.judge(self.search_once(query).await) {
                return answer;
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
        let files = self.filter_files(&query.languages, paths.as_ref(), generation).await?;
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
                true => {
                    let defining = self.defining_chunks(&parsed, &filter);
                    self.metrics.time(Stage::Definitions, defining, HashSet::len).await
                }
                false => Ok(HashSet::new()),
            }
        };
        let (lexical, (semantic, notice), defining) = tokio::try_join!(lexical, semantic, definitions)?;
        notices.extend(notice);
        reach("search/found")?;
        let (vector, semantic) = semantic.unzip();
        let found = Found {
            lexical: lexical.as_deref(),
            semantic: semantic.as_deref(),
            defining,
            vector: vector.unwrap_or_default(),
        };
        let ranking = self.rank(&parsed, &found, &filter, generation);
        let (mut ranked, is_torn) =
            self.metrics.time(Stage::Rank, ranking, |(ranked, _)| ranked.len()).await?;
        let mut reranked = HashMap::new();
        if let Some(reranking) = self.config.reranking.as_ref().filter(|_| query.rerank) {
            let reranking = self.rerank(reranking, &parsed.text, &mut ranked);
            match self.metrics.time(Stage::Rerank, reranking, HashMap::len).await {
                Ok(cosines) => reranked = cosines,
                Err(EngineError::Embed(error)) => {
                    notices.push(SearchNotice::NotReranked { reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        let mut ranked: Vec<Ranked<ChunkId>> =
            ranked.into_iter().filter(|hit| hit.score >= query.threshold).collect();
        let candidates = ranked.len();
        ranked.truncate(query.limit);
        let ids: Vec<ChunkId> = ranked.iter().map(|hit| hit.id).collect();
        reach("search/ranked")?;
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
                likeness: None,
            };
            Some(hit)
        };
        let hits: Vec<SearchHit> = ranked.into_iter().filter_map(with_score).collect();
        let is_torn = is_torn || hits.len() < ids.len();
        let complete = self.is_complete().await?;
        Ok((
            SearchReply { hits, found: candidates, generation, complete, took: Duration::ZERO, notices },
            is_torn,
        ))
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

    pub(crate) async fn lexical_candidates(
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
        let search = self.store.lexical_search(&terms, BM25F, filter, wanted);
        let hits = self.metrics.time(Stage::Lexical, search, Vec::len).await?;
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
        let (pool, metrics) = (self.search_pool.clone(), self.metrics.clone());
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let found = blocking(move || {
            let mut timing = metrics.start(Stage::QueryEmbed);
            let query = embedder.embed_query(&text)?;
            timing.count(1, 0);
            drop(timing);
            if query.iter().all(|&value| value == 0.0) {
                return Ok(Some(Default::default()));
            }
            let least = embedder.noise_floor();
            let found = pool.install(|| nearest(&metrics, &query, &filter, least, wanted))?;
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
        let pool = self.search_pool.clone();
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let cosines = blocking(move || {
            let Some(snapshot) = &filter.snapshot else { return Ok(HashMap::new()) };
            let cosine = |file| Ok::<_, VectorError>((file, snapshot.file_cosine(&query, file)?));
            Ok(pool.install(|| files.into_par_iter().map(cosine).collect::<Result<_, _>>())?)
        })
        .await?;
        if let Err(EngineError::Vector(error @ VectorError::Damaged { .. })) = &cosines {
            self.distrust(stamp, error)?;
        }
        cosines
    }
}

/// The chunks whose vectors are nearest to this one, nearest first: of those whose cosine with it is at least `least`.
pub(crate) fn nearest(
    metrics: &Metrics,
    vector: &[f32],
    filter: &Filter,
    least: f32,
    wanted: usize,
) -> Result<Vec<(ChunkId, f64)>, VectorError> {
    let Some(snapshot) = &filter.snapshot else { return Ok(Vec::new()) };
    let mut timing = metrics.start(Stage::VectorSearch);
    let passes = |key: u64| ChunkId::from_raw(key).is_some_and(|id| filter.lets_pass(id));
    let looked_at = wanted.saturating_mul(SKETCHED_A_NEIGHBOR).max(FEWEST_SKETCHED);
    let options = SearchOptions::new(wanted).with_threshold(least).with_ef(looked_at);
    let options = if filter.is_open() { options } else { options.with_filter(&passes) };
    let neighbors = snapshot.search(vector, &options)?;
    timing.count(neighbors.len(), 0);
    let neighbors = neighbors.into_iter();
    Ok(neighbors.filter_map(|found| Some((ChunkId::from_raw(found.key)?, f64::from(found.score)))).collect())
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
