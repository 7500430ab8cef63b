//! Bounded parallel work: many items, several threads, one consumer, and no surprise in memory.
//!
//! [`run`] takes an input of any length, works on it with the threads of a [`WorkerPool`], and hands the
//! results to one sink on the calling thread. What may grow has a bound, set in [`BatchConfig`]: the threads,
//! the results that wait, the bytes in flight. When the sink is slow, the workers wait for it.
//!
//! ```
//! use std::convert::Infallible;
//! use ast_core_batch::{Batch, BatchConfig, Completed, Control, Order, Outcome, WorkerPool, run};
//!
//! let mut pool = WorkerPool::new(BatchConfig::default())?;
//! let texts = ["to be or", "not", "to be"];
//! let mut words = Vec::new();
//!
//! let summary = run(
//!     &mut pool,
//!     Batch {
//!         items: texts,
//!         // What an item weighs in memory, in bytes.
//!         weigh: |text: &&str| text.len() as u64,
//!         // Called once on each thread: what it makes before it returns the work stays with that thread.
//!         worker: |_cancel| {
//!             let mut scratch = Vec::new();
//!             move |text: &'static str| {
//!                 scratch.clear();
//!                 scratch.extend(text.split_whitespace());
//!                 scratch.len()
//!             }
//!         },
//!         // Called on this thread with one result after the other.
//!         sink: |completed: Completed<usize>| {
//!             if let Outcome::Done(count) = completed.outcome {
//!                 words.push(count);
//!             }
//!             Ok::<(), Infallible>(())
//!         },
//!     },
//!     Control { order: Order::Input, ..Control::default() },
//! )?;
//!
//! assert_eq!(words, [3, 1, 2]);
//! assert_eq!((summary.started, summary.panicked), (3, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The nouns
//! - [`Batch`] holds the stages: the input, the weight of an item, the worker, the sink.
//! - [`Control`] holds what varies between runs: the [`Order`] of results, a [`CancelToken`], a [`Progress`]
//!   to read from other threads, and a [`ProgressObserver`] to be called.
//! - [`Completed`] is one result: its index in the input, its [`Outcome`], and the [`MemoryPermit`] that
//!   charges it to the pool's [`MemoryBudget`]. The sink may pass the permit on with the result, to a database
//!   writer say, so that memory is charged until the result is committed and freed.
//! - [`Pause`] holds a run up. [`run_with_retry`] tries items again whose failure may pass, as its [`Retry`] says.
//! - [`BatchSummary`] says what was done, and [`BatchError`] why not all of it was.
//!
//! # What it is not
//! It knows no files, no syntax trees and no async runtime. An item that fails is not an error here: its work
//! returns a `Result` if it likes, and a panic is caught as [`Outcome::Panicked`]. A thread cannot be killed,
//! so work must end by itself; long work looks at the [`CancelToken`] that its worker was made with, which also tells of
//! the [time limit](Control::time_limit) of an item.
#![deny(missing_docs)]

mod cancel;
mod config;
mod error;
mod feed;
mod memory_budget;
mod observer;
mod outcome;
mod pause;
mod pipeline;
mod pool;
mod progress;
mod retry;
mod semaphore;

pub use cancel::CancelToken;
pub use config::BatchConfig;
pub use error::{BatchError, PoolError};
pub use memory_budget::{MemoryBudget, MemoryPermit};
pub use observer::ProgressObserver;
pub use outcome::{Attempt, Completed, Outcome};
pub use pause::Pause;
pub use pipeline::{Batch, BatchSummary, Control, Order, run, run_with_retry};
pub use pool::WorkerPool;
pub use progress::{Progress, ProgressSnapshot};
pub use retry::Retry;

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
