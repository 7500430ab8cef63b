//! `cargo xtask train-embedder` and `cargo xtask eval`: make the built-in model of ast-core-embed, and measure it.
//!
//! The packages are fetched as those of the benchmarks are; all else is done by the program `ast-core-trainer`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::corpus;
use crate::process;
use crate::workspace;

const TRAINING: &str = "crates/ast-core-trainer/data/training.toml";
const EVALUATION: &str = "crates/ast-core-trainer/data/evaluation.toml";
const EXCLUDED: &str = "crates/ast-core-trainer/data/excluded.tsv";
const QUESTIONS: &str = "crates/ast-core-trainer/data/questions.tsv";

/// Where packages and pairs go, from the root of the repository.
const PACKAGES: &str = "benches/cache/embedder/packages";
const MEASURED_PACKAGES: &str = "benches/cache/embedder/measured";
const PAIRS: &str = "benches/cache/embedder/pairs.bin";

/// The table that is compiled into ast-core-embed, and the name of its model.
const TABLE: &str = "crates/ast-core-embed/model/words-256.bin";
const NAME: &str = "words-256-v1";

/// What `cargo xtask eval` measured of the model: 99 of 100 cosines of questions and functions of other packages are below
/// it.
const NOISE_FLOOR: &str = "0.25";

#[derive(clap::Args)]
pub(crate) struct Training {
    /// Learn again from the pairs of the last time.
    #[arg(long)]
    keep_pairs: bool,
    /// Where the table goes, from the root of the repository.
    #[arg(long, value_name = "FILE", default_value = TABLE)]
    into: String,
    /// For the training: see `ast-core-trainer train --help`.
    #[arg(last = true, value_name = "OPTIONS")]
    recipe: Vec<String>,
}

#[derive(clap::Args)]
pub(crate) struct Evaluation {
    /// Measure this table instead, from the root of the repository.
    #[arg(long, value_name = "FILE")]
    table: Option<String>,
    /// Measure feature hashing instead.
    #[arg(long, conflicts_with = "table")]
    hash: bool,
}

pub(crate) fn train(options: &Training) -> Result<()> {
    corpus::fetch(EVALUATION, MEASURED_PACKAGES)?;
    if !options.keep_pairs {
        corpus::fetch(TRAINING, PACKAGES)?;
        let mut extract = trainer("extract");
        extract.args(["--manifest", TRAINING, "--packages", PACKAGES, "--excluded", EXCLUDED]);
        extract.args(["--measured-manifest", EVALUATION, "--measured-packages", MEASURED_PACKAGES]);
        process::run(extract.args(["--into", PAIRS]))?;
    }
    let table = workspace::root().join(&options.into);
    let folder = table.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let mut train = trainer("train");
    train.args(["--pairs", PAIRS, "--into", &options.into, "--name", NAME, "--noise-floor", NOISE_FLOOR]);
    process::run(train.args(&options.recipe))?;
    evaluate(&Evaluation { table: Some(options.into.clone()), hash: false })
}

pub(crate) fn evaluate(options: &Evaluation) -> Result<()> {
    corpus::fetch(EVALUATION, MEASURED_PACKAGES)?;
    let mut evaluate = trainer("evaluate");
    evaluate.args(["--manifest", EVALUATION, "--packages", MEASURED_PACKAGES, "--questions", QUESTIONS]);
    if let Some(table) = &options.table {
        evaluate.args(["--table", table]);
    }
    if options.hash {
        evaluate.arg("--hash");
    }
    process::run(&mut evaluate)
}

fn trainer(verb: &str) -> Command {
    let mut command = process::cargo();
    command
        .args(["run", "--quiet", "--release", "--package", "ast-core-trainer", "--", verb])
        .current_dir(workspace::root());
    command
}
