//! Code that is like other code: candidates by vectors and by words, compared by what they mean, by shape and by words.

mod source;

use crate::attempts::Attempts;
use crate::engine::blocking;
use crate::filter::{Filter, path_filter};
use crate::hit::hits_in;
use crate::jobs::path_in;
use crate::metrics::Stage;
use crate::retrieve::{CANDIDATES, nearest};
use crate::step::reach;
use crate::{
    Engine, EngineError, SearchHit, SearchNotice, SimilarQuery, SimilarReply, SimilarTo, VectorError,
};
use ast_core_embed::EmbedError;
use ast_core_model::{ChunkId, FileId};
use ast_core_parse::SourceText;
use ast_core_search::{Likeness, Profile, Profiler, Rarity, Why, fuse};
use ast_core_storage::{Document, FileRecord};
use source::Source;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What meaning counts for, and words for the rest, where candidates are chosen whose texts are compared.
const CHOSEN_BY_MEANING: f64 = 0.5;

impl Engine {
    /// The pieces of the tree that are most like a piece of code: copies of it, copies in which things are called otherwise,
    /// and what does alike in other words or in another language. Candidates are found by its vector and by the words in it,
    /// and compared with it by what they mean, by shape and by words: [`Why::likeness`] of a hit has all three, and its score is
    /// their sum by the [weights](crate::EngineConfig::likeness). A score of 1 is a copy. The place itself is left out.
    ///
    /// # Errors
    /// [`EngineError::NoCode`] if there is nothing at the line, [`EngineError::OutsideTree`] and [`EngineError::Unreadable`] of
    /// a file, [`EngineError::Query`] and [`EngineError::Parse`] of a text that is empty or too large;
    /// [`EngineError::Pattern`] if a path filter is no glob; [`EngineError::OtherPipeline`] if the index was made by other
    /// settings; [`EngineError::Store`]. If the vectors of the index are of another embedder, or none can be made of the code,
    /// the search goes on by words, and says so in [`SimilarReply::notices`].
    pub async fn similar(&self, query: &SimilarQuery) -> Result<SimilarReply, EngineError> {
        let begin = Instant::now();
        let mut attempts = Attempts::new();
        loop {
            if let Some(answer) = attempts.judge(self.similar_once(query).await) {
                return answer.map(|reply| SimilarReply { took: begin.elapsed(), ..reply });
            }
        }
    }

