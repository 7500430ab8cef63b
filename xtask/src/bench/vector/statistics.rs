//! The arithmetic of measurements. Everything that is averaged, compared or interpolated goes through here.

/// The middle value; of an even number, the mean of the two in the middle. `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest value that at least `share` of all values do not exceed. `None` of nothing.
pub(super) fn quantile(values: &[u32], share: f64) -> Option<u32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The middle one of the times of each query, of an odd number of passes over all queries.
pub(super) fn middle_ones<const PASSES: usize>(passes: &[Vec<u32>; PASSES]) -> Vec<u32> {
    let queries = passes.iter().map(Vec::len).min().unwrap_or(0);
    let middle = |query: usize| {
        let mut times = passes.each_ref().map(|pass| pass[query]);
        times.sort_unstable();
        times[PASSES / 2]
    };
    (0..queries).map(middle).collect()
}

/// The median over the rounds of one side's value divided by the other's. What was measured in the same round saw the
/// same machine, so its changes of speed cancel.
pub(super) fn paired_ratio(numerators: &[f64], denominators: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> = numerators.iter().zip(denominators).map(|(n, d)| n / d).collect();
    median(&ratios)
}

/// Two settings of a search between which the wanted recall lies, and how to weigh them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bracket {
    /// The setting just below the wanted recall.
    pub(super) below: Setting,
    /// The setting at or just above it; the same one if the narrowest search is already good enough.
    pub(super) above: Setting,
    /// How much of `above` makes up the wanted recall, 0 to 1.
    pub(super) weight: f64,
}

/// A width of a search and the recall that it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Setting {
    pub(super) ef: usize,
    pub(super) recall: f64,
}

impl Bracket {
    /// The narrowest settings around a recall; `None` if no setting reaches it.
    pub(super) fn around(target: f64, settings: &[Setting]) -> Option<Self> {
        let mut settings = settings.to_vec();
        settings.sort_by_key(|setting| setting.ef);
        // The first that reaches it: recall grows with the width, but for noise.
        let at = settings.iter().position(|setting| setting.recall >= target)?;
        let above = settings[at];
        let Some(&below) = at.checked_sub(1).and_then(|at| settings.get(at)) else {
            return Some(Self { below: above, above, weight: 1.0 });
        };
        Some(Self { below, above, weight: (target - below.recall) / (above.recall - below.recall) })
    }

    /// A width between the two at which the recall may be close to the wanted one; `None` if they are neighbors.
    pub(super) fn between(&self) -> Option<usize> {
        let (below, above) = (self.below.ef, self.above.ef);
        let guess = below as f64 + self.weight * (above as f64 - below as f64);
        (above > below + 1).then(|| (guess.round() as usize).clamp(below + 1, above - 1))
    }

    /// The value at the wanted recall, linear between those at the two settings.
    pub(super) fn interpolate(&self, below: f64, above: f64) -> f64 {
        below + self.weight * (above - below)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(pairs: &[(usize, f64)]) -> Vec<Setting> {
        pairs.iter().map(|&(ef, recall)| Setting { ef, recall }).collect()
    }

    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 9.0, 1.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }

    #[test]
    fn quantiles_are_values_that_occur() {
        let values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(quantile(&values, 0.5), Some(50));
        assert_eq!(quantile(&values, 0.99), Some(99));
        assert_eq!(quantile(&values, 1.0), Some(100));
        assert_eq!(quantile(&[7], 0.0), Some(7));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn what_met_a_query_once_is_not_in_its_time() {
        let passes = [vec![10, 90, 30], vec![80, 20, 31], vec![11, 21, 70]];
        assert_eq!(middle_ones(&passes), [11, 21, 31]);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The machine is ten times slower in the second round, for both.
        assert_eq!(paired_ratio(&[2.0, 20.0, 2.0], &[1.0, 10.0, 1.0]), Some(2.0));
        // The ratio of the medians would be 1.
        assert_eq!(paired_ratio(&[1.0, 2.0, 9.0], &[2.0, 1.0, 3.0]), Some(2.0));
    }

    #[test]
    fn a_recall_is_bracketed_by_the_nearest_settings() {
        let measured = settings(&[(80, 0.97), (10, 0.80), (40, 0.94), (160, 0.99)]);
        let bracket = Bracket::around(0.95, &measured).unwrap();
        assert_eq!((bracket.below.ef, bracket.above.ef), (40, 80));
        assert!((bracket.interpolate(100.0, 400.0) - 200.0).abs() < 1e-9);
        assert_eq!(bracket.between(), Some(53));
        assert_eq!(Bracket::around(0.99, &measured).unwrap().above.ef, 160);
        assert_eq!(Bracket::around(0.995, &measured), None);
    }

    #[test]
    fn the_narrowest_search_may_be_good_enough() {
        let bracket = Bracket::around(0.5, &settings(&[(10, 0.8), (20, 0.9)])).unwrap();
        assert_eq!((bracket.below.ef, bracket.above.ef, bracket.between()), (10, 10, None));
        assert_eq!(bracket.interpolate(3.0, 3.0), 3.0);
    }

    proptest! {
        #[test]
        fn interpolation_stays_between_and_guesses_are_new(
            recalls in prop::collection::vec(0.0..1.0_f64, 1..8), target in 0.0..1.0_f64,
        ) {
            let measured: Vec<Setting> =
                recalls.iter().enumerate().map(|(i, &recall)| Setting { ef: 3 * i + 10, recall }).collect();
            match Bracket::around(target, &measured) {
                None => prop_assert!(recalls.iter().all(|&recall| recall < target)),
                Some(bracket) => {
                    let value = bracket.interpolate(1.0, 2.0);
                    prop_assert!((1.0..=2.0).contains(&value));
                    if let Some(ef) = bracket.between() {
                        prop_assert!(bracket.below.ef < ef && ef < bracket.above.ef);
                    }
                }
            }
        }
    }
}
