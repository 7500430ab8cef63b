//! What the runs of a job have done together.

use crate::report::{FileCounts, IndexReport};
use ast_core_storage::JobProgress;
use std::collections::HashSet;

/// How many failures of a job are kept beside their number.
const LISTED_FAILURES: usize = 100;

/// What a job has done with what a run of it did. How many files and bytes it read, and how long that took, is left open.
pub(super) fn progress_with(before: &JobProgress, report: &IndexReport) -> JobProgress {
    // What failed is tried again by each run, and is one failure all the same.
    let known: HashSet<&str> = before.first_failures.iter().map(|(path, _)| path.as_str()).collect();
    let new = || report.failures.iter().filter(|failure| !known.contains(failure.path.as_str()));
    let earlier = before.first_failures.iter().cloned();
    let listed = earlier.chain(new().map(|failure| (failure.path.clone(), failure.reason.clone())));
    JobProgress {
        outcomes: counts_together(&counts_from(&before.outcomes), &report.files),
        lines: before.lines + report.lines,
        symbols: before.symbols + report.symbols,
        chunks: before.chunks + report.chunks,
        generation: report.generation,
        failures: before.failures + new().count() as u64,
        first_failures: listed.take(LISTED_FAILURES).collect(),
        ..JobProgress::default()
    }
}

pub(super) fn counts_from(outcomes: &[u64]) -> FileCounts {
    let at = |at: usize| outcomes.get(at).copied().unwrap_or(0);
    FileCounts {
        indexed: at(0),
        unchanged: at(1),
        removed: at(2),
        ignored: at(3),
        too_large: at(4),
        binary: at(5),
        unsupported: at(6),
        timed_out: at(7),
        failed: at(8),
    }
}

/// What was done adds up; what was found as it should be is as it was found last.
fn counts_together(before: &FileCounts, now: &FileCounts) -> Vec<u64> {
    vec![
        before.indexed + now.indexed,
        // Those that the job had indexed itself are found as they should be.
        now.unchanged.saturating_sub(before.indexed),
        before.removed + now.removed,
        now.ignored,
        now.too_large,
        now.binary,
        now.unsupported,
        now.timed_out,
        now.failed,
    ]
}
