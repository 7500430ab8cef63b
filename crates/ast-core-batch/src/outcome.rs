//! What became of one item.

use std::any::Any;

use crate::MemoryPermit;

/// An item that was worked on, as the sink receives it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completed<T> {
    /// Position of the item in the input, from 0.
    pub index: usize,
    /// How the work ended.
    pub outcome: Outcome<T>,
    /// How often it was tried: 1, unless the run [tries again](crate::run_with_retry).
    pub attempts: u32,
    /// The memory charged for the item. Drop it where the result is freed: after the commit, say.
    pub permit: MemoryPermit,
}

/// How the work on one item ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The work returned this.
    Done(T),
    /// The work returned this, but only after its [time limit](crate::Control::time_limit). What it returned may be
    /// whole all the same, or as much as was done when it saw its token.
    TimedOut(T),
    /// The work panicked. Nobody else was affected, and the worker starts afresh.
    Panicked {
        /// What was passed to `panic!`, if it was text.
        message: String,
    },
}

/// What came of one attempt at an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt<Item, T> {
    /// The result, for better or worse.
    Done(T),
    /// A failure that may pass. The item is tried again after a delay; `result` is its result if no attempt is left, or
    /// if the run is cancelled first.
    Transient {
        /// The item, to be tried again.
        item: Item,
        /// What is to be delivered if it is not.
        result: T,
    },
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panicked with a value that is not text".to_owned()
    }
}
