//! `cargo xtask bench instructions`: how many instructions hot parts of the engine take on fixed inputs, counted by
//! Valgrind, against those that are noted in `benches/instructions.json`.
//!
//! A count is the same on a busy machine and on a quiet one. It depends on the compilers and on the C library, so that
//! it is judged only where these are those of the note.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::process::{self, Tool};
use crate::{metadata, workspace};

/// What is counted, from the root.
const NOTE: &str = "benches/instructions.json";
/// The program of `ast-core-benches` that does the work.
const PROGRAM: &str = "kernel-instructions";
/// How often a kernel runs: the difference between the two is without the start of the program and its set-up.
const REPEATS: [u64; 2] = [1, 4];
/// A count that differs by more than this share has changed. Hash tables with random seeds make for a thousandth.
const TOLERANCE: f64 = 0.01;

const VALGRIND: Tool = Tool {
    program: "valgrind",
    why: "to count instructions",
    how: "install the package valgrind of your system",
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Note the counts of now as those that have to hold.
    #[arg(long)]
    update: bool,
}

/// The counts that have to hold, and what they were made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    /// Processor architecture, compilers and C library.
    made_with: String,
    /// Instructions of one run, by kernel.
    kernels: BTreeMap<String, u64>,
}

pub(super) fn run(options: &Options) -> Result<()> {
    VALGRIND.require()?;
    let mut cargo = process::cargo();
    cargo.args(["build", "--locked", "--release", "--package", "ast-core-benches", "--bin", PROGRAM]);
    process::run(cargo.current_dir(workspace::root()))?;
    let program = Path::new(&metadata::members()?.target_directory).join("release").join(PROGRAM);
    let names = process::output(Command::new(&program).arg("list"))?;
    let mut now = Note { made_with: made_with()?, kernels: BTreeMap::new() };
    for name in names.lines() {
        let count = count(&program, name).with_context(|| format!("failed to count {name}"))?;
        now.kernels.insert(name.to_owned(), count);
    }
    let path = workspace::root().join(NOTE);
    if options.update {
        let text = serde_json::to_string_pretty(&now)? + "\n";
        fs::write(&path, text).with_context(|| format!("failed to write {NOTE}"))?;
        println!("{NOTE}: {} kernels", now.kernels.len());
        return Ok(());
    }
    let text = fs::read_to_string(&path).with_context(|| {
        format!("failed to read {NOTE}; `cargo xtask bench instructions --update` makes it")
    })?;
    let noted: Note = serde_json::from_str(&text).context(NOTE)?;
    let lines = compare(&noted, &now);
    println!("{:<24} {:>15} {:>15} {:>9}", "kernel", "noted", "now", "change");
    for line in &lines {
        println!("{line}");
    }
    if noted.made_with != now.made_with {
        println!("not judged: counted with {}, noted with {}", now.made_with, noted.made_with);
        return Ok(());
    }
    match lines.iter().filter(|line| line.changed).count() {
        0 => Ok(()),
        count => bail!(
            "{count} of {} counts are not as noted; mend them, or note them by `cargo xtask bench instructions --update`",
            lines.len()
        ),
    }
}

/// Instructions of one run of a kernel.
fn count(program: &Path, kernel: &str) -> Result<u64> {
    let folder = workspace::root().join("benches/cache/bench");
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let file: PathBuf = folder.join("callgrind.out");
    let mut counts = [0; 2];
    for (count, repeats) in counts.iter_mut().zip(REPEATS) {
        let mut valgrind = Command::new(VALGRIND.program);
        valgrind.args(["--tool=callgrind", "--quiet"]);
        valgrind.arg(format!("--callgrind-out-file={}", file.display()));
        valgrind.arg(program).args([kernel, &repeats.to_string()]);
        process::output(&mut valgrind)?;
        let text = fs::read_to_string(&file).context("Valgrind wrote no profile")?;
        *count = total(&text).context("the profile has no total")?;
    }
    ensure!(counts[1] > counts[0], "more work took no more instructions: {counts:?}");
    Ok((counts[1] - counts[0]) / (REPEATS[1] - REPEATS[0]))
}

/// The number of instructions of a profile.
fn total(profile: &str) -> Option<u64> {
    let of = |mark: &str| profile.lines().find_map(|line| line.strip_prefix(mark));
    of("totals:").or_else(|| of("summary:"))?.split_whitespace().next()?.parse().ok()
}

fn made_with() -> Result<String> {
    let rustc = process::output(Command::new("rustc").arg("--version"))?;
    // What compiles the parsers. Where it has another name, its version is not known, and that is noted.
    let first = |program: &str| {
        let said = process::output(Command::new(program).arg("--version"));
        said.ok().and_then(|said| said.lines().next().map(str::to_owned)).unwrap_or("unknown".to_owned())
    };
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    Ok(format!("{}; {}; {}; {system}", rustc.trim(), first("cc"), first("ldd")))
}

/// A kernel in both counts.
struct Line {
    name: String,
    noted: Option<u64>,
    now: Option<u64>,
    changed: bool,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        let change = self.noted.zip(self.now).map_or("-".to_owned(), |(noted, now)| {
            format!("{:+.2} %", (now as f64 / noted as f64 - 1.0) * 100.0)
        });
        let verdict = match (self.changed, self.noted, self.now) {
            (false, _, _) => "",
            (true, Some(noted), Some(now)) if now < noted => "  FEWER",
            (true, Some(_), Some(_)) => "  MORE",
            (true, None, _) => "  NOT NOTED",
            (true, _, None) => "  GONE",
        };
        write!(f, "{:<24} {:>15} {:>15} {change:>9}{verdict}", self.name, shown(self.noted), shown(self.now))
    }
}

/// Fewer instructions are reported too: as long as they are not noted, the gain can be lost again unseen.
fn compare(noted: &Note, now: &Note) -> Vec<Line> {
    let mut names: Vec<&String> = noted.kernels.keys().chain(now.kernels.keys()).collect();
    names.sort();
    names.dedup();
    let line = |name: &String| {
        let (noted, now) = (noted.kernels.get(name).copied(), now.kernels.get(name).copied());
        let changed = match noted.zip(now) {
            Some((noted, now)) => (now as f64 - noted as f64).abs() > TOLERANCE * noted as f64,
            None => true,
        };
        Line { name: name.clone(), noted, now, changed }
    };
    names.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kernels: &[(&str, u64)]) -> Note {
        let kernels = kernels.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        Note { made_with: "x".to_owned(), kernels }
    }

    #[test]
    fn a_count_may_move_by_a_hundredth_and_no_more() {
        let noted = note(&[("a", 1000), ("b", 1000), ("c", 1000), ("gone", 1)]);
        let now = note(&[("a", 1010), ("b", 1050), ("c", 980), ("new", 1)]);
        let changed: Vec<String> =
            compare(&noted, &now).iter().filter(|line| line.changed).map(ToString::to_string).collect();
        let said: Vec<&str> = changed.iter().filter_map(|line| line.rsplit("  ").next()).collect();
        assert_eq!(said, ["MORE", "FEWER", "GONE", "NOT NOTED"]);
        assert!(changed[0].contains("+5.00 %"), "{changed:?}");
    }

    #[test]
    fn a_profile_ends_with_its_total() {
        assert_eq!(total("events: Ir\nfn=main\n1 2\ntotals: 12345\n"), Some(12345));
        assert_eq!(total("version: 1\nsummary: 77\n"), Some(77));
        assert_eq!(total("nothing"), None);
    }
}
