//! A weighted semaphore: first come, first served, and a wait that can be cancelled.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::CancelToken;

/// Hands out permits that together weigh at most `capacity`, save for one that alone weighs more.
#[derive(Debug)]
pub(crate) struct Semaphore {
    capacity: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    peak: u64,
    /// In order of arrival. Only the first may be admitted, so a heavy request cannot be overtaken for ever.
    waiters: VecDeque<Arc<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    weight: u64,
    /// Set under the lock of the state, together with taking the weight on the waiter's behalf.
    admitted: AtomicBool,
    thread: Thread,
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Acquired {
    Permit(Permit),
    Cancelled,
    /// It is time for something else.
    Interrupted,
}

/// A part of the capacity, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    semaphore: Arc<Semaphore>,
    weight: u64,
}

impl Semaphore {
    pub(crate) fn new(capacity: u64) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Blocks until `weight` fits, or returns `None` once `cancel` is cancelled.
    pub(crate) fn acquire(self: &Arc<Self>, weight: u64, cancel: &CancelToken) -> Option<Permit> {
        match self.acquire_until(weight, cancel, || None) {
            Acquired::Permit(permit) => Some(permit),
            Acquired::Cancelled | Acquired::Interrupted => None,
        }
    }

    /// The same, but also gives up at the time that `until` names, which is asked again whenever the thread is unparked.
    pub(crate) fn acquire_until(
        self: &Arc<Self>,
        weight: u64,
        cancel: &CancelToken,
        until: impl Fn() -> Option<Instant>,
    ) -> Acquired {
        if cancel.is_cancelled() {
            return Acquired::Cancelled;
        }
        let waiter = {
            let mut state = self.state();
            if state.waiters.is_empty() && self.fits(&state, weight) {
                state.take(weight);
                return Acquired::Permit(self.permit(weight));
            }
            let waiter =
                Arc::new(Waiter { weight, admitted: AtomicBool::new(false), thread: thread::current() });
            state.waiters.push_back(Arc::clone(&waiter));
            waiter
        };
        let _wake = cancel.wake_on_cancel();
        loop {
            if waiter.admitted.load(Ordering::Acquire) {
                return Acquired::Permit(self.permit(weight));
            }
            let given_up = |instead| self.withdraw(&waiter).map_or(instead, Acquired::Permit);
            if cancel.is_cancelled() {
                return given_up(Acquired::Cancelled);
            }
            match until().map(|at| at.saturating_duration_since(Instant::now())) {
                None => cancel.park(),
                Some(rest) if rest.is_zero() => return given_up(Acquired::Interrupted),
                Some(rest) => thread::park_timeout(rest),
            }
        }
    }

    /// A permit of no weight, which is always to be had.
    pub(crate) fn nothing(self: &Arc<Self>) -> Permit {
        self.permit(0)
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(crate) fn used(&self) -> u64 {
        self.state().used
    }

    pub(crate) fn peak(&self) -> u64 {
        self.state().peak
    }

    pub(crate) fn waiting(&self) -> usize {
        self.state().waiters.len()
    }

    /// Takes a cancelled waiter out of the line; it may have been admitted a moment ago.
    fn withdraw(self: &Arc<Self>, waiter: &Arc<Waiter>) -> Option<Permit> {
        let mut state = self.state();
        if waiter.admitted.load(Ordering::Acquire) {
            drop(state);
            return Some(self.permit(waiter.weight));
        }
        state.waiters.retain(|other| !Arc::ptr_eq(other, waiter));
        // Those behind a heavy request may fit now that it is gone.
        self.admit_first(&mut state);
        None
    }

    fn release(&self, weight: u64) {
        let mut state = self.state();
        state.used -= weight;
        self.admit_first(&mut state);
    }

    fn admit_first(&self, state: &mut State) {
        while let Some(first) = state.waiters.front() {
            if !self.fits(state, first.weight) {
                return;
            }
            if let Some(first) = state.waiters.pop_front() {
                state.take(first.weight);
                first.admitted.store(true, Ordering::Release);
                first.thread.unpark();
            }
        }
    }

    fn fits(&self, state: &State, weight: u64) -> bool {
        state.used == 0 || state.used.checked_add(weight).is_some_and(|used| used <= self.capacity)
    }

    fn permit(self: &Arc<Self>, weight: u64) -> Permit {
        Permit { semaphore: Arc::clone(self), weight }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, weight: u64) {
        self.used += weight;
        self.peak = self.peak.max(self.used);
    }
}

impl Permit {
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.semaphore.release(self.weight);
    }
}
