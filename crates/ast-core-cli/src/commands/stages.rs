//! The table of stages that `-v` ends with.

use crate::output::{bytes, grouped};
use ast_core_engine::{MetricsSnapshot, StageMetrics, Work};
use std::time::Duration;

const COLUMNS: [&str; 8] = ["stage", "items", "bytes", "busy", "share", "p50", "p95", "max"];

/// The stages of a kind of work that were come to, in their order, and below them all of it by the clock. Busy is the time
/// over all threads, share what it is of that of all stages; p50, p95 and max are of a file, a batch or a search.
pub(super) fn table(metrics: &MetricsSnapshot, work: Work) -> String {
    let is_shown = |stage: &&StageMetrics| stage.work == work && stage.times.count > 0;
    let stages: Vec<&StageMetrics> = metrics.stages.iter().filter(is_shown).collect();
    let busy: Duration = stages.iter().map(|stage| stage.times.sum).sum();
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(stages.iter().map(|stage| row(stage, busy)));
    let (times, clock) = match work {
        Work::Index => (&metrics.index.runs, "index run"),
        Work::Search => (&metrics.search.searches, "search"),
    };
    let mut lines = aligned(&rows);
    lines.push(format!(
        "{clock} {} by the clock, {} busy over all threads",
        duration(times.sum),
        duration(busy)
    ));
    lines.join("\n")
}

fn row(stage: &StageMetrics, busy: Duration) -> [String; 8] {
    let share = 100.0 * stage.times.sum.as_secs_f64() / busy.as_secs_f64().max(f64::MIN_POSITIVE);
    let quantile = |of: fn(&ast_core_engine::Distribution) -> Duration| {
        stage.times.distribution.as_ref().map_or_else(|| "-".to_owned(), |times| duration(of(times)))
    };
    [
        stage.stage.to_string(),
        format!("{} {}", grouped(stage.items), stage.stage.items()),
        if stage.bytes > 0 { bytes(stage.bytes) } else { "-".to_owned() },
        duration(stage.times.sum),
        format!("{share:.1} %"),
        quantile(|times| times.p50),
        quantile(|times| times.p95),
        quantile(|times| times.max),
    ]
}

/// The first column to the left, the others to the right.
fn aligned(rows: &[[String; 8]]) -> Vec<String> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

/// A duration in the unit that suits it, in three digits or so.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0 => "0 s".to_owned(),
        ..1e-3 => format!("{:.0} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..100.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_the_unit_that_suits_them() {
        let text = |nanos| duration(Duration::from_nanos(nanos));
        let found = [0, 1_600, 999_400, 1_000_000, 250_000_000, 1_234_000_000, 123_000_000_000].map(text);
        assert_eq!(found, ["0 s", "2 µs", "999 µs", "1.0 ms", "250.0 ms", "1.23 s", "123 s"]);
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let row = |first: &str, second: &str| {
            let mut row: [String; 8] = Default::default();
            (row[0], row[1]) = (first.to_owned(), second.to_owned());
            row
        };
        let lines = aligned(&[row("stage", "items"), row("read", "1,234 µ")]);
        let begins: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(begins, ["stage    items", "read   1,234 µ"]);
    }
}
