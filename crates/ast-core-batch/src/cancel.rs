//! Cooperative cancellation that also wakes those who wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Tells work to stop. Clones share one state; cancelling is final.
///
/// Work looks at [`is_cancelled`](Self::is_cancelled) as often as it likes: it is two atomic loads for the
/// token and for each ancestor, and a look at the clock if there is a time limit. Threads of this crate that are blocked, on a queue or on memory, do not
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

#[derive(Debug)]
struct Node {
    cancelled: AtomicBool,
    /// Nanoseconds from `born` to the moment from which the token counts as cancelled, or [`NEVER`].
    deadline: AtomicU64,
    born: Instant,
    /// Threads to unpark on cancel. A thread is here only while it is blocked.
    sleepers: Mutex<Vec<Thread>>,
    parent: Option<CancelToken>,
}

const NEVER: u64 = u64::MAX;

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled when this one is, and can be cancelled alone.
    pub fn child(&self) -> Self {
        Self { node: Arc::new(Node { parent: Some(self.clone()), ..Node::default() }) }
    }

    /// Counts as cancelled from this moment on, or no longer because of an earlier one. Whoever holds the token and is
    /// blocked sees a new deadline only once woken, so it is set while nobody is.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let since_birth = |deadline: Instant| deadline.saturating_duration_since(self.node.born).as_nanos();
        let nanoseconds = deadline.map_or(NEVER, |at| u64::try_from(since_birth(at)).unwrap_or(NEVER));
        self.node.deadline.store(nanoseconds, Ordering::Release);
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
        self.ancestry().any(|node| {
            node.cancelled.load(Ordering::Acquire)
                || node.deadline().is_some_and(|deadline| node.born.elapsed() >= deadline)
        })
    }

    /// Parks the current thread until it is woken, or a deadline of the token comes. Returns early at times, as parking
    /// does.
    pub(crate) fn park(&self) {
        let rest = |node: &Node| Some(node.deadline()?.saturating_sub(node.born.elapsed()));
        match self.ancestry().filter_map(rest).min() {
            Some(rest) => thread::park_timeout(rest),
            None => thread::park(),
        }
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

impl Default for Node {
    fn default() -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            deadline: AtomicU64::new(NEVER),
            born: Instant::now(),
            sleepers: Mutex::default(),
            parent: None,
        }
    }
}

impl Node {
    /// Since the birth of the node.
    fn deadline(&self) -> Option<Duration> {
        let nanoseconds = self.deadline.load(Ordering::Acquire);
        (nanoseconds != NEVER).then(|| Duration::from_nanos(nanoseconds))
    }

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
    fn a_deadline_reaches_descendants_and_can_be_lifted() {
        let root = CancelToken::new();
        let child = root.child();
        root.set_deadline(Some(Instant::now() + Duration::from_secs(3600)));
        assert!(!child.is_cancelled());
        root.set_deadline(Some(Instant::now()));
        assert!(root.is_cancelled() && child.is_cancelled());
        child.park();
        root.set_deadline(None);
        assert!(!root.is_cancelled() && !child.is_cancelled());
        child.set_deadline(Some(Instant::now() + Duration::from_millis(1)));
        while !child.is_cancelled() {
            child.park();
        }
        assert!(!root.is_cancelled());
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
