//! Automation of this repository: `cargo xtask <verb>`.
//!
//! Each verb is one module with `Options` and `run(&Options)`. This package uses none of our crates, so that a broken
//! engine still has working checks and the first verb on a fresh checkout starts within seconds; what it needs from
//! the engine it gets by running the binaries that cargo builds.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program talks to its user")]

mod bench;
mod ci;
mod corpus;
mod deny;
mod dist_docs;
mod embedder;
mod finding;
mod fuzz;
mod mcp;
mod metadata;
mod new_language;
mod node;
mod oracle;
mod process;
mod rust_source;
mod test;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Automation of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run every test: Rust, documentation examples, and the Node package.
    Test(test::Options),
    /// Check formatting, lints, documentation, house rules and licences.
    Ci(ci::Options),
    /// Check the house rules that no compiler checks: crate edges, layout, names, manifests.
    Tidy(tidy::Options),
    /// Check the dependencies: licences, duplicate versions, sources.
    Deny(deny::Options),
    /// Fetch the pinned open source packages that benchmarks index.
    Corpus(corpus::Options),
    /// Measure us against others.
    Bench(bench::Options),
    /// Build or test the Node package.
    Node(node::Options),
    /// Write the manual pages and shell completions that are shipped beside the binary.
    DistDocs(dist_docs::Options),
    /// Drive `ast-core mcp` by the official clients of its protocol.
    Mcp(mcp::Options),
    /// Run a fuzz target of ast-core-parse.
    Fuzz(fuzz::Options),
    /// Write what a new language of ast-core-parse begins with.
    NewLanguage(new_language::Options),
    /// Kill, break and edit an index at random, for longer than the tests do.
    Torture(torture::Options),
    /// Compare what the engine says of the corpus with what other tools say.
    Oracle(oracle::Options),
    /// Make the built-in model of ast-core-embed: fetch packages, take pairs out of them, learn, measure.
    TrainEmbedder(embedder::Training),
    /// Measure how well the built-in model finds functions by what their documentation says.
    Eval(embedder::Evaluation),
}

fn main() -> ExitCode {
    let result = match Cli::parse().verb {
        Verb::Test(options) => test::run(&options),
        Verb::Ci(options) => ci::run(&options),
        Verb::Tidy(options) => tidy::run(&options),
        Verb::Deny(options) => deny::run(&options),
        Verb::Corpus(options) => corpus::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Node(options) => node::run(&options),
        Verb::DistDocs(options) => dist_docs::run(&options),
        Verb::Mcp(options) => mcp::run(&options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::NewLanguage(options) => new_language::run(&options),
        Verb::Torture(options) => torture::run(&options),
        Verb::Oracle(options) => oracle::run(&options),
        Verb::TrainEmbedder(options) => embedder::train(&options),
        Verb::Eval(options) => embedder::evaluate(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
