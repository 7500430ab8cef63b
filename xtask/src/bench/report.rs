//! What is shown and kept of a measurement: tables for people, in Markdown and HTML, and everything in JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::charts::{self, Chart};
use super::judge::{Comparison, RowResult, Verdict};
use super::machine::Machine;
use super::prepare::Inventory;
use super::rounds::{GroupResult, SideResult, State};
use super::statistics::Estimate;
use super::table::{GROWTH, Unit};

/// The version of `results.json`. One of another version is not compared with.
pub(super) const FORMAT: u32 = 1;

/// Everything that was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) format: u32,
    pub(super) date: String,
    /// When it ended, in seconds since the first of January 1970.
    pub(super) ended: u64,
    pub(super) commit: String,
    /// Whether all stages were measured, with all files.
    pub(super) full: bool,
    pub(super) machine: Machine,
    /// Versions of the packages that were compared with.
    pub(super) packages: BTreeMap<String, String>,
    pub(super) inventory: Inventory,
    pub(super) rows: Vec<RowResult>,
    pub(super) groups: Vec<GroupResult>,
    /// The comparison with an earlier report, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compared: Option<Compared>,
}

/// What has changed since an earlier report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Compared {
    /// The day and the commit of the earlier report.
    pub(super) with: String,
    pub(super) rows: Vec<Comparison>,
    /// Of what our sides take of processors; empty if the machine is another.
    pub(super) sides: Vec<Comparison>,
}

impl Results {
    /// Reads what a measurement has kept.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text)
            .with_context(|| format!("{} is no results.json of `cargo xtask bench`", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let results: Self = serde_json::from_str(text)?;
        ensure!(results.format == FORMAT, "it has format {}, and {FORMAT} is known", results.format);
        Ok(results)
    }

    /// The folder of a report: its day and its commit.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.date, self.commit)
    }

