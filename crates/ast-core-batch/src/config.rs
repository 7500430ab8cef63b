//! The bounds of a worker pool and of what runs on it.

use std::num::NonZeroUsize;
use std::thread;

/// How wide, how deep and how large parallel work may become.
///
/// These are bounds, not reservations: what is not used costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// Threads that work. Default: what [`std::thread::available_parallelism`] says, or 1 if it does not
    /// know. That respects CPU affinity and Linux control groups.
    pub workers: NonZeroUsize,
    /// Results that may wait for the consumer, beyond one a worker. At most `workers + queue_capacity` items
    /// are between their start and the return of the sink that took their result. Default: `2 * workers`.
    pub queue_capacity: NonZeroUsize,
    /// Bytes that the items in flight may weigh together; see [`MemoryBudget`](crate::MemoryBudget).
    /// Default: 256 MiB.
    pub memory_budget: u64,
    /// Stack of each worker in bytes. It must carry the deepest recursion of foreign code, such as parsers
    /// written in C, because an overflow ends the process. Default: 16 MiB, of which the operating system
    /// commits only what is touched.
    pub stack_size: usize,
}

impl Default for BatchConfig {
    fn default() -> Self {
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            workers,
            queue_capacity: workers.saturating_add(workers.get()),
            memory_budget: 256 << 20,
            stack_size: 16 << 20,
        }
    }
}
