//! The best `k` of many scores.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::Neighbor;

/// Keeps the best `k` neighbors of those pushed, under the total order of [`Neighbor::rank`]. Since no two keys are
/// equal, what it keeps does not depend on the order in which they came.
pub(crate) struct TopK {
    k: usize,
    /// The lowest score that can still get in: the threshold, and once there are `k` that of the worst.
    bar: f32,
    /// The worst on top.
    heap: BinaryHeap<Ranked>,
}

impl TopK {
    /// `k` is what there is at most, so that it is also the room to reserve.
    pub(crate) fn new(k: usize, threshold: Option<f32>) -> Self {
        let bar = threshold.unwrap_or(f32::NEG_INFINITY);
        Self { k, bar, heap: BinaryHeap::with_capacity(k) }
    }

    /// Whether a neighbor of this score could get in; an equal score may still lose by its key.
    #[inline]
    pub(crate) fn admits(&self, score: f32) -> bool {
        score >= self.bar
    }

    pub(crate) fn push(&mut self, neighbor: Neighbor) {
        if !self.admits(neighbor.score) {
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
            self.bar = worst.score;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_the_head_of_the_sorted_list(
            scores in prop::collection::vec(-3_i8..=3, 0..60),
            rotation in any::<u64>(),
            parts in 1_usize..4,
            k in 0_usize..20,
            threshold in prop::option::of(-4_i8..=4),
        ) {
            let threshold = threshold.map(f32::from);
            // Keys in no order, so that the better of two equals may come first or last.
            let neighbors: Vec<Neighbor> = (0_u64..)
                .zip(&scores)
                .map(|(i, &score)| Neighbor { key: i.wrapping_mul(0x9E37_79B9).wrapping_add(rotation) % 101, score: score.into() })
                .collect();
            let mut expected: Vec<Neighbor> =
                neighbors.iter().copied().filter(|n| threshold.is_none_or(|threshold| n.score >= threshold)).collect();
            expected.sort_by(Neighbor::rank);
            expected.truncate(k);

            let mut top = TopK::new(k, threshold);
            for part in neighbors.chunks(neighbors.len().div_ceil(parts).max(1)) {
                let mut partial = TopK::new(k, threshold);
                part.iter().for_each(|&neighbor| partial.push(neighbor));
                top.merge(partial);
            }
            prop_assert_eq!(top.into_sorted(), expected);
        }
    }
}
