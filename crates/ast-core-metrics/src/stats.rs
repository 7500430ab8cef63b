//! Statistics of measurements: what benchmarks say of their samples, and how sure they are of it.
//!
//! Times have long tails and are few, so all of this goes by ranks: medians, and intervals that assume no distribution.
//! Two sides are compared in pairs that were measured one right after the other, so that the moods of the machine cancel.
//!
//! ```
//! use ast_core_metrics::stats::{Bootstrap, Verdict, paired_ratio};
//!
//! let before = [1.00, 1.20, 0.98, 1.51, 1.01, 1.02, 1.10, 0.99];
//! let after = [0.81, 0.97, 0.78, 1.19, 0.80, 0.83, 0.88, 0.80];
//! let ratio = paired_ratio(&after, &before, &Bootstrap::default()).expect("enough pairs");
//! assert!(ratio.low <= ratio.point && ratio.point <= ratio.high && ratio.high < 0.85);
//! assert_eq!(Verdict::of(&ratio, 0.05), Verdict::Improved);
//! ```

use std::fmt;

/// The middle value; of an even number, the mean of the two in the middle. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    median_of(&mut values)
}

/// The least value that at least `share` of all, from 0 to 1, do not exceed: a value that occurs. `None` of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The median absolute deviation: how far values are from their median, half of them less, half of them more. `None` of
/// nothing. Of a normal distribution it is 0.6745 times the standard deviation; it is not scaled here.
pub fn mad(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    median_of(&mut deviations)
}

fn median_of(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even) {
        Some(lower) => Some(f64::midpoint(lower, upper)),
        None => Some(upper),
    }
}

/// How intervals are made: the percentile bootstrap (B. Efron, 1979) with a generator that is seeded, so that the same
/// samples always give the same interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How often samples are drawn anew, at least 1. Default: 2,000.
    pub resamples: usize,
    /// How often the interval is to have the true value in it, between 0 and 1. Default: 0.95.
    pub confidence: f64,
    /// What the draws begin with.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, confidence: 0.95, seed: 0x5eed }
    }
}

impl Bootstrap {
    /// The fewest samples that say where a median is with this confidence: with n of them it is outside of their whole
    /// range with a probability of 2^(1-n), whatever the distribution. 6 for 0.95.
    pub fn least_samples(&self) -> usize {
        let doubt = (1.0 - self.confidence).max(f64::MIN_POSITIVE);
        (1.0 - doubt.log2()).ceil().max(2.0) as usize
    }
}

/// A value and where the true one is, as far as the samples tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Not more than `point`.
    pub low: f64,
    /// What the samples say.
    pub point: f64,
    /// Not less than `point`.
    pub high: f64,
}

impl Interval {
    /// Whether a value is in it.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self { low: change(self.low), point: change(self.point), high: change(self.high) }
    }
}

impl fmt::Display for Interval {
    /// `0.982 [0.971, 0.995]`, in as many digits as are asked for, or three behind the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        let Self { low, point, high } = self;
        write!(f, "{point:.digits$} [{low:.digits$}, {high:.digits$}]")
    }
}

/// The median with its interval. `None` if there are fewer samples than [say something](Bootstrap::least_samples), or one
/// of them is no number.
pub fn median_interval(samples: &[f64], bootstrap: &Bootstrap) -> Option<Interval> {
    if samples.len() < bootstrap.least_samples() || samples.iter().any(|sample| sample.is_nan()) {
        return None;
    }
    let point = median(samples)?;
    let mut random = Random(bootstrap.seed);
    let mut drawn = vec![0.0; samples.len()];
    let mut medians = Vec::with_capacity(bootstrap.resamples.max(1));
    for _ in 0..bootstrap.resamples.max(1) {
        drawn.fill_with(|| samples[random.below(samples.len())]);
        medians.extend(median_of(&mut drawn));
    }
    medians.sort_unstable_by(f64::total_cmp);
    // As many are left out below as above.
    let doubt = (1.0 - bootstrap.confidence).clamp(0.0, 1.0);
    let outside = ((doubt / 2.0 * medians.len() as f64) as usize).min(medians.len().div_ceil(2) - 1);
    let (low, high) = (medians[outside], medians[medians.len() - 1 - outside]);
    Some(Interval { low: low.min(point), point, high: high.max(point) })
}

