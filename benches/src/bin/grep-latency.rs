//! How long `ast-core grep` takes, and ripgrep over the same tree: `grep-latency TREE DATABASE BINARY [ROUNDS]`.
//!
//! Brings the index at DATABASE up to TREE, and asks for a list of patterns, rare and common, so many times:
//!
//! - the engine that has the index open, in this process;
//! - `BINARY grep PATTERN --db DATABASE`, a process of its own each time, from its start to its end, its answer read;
//! - `rg PATTERN` in TREE, the same way, if it is installed.
//!
//! The sides take turns. Of each pattern it prints what was found, how many files were read for it, and the times.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::stats::Times;
use ast_core_engine::{Engine, EngineConfig, GrepQuery, IndexControl, IndexOptions};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Flags of both sides, and a pattern.
const PATTERNS: &[(&[&str], &str)] = &[
    (&[], "ColumnFamilyOptions::"),
    (&[], "spawn_blocking"),
    (&[], "poll_shutdown"),
    (&[], "SqlQueryBuilder"),
    (&[], "no such text anywhere"),
    (&["-i"], "strict transport security"),
    (&[], r"fn \w+_timeout\("),
    (&[], r"impl<[^>]+> Stream for"),
    (&[], "TODO|FIXME"),
    (&["-w"], "unsafe"),
    (&[], "return"),
    (&[], r"\w{30}"),
];

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [tree, database, binary, rest @ ..] = &args[..] else {
        anyhow::bail!("usage: grep-latency TREE DATABASE BINARY [ROUNDS]");
    };
    let rounds: usize = rest.first().map_or(Ok(20), |rounds| rounds.parse())?;
    let tree = Path::new(tree).canonicalize()?;
    let engine = Engine::open(EngineConfig::new(database)).await?;
    engine.index(&tree, &IndexOptions::default(), IndexControl::default()).await?;
    let status = engine.status().await?;
    let size = std::fs::metadata(database)?.len();
    println!(
        "{} lines in {} files, {:.1} MB; the database has {:.1} MB, {:.3} of it",
        status.lines,
        status.files.indexed,
        status.bytes as f64 / 1e6,
        size as f64 / 1e6,
        size as f64 / status.bytes as f64
    );
    engine.close().await;
    // As whoever only asks opens it.
    let engine = Engine::open(EngineConfig::new(database).read_only()).await?;
    let has_ripgrep = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok();
    let mut all = [Times::default(), Times::default(), Times::default()];
    for (flags, pattern) in PATTERNS {
        let query = GrepQuery {
            ignore_case: flags.contains(&"-i"),
            word: flags.contains(&"-w"),
            limit: usize::MAX,
            ..GrepQuery::new(*pattern)
        };
        let found = engine.grep(&query).await?.summary;
        println!(
            "{} {pattern:?}: {} lines in {} files, {} read",
            flags.join(" "),
            found.lines,
            found.files,
            found.files_read
        );
        let mut times = [Times::default(), Times::default(), Times::default()];
        for _ in 0..rounds {
            let begin = Instant::now();
            engine.grep(&query).await?;
            times[0].add(begin.elapsed());
            let ours = Command::new(binary)
                .args(["grep", "--color", "never", "--db", database])
                .args(*flags)
                .args(["--", pattern])
                .time()?;
            times[1].add(ours);
            if has_ripgrep {
                let rg = ["--no-config", "--no-ignore", "--hidden", "-n", "--color", "never"];
                let mut theirs = Command::new("rg");
                theirs.args(rg).args(*flags).args(["--", pattern, "."]).current_dir(&tree);
                times[2].add(theirs.time()?);
            }
        }
        let names = ["in a process that has it open", "ast-core grep", "rg"];
        for ((times, all), name) in times.iter().zip(&mut all).zip(names) {
            println!("{}", times.line(name));
            if found.lines <= 1_000 && found.files_read < status.files.indexed / 4 {
                all.extend(times);
            }
        }
    }
    println!("patterns with few hits, together:");
    for (times, name) in all.iter().zip(["in a process that has it open", "ast-core grep", "rg"]) {
        println!("{}", times.line(name));
    }
    engine.close().await;
    Ok(())
}

trait Timed {
    /// How long it takes from its start to its end, with its answer read; 1 is the code of who finds nothing.
    fn time(&mut self) -> Result<Duration>;
}

impl Timed for Command {
    fn time(&mut self) -> Result<Duration> {
        let begin = Instant::now();
        let output = self.stdin(Stdio::null()).output().context("a program that starts")?;
        let elapsed = begin.elapsed();
        ensure!(
            matches!(output.status.code(), Some(0 | 1)),
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(elapsed)
    }
}
