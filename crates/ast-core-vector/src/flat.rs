//! Exact search: every row is scored.

use std::{fmt, ops::Range, path::Path};

use crate::{
    Expected, Filter, Header, Kind, Memory, Metric, Neighbor, SaveOptions, SearchOptions, Storage,
    VectorError, VectorIndex,
    bytes::in_parts,
    file::{Part, Reader, Writer},
    frontier::{Candidate, Frontier},
    keys::Keys,
    rows::Rows,
    space::Space,
    store::{Query, Store},
    top_k::TopK,
};

/// Nearest neighbors by scanning all vectors, as fast as memory delivers them. Exact unless it is told otherwise.
///
/// The time of a search is the bytes that a scan reads divided by the bandwidth of the memory: `len() * dimension()`
/// times 4, or times 1 if there are codes. Above [`FlatIndex::PARALLEL_BYTES`] it is divided among the threads of the
/// rayon pool that the caller is in: the global one, or that of a surrounding `ThreadPool::install`. The result does
/// not depend on it.
///
/// With codes ([`FlatIndex::with_storage`]) a scan reads those only and the nearest by them, half again as many as
/// asked for and at least 10 more, are scored by the vectors themselves. Among 100,000 embeddings of code that found
/// the 10 nearest to each of 1,000 others without missing one, in an eighth of the time.
///
/// A filter is asked once for every key before anything is scored, and vectors that it excludes are not read where
/// it excludes most: a selective filter makes a search faster.
///
/// A vector takes what its [`Storage`] says, rounded up to 64 bytes, and 14 to 20 bytes for its key. A clone shares
/// the vectors until one of the two is changed, and then copies what is changed by the megabyte: it can serve as a
/// snapshot to search while the other is written.
#[derive(Clone)]
pub struct FlatIndex {
    space: Space,
    keys: Keys,
    store: Store,
    storage: Storage,
}

impl FlatIndex {
    /// Bytes to scan from which a search uses more than one thread: 4 MiB, at least 0.1 ms of scanning, against
    /// which waking the threads of a pool is small.
    pub const PARALLEL_BYTES: usize = 4 << 20;

    /// An empty exact index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension).
    pub fn new(dimension: usize, metric: Metric) -> Result<Self, VectorError> {
        Self::with_storage(dimension, metric, Storage::Float)
    }

