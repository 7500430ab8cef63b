//! What the measured times say: how much faster one side is than another, whether that is enough, and what has changed
//! since an earlier measurement.

use serde::{Deserialize, Serialize};

use super::rounds::{GroupResult, SideResult, State};
use super::statistics::{Change, Estimate};
use super::table::{ROWS, Row, Stage, title};

/// A row and what was measured for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RowResult {
    pub(super) name: String,
    pub(super) stage: Stage,
    /// The two sides, as people read them.
    pub(super) ours: String,
    pub(super) theirs: String,
    /// How many times as fast ours has to be; `None` where the row is there to be read.
    pub(super) target: Option<f64>,
    /// Why the target is out of reach, if that is known.
    pub(super) reason: Option<String>,
    /// How many times as fast ours is, round by round.
    pub(super) samples: Vec<f64>,
    pub(super) factor: Option<Estimate>,
    pub(super) verdict: Verdict,
    /// The report that it is taken from, if it was not measured in this run.
    pub(super) source: Option<String>,
}

/// Whether a row is as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It has no target.
    Shown,
    Holds,
    Short,
    Failed(String),
}

impl RowResult {
    /// Judges a row by what was measured, or by why nothing was.
    pub(super) fn new(
        row: &Row,
        stage: Stage,
        labels: [String; 2],
        samples: Result<Vec<f64>, String>,
    ) -> Self {
        let (samples, failure) = match samples {
            Ok(samples) => (samples, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let factor = Estimate::of(&samples);
        let verdict = match (failure, factor, row.target) {
            (Some(failure), _, _) => Verdict::Failed(failure),
            (None, None, _) => Verdict::Failed("nothing was measured".to_owned()),
            (None, Some(_), None) => Verdict::Shown,
            (None, Some(factor), Some(target)) if factor.median >= target => Verdict::Holds,
            _ => Verdict::Short,
        };
        let [ours, theirs] = labels;
        Self {
            name: row.name.to_owned(),
            stage,
            ours,
            theirs,
            target: row.target,
            reason: row.reason.map(str::to_owned),
            samples,
            factor,
            verdict,
            source: None,
        }
    }

    /// Whether it is not as it has to be.
    pub(super) fn falls_short(&self) -> bool {
        matches!(self.verdict, Verdict::Short | Verdict::Failed(_))
    }

    /// Whether the target lies within the interval: another run may decide otherwise.
    pub(super) fn is_close(&self) -> bool {
        self.factor.zip(self.target).is_some_and(|(f, target)| f.low < target && target <= f.high)
    }
}

/// The rows of the groups that were measured.
pub(super) fn rows(groups: &[GroupResult]) -> Vec<RowResult> {
    let judged = ROWS.iter().filter_map(|row| {
        let group = groups.iter().find(|group| group.name == row.group)?;
        let find = |(name, threads): (&str, usize)| {
            group.sides.iter().find(|side| side.name == name && side.threads == threads)
        };
        let (ours, theirs) = (find(row.ours)?, find(row.theirs)?);
        let labels = [ours, theirs].map(|side| title(&side.label, side.threads));
        Some(RowResult::new(row, group.stage, labels, factors(ours, theirs)))
    });
    judged.collect()
}

/// How many times as fast ours was, round by round: what was measured in the same round saw the same machine.
fn factors(ours: &SideResult, theirs: &SideResult) -> Result<Vec<f64>, String> {
    for side in [ours, theirs] {
        let title = title(&side.label, side.threads);
        match &side.state {
            State::Measured => {}
            State::LeftOut(why) => return Err(format!("{title}: {why}")),
            State::Failed(why) => return Err(format!("{title}: {why}")),
        }
    }
    let rounds = ours.samples.iter().zip(&theirs.samples);
    Ok(rounds.map(|(ours, theirs)| ours.rate() / theirs.rate()).collect())
}

/// A row now and in an earlier report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Comparison {
    pub(super) name: String,
    /// Values in both reports: factors of rows, or microseconds of processors a unit.
    pub(super) before: f64,
    pub(super) after: f64,
    /// How many times as fast as before.
    pub(super) factor: Estimate,
    pub(super) change: Change,
}

/// Compares rows by their names. What the machine has become faster or slower since cancels, for both sides of a row
/// were measured on it each time.
pub(super) fn compare_rows(before: &[RowResult], after: &[RowResult]) -> Vec<Comparison> {
    let compared = after.iter().filter_map(|row| {
        let earlier = before.iter().find(|earlier| earlier.name == row.name)?;
        // What was copied from the same report both times tells nothing.
        if row.source.is_some() && row.source == earlier.source {
            return None;
        }
        comparison(&row.name, &earlier.samples, &row.samples, earlier.factor?.median, row.factor?.median)
    });
    compared.collect()
}

/// Compares what our sides took of processors for a unit of work. Only of use on the same machine.
pub(super) fn compare_sides(before: &[GroupResult], after: &[GroupResult]) -> Vec<Comparison> {
    let mut compared = Vec::new();
    for group in after {
        let Some(earlier) = before.iter().find(|earlier| earlier.name == group.name) else { continue };
        // Smaller files are another mix of languages.
        if earlier.files != group.files {
            continue;
        }
        for side in group.sides.iter().filter(|side| side.ours) {
            let same = |other: &&SideResult| other.name == side.name && other.threads == side.threads;
            let Some(other) = earlier.sides.iter().find(same) else { continue };
            let speeds = |side: &SideResult| -> Vec<f64> {
                side.samples.iter().map(|sample| sample.units / sample.cpu.max(1e-9)).collect()
            };
            let (old, new) = (speeds(other), speeds(side));
            let micros = |speeds: &[f64]| Estimate::of(speeds).map(|speed| 1e6 / speed.median);
            let Some((was, is)) = micros(&old).zip(micros(&new)) else { continue };
            let name = format!("{}: {}", group.name, title(&side.label, side.threads));
            compared.extend(comparison(&name, &old, &new, was, is));
        }
    }
    compared
}

fn comparison(name: &str, old: &[f64], new: &[f64], before: f64, after: f64) -> Option<Comparison> {
    let factor = Estimate::of_quotient(new, old)?;
    Some(Comparison { name: name.to_owned(), before, after, factor, change: Change::of(factor) })
}

#[cfg(test)]
pub(super) mod tests {
    use std::slice::from_ref;

