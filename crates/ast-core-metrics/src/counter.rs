//! Numbers that count up.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number of events since the start. It only grows.
#[derive(Debug, Default)]
pub struct Counter {
    value: AtomicU64,
    #[cfg(feature = "metrics")]
    forwarded: Option<metrics::Counter>,
}

impl Counter {
    /// One that tells a recorder of the crate `metrics` as well.
    #[cfg(feature = "metrics")]
    pub(crate) fn forwarding(to: metrics::Counter) -> Self {
        Self { forwarded: Some(to), ..Self::default() }
    }

    /// Counts one event.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts `events` at once. Past [`u64::MAX`] it starts again at 0, as Prometheus expects of a counter.
    pub fn add(&self, events: u64) {
        self.value.fetch_add(events, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        if let Some(recorder) = &self.forwarded {
            recorder.increment(events);
        }
    }

    /// Events counted so far.
    pub fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}
