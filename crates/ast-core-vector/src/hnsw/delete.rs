//! Taking slots out of the graph.
//!
//! A slot whose key is removed is *dead*: searches walk through it and return it no more. When many are dead, the
//! graph is swept: every node gives up its links to dead slots and gets links to what those led to instead, after
//! which the slots are free for new vectors. A sweep is cut into small pieces, one for each call that changes the
//! index, so that no call waits for all of it.
//!
//! The rule for the links is that of Singh et al., FreshDiskANN (2021), <https://arxiv.org/abs/2105.09613>.

use rayon::prelude::*;

use super::{
    Hnsw,
    graph::{Entry, Graph, Layer},
    insert::{choose, distances_from},
    search::{Pooled, Scratch},
};
use crate::{
    VectorError,
    bits::Bits,
    file::{Part, Reader, State, Writer},
};

/// How far the graph is swept.
#[derive(Clone, Default)]
pub(super) struct Sweep {
    /// Slots that died since the sweep began.
    dead: Vec<u32>,
    /// Slots that the sweep takes out.
    leaving: Vec<u32>,
    /// As a set.
    leaving_set: Bits,
    /// The slot to be looked at next, and when there are no more, the node above the lowest layer.
    next: usize,
    next_upper: usize,
}

impl Sweep {
    /// The sweep of a file.
    pub(super) fn read_from(file: &Reader, live: &Bits, linked: &Bits) -> Result<Self, VectorError> {
        let (dead, leaving) = (file.slots(Part::Dead, live, false)?, file.slots(Part::Leaving, live, false)?);
        let mut leaving_set = Bits::default();
        for &slot in &leaving {
            leaving_set.insert(slot);
        }
        if dead.iter().any(|&slot| leaving_set.contains(slot)) {
            return Err(file.mismatch(Part::Dead));
        }
        // Those that the graph has and nobody else are these.
        let gone = linked.iter().filter(|&slot| !live.contains(slot)).count();
        let are_linked = dead.iter().chain(&leaving).all(|&slot| linked.contains(slot));
        if !are_linked || gone != dead.len() + leaving.len() {
            return Err(file.mismatch(Part::Linked));
        }
        Ok(Self { dead, leaving, leaving_set, next: file.state().next, next_upper: file.state().next_upper })
    }

    /// Writes to a file how far the graph is swept.
    pub(super) fn write_to(&self, file: &mut Writer<'_>, state: &mut State) -> Result<(), VectorError> {
        (state.next, state.next_upper) = (self.next, self.next_upper);
        file.list(Part::Dead, &self.dead)?;
        file.list(Part::Leaving, &self.leaving)
    }
}

/// One dead slot in so many begins a sweep: by then most nodes have a link to repair, and repairing many links of a
/// node costs no more than one.
const DEAD_SHARE: usize = 8;

/// Dead slots that are put up with whatever their share.
const FEW: usize = 32;

/// Nodes that are swept for each change. With a sweep begun at one dead slot in 8 it ends before there are twice as
/// many.
const STEP: usize = 16;

/// By how much longer than by links of the neighbors a way must be to do without a link of its own. Without it a graph
/// loses its long links from sweep to sweep: what is chosen from are ever nearer nodes.
const STRETCH: f32 = 1.1;

impl Hnsw {
    /// Takes the key from its slot, if it has one, and the slot out of the index.
    pub(super) fn kill(&mut self, key: u64) -> bool {
        let Some(slot) = self.keys.take(key) else { return false };
        let slot = slot as u32;
        self.live.remove(slot);
        if self.linked.contains(slot) {
            self.sweep.dead.push(slot);
        } else {
            self.free.push(slot);
        }
        true
    }

    /// Slots that have no key but are still walked through.
    pub(super) fn dead(&self) -> usize {
        self.sweep.dead.len() + self.sweep.leaving.len()
    }

    /// Frees all slots of removed keys and repairs the links around them now, on all threads of the rayon pool,
    /// instead of little by little with later changes. It takes about as long as inserting a tenth of the vectors.
    pub fn compact(&mut self) {
        while self.dead() > 0 {
            self.sweep_nodes(usize::MAX);
        }
    }

    /// The share of a sweep that `changes` changes pay for.
    pub(super) fn sweep(&mut self, changes: usize) {
        if !self.sweep.leaving.is_empty()
            || self.sweep.dead.len() >= FEW.max(self.linked.count() / DEAD_SHARE)
        {
            self.sweep_nodes(changes.saturating_mul(STEP));
        }
    }

