//! The way in: items leave the input one at a time, in order, once there is room for them.

use std::iter::Fuse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::retry::{Delayed, Waiting};
use crate::semaphore::{Acquired, Permit, Semaphore};
use crate::{CancelToken, MemoryBudget, MemoryPermit, Pause};

/// Where workers come for their next item.
///
/// There is no queue of items and no thread that fills it: a worker takes an item when it can start on it.
/// The worker at the head of the line holds the lock while it waits, first for a slot and then for the memory
/// of its item. Hence admission is in input order and what has been admitted is a prefix of the input, which
/// is why input-ordered delivery cannot deadlock: the item that everyone waits for was admitted before all
/// others in flight, and holds its memory already. That is as true of one that waits to be tried again: it keeps
/// what it holds, and the head of the line leaves whatever it waits for once such an item is due.
pub(crate) struct Feed<Items: Iterator, Weigh, T> {
    input: Mutex<Input<Items, Weigh, T>>,
    slots: Arc<Semaphore>,
    budget: MemoryBudget,
    pause: Pause,
    waiting: Waiting<Items::Item, T>,
    /// Items that waited to be tried again when the run was cancelled.
    given_up: AtomicUsize,
}

struct Input<Items: Iterator, Weigh, T> {
    items: Fuse<Items>,
    weigh: Weigh,
    admitted: usize,
    exhausted: bool,
    /// What the head of the line has gathered so far: it may have to leave for an item that is due.
    slot: Option<Permit>,
    next: Option<Next<Items::Item, T>>,
    memory: Option<MemoryPermit>,
}

/// An item that was chosen to be admitted.
enum Next<Item, T> {
    New { item: Item, bytes: u64 },
    Again(Delayed<Item, T>),
}

/// An item that may be worked on.
pub(crate) struct Admitted<Item> {
    pub(crate) index: usize,
    pub(crate) item: Item,
    /// How often it was tried before.
    pub(crate) attempts: u32,
    pub(crate) bytes: u64,
    pub(crate) memory: MemoryPermit,
    pub(crate) slot: Permit,
}

/// What became of the input.
pub(crate) struct Tally {
    pub(crate) started: usize,
    pub(crate) not_started: Option<usize>,
    /// Whether nothing is left that could have been worked on.
    pub(crate) exhausted: bool,
}

