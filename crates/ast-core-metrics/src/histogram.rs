//! How durations are distributed.

use std::array;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Durations, kept so that any percentile can be told to three significant digits.
///
/// Percentiles resolve from 1 ns to 1 h; what is longer counts as 1 h among them. Count, sum, minimum and
/// maximum are exact. Recording is four atomic additions and comparisons, takes no lock, and may be done from any
/// number of threads.
///
/// The counts are those of G. Tene's HdrHistogram: each power of two is divided evenly. They take 8 KiB for each
/// power of two that something was ever recorded in, so give a histogram to a stage, not to an item.
#[derive(Debug)]
pub struct Histogram {
    octaves: [OnceLock<Box<Octave>>; OCTAVES],
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    #[cfg(feature = "metrics")]
    forwarded: Option<metrics::Histogram>,
}

/// What a [`Histogram`] held at one moment. Its JSON is in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    /// Durations recorded.
    pub count: u64,
    /// Their sum; not more than 584 years.
    #[serde(rename = "sum_seconds", serialize_with = "seconds")]
    pub sum: Duration,
    /// How they are distributed; `None` if there are none.
    pub distribution: Option<Distribution>,
}

/// How durations are distributed. A percentile `p50` is the least recorded duration that at least 50 % of all
/// do not exceed, to three significant digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Distribution {
    /// The shortest, exact.
    #[serde(rename = "min_seconds", serialize_with = "seconds")]
    pub min: Duration,
    /// The longest, exact.
    #[serde(rename = "max_seconds", serialize_with = "seconds")]
    pub max: Duration,
    /// The arithmetic mean, exact up to rounding down to 1 ns.
    #[serde(rename = "mean_seconds", serialize_with = "seconds")]
    pub mean: Duration,
    /// The median.
    #[serde(rename = "p50_seconds", serialize_with = "seconds")]
    pub p50: Duration,
    /// 90 % take no longer.
    #[serde(rename = "p90_seconds", serialize_with = "seconds")]
    pub p90: Duration,
    /// 95 % take no longer.
    #[serde(rename = "p95_seconds", serialize_with = "seconds")]
    pub p95: Duration,
    /// 99 % take no longer.
    #[serde(rename = "p99_seconds", serialize_with = "seconds")]
    pub p99: Duration,
    /// 99.9 % take no longer.
    #[serde(rename = "p999_seconds", serialize_with = "seconds")]
    pub p999: Duration,
}

/// Records the time from its start to its drop in a [`Histogram`]; made by [`Histogram::start_timer`].
#[derive(Debug)]
#[must_use = "it measures until it is dropped"]
pub struct Timer<'a> {
    histogram: &'a Histogram,
    started: Instant,
}

const LONGEST_NANOS: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Slots of a power of two: with 2^10 of them a slot is less than a thousandth of what it stands for.
const SLOT_BITS: u32 = 10;
const SLOTS: usize = 1 << SLOT_BITS;

/// The first has what is below [`SLOTS`], each other one power of two, the last that of [`LONGEST_NANOS`].
const OCTAVES: usize = (LONGEST_NANOS.ilog2() - SLOT_BITS + 2) as usize;

type Octave = [AtomicU64; SLOTS];

/// The octave of a number of nanoseconds, and the slot in it.
fn place(nanos: u64) -> (usize, usize) {
    let octave = (nanos >> SLOT_BITS).checked_ilog2().map_or(0, |log| log as usize + 1);
    let slot = nanos >> octave.saturating_sub(1);
    (octave, slot as usize % SLOTS)
}

/// The least number of nanoseconds of a slot.
fn least(octave: usize, slot: usize) -> u64 {
    match octave {
        0 => slot as u64,
        _ => ((SLOTS + slot) as u64) << (octave - 1),
    }
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self {
            octaves: array::from_fn(|_| OnceLock::new()),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            #[cfg(feature = "metrics")]
            forwarded: None,
        }
    }

    /// One that tells a recorder of the crate `metrics` as well.
    #[cfg(feature = "metrics")]
    pub(crate) fn forwarding(to: metrics::Histogram) -> Self {
        Self { forwarded: Some(to), ..Self::new() }
    }

    /// Records one duration.
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let saturating = |sum: u64| Some(sum.saturating_add(nanos));
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, saturating);
        self.min.fetch_min(nanos, Ordering::Relaxed);
        self.max.fetch_max(nanos, Ordering::Relaxed);
        let (octave, slot) = place(nanos.min(LONGEST_NANOS));
        let octave = self.octaves[octave].get_or_init(|| Box::new([const { AtomicU64::new(0) }; SLOTS]));
        // Last, and seen with what is before it: what is counted is between the minimum and the maximum.
        octave[slot].fetch_add(1, Ordering::Release);
        #[cfg(feature = "metrics")]
        if let Some(recorder) = &self.forwarded {
            recorder.record(duration.as_secs_f64());
        }
    }

    /// Measures from now until the timer is dropped.
    pub fn start_timer(&self) -> Timer<'_> {
        Timer { histogram: self, started: Instant::now() }
    }

    /// What was recorded until now. Durations that other threads record meanwhile may or may not be in it.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let mut counts =
            hdrhistogram::Histogram::<u64>::new_with_bounds(1, LONGEST_NANOS, SIGNIFICANT_DIGITS)
                .expect("the bounds are constants that hdrhistogram accepts");
        let octaves = self.octaves.iter().map(OnceLock::get).enumerate();
        for (octave, slots) in octaves.filter_map(|(octave, slots)| Some((octave, slots?))) {
            for (slot, count) in slots.iter().enumerate() {
                match count.load(Ordering::Acquire) {
                    0 => {}
                    count => counts.saturating_record_n(least(octave, slot), count),
                }
            }
        }
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let (sum, min, max) = (load(&self.sum), load(&self.min), load(&self.max));
        let count = counts.len();
        // A slot stands for its upper end, which may lie above what was recorded; and all that was recorded may lie
        // beyond the last slot.
        let quantile = |quantile| Duration::from_nanos(counts.value_at_quantile(quantile).clamp(min, max));
        let distribution = (count > 0).then(|| Distribution {
            min: Duration::from_nanos(min),
            max: Duration::from_nanos(max),
            mean: Duration::from_nanos((sum / count).clamp(min, max)),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p999: quantile(0.999),
        });
        HistogramSnapshot { count, sum: Duration::from_nanos(sum), distribution }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer<'_> {
    /// Records now, and returns what it recorded.
    pub fn stop(self) -> Duration {
        let elapsed = self.started.elapsed();
        self.histogram.record(elapsed);
        std::mem::forget(self);
        elapsed
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.histogram.record(self.started.elapsed());
    }
}