    use serde_json::Map;

    use super::super::rounds::{About, Sample};
    use super::super::table::Unit;
    use super::*;

    /// A side that took so many seconds in each round for 100 units.
    pub(crate) fn side(name: &str, ours: bool, threads: usize, seconds: &[f64]) -> SideResult {
        let sample = |&wall: &f64| Sample {
            wall,
            cpu: wall,
            units: 100.0,
            latencies: vec![wall * 1e3, wall * 2e3, wall * 5e3],
            switches: Some(3),
            stolen: Some(0.0),
        };
        SideResult {
            name: name.to_owned(),
            label: name.to_owned(),
            threads,
            ours,
            about: About::default(),
            prepared: Some(1.0),
            answers: Map::new(),
            differs: None,
            samples: seconds.iter().map(sample).collect(),
            peak: Some(50_000_000),
            state: State::Measured,
        }
    }

    /// The group of the first rows, with times of its sides.
    pub(crate) fn parse(ours: &[f64], cursor: &[f64], nodes: &[f64]) -> GroupResult {
        GroupResult {
            name: "parse-extract".to_owned(),
            stage: Stage::Parse,
            what: "Parsing.".to_owned(),
            unit: Unit::Bytes,
            files: 10,
            sides: vec![
                side("ours-parse", true, 2, ours),
                side("web-tree-sitter-cursor", false, 1, cursor),
                side("node-tree-sitter-nodes", false, 1, nodes),
            ],
        }
    }

    #[test]
    fn a_row_holds_if_ours_is_fast_enough_in_the_middle() {
        let rows = rows(&[parse(&[1.0, 1.0, 2.0], &[3.1, 3.2, 5.9], &[9.0, 9.5, 21.0])]);
        let seen: Vec<_> = rows.iter().map(|row| (row.factor.unwrap().median, &row.verdict)).collect();
        assert_eq!(seen, [(3.1, &Verdict::Holds), (9.5, &Verdict::Short)]);
        assert!(rows.iter().all(RowResult::is_close));
        assert_eq!(rows[0].ours, "ours-parse, 2 threads");
    }

    #[test]
    fn a_row_fails_with_its_side() {
        let mut group = parse(&[1.0], &[3.0], &[20.0]);
        group.sides[2].state = State::Failed("no answer in 5 s".to_owned());
        group.sides[2].samples.clear();
        let rows = rows(&[group]);
        assert_eq!(rows[0].verdict, Verdict::Holds);
        assert_eq!(rows[1].verdict, Verdict::Failed("node-tree-sitter-nodes: no answer in 5 s".to_owned()));
        assert!(rows[1].falls_short() && rows[1].factor.is_none());
    }

    #[test]
    fn a_slower_machine_is_no_regression_and_a_slower_side_is() {
        let before = parse(&[1.0, 1.01, 0.99], &[4.0, 4.01, 3.99], &[20.0, 20.1, 19.9]);
        // Everything takes twice as long.
        let slow = parse(&[2.0, 2.02, 1.98], &[8.0, 8.02, 7.98], &[40.0, 40.2, 39.8]);
        let same = compare_rows(&rows(from_ref(&before)), &rows(&[slow]));
        assert!(same.iter().all(|comparison| comparison.change == Change::Unchanged), "{same:?}");
        let worse = parse(&[1.06, 1.07, 1.05], &[4.0, 4.01, 3.99], &[20.0, 20.1, 19.9]);
        let changed = compare_rows(&rows(from_ref(&before)), &rows(from_ref(&worse)));
        assert!(changed.iter().all(|comparison| comparison.change == Change::Regressed), "{changed:?}");
        let sides = compare_sides(&[before], &[worse]);
        assert_eq!(sides.len(), 1);
        assert_eq!(sides[0].change, Change::Regressed);
        assert!((sides[0].before - 1e4).abs() < 1e-6, "{sides:?}");
    }

    #[test]
    fn what_was_not_measured_twice_is_not_compared() {
        let group = parse(&[1.0], &[4.0], &[20.0]);
        let mut fewer = group.clone();
        fewer.files = 9;
        assert!(compare_sides(&[fewer], from_ref(&group)).is_empty());
        assert!(compare_rows(&[], &rows(from_ref(&group))).is_empty());
        let mut copied = rows(&[group]);
        copied[0].source = Some("a report".to_owned());
        assert_eq!(compare_rows(&copied, &copied).len(), copied.len() - 1);
    }
}
