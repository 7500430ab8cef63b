//! Why a metric or a figure cannot be had.

use std::io;

use crate::MetricKind;

/// Why a metric or a figure cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The name cannot be exposed.
    #[error("metric name {name:?} is not allowed; use letters, digits, `_` and `:`, and begin with no digit")]
    Name {
        /// As given.
        name: String,
    },
    /// Another metric has the name, or exposes a sample of that name.
    #[error(
        "metric {name:?} was asked for as a {requested} but is taken by a {existing}; choose another name"
    )]
    Conflict {
        /// As given.
        name: String,
        /// What was asked for.
        requested: MetricKind,
        /// What there is.
        existing: MetricKind,
    },
    /// The system does not let a process reset its peak memory.
    #[error("failed to reset the peak memory of this process; compare figures from a fresh process instead")]
    ResetPeak {
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}
