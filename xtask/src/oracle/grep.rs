//! Compares the lines that match a pattern with those of ripgrep.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::engine::Engine;
use crate::process::{self, Tool};
use crate::workspace;

const RIPGREP: Tool = Tool {
    program: "rg",
    why: "as the oracle of `ast-core grep`",
    how: "install ripgrep, by `cargo install ripgrep` or a package of the system",
};

/// Flags that both sides know, and a pattern: rare and common texts, classes, alternations, anchors, letters that are alike
/// but for their case, patterns that signatures say nothing of, and patterns that match nothing.
const PATTERNS: &[(&[&str], &str)] = &[
    (&[], "ColumnFamilyOptions"),
    (&[], "spawn_blocking"),
    (&[], "return"),
    (&[], "e"),
    (&[], "xy"),
    (&[], "no such text in any of these files"),
    (&[], ""),
    (&[], "^"),
    (&[], "$"),
    (&[], "^$"),
    (&[], r"^\s*$"),
    (&[], r"\r$"),
    (&[], r"^use \w+::"),
    (&[], r";\s+$"),
    (&[], r"^import .* from 'rxjs';$"),
    (&[], r"\bfn\b"),
    (&[], r"\Bable\b"),
    (&[], r"(?:get|set)[A-Z]\w+\("),
    (&[], "TODO|FIXME|XXX|HACK"),
    (&[], "foo|ba[rz]|q{2}ux"),
    (&[], r"0x[0-9a-fA-F]{8}\b"),
    (&[], r"[A-Z]{3,}_[A-Z]{3,}"),
    (&[], r"\d{4}-\d{2}-\d{2}"),
    (&[], r"(\w+)\s*=\s*(\w+)\s*\+\s*1"),
    (&[], r"[^\x00-\x7F]"),
    (&[], "é|ü|ß"),
    (&[], r"\p{Greek}"),
    (&[], r"\p{Han}+"),
    (&[], r"(?-u)[\x80-\xFF]{3}"),
    (&[], r"(?i)kelvin|straße"),
    (&[], r"(?x) std :: \w+"),
    (&[], "a.{0,3}b.{0,3}c.{0,3}d.{0,3}e"),
    (&[], "x*"),
    (&[], "(abc){2,}"),
    (&["-i"], "HTTP request"),
    (&["-i"], "sk"),
    (&["-i"], "ſkelet"),
    (&["-i"], r"error|warn(ing)?s?\b"),
    (&["-w"], "self"),
    (&["-w"], "-?1"),
    (&["-w", "-i"], "io"),
    (&["-F"], "a[0]"),
    (&["-F"], "(?i)"),
    (&["-F", "-i"], "std::IO::"),
    (&["-F", "-w"], "=>"),
];

/// What came of a pattern.
#[derive(Serialize)]
pub(super) struct Agreement {
    flags: Vec<&'static str>,
    pattern: &'static str,
    files: usize,
    lines: u64,
    /// Files in which the sides do not agree, with how many lines each has.
    pub(super) different: Vec<(String, u64, u64)>,
}

/// Asks both sides for all patterns, over the files that an index of the folder holds.
pub(super) fn compare(engine: &Engine, folder: &Path) -> Result<Vec<Agreement>> {
    RIPGREP.require()?;
    let version = process::output(Command::new("rg").arg("--version"))?;
    println!("oracle: {}", version.lines().next().unwrap_or_default());
    let database = workspace::root().join("target/oracle-grep.db");
    let index = |verb: &str| {
        let mut command = engine.command();
        command.args([verb, "--quiet", "--db"]).arg(&database);
        command
    };
    process::run(index("index").arg(folder))?;
    let mut listing = index("grep");
    listing.args(["--files-with-matches", ""]);
    let held: HashSet<Vec<u8>> = lines(&mut listing, |line| Some(line.to_vec()))?.into_iter().collect();
    ensure!(!held.is_empty(), "the index of {} holds no file", folder.display());
    println!("{} files", held.len());
    let mut agreements = Vec::new();
    for (flags, pattern) in PATTERNS {
        let mut ours = index("grep");
        ours.args(["--color", "never"]).args(*flags).args(["--", pattern]);
        let mut theirs = Command::new("rg");
        // The index has taken out what is binary, or told by some rule.
        theirs.args(["--no-config", "--no-ignore", "--hidden", "--text", "--no-messages"]);
        theirs.args(["--no-heading", "--with-filename", "--line-number", "--color", "never"]);
        theirs.args(*flags).args(["--", pattern, "."]).current_dir(folder);
        let (ours, mut theirs) = (Found::read(&mut ours)?, Found::read(&mut theirs)?);
        theirs.files.retain(|path, _| held.contains(path));
        agreements.push(Agreement {
            flags: flags.to_vec(),
            pattern,
            files: ours.files.len(),
            lines: ours.files.values().map(|file| file.lines).sum(),
            different: ours.different(&theirs),
        });
    }
    std::fs::remove_file(&database).with_context(|| format!("failed to remove {}", database.display()))?;
    Ok(agreements)
}

