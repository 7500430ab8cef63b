//! Our sides of the comparison with a TypeScript implementation: one a process, asked line by line.
//!
//! `benches/node-baseline` has the other sides; the commands are the same: `prepare`, `answers`, `round`, `finish`.

mod files;
mod index;
mod parse;
mod query;
mod store;

use crate::clock::Took;
use anyhow::{Context, Result};
use ast_core_engine::ProcessFigures;
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What a side was started with.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// Its name.
    pub side: String,
    /// The source files.
    pub corpus: PathBuf,
    /// A folder for what is made on the way; `files.txt` in it names the files.
    pub scratch: PathBuf,
    /// How many threads work.
    pub threads: usize,
    /// Only so many files; all if `None`.
    pub limit_files: Option<usize>,
}

/// What a round of work was.
#[derive(Debug)]
pub struct Round {
    took: Took,
    /// How much was done: bytes, files, queries or rows; the same for each side of a row.
    units: u64,
    /// Of each query, where there are many.
    latencies: Vec<Duration>,
}

impl Round {
    fn new(took: Took, units: u64) -> Self {
        Self { took, units, latencies: Vec::new() }
    }
}

/// Something that is measured.
pub trait Side {
    /// Does what is not timed.
    ///
    /// # Errors
    /// Of what is measured.
    fn prepare(&mut self) -> Result<()>;

    /// What is compared between sides.
    ///
    /// # Errors
    /// Of what is measured.
    fn answers(&mut self) -> Result<Map<String, Value>>;

    /// Does the work once.
    ///
    /// # Errors
    /// Of what is measured.
    fn round(&mut self) -> Result<Round>;
}

/// The sides and how they are made.
type Make = fn(&Arguments) -> Result<Box<dyn Side>>;
const SIDES: [(&str, Make); 8] = [
    ("ours-parse", |args| Ok(Box::new(parse::Parse::new(args)?))),
    ("ours-store", |args| Ok(Box::new(store::Definitions::new(args, store::Work::Write)?))),
    ("ours-store-lookup", |args| Ok(Box::new(store::Definitions::new(args, store::Work::LookUp)?))),
    ("ours-index", |args| Ok(Box::new(index::Index::new(args, index::Work::Cold)?))),
    ("ours-index-builtin", |args| Ok(Box::new(index::Index::new(args, index::Work::ColdAsShipped)?))),
    ("ours-warm", |args| Ok(Box::new(index::Index::new(args, index::Work::Warm)?))),
    ("ours-warm-1pct", |args| Ok(Box::new(index::Index::new(args, index::Work::WarmChanged)?))),
    ("ours-query", |args| Ok(Box::new(query::Query::new(args)?))),
];

/// The names of the sides.
pub fn names() -> impl Iterator<Item = &'static str> {
    SIDES.iter().map(|(name, _)| *name)
}

/// Answers commands until there are no more, or one is `finish`.
///
/// # Errors
/// An unknown side, or pipes that break. What goes wrong in a side is an answer.
pub fn serve(args: &Arguments, input: impl BufRead, mut output: impl Write) -> Result<()> {
    let (_, make) = SIDES.iter().find(|(name, _)| *name == args.side).with_context(|| {
        format!("no side is {:?}; there are {}", args.side, names().collect::<Vec<_>>().join(" "))
    })?;
    let mut side = make(args)?;
    let about = json!({ "side": args.side, "packages": { "ast-core-engine": env!("CARGO_PKG_VERSION") } });
    let mut say = |answer: Value| -> Result<()> {
        writeln!(output, "{answer}")?;
        Ok(output.flush()?)
    };
    say(json!({ "about": about, "threads": args.threads }))?;
    let mut prepared = false;
    for line in input.lines() {
        let line = line?;
        let is_finish = command(&line) == Some("finish".to_owned());
        say(answer(side.as_mut(), &line, &mut prepared)
            .unwrap_or_else(|error| json!({ "error": format!("{error:#}") })))?;
        if is_finish {
            break;
        }
    }
    Ok(())
}

fn command(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some(line.get("do")?.as_str()?.to_owned())
}

fn answer(side: &mut dyn Side, line: &str, prepared: &mut bool) -> Result<Value> {
    let command = command(line).with_context(|| format!("no command: {line}"))?;
    if command == "finish" {
        return Ok(json!({ "peak_rss_bytes": ProcessFigures::read().peak_rss_bytes }));
    }
    let begin = std::time::Instant::now();
    if !*prepared {
        side.prepare()?;
        *prepared = true;
    }
    match command.as_str() {
        "prepare" => Ok(json!({ "prepared_s": begin.elapsed().as_secs_f64() })),
        "answers" => Ok(json!({ "answers": side.answers()? })),
        "round" => {
            let Round { took, units, latencies } = side.round()?;
            let mut answer = json!({ "wall_s": took.wall, "cpu_s": took.cpu, "units": units });
            if !latencies.is_empty() {
                answer["latencies_us"] =
                    latencies.iter().map(|latency| latency.as_secs_f64() * 1e6).collect();
            }
            Ok(answer)
        }
        _ => anyhow::bail!("unknown command: {line}"),
    }
}
