//! One of our sides in the comparison with a TypeScript implementation:
//! `bench-side SIDE --corpus DIR --scratch DIR [--threads N] [--limit-files N]`.
//!
//! Answers lines of JSON on standard input; [`ast_core_benches::side`] says which.

#![expect(clippy::print_stderr, reason = "a program says how it is used")]

use anyhow::{Context, Result};
use ast_core_benches::side::{Arguments, names, serve};
use std::process::ExitCode;

/// The allocator that the command line has.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode> {
    let Some(args) = arguments()? else {
        eprintln!("usage: bench-side SIDE --corpus DIR --scratch DIR [--threads N] [--limit-files N]");
        eprintln!("sides: {}", names().collect::<Vec<_>>().join(" "));
        return Ok(ExitCode::from(2));
    };
    std::fs::create_dir_all(&args.scratch)?;
    serve(&args, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// What the program was started with; `None` if something is missing.
fn arguments() -> Result<Option<Arguments>> {
    let mut args = std::env::args().skip(1);
    let (mut side, mut corpus, mut scratch, mut threads, mut limit_files) = (None, None, None, 1, None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--corpus" => corpus = Some(value()?.into()),
            "--scratch" => scratch = Some(value()?.into()),
            "--threads" => threads = value()?.parse().context("--threads")?,
            "--limit-files" => limit_files = Some(value()?.parse().context("--limit-files")?),
            _ if side.is_none() && !arg.starts_with("--") => side = Some(arg),
            _ => return Ok(None),
        }
    }
    let (Some(side), Some(corpus), Some(scratch)) = (side, corpus, scratch) else { return Ok(None) };
    Ok(Some(Arguments { side, corpus, scratch, threads, limit_files }))
}