    /// Sides that went wrong.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&GroupResult, &SideResult, &str)> {
        self.sides().filter_map(|(group, side)| match &side.state {
            State::Failed(why) => Some((group, side, why.as_str())),
            _ => None,
        })
    }

    fn sides(&self) -> impl Iterator<Item = (&GroupResult, &SideResult)> {
        self.groups.iter().flat_map(|group| group.sides.iter().map(move |side| (group, side)))
    }

    /// Writes the report with its charts to a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        let charts = charts::all(self)?;
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text)
                .with_context(|| format!("failed to write {name} to {}", folder.display()))
        };
        for chart in &charts {
            write(&chart.file(false), &chart.light)?;
            write(&chart.file(true), &chart.dark)?;
        }
        write("results.json", &(serde_json::to_string(self)? + "\n"))?;
        write("report.md", &self.markdown(&charts))?;
        write("report.html", &self.html(&charts))
    }

    /// The tables that are printed: rows, what went wrong, and what has changed.
    pub(super) fn summary(&self) -> String {
        let mut text = String::new();
        for table in [Some(self.rows_table()), self.failures()].into_iter().flatten() {
            text += &table.markdown();
        }
        for table in self.comparisons() {
            text += &table.markdown();
        }
        text
    }

    fn markdown(&self, charts: &[Chart]) -> String {
        let mut text = format!("# {}\n\n", self.title());
        for note in self.notes() {
            text += &format!("- {note}\n");
        }
        text += &self.summary();
        for chart in charts {
            text += &format!("\n{}\n", picture(chart, ""));
        }
        for table in self.group_tables() {
            text += &table.markdown();
        }
        text
    }

    fn html(&self, charts: &[Chart]) -> String {
        let mut body = format!("<h1>{}</h1>\n<ul>\n", escaped(&self.title()));
        for note in self.notes() {
            body += &format!("<li>{}</li>\n", escaped(&note));
        }
        body += "</ul>\n";
        for table in [Some(self.rows_table()), self.failures()].into_iter().flatten() {
            body += &table.html();
        }
        for table in self.comparisons() {
            body += &table.html();
        }
        for chart in charts {
            body += &format!("<p>{}</p>\n", picture(chart, ""));
        }
        for table in self.group_tables() {
            body += &table.html();
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
             </head>\n<body>\n{body}</body>\n</html>\n",
            escaped(&self.title())
        )
    }

    fn title(&self) -> String {
        format!("Measurements of {} at {}", self.date, self.commit)
    }

    /// Where and with what it was measured, and how quiet that was.
    fn notes(&self) -> Vec<String> {
        let Machine { processor, threads, memory, system, kernel, distribution, load, rustc, node } =
            &self.machine;
        let languages =
            self.inventory.languages.iter().map(|(language, files)| format!("{files} {language}"));
        let mut notes = vec![
            format!("{processor}, {threads} threads, {memory}, {system}, {distribution}, kernel {kernel}."),
            format!("Load {} before, {} after.", load[0], load[1]),
            format!("{rustc}; Node {node}."),
            format!(
                "{} files, {:.1} MB: {}.",
                self.inventory.files,
                self.inventory.bytes as f64 / 1e6,
                languages.collect::<Vec<_>>().join(", ")
            ),
        ];
        if !self.packages.is_empty() {
            let packages = self.packages.iter().map(|(name, version)| format!("{name} {version}"));
            notes.push(format!("{}.", packages.collect::<Vec<_>>().join(", ")));
        }
        if !self.full {
            notes.push("A part of the measurement: not to be quoted.".to_owned());
        }
        notes.push(
            "Factors are medians over rounds of one side's speed by the clock divided by the other's in the same \
             round, and their 95 % bootstrap intervals."
                .to_owned(),
        );
        notes
    }

    fn rows_table(&self) -> Table {
        let columns = ["what", "ours", "theirs", "times as fast", "interval", "target", ""];
        let mut table = Table::new("Rows", &columns);
        for row in &self.rows {
            let target = row.target.map_or("-".to_owned(), |target| format!("{target}"));
            table.row([
                row.name.clone(),
                row.ours.clone(),
                row.theirs.clone(),
                row.factor.map_or("-".to_owned(), |factor| digits(factor.median)),
                row.factor.map_or("-".to_owned(), |factor| interval(&factor)),
                target,
                verdict(row),
            ]);
        }
        table
    }

    fn failures(&self) -> Option<Table> {
        let mut table = Table::new("Not measured", &["group", "side", "why"]);
        for (group, side) in self.sides() {
            let (State::Failed(why) | State::LeftOut(why)) = &side.state else { continue };
            table.row([group.name.clone(), super::table::title(&side.label, side.threads), why.clone()]);
        }
        (!table.rows.is_empty()).then_some(table)
    }

    fn comparisons(&self) -> Vec<Table> {
        let Some(compared) = &self.compared else { return Vec::new() };
        let one = |title: String, values: [&str; 2], comparisons: &[Comparison]| {
            let mut table =
                Table::new(&title, &["what", values[0], values[1], "times as fast as then", "interval", ""]);
            for comparison in comparisons {
                table.row([
                    comparison.name.clone(),
                    digits(comparison.before),
                    digits(comparison.after),
                    format!("{:.3}", comparison.factor.median),
                    format!("{:.3} to {:.3}", comparison.factor.low, comparison.factor.high),
                    comparison.change.name().to_owned(),
                ]);
            }
            table
        };
        let with = &compared.with;
        let mut tables =
            vec![one(format!("Rows, by {with}"), ["times as fast as theirs then", "now"], &compared.rows)];
        if !compared.sides.is_empty() {
            tables.push(one(
                format!("Our time of processors, by {with}; shown, not judged, as other work on the machine adds to it"),
                ["microseconds a unit then", "now"],
                &compared.sides,
            ));
        }
        tables
    }

    fn group_tables(&self) -> Vec<Table> {
        self.groups.iter().map(group_table).collect()
    }
}

fn group_table(group: &GroupResult) -> Table {
    let (divisor, unit) = group.unit.speed();
    let title = format!("{}: {} {} files.", group.name, group.what, group.files);
    let columns = [
        "side", unit, "interval", "wall s", "CPU s", "spread", "switches", "stolen s", "p50 us", "p95 us",
        "p99 us", "peak MB", "answers",
    ];
    let mut table = Table::new(&title, &columns);
    for side in group.sides.iter().filter(|side| side.state == State::Measured) {
        let of = |value: &dyn Fn(&super::rounds::Sample) -> f64| {
            Estimate::of(&side.samples.iter().map(value).collect::<Vec<_>>())
        };
        let speed = of(&|sample| sample.rate() / divisor);
        let middle = |estimate: Option<Estimate>| estimate.map_or("-".to_owned(), |e| digits(e.median));
        let walls: Vec<f64> = side.samples.iter().map(|sample| sample.wall).collect();
        let [p50, p95, p99] =
            [0.5, 0.95, 0.99].map(|share| side.latency(share).map_or(String::new(), digits));
        let switches: Option<u64> = side.samples.iter().map(|sample| sample.switches).sum();
        let stolen: Option<f64> = side.samples.iter().map(|sample| sample.stolen).sum();
        let mut answers: Vec<String> =
            side.answers.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
        answers.extend(side.differs.iter().map(|why| format!("not compared: {why}")));
        table.row([
            super::table::title(&side.label, side.threads),
            middle(speed),
            speed.map_or("-".to_owned(), |speed| interval(&speed)),
            middle(of(&|sample| sample.wall)),
            middle(of(&|sample| sample.cpu)),
            spread(&walls).map_or("-".to_owned(), |spread| format!("{:.1} %", spread * 100.0)),
            switches.map_or("-".to_owned(), |switches| switches.to_string()),
            stolen.map_or("-".to_owned(), |stolen| format!("{stolen:.2}")),
            p50,
            p95,
            p99,
            side.peak.map_or("-".to_owned(), |peak| format!("{:.0}", peak as f64 / 1e6)),
            answers.join(", "),
        ]);
    }
    table
}

