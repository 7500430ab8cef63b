//! `cargo xtask bench`: measurements that compare us with others.
//!
//! Each side of a comparison runs in a process of its own. Sides are asked for what they find before they are timed,
//! and then work in turns, so that a change of the machine's speed hits all of them. docs/performance.md says how to
//! read what comes out.

mod charts;
mod instructions;
mod judge;
mod machine;
mod packages;
mod prepare;
pub(crate) mod readme;
mod report;
mod rounds;
mod statistics;
mod subject;
mod table;
mod vector;
mod vector_rows;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::workspace;
use judge::RowResult;
use machine::Machine;
use prepare::Place;
use report::{Compared, Results};
use rounds::{GroupResult, Plan};
use statistics::Change;
use table::Stage;

/// Where reports are kept, from the root of the repository.
const RESULTS: &str = "benches/results";

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    subject: Option<Subject>,
    #[command(flatten)]
    measure: Measure,
    /// Write the table of README.md from the newest report that is kept, and measure nothing.
    #[arg(long, conflicts_with_all = ["quick", "compare", "rounds"])]
    readme: bool,
}

#[derive(clap::Args)]
struct Measure {
    /// A few hundred files, fewer rounds: minutes. The report is not kept.
    #[arg(long)]
    quick: bool,
    /// Hold the rows against those of an earlier results.json; a regression is a failure.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Rounds that are timed; 7 by default, 3 with `--quick`.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: Option<u16>,
}

#[derive(Subcommand)]
enum Subject {
    /// Only parsing and extracting. The report of a stage is not kept.
    Parse(Measure),
    /// Only symbols as JavaScript gets them.
    AstToJs(Measure),
    /// Nearest neighbors: our indexes and other libraries, on the same vectors.
    Vector(vector::Options),
    /// Only what is written to a store and looked up in it.
    Storage(Measure),
    /// Only a tree that becomes an index.
    Cold(Measure),
    /// Only an index that is brought up to its tree.
    Warm(Measure),
    /// Only hybrid queries.
    Query(Measure),
    /// Instructions of hot parts of the engine, counted, against those that are noted.
    Instructions(instructions::Options),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.subject {
        None if options.readme => readme::write(),
        None => measure(&options.measure, &Stage::ALL),
        Some(Subject::Parse(options)) => measure(options, &[Stage::Parse]),
        Some(Subject::AstToJs(options)) => measure(options, &[Stage::AstToJs]),
        Some(Subject::Vector(options)) => vector::run(options),
        Some(Subject::Storage(options)) => measure(options, &[Stage::Storage]),
        Some(Subject::Cold(options)) => measure(options, &[Stage::Cold]),
        Some(Subject::Warm(options)) => measure(options, &[Stage::Warm]),
        Some(Subject::Query(options)) => measure(options, &[Stage::Query]),
        Some(Subject::Instructions(options)) => instructions::run(options),
    }
}

fn measure(options: &Measure, stages: &[Stage]) -> Result<()> {
    // Whatever is wrong with it is to be said before an hour has gone by.
    let earlier = options.compare.as_deref().map(Results::read).transpose()?;
    let place = Place::new(options.quick)?;
    let plan = Plan {
        rounds: options.rounds.map_or(if options.quick { 3 } else { 7 }, usize::from),
        limit: Duration::from_secs(if options.quick { 60 } else { 1800 }),
    };
    let (date, commit, load) = (machine::today(), machine::commit()?, machine::load());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let inventory = place.inventory();
    let groups = table::groups(stages, processors, inventory.files, options.quick);
    let groups: Vec<GroupResult> = groups
        .iter()
        .map(|group| {
            println!("{}: {}", group.name, group.what);
            let result =
                rounds::measure(group, place.count(group), &plan, &mut |side| place.command(group, side));
            place.clear(group);
            result
        })
        .collect();
    let mut rows = judge::rows(&groups);
    if stages.contains(&Stage::Vector) {
        rows.extend(vector_rows::rows(&workspace::root()));
        rows.sort_by_key(|row| row.stage);
    }
    let sides = groups.iter().flat_map(|group| &group.sides);
    let mut results = Results {
        format: report::FORMAT,
        date,
        ended: machine::now(),
        commit,
        full: !options.quick && stages == Stage::ALL,
        machine: Machine::new(load),
        packages: sides.flat_map(|side| side.about.packages.clone()).collect(),
        inventory,
        rows,
        groups,
        compared: None,
    };
    if let Some(earlier) = earlier {
        results.compared = Some(compared(&earlier, &results));
    }
    println!("{}", results.summary());
    let folder = if results.full {
        workspace::root().join(RESULTS).join(results.name())
    } else {
        place.unkept(&results.name())
    };
    results.write(&folder)?;
    println!("report in {}", shown(&folder));
    verdict(&results)
}

fn compared(earlier: &Results, now: &Results) -> Compared {
    let sides = if earlier.machine.is_like(&now.machine) {
        judge::compare_sides(&earlier.groups, &now.groups)
    } else {
        Vec::new()
    };
    Compared { with: earlier.name(), rows: judge::compare_rows(&earlier.rows, &now.rows), sides }
}

/// An error that counts what is not as it has to be, if anything is not.
fn verdict(results: &Results) -> Result<()> {
    let short = results.rows.iter().filter(|row| RowResult::falls_short(row)).count();
    let failed = results.failed().count();
    let compared = results.compared.iter().flat_map(|compared| &compared.rows);
    let regressed = compared.filter(|row| row.change == Change::Regressed).count();
    let counts = [(short, "fall short"), (failed, "sides failed"), (regressed, "regressed")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let wrong: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    if wrong.is_empty() { Ok(()) } else { bail!("of {} rows {}", results.rows.len(), wrong.join(", ")) }
}

/// The path from the root, if it is below it.
fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::report::tests::results;
    use super::*;

    #[test]
    fn what_is_wrong_is_counted() {
        let mut results = results();
        let said = |results: &Results| format!("{:#}", verdict(results).unwrap_err());
        assert!(said(&results).contains("1 sides failed"), "{}", said(&results));
        let mut worse = results.clone();
        for sample in worse.rows.iter_mut().flat_map(|row| &mut row.samples) {
            *sample *= 0.5;
        }
        worse.compared = Some(compared(&results, &worse));
        assert!(said(&worse).contains("regressed"), "{}", said(&worse));
        results.rows.retain(|row| !row.falls_short());
        results.groups.clear();
        assert!(verdict(&results).is_ok());
    }
}
