//! How far a run is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::Pause;

/// Live counters of a run. Clones share them, and no reader keeps a worker waiting.
///
/// Make one for each run, keep a clone, and ask it for a [`snapshot`](Self::snapshot) from any thread.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Counters {
    clock: OnceLock<Clock>,
    items_total: AtomicU64,
    items_done: AtomicU64,
    items_failed: AtomicU64,
    bytes_total: AtomicU64,
    bytes_done: AtomicU64,
}

/// Runs since the start, but not during pauses.
#[derive(Debug)]
struct Clock {
    begin: Instant,
    pause: Pause,
    /// How long there had been a pause before the start.
    paused_before: Duration,
}

impl Clock {
    fn new(pause: &Pause) -> Self {
        let begin = Instant::now();
        Self { begin, pause: pause.clone(), paused_before: pause.total(begin) }
    }

    fn elapsed(&self) -> Duration {
        let now = Instant::now();
        let paused = self.pause.total(now).saturating_sub(self.paused_before);
        now.saturating_duration_since(self.begin).saturating_sub(paused)
    }
}

/// A total that nobody has told yet.
const UNKNOWN: u64 = u64::MAX;

/// What a [`Progress`] read at one moment.
///
/// Of two snapshots that one thread takes in turn, the later is nowhere behind the earlier.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProgressSnapshot {
    /// Items in the whole run; `None` if the input does not know its length and nobody
    /// [told](Progress::expect).
    pub items_total: Option<u64>,
    /// Items whose result the sink has taken, panicked ones included.
    pub items_done: u64,
    /// Items among those done whose work panicked or took longer than its time limit.
    pub items_failed: u64,
    /// Weight of the whole run in bytes; `None` unless [told](Progress::expect).
    pub bytes_total: Option<u64>,
    /// Weight of the items done, in bytes.
    pub bytes_done: u64,
    /// Time since the run began, but for pauses; 0 before. It does not stop with the run.
    pub elapsed: Duration,
}

impl Progress {
    /// Counters at zero, totals unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells what the run will amount to: `items`, and `bytes` as the sum of their weights. With it the
    /// snapshots can estimate what remains by weight, which is steadier than by number.
    ///
    /// A run whose input knows its exact length sets the number of items by itself, if nobody did.
    pub fn expect(&self, items: u64, bytes: u64) {
        self.counters.items_total.store(items.min(UNKNOWN - 1), Ordering::Relaxed);
        self.counters.bytes_total.store(bytes.min(UNKNOWN - 1), Ordering::Relaxed);
    }

    /// Reads the counters.
    pub fn snapshot(&self) -> ProgressSnapshot {
        let Counters { clock, items_total, items_done, items_failed, bytes_total, bytes_done } =
            &*self.counters;
        // `failed` is read before `done` and written after it, so that it never exceeds it.
        let items_failed = items_failed.load(Ordering::Acquire);
        let items_done = items_done.load(Ordering::Acquire);
        let bytes_done = bytes_done.load(Ordering::Acquire);
        let total = |total: &AtomicU64| Some(total.load(Ordering::Acquire)).filter(|&total| total != UNKNOWN);
        ProgressSnapshot {
            items_total: total(items_total).map(|total| total.max(items_done)),
            items_done,
            items_failed,
            bytes_total: total(bytes_total).map(|total| total.max(bytes_done)),
            bytes_done,
            elapsed: clock.get().map_or(Duration::ZERO, Clock::elapsed),
        }
    }

