//! Choosing between a walk through the graph and a scan, with and without a filter.

use super::{Hnsw, graph::Layer, search::Scratch};
use crate::{
    Filter, SearchOptions, VectorIndex,
    bits::{Bits, ones},
    frontier::Candidate,
    rows::Rows,
    store::{Query, Store},
};

/// Which slots a search may return.
pub(super) enum Matches<'a> {
    All,
    /// A set of them.
    Some(Bits),
    /// About a share of them, of which a filter tells which.
    Share {
        filter: Filter<'a>,
        share: f64,
    },
}

/// What a search costs, in rows of a scan: measured with 384 dimensions and AVX-512, on 1,000 to 100,000 vectors. Whether
/// they fit into cache changes both sides alike.
mod cost {
    /// Entering the graph.
    const ENTRY: f64 = 300.0;
    /// A candidate: looking behind it and comparing with what its links lead to.
    const CANDIDATE: f64 = 60.0;
    /// Asking a filter.
    const ASK: f64 = 0.2;
    /// A row that does not follow the one before.
    const ALONE: f64 = 1.7;

    /// A walk that ends with `ef` candidates of which a share is looked for.
    pub(super) fn walk(ef: usize, share: f64) -> f64 {
        ENTRY + CANDIDATE * ef as f64 / share
    }

    /// A scan of `matches` rows of which it is known which those are.
    pub(super) fn scan(matches: f64, rows: usize) -> f64 {
        (matches * ALONE).min(rows as f64)
    }

    /// Asking for all rows which those are.
    pub(super) fn ask(rows: usize) -> f64 {
        rows as f64 * ASK
    }
}

/// Candidates that a walk remembers to look behind for each that it is expected to return.
const SEEN: f64 = 4.0;