/// A duration as a number of seconds.
pub(crate) fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Durations over the whole range, each magnitude as likely as the next.
    fn durations() -> impl Strategy<Value = Vec<Duration>> {
        let duration = (0_u32..45, any::<u64>()).prop_map(|(bits, noise)| noise & ((1 << bits) - 1));
        prop::collection::vec(duration.prop_map(Duration::from_nanos), 1..400)
    }

    /// The nearest-rank percentile of sorted values.
    fn exact(sorted: &[Duration], quantile: f64) -> Duration {
        sorted[((quantile * sorted.len() as f64).ceil() as usize).max(1) - 1]
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(mut durations in durations()) {
            let histogram = Histogram::new();
            durations.iter().for_each(|&duration| histogram.record(duration));
            durations.sort_unstable();

            let snapshot = histogram.snapshot();
            let sum: Duration = durations.iter().sum();
            prop_assert_eq!((snapshot.count, snapshot.sum), (durations.len() as u64, sum));
            let found = snapshot.distribution.unwrap();
            prop_assert_eq!((found.min, Some(&found.max)), (durations[0], durations.last()));
            prop_assert_eq!(found.mean.as_nanos(), sum.as_nanos() / durations.len() as u128);

            let (longest, shortest) = (Duration::from_nanos(LONGEST_NANOS), found.min);
            let percentiles = [
                (0.5, found.p50),
                (0.9, found.p90),
                (0.95, found.p95),
                (0.99, found.p99),
                (0.999, found.p999),
            ];
            for (quantile, found) in percentiles {
                let expected = exact(&durations, quantile).min(longest).max(shortest).as_nanos();
                let found = found.as_nanos();
                prop_assert!(
                    found.abs_diff(expected) * 1000 <= expected,
                    "percentile {} is {} ns, not {} ns", quantile, expected, found
                );
            }
        }

        #[test]
        fn threads_record_as_one_would(durations in prop::collection::vec(durations(), 1..12)) {
            let (together, alone) = (Histogram::new(), Histogram::new());
            std::thread::scope(|scope| {
                for durations in &durations {
                    let together = &together;
                    scope.spawn(move || durations.iter().for_each(|&duration| together.record(duration)));
                }
            });
            durations.iter().flatten().for_each(|&duration| alone.record(duration));
            prop_assert_eq!(together.snapshot(), alone.snapshot());
        }
    }

    /// Each slot begins where the one before ends, and what HdrHistogram takes for the same is in one slot.
    #[test]
    fn slots_are_those_of_the_reference() {
        let reference =
            hdrhistogram::Histogram::<u64>::new_with_bounds(1, LONGEST_NANOS, SIGNIFICANT_DIGITS).unwrap();
        let mut next = 0;
        'all: for octave in 0..OCTAVES {
            for slot in 0..SLOTS {
                assert_eq!(least(octave, slot), next);
                let last = reference.highest_equivalent(next);
                assert_eq!((place(next), place(last)), ((octave, slot), (octave, slot)));
                if last >= LONGEST_NANOS {
                    assert_eq!(octave, OCTAVES - 1);
                    break 'all;
                }
                next = last + 1;
            }
        }
        assert!(next > LONGEST_NANOS / 2);
    }

    #[test]
    fn an_empty_histogram_has_no_distribution() {
        assert_eq!(Histogram::new().snapshot(), HistogramSnapshot::default());
    }

    #[test]
    fn durations_beyond_the_range_are_counted() {
        let histogram = Histogram::new();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::from_secs(7200));
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.count, snapshot.sum), (2, Duration::from_secs(7200)));
        let found = snapshot.distribution.unwrap();
        assert_eq!((found.min, found.max), (Duration::ZERO, Duration::from_secs(7200)));
        assert_eq!((found.p50, found.p99.as_secs().abs_diff(3600) < 4), (Duration::ZERO, true));

        histogram.record(Duration::MAX);
        assert_eq!(histogram.snapshot().sum, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn a_timer_records_once_whether_stopped_or_dropped() {
        let histogram = Histogram::new();
        let stopped = histogram.start_timer().stop();
        assert_eq!((histogram.snapshot().count, histogram.snapshot().sum), (1, stopped));
        drop(histogram.start_timer());
        assert_eq!(histogram.snapshot().count, 2);
    }
}
