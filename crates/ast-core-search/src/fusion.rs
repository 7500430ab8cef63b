//! One ranking out of several.

use std::collections::HashMap;
use std::hash::Hash;

/// What a rank counts for: 1 / (this + rank). Of 10, 20 and 60, the smallest ranked code best.
pub const RANK_CONSTANT: f64 = 10.0;

/// Fuses rankings, best first, by reciprocal rank (Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms
/// Condorcet and individual Rank Learning Methods", SIGIR 2009). A score is between 0 and 1: 1 for what is first in
/// every ranking. Ties are in order of ids.
pub fn reciprocal_rank_fusion<Id: Copy + Ord + Hash>(rankings: &[&[Id]]) -> Vec<(Id, f64)> {
    let mut scores: HashMap<Id, f64> = HashMap::new();
    for ranking in rankings {
        for (rank, &id) in (1_u32..).zip(*ranking) {
            *scores.entry(id).or_default() += 1.0 / (RANK_CONSTANT + f64::from(rank));
        }
    }
    let best = rankings.len() as f64 / (RANK_CONSTANT + 1.0);
    let mut fused: Vec<(Id, f64)> =
        scores.into_iter().map(|(id, score)| (id, (score / best).min(1.0))).collect();
    fused.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_everywhere_is_one_and_both_beats_one() {
        let fused = reciprocal_rank_fusion(&[&[1, 2, 3][..], &[1, 4, 2][..]]);
        assert_eq!(fused[0], (1, 1.0));
        assert_eq!(fused.iter().map(|hit| hit.0).collect::<Vec<_>>(), [1, 2, 4, 3]);
    }

    #[test]
    fn nothing_fuses_to_nothing() {
        assert_eq!(reciprocal_rank_fusion::<u32>(&[]), []);
        assert_eq!(reciprocal_rank_fusion::<u32>(&[&[], &[]]), []);
    }

    proptest! {
        #[test]
        fn one_ranking_keeps_its_order(ids in proptest::collection::hash_set(0u32..1000, 0..50)) {
            let ranking: Vec<u32> = ids.into_iter().collect();
            let fused: Vec<u32> = reciprocal_rank_fusion(&[&ranking]).into_iter().map(|hit| hit.0).collect();
            prop_assert_eq!(fused, ranking);
        }

        #[test]
        fn moving_up_in_one_ranking_never_hurts(
            a in Just((0..20u32).collect::<Vec<_>>()).prop_shuffle(),
            b in Just((0..20u32).collect::<Vec<_>>()).prop_shuffle(),
            at in 1usize..20,
        ) {
            let id = a[at];
            let score = |ranking: &[u32]| {
                let fused = reciprocal_rank_fusion(&[ranking, &b]);
                fused.into_iter().find(|hit| hit.0 == id).unwrap().1
            };
            let mut better = a.clone();
            better.swap(at, at - 1);
            prop_assert!(score(&better) > score(&a));
        }
    }
}
