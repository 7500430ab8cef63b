//! Approximate nearest neighbors by a graph over codes.

mod delete;
mod filter;
mod graph;
mod insert;
mod search;

use std::{fmt, path::Path};

pub(crate) use self::graph::HIGHEST_LEVEL;
use self::{
    graph::Graph,
    insert::{Building, Source},
    search::{MOST_LINKS, Pool},
};
use crate::{
    Expected, Header, Kind, Memory, Metric, Neighbor, SaveOptions, SearchOptions, Storage, VectorError,
    VectorIndex,
    bits::Bits,
    file::{Part, Reader, Writer},
    frontier::Candidate,
    keys::Keys,
    space::Space,
    store::{Query, Store},
};

/// Settings of an [`Hnsw`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HnswConfig {
    /// Links that a new vector gets in each layer; in the lowest it can come to have twice as many. 2 to 128, by
    /// default 16. More find more and take more memory: 8 bytes a vector each.
    pub m: usize,
    /// Candidates that are looked at to link a new vector; 1 to 65,536, by default 200. More find better links and
    /// build more slowly.
    pub ef_construction: usize,
    /// Candidates that a search looks at unless it says so itself; at least 1, by default 64. See
    /// [`SearchOptions::ef`].
    pub ef_search: usize,
    /// What is kept of each vector.
    pub storage: Storage,
    /// Where the randomness of the layers comes from. By default always the same.
    pub seed: u64,
}

impl Default for HnswConfig {
    fn default() -> Self {
        Self { m: 16, ef_construction: 200, ef_search: 64, storage: Storage::default(), seed: 0 }
    }
}

impl HnswConfig {
    pub(crate) fn check(&self) -> Result<(), VectorError> {
        check("m", self.m, 2, MOST_LINKS / 2, "2..=128")?;
        check("ef_construction", self.ef_construction, 1, 65_536, "1..=65536")?;
        check("ef_search", self.ef_search, 1, usize::MAX, "at least 1")
    }
}

fn check(
    setting: &'static str,
    value: usize,
    low: usize,
    high: usize,
    expected: &'static str,
) -> Result<(), VectorError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(VectorError::InvalidConfig { setting, expected, received: value.to_string() })
}

/// Approximate nearest neighbors by a hierarchical navigable small world graph over codes.
///
/// The graph is that of Malkov and Yashunin, <https://arxiv.org/abs/1603.09320>. Searches walk it by codes of a byte a
/// value and score the best that they find by the vectors themselves ([`Storage`]).
///
/// - **Searching** looks at [`SearchOptions::ef`] candidates. Where a scan is cheaper, because there are few vectors or
///   few that may be returned, it scans. With a filter that most keys pass it walks and asks for what it comes by;
///   with one that few pass it asks for all keys first, which takes longest: if the keys are known, give
///   [`SearchOptions::keys`].
/// - **Inserting** many vectors at once uses all threads of the rayon pool that the caller is in, the global one or
///   that of a surrounding `ThreadPool::install`. The graph does not depend on how many those are: the same calls
///   with the same [`seed`](HnswConfig::seed) give the same index.
/// - **Removing** a key takes it out of all answers at once. Its place in the graph is walked through until a sweep
///   has repaired the links around it, a few nodes with each later change, and is then used for new vectors. Sweeps
///   begin when one place in 8 is without a key; [`compact`](Self::compact) does all of it at a time of your choice.
/// - **Cloning** shares vectors and links until one of the two is changed, and then copies what is changed in pieces:
///   a clone is a snapshot to search while the other is written. [`Shared`](crate::Shared) does that.
///
/// With [`Metric::Dot`] links are chosen as if every vector had a further value that makes all equally long, in which
/// space the largest dot product is the nearest neighbor.
///
/// Vectors of 384 values take 388 bytes as codes, 133 for links with the default of 16, and 1536 as they came.
#[derive(Clone)]
pub struct Hnsw {
    config: HnswConfig,
    store: Store,
    keys: Keys,
    /// Slots that have a key.
    live: Bits,
    /// Slots that the graph has. Those that are not live are only walked through.
    linked: Bits,
    graph: Graph,
    /// Slots that have no key and that no link leads to.
    free: Vec<u32>,
    sweep: delete::Sweep,
    pool: Pool,
    /// The number of vectors below which there is no graph, if there is such.
    flat_below: Option<usize>,
}

impl Hnsw {
    /// An empty index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension), or [`InvalidConfig`](VectorError::InvalidConfig) if a
    /// setting is out of its range.
    pub fn new(dimension: usize, metric: Metric, config: HnswConfig) -> Result<Self, VectorError> {
        config.check()?;
        let space = Space::new(dimension, metric)?.for_storage(config.storage);
        let (store, graph) = (Store::new(space, config.storage), Graph::new(config.m));
        Ok(Self {
            config,
            store,
            keys: Keys::default(),
            live: Bits::default(),
            linked: Bits::default(),
            graph,
            free: Vec::new(),
            sweep: delete::Sweep::default(),
            pool: Pool::default(),
            flat_below: None,
        })
    }