/// What a side found: of each file how many lines, and a hash of their numbers and texts in order.
#[derive(Default)]
struct Found {
    files: BTreeMap<Vec<u8>, File>,
}

#[derive(Default, Clone)]
struct File {
    lines: u64,
    hash: DefaultHasher,
}

impl Found {
    fn read(command: &mut Command) -> Result<Self> {
        let mut files: BTreeMap<Vec<u8>, File> = BTreeMap::new();
        lines(command, |line| {
            let (path, rest) = place(line)?;
            if !files.contains_key(path) {
                files.insert(path.to_vec(), File::default());
            }
            let file = files.get_mut(path)?;
            file.lines += 1;
            file.hash.write(rest);
            file.hash.write_u8(b'\n');
            None::<()>
        })?;
        Ok(Self { files })
    }

    /// The files of which the sides have found different lines.
    fn different(&self, theirs: &Self) -> Vec<(String, u64, u64)> {
        let none = File::default();
        let paths: HashSet<&Vec<u8>> = self.files.keys().chain(theirs.files.keys()).collect();
        let mut different = Vec::new();
        for path in paths {
            let [ours, theirs] = [self, theirs].map(|found| found.files.get(path).unwrap_or(&none));
            if ours.lines != theirs.lines || ours.hash.finish() != theirs.hash.finish() {
                different.push((String::from_utf8_lossy(path).into_owned(), ours.lines, theirs.lines));
            }
        }
        different.sort();
        different
    }
}

/// The path of `path:line:text`, without the `./` that it may begin with, and the rest.
fn place(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let (path, rest) = line.split_at(at);
    Some((path.strip_prefix(b"./").unwrap_or(path), rest))
}

/// Makes something of each line that a program prints. Both sides end with 1 if they find nothing.
fn lines<T>(command: &mut Command, mut each: impl FnMut(&[u8]) -> Option<T>) -> Result<Vec<T>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("failed to start {program}"))?;
    let mut output = BufReader::new(child.stdout.take().context("a piped output is there")?);
    let (mut all, mut line) = (Vec::new(), Vec::new());
    while output.read_until(b'\n', &mut line)? > 0 {
        all.extend(each(line.strip_suffix(b"\n").unwrap_or(&line)));
        line.clear();
    }
    let status = child.wait()?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("{program} failed with {status}");
    }
    Ok(all)
}

/// Prints a line for each pattern, and the files in which the sides do not agree.
pub(super) fn report(agreements: &[Agreement]) {
    println!("{:>9}{:>10}{:>11}  pattern", "files", "lines", "different");
    for Agreement { flags, pattern, files, lines, different } in agreements {
        println!("{files:>9}{lines:>10}{:>11}  {} {pattern:?}", different.len(), flags.join(" "));
        for (path, ours, theirs) in different.iter().take(10) {
            println!("           {path}: {ours} lines of ours, {theirs} of ripgrep");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        assert_eq!(place(b"./a/b.rs:12:let x: u8"), Some((&b"a/b.rs"[..], &b":12:let x: u8"[..])));
        assert_eq!(place(b"nothing"), None);
    }

    #[test]
    fn files_differ_by_lines_and_by_texts() {
        let found = |files: &[(&str, &str)]| {
            let mut found = Found::default();
            for (path, text) in files {
                let file = found.files.entry(path.as_bytes().to_vec()).or_default();
                file.lines += 1;
                file.hash.write(text.as_bytes());
            }
            found
        };
        let ours = found(&[("a", ":1:x"), ("b", ":1:x"), ("c", ":1:x")]);
        assert_eq!(ours.different(&ours), []);
        let theirs = found(&[("a", ":1:x"), ("b", ":1:y"), ("d", ":1:x")]);
        let expected = [("b", 1, 1), ("c", 1, 0), ("d", 0, 1)];
        assert_eq!(ours.different(&theirs), expected.map(|(path, a, b)| (path.to_owned(), a, b)));
    }
}