impl SideResult {
    /// Microseconds that so large a share of all queries do not exceed.
    pub(super) fn latency(&self, share: f64) -> Option<f64> {
        let all = self.latencies();
        let rank = (share * all.len() as f64).ceil() as usize;
        all.get(rank.clamp(1, all.len().max(1)) - 1).copied()
    }

    /// Latencies of all rounds, in order.
    pub(super) fn latencies(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.samples.iter().flat_map(|sample| sample.latencies.clone()).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// Units a second by the clock.
    pub(super) fn speed(&self, unit: Unit) -> Option<Estimate> {
        let rates: Vec<f64> = self.samples.iter().map(|sample| sample.rate() / unit.speed().0).collect();
        Estimate::of(&rates).filter(|_| self.state == State::Measured)
    }
}

impl GroupResult {
    /// The number of files of a group that is about growth.
    pub(super) fn growth(&self) -> Option<usize> {
        self.name.strip_prefix(GROWTH)?.parse().ok()
    }
}

/// How far the slowest is from the fastest, as a share of the middle one.
fn spread(values: &[f64]) -> Option<f64> {
    let middle = super::statistics::median(values)?;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    Some((most - least) / middle)
}

/// What is said of a row in a table.
pub(super) fn verdict(row: &RowResult) -> String {
    let mut text = match &row.verdict {
        Verdict::Shown => String::new(),
        Verdict::Holds => "holds".to_owned(),
        Verdict::Short => "**FALLS SHORT**".to_owned(),
        Verdict::Failed(why) => format!("**FAILED**: {why}"),
    };
    if row.is_close() {
        text += ", close: the target is within the interval";
    }
    if let Some(reason) = row.reason.as_ref().filter(|_| row.falls_short()) {
        text += &format!("; {reason}");
    }
    if let Some(source) = &row.source {
        text += if text.is_empty() { "from " } else { "; from " };
        text += source;
    }
    text
}

/// Three digits that count, or all before the point.
pub(super) fn digits(value: f64) -> String {
    let places = if value == 0.0 { 0.0 } else { 2.0 - value.abs().log10().floor() };
    let places = places.clamp(0.0, 9.0) as usize;
    format!("{value:.places$}")
}

pub(super) fn interval(estimate: &Estimate) -> String {
    format!("{} to {}", digits(estimate.low), digits(estimate.high))
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A chart where a page may be light or dark; `folder` is where its files are, with a slash.
pub(super) fn picture(chart: &Chart, folder: &str) -> String {
    format!(
        "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{folder}{}\"><img src=\"{folder}{}\" \
         alt=\"{}\"></picture>",
        chart.file(true),
        chart.file(false),
        escaped(&chart.title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:15px/1.45 sans-serif;max-width:76em;margin:2em auto;\
padding:0 1em}table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #8886;\
padding:.25em .6em;text-align:left;vertical-align:top}img{max-width:100%}";

/// A table and the heading above it.
pub(super) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn markdown(&self) -> String {
        let mut text = format!("\n## {}\n\n", self.title);
        let mut line = |cells: &[String]| {
            let cells: Vec<String> =
                cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        };
        line(&self.columns);
        line(&vec!["---".to_owned(); self.columns.len()]);
        for row in &self.rows {
            line(row);
        }
        text
    }

    fn html(&self) -> String {
        let line = |cells: &[String], kind: &str| {
            let cells =
                cells.iter().map(|cell| format!("<{kind}>{}</{kind}>", escaped(cell).replace("**", "")));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let rows: String = self.rows.iter().map(|row| line(row, "td")).collect();
        format!("<h2>{}</h2>\n<table>\n{}{rows}</table>\n", escaped(&self.title), line(&self.columns, "th"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::judge::tests::{parse, side};
    use super::super::judge::{compare_rows, compare_sides, rows};
    use super::super::table::Stage;
    use super::super::{machine, table};
    use super::*;

    /// A measurement of all kinds of groups that charts are made of.
    pub(crate) fn results() -> Results {
        let other = |name: &str, stage, sides| GroupResult {
            name: name.to_owned(),
            stage,
            what: "Something.".to_owned(),
            unit: Unit::Files,
            files: 10,
            sides,
        };
        let mut parsing = parse(&[1.0, 1.1, 0.9], &[4.0, 4.1, 3.9], &[5.0, 5.5, 5.2]);
        parsing.sides.push(side("ours-parse", true, 1, &[2.0, 2.1, 1.9]));
        parsing.sides.push(side("web-tree-sitter-cursor", false, 2, &[2.5, 2.6, 2.4]));
        let mut dead = side("sqlite3", false, 1, &[]);
        dead.state = State::Failed("it answered \"a | b\"".to_owned());
        let groups = vec![
            parsing,
            other("storage-write", Stage::Storage, vec![side("ours-store", true, 1, &[1.0]), dead]),
            other("cold-index", Stage::Cold, vec![side("a", true, 1, &[1.0]), side("b", false, 1, &[9.0])]),
            other("growth-1000", Stage::Cold, vec![side("a", true, 1, &[1.0]), side("b", false, 1, &[9.0])]),
            other("growth-2000", Stage::Cold, vec![side("a", true, 1, &[2.1]), side("b", false, 1, &[30.0])]),
            other("query", Stage::Query, vec![side("q", true, 1, &[1.0]), side("r", false, 1, &[12.0])]),
        ];
        Results {
            format: FORMAT,
            date: "2026-01-31".to_owned(),
            ended: 1,
            commit: "abc".to_owned(),
            full: true,
            machine: Machine::new(machine::load()),
            packages: BTreeMap::from([("web-tree-sitter".to_owned(), "0.1".to_owned())]),
            inventory: Inventory::default(),
            rows: rows(&groups),
            groups,
            compared: None,
        }
    }

    #[test]
    fn what_is_written_can_be_read_again_and_compared_with() {
        let mut results = results();
        results.rows[0].reason = Some("physics".to_owned());
        let folder = tempfile::tempdir().unwrap();
        results.write(folder.path()).unwrap();
        let again = Results::read(&folder.path().join("results.json")).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&results).unwrap());
        results.compared = Some(Compared {
            with: again.name(),
            rows: compare_rows(&again.rows, &results.rows),
            sides: compare_sides(&again.groups, &results.groups),
        });
        assert!(results.summary().contains("by 2026-01-31-abc"), "{}", results.summary());
    }

    #[test]
    fn a_report_shows_every_side_and_what_went_wrong() {
        let results = results();
        let folder = tempfile::tempdir().unwrap();
        results.write(folder.path()).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let (markdown, html) = (read("report.md"), read("report.html"));
        for (_, side) in results.sides() {
            let title = table::title(&side.label, side.threads);
            assert!(markdown.contains(&format!("| {title} |")), "{title}: {markdown}");
            assert!(html.contains(&format!("<td>{title}</td>")), "{title}: {html}");
        }
        assert!(markdown.contains(r#"| it answered "a \| b" |"#), "{markdown}");
        assert!(html.contains("it answered &quot;a | b&quot;"), "{html}");
        assert!(markdown.contains("**FALLS SHORT**") && markdown.contains("| holds |"), "{markdown}");
        assert!(markdown.contains("**FAILED**: sqlite3: it answered"), "{markdown}");
        for line in markdown.lines().filter(|line| line.contains("srcset")) {
            let file = line.split('"').find(|part| part.ends_with(".svg")).unwrap();
            assert!(folder.path().join(file).is_file(), "{file}");
        }
    }

    #[test]
    fn results_of_another_format_are_refused() {
        let mut results = results();
        results.format = FORMAT + 1;
        let error = Results::parse(&serde_json::to_string(&results).unwrap()).unwrap_err().to_string();
        assert!(error.contains("format 2"), "{error}");
        assert!(Results::parse("{}").is_err());
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        let shown = [0.0, 0.0123, 1.234, 12.34, 123.4, 12345.6].map(digits);
        assert_eq!(shown, ["0", "0.0123", "1.23", "12.3", "123", "12346"]);
    }
}
