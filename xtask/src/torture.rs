//! `cargo xtask torture`: the tests that kill, break and edit at random, for longer than every day, and those of each
//! step that is made to fail.

use anyhow::Result;

use crate::process;
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Kills of work in flight.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Edits of a tree.
    #[arg(long, default_value_t = 30_000)]
    edits: u32,
    /// Damaged copies of an index.
    #[arg(long, default_value_t = 1_000)]
    flips: u32,
    /// What the random numbers begin with: another finds other things.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// The tests that are made longer by a number, and the variable that they take it from.
const LONGER: [(&str, &str); 3] =
    [("killed::", "AST_CORE_KILLS"), ("edits::", "AST_CORE_EDITS"), ("faults::", "AST_CORE_FLIPS")];

/// The packages that can be built so that each step can be made to fail.
const WITH_FAILPOINTS: [&str; 2] = ["ast-core-storage", "ast-core-engine"];

pub(crate) fn run(options: &Options) -> Result<()> {
    for ((tests, variable), number) in LONGER.into_iter().zip([options.kills, options.edits, options.flips]) {
        let mut command = process::cargo();
        command
            .args(["test", "--package", "ast-core-tests", "--test", "e2e", "--", tests, "--nocapture"])
            .env(variable, number.to_string())
            .env("AST_CORE_SEED", options.seed.to_string())
            .current_dir(workspace::root());
        process::run(&mut command)?;
    }
    failpoints()
}

/// Makes each step of what changes an index fail, panic and wait.
pub(crate) fn failpoints() -> Result<()> {
    WITH_FAILPOINTS.iter().try_for_each(|package| {
        let mut command = process::cargo();
        command
            .args(["test", "--package", package, "--features", "failpoints", "--test", "failpoints"])
            .current_dir(workspace::root());
        process::run(&mut command)
    })
}