    /// Saves the index in a file, in place of the one that is there, and returns when it is on the disk. Whatever
    /// happens, there is afterwards the new file or the old one, whole. Whoever has the old one open keeps it.
    ///
    /// # Errors
    ///
    /// [`Io`](VectorError::Io) if the file cannot be written, [`InvalidConfig`](VectorError::InvalidConfig) if the id
    /// of the model is too long, and [`Damaged`](VectorError::Damaged) if the index itself was opened from a file that
    /// is.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<(), VectorError> {
        self.save_as(Kind::Graph, path.as_ref(), options)
    }

    /// Opens an index that was saved. It is searched where it lies in the file and can be changed like any other: what
    /// is changed is copied to memory by the megabyte, and the file stays as it is.
    ///
    /// The header and all that is small is checked now. The rest is checked block by block when it is needed for the
    /// first time, which makes the first searches slower, or by [`verify`](Self::verify). No file may be changed while
    /// it is open: [`save`](Self::save) never does that, but puts a new one in its place.
    ///
    /// Vectors and settings must be those that are expected, but for [`ef_search`](HnswConfig::ef_search), which can be
    /// any.
    ///
    /// # Errors
    ///
    /// [`Io`](VectorError::Io), [`UnknownFormat`](VectorError::UnknownFormat), [`Damaged`](VectorError::Damaged), or
    /// [`OtherIndex`](VectorError::OtherIndex) if it is not the index that is expected. All but the first mean that the
    /// index has to be built anew. [`InvalidConfig`](VectorError::InvalidConfig) if a setting is out of its range.
    pub fn open(
        path: impl AsRef<Path>,
        expected: &Expected<'_>,
        config: HnswConfig,
    ) -> Result<(Self, Header), VectorError> {
        Self::open_as(Kind::Graph, path.as_ref(), expected, config)
    }

    /// Checks what was not needed yet of the file that the index was opened from, on all threads of the rayon pool.
    ///
    /// # Errors
    ///
    /// [`Damaged`](VectorError::Damaged).
    pub fn verify(&self) -> Result<(), VectorError> {
        self.store.verify();
        self.graph.verify();
        self.store.check_file()
    }

    pub(crate) fn save_as(
        &self,
        kind: Kind,
        path: &Path,
        options: &SaveOptions<'_>,
    ) -> Result<(), VectorError> {
        let mut file = Writer::new(path, options, self.store.file())?;
        file.list(Part::Keys, self.keys.as_slice())?;
        file.list(Part::Live, self.live.words())?;
        file.list(Part::Linked, self.linked.words())?;
        file.list(Part::Free, &self.free)?;
        let mut state = self.store.write_to(&mut file)?;
        self.graph.write_to(&mut file, &mut state)?;
        self.sweep.write_to(&mut file, &mut state)?;
        let index = (kind, self.dimension(), self.metric(), self.config.storage, self.len());
        file.finish(options, index, Some(&self.config), state)
    }

    pub(crate) fn open_as(
        kind: Kind,
        path: &Path,
        expected: &Expected<'_>,
        config: HnswConfig,
    ) -> Result<(Self, Header), VectorError> {
        let empty = Self::new(expected.dimension, expected.metric, config)?;
        let config = &empty.config;
        let file = Reader::open(path, kind, expected, config.storage, Some(config))?;
        let (live, linked) = (file.bits(Part::Live)?, file.bits(Part::Linked)?);
        let keys: Vec<u64> = file.list(Part::Keys)?;
        if keys.len() != file.state().slots || live.count() != file.header().len {
            return Err(file.mismatch(Part::Keys));
        }
        let free = file.slots(Part::Free, &live, false)?;
        if free.iter().any(|&slot| linked.contains(slot)) {
            return Err(file.mismatch(Part::Free));
        }
        let index = Self {
            store: Store::read_from(&file, *empty.store.space(), config.storage)?,
            graph: Graph::read_from(&file, config.m)?,
            sweep: delete::Sweep::read_from(&file, &live, &linked)?,
            keys: Keys::of_slots(keys, Some(live.clone())),
            live,
            linked,
            free,
            ..empty
        };
        Ok((index, file.header().clone()))
    }

    fn building(&self) -> Building {
        Building { m: self.config.m, ef: self.config.ef_construction, seed: self.config.seed }
    }

    /// The bytes that vectors and links take now.
    pub fn memory(&self) -> Memory {
        let (memory, (links, mapped)) = (self.store.memory(), self.graph.memory());
        Memory { links, mapped: memory.mapped + mapped, ..memory }
    }

    /// The keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.live.iter().map(|slot| self.keys.as_slice()[slot as usize])
    }

    /// Stores a vector that was checked in a slot that is not linked, and returns that.
    fn store(&mut self, key: u64, vector: &[f32], row: &mut Vec<f32>) -> u32 {
        if let Some(slot) = self.keys.slot(key) {
            if !self.linked.contains(slot as u32) {
                self.store.set(slot, vector, row);
                return slot as u32;
            }
            self.kill(key);
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                self.keys.put(slot as usize, key);
                slot as usize
            }
            None => {
                self.keys.push(key);
                self.graph.push();
                self.store.push()
            }
        };
        self.store.set(slot, vector, row);
        self.live.insert(slot as u32);
        slot as u32
    }

    /// Links slots that are live and not linked.
    fn link(&mut self, slots: &[u32]) {
        let source = Source { store: &self.store, live: &self.live, pool: &self.pool };
        self.building().link(&mut self.graph, &source, slots, self.linked.count());
        for &slot in slots {
            self.linked.insert(slot);
        }
    }

    /// An index that scans all vectors while there are fewer than `flat_below`.
    pub(crate) fn flat_below(self, flat_below: usize) -> Self {
        Self { flat_below: Some(flat_below), ..self }
    }

    /// Brings up the graph, or drops it, by the number of vectors there are. For each of so many changes, a few
    /// vectors are linked, so that no change takes long; until all are, searches scan.
    fn relink(&mut self, changes: usize) {
        /// Vectors linked for each change.
        const STEP: usize = 4;
        let Some(flat_below) = self.flat_below else { return };
        let linked = self.linked.count();
        if linked > 0 && self.live.count() < flat_below / 2 {
            self.unlink();
        } else if (linked > 0 || self.live.count() >= flat_below) && !self.is_linked() {
            let missing = self.live.iter().filter(|&slot| !self.linked.contains(slot));
            let slots: Vec<u32> = missing.take(changes.saturating_mul(STEP)).collect();
            self.link(&slots);
        }
    }

    /// The best of candidates by their scores.
    fn rescore(
        &self,
        query: &Query,
        found: &[Candidate],
        k: usize,
        threshold: Option<f32>,
        row: &mut Vec<f32>,
    ) -> Vec<Neighbor> {
        for candidate in found {
            self.store.prefetch_original(candidate.node);
        }
        let mut neighbors = Vec::with_capacity(found.len());
        for candidate in found {
            let slot = candidate.node as usize;
            let score = self.store.score(query, slot, row);
            if threshold.is_none_or(|threshold| score >= threshold) {
                neighbors.push(Neighbor { key: self.keys.as_slice()[slot], score });
            }
        }
        neighbors.sort_unstable_by(Neighbor::rank);
        neighbors.truncate(k);
        neighbors
    }
}

