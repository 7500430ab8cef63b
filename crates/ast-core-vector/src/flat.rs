//! Exact search: every row is scored.

use std::{fmt, ops::Range};

use rayon::prelude::*;

use crate::{
    Filter, Metric, Neighbor, SearchOptions, VectorError, VectorIndex, keys::Keys, space::Space, store::Store, top_k::TopK,
};

/// Exact nearest neighbors by scanning all vectors, as fast as memory delivers them.
///
/// A scan reads `len() * dimension() * 4` bytes, and the time of a search is that divided by the bandwidth of the
/// memory. From [`FlatIndex::PARALLEL_BYTES`] on it is divided among the threads of the rayon pool that the caller
/// is in: the global one, or that of a surrounding `ThreadPool::install`. The result does not depend on it.
///
/// A filter is asked once for every key before anything is scored, and vectors that it excludes are not read where
/// it excludes most: a selective filter makes a search faster.
///
/// A vector takes 4 bytes a value, rounded up to 16 values, and 14 to 20 bytes for its key.
pub struct FlatIndex {
    space: Space,
    keys: Keys,
    store: Store,
}

impl FlatIndex {
    /// Bytes of vectors from which a search uses more than one thread: 4 MiB, at least 0.1 ms of scanning, against
    /// which waking the threads of a pool is small.
    pub const PARALLEL_BYTES: usize = 4 << 20;

    /// An empty index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension).
    pub fn new(dimension: usize, metric: Metric) -> Result<Self, VectorError> {
        Ok(Self::in_space(Space::new(dimension, metric)?))
    }

    fn in_space(space: Space) -> Self {
        Self { space, keys: Keys::default(), store: Store::new(space, crate::Storage::Float) }
    }

    /// The best of all rows for a query that is a row itself.
    pub(crate) fn scan(&self, query: &[f32], options: &SearchOptions<'_>) -> TopK {
        let k = options.k.min(self.keys.len());
        let all = 0..self.keys.len();
        let bytes = all.len() * self.space.stride() * size_of::<f32>();
        if k == 0 {
            return TopK::new(0, None);
        }
        if bytes < Self::PARALLEL_BYTES || rayon::current_num_threads() == 1 {
            return self.scan_slots(query, all, k, options);
        }
        // More pieces than threads, so that one that is held up does not hold up the others; each as large as a
        // whole number of tiles.
        let pieces = rayon::current_num_threads() * 4;
        let piece = all.len().div_ceil(pieces).next_multiple_of(TILE);
        let parts: Vec<TopK> = (0..pieces)
            .into_par_iter()
            .map(|i| (i * piece).min(all.end)..((i + 1) * piece).min(all.end))
            .map(|slots| self.scan_slots(query, slots, k, options))
            .collect();
        let mut top = TopK::new(k, options.threshold);
        for part in parts {
            top.merge(part);
        }
        top
    }

    /// The best `k` of the rows in a range of slots.
    fn scan_slots(&self, query: &[f32], slots: Range<usize>, k: usize, options: &SearchOptions<'_>) -> TopK {
        let mut top = TopK::new(k.min(slots.len()), options.threshold);
        let mut scores = [0.0; TILE];
        for start in slots.clone().step_by(TILE) {
            let tile = start..(start + TILE).min(slots.end);
            let keys = &self.keys.as_slice()[tile.clone()];
            match options.filter {
                None => self.scan_tile(query, tile, &mut scores, |i, score| {
                    if top.admits(score) {
                        top.push(Neighbor { key: keys[i], score });
                    }
                }),
                Some(filter) => self.scan_filtered_tile(query, tile, &mut scores, filter, &mut top),
            }
        }
        top
    }

    /// Scores a tile and hands out each score with its position in the tile.
    #[inline]
    fn scan_tile(
        &self,
        query: &[f32],
        tile: Range<usize>,
        scores: &mut [f32; TILE],
        mut visit: impl FnMut(usize, f32),
    ) {
        let scores = &mut scores[..tile.len()];
        self.space.scores(query, self.store.float_rows(tile).unwrap_or(&[]), scores);
        for (i, &score) in scores.iter().enumerate() {
            visit(i, score);
        }
    }

