//! Items that are tried again, and where they wait for it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::semaphore::Permit;
use crate::{CancelToken, MemoryPermit};

/// How often and when an item is tried again whose failure [may pass](crate::Attempt::Transient).
///
/// The delay doubles from attempt to attempt, up to `max_delay`; of each, a random part of up to a half is left out, so
/// that what failed at once is not tried again at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The most attempts at one item, the first included. Default: 4.
    pub attempts: NonZeroU32,
    /// The longest that the second attempt comes after the first. Default: 50 ms.
    pub delay: Duration,
    /// The longest between two attempts. Default: 2 s.
    pub max_delay: Duration,
    /// How many items may wait beside those that are in flight: they take the memory of the item and of its result, which
    /// is not charged to the budget. One more waits as if it were in flight, and keeps others from their start.
    /// Default: 1,024. In [input order](crate::Order::Input) all wait in this way, as the results behind them do.
    pub waiting: NonZeroUsize,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(3),
            delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(2),
            waiting: NonZeroUsize::MIN.saturating_add(1023),
        }
    }
}

impl Retry {
    /// How long to wait after this attempt, the first of which is 1; `random` is any number.
    fn delay_after(&self, attempt: u32, random: u64) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).and_then(|by| self.delay.checked_mul(by));
        // However often nothing is doubled, it is nothing.
        let longest = if self.delay.is_zero() { self.delay } else { doubled.unwrap_or(Duration::MAX) };
        let longest = longest.min(self.max_delay);
        // The upper bits as a fraction of 1.
        let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
        longest - longest.mul_f64(fraction / 2.0)
    }
}

/// An item between two attempts.
pub(crate) struct Delayed<Item, T> {
    pub(crate) index: usize,
    pub(crate) item: Item,
    /// What it comes to if it is not tried again.
    pub(crate) result: T,
    /// How often it was tried.
    pub(crate) attempts: u32,
    pub(crate) bytes: u64,
    /// What it needs to be tried, if it holds that already.
    pub(crate) claim: Option<(MemoryPermit, Permit)>,
}

/// The items that wait. Who is about to take one leads; there is at most one such thread.
pub(crate) struct Waiting<Item, T> {
    policy: Retry,
    /// How many may wait without a claim.
    room: usize,
    state: Mutex<State<Item, T>>,
}

struct State<Item, T> {
    /// By the time at which they are due; the number keeps apart those of the same time.
    claimed: Queue<Item, T>,
    unclaimed: Queue<Item, T>,
    next_number: u64,
    random: u64,
    leader: Option<Thread>,
}

type Queue<Item, T> = BTreeMap<(Instant, u64), Delayed<Item, T>>;

impl<Item, T> Waiting<Item, T> {
    /// Nobody waits. If `keeps_claims`, all who wait keep what they hold.
    pub(crate) fn new(policy: Retry, keeps_claims: bool) -> Self {
        let room = if keeps_claims { 0 } else { policy.waiting.get() };
        let state = State {
            claimed: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            next_number: 0,
            random: RandomState::new().hash_one(0),
            leader: None,
        };
        Self { policy, room, state: Mutex::new(state) }
    }

    /// Whether an item that was tried so often may be tried again.
    pub(crate) fn has_attempt_after(&self, attempts: u32) -> bool {
        attempts < self.policy.attempts.get()
    }

    /// Lets an item wait for its next attempt. Gives its claim up if there is room for that.
    pub(crate) fn put(&self, mut delayed: Delayed<Item, T>) {
        let mut state = self.state();
        let delay = self.policy.delay_after(delayed.attempts, state.next_random());
        let now = Instant::now();
        let due = now.checked_add(delay).unwrap_or(now);
        let given_up = if state.unclaimed.len() < self.room { delayed.claim.take() } else { None };
        state.insert(due, delayed);
        if let Some(leader) = &state.leader {
            leader.unpark();
        }
        drop(state);
        // Others are let in by this, who must not find the lock taken.
        drop(given_up);
    }