/// The median of one side's values divided by the other's, pair by pair, with its interval. Pairs are compared on a scale
/// of logarithms, so that the sides can be exchanged: the ratio and its interval are then exactly inverted, up to
/// rounding. What has no partner is left out.
///
/// `None` if there are fewer pairs than [say something](Bootstrap::least_samples), or one of the values is not above zero
/// and finite.
pub fn paired_ratio(numerators: &[f64], denominators: &[f64], bootstrap: &Bootstrap) -> Option<Interval> {
    let pairs = numerators.iter().zip(denominators);
    let is_good = |value: f64| value > 0.0 && value.is_finite();
    let logarithm =
        |(above, below): (&f64, &f64)| (is_good(*above) && is_good(*below)).then(|| above.ln() - below.ln());
    let logarithms: Option<Vec<f64>> = pairs.map(logarithm).collect();
    Some(median_interval(&logarithms?, bootstrap)?.map(f64::exp))
}

/// What a comparison of a new side with an old one says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// It costs more, by more than the threshold.
    Regressed,
    /// It costs less, by more than the threshold.
    Improved,
    /// Whatever it differs by is within the threshold.
    Unchanged,
    /// The interval reaches over a limit: more pairs have to tell.
    Undecided,
}

impl Verdict {
    /// The verdict of a ratio of costs, such as times, new by old. A threshold of 0.05 lets up to 1.05 and down to 1/1.05
    /// pass for the same; it is taken for 0 if it is less.
    pub fn of(ratio: &Interval, threshold: f64) -> Self {
        let most = 1.0 + threshold.max(0.0);
        let least = 1.0 / most;
        if ratio.low > most {
            Self::Regressed
        } else if ratio.high < least {
            Self::Improved
        } else if ratio.low >= least && ratio.high <= most {
            Self::Unchanged
        } else {
            Self::Undecided
        }
    }

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// SplitMix64 (G. Steele, D. Lea, C. Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..count`, by the upper half of a product (D. Lemire, 2019); what is uneven about it is below 2^-32 for
    /// fewer than 2^32.
    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUICK: Bootstrap = Bootstrap { resamples: 400, confidence: 0.95, seed: 7 };

