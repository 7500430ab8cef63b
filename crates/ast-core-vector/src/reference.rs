//! The reference backend: the HNSW of the crate `hnsw_rs` behind the trait of this one.
//!
//! HNSW is the hierarchical navigable small world graph of Malkov and Yashunin,
//! <https://arxiv.org/abs/1603.09320>.

use std::{fmt, slice};

use hnsw_rs::{anndists::dist::distances::Distance, hnsw::Hnsw};

use crate::{
    FlatIndex, Metric, Neighbor, SearchOptions, VectorError, VectorIndex, space::Space, top_k::TopK,
};

/// Settings of an [`HnswRsIndex`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HnswRsConfig {
    /// Links a vector keeps in each layer, twice as many in the lowest; 2 to 255, by default 16. More find more and
    /// take more memory.
    pub m: usize,
    /// Candidates that are looked at to link a new vector; 1 to 65,536, by default 200. More find better links and
    /// build more slowly.
    pub ef_construction: usize,
    /// Candidates that a search looks at unless it says so itself; at least 1, by default 64. See
    /// [`SearchOptions::ef`].
    pub ef_search: usize,
    /// The number of vectors to make room for in the graph's tables at the start; by default 0. Above 2^20 it
    /// counts as that.
    pub max_elements: usize,
}

impl Default for HnswRsConfig {
    fn default() -> Self {
        Self { m: 16, ef_construction: 200, ef_search: 64, max_elements: 0 }
    }
}

impl HnswRsConfig {
    /// The most that [`HnswRsConfig::max_elements`] reserves: tables of 8 MiB.
    const MAX_ELEMENTS: usize = 1 << 20;

