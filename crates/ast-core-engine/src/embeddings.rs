//! Vectors of what is indexed: from the embedder, or from the cache of what it made before.

use crate::EngineError;
use crate::config::EngineConfig;
use crate::metrics::{Metrics, Stage};
use ast_core_embed::{EmbedError, EmbedInput, Embedder, ModelInfo};
use ast_core_model::ContentHash;
use ast_core_storage::{EmbeddingCache, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// An embedder, and what it made before. A clone shares both.
#[derive(Clone)]
pub(crate) struct Embeddings {
    embedder: Arc<dyn Embedder>,
    cache: Option<Arc<Cache>>,
    metrics: Arc<Metrics>,
}

struct Cache {
    file: EmbeddingCache,
    /// It failed. Whatever is in it can be made again, so the run goes on without.
    is_broken: AtomicBool,
    /// What the embedder is being asked for: two files with the same code in them come at the same time, too.
    asked: Mutex<HashSet<ContentHash>>,
    answered: Condvar,
}

impl Cache {
    fn asked(&self) -> MutexGuard<'_, HashSet<ContentHash>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the keys that nobody asks for.
    fn claim(&self, keys: &[ContentHash]) -> Claim<'_> {
        let mut asked = self.asked();
        Claim { cache: self, keys: keys.iter().copied().filter(|key| asked.insert(*key)).collect() }
    }

    /// Waits until nobody asks for this key any more.
    fn wait_for(&self, key: &ContentHash) {
        let asked = self.answered.wait_while(self.asked(), |asked| asked.contains(key));
        drop(asked.unwrap_or_else(PoisonError::into_inner));
    }

    fn give_up(&self, error: &StoreError) {
        if !self.is_broken.swap(true, Ordering::Relaxed) {
            let path = self.file.path().display();
            tracing::warn!(%path, %error, "the cache of vectors failed; the run goes on without it");
        }
    }
}

impl Embeddings {
    /// Opens the cache, if the embedder of the configuration is worth one. Waits for the disk.
    pub(crate) fn open(config: &EngineConfig, metrics: Arc<Metrics>) -> Result<Self, EngineError> {
        Self::of(config.embedder.clone(), config, metrics)
    }

    /// Those of another embedder, in the same cache.
    pub(crate) fn of(
        embedder: Arc<dyn Embedder>,
        config: &EngineConfig,
        metrics: Arc<Metrics>,
    ) -> Result<Self, EngineError> {
        let cache = match &config.embedding_cache {
            Some(settings) if embedder.is_costly() => {
                let path = settings.path_beside(&config.database);
                let model = embedder.model();
                let file = EmbeddingCache::open(&path, &model.id, model.dimension, settings.max_bytes)
                    .map_err(|source| EngineError::EmbeddingCache { path, source })?;
                let (is_broken, asked) = (AtomicBool::new(false), Mutex::default());
                Some(Arc::new(Cache { file, is_broken, asked, answered: Condvar::new() }))
            }
            _ => None,
        };
        Ok(Self { embedder, cache, metrics })
    }

    /// Those of an embedder, without a cache.
    pub(crate) fn without_cache(embedder: Arc<dyn Embedder>, metrics: Arc<Metrics>) -> Self {
        Self { embedder, cache: None, metrics }
    }

    /// Appends the vectors of the inputs, one after the other.
    pub(crate) fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let mut timing = self.metrics.start(Stage::Embed);
        match self.cache.as_deref().filter(|cache| !cache.is_broken.load(Ordering::Relaxed)) {
            Some(cache) => self.embed_by(cache, inputs, vectors)?,
            None => self.embedder.embed(inputs, vectors)?,
        }
        timing.count(inputs.len(), inputs.iter().map(|input| input.code.len()).sum());
        Ok(())
    }

    fn embed_by(
        &self,
        cache: &Cache,
        inputs: &[EmbedInput<'_>],
        vectors: &mut Vec<f32>,
    ) -> Result<(), EmbedError> {
        let keys: Vec<ContentHash> = inputs.iter().map(|input| self.embedder.cache_key(input)).collect();
        // Of inputs that are alike, one.
        let mut missing: Vec<usize> = (0..inputs.len()).collect();
        missing.sort_by_key(|&at| keys[at]);
        missing.dedup_by_key(|at| keys[*at]);
        let mut known: HashMap<ContentHash, Vec<f32>> = HashMap::with_capacity(missing.len());
        loop {
            // What others are asking for is theirs; the rest is asked for here, and then there is nothing to hold on to
            // while they are waited for.
            let wanted: Vec<ContentHash> = missing.iter().map(|&at| keys[at]).collect();
            let mut claim = cache.claim(&wanted);
            let kept = cache.file.get(&wanted).unwrap_or_else(|error| {
                cache.give_up(&error);
                vec![None; wanted.len()]
            });
            known.extend(wanted.iter().zip(kept).filter_map(|(key, vector)| Some((*key, vector?))));
            missing.retain(|&at| !known.contains_key(&keys[at]));
            let asked: Vec<usize> = missing.iter().copied().filter(|&at| claim.has(&keys[at])).collect();
            self.ask(cache, inputs, &keys, &asked, &mut known)?;
            missing.retain(|&at| !known.contains_key(&keys[at]));
            claim.end();
            let Some(&next) = missing.first() else { break };
            cache.wait_for(&keys[next]);
        }
        // No input is without a vector, as each key is now among the known ones.
        for vector in keys.iter().filter_map(|key| known.get(key)) {
            vectors.extend_from_slice(vector);
        }
        Ok(())
    }

    /// Asks the embedder for these inputs, and keeps what it makes.
    fn ask(
        &self,
        cache: &Cache,
        inputs: &[EmbedInput<'_>],
        keys: &[ContentHash],
        asked: &[usize],
        known: &mut HashMap<ContentHash, Vec<f32>>,
    ) -> Result<(), EmbedError> {
        if asked.is_empty() {
            return Ok(());
        }
        let texts: Vec<EmbedInput<'_>> = asked.iter().map(|&at| inputs[at]).collect();
        let mut made = Vec::new();
        self.embedder.embed(&texts, &mut made)?;
        let ModelInfo { id, dimension, .. } = self.embedder.model();
        if made.len() != texts.len() * dimension {
            let reason = format!("{} values for {} texts", made.len(), texts.len());
            return Err(EmbedError::Model { model: id.clone(), reason });
        }
        let made = || asked.iter().map(|&at| keys[at]).zip(made.chunks_exact((*dimension).max(1)));
        if let Err(error) = cache.file.put(made()) {
            cache.give_up(&error);
        }
        known.extend(made().map(|(key, vector)| (key, vector.to_vec())));
        Ok(())
    }
}

/// Keys that are being asked for, until this is dropped.
struct Claim<'a> {
    cache: &'a Cache,
    keys: HashSet<ContentHash>,
}

impl Claim<'_> {
    fn has(&self, key: &ContentHash) -> bool {
        self.keys.contains(key)
    }

    fn end(&mut self) {
        let ended = std::mem::take(&mut self.keys);
        self.cache.asked().retain(|key| !ended.contains(key));
        self.cache.answered.notify_all();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