impl Hnsw {
    /// What the options let pass.
    pub(super) fn matches<'a>(&self, options: &SearchOptions<'a>, ef: usize) -> Matches<'a> {
        if let Some(keys) = options.keys {
            let mut slots = Bits::default();
            for &key in keys.iter().filter(|&&key| options.filter.is_none_or(|filter| filter(key))) {
                if let Some(slot) = self.keys.slot(key) {
                    slots.insert(slot as u32);
                }
            }
            return Matches::Some(slots);
        }
        let Some(filter) = options.filter else { return Matches::All };
        if self.is_linked() {
            let share = self.sampled_share(filter);
            let rows = self.len();
            if cost::walk(ef, share) < cost::ask(rows) + cost::scan(share * rows as f64, rows) {
                return Matches::Share { filter, share };
            }
        }
        Matches::Some(self.live.filtered(self.keys.as_slice(), filter))
    }

    /// Whether the graph has all slots that are live.
    pub(crate) fn is_linked(&self) -> bool {
        self.linked.count() - self.dead() == self.live.count() && self.graph.entry.is_some()
    }

    /// The share of keys that pass a filter, from a few keys spread over all. More than none.
    fn sampled_share(&self, filter: Filter<'_>) -> f64 {
        const SAMPLE: usize = 128;
        let step = (self.store.len() / SAMPLE).max(1);
        let (mut asked, mut passed) = (0, 0);
        for slot in (0..self.store.len()).step_by(step) {
            if self.live.contains(slot as u32) {
                asked += 1;
                passed += usize::from(filter(self.keys.as_slice()[slot]));
            }
        }
        (f64::from(passed as u32) + 0.5) / (f64::from(asked as u32) + 0.5)
    }

    /// Leaves in the scratch the nearest candidates, at least `wanted` if there are as many.
    pub(super) fn find(
        &self,
        query: &Query,
        matches: Matches<'_>,
        wanted: usize,
        ef: usize,
        scratch: &mut Scratch,
    ) {
        let most = self.store.candidates(wanted);
        let walked = match &matches {
            Matches::All => {
                let rows = self.len();
                let is_cheaper = cost::walk(ef, 1.0) < cost::scan(rows as f64, rows);
                is_cheaper && self.walk(query, ef, scratch)
            }
            Matches::Some(slots) => {
                let share = slots.count() as f64 / self.len() as f64;
                let is_cheaper = cost::walk(ef, share) < cost::scan(slots.count() as f64, self.len());
                is_cheaper && self.filtered_walk(query, ef, share, scratch, |slot| slots.contains(slot))
            }
            Matches::Share { filter, share } => {
                let keys = self.keys.as_slice();
                self.filtered_walk(query, ef, *share, scratch, |slot| {
                    self.live.contains(slot) && filter(keys[slot as usize])
                })
            }
        };
        if walked && scratch.candidates.len() >= wanted {
            return;
        }
        // The graph leads to too few, or the way through it is longer.
        match matches {
            Matches::All => self.scan(query, &self.live, most, scratch),
            Matches::Some(slots) => self.scan(query, &slots, most, scratch),
            Matches::Share { filter, .. } => {
                let slots = self.live.filtered(self.keys.as_slice(), filter);
                self.scan(query, &slots, most, scratch);
            }
        }
    }

    /// Walks the graph, if it has all slots.
    fn walk(&self, query: &Query, ef: usize, scratch: &mut Scratch) -> bool {
        let Some(entry) = self.graph.entry else { return false };
        if !self.is_linked() {
            return false;
        }
        // Dead slots take places of candidates.
        let width = ef + ef * self.dead() / self.live.count().max(1);
        let entry = scratch.descend_to(&self.graph, &self.store, query, entry, 0);
        scratch.beam(self.graph.layer(0), &self.store, query, [entry], width);
        scratch.candidates.clear();
        let found = scratch.frontier.iter().filter(|found| self.live.contains(found.node));
        scratch.candidates.extend(found);
        self.store.refine(query, &mut scratch.candidates);
        true
    }

    /// Walks the graph for the share of slots that pass, if it has all slots.
    fn filtered_walk(
        &self,
        query: &Query,
        ef: usize,
        share: f64,
        scratch: &mut Scratch,
        passes: impl FnMut(u32) -> bool,
    ) -> bool {
        let Some(entry) = self.graph.entry else { return false };
        if !self.is_linked() {
            return false;
        }
        let seen = (SEEN * ef as f64 / share) as usize;
        let entry = scratch.descend_to(&self.graph, &self.store, query, entry, 0);
        scratch.filtered_beam(self.graph.layer(0), &self.store, query, entry, (ef, seen), passes);
        scratch.candidates.clear();
        scratch.candidates.extend(scratch.results.iter());
        self.store.refine(query, &mut scratch.candidates);
        true
    }

    /// Leaves in the scratch the nearest slots of a set.
    fn scan(&self, query: &Query, slots: &Bits, most: usize, scratch: &mut Scratch) {
        const GROUP: usize = Rows::<u32>::GROUP;
        /// Rows of a group from which on reading all of it is faster.
        const MANY: u32 = (GROUP / 2) as u32;
        scratch.results.reset(most);
        let mut distances = [0; GROUP];
        let mut alone = [0; GROUP];
        for start in (0..self.store.len()).step_by(GROUP) {
            let words = [slots.word(start / 64), slots.word(start / 64 + 1)];
            let count = words[0].count_ones() + words[1].count_ones();
            if count == 0 {
                continue;
            }
            let firsts = [start as u32, start as u32 + 64];
            let members =
                words.iter().zip(firsts).flat_map(|(&word, first)| ones(word).map(move |bit| first + bit));
            if count >= MANY {
                let end = (start + GROUP).min(self.store.len());
                self.store.scan(query, start..end, &mut distances[..end - start]);
                for node in members {
                    scratch.results.offer(Candidate { distance: distances[node as usize % GROUP], node });
                }
            } else {
                let alone = &mut alone[..count as usize];
                for (place, node) in alone.iter_mut().zip(members) {
                    self.store.prefetch(node);
                    *place = node;
                }
                self.store.distances(query, alone, &mut distances[..alone.len()]);
                for (&node, &distance) in alone.iter().zip(&distances) {
                    scratch.results.offer(Candidate { distance, node });
                }
            }
        }
        scratch.candidates.clear();
        scratch.candidates.extend(scratch.results.iter());
    }
}

impl Scratch {
    /// Finds the `width` slots of the lowest layer that pass and are nearest to the query, as far as links lead there
    /// from `entry`, and leaves them in `results`.
    ///
    /// The walk goes through slots that do not pass as well, and ends when nothing that is nearer than the worst of
    /// `width` that pass is left to look behind. `seen` bounds how many are remembered to be looked behind.
    pub(super) fn filtered_beam(
        &mut self,
        layer: Layer<'_>,
        store: &Store,
        query: &Query,
        entry: Candidate,
        (width, seen): (usize, usize),
        mut passes: impl FnMut(u32) -> bool,
    ) {
        self.frontier.reset(seen);
        self.results.reset(width);
        self.visited.reset(layer.len());
        self.visited.insert(entry.node);
        self.frontier.push(entry);
        if passes(entry.node) {
            self.results.push(entry);
        }
        while let Some(nearest) = self.frontier.pop() {
            if nearest.distance > self.results.bar() {
                break;
            }
            let count = self.visited.insert_all(layer.links(nearest.node), &mut self.slots);
            store.estimates::<false>(query, &self.slots[..count], &mut self.distances[..count]);
            for (&node, &distance) in self.slots[..count].iter().zip(&self.distances[..count]) {
                if distance < self.results.bar() && distance < self.frontier.bar() {
                    layer.prefetch(node);
                    let candidate = Candidate { distance, node };
                    self.frontier.push(candidate);
                    if passes(node) {
                        self.results.push(candidate);
                    }
                }
            }
        }
    }
}
