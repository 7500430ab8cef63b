//! Times, and how they are told.

use ast_core_metrics::stats::percentile;
use std::time::Duration;

/// Times of the same thing.
#[derive(Debug, Default)]
pub struct Times {
    times: Vec<Duration>,
}

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: &Self) {
        self.times.extend(&other.times);
    }

    /// The least time that this share of them does not exceed; zero if there are none.
    pub fn at(&self, share: f64) -> Duration {
        let seconds: Vec<f64> = self.times.iter().map(Duration::as_secs_f64).collect();
        Duration::from_secs_f64(percentile(&seconds, share).unwrap_or(0.0))
    }

    /// What they are of, and how they are distributed, in milliseconds.
    pub fn line(&self, name: &str) -> String {
        let ms = |share| self.at(share).as_secs_f64() * 1e3;
        format!(
            "{name:<40} p50 {:>8.2} ms  p95 {:>8.2}  p99 {:>8.2}  max {:>8.2}  ({} times)",
            ms(0.5),
            ms(0.95),
            ms(0.99),
            ms(1.0),
            self.times.len()
        )
    }
}
