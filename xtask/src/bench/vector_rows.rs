//! The rows about vectors, from what `cargo xtask bench vector` has measured: its newest report that was kept, or
//! where there is none, a quick run of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::judge::RowResult;
use super::statistics::{Bracket, Setting};
use super::table::{Row, Stage};
use super::vector;
use crate::process;

/// The recall at which searches are compared.
const RECALL: f64 = 0.95;

const fn row(name: &'static str, threads: usize, theirs: &'static str, target: Option<f64>) -> Row {
    Row { name, group: "vector", ours: (vector::OURS, threads), theirs: (theirs, 1), target, reason: None }
}

const BY_LOOP: Row =
    row("vector search at recall 0.95, against a plain loop in JavaScript", 1, "JS loop", Some(10.0));
const BY_GRAPH: Row =
    row("vector search at recall 0.95, against hnswlib-node", 1, vector::HNSWLIB_NODE, Some(10.0));
const BUILD: Row =
    row("vectors built on 2 threads, against hnswlib-node on 1", 2, vector::HNSWLIB_NODE, Some(10.0));
const BUILD_ALONE: Row =
    row("vectors built, against hnswlib-node, 1 thread each", 1, vector::HNSWLIB_NODE, None);

/// The part of a report that rows are made of.
#[derive(Deserialize)]
struct Kept {
    measured: Measured,
}

#[derive(Deserialize)]
struct Measured {
    rows: Vec<Library>,
    scans: BTreeMap<String, Vec<f64>>,
}

#[derive(Deserialize)]
struct Library {
    name: String,
    builds: Vec<Build>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Build {
    threads: usize,
    wall: f64,
}

#[derive(Deserialize)]
struct Point {
    set: String,
    target: f64,
    queries: f64,
    tried: Vec<(usize, f64)>,
    rounds: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    single: [Time; 2],
}

#[derive(Deserialize)]
struct Time {
    cpu: f64,
}

/// All rows about vectors.
const ROWS: [&Row; 4] = [&BY_LOOP, &BY_GRAPH, &BUILD, &BUILD_ALONE];

/// The rows, with where they are from.
pub(super) fn rows(root: &Path) -> Vec<RowResult> {
    let newest = newest(&root.join(vector::RESULTS));
    let source = newest.as_ref().and_then(|folder| folder.file_name());
    let source = source.map(|name| format!("{}/{}", vector::RESULTS, name.to_string_lossy()));
    let report = match newest {
        Some(folder) => {
            fs::read_to_string(folder.join("results.json")).context("failed to read results.json")
        }
        None => vector::quick(),
    };
    let mut rows = report.and_then(|report| judged(&report)).unwrap_or_else(|error| {
        let reason = format!("{error:#}");
        ROWS.iter().map(|row| result(row, Err(reason.clone()))).collect()
    });
    for row in &mut rows {
        row.source.clone_from(&source);
    }
    rows
}

fn result(row: &Row, samples: Result<Vec<f64>, String>) -> RowResult {
    let labels = [row.ours, row.theirs].map(|(name, threads)| super::table::title(name, threads));
    RowResult::new(row, Stage::Vector, labels, samples)
}

/// The folder of the newest report of a full run: names begin with the day; of one day, the one that was committed
/// last, or is not yet.
fn newest(reports: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(reports).ok()?.flatten();
    let full = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.ends_with("-million"))?;
        let path = entry.path();
        path.join("results.json").is_file().then(|| (name.get(..10).map(str::to_owned), name, path))
    });
    let committed = |path: &Path| {
        let mut git = Command::new("git");
        git.args(["log", "-1", "--format=%ct", "--", "."]).current_dir(path);
        process::output(&mut git).ok().and_then(|time| time.trim().parse().ok()).unwrap_or(u64::MAX)
    };
    full.max_by_key(|(day, name, path)| (day.clone(), committed(path), name.clone())).map(|(_, _, path)| path)
}

