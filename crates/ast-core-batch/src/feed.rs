//! The way in: items leave the input one at a time, in order, once there is room for them.

use std::iter::Fuse;
use std::sync::{Arc, Mutex, PoisonError};

use crate::semaphore::{Permit, Semaphore};
use crate::{CancelToken, MemoryBudget, MemoryPermit};

/// Where workers come for their next item.
///
/// There is no queue of items and no thread that fills it: a worker takes an item when it can start on it.
/// The worker at the head of the line holds the lock while it waits, first for a slot and then for the memory
/// of its item. Hence admission is in input order and what has been admitted is a prefix of the input, which
/// is why input-ordered delivery cannot deadlock: the item that everyone waits for was admitted before all
/// others in flight, and holds its memory already.
pub(crate) struct Feed<Items: Iterator, Weigh> {
    input: Mutex<Input<Items, Weigh>>,
    slots: Arc<Semaphore>,
    budget: MemoryBudget,
}

struct Input<Items: Iterator, Weigh> {
    items: Fuse<Items>,
    weigh: Weigh,
    admitted: usize,
    /// Items that were taken from the input but not admitted, because of a cancel: 0 or 1 for each worker.
    dropped: usize,
    exhausted: bool,
}

/// An item that may be worked on.
pub(crate) struct Admitted<Item> {
    pub(crate) index: usize,
    pub(crate) item: Item,
    pub(crate) memory: MemoryPermit,
    pub(crate) slot: Permit,
}

/// What became of the input.
pub(crate) struct Tally {
    pub(crate) started: usize,
    pub(crate) not_started: Option<usize>,
    pub(crate) exhausted: bool,
}

impl<Items, Weigh> Feed<Items, Weigh>
where
    Items: Iterator,
    Weigh: FnMut(&Items::Item) -> u64,
{
    /// A feed that lets at most `slots` items be between admission and the drop of their slot.
    pub(crate) fn new(items: Items, weigh: Weigh, slots: u64, budget: MemoryBudget) -> Self {
        let items = items.fuse();
        let input = Mutex::new(Input { items, weigh, admitted: 0, dropped: 0, exhausted: false });
        Self { input, slots: Arc::new(Semaphore::new(slots)), budget }
    }

    /// Blocks until there is room, and returns the next item; `None` at the end of the input or once `stop`
    /// is cancelled.
    pub(crate) fn admit(&self, stop: &CancelToken) -> Option<Admitted<Items::Item>> {
        // The lock is poisoned if the input or `weigh` panicked in another worker: the run is ending.
        let mut input = self.input.lock().ok()?;
        let slot = self.slots.acquire(1, stop)?;
        let Some(item) = input.items.next() else {
            input.exhausted = true;
            return None;
        };
        let bytes = (input.weigh)(&item);
        let Some(memory) = self.budget.acquire(bytes, stop) else {
            input.dropped += 1;
            return None;
        };
        let index = input.admitted;
        input.admitted += 1;
        Some(Admitted { index, item, memory, slot })
    }

    pub(crate) fn into_tally(self) -> Tally {
        let input = self.input.into_inner().unwrap_or_else(PoisonError::into_inner);
        let not_started = exact_len(&input.items).map(|rest| rest + input.dropped);
        let exhausted = input.exhausted || not_started == Some(0);
        Tally { started: input.admitted, not_started, exhausted }
    }
}

/// The number of items left, if the iterator knows it.
pub(crate) fn exact_len(items: &impl Iterator) -> Option<usize> {
    let (lower, upper) = items.size_hint();
    upper.filter(|&upper| upper == lower)
}