impl<Items, Weigh, T> Feed<Items, Weigh, T>
where
    Items: Iterator,
    Weigh: FnMut(&Items::Item) -> u64,
{
    /// A feed that lets at most `slots` items be between admission and the drop of their slot.
    pub(crate) fn new(
        items: Items,
        weigh: Weigh,
        slots: u64,
        budget: MemoryBudget,
        pause: Pause,
        waiting: Waiting<Items::Item, T>,
    ) -> Self {
        let input = Input {
            items: items.fuse(),
            weigh,
            admitted: 0,
            exhausted: false,
            slot: None,
            next: None,
            memory: None,
        };
        let slots = Arc::new(Semaphore::new(slots));
        Self { input: Mutex::new(input), slots, budget, pause, waiting, given_up: AtomicUsize::new(0) }
    }

    /// Blocks until there is room, and returns the next item; `None` if nothing is left for this worker or once `stop`
    /// is cancelled.
    ///
    /// Nothing is left when the input is at its end and no item waits to be tried again. One that another worker is busy
    /// with may come to wait later, but then that worker comes back for it.
    pub(crate) fn admit(&self, stop: &CancelToken) -> Option<Admitted<Items::Item>> {
        // The lock is poisoned if the input or `weigh` panicked in another worker: the run is ending.
        let mut input = self.input.lock().ok()?;
        let _lead = self.waiting.lead();
        loop {
            // Asked again after each wait, and last of all.
            if !self.pause.wait(stop) {
                break;
            }
            if let Some(Delayed { index, item, attempts, bytes, claim: Some((memory, slot)), .. }) =
                self.waiting.take_claimed()
            {
                return Some(Admitted { index, item, attempts, bytes, memory, slot });
            }
            let until = || self.waiting.next_claimed();
            if input.next.is_none() && input.exhausted && input.slot.is_none() {
                // A slot is taken only for an item that is there.
                match self.waiting.take_unclaimed() {
                    Some(due) => input.next = Some(Next::Again(due)),
                    None if self.waiting.wait(stop) => {}
                    None => break,
                }
            } else if input.slot.is_none() {
                match self.slots.acquire_until(1, stop, until) {
                    Acquired::Permit(slot) => input.slot = Some(slot),
                    Acquired::Cancelled => break,
                    Acquired::Interrupted => {}
                }
            } else if input.next.is_none() {
                input.choose(&self.waiting);
            } else if input.memory.is_none() {
                let bytes = input.next.as_ref().map_or(0, Next::bytes);
                match self.budget.semaphore().acquire_until(bytes, stop, until) {
                    Acquired::Permit(memory) => input.memory = Some(MemoryPermit::new(memory)),
                    Acquired::Cancelled => break,
                    Acquired::Interrupted => {}
                }
            } else if let Some(admitted) = input.admit() {
                return Some(admitted);
            }
        }
        (input.slot, input.memory) = (None, None);
        if let Some(Next::Again(due)) = input.next.take_if(|next| matches!(next, Next::Again(_))) {
            self.waiting.put_back(due);
        }
        None
    }

    /// Whether an item that was tried so often may be tried again.
    pub(crate) fn has_attempt_after(&self, attempts: u32) -> bool {
        self.waiting.has_attempt_after(attempts)
    }

    /// Takes an item back, to be tried again later.
    pub(crate) fn put_off(&self, delayed: Delayed<Items::Item, T>) {
        self.waiting.put(delayed);
    }

    /// After a cancel, one of the items that will not be tried again.
    pub(crate) fn take_given_up(&self) -> Option<Delayed<Items::Item, T>> {
        let delayed = self.waiting.take_any()?;
        self.given_up.fetch_add(1, Ordering::Relaxed);
        Some(delayed)
    }

    /// What stands for the memory of an item that holds none.
    pub(crate) fn no_memory(&self) -> MemoryPermit {
        MemoryPermit::new(self.budget.semaphore().nothing())
    }

    pub(crate) fn into_tally(self) -> Tally {
        let input = self.input.into_inner().unwrap_or_else(PoisonError::into_inner);
        // One that was taken from the input and not admitted.
        let dropped = usize::from(input.next.is_some());
        let not_started = exact_len(&input.items).map(|rest| rest + dropped);
        let at_the_end = (input.exhausted && dropped == 0) || not_started == Some(0);
        let exhausted = at_the_end && self.given_up.into_inner() == 0;
        Tally { started: input.admitted, not_started, exhausted }
    }
}

impl<Items, Weigh, T> Input<Items, Weigh, T>
where
    Items: Iterator,
    Weigh: FnMut(&Items::Item) -> u64,
{
    /// Chooses what is admitted next: what is due, or else what is next in the input.
    fn choose(&mut self, waiting: &Waiting<Items::Item, T>) {
        if let Some(due) = waiting.take_unclaimed() {
            self.next = Some(Next::Again(due));
        } else if let Some(item) = self.items.next() {
            let bytes = (self.weigh)(&item);
            self.next = Some(Next::New { item, bytes });
        } else {
            self.exhausted = true;
            self.slot = None;
        }
    }

    /// Admits what was chosen, once there is all that it needs.
    fn admit(&mut self) -> Option<Admitted<Items::Item>> {
        let (slot, memory) = (self.slot.take()?, self.memory.take()?);
        Some(match self.next.take()? {
            Next::New { item, bytes } => {
                let index = self.admitted;
                self.admitted += 1;
                Admitted { index, item, attempts: 0, bytes, memory, slot }
            }
            Next::Again(Delayed { index, item, attempts, bytes, .. }) => {
                Admitted { index, item, attempts, bytes, memory, slot }
            }
        })
    }
}

impl<Item, T> Next<Item, T> {
    fn bytes(&self) -> u64 {
        match self {
            Self::New { bytes, .. } | Self::Again(Delayed { bytes, .. }) => *bytes,
        }
    }
}

/// The number of items left, if the iterator knows it.
pub(crate) fn exact_len(items: &impl Iterator) -> Option<usize> {
    let (lower, upper) = items.size_hint();
    upper.filter(|&upper| upper == lower)
}
