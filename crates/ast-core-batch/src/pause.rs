//! Holding a run up for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::CancelToken;

/// Holds a run up and lets it go on. Clones share one state.
///
/// While it is paused a run starts no item. Those in flight come to their end and their results are delivered; then every
/// thread of the run is parked, and takes no processor time. A paused run can be cancelled.
///
/// ```
/// use ast_core_batch::Pause;
///
/// let pause = Pause::new();
/// pause.pause();
/// assert!(pause.is_paused());
/// pause.resume();
/// assert!(!pause.is_paused());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pause {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Set while it is paused.
    since: Option<Instant>,
    /// How long the pauses took that are over.
    over: Duration,
    /// Threads to unpark when it ends. A thread is here only while it is blocked.
    sleepers: Vec<Thread>,
}

impl Pause {
    /// Not paused.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on no item is started. Pausing what is paused changes nothing.
    pub fn pause(&self) {
        self.state().since.get_or_insert_with(Instant::now);
    }

    /// Goes on. Does nothing if it is not paused.
    pub fn resume(&self) {
        let mut state = self.state();
        if let Some(since) = state.since.take() {
            state.over += since.elapsed();
        }
        for sleeper in state.sleepers.drain(..) {
            sleeper.unpark();
        }
    }

    /// Whether it is paused now.
    pub fn is_paused(&self) -> bool {
        self.state().since.is_some()
    }

    /// How long it was paused until then, altogether.
    pub(crate) fn total(&self, now: Instant) -> Duration {
        let state = self.state();
        state.over + state.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Blocks while it is paused; `false` once `cancel` is cancelled.
    pub(crate) fn wait(&self, cancel: &CancelToken) -> bool {
        if !self.is_paused() {
            return !cancel.is_cancelled();
        }
        let _wake = cancel.wake_on_cancel();
        let current = thread::current();
        loop {
            let mut state = self.state();
            state.sleepers.retain(|sleeper| sleeper.id() != current.id());
            if cancel.is_cancelled() {
                return false;
            }
            if state.since.is_none() {
                return true;
            }
            state.sleepers.push(current.clone());
            drop(state);
            cancel.park();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_while_it_is_paused_and_only_then() {
        let pause = Pause::new();
        assert_eq!(pause.total(Instant::now()), Duration::ZERO);
        pause.pause();
        let begin = Instant::now();
        pause.pause();
        let later = begin + Duration::from_secs(5);
        assert!(pause.total(later) >= Duration::from_secs(5));
        pause.resume();
        pause.resume();
        let total = pause.total(Instant::now());
        assert!(total < Duration::from_secs(5));
        assert_eq!(pause.total(later), total);
    }

    #[test]
    fn who_waits_is_woken_by_the_end_of_the_pause_and_by_a_cancel() {
        for cancelled in [false, true] {
            let (pause, cancel) = (Pause::new(), CancelToken::new());
            pause.pause();
            thread::scope(|scope| {
                let waiter = scope.spawn(|| pause.wait(&cancel.child()));
                while pause.state().sleepers.is_empty() {
                    thread::yield_now();
                }
                if cancelled {
                    cancel.cancel()
                } else {
                    pause.resume()
                }
                assert_eq!(waiter.join().unwrap(), !cancelled);
            });
            assert!(pause.state().sleepers.is_empty());
        }
    }
}
