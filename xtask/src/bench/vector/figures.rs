//! What has to hold, and whether it does.

use serde::Serialize;

use super::data::Set;
use super::rounds::{Measured, Point, RowResult, TARGETS, Time};
use super::rows::{FLAT, HNSW_RS, HNSWLIB_NODE, LOOPS, OURS, Side};
use crate::bench::statistics::{median, paired_ratio};

/// A measured value and the bound that it has to keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) what: String,
    /// `None` if it could not be measured, which is no better than falling short.
    pub(super) value: Option<f64>,
    pub(super) bound: Bound,
    pub(super) holds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Figure {
    fn new(what: impl Into<String>, value: Option<f64>, bound: Bound) -> Self {
        let holds = value.is_some_and(|value| match bound {
            Bound::AtLeast(least) => value >= least,
            Bound::AtMost(most) => value <= most,
            Bound::Below(limit) => value < limit,
        });
        Self { what: what.into(), value, bound, holds }
    }
}

/// Two measurements of the same thing differ by so much even if nothing else runs.
const NOISE: f64 = 1.05;

/// All figures of what was measured; with `searches_only`, only those of searches and memory.
pub(super) fn all(measured: &Measured, base: usize, searches_only: bool) -> Vec<Figure> {
    let mut figures = searches(measured, searches_only);
    let ours = measured.rows.iter().find(|row| row.name == OURS);
    if !searches_only {
        figures.extend(builds(measured, ours));
        figures.push(flat(measured));
        for filter in &measured.filters {
            let name = format!("filter of {} %", filter.share * 100.0);
            figures.push(Figure::new(format!("{name}, recall"), Some(filter.recall), Bound::AtLeast(0.95)));
            figures.push(Figure::new(
                format!("{name}, time by that of scanning the matches"),
                paired_ratio(&filter.graph, &filter.scan),
                Bound::AtMost(NOISE),
            ));
        }
        figures.push(Figure::new(
            "recall lost by replacing half of the keys five times, in points",
            measured.churn.map(|churn| (churn.fresh - churn.churned) * 100.0),
            Bound::AtMost(0.5),
        ));
    }
    figures.push(Figure::new(
        "milliseconds to open the file of the index",
        measured.file.as_ref().and_then(|file| median(&file.open)).map(|seconds| seconds * 1e3),
        Bound::Below(50.0),
    ));
    figures.push(Figure::new(
        "codes and links, bytes a vector",
        ours.and_then(|row| row.walked).map(|bytes| bytes as f64 / base as f64),
        Bound::AtMost(560.0),
    ));
    figures
}

fn searches(measured: &Measured, searches_only: bool) -> Vec<Figure> {
    let mut figures = Vec::new();
    for target in TARGETS {
        let ours = measured.rows.iter().find(|row| row.name == OURS).and_then(|row| point(row, target));
        let mut compare = |name: &str, seconds: Option<Vec<f64>>, least: f64| {
            let ratio = speed(seconds, ours);
            let what = format!("searches a second at recall {target}, by {name}");
            figures.push(Figure::new(what, ratio, Bound::AtLeast(least)));
        };
        let reached = |row: &&RowResult| row.side == Side::Cpp && point(row, target).is_some();
        let best = measured.rows.iter().filter(reached).min_by(|a, b| {
            let seconds =
                |row| speed(point(row, target).and_then(Point::seconds), ours).unwrap_or(f64::INFINITY);
            seconds(a).total_cmp(&seconds(b))
        });
        let name =
            format!("the best C++ library{}", best.map_or(String::new(), |row| format!(", {}", row.name)));
        compare(&name, best.and_then(|row| point(row, target)).and_then(Point::seconds), 2.0);
        if !searches_only {
            for name in [HNSW_RS, HNSWLIB_NODE] {
                let row = measured.rows.iter().find(|row| row.name == name);
                compare(name, row.and_then(|row| point(row, target)).and_then(Point::seconds), 10.0);
            }
            let loops = LOOPS.iter().filter_map(|row| Some((row.name, measured.scans.get(row.name)?)));
            let fastest = loops.min_by(|a, b| {
                median(a.1).unwrap_or(f64::INFINITY).total_cmp(&median(b.1).unwrap_or(f64::INFINITY))
            });
            let name = fastest.map_or("JS loop", |(name, _)| name);
            compare(name, fastest.map(|(_, seconds)| seconds.clone()), 100.0);
        }
        let tails: Option<Vec<f64>> = ours
            .map(|point| point.rounds.iter().map(|s| f64::from(s.p99) / f64::from(s.p50.max(1))).collect());
        figures.push(Figure::new(
            format!("p99 by p50 at recall {target}"),
            tails.and_then(|tails| median(&tails)),
            Bound::Below(3.0),
        ));
    }
    figures
}

