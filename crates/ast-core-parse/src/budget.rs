//! How long one file may take.

use std::time::{Duration, Instant};

/// A time that runs out. Counted is the processor time of the thread where the system tells it, so that a machine that
/// is busy with other things takes nothing away; else the time by the clock.
pub(crate) struct Budget {
    budget: Duration,
    begin: Option<Duration>,
    /// Before this time by the clock, no thread can have used its budget up.
    next_look: Instant,
    /// When it was asked last, and how often it may be asked before the clock is read again.
    asked: Instant,
    calls_to_skip: u32,
}

/// How often the clock is not read after it was read twice within [`SHORT`]: a clock is
/// not free, and the parser calls often.
const CALLS_PER_LOOK: u32 = 4;
/// A time that is nothing to a budget.
const SHORT: Duration = Duration::from_millis(1);

impl Budget {
    /// A budget that begins to run.
    pub(crate) fn new(budget: Duration) -> Self {
        let now = Instant::now();
        // As good as never, where the clock does not reach so far.
        let far = Duration::from_secs(u64::from(u32::MAX));
        let next_look = now.checked_add(budget.min(far)).unwrap_or(now);
        Self { budget, begin: processor_time(), next_look, asked: now, calls_to_skip: 0 }
    }

    /// Whether it has run out.
    pub(crate) fn is_spent(&mut self) -> bool {
        if self.calls_to_skip > 0 {
            self.calls_to_skip -= 1;
            return false;
        }
        let now = Instant::now();
        self.calls_to_skip = if now - self.asked < SHORT { CALLS_PER_LOOK } else { 0 };
        self.asked = now;
        if now < self.next_look {
            return false;
        }
        // A thread's processor time never runs faster than the clock, which is cheaper to read.
        let Some((begin, time)) = self.begin.zip(processor_time()) else { return true };
        match self.budget.checked_sub(time.saturating_sub(begin)) {
            Some(rest) if !rest.is_zero() => {
                self.next_look = now.checked_add(rest).unwrap_or(now);
                false
            }
            _ => true,
        }
    }
}

/// The processor time of this thread, if the system tells it.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd")))]
fn processor_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_takes_nothing_away_and_working_does() {
        if processor_time().is_none() {
            return;
        }
        let mut budget = Budget::new(Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!budget.is_spent());
        // Ends only if work is counted.
        while !budget.is_spent() {}
    }

    #[test]
    fn nothing_is_spent_at_once_and_the_longest_never() {
        assert!(Budget::new(Duration::ZERO).is_spent());
        assert!(!Budget::new(Duration::MAX).is_spent());
    }
}
