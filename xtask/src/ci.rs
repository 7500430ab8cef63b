//! `cargo xtask ci`: every check that is no test.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::process::{self, Tool};
use crate::{deny, tidy, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {}

/// A check and how to run it.
type Step<'a> = (&'static str, Box<dyn FnOnce() -> Result<()> + 'a>);

const RUSTFMT: Tool =
    Tool { program: "rustfmt", why: "to check formatting", how: "run `rustup component add rustfmt`" };
const CLIPPY: Tool =
    Tool { program: "clippy-driver", why: "to check lints", how: "run `rustup component add clippy`" };

pub(crate) fn run(_: &Options) -> Result<()> {
    let before = changes()?;
    let steps: [Step<'_>; 6] = [
        ("format", Box::new(|| RUSTFMT.require().and_then(|()| cargo(&["fmt", "--all", "--check"])))),
        ("tidy", Box::new(|| tidy::run(&tidy::Options {}))),
        ("deny", Box::new(|| deny::run(&deny::Options::default()))),
        ("lint", Box::new(lint)),
        ("documentation", Box::new(documentation)),
        // Generated files are checked in: a step that writes one anew has found it out of date.
        ("generated files", Box::new(move || unchanged_since(&before))),
    ];
    let mut failed = Vec::new();
    let started = Instant::now();
    for (name, step) in steps {
        println!("== {name}");
        let started = Instant::now();
        let result = step();
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(()) => println!("== {name}: ok ({seconds:.1} s)"),
            Err(error) => {
                println!("== {name}: FAILED ({seconds:.1} s): {error:#}");
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed checks: {}", failed.join(", "));
    }
    println!("all checks passed ({:.0} s)", started.elapsed().as_secs_f64());
    Ok(())
}

fn lint() -> Result<()> {
    CLIPPY.require()?;
    let workspace = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    cargo(&workspace)?;
    // What is not in what is built by default.
    let packages =
        ["--package", "ast-core-embed", "--package", "ast-core-cli", "--package", "ast-core-benches"];
    let features = "ast-core-embed/minilm,ast-core-cli/minilm,ast-core-benches/minilm";
    let mut transformer = vec!["clippy", "--locked", "--all-targets", "--features", features];
    transformer.extend(packages);
    transformer.extend(["--", "--deny", "warnings"]);
    cargo(&transformer)
}

fn documentation() -> Result<()> {
    process::run(
        process::cargo()
            .args(["doc", "--locked", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings")
            .current_dir(workspace::root()),
    )
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(process::cargo().args(arguments).current_dir(workspace::root()))
}

/// What differs from the last commit, new files included. Nothing does in a fresh clone; on a developer's disk it is
/// the work at hand.
fn changes() -> Result<String> {
    let git = |arguments: &[&str]| {
        process::output(Command::new("git").args(arguments).current_dir(workspace::root()))
    };
    Ok(git(&["status", "--porcelain"])? + &git(&["diff", "HEAD"])?)
}

fn unchanged_since(before: &str) -> Result<()> {
    if changes()? == before {
        return Ok(());
    }
    process::run(Command::new("git").args(["diff", "HEAD", "--stat"]).current_dir(workspace::root()))?;
    bail!("the checks changed tracked files; commit what they wrote")
}