/// The code queries of a row at a recall, if it reaches it.
fn point(row: &RowResult, target: f64) -> Option<&Point> {
    row.points.iter().find(|p| p.set == Set::Code && p.target == target && p.bracket.is_some())
}

/// How many times as many searches as with these times our index makes in the same time.
fn speed(theirs: Option<Vec<f64>>, ours: Option<&Point>) -> Option<f64> {
    paired_ratio(&theirs?, &ours?.seconds()?)
}

fn builds(measured: &Measured, ours: Option<&RowResult>) -> [Figure; 2] {
    let times = |row: &RowResult, threads: usize, clock: fn(&Time) -> f64| -> Vec<f64> {
        row.builds.iter().filter(|build| build.threads == threads).map(|build| clock(&build.time)).collect()
    };
    let cpu = |row: &RowResult| times(row, 1, |time| time.cpu);
    let wall = |row: &RowResult, threads| times(row, threads, |time| time.wall);
    let theirs = measured.rows.iter().filter(|row| row.side == Side::Cpp);
    let best = theirs
        .filter_map(|row| Some((row, median(&cpu(row))?)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(row, _)| row);
    let name = best.map_or(String::new(), |row| format!(", {}", row.name));
    [
        Figure::new(
            format!("vectors built a second on one thread, by the best C++ library{name}"),
            best.zip(ours).and_then(|(best, ours)| paired_ratio(&cpu(best), &cpu(ours))),
            Bound::AtLeast(2.0),
        ),
        Figure::new(
            "build on two threads, by one, on the clock of the wall",
            ours.and_then(|ours| paired_ratio(&wall(ours, 1), &wall(ours, 2))),
            Bound::AtLeast(1.8),
        ),
    ]
}

fn flat(measured: &Measured) -> Figure {
    let scan = measured.scans.get(FLAT.name);
    let stream: Vec<f64> = measured.stream.iter().map(|byte| byte * measured.scanned_bytes).collect();
    Figure::new(
        "exact scan, by reading the memory alone",
        scan.and_then(|scan| paired_ratio(scan, &stream)),
        Bound::AtMost(1.3),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rounds::{About, Build, Churn, Filtered, Sample, Saved};
    use super::*;
    use crate::bench::statistics::{Bracket, Setting};

    fn time(cpu: f64) -> Time {
        Time { wall: cpu, cpu }
    }

    /// A row that takes so many milliseconds for a thousand queries one by one, and in a batch.
    fn row(name: &'static str, side: Side, single: f64, batch: Option<f64>, build: f64) -> RowResult {
        let setting = Setting { ef: 10, recall: 0.99 };
        let points = TARGETS.map(|target| Point {
            set: Set::Code,
            target,
            queries: 1000,
            tried: Vec::new(),
            bracket: Some(Bracket { below: setting, above: setting, weight: 1.0 }),
            timed: Some([10, 10]),
            rounds: vec![
                Sample {
                    single: [time(single); 2],
                    batch: batch.map(|b| [time(b); 2]),
                    p50: 100,
                    p99: 250
                };
                3
            ],
        });
        RowResult {
            name,
            side,
            about: About { version: String::new(), build: String::new() },
            builds: vec![
                Build { threads: 1, time: time(build) },
                Build { threads: 2, time: Time { wall: build / 1.9, cpu: build } },
            ],
            resident: 0,
            walked: Some(53_000),
            points: points.into(),
        }
    }

    /// Measurements of which all figures hold.
    pub(in super::super) fn measured() -> Measured {
        Measured {
            rows: vec![
                row(OURS, Side::Ours, 10.0, None, 10.0),
                row("fast", Side::Cpp, 40.0, Some(25.0), 30.0),
                row("slow", Side::Cpp, 30.0, Some(28.0), 25.0),
                row(HNSW_RS, Side::Other, 101.0, None, 1.0),
                row(HNSWLIB_NODE, Side::Other, 102.0, None, 1.0),
            ],
            scans: [
                ("JS loop", vec![2.0; 3]),
                ("JS loop unrolled", vec![1.5; 3]),
                (FLAT.name, vec![0.12; 3]),
            ]
            .into(),
            scanned_bytes: 1e8,
            stream: vec![1e-9; 3],
            filters: vec![Filtered {
                share: 0.1,
                matches: 10,
                recall: 0.96,
                graph: vec![1.0],
                scan: vec![1.0],
            }],
            churn: Some(Churn { times: 5, fresh: 0.95, churned: 0.947 }),
            file: Some(Saved { bytes: 200, save: 1.0, open: vec![0.049, 0.04, 0.06], verify: vec![0.1] }),
            ..Measured::default()
        }
    }

    fn failing(measured: &Measured) -> Vec<String> {
        all(measured, 100, false)
            .into_iter()
            .filter(|figure| !figure.holds)
            .map(|figure| figure.what)
            .collect()
    }

    #[test]
    fn good_measurements_hold() {
        assert_eq!(failing(&measured()), [""; 0]);
    }

    #[test]
    fn the_best_rival_counts_and_its_better_way_of_calling() {
        let figures = all(&measured(), 100, false);
        assert_eq!(figures[0].what, "searches a second at recall 0.95, by the best C++ library, fast");
        assert!((figures[0].value.unwrap() - 2.5).abs() < 1e-9);
        let build = figures.iter().find(|figure| figure.what.contains("built")).unwrap();
        assert!(build.what.ends_with("slow") && build.value == Some(2.5), "{build:?}");
        let loops = figures.iter().find(|figure| figure.what.contains("JS")).unwrap();
        assert!(loops.what.ends_with("unrolled"), "{loops:?}");
    }

    #[test]
    fn every_bound_is_checked() {
        type Spoil = fn(&mut Measured);
        let cases: [(&str, Spoil); 13] = [
            ("best C++ library, slow", |m| m.rows[2] = row("slow", Side::Cpp, 19.0, None, 25.0)),
            (HNSW_RS, |m| m.rows[3] = row(HNSW_RS, Side::Other, 99.0, None, 1.0)),
            (HNSWLIB_NODE, |m| m.rows[4] = row(HNSWLIB_NODE, Side::Other, 99.0, None, 1.0)),
            ("JS loop", |m| drop(m.scans.insert("JS loop", vec![0.9; 3]))),
            ("p99", |m| m.rows[0].points[0].rounds.iter_mut().for_each(|sample| sample.p99 = 300)),
            ("built", |m| m.rows[1].builds[0].time = time(19.0)),
            ("two threads", |m| m.rows[0].builds[1].time = time(6.0)),
            ("exact scan", |m| m.stream = vec![0.9e-9; 3]),
            ("recall", |m| m.filters[0].recall = 0.949),
            ("scanning the matches", |m| m.filters[0].graph = vec![1.06]),
            ("replacing", |m| m.churn = Some(Churn { times: 5, fresh: 0.95, churned: 0.944 })),
            ("to open the file", |m| m.file.iter_mut().for_each(|file| file.open = vec![0.051])),
            ("bytes a vector", |m| m.rows[0].walked = Some(56_100)),
        ];
        for (name, spoil) in cases {
            let mut spoiled = measured();
            spoil(&mut spoiled);
            let failing = failing(&spoiled);
            assert!(
                !failing.is_empty() && failing.iter().all(|what| what.contains(name)),
                "{name}: {failing:?}"
            );
        }
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert_eq!(all(&Measured::default(), 100, false).iter().filter(|figure| figure.holds).count(), 0);
        let mut without = measured();
        without.rows[0].points[1].bracket = None;
        assert!(failing(&without).iter().all(|what| what.contains("0.99")));
        assert_eq!(failing(&without).len(), 5);
    }

    #[test]
    fn a_rival_that_does_not_reach_the_recall_is_not_the_best() {
        let mut one = measured();
        one.rows[1].points[1].bracket = None;
        let figures = all(&one, 100, false);
        assert!(figures.iter().any(|figure| figure.what.ends_with("0.99, by the best C++ library, slow")));
    }

    #[test]
    fn times_are_interpolated_to_the_recall() {
        let mut point = row("a", Side::Other, 1.0, None, 1.0).points.remove(0);
        let below = Setting { ef: 10, recall: 0.94 };
        point.bracket = Some(Bracket { below, above: Setting { ef: 20, recall: 0.96 }, weight: 0.5 });
        point.rounds = vec![Sample { single: [time(1.0), time(3.0)], batch: None, p50: 1, p99: 1 }];
        assert_eq!(point.seconds(), Some(vec![0.002]));
        point.rounds[0].batch = Some([time(0.5), time(1.5)]);
        assert_eq!(point.seconds(), Some(vec![0.001]));
        point.rounds.clear();
        assert_eq!(point.seconds(), None);
    }
}
