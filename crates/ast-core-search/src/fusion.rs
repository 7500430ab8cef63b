//! One score out of two.

use std::collections::HashMap;
use std::hash::Hash;

/// Fuses what was found by words with what was found by meaning: scores are brought to 0..1 among those that were found for
/// the query (min-max), and what counts is their sum, of which `meaning`, from 0 to 1, is the share of what was found by
/// meaning: see [`RankingWeights::meaning`](crate::RankingWeights::meaning). `None` is a way that was not gone; the other counts alone.
/// Best first, ties in the order of ids.
///
/// The sum of scores keeps how far apart they are, which ranks do not (Bruch, Gai and Ingber, "An Analysis of Fusion
/// Functions for Hybrid Retrieval", ACM TOIS 2023).
pub fn fuse<Id: Copy + Ord + Hash>(
    by_words: Option<&[(Id, f64)]>,
    by_meaning: Option<&[(Id, f64)]>,
    meaning: f64,
) -> Vec<(Id, f64)> {
    let meaning = match (by_words, by_meaning) {
        (Some(_), Some(_)) => meaning,
        (None, _) => 1.0,
        (Some(_), None) => 0.0,
    };
    let mut scores: HashMap<Id, f64> = HashMap::new();
    for (found, weight) in [(by_words, 1.0 - meaning), (by_meaning, meaning)] {
        let found = found.unwrap_or_default();
        let least = found.iter().map(|(_, score)| *score).fold(f64::INFINITY, f64::min);
        let most = found.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        for &(id, score) in found {
            // Where all are alike, all are best. What is last of many gets nothing, as what was not found.
            let share = if most > least { (score - least) / (most - least) } else { 1.0 };
            *scores.entry(id).or_default() += weight * share;
        }
    }
    let mut fused: Vec<(Id, f64)> = scores.into_iter().collect();
    fused.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_in_both_is_one_and_both_beats_either() {
        for share in [0.2, 0.5, 0.7] {
            let words = [(1, 9.0), (2, 8.5), (3, 1.0)];
            let meaning = [(1, 0.9), (4, 0.5), (2, 0.45), (5, 0.1)];
            let fused = fuse(Some(&words), Some(&meaning), share);
            assert_eq!(fused[0].0, 1);
            assert!((fused[0].1 - 1.0).abs() < 1e-12);
            assert_eq!(fused[1].0, 2, "{share}");
        }
    }

    #[test]
    fn one_way_alone_counts_in_full() {
        let found = [(3, 7.0), (1, 7.0), (2, 1.0)];
        let expected = [(1, 1.0), (3, 1.0), (2, 0.0)];
        assert_eq!(fuse(Some(&found), None, 0.5), expected);
        assert_eq!(fuse(None, Some(&found), 0.5), expected);
        assert_eq!(fuse::<u32>(Some(&[]), Some(&[]), 0.5), []);
    }

    proptest! {
        #[test]
        fn a_better_score_never_hurts(
            mut words in proptest::collection::vec(0.1f64..50.0, 1..20),
            meaning in proptest::collection::vec(-0.2f64..1.0, 0..20),
            at: prop::sample::Index,
            share in 0.0f64..1.0,
        ) {
            let list = |scores: &[f64], from: u32| -> Vec<(u32, f64)> { (from..).zip(scores.iter().copied()).collect() };
            let meaning = list(&meaning, 10);
            let at = at.index(words.len());
            let place = |words: &[f64]| {
                let fused = fuse(Some(&list(words, 0)), Some(&meaning), share);
                fused.iter().position(|(id, _)| *id == at as u32).unwrap()
            };
            let before = place(&words);
            words[at] *= 2.0;
            prop_assert!(place(&words) <= before);
        }
    }
}