impl VectorIndex for Hnsw {
    fn dimension(&self) -> usize {
        self.store.space().dimension()
    }

    fn metric(&self) -> Metric {
        self.store.space().metric()
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn contains(&self, key: u64) -> bool {
        self.keys.slot(key).is_some()
    }

    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        self.store.space().check(Some(key), vector)?;
        self.insert_many(&[key], vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        self.store.space().check_many(keys, vectors)?;
        self.store.check_file()?;
        self.reserve(keys.len())?;
        self.store.train(vectors);
        let mut row = Vec::new();
        let mut slots: Vec<u32> = keys
            .iter()
            .zip(vectors.chunks_exact(self.store.space().dimension()))
            .map(|(&key, vector)| self.store(key, vector, &mut row))
            .collect();
        // A key that occurs more than once has one slot.
        slots.sort_unstable();
        slots.dedup();
        match self.flat_below {
            None => self.link(&slots),
            Some(_) => self.relink(keys.len()),
        }
        self.sweep(keys.len());
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
        let held = self.kill(key);
        self.sweep(1);
        self.relink(0);
        self.store.check_file()?;
        Ok(held)
    }

    fn clear(&mut self) {
        let space = *self.store.space();
        self.store = Store::new(space, self.config.storage);
        self.graph = Graph::new(self.config.m);
        self.keys = Keys::default();
        (self.live, self.linked) = (Bits::default(), Bits::default());
        self.free = Vec::new();
        self.sweep = delete::Sweep::default();
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        options.check()?;
        self.store.space().check(None, query)?;
        let wanted = options.k.min(self.len());
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let mut scratch = self.pool.take();
        let scratch = &mut *scratch;
        let mut prepared = std::mem::take(&mut scratch.query);
        self.store.set_query(query, &mut prepared);
        let ef = options.ef.unwrap_or(self.config.ef_search).max(wanted).min(self.store.len());
        self.find(&prepared, self.matches(options, ef), wanted, ef, scratch);
        let mut found = std::mem::take(&mut scratch.candidates);
        found.truncate(self.store.contenders(&prepared, &found, wanted));
        let neighbors = self.rescore(&prepared, &found, wanted, options.threshold, &mut scratch.row);
        (scratch.query, scratch.candidates) = (prepared, found);
        self.store.check_file()?;
        Ok(neighbors)
    }
}

impl fmt::Debug for Hnsw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hnsw")
            .field("config", &self.config)
            .field("dimension", &self.dimension())
            .field("metric", &self.metric())
            .field("len", &self.len())
            .finish()
    }
}
