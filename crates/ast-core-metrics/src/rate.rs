//! How often something happens of late.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Events a second over the last while, at most [`Rate::LONGEST_WINDOW`]. Marking events takes no lock.
///
/// Events are counted by the second, so a window is as long as was asked for and what has passed of this second.
#[derive(Debug)]
pub struct Rate {
    started: Instant,
    /// The number of a second and the events in it, for each of the last seconds. See [`Slot`].
    slots: [AtomicU64; SLOTS as usize],
}

/// The longest window, the second that has begun and one to spare fit in.
const SLOTS: u64 = 64;

/// Events of a second in one number, so that both are replaced at once: above the second, of which there are eight years,
/// below the events, of which there may be 68 billion.
#[derive(Clone, Copy, PartialEq)]
struct Slot {
    second: u64,
    events: u64,
}

const EVENT_BITS: u32 = 36;
const MOST_EVENTS: u64 = (1 << EVENT_BITS) - 1;

impl Slot {
    fn unpack(packed: u64) -> Self {
        Self { second: packed >> EVENT_BITS, events: packed & MOST_EVENTS }
    }

    fn pack(self) -> u64 {
        self.second << EVENT_BITS | self.events.min(MOST_EVENTS)
    }
}

impl Rate {
    /// Events before this are forgotten.
    pub const LONGEST_WINDOW: Duration = Duration::from_secs(60);

    /// A rate of nothing yet.
    pub fn new() -> Self {
        Self { started: Instant::now(), slots: [const { AtomicU64::new(0) }; SLOTS as usize] }
    }

    /// Counts events that happen now.
    pub fn mark(&self, events: u64) {
        self.mark_at(self.started.elapsed(), events);
    }

    /// Events a second over the last `window`, which is brought to between one second and the
    /// [longest](Self::LONGEST_WINDOW), or since the start if that is later. `None` in the first second, of which there is
    /// nothing to be told.
    pub fn per_second(&self, window: Duration) -> Option<f64> {
        self.per_second_at(self.started.elapsed(), window)
    }

    fn mark_at(&self, at: Duration, events: u64) {
        let second = at.as_secs();
        let slot = &self.slots[(second % SLOTS) as usize];
        let add = |packed| {
            let now = Slot::unpack(packed);
            let events = match now.second == second {
                true => now.events.saturating_add(events),
                // Who was held up for a minute is too late.
                false if now.second > second => return None,
                false => events,
            };
            Some(Slot { second, events }.pack())
        };
        // It fails only if there is nothing to be changed.
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn per_second_at(&self, at: Duration, window: Duration) -> Option<f64> {
        let now = at.as_secs();
        let window = window.as_secs().clamp(1, Self::LONGEST_WINDOW.as_secs());
        let first = now.saturating_sub(window);
        let slots = self.slots.iter().map(|slot| Slot::unpack(slot.load(Ordering::Relaxed)));
        let events: u64 =
            slots.filter(|slot| (first..=now).contains(&slot.second)).map(|slot| slot.events).sum();
        (now > 0).then(|| events as f64 / (at - Duration::from_secs(first)).as_secs_f64())
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list of all events.
        #[test]
        fn a_rate_is_that_of_the_events_in_the_window(
            steps in prop::collection::vec((0_u64..40_000, 0_u64..1000), 1..200),
            window in 0_u64..80,
        ) {
            let rate = Rate::new();
            let mut events = Vec::new();
            let mut now = Duration::ZERO;
            for (milliseconds, count) in steps {
                now += Duration::from_millis(milliseconds);
                rate.mark_at(now, count);
                events.push((now, count));

                let first = now.as_secs().saturating_sub(window.clamp(1, 60));
                let inside = events.iter().filter(|(at, _)| at.as_secs() >= first);
                let sum: u64 = inside.map(|(_, count)| count).sum();
                let found = rate.per_second_at(now, Duration::from_secs(window));
                let covered = (now - Duration::from_secs(first)).as_secs_f64();
                prop_assert_eq!(found, (now.as_secs() > 0).then(|| sum as f64 / covered));
            }
        }
    }

    #[test]
    fn threads_mark_as_one_would() {
        let rate = Rate::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000_u64).for_each(|at| rate.mark_at(Duration::from_millis(at / 5), 3)));
            }
        });
        let found = rate.per_second_at(Duration::from_secs(2), Duration::from_secs(60));
        assert_eq!(found, Some(60_000.0));
    }

    #[test]
    fn who_is_late_changes_nothing_and_what_is_too_much_stays_in_its_second() {
        let rate = Rate::new();
        rate.mark_at(Duration::from_secs(70), 5);
        rate.mark_at(Duration::from_secs(6), 1000);
        assert_eq!(rate.per_second_at(Duration::from_secs(72), Duration::from_secs(2)), Some(2.5));
        rate.mark_at(Duration::from_secs(72), u64::MAX);
        let found = rate.per_second_at(Duration::from_secs(73), Duration::from_secs(1));
        assert_eq!(found, Some(MOST_EVENTS as f64));
    }
}
