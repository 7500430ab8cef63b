//! Why a run or a pool failed.

use crate::BatchSummary;

/// Why a run failed. Items never fail a run, they have an [`Outcome`](crate::Outcome); `E` is the error of the
/// sink.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError<E> {
    /// The sink refused a result. Results that came after it were dropped.
    #[error(
        "the consumer failed on the result of item {index}, after {} results; the rest was dropped, run again from \
         what is committed",
        .summary.delivered
    )]
    Sink {
        /// Position in the input of the item whose result was refused.
        index: usize,
        /// What the run did until then.
        summary: BatchSummary,
        /// The error of the sink.
        #[source]
        source: E,
    },
}

/// The threads of a [`WorkerPool`](crate::WorkerPool) could not be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to start {workers} worker threads with a stack of {stack_size} bytes each; ask for fewer workers or a \
     smaller stack"
)]
pub struct PoolError {
    /// Threads asked for.
    pub workers: usize,
    /// Stack asked for, in bytes.
    pub stack_size: usize,
    /// What the operating system said.
    #[source]
    pub(crate) source: rayon::ThreadPoolBuildError,
}