    fn samples() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0.001..1e6_f64, 6..40)
    }

    fn is_near(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
    }

    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert_eq!((median(&[]), mad(&[]), percentile(&[], 0.5)), (None, None, None));
        assert_eq!(median(&[3.0, 9.0, 1.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), Some(3.0));
        assert_eq!(mad(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let found = [0.0, 0.5, 0.951, 0.99, 1.0, 7.0].map(|share| percentile(&values, share));
        assert_eq!(found, [1.0, 50.0, 96.0, 99.0, 100.0, 100.0].map(Some));
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert_eq!(Bootstrap::default().least_samples(), 6);
        assert_eq!(Bootstrap { confidence: 0.99, ..QUICK }.least_samples(), 8);
        assert_eq!(median_interval(&[1.0; 5], &QUICK), None);
        assert!(median_interval(&[1.0; 6], &QUICK).is_some());
        assert_eq!(paired_ratio(&[1.0; 9], &[1.0; 5], &QUICK), None);
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut values = [1.0; 8];
            values[3] = wrong;
            assert_eq!(paired_ratio(&values, &[1.0; 8], &QUICK), None, "{wrong}");
        }
    }

    /// Of many experiments of which the true median is known, about as many intervals have it in them as are to. The
    /// distributions are skewed, as times are.
    #[test]
    fn intervals_have_the_true_value_as_often_as_they_say() {
        let mut random = Random(1);
        for (count, confidence) in [(15, 0.95), (40, 0.95), (40, 0.8)] {
            const EXPERIMENTS: usize = 1000;
            let bootstrap = Bootstrap { confidence, ..QUICK };
            let mut covered = 0;
            for _ in 0..EXPERIMENTS {
                // Exponential: its median is the logarithm of 2.
                let mut draw = || -((random.next() >> 11) as f64 / (1_u64 << 53) as f64).max(1e-300).ln();
                let samples: Vec<f64> = (0..count).map(|_| draw()).collect();
                let interval = median_interval(&samples, &bootstrap).unwrap();
                covered += usize::from(interval.contains(2_f64.ln()));
            }
            let share = covered as f64 / EXPERIMENTS as f64;
            assert!((share - confidence).abs() < 0.05, "{share} of {count} samples, not {confidence}");
        }
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine is ten times slower every other round, for both.
        let slow = |round: usize| if round.is_multiple_of(2) { 10.0 } else { 1.0 };
        let old: Vec<f64> = (0..10).map(slow).collect();
        let new: Vec<f64> = old.iter().map(|time| time * 1.1).collect();
        let ratio = paired_ratio(&new, &old, &QUICK).unwrap();
        assert!([ratio.low, ratio.point, ratio.high].iter().all(|end| is_near(*end, 1.1)), "{ratio}");
        assert_eq!(Verdict::of(&ratio, 0.05), Verdict::Regressed);
        assert_eq!(Verdict::of(&ratio, 0.2), Verdict::Unchanged);
    }

    #[test]
    fn a_verdict_goes_by_the_whole_interval() {
        let verdict = |low: f64, high: f64| Verdict::of(&Interval { low, point: low, high }, 0.05);
        assert_eq!(verdict(1.06, 1.2), Verdict::Regressed);
        assert_eq!(verdict(0.7, 0.95), Verdict::Improved);
        assert_eq!(verdict(0.96, 1.04), Verdict::Unchanged);
        for (low, high) in [(1.04, 1.2), (0.9, 0.96), (0.5, 2.0)] {
            assert_eq!(verdict(low, high), Verdict::Undecided);
        }
        assert_eq!(Verdict::of(&Interval { low: 1.0, point: 1.0, high: 1.0 }, -1.0), Verdict::Unchanged);
    }

    #[test]
    fn intervals_are_printed_with_their_value() {
        let interval = Interval { low: 0.97149, point: 0.982, high: 0.995 };
        assert_eq!(
            (interval.to_string(), format!("{interval:.1}")),
            ("0.982 [0.971, 0.995]".into(), "1.0 [1.0, 1.0]".into())
        );
    }

    proptest! {
        #[test]
        fn the_median_and_its_deviation_are_those_of_the_definition(values in samples()) {
            let by_sorting = |values: &[f64]| {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
            };
            let middle = median(&values).unwrap();
            prop_assert!(is_near(middle, by_sorting(&values)));
            let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
            prop_assert!(is_near(mad(&values).unwrap(), by_sorting(&deviations)));
        }

        #[test]
        fn the_same_samples_give_the_same_interval_inside_of_their_range(values in samples(), scale in 0.01..100.0_f64) {
            let interval = median_interval(&values, &QUICK).unwrap();
            prop_assert_eq!(median_interval(&values, &QUICK), Some(interval));
            prop_assert!(interval.low <= interval.point && interval.point <= interval.high);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            prop_assert!(least <= interval.low && interval.high <= most);

            // Whatever the unit.
            let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
            let scaled = median_interval(&scaled, &QUICK).unwrap();
            prop_assert!(is_near(scaled.low, interval.low * scale) && is_near(scaled.high, interval.high * scale));
        }

        #[test]
        fn more_confidence_makes_no_interval_narrower(values in prop::collection::vec(0.1..10.0_f64, 12..40)) {
            let of = |confidence| median_interval(&values, &Bootstrap { confidence, ..QUICK }).unwrap();
            let (narrow, wide) = (of(0.5), of(0.99));
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        }

        #[test]
        fn sides_can_be_exchanged(old in samples(), noise in prop::collection::vec(0.5..2.0_f64, 40), threshold in 0.0..0.5_f64) {
            let new: Vec<f64> = old.iter().zip(&noise).map(|(time, noise)| time * noise).collect();
            let ratio = paired_ratio(&new, &old, &QUICK).unwrap();
            let inverse = paired_ratio(&old, &new, &QUICK).unwrap();
            prop_assert!(is_near(ratio.low, 1.0 / inverse.high) && is_near(ratio.high, 1.0 / inverse.low));
            prop_assert!(is_near(ratio.point, 1.0 / inverse.point));
            let exchanged = match Verdict::of(&ratio, threshold) {
                Verdict::Regressed => Verdict::Improved,
                Verdict::Improved => Verdict::Regressed,
                same => same,
            };
            // Unless an end is so near to a limit that rounding decides.
            let is_clear = |end: f64| !is_near(end, 1.0 + threshold) && !is_near(end, 1.0 / (1.0 + threshold));
            if is_clear(ratio.low) && is_clear(ratio.high) {
                prop_assert_eq!(Verdict::of(&inverse, threshold), exchanged);
            }
        }

        #[test]
        fn draws_are_below_the_count_and_reach_all_of_it(count in 1_usize..50, seed: u64) {
            let mut random = Random(seed);
            let mut met = vec![false; count];
            (0..count * 40).for_each(|_| met[random.below(count)] = true);
            prop_assert!(met.iter().filter(|met| **met).count() * 2 > count);
        }
    }
}
