//! Cooperative cancellation that also wakes those who wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// Tells work to stop. Clones share one state; cancelling is final.
///
/// Work looks at [`is_cancelled`](Self::is_cancelled) as often as it likes: it is an atomic load for the
/// token and one for each ancestor. Threads of this crate that are blocked, on a queue or on memory, do not
/// poll: cancelling wakes them.
///
/// ```
/// use ast_core_batch::CancelToken;
///
/// let shutdown = CancelToken::new();
/// let run = shutdown.child();
/// run.cancel();
/// assert!(run.is_cancelled() && !shutdown.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    node: Arc<Node>,
}

#[derive(Debug, Default)]
struct Node {
    cancelled: AtomicBool,
    /// Threads to unpark on cancel. A thread is here only while it is blocked.
    sleepers: Mutex<Vec<Thread>>,
    parent: Option<CancelToken>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled when this one is, and can be cancelled alone.
    pub fn child(&self) -> Self {
        Self { node: Arc::new(Node { parent: Some(self.clone()), ..Node::default() }) }
    }

    /// Cancels this token and its descendants, and wakes every thread blocked under them. May be called from
    /// any thread and any number of times.
    pub fn cancel(&self) {
        self.node.cancelled.store(true, Ordering::Release);
        // The lock orders this against `wake_on_cancel`: a thread that registers later sees the flag.
        for sleeper in self.node.sleepers().iter() {
            sleeper.unpark();
        }
    }

    /// Whether this token or an ancestor was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.ancestry().any(|node| node.cancelled.load(Ordering::Acquire))
    }

    /// Unparks the current thread on cancel, for as long as the guard lives.
    ///
    /// The caller must look at [`is_cancelled`](Self::is_cancelled) after this call and before each park.
    pub(crate) fn wake_on_cancel(&self) -> WakeOnCancel<'_> {
        for node in self.ancestry() {
            node.sleepers().push(thread::current());
        }
        WakeOnCancel { token: self }
    }

    fn ancestry(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(&*self.node), |node| node.parent.as_ref().map(|parent| &*parent.node))
    }
}

impl Node {
    fn sleepers(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a thread registered with a [`CancelToken`] and its ancestors.
pub(crate) struct WakeOnCancel<'a> {
    token: &'a CancelToken,
}

impl Drop for WakeOnCancel<'_> {
    fn drop(&mut self) {
        let current = thread::current().id();
        for node in self.token.ancestry() {
            let mut sleepers = node.sleepers();
            if let Some(position) = sleepers.iter().position(|sleeper| sleeper.id() == current) {
                sleepers.swap_remove(position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancel_reaches_clones_and_descendants_but_not_ancestors() {
        let root = CancelToken::new();
        let child = root.child();
        let grandchild = child.child();
        let sibling = root.child();
        child.clone().cancel();
        assert!(child.is_cancelled() && grandchild.is_cancelled());
        assert!(!root.is_cancelled() && !sibling.is_cancelled());
        root.cancel();
        assert!(sibling.is_cancelled());
    }

    #[test]
    fn a_parked_thread_is_woken_by_any_ancestor_and_leaves_no_trace() {
        let root = CancelToken::new();
        let grandchild = root.child().child();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _wake = grandchild.wake_on_cancel();
                while !grandchild.is_cancelled() {
                    thread::park();
                }
            });
            while root.node.sleepers().is_empty() {
                thread::yield_now();
            }
            root.cancel();
        });
        assert!(root.ancestry().chain(grandchild.ancestry()).all(|node| node.sleepers().is_empty()));
    }
}
