//! lizard, which measures functions by their tokens, without a syntax tree.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::{self, Tool};
use crate::workspace;

/// The version whose rules docs/oracles.md describes.
const VERSION: &str = "1.24.3";

/// The program that asks lizard's library, which tells more than its command line does.
const PROGRAM: &str = include_str!("lizard.py");

const PYTHON: Tool =
    Tool { program: "python3", why: "to run lizard", how: "install Python 3 with its module venv" };

/// A function, as lizard tells it.
#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default)]
pub(super) struct Function {
    pub(super) path: String,
    /// With what it is in, in a notation that depends on the language.
    pub(super) name: String,
    /// The line of the name.
    pub(super) start_line: u32,
    pub(super) end_line: u32,
    pub(super) cyclomatic: i64,
    /// The tokens that were counted.
    pub(super) counted: Vec<Counted>,
    /// Whether code was read as a literal.
    pub(super) swallowed: bool,
    /// Its number in the file.
    pub(super) id: u32,
    /// The number of the function round it.
    pub(super) within: Option<u32>,
}

/// A token that went into the figure: what it added, the token before it, itself, and the one after it.
#[derive(Deserialize, Debug, Clone)]
pub(super) struct Counted(pub(super) i64, pub(super) String, pub(super) String, pub(super) String);

/// The library, installed.
pub(super) struct Lizard {
    python: PathBuf,
}

impl Lizard {
    /// Installs the library below `benches/cache/`, which git ignores, unless it is there.
    pub(super) fn new() -> Result<Self> {
        let folder = workspace::root().join("benches/cache").join(format!("lizard-{VERSION}"));
        let binaries = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
        let python = binaries.join("python");
        // Written last: an installation that was cut short is done again.
        let done = folder.join("installed");
        if !done.is_file() {
            PYTHON.require()?;
            process::run(Command::new(PYTHON.program).args(["-m", "venv", "--clear"]).arg(&folder))?;
            let package = format!("lizard=={VERSION}");
            process::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &package]))?;
            std::fs::write(&done, VERSION).with_context(|| format!("failed to write {}", done.display()))?;
        }
        Ok(Self { python })
    }

    /// The functions in the files, whose paths are relative to the folder.
    pub(super) fn ask(&self, folder: &Path, files: &[String]) -> Result<Vec<Function>> {
        let mut child = Command::new(&self.python)
            .args(["-c", PROGRAM])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start {}", self.python.display()))?;
        let mut stdin = child.stdin.take().context("a piped input is there")?;
        // It reads the whole list before it answers.
        stdin.write_all(files.join("\n").as_bytes()).context("failed to write the list of files")?;
        drop(stdin);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("lizard failed with {}", output.status);
        }
        let text = String::from_utf8(output.stdout).context("output of lizard is not UTF-8")?;
        text.lines()
            .map(|line| serde_json::from_str(line).context("lizard printed other JSON than expected"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let line = r#"{"path": "a.rs", "name": "f", "start_line": 1, "end_line": 2, "cyclomatic": 2,
            "counted": [[1, "", "if", "x"]], "swallowed": false, "id": 1, "within": 0}"#;
        let function: Function = serde_json::from_str(line).unwrap();
        assert_eq!((function.cyclomatic, function.counted[0].2.as_str()), (2, "if"));
    }
}
