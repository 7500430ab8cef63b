//! Linking new slots into the graph.
//!
//! Slots are linked in batches. Each slot of a batch looks for its neighbors in the graph as it was before the batch,
//! and among the slots of the batch before it; then the links are written, and the links back. Searching and choosing
//! run on all threads of the rayon pool; which batches there are does not depend on them, and so neither does the
//! graph. Batches are small against the graph, so that little is missed by not seeing each other.
//!
//! Manohar et al., ParlayANN (2024), build in this way.

use rayon::prelude::*;

use super::{
    graph::{Entry, Graph, HIGHEST_LEVEL, Layer},
    search::{Pool, Scratch},
};
use crate::{
    bits::Bits,
    frontier::Candidate,
    store::{Query, Store},
};

/// How a graph is built.
#[derive(Clone, Copy)]
pub(crate) struct Building {
    pub(crate) m: usize,
    pub(crate) ef: usize,
    pub(crate) seed: u64,
}

/// What a graph is built over.
pub(crate) struct Source<'a> {
    pub(crate) store: &'a Store,
    /// Slots that may be linked to.
    pub(crate) live: &'a Bits,
    pub(crate) pool: &'a Pool,
}

/// The links that a new slot is to get, layer by layer from the lowest.
struct Plan {
    slot: u32,
    level: usize,
    links: Vec<Vec<Candidate>>,
}

/// A link back: from `target` to a new node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Back {
    level: usize,
    target: u32,
    source: Candidate,
}

