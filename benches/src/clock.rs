//! How long work takes, by the clock and of the processors.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What something took, in seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Took {
    /// By the clock.
    pub wall: f64,
    /// Of the processors: of all threads of the process.
    pub cpu: f64,
}

/// Measures from when it is made on.
#[derive(Debug)]
pub struct Stopwatch {
    begin: Instant,
    cpu: f64,
}

impl Stopwatch {
    /// Begins.
    pub fn start() -> Self {
        Self { cpu: processors(), begin: Instant::now() }
    }

    /// What it took up to now.
    pub fn took(&self) -> Took {
        Took { wall: self.begin.elapsed().as_secs_f64(), cpu: processors() - self.cpu }
    }
}

/// The time that all threads of this process have had, in seconds.
fn processors() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