    /// Puts one back that was due and has not been tried.
    pub(crate) fn put_back(&self, delayed: Delayed<Item, T>) {
        self.state().insert(Instant::now(), delayed);
    }

    /// The current thread is told when there is more to wait for, until the guard is dropped.
    pub(crate) fn lead(&self) -> Lead<'_, Item, T> {
        self.state().leader = Some(thread::current());
        Lead { waiting: self }
    }

    /// When the first is due that holds what it needs.
    pub(crate) fn next_claimed(&self) -> Option<Instant> {
        self.state().claimed.first_key_value().map(|(key, _)| key.0)
    }

    /// One that is due and holds what it needs.
    pub(crate) fn take_claimed(&self) -> Option<Delayed<Item, T>> {
        take_due(&mut self.state().claimed)
    }

    /// One that is due and holds nothing.
    pub(crate) fn take_unclaimed(&self) -> Option<Delayed<Item, T>> {
        take_due(&mut self.state().unclaimed)
    }

    /// One, due or not.
    pub(crate) fn take_any(&self) -> Option<Delayed<Item, T>> {
        let mut state = self.state();
        let (_, delayed) = state.claimed.pop_first().or_else(|| state.unclaimed.pop_first())?;
        Some(delayed)
    }

    /// Blocks until one is due; `false` if none waits, or once `stop` is cancelled. Only for the leader.
    pub(crate) fn wait(&self, stop: &CancelToken) -> bool {
        let _wake = stop.wake_on_cancel();
        loop {
            if stop.is_cancelled() {
                return false;
            }
            let first = |queue: &Queue<Item, T>| queue.first_key_value().map(|(key, _)| key.0);
            let state = self.state();
            let due = [first(&state.claimed), first(&state.unclaimed)].into_iter().flatten().min();
            drop(state);
            let Some(due) = due else { return false };
            let rest = due.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return true;
            }
            thread::park_timeout(rest);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<Item, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Item, T> State<Item, T> {
    fn insert(&mut self, due: Instant, delayed: Delayed<Item, T>) {
        let key = (due, self.next_number);
        self.next_number += 1;
        let queue = if delayed.claim.is_some() { &mut self.claimed } else { &mut self.unclaimed };
        queue.insert(key, delayed);
    }

    /// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn take_due<Item, T>(queue: &mut Queue<Item, T>) -> Option<Delayed<Item, T>> {
    let first = queue.first_entry().filter(|first| first.key().0 <= Instant::now())?;
    Some(first.remove())
}

/// Keeps a thread told of what comes to wait.
pub(crate) struct Lead<'a, Item, T> {
    waiting: &'a Waiting<Item, T>,
}

impl<Item, T> Drop for Lead<'_, Item, T> {
    fn drop(&mut self) {
        self.waiting.state().leader = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_double_up_to_the_longest_and_are_at_least_half_of_that(
            delay in 0_u64..10_000,
            max_delay in 0_u64..10_000,
            attempt in 1_u32..200,
            random: u64,
        ) {
            let policy = Retry {
                delay: Duration::from_millis(delay),
                max_delay: Duration::from_millis(max_delay),
                ..Retry::default()
            };
            let doubled = u128::from(delay) << (attempt - 1).min(64);
            let longest = Duration::from_millis(doubled.min(u128::from(max_delay)) as u64);
            let waited = policy.delay_after(attempt, random);
            prop_assert!(waited <= longest && waited >= longest.mul_f64(0.499_999), "{waited:?} of {longest:?}");
        }
    }

    #[test]
    fn delays_differ() {
        let waiting = Waiting::<(), ()>::new(Retry::default(), false);
        let mut state = waiting.state();
        let mut delays: Vec<_> =
            (0..100).map(|_| Retry::default().delay_after(3, state.next_random())).collect();
        delays.sort_unstable();
        delays.dedup();
        assert!(delays.len() > 90, "{}", delays.len());
        assert!(
            delays[0] < Duration::from_millis(130) && delays[delays.len() - 1] > Duration::from_millis(170)
        );
    }
}