impl Building {
    /// Layers that a slot is on above the lowest: with the probability `1 / m` one, `1 / m^2` two and so on.
    ///
    /// It depends on the seed and the number of the slot alone.
    fn level(&self, slot: u32) -> usize {
        let mut z = self.seed ^ (u64::from(slot) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let uniform = ((z >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        (-uniform.ln() / (self.m as f64).ln()).min(HIGHEST_LEVEL as f64) as usize
    }

    /// Links slots of which all are new to the graph. `linked` is how many slots it has.
    pub(crate) fn link(&self, graph: &mut Graph, source: &Source<'_>, slots: &[u32], linked: usize) {
        let mut rest = slots;
        let mut linked = linked;
        while !rest.is_empty() {
            let top = graph.entry.map_or(0, |entry| entry.level);
            let mut size = batch_size(linked).min(rest.len());
            // A slot that is higher than the graph gets a batch of its own.
            if let Some(high) = rest[..size].iter().position(|&slot| self.level(slot) > top) {
                size = high.max(1);
            }
            let (batch, others) = rest.split_at(size);
            self.link_batch(graph, source, batch);
            linked += batch.len();
            rest = others;
        }
    }

    fn link_batch(&self, graph: &mut Graph, source: &Source<'_>, batch: &[u32]) {
        let (store, pool) = (source.store, source.pool);
        let shared: &Graph = graph;
        let plans: Vec<Plan> = if batch.len() == 1 {
            vec![self.plan(shared, source, &mut pool.take(), batch, 0)]
        } else {
            (0..batch.len())
                .into_par_iter()
                .map_init(|| pool.take(), |scratch, at| self.plan(shared, source, scratch, batch, at))
                .collect()
        };

        let mut backs = Vec::new();
        for plan in plans {
            let mut node = plan.slot;
            for (level, links) in plan.links.iter().enumerate() {
                if level > 0 {
                    node = graph.push_upper(plan.slot, node, level);
                }
                graph.set_links(level, node, links.iter().map(|link| link.node));
                backs.extend(links.iter().map(|link| Back {
                    level,
                    target: link.node,
                    source: Candidate { distance: link.distance, node },
                }));
            }
            if graph.entry.is_none_or(|entry| entry.level < plan.level) {
                graph.entry = Some(Entry { node, slot: plan.slot, level: plan.level });
            }
        }

        backs.sort_unstable();
        let shared: &Graph = graph;
        let targets: Vec<&[Back]> =
            backs.chunk_by(|a, b| (a.level, a.target) == (b.level, b.target)).collect();
        let changes: Vec<Vec<u32>> = if batch.len() == 1 {
            let mut scratch = pool.take();
            targets.iter().map(|backs| add_links(shared, store, &mut scratch, backs)).collect()
        } else {
            targets
                .par_iter()
                .with_min_len(16)
                .map_init(|| pool.take(), |scratch, backs| add_links(shared, store, scratch, backs))
                .collect()
        };
        for (backs, links) in targets.iter().zip(changes) {
            graph.set_links(backs[0].level, backs[0].target, links.into_iter());
        }
    }

    /// Chooses the links of a slot of a batch.
    fn plan(
        &self,
        graph: &Graph,
        source: &Source<'_>,
        scratch: &mut Scratch,
        batch: &[u32],
        at: usize,
    ) -> Plan {
        let store = source.store;
        let slot = batch[at];
        let level = self.level(slot);
        let mut links = vec![Vec::new(); level + 1];
        let mut query = std::mem::take(&mut scratch.node);
        store.node_query(slot, &mut query);
        if let Some(entry) = graph.entry {
            let highest = level.min(entry.level);
            let first = scratch.descend_to(graph, store, &query, entry, highest);
            let mut entries = vec![first];
            for layer in (0..=highest).rev() {
                scratch.beam(graph.layer(layer), store, &query, entries.iter().copied(), self.ef);
                let mut found = std::mem::take(&mut scratch.candidates);
                found.clear();
                found.extend(scratch.frontier.iter());
                entries = found
                    .iter()
                    .map(|found| Candidate { node: below(graph, layer, found.node), ..*found })
                    .collect();
                found.retain(|found| source.live.contains(graph.layer(layer).slot(found.node)));
                if layer == 0 {
                    add_mates(store, &query, &batch[..at], self.ef, &mut found);
                }
                links[layer] = choose(graph.layer(layer), store, scratch, &found, self.m, 1.0);
                scratch.candidates = found;
            }
        }
        scratch.node = query;
        Plan { slot, level, links }
    }
}

fn below(graph: &Graph, level: usize, node: u32) -> u32 {
    if level == 0 { node } else { graph.below(node) }
}

/// Slots that are linked at once into a graph of a size.
fn batch_size(linked: usize) -> usize {
    (linked / 32).clamp(1, 256)
}

/// Adds to the candidates of a slot those before it in its batch.
fn add_mates(store: &Store, query: &Query, mates: &[u32], most: usize, found: &mut Vec<Candidate>) {
    if mates.is_empty() {
        return;
    }
    let bar =
        if found.len() >= most { found.last().map_or(i32::MAX, |worst| worst.distance) } else { i32::MAX };
    let mut distances = [0; 32];
    for mates in mates.chunks(32) {
        let distances = &mut distances[..mates.len()];
        store.distances(query, mates, distances);
        let near = mates.iter().zip(&*distances).filter(|(_, distance)| **distance < bar);
        found.extend(near.map(|(&node, &distance)| Candidate { distance, node }));
    }
    found.sort_unstable();
    found.truncate(most);
}

/// Chooses links among candidates, which are ordered by distance: the nearest, and of the others those that are
/// nearer to the node than to any link chosen before. What another link leads to already needs none of its own.
/// `stretch` is what the distances between candidates are multiplied by: above 1, more links stay.
///
/// Malkov and Yashunin's algorithm 4.
pub(crate) fn choose(
    layer: Layer<'_>,
    store: &Store,
    scratch: &mut Scratch,
    candidates: &[Candidate],
    most: usize,
    stretch: f32,
) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::with_capacity(most);
    let mut rest = candidates.to_vec();
    let mut slots: Vec<u32> = rest.iter().map(|candidate| layer.slot(candidate.node)).collect();
    let mut distances = vec![0; slots.len()];
    let mut query = std::mem::take(&mut scratch.other);
    while let Some(&nearest) = rest.first() {
        chosen.push(nearest);
        if chosen.len() == most {
            break;
        }
        store.node_query(slots[0], &mut query);
        let count = rest.len() - 1;
        store.distances(&query, &slots[1..], &mut distances[..count]);
        let mut kept = 0;
        for at in 0..count {
            let candidate = rest[at + 1];
            if store.stretched(distances[at], stretch) >= candidate.distance {
                (rest[kept], slots[kept]) = (candidate, slots[at + 1]);
                kept += 1;
            }
        }
        rest.truncate(kept);
        slots.truncate(kept);
    }
    scratch.other = query;
    chosen
}

/// The links of a node with new ones added, of which the best stay if they are too many.
fn add_links(graph: &Graph, store: &Store, scratch: &mut Scratch, backs: &[Back]) -> Vec<u32> {
    let layer = graph.layer(backs[0].level);
    let target = backs[0].target;
    let mut nodes: Vec<u32> = layer.links(target).collect();
    // A slot of the batch that was linked to by one after it may link to that one itself.
    let new = backs.iter().map(|back| back.source).filter(|source| !nodes.contains(&source.node));
    let mut candidates: Vec<Candidate> = new.collect();
    if nodes.len() + candidates.len() <= layer.capacity() {
        nodes.extend(candidates.iter().map(|candidate| candidate.node));
        return nodes;
    }
    candidates.extend(distances_from(layer, store, scratch, target, &nodes));
    candidates.sort_unstable();
    choose(layer, store, scratch, &candidates, layer.capacity(), 1.0).iter().map(|link| link.node).collect()
}

/// How far nodes of a layer are from one of them, the nearest first.
pub(super) fn distances_from(
    layer: Layer<'_>,
    store: &Store,
    scratch: &mut Scratch,
    node: u32,
    others: &[u32],
) -> Vec<Candidate> {
    let slots: Vec<u32> = others.iter().map(|&node| layer.slot(node)).collect();
    for &slot in &slots {
        store.prefetch(slot);
    }
    let mut distances = vec![0; slots.len()];
    let mut query = std::mem::take(&mut scratch.node);
    store.node_query(layer.slot(node), &mut query);
    store.distances(&query, &slots, &mut distances);
    scratch.node = query;
    let pairs = others.iter().zip(distances);
    let mut candidates: Vec<Candidate> =
        pairs.map(|(&node, distance)| Candidate { distance, node }).collect();
    candidates.sort_unstable();
    candidates
}
