//! What a program measures of itself: counts, sizes, durations, and what the system says of the process.
//!
//! A [`Registry`] hands out metrics by name. Those who do the work keep a metric and update it, from any thread,
//! without a lock and without a thought for its cost; those who report take a [`Snapshot`], as plain structs, as JSON
//! (it is [`serde::Serialize`]) or as [`PrometheusText`]. There is no global registry. With the feature `metrics` what is
//! recorded goes to the recorder of the crate `metrics` as well, if the program has one.
//!
//! ```
//! use ast_core_metrics::Registry;
//!
//! let registry = Registry::new();
//! let files = registry.counter("files_total")?;
//! let parse = registry.histogram(("stage_seconds", "parse"))?;
//!
//! for text in ["fn main() {}", "mod tests;"] {
//!     let _timer = parse.start_timer(); // records when dropped
//!     assert!(!text.is_empty());
//!     files.increment();
//! }
//!
//! let snapshot = registry.snapshot();
//! assert_eq!(snapshot.counters[0].1, 2);
//! let (_, parse) = &snapshot.histograms[0];
//! assert!(parse.distribution.as_ref().is_some_and(|times| times.p50 <= times.p99));
//! assert!(snapshot.to_prometheus_text().contains("stage_seconds_count{stage=\"parse\"} 2\n"));
//! # Ok::<(), ast_core_metrics::MetricsError>(())
//! ```
//!
//! # The metrics
//! - [`Counter`] only grows; [`Gauge`] goes up and down. Both are one atomic number.
//! - [`Rate`] tells events a second over the last while.
//! - [`Histogram`] takes durations, directly or from a [`Timer`], and tells any percentile to three digits.
//! - A [`MetricId`] is a name and, for metrics that are alike, a stage. A name has one [`MetricKind`].
//!
//! # The figures
//! [`ProcessFigures`] and [`SystemFigures`] are read when asked for. Whatever is not known is `None`: a number
//! that is there was measured.
//!
//! ```
//! use ast_core_metrics::ProcessFigures;
//!
//! if let Some(bytes) = ProcessFigures::read().peak_rss_bytes {
//!     assert!(bytes > 0);
//! }
//! ```
//!
//! # The statistics
//! [`stats`] is for those who compare measurements: medians, intervals, ratios of pairs, and verdicts.
#![deny(missing_docs)]

mod counter;
mod error;
mod gauge;
mod histogram;
mod process;
mod prometheus;
mod rate;
mod registry;
mod snapshot;
pub mod stats;
mod system;

pub use counter::Counter;
pub use error::MetricsError;
pub use gauge::{Gauge, Presence};
pub use histogram::{Distribution, Histogram, HistogramSnapshot, Timer};
pub use process::ProcessFigures;
pub use prometheus::PrometheusText;
pub use rate::Rate;
pub use registry::{MetricId, MetricKind, Registry};
pub use snapshot::Snapshot;
pub use system::SystemFigures;

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