    /// An empty index that keeps of each vector what `storage` says: with [`Storage::Float`] it is exact.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_storage(dimension: usize, metric: Metric, storage: Storage) -> Result<Self, VectorError> {
        Ok(Self::in_space(Space::new(dimension, metric)?.for_storage(storage), storage))
    }

    /// Saves the index in a file; see [`Hnsw::save`](crate::Hnsw::save).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<(), VectorError> {
        let mut file = Writer::new(path.as_ref(), options, self.store.file())?;
        file.list(Part::Keys, self.keys.as_slice())?;
        let state = self.store.write_to(&mut file)?;
        let index = (Kind::Flat, self.dimension(), self.metric(), self.storage, self.len());
        file.finish(options, index, None, state)
    }

    /// Opens an index that was saved with the same storage; see [`Hnsw::open`](crate::Hnsw::open).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open(
        path: impl AsRef<Path>,
        expected: &Expected<'_>,
        storage: Storage,
    ) -> Result<(Self, Header), VectorError> {
        let space = Space::new(expected.dimension, expected.metric)?.for_storage(storage);
        let file = Reader::open(path.as_ref(), Kind::Flat, expected, storage, None)?;
        let keys: Vec<u64> = file.list(Part::Keys)?;
        if keys.len() != file.state().slots {
            return Err(file.mismatch(Part::Keys));
        }
        let store = Store::read_from(&file, space, storage)?;
        Ok((Self { space, keys: Keys::of_slots(keys, None), store, storage }, file.header().clone()))
    }

    /// Checks what was not needed yet of the file that the index was opened from; see
    /// [`Hnsw::verify`](crate::Hnsw::verify).
    ///
    /// # Errors
    ///
    /// [`Damaged`](VectorError::Damaged).
    pub fn verify(&self) -> Result<(), VectorError> {
        self.store.verify();
        self.store.check_file()
    }

    /// The bytes that vectors take now.
    pub fn memory(&self) -> Memory {
        self.store.memory()
    }

    /// The keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.keys.as_slice().iter().copied()
    }

    fn in_space(space: Space, storage: Storage) -> Self {
        Self { space, keys: Keys::default(), store: Store::new(space, storage), storage }
    }

    /// The best of all rows for a query that is a row itself.
    pub(crate) fn scan(&self, query: &[f32], options: &SearchOptions<'_>) -> TopK {
        let k = options.k.min(self.keys.len());
        let parts = self.in_parts(size_of::<f32>(), |slots| self.scan_slots(query, slots, k, options));
        let mut top = TopK::new(k, options.threshold);
        for part in parts {
            top.merge(part);
        }
        top
    }

    /// What `scan` makes of all slots, in one piece or in several on as many threads as there are.
    fn in_parts<T: Send>(&self, value_bytes: usize, scan: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
        in_parts(self.keys.len(), self.space.stride() * value_bytes, scan)
    }

    /// The best by codes, scored by the vectors.
    fn scan_codes(&self, query: &Query, options: &SearchOptions<'_>) -> TopK {
        let k = options.k.min(self.keys.len());
        let most = self.store.candidates(k);
        let scan = |slots| self.scan_code_slots(query, slots, most, options.filter);
        let mut candidates: Vec<Candidate> = self.in_parts(1, scan).into_iter().flatten().collect();
        candidates.sort_unstable();
        candidates.truncate(most);
        let slots: Vec<usize> = candidates.into_iter().map(|candidate| candidate.node as usize).collect();
        self.score_slots(query, &slots, k, options.threshold)
    }

    /// The nearest by codes in a range of slots.
    fn scan_code_slots(
        &self,
        query: &Query,
        slots: Range<usize>,
        most: usize,
        filter: Option<Filter<'_>>,
    ) -> Vec<Candidate> {
        let mut nearest = Frontier::default();
        nearest.reset(most);
        let mut distances = [0; TILE];
        for start in slots.clone().step_by(TILE) {
            let tile = start..(start + TILE).min(slots.end);
            let distances = &mut distances[..tile.len()];
            match filter {
                None => {
                    self.store.scan(query, tile.clone(), distances);
                    for (&distance, node) in distances.iter().zip(tile.start as u32..) {
                        nearest.offer(Candidate { distance, node });
                    }
                }
                Some(filter) => {
                    let keys = self.keys.as_slice()[tile.clone()].iter().zip(tile.start as u32..);
                    let passing: Vec<u32> =
                        keys.filter(|(key, _)| filter(**key)).map(|(_, slot)| slot).collect();
                    let distances = &mut distances[..passing.len()];
                    self.store.distances(query, &passing, distances);
                    for (&node, &distance) in passing.iter().zip(&*distances) {
                        nearest.offer(Candidate { distance, node });
                    }
                }
            }
        }
        nearest.iter().collect()
    }

    /// The best of some slots.
    fn score_slots(&self, query: &Query, slots: &[usize], k: usize, threshold: Option<f32>) -> TopK {
        for &slot in slots {
            self.store.prefetch_original(slot as u32);
        }
        let mut top = TopK::new(k.min(slots.len()), threshold);
        let mut row = Vec::new();
        for &slot in slots {
            let score = self.store.score(query, slot, &mut row);
            top.push(Neighbor { key: self.keys.as_slice()[slot], score });
        }
        top
    }

    /// The best of the keys that are listed.
    fn search_keys(&self, query: &Query, keys: &[u64], options: &SearchOptions<'_>) -> TopK {
        let passing = keys.iter().filter(|&&key| options.filter.is_none_or(|filter| filter(key)));
        let mut slots: Vec<usize> = passing.filter_map(|&key| self.keys.slot(key)).collect();
        slots.sort_unstable();
        slots.dedup();
        self.score_slots(query, &slots, options.k, options.threshold)
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
    pub(crate) fn slot_keys(&self) -> &[u64] {
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

    /// Stores a vector that was checked, for whose key there is room.
    fn store(&mut self, key: u64, vector: &[f32], row: &mut Vec<f32>) {
        let slot = match self.keys.slot(key) {
            Some(slot) => slot,
            None => {
                self.keys.push(key);
                self.store.push()
            }
        };
        self.store.set(slot, vector, row);
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
        self.insert_many(&[key], vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        self.space.check_many(keys, vectors)?;
        self.store.check_file()?;
        self.reserve(keys.iter().filter(|&&key| !self.contains(key)).count())?;
        self.store.train(vectors);
        let mut row = Vec::new();
        for (&key, vector) in keys.iter().zip(vectors.chunks_exact(self.dimension())) {
            self.store(key, vector, &mut row);
        }
        self.store.check_file()
    }

    fn reserve(&mut self, additional: usize) -> Result<(), VectorError> {
        if self.keys.reserve(additional) && self.store.has_room(additional) {
            return Ok(());
        }
        let (vectors, dimension) = (self.len().saturating_add(additional), self.dimension());
        Err(VectorError::Capacity { vectors, dimension })
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        self.store.check_file()?;
        let slot = self.keys.swap_remove(key);
        if let Some(slot) = slot {
            self.store.swap_remove(slot);
        }
        self.store.check_file()?;
        Ok(slot.is_some())
    }

    fn clear(&mut self) {
        *self = Self::in_space(self.space, self.storage);
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        options.check()?;
        self.space.check(None, query)?;
        let query = self.store.query(query);
        let top = match options.keys {
            Some(keys) => self.search_keys(&query, keys, options),
            None if self.store.has_codes() => self.scan_codes(&query, options),
            None => self.scan(query.row(), options),
        };
        self.store.check_file()?;
        Ok(top.into_sorted())
    }
}

impl fmt::Debug for FlatIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatIndex")
            .field("dimension", &self.dimension())
            .field("metric", &self.metric())
            .field("storage", &self.storage)
            .field("len", &self.len())
            .finish()
    }
}

/// Rows that are scored before their scores are looked at: enough to make the call of a kernel cheap, few enough
/// for the scores to stay in the nearest cache.
const TILE: usize = Rows::<u32>::GROUP;