fn judged(report: &str) -> Result<Vec<RowResult>> {
    let Measured { rows, scans } = serde_json::from_str::<Kept>(report)?.measured;
    let library = |name: &str| {
        rows.iter().find(|row| row.name == name).ok_or_else(|| format!("{name} was not measured"))
    };
    let seconds = |name: &str| library(name).and_then(seconds_a_query);
    let loops = || scans.get(BY_LOOP.theirs.0).cloned().ok_or_else(|| "the loop was not measured".to_owned());
    let builds = |(name, threads): (&str, usize)| -> Result<Vec<f64>, String> {
        let builds = library(name)?.builds.iter().filter(|build| build.threads == threads);
        Ok(builds.map(|build| build.wall).collect())
    };
    let quotients = |theirs: Result<Vec<f64>, String>, ours: Result<Vec<f64>, String>| {
        Ok(theirs?.into_iter().zip(ours?).map(|(theirs, ours)| theirs / ours).collect())
    };
    // What is no rival is built once: its one time is held against each of ours.
    let of_one = |row: &Row| {
        let theirs = builds(row.theirs)?;
        let first = theirs.first().ok_or_else(|| format!("{} was not built", row.theirs.0))?;
        Ok(builds(row.ours)?.into_iter().map(|ours| first / ours).collect())
    };
    Ok(vec![
        result(&BY_LOOP, quotients(loops(), seconds(vector::OURS))),
        result(&BY_GRAPH, quotients(seconds(vector::HNSWLIB_NODE), seconds(vector::OURS))),
        result(&BUILD, of_one(&BUILD)),
        result(&BUILD_ALONE, of_one(&BUILD_ALONE)),
    ])
}

/// CPU seconds of a query for code at the recall, one a call, by round.
fn seconds_a_query(library: &Library) -> Result<Vec<f64>, String> {
    let missing = || format!("{} does not reach a recall of {RECALL}", library.name);
    let at = |point: &&Point| point.set == "code" && point.target == RECALL;
    let point = library.points.iter().find(at).ok_or_else(missing)?;
    let settings: Vec<Setting> = point.tried.iter().map(|&(ef, recall)| Setting { ef, recall }).collect();
    let bracket = Bracket::around(point.target, &settings).ok_or_else(missing)?;
    let seconds = |sample: &Sample| {
        let [below, above] = &sample.single;
        bracket.interpolate(below.cpu, above.cpu) / point.queries
    };
    Ok(point.rounds.iter().map(seconds).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::judge::Verdict;
    use super::*;

    fn report() -> serde_json::Value {
        let library = |name: &str, seconds: f64, builds: &[(usize, f64)]| {
            let time = |cpu: f64| json!({ "wall": 9.0, "cpu": cpu });
            let round =
                json!({ "single": [time(seconds), time(seconds * 3.0)], "batch": null, "p50": 1, "p99": 1 });
            let builds: Vec<_> = builds
                .iter()
                .map(|(threads, wall)| json!({ "threads": threads, "wall": wall, "cpu": 1.0 }))
                .collect();
            json!({
                "name": name, "builds": builds,
                "points": [{ "set": "code", "target": 0.95, "queries": 1000, "tried": [[10, 0.94], [20, 0.96]],
                             "rounds": [round, round, round] }],
            })
        };
        json!({ "measured": {
            "rows": [
                library(vector::OURS, 1.0, &[(2, 5.0), (1, 8.0), (2, 4.0)]),
                library(vector::HNSWLIB_NODE, 11.0, &[(1, 40.0)]),
            ],
            "scans": { "JS loop": [0.2, 0.2, 0.4] },
        }})
    }

    #[test]
    fn a_kept_report_is_judged() {
        let rows = judged(&report().to_string()).unwrap();
        // Half way between one and three seconds for a thousand queries.
        let factors: Vec<f64> = rows.iter().map(|row| row.factor.unwrap().median).collect();
        for (factor, expected) in factors.iter().zip([100.0, 11.0, 9.0, 5.0]) {
            assert!((factor - expected).abs() < 1e-9, "{factors:?}");
        }
        let verdicts: Vec<&Verdict> = rows.iter().map(|row| &row.verdict).collect();
        assert_eq!(verdicts, [&Verdict::Holds, &Verdict::Holds, &Verdict::Short, &Verdict::Shown]);
    }

    #[test]
    fn what_a_report_lacks_fails_its_rows_alone() {
        let mut report = report();
        report["measured"]["rows"][1]["points"][0]["tried"] = json!([[10, 0.5]]);
        let rows = judged(&report.to_string()).unwrap();
        assert!(matches!(&rows[1].verdict, Verdict::Failed(why) if why.contains("recall of 0.95")));
        assert_eq!(rows[0].verdict, Verdict::Holds);
        assert!(judged("{}").is_err());
    }

    #[test]
    fn the_newest_report_is_that_of_the_last_day() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(folder.path()), None);
        for name in ["2026-02-01-b", "2026-01-31-c", "2026-02-02-a-million"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("results.json"), "{}").unwrap();
        }
        assert_eq!(newest(folder.path()), Some(folder.path().join("2026-02-01-b")));
    }
}
