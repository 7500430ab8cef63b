//! What is shown and kept of a measurement.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::data::{Manifest, Set};
use super::figures::{Bound, Figure};
use super::rounds::{Measured, Point, RowResult, TARGETS};
use crate::bench::machine::Machine;
use crate::bench::statistics::median;

/// What was measured with what, where.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) machine: Machine,
    pub(super) vectors: &'a Manifest,
    pub(super) figures: &'a [Figure],
    pub(super) measured: &'a Measured,
}

impl Report<'_> {
    /// The folder of a report: its day and its commit.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.date, self.commit)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        let json = serde_json::to_string(self)?;
        fs::write(folder.join("results.json"), json + "\n")
            .and_then(|()| fs::write(folder.join("report.md"), self.markdown()))
            .with_context(|| format!("failed to write to {}", folder.display()))
    }

    /// The report as people read it.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("# Vector search, {} at {}\n\n", self.date, self.commit);
        let (vectors, machine) = (self.vectors, &self.machine);
        line(
            &mut text,
            &format!("- {} vectors of {} values: {}.", vectors.base, vectors.dimension, vectors.kind),
        );
        line(&mut text, &format!("- {} code queries, {} sentences; recall@10.", vectors.code, vectors.nl));
        line(
            &mut text,
            &format!(
                "- {}, {} threads, {}, {}; load {} before, {} after.",
                machine.processor,
                machine.threads,
                machine.memory,
                machine.system,
                machine.load[0],
                machine.load[1]
            ),
        );
        line(&mut text, &format!("- {}, Node {}.", machine.rustc, machine.node));
        if !self.measured.left_out.is_empty() {
            line(&mut text, &format!("- Left out: {}.", self.measured.left_out.join(", ")));
        }
        self.figures(&mut text);
        for set in Set::ALL {
            self.searches(&mut text, set);
        }
        self.builds(&mut text);
        self.scans(&mut text);
        self.file(&mut text);
        text
    }

    fn file(&self, text: &mut String) {
        let Some(file) = &self.measured.file else { return };
        let columns = ["bytes", "saved in s", "opened in ms", "checked in ms, one thread"];
        heading(text, "The file of the index, on the clock of the wall", &columns);
        let milliseconds = |seconds: &[f64]| shown(median(seconds).map(|seconds| seconds * 1e3), 2);
        let cells = [shown(Some(file.save), 2), milliseconds(&file.open), milliseconds(&file.verify)];
        let [save, open, verify] = &cells;
        row(text, &[&file.bytes.to_string(), save, open, verify]);
    }

    fn figures(&self, text: &mut String) {
        heading(text, "Figures", &["figure", "measured", "bound", ""]);
        for figure in self.figures {
            let bound = match figure.bound {
                Bound::AtLeast(bound) => format!("at least {bound}"),
                Bound::AtMost(bound) => format!("at most {bound}"),
                Bound::Below(bound) => format!("below {bound}"),
            };
            let holds = if figure.holds { "holds" } else { "**FALLS SHORT**" };
            row(text, &[&figure.what, &shown(figure.value, 3), &bound, holds]);
        }
    }

    fn searches(&self, text: &mut String, set: Set) {
        let title = match set {
            Set::Code => "Searches for code, one thread, searches a CPU second",
            Set::Nl => "Searches for sentences, one thread, searches a CPU second",
        };
        let mut columns = vec!["row".to_owned()];
        for target in TARGETS {
            columns.extend(
                ["", " one a call", " wall", " p50 us", " p99 us", " ef"].map(|c| format!("{target}{c}")),
            );
        }
        heading(text, title, &columns.iter().map(String::as_str).collect::<Vec<_>>());
        for result in &self.measured.rows {
            let mut cells = vec![result.name.to_owned()];
            for target in TARGETS {
                let point = result.points.iter().find(|point| point.set == set && point.target == target);
                cells.extend(point.map_or_else(|| ["", "", "", "", "", ""].map(str::to_owned), search_cells));
            }
            row(text, &cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    fn builds(&self, text: &mut String) {
        let columns = [
            "row",
            "version",
            "build",
            "1 thread, CPU s",
            "2 threads, wall s",
            "RSS B/vector",
            "walked B/vector",
        ];
        heading(text, "Builds and memory", &columns);
        for result in &self.measured.rows {
            let per_vector = |bytes: f64| shown(Some(bytes / self.vectors.base as f64), 0);
            let walked = result.walked.map_or(String::new(), |bytes| per_vector(bytes as f64));
            let cells = [
                result.name,
                &result.about.version,
                &result.about.build,
                &shown(median(&times(result, 1, false)), 2),
                &shown(median(&times(result, 2, true)), 2),
                &per_vector(result.resident as f64),
                &walked,
            ];
            row(text, &cells);
        }
    }

    fn scans(&self, text: &mut String) {
        if self.measured.scans.is_empty() {
            return;
        }
        heading(text, "Exact scans, one thread", &["row", "queries a CPU second", "GB/s"]);
        let bytes = self.measured.scanned_bytes;
        for (name, seconds) in &self.measured.scans {
            let rate = median(seconds).map(|seconds| 1.0 / seconds);
            row(text, &[name, &shown(rate, 1), &shown(rate.map(|rate| rate * bytes / 1e9), 1)]);
        }
        let stream = median(&self.measured.stream).map(|seconds| 1e-9 / seconds);
        row(text, &["reading the memory alone", "", &shown(stream, 1)]);
        if self.measured.filters.is_empty() {
            return;
        }
        let columns =
            ["filter", "matches", "recall", "searches a CPU second", "scans of the matches a CPU second"];
        heading(text, "Filtered searches", &columns);
        for filter in &self.measured.filters {
            let rate = |seconds: &[f64]| shown(median(seconds).map(|seconds| 1.0 / seconds), 0);
            row(
                text,
                &[
                    &format!("{} %", filter.share * 100.0),
                    &filter.matches.to_string(),
                    &shown(Some(filter.recall), 4),
                    &rate(&filter.graph),
                    &rate(&filter.scan),
                ],
            );
        }
    }
}

/// Searches a second, those of one query a call, those of the wall, two times, and the widths.
fn search_cells(point: &Point) -> [String; 6] {
    let rate = |seconds: Option<Vec<f64>>| shown(seconds.and_then(|s| median(&s)).map(|s| 1.0 / s), 0);
    let Some([below, above]) = point.timed else {
        let best = point.tried.iter().map(|tried| tried.1).fold(0.0, f64::max);
        return [
            format!("not reached: {best:.4}"),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ];
    };
    // The narrowest search may find more than was asked for.
    let at_least = point.bracket.map_or(point.target, |bracket| bracket.above.recall);
    let micros = |pick: fn(&super::rounds::Sample) -> u32| {
        let times: Vec<f64> = point.rounds.iter().map(|sample| f64::from(pick(sample)) / 1e3).collect();
        shown(median(&times), 0)
    };
    [
        rate(point.seconds()),
        rate(point.single_seconds()),
        rate(point.wall_seconds()),
        micros(|sample| sample.p50),
        micros(|sample| sample.p99),
        if below == above { format!("{above} has {at_least:.4}") } else { format!("{below}-{above}") },
    ]
}

fn times(result: &RowResult, threads: usize, wall: bool) -> Vec<f64> {
    let builds = result.builds.iter().filter(|build| build.threads == threads);
    builds.map(|build| if wall { build.time.wall } else { build.time.cpu }).collect()
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

fn heading(text: &mut String, title: &str, columns: &[&str]) {
    line(text, &format!("\n## {title}\n"));
    row(text, columns);
    row(text, &vec!["---"; columns.len()]);
}

fn row(text: &mut String, cells: &[&str]) {
    line(text, &format!("| {} |", cells.join(" | ")));
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::super::figures;
    use super::*;
    use crate::bench::machine;

    #[test]
    fn what_is_kept_holds_every_row_and_what_falls_short() {
        let mut measured = figures::tests::measured();
        measured.rows[1].points[1].timed = None;
        measured.rows[1].points[1].tried = vec![(10, 0.5), (900, 0.9481)];
        measured.rows[0].walked = Some(60_000);
        let vectors = Manifest {
            dimension: 4,
            base: 100,
            code: 10,
            nl: 5,
            neighbors: 20,
            kind: "some".to_owned(),
            sha256: String::new(),
        };
        let report = Report {
            date: "1970-01-01".to_owned(),
            commit: "abc".to_owned(),
            machine: Machine::new(machine::load()),
            vectors: &vectors,
            figures: &figures::all(&measured, vectors.base, false),
            measured: &measured,
        };
        let folder = tempfile::tempdir().unwrap();
        report.write(&folder.path().join(report.name())).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join("1970-01-01-abc").join(name)).unwrap();
        let markdown = read("report.md");
        for row in &measured.rows {
            assert!(markdown.contains(&format!("| {} | ", row.name)), "{markdown}");
        }
        assert!(markdown.contains("not reached: 0.9481"), "{markdown}");
        let short: Vec<&str> = markdown.lines().filter(|line| line.contains("FALLS SHORT")).collect();
        assert_eq!(short, ["| codes and links, bytes a vector | 600.000 | at most 560 | **FALLS SHORT** |"]);
        let json: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
        assert_eq!(json["measured"]["rows"][0]["points"][0]["rounds"][2]["single"][1]["cpu"], 10.0);
        assert_eq!(json["figures"][0]["bound"]["at_least"], 2.0);
    }
}
