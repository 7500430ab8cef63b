//! The arithmetic of measurements. Everything that is averaged, compared or interpolated goes through here.

use serde::{Deserialize, Serialize};

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

/// A value, and between which values it would be found again in 95 of 100 repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Estimate {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// How often samples are drawn anew. The ends of an interval move by less than a hundredth of its width with more.
const DRAWS: usize = 10_000;
/// What an interval leaves out at each end.
const TAIL: f64 = 0.025;

impl Estimate {
    /// The median of samples, and the interval that the percentile bootstrap gives for it: Efron and Tibshirani, An
    /// Introduction to the Bootstrap (1993), chapter 13. `None` of nothing. A single sample has no interval but itself;
    /// with fewer than six it is narrower than it says.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let median = median(samples)?;
        let mut random = Random::new(SEED);
        let medians = (0..DRAWS).filter_map(|_| self::median(&random.drawn(samples))).collect();
        Some(Self::between(median, medians))
    }

    /// The same for the median of some samples divided by the median of others, which were not taken in pairs.
    pub(super) fn of_quotient(numerators: &[f64], denominators: &[f64]) -> Option<Self> {
        let quotient = |a: &[f64], b: &[f64]| Some(median(a)? / median(b)?);
        let middle = quotient(numerators, denominators)?;
        let mut random = Random::new(SEED);
        let draw = |_| quotient(&random.drawn(numerators), &random.drawn(denominators));
        let quotients = (0..DRAWS).filter_map(draw).collect();
        Some(Self::between(middle, quotients))
    }

    fn between(median: f64, mut drawn: Vec<f64>) -> Self {
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (share * (drawn.len() - 1) as f64).round() as usize;
            drawn.get(index).copied().unwrap_or(median)
        };
        Self { median, low: at(TAIL).min(median), high: at(1.0 - TAIL).max(median) }
    }
}

/// Where every sequence begins: two reports of the same samples are the same.
const SEED: u64 = 0x5eed;

/// Numbers that look random: SplitMix64, of Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        // The high half of the product: as even as 64 bits allow.
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// As many of the values as there are, each drawn from all of them.
    fn drawn(&mut self, values: &[f64]) -> Vec<f64> {
        (0..values.len()).map(|_| values[self.below(values.len())]).collect()
    }

    /// Puts values into an order that is as likely as any other.
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}

/// What a later measurement says of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// Slower, and not by chance.
    Regressed,
    /// Faster, and not by chance.
    Improved,
    /// The same, and known well enough to say so.
    Unchanged,
    /// The samples scatter too much to say.
    Undecided,
}

/// What is no change that anybody would act on.
const SAME: f64 = 0.02;

impl Change {
    /// Judges a speed by an earlier one, as a factor: above 1 is faster.
    pub(super) fn of(factor: Estimate) -> Self {
        let Estimate { median, low, high } = factor;
        if high < 1.0 && median < 1.0 - SAME {
            Self::Regressed
        } else if low > 1.0 && median > 1.0 + SAME {
            Self::Improved
        } else if low >= 1.0 - SAME && high <= 1.0 + SAME {
            Self::Unchanged
        } else {
            Self::Undecided
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Undecided => "undecided",
        }
    }
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

    #[test]
    fn an_interval_is_as_wide_as_its_samples_scatter() {
        assert_eq!(Estimate::of(&[]), None);
        let certain = Estimate::of(&[3.0]).unwrap();
        assert_eq!((certain.low, certain.median, certain.high), (3.0, 3.0, 3.0));
        let quiet = Estimate::of(&[9.9, 10.0, 10.1, 10.0, 9.95]).unwrap();
        let noisy = Estimate::of(&[5.0, 10.0, 20.0, 10.0, 7.0]).unwrap();
        assert_eq!((quiet.median, noisy.median), (10.0, 10.0));
        assert!(noisy.high - noisy.low > 10.0 * (quiet.high - quiet.low));
    }

    /// The interval of a median of many samples is that of its order statistics, which the binomial distribution gives:
    /// for 99 samples the 40th and the 60th.
    #[test]
    fn an_interval_is_that_of_the_order_statistics() {
        let samples: Vec<f64> = (1..=99).map(f64::from).collect();
        let Estimate { median, low, high } = Estimate::of(&samples).unwrap();
        assert_eq!(median, 50.0);
        assert!((39.0..=41.0).contains(&low) && (59.0..=61.0).contains(&high), "{low} {high}");
    }

    #[test]
    fn a_change_is_one_if_it_is_large_enough_and_no_chance() {
        let change = |low, median, high| Change::of(Estimate { median, low, high });
        assert_eq!(change(0.90, 0.95, 0.99), Change::Regressed);
        assert_eq!(change(1.01, 1.05, 1.09), Change::Improved);
        assert_eq!(change(0.99, 1.00, 1.01), Change::Unchanged);
        assert_eq!(change(0.985, 0.99, 0.995), Change::Unchanged);
        assert_eq!(change(0.80, 0.95, 1.10), Change::Undecided);
        assert_eq!(change(0.90, 0.985, 0.999), Change::Undecided);
    }

    #[test]
    fn five_percent_are_seen_through_noise_of_one() {
        let before = [1.00, 1.01, 0.99, 1.005, 0.995, 1.0, 1.008];
        let after = before.map(|speed| speed * 0.95);
        assert_eq!(Change::of(Estimate::of_quotient(&after, &before).unwrap()), Change::Regressed);
        assert_eq!(Change::of(Estimate::of_quotient(&before, &after).unwrap()), Change::Improved);
        assert_eq!(Change::of(Estimate::of_quotient(&before, &before).unwrap()), Change::Unchanged);
    }

    #[test]
    fn every_order_comes_up() {
        let mut seen = std::collections::BTreeSet::new();
        let mut random = Random::new(1);
        for _ in 0..200 {
            let mut values = [1, 2, 3];
            random.shuffle(&mut values);
            seen.insert(values);
        }
        assert_eq!(seen.len(), 6);
    }

    proptest! {
        // Each draws its samples anew ten thousand times.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn an_interval_holds_its_median_and_stays_among_the_samples(
            samples in prop::collection::vec(0.001..1000.0_f64, 1..12),
        ) {
            let Estimate { median, low, high } = Estimate::of(&samples).unwrap();
            let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
            let most = samples.iter().copied().fold(0.0, f64::max);
            prop_assert!(least <= low && low <= median && median <= high && high <= most);
        }

        #[test]
        fn an_interval_knows_no_unit(samples in prop::collection::vec(0.001..1000.0_f64, 1..12)) {
            // A power of two, so that nothing is rounded.
            let larger: Vec<f64> = samples.iter().map(|sample| sample * 1024.0).collect();
            let (one, other) = (Estimate::of(&samples).unwrap(), Estimate::of(&larger).unwrap());
            prop_assert_eq!(
                (one.low * 1024.0, one.median * 1024.0, one.high * 1024.0),
                (other.low, other.median, other.high)
            );
        }

        #[test]
        fn nothing_changes_by_itself(samples in prop::collection::vec(0.001..1000.0_f64, 1..12)) {
            let change = Change::of(Estimate::of_quotient(&samples, &samples).unwrap());
            prop_assert!(matches!(change, Change::Unchanged | Change::Undecided));
        }
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
