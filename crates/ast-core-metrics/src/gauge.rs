//! Numbers that go up and down.

use std::sync::atomic::{AtomicI64, Ordering};

/// A quantity that is so and so large now: the length of a queue, bytes held.
#[derive(Debug, Default)]
pub struct Gauge {
    value: AtomicI64,
    #[cfg(feature = "metrics")]
    forwarded: Option<metrics::Gauge>,
}

/// Counts for one in a [`Gauge`] until it is dropped; made by [`Gauge::enter`].
#[derive(Debug)]
#[must_use = "it counts until it is dropped"]
pub struct Presence<'a> {
    gauge: &'a Gauge,
}

impl Gauge {
    /// One that tells a recorder of the crate `metrics` as well.
    #[cfg(feature = "metrics")]
    pub(crate) fn forwarding(to: metrics::Gauge) -> Self {
        Self { forwarded: Some(to), ..Self::default() }
    }

    /// Replaces the value.
    pub fn set(&self, value: i64) {
        self.value.store(value, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        if let Some(recorder) = &self.forwarded {
            recorder.set(value as f64);
        }
    }

    /// Changes the value by `delta`, which may be negative. It wraps at the ends of the range.
    pub fn add(&self, delta: i64) {
        self.value.fetch_add(delta, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        if let Some(recorder) = &self.forwarded {
            recorder.increment(delta as f64);
        }
    }

    /// One more, until what is returned is dropped: what is under way, whichever way it ends.
    pub fn enter(&self) -> Presence<'_> {
        self.add(1);
        Presence { gauge: self }
    }

    /// The value now.
    pub fn get(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.gauge.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_counted_until_it_ends_even_by_a_panic() {
        let gauge = Gauge::default();
        let first = gauge.enter();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _second = gauge.enter();
            assert_eq!(gauge.get(), 2);
            panic!("whatever happens");
        }));
        assert_eq!((panicked.is_err(), gauge.get()), (true, 1));
        drop(first);
        assert_eq!(gauge.get(), 0);
    }
}
