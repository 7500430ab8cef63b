//! The charts of a report, each once for a light page and once for a dark one.

mod bars;
mod lines;
mod scale;
mod theme;

use std::collections::BTreeMap;

use anyhow::Result;

use super::judge::{RowResult, Verdict};
use super::report::{Results, digits};
use super::rounds::{GroupResult, SideResult, State};
use super::statistics::Estimate;
use super::table::{Stage, title};
use bars::{Bar, Bars};
use lines::{Axis, Lines, Series};
use theme::{DARK, LIGHT, Tone};

/// A drawing in SVG, and what it shows.
pub(super) struct Chart {
    name: String,
    pub(super) title: String,
    pub(super) light: String,
    pub(super) dark: String,
}

/// The name of the chart that a summary shows.
const SUMMARY: &str = "times-as-fast";

impl Chart {
    /// A chart without its drawings, to be referred to.
    pub(super) fn summary() -> Self {
        let (light, dark) = (String::new(), String::new());
        Self { name: SUMMARY.to_owned(), title: "How many times as fast".to_owned(), light, dark }
    }

    /// The name of its file for a light page or for a dark one.
    pub(super) fn file(&self, dark: bool) -> String {
        if dark { format!("{}-dark.svg", self.name) } else { format!("{}.svg", self.name) }
    }

    fn of_bars(name: &str, bars: &Bars) -> Result<Self> {
        let (light, dark) = (bars.draw(&LIGHT)?, bars.draw(&DARK)?);
        Ok(Self { name: name.to_owned(), title: bars.title.clone(), light, dark })
    }

    fn of_lines(name: &str, lines: &Lines) -> Result<Self> {
        let (light, dark) = (lines.draw(&LIGHT)?, lines.draw(&DARK)?);
        Ok(Self { name: name.to_owned(), title: lines.title.clone(), light, dark })
    }
}

/// All charts for which there is something to show.
pub(super) fn all(results: &Results) -> Result<Vec<Chart>> {
    let mut charts = Vec::new();
    if let Some(bars) = factors(&results.rows) {
        charts.push(Chart::of_bars(SUMMARY, &bars)?);
    }
    for (name, bars) in speeds(&results.groups) {
        charts.push(Chart::of_bars(&format!("speed-{name}"), &bars)?);
    }
    for group in &results.groups {
        if let Some(lines) = latencies(group) {
            charts.push(Chart::of_lines(&format!("latency-{}", group.name), &lines)?);
        }
    }
    if let Some(lines) = growth(&results.groups) {
        charts.push(Chart::of_lines("growth-files", &lines)?);
    }
    if let Some(lines) = threads(&results.groups) {
        charts.push(Chart::of_lines("growth-threads", &lines)?);
    }
    if let Some(bars) = memory(&results.groups) {
        charts.push(Chart::of_bars("memory", &bars)?);
    }
    Ok(charts)
}

/// How many times as fast, row by row.
fn factors(rows: &[RowResult]) -> Option<Bars> {
    let mut groups: Vec<(String, Vec<Bar>)> = Vec::new();
    for row in rows {
        let Some(value) = row.factor else { continue };
        let tone = match row.verdict {
            Verdict::Holds => Tone::Ours,
            Verdict::Short | Verdict::Failed(_) => Tone::Short,
            Verdict::Shown => Tone::Plain,
        };
        let bar = Bar { label: row.name.clone(), value, tone, mark: row.target, text: digits(value.median) };
        let heading = row.stage.title();
        match groups.last_mut() {
            Some((last, bars)) if last == heading => bars.push(bar),
            _ => groups.push((heading.to_owned(), vec![bar])),
        }
    }
    (!groups.is_empty()).then(|| Bars {
        title: Chart::summary().title,
        axis: "times as fast, by the clock (logarithmic), with 95 % intervals".to_owned(),
        log: true,
        from: Some(1.0),
        groups,
        legend: vec![
            (Tone::Ours, "target reached"),
            (Tone::Short, "short of the target"),
            (Tone::Plain, "no target"),
            (Tone::Mark, "target"),
        ],
    })
}

/// What of a side is shown as a bar.
fn bar(side: &SideResult, value: Estimate) -> Bar {
    let tone = if side.ours { Tone::Ours } else { Tone::Theirs };
    Bar { label: title(&side.label, side.threads), value, tone, mark: None, text: digits(value.median) }
}

const SIDES: [(Tone, &str); 2] = [(Tone::Ours, "ours"), (Tone::Theirs, "others")];

/// How much of its work each side does in a second, for all groups of a stage that count the same.
fn speeds(groups: &[GroupResult]) -> Vec<(String, Bars)> {
    let mut charts: Vec<(String, (Stage, &str), Bars)> = Vec::new();
    for group in groups.iter().filter(|group| group.growth().is_none()) {
        let measured = group.sides.iter().filter_map(|side| Some(bar(side, side.speed(group.unit)?)));
        let measured: Vec<Bar> = measured.collect();
        if measured.is_empty() {
            continue;
        }
        let unit = group.unit.speed().1;
        let part = (group.what.trim_end_matches('.').to_owned(), measured);
        match charts.iter_mut().find(|(_, key, _)| *key == (group.stage, unit)) {
            Some((_, _, bars)) => bars.groups.push(part),
            None => {
                let bars = Bars {
                    title: group.stage.title().to_owned(),
                    axis: unit.to_owned(),
                    log: false,
                    from: None,
                    groups: vec![part],
                    legend: SIDES.to_vec(),
                };
                charts.push((group.name.clone(), (group.stage, unit), bars));
            }
        }
    }
    charts.into_iter().map(|(name, _, bars)| (name, bars.with_log_if_wide())).collect()
}

