//! How many bytes may be in flight at once.

use std::sync::Arc;

use crate::CancelToken;
use crate::semaphore::{Permit, Semaphore};

/// A number of bytes that work in flight may hold together. Clones share one account.
///
/// Requests are served strictly in order of arrival, so that a large one is not overtaken for ever by small
/// ones. A request above the whole capacity is admitted once no other byte is held, and then alone: large
/// items are slow, they are not refused and they do not block the run for ever.
///
/// The account is of estimates that the caller makes; nothing is allocated here.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
}

/// Bytes charged to a [`MemoryBudget`], given back when the permit is dropped.
///
/// It is `Send` and owns its share, so it can travel with the data it stands for, through channels and to
/// the consumer, and be dropped where that data is freed.
#[derive(Debug)]
#[must_use = "the bytes are given back as soon as the permit is dropped"]
pub struct MemoryPermit {
    permit: Permit,
}

impl MemoryBudget {
    /// A budget of `capacity` bytes. With 0, everything that weighs something is admitted one at a time.
    pub fn new(capacity: u64) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(capacity)) }
    }

    /// Charges `bytes`, and blocks until they fit. `None` says that `cancel` was cancelled first.
    pub fn acquire(&self, bytes: u64, cancel: &CancelToken) -> Option<MemoryPermit> {
        self.semaphore.acquire(bytes, cancel).map(|permit| MemoryPermit { permit })
    }

    /// The account itself.
    pub(crate) fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// Bytes that may be held at once.
    pub fn capacity(&self) -> u64 {
        self.semaphore.capacity()
    }

    /// Bytes held now. Above [`capacity`](Self::capacity) only while a single oversized request is held.
    pub fn used(&self) -> u64 {
        self.semaphore.used()
    }

    /// The largest value that [`used`](Self::used) ever had.
    pub fn peak(&self) -> u64 {
        self.semaphore.peak()
    }

    /// Threads blocked in [`acquire`](Self::acquire) now. A consumer that holds permits back, to commit many
    /// results at once, should let go when this is not 0.
    pub fn waiting(&self) -> usize {
        self.semaphore.waiting()
    }
}

impl MemoryPermit {
    pub(crate) fn new(permit: Permit) -> Self {
        Self { permit }
    }

    /// Bytes charged.
    pub fn bytes(&self) -> u64 {
        self.permit.weight()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn wait_until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// What threads believe to hold, counted independently of the budget, never exceeds the capacity,
        /// save for one oversized request that is then alone.
        #[test]
        fn holders_never_exceed_the_capacity(
            capacity in 0_u64..64,
            requests in prop::collection::vec(prop::collection::vec(1_u64..96, 0..40), 1..6),
        ) {
            let budget = MemoryBudget::new(capacity);
            let held = AtomicU64::new(0);
            let cancel = CancelToken::new();
            thread::scope(|scope| {
                for sizes in &requests {
                    let (budget, cancel, held) = (&budget, &cancel, &held);
                    scope.spawn(move || {
                        for &bytes in sizes {
                            let permit = budget.acquire(bytes, cancel).unwrap();
                            let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                            assert!(now <= capacity || now == bytes, "{now} held of {capacity}");
                            thread::yield_now();
                            held.fetch_sub(bytes, Ordering::SeqCst);
                            drop(permit);
                        }
                    });
                }
            });
            let largest = requests.iter().flatten().copied().max().unwrap_or(0);
            prop_assert_eq!((budget.used(), budget.waiting()), (0, 0));
            prop_assert!(budget.peak() >= largest && budget.peak() <= capacity.max(largest));
        }

        /// Cancelling some waiters at any moment loses no bytes and leaves nobody behind.
        #[test]
        fn cancelled_waiters_leave_the_account_balanced(
            requests in prop::collection::vec((1_u64..16, any::<bool>()), 1..12),
        ) {
            let budget = MemoryBudget::new(8);
            let (keep, give_up) = (CancelToken::new(), CancelToken::new());
            thread::scope(|scope| {
                let first = budget.acquire(8, &keep);
                for &(bytes, cancelled) in &requests {
                    let (budget, cancel) = (&budget, if cancelled { &give_up } else { &keep });
                    scope.spawn(move || {
                        let permit = budget.acquire(bytes, cancel);
                        assert!(permit.is_some() || cancelled);
                    });
                }
                let cancelling = scope.spawn(|| give_up.cancel());
                drop(first);
                cancelling.join().unwrap();
            });
            prop_assert_eq!((budget.used(), budget.waiting()), (0, 0));
        }
    }

    #[test]
    fn requests_are_served_in_order_of_arrival() {
        let budget = MemoryBudget::new(10);
        let cancel = CancelToken::new();
        let (sender, served) = mpsc::channel();
        thread::scope(|scope| {
            let first = budget.acquire(6, &cancel);
            // 4 bytes are free: the last two would fit, but the first in line does not.
            for (position, bytes) in [9, 1, 2].into_iter().enumerate() {
                let (budget, cancel, sender) = (&budget, &cancel, sender.clone());
                scope.spawn(move || {
                    let permit = budget.acquire(bytes, cancel);
                    sender.send((bytes, permit)).unwrap();
                });
                wait_until(|| budget.waiting() == position + 1);
            }
            assert!(served.try_recv().is_err());
            drop(first);
            // 9 and 1 fit together; 2 must wait for one of them.
            let mut together = [served.recv().unwrap(), served.recv().unwrap()];
            together.sort_by_key(|(bytes, _)| *bytes);
            assert_eq!([together[0].0, together[1].0], [1, 9]);
            assert_eq!(budget.waiting(), 1);
            drop(together);
            assert_eq!(served.recv().unwrap().0, 2);
        });
    }

    #[test]
    fn a_cancelled_wait_ends_although_nothing_is_released() {
        let budget = MemoryBudget::new(1);
        let cancel = CancelToken::new();
        let _held = budget.acquire(1, &cancel);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| budget.acquire(1, &cancel.child()));
            wait_until(|| budget.waiting() == 1);
            cancel.cancel();
            assert!(waiter.join().unwrap().is_none());
        });
        assert_eq!((budget.used(), budget.waiting()), (1, 0));
    }

    #[test]
    fn a_heavy_request_that_gives_up_lets_those_behind_it_pass() {
        let budget = MemoryBudget::new(10);
        let (cancel, keep) = (CancelToken::new(), CancelToken::new());
        let _held = budget.acquire(5, &keep);
        thread::scope(|scope| {
            let heavy = scope.spawn(|| budget.acquire(8, &cancel));
            wait_until(|| budget.waiting() == 1);
            let light = scope.spawn(|| budget.acquire(2, &keep));
            wait_until(|| budget.waiting() == 2);
            cancel.cancel();
            assert!(heavy.join().unwrap().is_none());
            assert_eq!(light.join().unwrap().map(|permit| permit.bytes()), Some(2));
        });
    }
}
