//! How durations are distributed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Durations, kept so that any percentile can be told to three significant digits.
///
/// Percentiles resolve from 1 ns to 1 h; what is longer counts as 1 h among them. Count, sum, minimum and
/// maximum are exact. Recording costs tens of nanoseconds and may be done from any number of threads: they are
/// spread over four parts with a lock each, so that they seldom meet.
///
/// The counts are those of G. Tene's HdrHistogram: a bucket for each power of two, divided evenly. They take
/// 264 KiB for each part that a thread ever used, so give a histogram to a stage, not to an item.
#[derive(Debug, Default)]
pub struct Histogram {
    shards: [Slot; SHARDS],
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    /// Durations recorded.
    pub count: u64,
    /// Their sum, exact up to 584 years.
    pub sum: Duration,
    /// How they are distributed; `None` if there are none.
    pub distribution: Option<Distribution>,
}

/// How durations are distributed. A percentile `p50` is the least recorded duration that at least 50 % of all
/// do not exceed, to three significant digits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distribution {
    /// The shortest, exact.
    pub min: Duration,
    /// The longest, exact.
    pub max: Duration,
    /// The arithmetic mean, exact up to rounding down to 1 ns.
    pub mean: Duration,
    /// The median.
    pub p50: Duration,
    /// 90 % take no longer.
    pub p90: Duration,
    /// 99 % take no longer.
    pub p99: Duration,
    /// 99.9 % take no longer.
    pub p999: Duration,
}

/// Records the time from its start to its drop in a [`Histogram`]; made by [`Histogram::start_timer`].
#[derive(Debug)]
#[must_use = "it measures until it is dropped"]
pub struct Timer<'a> {
    histogram: &'a Histogram,
    started: Instant,
}

const SHARDS: usize = 4;
const LONGEST_NANOS: u64 = 3_600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

type Counts = hdrhistogram::Histogram<u64>;

/// A shard on cache lines of its own, made when first used. Processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot(OnceLock<Mutex<Shard>>);

#[derive(Debug)]
struct Shard {
    counts: Counts,
    sum: u64,
    min: u64,
    max: u64,
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records one duration.
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let Slot(shard) = &self.shards[thread_number() % SHARDS];
        let mut shard = lock(shard.get_or_init(Mutex::default));
        shard.counts.saturating_record(nanos.min(LONGEST_NANOS));
        shard.sum = shard.sum.saturating_add(nanos);
        shard.min = shard.min.min(nanos);
        shard.max = shard.max.max(nanos);
    }

    /// Measures from now until the timer is dropped.
    pub fn start_timer(&self) -> Timer<'_> {
        Timer { histogram: self, started: Instant::now() }
    }

    /// What was recorded until now. Durations that other threads record meanwhile may or may not be in it.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let mut total = Shard::default();
        for shard in self.shards.iter().filter_map(|Slot(shard)| shard.get()) {
            let shard = lock(shard);
            total.counts += &shard.counts;
            total.sum = total.sum.saturating_add(shard.sum);
            total.min = total.min.min(shard.min);
            total.max = total.max.max(shard.max);
        }
        total.snapshot()
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

impl Shard {
    fn snapshot(&self) -> HistogramSnapshot {
        let count = self.counts.len();
        // A bucket stands for its upper end, which may lie above what was recorded; and all that was recorded
        // may lie beyond the last bucket.
        let quantile = |quantile| {
            let nanos = self.counts.value_at_quantile(quantile);
            Duration::from_nanos(nanos.clamp(self.min, self.max))
        };
        let distribution = (count > 0).then(|| Distribution {
            min: Duration::from_nanos(self.min),
            max: Duration::from_nanos(self.max),
            mean: Duration::from_nanos(self.sum / count),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
        });
        HistogramSnapshot { count, sum: Duration::from_nanos(self.sum), distribution }
    }
}

impl Default for Shard {
    fn default() -> Self {
        let counts = Counts::new_with_bounds(1, LONGEST_NANOS, SIGNIFICANT_DIGITS)
            .expect("the bounds are constants that hdrhistogram accepts");
        Self { counts, sum: 0, min: u64::MAX, max: 0 }
    }
}

/// A small number that tells threads apart. It numbers threads, not metrics, so it may be global.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
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
            let percentiles = [(0.5, found.p50), (0.9, found.p90), (0.99, found.p99), (0.999, found.p999)];
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
