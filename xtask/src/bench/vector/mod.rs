//! `cargo xtask bench vector`: our indexes and others on the same real vectors, and the figures that have to hold.
//!
//! Each library runs in its own process, which builds an index and then searches when it is told to. Libraries take
//! turns in every round, so that a change of the machine's speed hits all of them. What they answer is judged here,
//! so that recall and times of all are computed by the same few tested functions.

mod data;
mod figures;
mod prepare;
mod report;
mod rounds;
mod rows;

use anyhow::{Result, bail};

use super::machine::{self, Machine};
use crate::workspace;
use data::Manifest;
use prepare::Place;
use report::Report;
use rounds::{Measured, Plan};
pub(super) use rows::{HNSWLIB_NODE, OURS};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A tenth of the vectors and fewer rounds; the report is not kept.
    #[arg(long)]
    quick: bool,
    /// A million vectors: the real ones repeated with jitter. Takes an hour or more.
    #[arg(long, conflicts_with = "quick")]
    million: bool,
    /// Only these rows of the table; figures that need others are not judged, and the report is not kept.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds of searches; 5 by default, 3 with `--quick`.
    #[arg(long, value_name = "COUNT")]
    rounds: Option<usize>,
}

/// Where reports are kept, from the root of the repository.
pub(super) const RESULTS: &str = "benches/results/vector";

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(name) = options.only.iter().find(|name| !rows::GRAPHS.iter().any(|row| row.name == **name)) {
        let names: Vec<&str> = rows::GRAPHS.iter().map(|row| row.name).collect();
        bail!("there is no row {name:?}; there are {}", names.join(", "));
    }
    let (date, commit, load) = (machine::today(), machine::commit()?, machine::load());
    let (vectors, measured) = measure(options)?;
    let mut figures = figures::all(&measured, vectors.base, options.million);
    if !options.only.is_empty() {
        figures.retain(|figure| figure.value.is_some());
    }
    let report = Report {
        date,
        commit,
        machine: Machine::new(load),
        vectors: &vectors,
        figures: &figures,
        measured: &measured,
    };
    println!("\n{}", report.markdown());
    if !options.quick && options.only.is_empty() {
        let suffix = if options.million { "-million" } else { "" };
        let folder = format!("{RESULTS}/{}{suffix}", report.name());
        report.write(&workspace::root().join(&folder))?;
        println!("kept in {folder}");
    }
    match figures.iter().filter(|figure| !figure.holds).count() {
        0 => Ok(()),
        1 => bail!("1 figure falls short"),
        count => bail!("{count} figures fall short"),
    }
}

fn measure(options: &Options) -> Result<(Manifest, Measured)> {
    let place = Place::new()?;
    place.install()?;
    let (name, rows) = match options {
        Options { quick: true, .. } => ("quick", Some(10_000)),
        Options { million: true, .. } => ("million", Some(1_000_000)),
        _ => ("full", None),
    };
    let (folder, vectors) = place.vectors(name, rows)?;
    let plan = Plan {
        rounds: options.rounds.unwrap_or(if options.quick { 3 } else { 5 }).max(1),
        builds: if options.million || options.quick { 1 } else { 3 },
        build_threads: if options.million { 2 } else { 1 },
        million: options.million,
        only: options.only.clone(),
    };
    let measured = rounds::measure(&place, &folder, &vectors, &plan)?;
    Ok((vectors, measured))
}

/// What a quick run measures of the libraries that the whole comparison names, in the form of `results.json`.
pub(super) fn quick() -> Result<String> {
    let options = Options { quick: true, million: false, only: Vec::new(), rounds: None };
    let (_, measured) = measure(&options)?;
    Ok(serde_json::to_string(&serde_json::json!({ "measured": measured }))?)
}
