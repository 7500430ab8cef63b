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
    /// The memory charged for the item. Drop it where the result is freed: after the commit, say.
    pub permit: MemoryPermit,
}

/// How the work on one item ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The work returned this.
    Done(T),
    /// The work panicked. Nobody else was affected, and the worker starts afresh.
    Panicked {
        /// What was passed to `panic!`, if it was text.
        message: String,
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
