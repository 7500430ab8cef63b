//! How many requests are under way, and when the next may be made.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lets so many through at a time, and none while the service is to be left alone.
#[derive(Debug)]
pub(super) struct Slots {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    not_before: Option<Instant>,
}

/// A request that is under way, until this is dropped.
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    pub(super) fn new(free: usize) -> Self {
        Self { state: Mutex::new(State { free, not_before: None }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be made.
    pub(super) fn take(&self) -> Slot<'_> {
        let mut state = self.state();
        loop {
            let rest = state
                .not_before
                .map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            if !rest.is_zero() {
                state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
            } else if state.free == 0 {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                state.free -= 1;
                return Slot(self);
            }
        }
    }

    /// Lets none through for so long from now.
    pub(super) fn rest(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut state = self.state();
        state.not_before = state.not_before.max(until);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.state().free += 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_are_let_through_than_may() {
        let slots = Slots::new(3);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _slot = slots.take();
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!((1..=3).contains(&most.into_inner()));
        assert_eq!(slots.state().free, 3);
    }

    #[test]
    fn none_is_let_through_while_the_service_rests() {
        let slots = Slots::new(1);
        let begin = Instant::now();
        slots.rest(Duration::from_millis(30));
        slots.rest(Duration::from_millis(1));
        drop(slots.take());
        assert!(begin.elapsed() >= Duration::from_millis(30));
    }
}