    /// The answer, and whether commits took away meanwhile some of what was found.
    async fn similar_once(&self, query: &SimilarQuery) -> Result<(SimilarReply, bool), EngineError> {
        let paths = path_filter(&query.paths)?;
        let mut other = self.other_embedder().await?;
        let generation = self.store.generation().await?;
        let source = Arc::new(self.source(&query.to, generation).await?);
        let files = self.filter_files(&query.languages, paths.as_ref(), generation).await?;
        let snapshot = match other.is_none() || !query.kinds.is_empty() {
            true => Some(self.vectors(generation).await?),
            false => None,
        };
        if other.is_none() {
            // By now others may have begun to replace them.
            other = self.other_embedder().await?;
        }
        let mut notices = Vec::new();
        if let Some(indexed) = &other {
            let (indexed, current) = (indexed.clone(), self.config.embedder.model().id.clone());
            notices.push(SearchNotice::OtherEmbedder { indexed, current });
        }
        let filter = Arc::new(Filter { files, kinds: query.kinds.clone(), snapshot });
        let wanted = CANDIDATES.max(query.limit).saturating_add(source.same.len());
        let language = source.language.as_ref().map(|language| language.as_str());
        let terms = Profiler::new(&self.config.likeness).terms(&source.code, language);
        let by_words = self.lexical_candidates(&terms, &filter, wanted);
        let by_meaning = async {
            match other {
                Some(_) => Ok((None, None)),
                None => match self.near(source.clone(), filter.clone(), wanted).await {
                    Err(EngineError::Embed(error)) => {
                        Ok((None, Some(SearchNotice::NotEmbedded { reason: error.to_string() })))
                    }
                    near => near.map(|near| (near, None)),
                },
            }
        };
        let (by_words, (near, notice)) = tokio::try_join!(by_words, by_meaning)?;
        notices.extend(notice);
        reach("similar/found")?;
        let by_meaning = near.as_ref().map(|near| near.found.as_slice());
        let mut chosen: Vec<ChunkId> = fuse(Some(&by_words), by_meaning, CHOSEN_BY_MEANING)
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| !source.same.contains(id))
            .collect();
        chosen.truncate(CANDIDATES.max(query.limit));
        let compared = self.compare(source.clone(), near.map(Arc::new), filter, chosen).await?;
        let is_torn = compared.is_torn;
        let hits = self.alike(compared, query).await?;
        let reply = SimilarReply {
            place: source.place.clone(),
            hits,
            generation,
            complete: self.is_complete().await?,
            took: Duration::ZERO,
            notices,
        };
        Ok((reply, is_torn))
    }

    /// The code that a query is about.
    async fn source(&self, to: &SimilarTo, generation: u64) -> Result<Source, EngineError> {
        let config = self.config.clone();
        match to {
            SimilarTo::Code { text, language } => {
                let (text, language) = (text.clone(), *language);
                blocking(move || Source::of_code(&config, &text, language)).await?
            }
            SimilarTo::Place { path, line } => {
                let Some(root) = self.indexed_root().await? else {
                    let reason = "nothing has been indexed".to_owned();
                    return Err(EngineError::Unreadable { path: path.clone(), reason });
                };
                let (path, line) = (path_in(&root, path)?, *line);
                let catalog = self.catalog(generation).await?;
                let mut files = catalog.files.iter();
                let indexed = match files.find(|(_, file)| file.path == path) {
                    Some((file, _)) => self.store.outlines(&[*file]).await?.pop(),
                    None => None,
                };
                blocking(move || Source::of_place(&config, (&root, &path), line, indexed)).await?
            }
        }
    }

    /// The vector of a source and the chunks nearest to it; `None` if it has none.
    async fn near(
        &self,
        source: Arc<Source>,
        filter: Arc<Filter>,
        wanted: usize,
    ) -> Result<Option<Near>, EngineError> {
        let (embedder, pool) = (self.config.embedder.clone(), self.search_pool.clone());
        let metrics = self.metrics.clone();
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let near = blocking(move || {
            let Some(snapshot) = &filter.snapshot else { return Ok(None) };
            let kept = source.chunk.map_or(Ok(None), |chunk| snapshot.vector(chunk))?;
            let vector = match kept {
                Some(vector) => vector,
                None => {
                    let mut vector = Vec::new();
                    embedder.embed(&[source.input()], &mut vector)?;
                    vector
                }
            };
            let dimension = embedder.model().dimension;
            if vector.len() != dimension {
                let reason = format!("{} values for one text, not {dimension}", vector.len());
                return Err(EmbedError::Model { model: embedder.model().id.clone(), reason }.into());
            }
            if vector.iter().all(|&value| value == 0.0) {
                return Ok(None);
            }
            let least = embedder.noise_floor();
            let found = pool.install(|| nearest(&metrics, &vector, &filter, least, wanted))?;
            Ok(Some(Near { vector, found }))
        })
        .await?;
        if let Err(EngineError::Vector(error @ VectorError::Damaged { .. })) = &near {
            self.distrust(stamp, error)?;
        }
        near
    }

    /// Reads the texts of chunks and compares each with the source.
    async fn compare(
        &self,
        source: Arc<Source>,
        near: Option<Arc<Near>>,
        filter: Arc<Filter>,
        chosen: Vec<ChunkId>,
    ) -> Result<Compared, EngineError> {
        let mut files: Vec<FileId> = chosen.iter().map(|id| id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let mut of_file: HashMap<FileId, Vec<ChunkId>> = HashMap::new();
        chosen.iter().for_each(|id| of_file.entry(id.file()).or_default().push(*id));
        let of_file = Arc::new(of_file);
        // Reading takes longest, and is done by two at a time.
        let (some, others) = files.split_at(files.len() / 2);
        let (some, others) = tokio::try_join!(
            self.profiles(source.clone(), some, of_file.clone()),
            self.profiles(source.clone(), others, of_file.clone())
        )?;
        let (mut documents, mut profiles) = some;
        documents.extend(others.0);
        profiles.extend(others.1);
        let weights = self.config.likeness;
        let stamp = filter.snapshot.as_ref().and_then(|snapshot| snapshot.stamp());
        let is_torn = profiles.len() < chosen.len();
        let likeness = blocking(move || {
            let language = source.language.as_ref().map(|language| language.as_str());
            let profile = Profiler::new(&weights).profile(&source.code, language);
            let rarity = Rarity::among(profiles.iter().map(|other| &other.profile).chain([&profile]));
            let found: HashMap<ChunkId, f64> =
                near.iter().flat_map(|near| near.found.iter().copied()).collect();
            let compare = |Candidate { id, profile: other, is_copy }: Candidate| {
                if is_copy {
                    // Its vector is another where its path is.
                    let meaning = near.is_some().then_some(1.0);
                    return Ok((id, Likeness { meaning, shape: 1.0, words: 1.0 }));
                }
                let meaning = match (&near, found.get(&id)) {
                    (None, _) => None,
                    (Some(_), Some(cosine)) => Some(cosine.clamp(0.0, 1.0)),
                    (Some(near), None) => {
                        let vector = filter.snapshot.as_ref().map(|snapshot| snapshot.vector(id));
                        Some(
                            vector.transpose()?.flatten().map_or(0.0, |vector| cosine(&near.vector, &vector)),
                        )
                    }
                };
                let shape = rarity.shape(&profile, &other, &weights);
                let words = rarity.words(&profile, &other, &weights);
                Ok((id, Likeness { meaning, shape, words }))
            };
            profiles.into_iter().map(compare).collect::<Result<Vec<_>, VectorError>>()
        })
        .await?;
        if let Err(error @ VectorError::Damaged { .. }) = &likeness {
            self.distrust(stamp, error)?;
        }
        Ok(Compared { documents, likeness: likeness?, is_torn })
    }

    /// Files, and what of these chunks of them is compared with the source. What a commit took away meanwhile is left out.
    async fn profiles(
        &self,
        source: Arc<Source>,
        files: &[FileId],
        chunks: Arc<HashMap<FileId, Vec<ChunkId>>>,
    ) -> Result<(Vec<(FileRecord, Document)>, Vec<Candidate>), EngineError> {
        let documents = self.store.outlines(files).await?;
        let weights = self.config.likeness;
        blocking(move || {
            let mut profiler = Profiler::new(&weights);
            let mut profiles = Vec::new();
            for (record, document) in &documents {
                let text = SourceText::decode(&document.source)?;
                let language = record.language.as_ref().map(|language| language.as_str());
                for &id in chunks.get(&record.id).into_iter().flatten() {
                    if let Some(chunk) = document.chunks.get(id.ordinal() as usize) {
                        let code = text.slice(chunk.span);
                        let is_copy = code.trim() == source.code.trim();
                        profiles.push(Candidate { id, profile: profiler.profile(code, language), is_copy });
                    }
                }
            }
            Ok((documents, profiles))
        })
        .await?
    }

    /// The most alike of what was compared. Where all else is alike, their places decide.
    async fn alike(&self, compared: Compared, query: &SimilarQuery) -> Result<Vec<SearchHit>, EngineError> {
        let Compared { mut documents, likeness, .. } = compared;
        let paths: HashMap<FileId, &str> =
            documents.iter().map(|(record, _)| (record.id, record.path.as_str())).collect();
        let score = |likeness: &Likeness| likeness.score(&self.config.likeness);
        let mut scored: Vec<(f64, &str, ChunkId, Likeness)> = likeness
            .into_iter()
            .filter_map(|(id, likeness)| Some((score(&likeness), *paths.get(&id.file())?, id, likeness)))
            .filter(|(score, ..)| *score >= query.threshold && *score > 0.0)
            .collect();
        scored.sort_unstable_by(|a, b| {
            b.0.total_cmp(&a.0).then_with(|| (a.1, a.2.ordinal()).cmp(&(b.1, b.2.ordinal())))
        });
        scored.truncate(query.limit);
        let scored: Vec<(ChunkId, f64, Likeness)> =
            scored.into_iter().map(|(score, _, id, likeness)| (id, score, likeness)).collect();
        let ids: Vec<ChunkId> = scored.iter().map(|(id, ..)| *id).collect();
        documents.retain(|(record, _)| ids.iter().any(|id| id.file() == record.id));
        let (root, context) = (self.tree().await?, query.context);
        let metrics = self.metrics.clone();
        let hits = blocking(move || {
            let mut timing = metrics.start(Stage::Hydrate);
            let hits = hits_in(&documents, &ids, context, root.as_deref())?;
            timing.count(hits.len(), 0);
            Ok::<_, EngineError>(hits)
        })
        .await??;
        let mut hits: HashMap<ChunkId, SearchHit> = hits.into_iter().map(|hit| (hit.chunk, hit)).collect();
        let with_score = |(id, score, likeness): (ChunkId, f64, Likeness)| {
            let mut hit = hits.remove(&id)?;
            hit.score = score;
            hit.why = Why { likeness: Some(likeness), ..Why::default() };
            Some(hit)
        };
        Ok(scored.into_iter().filter_map(with_score).collect())
    }
}

/// The vector of a source, and the chunks nearest to it.
struct Near {
    vector: Vec<f32>,
    found: Vec<(ChunkId, f64)>,
}

/// What of a chunk is compared with a source.
struct Candidate {
    id: ChunkId,
    profile: Profile,
    /// Whether its text is that of the source.
    is_copy: bool,
}

/// Candidates that were compared with a source.
struct Compared {
    documents: Vec<(FileRecord, Document)>,
    likeness: Vec<(ChunkId, Likeness)>,
    /// Whether some of them were taken away before they were read.
    is_torn: bool,
}

/// The cosine of two vectors, 0 if it is less.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { (dot(a, b) / lengths).clamp(0.0, 1.0) } else { 0.0 }
}
