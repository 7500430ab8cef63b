//! `cargo xtask bench`: measurements that compare us with others.

mod vector;

use anyhow::Result;
use clap::Subcommand;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Nearest neighbors: our indexes and other libraries, on the same vectors. See docs/performance.md.
    Vector(vector::Options),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.subject {
        Subject::Vector(options) => vector::run(options),
    }
}
