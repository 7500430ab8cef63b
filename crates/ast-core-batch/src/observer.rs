//! Telling somebody how far a run is, without waiting for them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{CancelToken, Progress, ProgressSnapshot};

/// Someone who wants to be told how far a run is, such as a progress bar.
///
/// Any `FnMut(&ProgressSnapshot)` is one, called ten times a second.
///
/// It is called on a thread of its own, which lives as long as the run. No worker and no sink waits for it: one that
/// dawdles is told less often, and the run ends once its last call has returned. If the system has no thread to give it is
/// not told at all; the [`Progress`] can be read all the same.
pub trait ProgressObserver {
    /// Least time from one call to the next; rounded up to 1 ms.
    fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Takes note.
    fn observe(&mut self, snapshot: &ProgressSnapshot);
}

impl<F: FnMut(&ProgressSnapshot)> ProgressObserver for F {
    fn observe(&mut self, snapshot: &ProgressSnapshot) {
        self(snapshot);
    }
}

/// Does the work, and has the observer told meanwhile. A panic of the observer cancels `stop`, and is passed on when the
/// work has come to its end.
pub(crate) fn observe<R>(
    observer: &mut (dyn ProgressObserver + Send),
    progress: &Progress,
    stop: &CancelToken,
    work: impl FnOnce() -> R,
) -> R {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let told = thread::Builder::new().name("ast-core-progress".into()).spawn_scoped(scope, || {
            let told = catch_unwind(AssertUnwindSafe(|| tell(observer, progress, &is_over)));
            if told.is_err() {
                stop.cancel();
            }
            told
        });
        // The thread is to end also when the work panics, and then it has to be told before the scope waits for it.
        let done = catch_unwind(AssertUnwindSafe(work));
        is_over.store(true, Ordering::Release);
        if let Ok(told) = told {
            told.thread().unpark();
            if let (Ok(_), Ok(Err(panic)) | Err(panic)) = (&done, told.join()) {
                resume_unwind(panic);
            }
        }
        done.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn tell(observer: &mut (dyn ProgressObserver + Send), progress: &Progress, is_over: &AtomicBool) {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    loop {
        // Counted from the end of a call.
        let next = Instant::now() + observer.interval().clamp(Duration::from_millis(1), LONGEST);
        loop {
            if is_over.load(Ordering::Acquire) {
                return;
            }
            let rest = next.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            thread::park_timeout(rest);
        }
        observer.observe(&progress.snapshot());
    }
}
