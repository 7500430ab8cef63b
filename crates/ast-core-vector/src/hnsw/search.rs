//! The walk through a graph.

use std::sync::{Arc, Mutex, PoisonError};

use super::graph::{Entry, Graph, Layer, NONE};
use crate::{
    frontier::{Candidate, Frontier},
    store::{Query, Store},
};

/// Nodes that were seen: a bit each, taken back one by one, so that a search costs what it visits.
#[derive(Default)]
pub(crate) struct Visited {
    bits: Vec<u64>,
    /// Nodes whose words are not zero.
    nodes: Vec<u32>,
}

impl Visited {
    pub(super) fn reset(&mut self, nodes: usize) {
        for node in self.nodes.drain(..) {
            self.bits[node as usize / 64] = 0;
        }
        if self.bits.len() < nodes.div_ceil(64) {
            self.bits.resize(nodes.div_ceil(64), 0);
        }
    }

    /// Marks a node and says whether it was not yet. One that there is not counts as marked.
    #[inline]
    pub(super) fn insert(&mut self, node: u32) -> bool {
        self.insert_all([node], &mut [0]) == 1
    }

    /// Marks nodes, writes those that were not yet to `new`, where there is room for all of them, and says how many
    /// they are. Those that there are not count as marked.
    #[inline]
    pub(super) fn insert_all(&mut self, nodes: impl IntoIterator<Item = u32>, new: &mut [u32]) -> usize {
        let mut count = 0;
        for node in nodes {
            let Some(bits) = self.bits.get_mut(node as usize / 64) else { continue };
            let Some(place) = new.get_mut(count) else { break };
            // Whether a node is new is as good as random, so that a jump by it would often be guessed wrong.
            *place = node;
            count += usize::from(*bits >> (node % 64) & 1 == 0);
            *bits |= 1 << (node % 64);
        }
        self.nodes.extend_from_slice(&new[..count]);
        count
    }
}

/// Most links of a node.
pub(crate) const MOST_LINKS: usize = 256;

/// What a search writes to.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) frontier: Frontier,
    /// Of a filtered walk: those that pass.
    pub(super) results: Frontier,
    pub(super) visited: Visited,
    nodes: Vec<u32>,
    pub(super) slots: Vec<u32>,
    /// Of the next turn of a walk.
    next_nodes: Vec<u32>,
    next_slots: Vec<u32>,
    pub(super) distances: Vec<i32>,
    /// What a caller looks for.
    pub(super) query: Query,
    /// Rows in the role of the query.
    pub(crate) node: Query,
    pub(crate) other: Query,
    pub(crate) row: Vec<f32>,
    pub(crate) candidates: Vec<Candidate>,
}

/// Scratches that searches leave to those after them.
#[derive(Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Scratch>>>);

impl Pool {
    pub(crate) fn take(&self) -> Pooled<'_> {
        // A panic while the lock is held cannot leave the list half changed.
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = left.unwrap_or_default();
        for list in [&mut scratch.nodes, &mut scratch.next_nodes, &mut scratch.slots, &mut scratch.next_slots]
        {
            list.resize(MOST_LINKS, 0);
        }
        scratch.distances.resize(MOST_LINKS, 0);
        Pooled { pool: self, scratch }
    }
}

/// A scratch that returns to its pool.
pub(crate) struct Pooled<'a> {
    pool: &'a Pool,
    scratch: Scratch,
}

impl std::ops::Deref for Pooled<'_> {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl std::ops::DerefMut for Pooled<'_> {
    fn deref_mut(&mut self) -> &mut Scratch {
        &mut self.scratch
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

impl Scratch {
    /// Finds the `width` nodes of a layer that are nearest to the query by [`Store::estimates`], as far as the links lead
    /// there from `entries`, and leaves them in the frontier.
    ///
    /// Malkov and Yashunin's algorithm 2.
    pub(crate) fn beam(
        &mut self,
        layer: Layer<'_>,
        store: &Store,
        query: &Query,
        entries: impl IntoIterator<Item = Candidate>,
        width: usize,
    ) {
        self.frontier.reset(width);
        self.visited.reset(layer.len());
        for entry in entries {
            if self.visited.insert(entry.node) {
                self.frontier.push(entry);
            }
        }
        // What a node leads to is asked for one turn before it is compared, so that memory works meanwhile. The node of the
        // next turn is then chosen without knowing it, which costs a few turns more and finds more.
        let mut asked = 0;
        loop {
            let count = match self.frontier.pop() {
                Some(nearest) => self.visited.insert_all(layer.links(nearest.node), &mut self.next_nodes),
                None if asked > 0 => 0,
                None => break,
            };
            for (place, &node) in self.next_slots.iter_mut().zip(&self.next_nodes[..count]) {
                *place = layer.slot(node);
            }
            store.prefetch_coarse(query, &self.next_slots[..count]);
            let distances = &mut self.distances[..asked];
            store.estimates::<true>(query, &self.slots[..asked], distances);
            for (&node, &distance) in self.nodes.iter().zip(&*distances) {
                if distance < self.frontier.bar() {
                    layer.prefetch(node);
                    self.frontier.push(Candidate { distance, node });
                }
            }
            std::mem::swap(&mut self.nodes, &mut self.next_nodes);
            std::mem::swap(&mut self.slots, &mut self.next_slots);
            asked = count;
        }
    }

    /// Walks from a node to ever nearer ones until none is nearer.
    pub(crate) fn descend(
        &mut self,
        layer: Layer<'_>,
        store: &Store,
        query: &Query,
        entry: Candidate,
    ) -> Candidate {
        let mut best = entry;
        loop {
            let mut count = 0;
            for &link in layer.places(best.node) {
                if link == NONE {
                    break;
                }
                self.nodes[count] = link;
                self.slots[count] = layer.slot(link);
                count += 1;
            }
            let (slots, distances) = (&self.slots[..count], &mut self.distances[..count]);
            store.estimates::<false>(query, slots, distances);
            let nearest = self.nodes[..count].iter().zip(&*distances).min_by_key(|(_, distance)| **distance);
            match nearest {
                Some((&node, &distance)) if distance < best.distance => best = Candidate { distance, node },
                _ => return best,
            }
        }
    }

    /// Comes down from the entry to the layer `level`, on which it returns the node to begin at.
    pub(crate) fn descend_to(
        &mut self,
        graph: &Graph,
        store: &Store,
        query: &Query,
        entry: Entry,
        level: usize,
    ) -> Candidate {
        let mut distance = [0];
        store.estimates::<false>(query, &[entry.slot], &mut distance);
        let mut best = Candidate { distance: distance[0], node: entry.node };
        for upper in (level + 1..=entry.level).rev() {
            best = self.descend(graph.layer(upper), store, query, best);
            best.node = graph.below(best.node);
        }
        best
    }
}