    /// Starts the clock, and sets the number of items if it is known now and was not before.
    pub(crate) fn start(&self, items: Option<usize>, pause: &Pause) {
        self.counters.clock.get_or_init(|| Clock::new(pause));
        if let Some(items) = items {
            let _ = self.counters.items_total.compare_exchange(
                UNKNOWN,
                items as u64,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }

    pub(crate) fn advance(&self, bytes: u64, failed: bool) {
        self.counters.bytes_done.fetch_add(bytes, Ordering::AcqRel);
        self.counters.items_done.fetch_add(1, Ordering::AcqRel);
        if failed {
            self.counters.items_failed.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            clock: OnceLock::new(),
            items_total: AtomicU64::new(UNKNOWN),
            items_done: AtomicU64::new(0),
            items_failed: AtomicU64::new(0),
            bytes_total: AtomicU64::new(UNKNOWN),
            bytes_done: AtomicU64::new(0),
        }
    }
}

impl ProgressSnapshot {
    /// Items a second since the start; `None` before time has passed.
    pub fn items_per_second(&self) -> Option<f64> {
        self.per_second(self.items_done)
    }

    /// Bytes of weight a second since the start; `None` before time has passed.
    pub fn bytes_per_second(&self) -> Option<f64> {
        self.per_second(self.bytes_done)
    }

    /// Time until the end at the mean rate so far, by weight if the total weight is known and else by number;
    /// `None` until there is a total and something done to judge by.
    pub fn remaining(&self) -> Option<Duration> {
        let (done, total) = match (self.bytes_total, self.items_total) {
            (Some(total), _) if total > 0 => (self.bytes_done, total),
            (_, Some(total)) => (self.items_done, total),
            _ => return None,
        };
        if done >= total {
            return Some(Duration::ZERO);
        }
        let ratio = (total - done) as f64 / done as f64;
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * ratio).ok()
    }

    fn per_second(&self, count: u64) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.0).then(|| count as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot(done: u64, total: Option<u64>, bytes: u64, bytes_total: Option<u64>) -> ProgressSnapshot {
        ProgressSnapshot {
            items_total: total,
            items_done: done,
            items_failed: 0,
            bytes_total,
            bytes_done: bytes,
            elapsed: Duration::from_secs(10),
        }
    }

    #[test]
    fn what_is_not_known_is_none() {
        let fresh = Progress::new().snapshot();
        assert_eq!(
            (fresh.items_total, fresh.bytes_total, fresh.items_per_second(), fresh.bytes_per_second()),
            (None, None, None, None)
        );
        assert_eq!(fresh.remaining(), None);
        assert_eq!(snapshot(5, None, 50, None).remaining(), None);
        assert_eq!(snapshot(0, Some(9), 0, None).remaining(), None);
        assert_eq!(snapshot(0, Some(9), 0, Some(90)).remaining(), None);
    }

    #[test]
    fn the_rest_is_estimated_by_weight_if_that_is_known() {
        assert_eq!(snapshot(5, Some(20), 50, None).remaining(), Some(Duration::from_secs(30)));
        assert_eq!(snapshot(5, Some(20), 50, Some(100)).remaining(), Some(Duration::from_secs(10)));
        assert_eq!(snapshot(5, Some(20), 0, Some(0)).remaining(), Some(Duration::from_secs(30)));
        assert_eq!(snapshot(20, Some(20), 100, Some(100)).remaining(), Some(Duration::ZERO));
        assert_eq!(snapshot(0, Some(0), 0, None).remaining(), Some(Duration::ZERO));
        let rates = snapshot(5, None, 50, None);
        assert_eq!((rates.items_per_second(), rates.bytes_per_second()), (Some(0.5), Some(5.0)));
    }

    #[test]
    fn a_total_that_was_told_is_kept_but_never_less_than_what_is_done() {
        let progress = Progress::new();
        progress.expect(2, 10);
        progress.start(Some(7), &Pause::new());
        assert_eq!(progress.snapshot().items_total, Some(2));
        for _ in 0..3 {
            progress.advance(4, false);
        }
        let snapshot = progress.snapshot();
        assert_eq!((snapshot.items_total, snapshot.bytes_total), (Some(3), Some(12)));
    }

    #[test]
    fn the_clock_stands_while_there_is_a_pause() {
        let (progress, pause) = (Progress::new(), Pause::new());
        pause.pause();
        progress.start(None, &pause);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(progress.snapshot().elapsed, Duration::ZERO);
        pause.resume();
        while progress.snapshot().elapsed.is_zero() {}
        pause.pause();
        let elapsed = progress.snapshot().elapsed;
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(progress.snapshot().elapsed, elapsed);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn snapshots_taken_meanwhile_only_grow(
            steps in prop::collection::vec((0_u64..1000, any::<bool>()), 1..400),
        ) {
            let progress = Progress::new();
            progress.start(Some(steps.len()), &Pause::new());
            std::thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    for &(bytes, failed) in &steps {
                        progress.advance(bytes, failed);
                    }
                });
                let mut last = progress.snapshot();
                while !writer.is_finished() {
                    let next = progress.snapshot();
                    assert!(next.items_done >= last.items_done && next.bytes_done >= last.bytes_done);
                    assert!(next.items_failed >= last.items_failed && next.elapsed >= last.elapsed);
                    assert!(next.items_failed <= next.items_done && Some(next.items_done) <= next.items_total);
                    last = next;
                }
            });
            let end = progress.snapshot();
            prop_assert_eq!(end.items_done, steps.len() as u64);
            prop_assert_eq!(end.bytes_done, steps.iter().map(|step| step.0).sum::<u64>());
            prop_assert_eq!(end.items_failed, steps.iter().filter(|step| step.1).count() as u64);
        }
    }
}