    /// Refuses what `hnsw_rs` would answer with a panic, an exit of the process, or a graph without links.
    fn check(&self) -> Result<(), VectorError> {
        // With 256 links its counter of 8 bits wraps to none; beyond that it ends the process.
        check("m", self.m, 2, 255, "2..=255")?;
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

/// Approximate nearest neighbors by the crate `hnsw_rs`: an independent implementation to measure and test against.
///
/// `hnsw_rs` can neither remove nor replace a vector, panics on distances that are not numbers and trusts its caller
/// with the dimension. This type keeps all vectors a second time in a [`FlatIndex`], checks them there, and uses the
/// graph to find candidates only; scores are always those that the flat index gives.
///
/// - **Removing** a key, or giving it another vector, leaves the old node in the graph as a *tombstone*. Searches walk
///   over tombstones and never return them. When they are more than a third of all nodes, and at least
///   [`HnswRsIndex::MIN_TOMBSTONES`], the call that made the last of them rebuilds the graph;
///   [`compact`](Self::compact) does so at a time of your choice.
/// - **Searching** widens the number of candidates by the share of nodes that may be returned, and doubles it while
///   fewer than `k` are found, until an exact scan is cheaper. A filter is asked for every key; if it leaves at most
///   [`HnswRsIndex::ROWS_PER_CANDIDATE`] keys for each candidate that the graph would look at, they are scanned exactly
///   at once, and so is everything if everything is asked for.
/// - **Inserting** is serial, because the parallel insertion of `hnsw_rs` gives another graph each time.
///
/// With [`Metric::Dot`] the graph is as good as the lengths of the vectors are alike: the dot product is no distance,
/// and links that shorten a way may not be found.
///
/// The graph cannot be saved: the file format of `hnsw_rs` ends the process on a damaged file. Rebuild it from
/// the vectors.
pub struct HnswRsIndex {
    config: HnswRsConfig,
    /// The vectors, and the truth about which keys there are.
    flat: FlatIndex,
    graph: Hnsw<'static, f32, GraphDistance>,
    /// The key of each node of the graph, dead or alive.
    node_keys: Vec<u64>,
    /// The living node of each slot of `flat`.
    slot_nodes: Vec<usize>,
}

impl HnswRsIndex {
    /// Tombstones that are put up with whatever their share: rebuilding a graph for less is not worth it.
    pub const MIN_TOMBSTONES: usize = 256;

    /// Rows that can be scanned one by one in the time that the graph takes for one candidate: measured on AVX-512 as
    /// 64 for 384 values and 88 for 256, with 15,000 vectors.
    pub const ROWS_PER_CANDIDATE: usize = 64;

    /// An empty index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension), or [`InvalidConfig`](VectorError::InvalidConfig) if a
    /// setting is out of its range.
    pub fn new(dimension: usize, metric: Metric, config: HnswRsConfig) -> Result<Self, VectorError> {
        config.check()?;
        let flat = FlatIndex::new(dimension, metric)?;
        let graph = new_graph(&config, flat.space());
        Ok(Self { config, flat, graph, node_keys: Vec::new(), slot_nodes: Vec::new() })
    }

    /// Nodes of the graph that no longer stand for a vector.
    pub fn tombstones(&self) -> usize {
        self.node_keys.len() - self.slot_nodes.len()
    }

    /// Rebuilds the graph without tombstones, which takes as long as inserting all vectors again. Without any, it
    /// does nothing.
    pub fn compact(&mut self) {
        if self.tombstones() > 0 {
            self.rebuild();
        }
    }

    fn rebuild(&mut self) {
        self.graph = new_graph(&self.config, self.flat.space());
        self.node_keys.clear();
        self.slot_nodes.clear();
        for slot in 0..self.flat.len() {
            self.add_node(slot);
        }
    }

    /// Gives the vector in a slot of the flat index a new node, which replaces the one that the slot has.
    fn add_node(&mut self, slot: usize) {
        let node = self.node_keys.len();
        self.graph.insert_slice((self.flat.row(slot), node));
        self.node_keys.push(self.flat.slot_keys()[slot]);
        match self.slot_nodes.get_mut(slot) {
            Some(previous) => *previous = node,
            None => self.slot_nodes.push(node),
        }
    }

    /// The slot of a node, unless the node is a tombstone.
    fn slot_of_node(&self, node: usize) -> Option<usize> {
        let slot = self.flat.slot(*self.node_keys.get(node)?)?;
        (self.slot_nodes[slot] == node).then_some(slot)
    }

    /// The best of all slots that match.
    fn search_exactly(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
        matches: &Matches,
        wanted: usize,
    ) -> TopK {
        if matches.passes.is_none() {
            return self.flat.scan(query, options);
        }
        let mut top = TopK::new(wanted, options.threshold);
        for slot in (0..self.flat.len()).filter(|&slot| matches.contains(slot)) {
            top.push(self.neighbor(query, slot));
        }
        top
    }

    fn neighbor(&self, query: &[f32], slot: usize) -> Neighbor {
        Neighbor { key: self.flat.slot_keys()[slot], score: self.flat.score(query, slot) }
    }

    /// The best of the candidates that the graph finds, or `None` if too few of them may be returned.
    fn search_graph(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
        matches: &Matches,
        wanted: usize,
        width: usize,
    ) -> Option<TopK> {
        let mut top = TopK::new(wanted, options.threshold);
        let mut found = 0;
        for candidate in self.graph.search(query, width, width) {
            if let Some(slot) = self.slot_of_node(candidate.d_id)
                && matches.contains(slot)
            {
                top.push(self.neighbor(query, slot));
                found += 1;
            }
        }
        (found >= wanted).then_some(top)
    }
}

impl VectorIndex for HnswRsIndex {
    fn dimension(&self) -> usize {
        self.flat.dimension()
    }

    fn metric(&self) -> Metric {
        self.flat.metric()
    }

    fn len(&self) -> usize {
        self.flat.len()
    }

    fn contains(&self, key: u64) -> bool {
        self.flat.contains(key)
    }

    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        self.flat.space().check(Some(key), vector)?;
        self.insert_many(slice::from_ref(&key), vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        let replaced = keys.iter().filter(|&&key| self.contains(key)).count();
        self.flat.insert_many(keys, vectors)?;

        let first = self.node_keys.len();
        if is_due(self.tombstones() + replaced, first + keys.len()) {
            // Sooner than linking nodes that the next rebuild throws away.
            self.rebuild();
            return Ok(());
        }
        for &key in keys {
            if let Some(slot) = self.flat.slot(key)
                // A key that occurs twice in the batch has its last vector already, and a node of it.
                && self.slot_nodes.get(slot).is_none_or(|&node| node < first)
            {
                self.add_node(slot);
            }
        }
        Ok(())
    }

    fn reserve(&mut self, additional: usize) -> Result<(), VectorError> {
        self.flat.reserve(additional)
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        let Some(slot) = self.flat.slot(key) else { return Ok(false) };
        self.flat.remove(key)?;
        self.slot_nodes.swap_remove(slot);
        if is_due(self.tombstones(), self.node_keys.len()) {
            self.rebuild();
        }
        Ok(true)
    }

    fn clear(&mut self) {
        self.flat.clear();
        self.rebuild();
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        options.check()?;
        let query = self.flat.space().query(query)?;
        let matches = Matches::new(&self.flat, options);
        let wanted = options.k.min(matches.count);
        if wanted == 0 {
            return Ok(Vec::new());
        }

        // Of the candidates that the graph finds, only the share that matches can be returned.
        let nodes = self.node_keys.len();
        let ef = options.ef.unwrap_or(self.config.ef_search).max(wanted).min(nodes);
        let mut width = ef.saturating_mul(nodes).div_ceil(matches.count).min(nodes);

        let scan_is_cheaper = |width| matches.count <= Self::ROWS_PER_CANDIDATE.saturating_mul(width);
        let scan_at_once =
            if matches.passes.is_some() { scan_is_cheaper(width) } else { wanted == matches.count };
        if !scan_at_once {
            loop {
                if let Some(top) = self.search_graph(&query, options, &matches, wanted, width) {
                    return Ok(top.into_sorted());
                }
                width = width.saturating_mul(2);
                if scan_is_cheaper(width) {
                    break;
                }
            }
        }
        Ok(self.search_exactly(&query, options, &matches, wanted).into_sorted())
    }
}

impl fmt::Debug for HnswRsIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HnswRsIndex")
            .field("config", &self.config)
            .field("dimension", &self.dimension())
            .field("metric", &self.metric())
            .field("len", &self.len())
            .field("tombstones", &self.tombstones())
            .finish()
    }
}

