//! The best `k` of many scores.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::Neighbor;

/// Keeps the best `k` neighbors of those pushed, under the total order of [`Neighbor::rank`]. Since no two keys are
/// equal, what it keeps does not depend on the order in which they came.
pub(crate) struct TopK {
    k: usize,
    /// The lowest score that is accepted at all.
    threshold: f32,
    /// The lowest score that can still get in.
    bar: f32,
    /// The worst on top.
    heap: BinaryHeap<Ranked>,
}

impl TopK {
    /// `k` is what there is at most, so that it is also the room to reserve.
    pub(crate) fn new(k: usize, threshold: Option<f32>) -> Self {
        let threshold = threshold.unwrap_or(f32::NEG_INFINITY);
        let bar = if k == 0 { f32::INFINITY } else { threshold };
        Self { k, threshold, bar, heap: BinaryHeap::with_capacity(k) }
    }

    /// Whether a neighbor of this score could get in; an equal score may still lose by its key.
    #[inline]
    pub(crate) fn admits(&self, score: f32) -> bool {
        score >= self.bar
    }

    pub(crate) fn push(&mut self, neighbor: Neighbor) {
        if !self.admits(neighbor.score) || self.k == 0 {
            return;
        }
        if self.heap.len() < self.k {
            self.heap.push(Ranked(neighbor));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && Ranked(neighbor) < *worst
        {
            *worst = Ranked(neighbor);
        }
        if self.heap.len() == self.k
            && let Some(Ranked(worst)) = self.heap.peek()
        {
            self.bar = worst.score.max(self.threshold);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for Ranked(neighbor) in other.heap {
            self.push(neighbor);
        }
    }

    /// The neighbors that were kept, the best first.
    pub(crate) fn into_sorted(self) -> Vec<Neighbor> {
        self.heap.into_sorted_vec().into_iter().map(|Ranked(neighbor)| neighbor).collect()
    }
}

/// Orders neighbors by [`Neighbor::rank`]: the smaller is the better.
#[derive(PartialEq)]
struct Ranked(Neighbor);

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank(&other.0)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