/// The shares of queries that take no longer than so many microseconds.
fn latencies(group: &GroupResult) -> Option<Lines> {
    let curves = group.sides.iter().filter(|side| side.state == State::Measured).filter_map(|side| {
        let all = side.latencies();
        let last = all.len().checked_sub(1).filter(|&last| last > 0)?;
        // More points than pixels show nothing more.
        let shares = (0..=200).map(|at| f64::from(at) / 200.0);
        let points = shares.map(|share| {
            let at = all[(share * last as f64).round() as usize].max(0.01);
            (at, certain(share * 100.0))
        });
        Some(Series {
            label: title(&side.label, side.threads),
            ours: side.ours,
            points: points.collect(),
            marks: false,
        })
    });
    let series: Vec<Series> = curves.collect();
    (!series.is_empty()).then(|| Lines {
        title: format!("{}: how long one takes", group.what.trim_end_matches('.')),
        x: Axis { label: "microseconds (logarithmic)".to_owned(), log: true, whole: false },
        y: Axis { label: "% of all that take no longer".to_owned(), log: false, whole: false },
        series,
    })
}

fn certain(value: f64) -> Estimate {
    Estimate { median: value, low: value, high: value }
}

/// Seconds of an index by the number of files.
fn growth(groups: &[GroupResult]) -> Option<Lines> {
    let mut series: BTreeMap<(bool, String), Vec<(f64, Estimate)>> = BTreeMap::new();
    for group in groups {
        let Some(files) = group.growth() else { continue };
        for side in &group.sides {
            let walls: Vec<f64> = side.samples.iter().map(|sample| sample.wall).collect();
            if let Some(seconds) = Estimate::of(&walls).filter(|_| side.state == State::Measured) {
                let points = series.entry((!side.ours, title(&side.label, side.threads))).or_default();
                points.push((files as f64, seconds));
            }
        }
    }
    let series = series_of(series);
    (!series.is_empty()).then(|| Lines {
        title: "A cold index, by the size of the tree".to_owned(),
        x: Axis { label: "files (logarithmic)".to_owned(), log: true, whole: false },
        y: Axis { label: "seconds by the clock (logarithmic)".to_owned(), log: true, whole: false },
        series,
    })
}

/// The speed of a side by its threads.
fn threads(groups: &[GroupResult]) -> Option<Lines> {
    let group = groups.iter().find(|group| group.name == "parse-extract")?;
    let mut series: BTreeMap<(bool, String), Vec<(f64, Estimate)>> = BTreeMap::new();
    for side in &group.sides {
        if let Some(speed) = side.speed(group.unit) {
            series.entry((!side.ours, side.label.clone())).or_default().push((side.threads as f64, speed));
        }
    }
    let series = series_of(series);
    (!series.is_empty()).then(|| Lines {
        title: "Parsing and extracting, by threads".to_owned(),
        x: Axis { label: "threads".to_owned(), log: false, whole: true },
        y: Axis { label: group.unit.speed().1.to_owned(), log: false, whole: false },
        series,
    })
}

/// The lines that have more than one point, ours first.
fn series_of(series: BTreeMap<(bool, String), Vec<(f64, Estimate)>>) -> Vec<Series> {
    let lines = series.into_iter().filter(|(_, points)| points.len() > 1);
    lines
        .map(|((theirs, label), mut points)| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Series { label, ours: !theirs, points, marks: true }
        })
        .collect()
}

/// The most memory of each side.
fn memory(groups: &[GroupResult]) -> Option<Bars> {
    let parts = groups.iter().filter(|group| ["cold-index", "query"].contains(&&*group.name));
    let parts = parts.filter_map(|group| {
        let sides = group.sides.iter().filter(|side| side.state == State::Measured);
        let bars = sides.filter_map(|side| Some(bar(side, certain(side.peak? as f64 / 1e6))));
        let bars: Vec<Bar> = bars.collect();
        (!bars.is_empty()).then(|| (group.what.trim_end_matches('.').to_owned(), bars))
    });
    let groups: Vec<_> = parts.collect();
    (!groups.is_empty()).then(|| {
        let bars = Bars {
            title: "Memory at the peak".to_owned(),
            axis: "MB resident".to_owned(),
            log: false,
            from: None,
            groups,
            legend: SIDES.to_vec(),
        };
        bars.with_log_if_wide()
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::results;
    use super::*;

    #[test]
    fn there_is_a_chart_of_each_kind_and_each_is_whole() {
        let charts = all(&results()).unwrap();
        let names: Vec<&str> = charts.iter().map(|chart| &*chart.name).collect();
        for name in
            [SUMMARY, "speed-parse-extract", "latency-query", "growth-files", "growth-threads", "memory"]
        {
            assert!(names.contains(&name), "{name} is not in {names:?}");
        }
        for chart in &charts {
            for svg in [&chart.light, &chart.dark] {
                assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{}", chart.name);
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", chart.name);
            }
            assert_ne!(chart.light, chart.dark);
        }
    }

    #[test]
    fn nothing_measured_is_nothing_drawn() {
        let mut results = results();
        results.rows.clear();
        results.groups.clear();
        assert!(all(&results).unwrap().is_empty());
    }
}