/// Whether a graph has so many tombstones that it is to be rebuilt.
fn is_due(tombstones: usize, nodes: usize) -> bool {
    tombstones >= HnswRsIndex::MIN_TOMBSTONES && tombstones > nodes / 3
}

fn new_graph(config: &HnswRsConfig, space: Space) -> Hnsw<'static, f32, GraphDistance> {
    /// Layers of a graph; `hnsw_rs` has no more.
    const LAYERS: usize = 16;
    Hnsw::new(
        config.m,
        config.max_elements.min(HnswRsConfig::MAX_ELEMENTS),
        LAYERS,
        config.ef_construction,
        GraphDistance { space },
    )
}

/// The slots that a search may return.
struct Matches {
    count: usize,
    /// By slot; `None` if all may be returned.
    passes: Option<Vec<bool>>,
}

impl Matches {
    fn new(flat: &FlatIndex, options: &SearchOptions<'_>) -> Self {
        let passes_filter = |key| options.filter.is_none_or(|filter| filter(key));
        let passes: Option<Vec<bool>> = match options.keys {
            Some(keys) => {
                let mut passes = vec![false; flat.len()];
                for slot in keys.iter().filter(|&&key| passes_filter(key)).filter_map(|&key| flat.slot(key)) {
                    passes[slot] = true;
                }
                Some(passes)
            }
            None => options.filter.map(|filter| flat.slot_keys().iter().map(|&key| filter(key)).collect()),
        };
        let count = passes.as_ref().map_or(flat.len(), |passes| passes.iter().filter(|&&pass| pass).count());
        Self { count, passes }
    }

    fn contains(&self, slot: usize) -> bool {
        self.passes.as_ref().is_none_or(|passes| passes[slot])
    }
}

/// The score of two rows turned into what `hnsw_rs` takes for a distance: never negative and never NaN, where it would
/// panic, and less for a higher score.
struct GraphDistance {
    space: Space,
}

impl Distance<f32> for GraphDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        let score = self.space.score(a, b);
        match self.space.metric() {
            Metric::Cosine => 1.0 - score,
            Metric::Dot => descending(score),
            Metric::Euclidean => 0.0 - score,
        }
    }
}

/// Maps finite scores to floats from 0 up, the higher the lower, so that they compare like distances.
///
/// A dot product has no upper bound from which a distance could be counted. But the graph only ever compares, so any
/// map that keeps the order will do: this one reads the bits of the negated score as an integer in the order of the
/// floats, halves it to stay clear of the sign, and reads that as a float again. Only the last bit of a score is lost.
fn descending(score: f32) -> f32 {
    let bits = (-score).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    f32::from_bits(ordered >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::MAX_MAGNITUDE;

    #[test]
    fn descending_is_finite_over_all_dot_products() {
        let most = MAX_MAGNITUDE * MAX_MAGNITUDE * crate::MAX_DIMENSION as f32;
        assert!(most.is_finite());
        for score in [most, 1.0, f32::MIN_POSITIVE, 0.0, -0.0, -1.0, -most] {
            let distance = descending(score);
            assert!(distance.is_finite() && distance.is_sign_positive(), "{score} became {distance}");
        }
    }

    proptest! {
        #[test]
        fn descending_reverses_the_order(a in -1e30_f32..1e30, b in -1e30_f32..1e30) {
            if a < b {
                prop_assert!(descending(a) >= descending(b));
            }
            // Two floats apart is more than the bit that is lost.
            prop_assert!(descending(a.next_up().next_up()) < descending(a));
        }
    }
}