    /// Sweeps some nodes, at most to the end of the sweep.
    fn sweep_nodes(&mut self, mut nodes: usize) {
        if self.dead() == self.linked.count() {
            // Nothing is left to hold together.
            return self.unlink();
        }
        if self.sweep.leaving.is_empty() {
            self.sweep = Sweep { leaving: std::mem::take(&mut self.sweep.dead), ..Sweep::default() };
            for &slot in &self.sweep.leaving {
                self.sweep.leaving_set.insert(slot);
            }
        }
        // In pieces, so that what is to be written does not pile up.
        const PIECE: usize = 4096;
        while nodes > 0 {
            let (level, next) = if self.sweep.next < self.graph.layer(0).len() {
                (0, &mut self.sweep.next)
            } else {
                (1, &mut self.sweep.next_upper)
            };
            let end = next.saturating_add(nodes.min(PIECE)).min(self.graph.layer(level).len());
            let piece = *next as u32..end as u32;
            if piece.is_empty() {
                return self.finish_sweep();
            }
            *next = end;
            nodes -= piece.len();
            let layer = self.graph.layer(level);
            let repair = |scratch: &mut Pooled<'_>, node| self.repair(layer, scratch, node);
            let repaired: Vec<(u32, Vec<u32>)> = if piece.len() < PIECE {
                let mut scratch = self.pool.take();
                piece.filter_map(|node| repair(&mut scratch, node)).collect()
            } else {
                let parts = piece.into_par_iter().map_init(|| self.pool.take(), repair);
                parts.flatten_iter().collect()
            };
            for (node, links) in repaired {
                self.graph.set_links(level, node, links.into_iter());
            }
        }
    }

    /// Frees what no link leads to any more.
    fn finish_sweep(&mut self) {
        let gone = std::mem::take(&mut self.sweep.leaving);
        let leaving = std::mem::take(&mut self.sweep.leaving_set);
        if self.graph.entry.is_some_and(|entry| leaving.contains(entry.slot)) {
            self.graph.entry = new_entry(&self.graph, &self.live, &self.linked);
        }
        let above: Vec<u32> = self
            .graph
            .upper_nodes()
            .filter(|entry| leaving.contains(entry.slot))
            .map(|entry| entry.node)
            .collect();
        for node in above {
            self.graph.free_upper(node);
        }
        for &slot in &gone {
            self.graph.set_links(0, slot, std::iter::empty());
        }
        self.release(&gone);
    }

    /// A node and the links that it is to have, if it stays and has some to dead slots.
    fn repair(&self, layer: Layer<'_>, scratch: &mut Scratch, node: u32) -> Option<(u32, Vec<u32>)> {
        if layer.is_free(node) || self.sweep.leaving_set.contains(layer.slot(node)) {
            return None;
        }
        let is_live = |node: u32| self.live.contains(layer.slot(node));
        if layer.links(node).all(is_live) {
            return None;
        }
        let mut nodes: Vec<u32> = layer.links(node).filter(|&link| is_live(link)).collect();
        for dead in layer.links(node).filter(|&link| !is_live(link)) {
            nodes.extend(layer.links(dead).filter(|&link| link != node && is_live(link)));
        }
        nodes.sort_unstable();
        nodes.dedup();
        let candidates = distances_from(layer, &self.store, scratch, node, &nodes);
        let links = choose(layer, &self.store, scratch, &candidates, layer.capacity(), STRETCH);
        Some((node, links.iter().map(|link| link.node).collect()))
    }

    /// Takes all slots out of the graph.
    pub(super) fn unlink(&mut self) {
        self.graph.clear();
        let sweep = std::mem::take(&mut self.sweep);
        self.release(&sweep.leaving);
        self.release(&sweep.dead);
        self.linked = Bits::default();
    }

    fn release(&mut self, gone: &[u32]) {
        for &slot in gone {
            self.linked.remove(slot);
        }
        self.free.extend(gone);
    }
}

/// The highest node that is live.
fn new_entry(graph: &Graph, live: &Bits, linked: &Bits) -> Option<Entry> {
    let upper = graph.upper_nodes().filter(|entry| live.contains(entry.slot));
    let first = || live.iter().find(|&slot| linked.contains(slot));
    upper
        .max_by_key(|entry| (entry.level, std::cmp::Reverse(entry.slot)))
        .or_else(|| first().map(|slot| Entry { node: slot, slot, level: 0 }))
}
