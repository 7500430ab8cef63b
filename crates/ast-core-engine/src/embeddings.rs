//! Vectors of what is indexed: from the embedder, or from the cache of what it made before.

use crate::EngineError;
use crate::config::EngineConfig;
use ast_core_embed::{EmbedError, EmbedInput, Embedder};
use ast_core_model::ContentHash;
use ast_core_storage::{EmbeddingCache, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An embedder, and what it made before. A clone shares both.
#[derive(Clone)]
pub(crate) struct Embeddings {
    embedder: Arc<dyn Embedder>,
    cache: Option<Arc<Cache>>,
}

struct Cache {
    file: EmbeddingCache,
    /// It failed. Whatever is in it can be made again, so the run goes on without.
    is_broken: AtomicBool,
}

impl Cache {
    fn give_up(&self, error: &StoreError) {
        if !self.is_broken.swap(true, Ordering::Relaxed) {
            let path = self.file.path().display();
            tracing::warn!(%path, %error, "the cache of vectors failed; the run goes on without it");
        }
    }
}

impl Embeddings {
    /// Opens the cache, if the embedder of the configuration is worth one. Waits for the disk.
    pub(crate) fn open(config: &EngineConfig) -> Result<Self, EngineError> {
        Self::of(config.embedder.clone(), config)
    }

    /// Those of another embedder, in the same cache.
    pub(crate) fn of(embedder: Arc<dyn Embedder>, config: &EngineConfig) -> Result<Self, EngineError> {
        let cache = match &config.embedding_cache {
            Some(settings) if embedder.is_costly() => {
                let path = settings.path_beside(&config.database);
                let model = embedder.model();
                let file = EmbeddingCache::open(&path, &model.id, model.dimension, settings.max_bytes)
                    .map_err(|source| EngineError::EmbeddingCache { path, source })?;
                Some(Arc::new(Cache { file, is_broken: AtomicBool::new(false) }))
            }
            _ => None,
        };
        Ok(Self { embedder, cache })
    }

    /// Those of an embedder, without a cache.
    pub(crate) fn without_cache(embedder: Arc<dyn Embedder>) -> Self {
        Self { embedder, cache: None }
    }

    /// Appends the vectors of the inputs, one after the other.
    pub(crate) fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        match self.cache.as_deref().filter(|cache| !cache.is_broken.load(Ordering::Relaxed)) {
            Some(cache) => self.embed_by(cache, inputs, vectors),
            None => self.embedder.embed(inputs, vectors),
        }
    }

    fn embed_by(
        &self,
        cache: &Cache,
        inputs: &[EmbedInput<'_>],
        vectors: &mut Vec<f32>,
    ) -> Result<(), EmbedError> {
        let keys: Vec<ContentHash> = inputs.iter().map(|input| self.embedder.cache_key(input)).collect();
        let known = cache.file.get(&keys).unwrap_or_else(|error| {
            cache.give_up(&error);
            vec![None; keys.len()]
        });
        // Of inputs that are alike, one.
        let mut missing: Vec<usize> = (0..inputs.len()).filter(|&at| known[at].is_none()).collect();
        missing.sort_by_key(|&at| keys[at]);
        missing.dedup_by_key(|at| keys[*at]);
        let asked: Vec<EmbedInput<'_>> = missing.iter().map(|&at| inputs[at]).collect();
        let mut made = Vec::new();
        if !asked.is_empty() {
            self.embedder.embed(&asked, &mut made)?;
        }
        let dimension = self.embedder.model().dimension;
        let of = |at: usize| {
            let place = missing.binary_search_by_key(&keys[at], |&at| keys[at]).ok()?;
            made.get(place * dimension..)?.get(..dimension)
        };
        let new = missing.iter().filter_map(|&at| Some((keys[at], of(at)?)));
        if !missing.is_empty()
            && let Err(error) = cache.file.put(new)
        {
            cache.give_up(&error);
        }
        for (at, known) in known.iter().enumerate() {
            let vector = known.as_deref().or_else(|| of(at)).ok_or_else(|| EmbedError::Model {
                model: self.embedder.model().id.clone(),
                reason: format!("{} values for {} texts", made.len(), asked.len()),
            })?;
            vectors.extend_from_slice(vector);
        }
        Ok(())
    }
}
