//! The threads that work.

use std::thread::{self, JoinHandle};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{BatchConfig, MemoryBudget, PoolError};

/// A fixed set of worker threads and the memory budget of what they do.
///
/// Threads are named `ast-core-worker-0`, `ast-core-worker-1`, .... Starting them costs, so build the pool
/// once and use it for many runs. A run takes the pool by `&mut` because it occupies every thread until it
/// ends: the borrow checker thereby excludes a run inside a run and a sink that waits for threads that wait
/// for the sink. Callers that share a pool put it behind a mutex, and wait for their turn.
///
/// Dropping the pool joins its threads, unless one of them is what drops it.
#[derive(Debug)]
pub struct WorkerPool {
    config: BatchConfig,
    budget: MemoryBudget,
    // Fields are dropped in this order: rayon tells its threads to end but does not wait for them.
    threads: ThreadPool,
    _join: JoinOnDrop,
}

impl WorkerPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`PoolError`] if the operating system refuses a thread. Those already started are joined.
    pub fn new(config: BatchConfig) -> Result<Self, PoolError> {
        let mut join = JoinOnDrop::default();
        let threads = ThreadPoolBuilder::new()
            .num_threads(config.workers.get())
            .spawn_handler(|worker| {
                let name = format!("ast-core-worker-{}", worker.index());
                let builder = thread::Builder::new().name(name).stack_size(config.stack_size);
                join.handles.push(builder.spawn(|| worker.run())?);
                Ok(())
            })
            .build()
            .map_err(|source| PoolError {
                workers: config.workers.get(),
                stack_size: config.stack_size,
                source,
            })?;
        let budget = MemoryBudget::new(config.memory_budget);
        Ok(Self { config, budget, threads, _join: join })
    }

    /// The bounds that the pool was built with.
    pub fn config(&self) -> &BatchConfig {
        &self.config
    }

    /// The account to which every run on this pool charges its items, also while their permits live on with a
    /// consumer after the run.
    pub fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Runs `operation` on the pool, where rayon's parallel iterators, `join` and `scope` use its threads, and
    /// returns what it returned. A panic of `operation` is passed on.
    pub fn install<R: Send>(&self, operation: impl FnOnce() -> R + Send) -> R {
        self.threads.install(operation)
    }

    pub(crate) fn threads(&self) -> &ThreadPool {
        &self.threads
    }
}

/// Joins threads that were told to end.
#[derive(Debug, Default)]
struct JoinOnDrop {
    handles: Vec<JoinHandle<()>>,
}

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        // A task that outlives every other owner of the pool drops it on one of the pool's own threads. They
        // all end after that task, which therefore must not wait for any of them.
        let current = thread::current().id();
        if self.handles.iter().any(|handle| handle.thread().id() == current) {
            return;
        }
        for handle in self.handles.drain(..) {
            // Rayon catches the panics of tasks; there is nobody left to tell of another.
            let _ = handle.join();
        }
    }
}