    fn scan_filtered_tile(
        &self,
        query: &[f32],
        tile: Range<usize>,
        scores: &mut [f32; TILE],
        filter: Filter<'_>,
        top: &mut TopK,
    ) {
        let keys = &self.keys.as_slice()[tile.clone()];
        let mut passes = [false; TILE];
        let mut count = 0;
        for (pass, &key) in passes.iter_mut().zip(keys) {
            *pass = filter(key);
            count += usize::from(*pass);
        }
        // Rows in a row are read so much faster than single ones that half of them cost as much as all.
        if count * 2 > tile.len() {
            self.scan_tile(query, tile, scores, |i, score| {
                if passes[i] && top.admits(score) {
                    top.push(Neighbor { key: keys[i], score });
                }
            });
        } else if count > 0 {
            for (i, &key) in keys.iter().enumerate() {
                if passes[i] {
                    top.push(Neighbor { key, score: self.score(query, tile.start + i) });
                }
            }
        }
    }
}

/// What the other indexes of the crate build on.
#[cfg(feature = "hnsw-rs")]
impl FlatIndex {
    pub(crate) fn space(&self) -> Space {
        self.space
    }

    /// The keys in the order of their slots.
    pub(crate) fn keys(&self) -> &[u64] {
        self.keys.as_slice()
    }

    pub(crate) fn slot(&self, key: u64) -> Option<usize> {
        self.keys.slot(key)
    }

    pub(crate) fn row(&self, slot: usize) -> &[f32] {
        self.store.float_rows(slot..slot + 1).unwrap_or(&[])
    }
}

impl FlatIndex {
    /// The score of the row in a slot for a query that is a row itself.
    pub(crate) fn score(&self, query: &[f32], slot: usize) -> f32 {
        self.space.score(query, self.store.float_rows(slot..slot + 1).unwrap_or(&[]))
    }

    /// Stores a vector that was checked.
    fn store(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        let slot = match self.keys.slot(key) {
            Some(slot) => slot,
            None => {
                self.reserve(1)?;
                self.keys.push(key);
                self.store.push()
            }
        };
        self.store.set(slot, vector, &mut Vec::new());
        Ok(())
    }
}

impl VectorIndex for FlatIndex {
    fn dimension(&self) -> usize {
        self.space.dimension()
    }

    fn metric(&self) -> Metric {
        self.space.metric()
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn contains(&self, key: u64) -> bool {
        self.keys.slot(key).is_some()
    }

    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        self.space.check(Some(key), vector)?;
        self.store(key, vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        let dimension = self.dimension();
        if keys.len().checked_mul(dimension) != Some(vectors.len()) {
            let (keys, received) = (keys.len(), vectors.len());
            return Err(VectorError::BatchLength { keys, dimension, received });
        }
        let pairs = || keys.iter().copied().zip(vectors.chunks_exact(dimension));
        for (key, vector) in pairs() {
            self.space.check(Some(key), vector)?;
        }
        self.reserve(keys.iter().filter(|&&key| !self.contains(key)).count())?;
        for (key, vector) in pairs() {
            self.store(key, vector)?;
        }
        Ok(())
    }

    fn reserve(&mut self, additional: usize) -> Result<(), VectorError> {
        if self.keys.reserve(additional) && self.store.has_room(additional) {
            return Ok(());
        }
        let (vectors, dimension) = (self.len().saturating_add(additional), self.dimension());
        Err(VectorError::Capacity { vectors, dimension })
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        let slot = self.keys.swap_remove(key);
        if let Some(slot) = slot {
            self.store.swap_remove(slot);
        }
        Ok(slot.is_some())
    }

    fn clear(&mut self) {
        *self = Self::in_space(self.space);
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        options.check()?;
        let query = self.space.query(query)?;
        Ok(self.scan(&query, options).into_sorted())
    }
}

impl fmt::Debug for FlatIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatIndex")
            .field("dimension", &self.dimension())
            .field("metric", &self.metric())
            .field("len", &self.len())
            .finish()
    }
}

/// Rows that are scored before their scores are looked at: enough to make the call of a kernel cheap, few enough
/// for the scores to stay in the nearest cache.
const TILE: usize = 128;
