//! Numbers that go up and down.

use std::sync::atomic::{AtomicI64, Ordering};

/// A quantity that is so and so large now: the length of a queue, bytes held.
#[derive(Debug, Default)]
pub struct Gauge {
    value: AtomicI64,
}

impl Gauge {
    /// Replaces the value.
    pub fn set(&self, value: i64) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// Changes the value by `delta`, which may be negative. It wraps at the ends of the range.
    pub fn add(&self, delta: i64) {
        self.value.fetch_add(delta, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }
}
