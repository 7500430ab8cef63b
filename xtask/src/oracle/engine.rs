//! The engine as its users meet it: the released binary and its JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::language::Language;
use crate::{process, workspace};

/// Files a call: below what a command line may hold on any system.
const BATCH: usize = 200;

/// The binary that answers.
pub(super) struct Engine {
    binary: PathBuf,
    languages: Vec<Known>,
}

/// A language that the binary knows.
#[derive(Deserialize)]
struct Known {
    name: String,
    extensions: Vec<String>,
}

#[derive(Deserialize)]
struct Languages {
    languages: Vec<Known>,
}

/// What the engine said.
pub(super) struct Answer {
    pub(super) symbols: Vec<Symbol>,
    /// A line for each file that it could not read, with the reason.
    pub(super) failures: Vec<String>,
}

/// A definition, as `symbols` and `annotate` tell it.
#[derive(Deserialize, Debug, Clone, Default)]
pub(super) struct Symbol {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) start_line: u32,
    pub(super) end_line: u32,
    pub(super) start_byte: usize,
    pub(super) end_byte: usize,
    pub(super) signature: String,
    /// Only `annotate` tells it, and only of what has code.
    #[serde(default)]
    pub(super) complexity: Option<Complexity>,
}

/// The measures of a function.
#[derive(Deserialize, Debug, Clone)]
pub(super) struct Complexity {
    pub(super) cyclomatic: u32,
}

impl Engine {
    /// The given binary, or the workspace's own, built as it is released.
    pub(super) fn new(binary: Option<&Path>) -> Result<Self> {
        let binary = match binary {
            // The calls run in the folder of the corpus.
            Some(path) => std::path::absolute(path)?,
            None => build()?,
        };
        let text = process::output(Command::new(&binary).args(["languages", "--format", "json"]))?;
        let known: Languages =
            serde_json::from_str(&text).context("`ast-core languages` printed other JSON than expected")?;
        Ok(Self { binary, languages: known.languages })
    }

    /// A call of it.
    pub(super) fn command(&self) -> Command {
        Command::new(&self.binary)
    }

    /// Whether a file of this name is of the language.
    pub(super) fn reads(&self, language: Language, path: &str) -> bool {
        let Some((_, extension)) = path.rsplit_once('.') else { return false };
        // Headers belong to the one or the other by what is in them; a corpus has them beside the sources.
        if language == Language::C && extension == "h" {
            return true;
        }
        let of_language = |known: &&Known| language.names().contains(&known.name.as_str());
        self.languages.iter().filter(of_language).any(|known| known.extensions.iter().any(|e| e == extension))
    }

    /// What `verb` says of the files, whose paths are relative to the folder.
    pub(super) fn ask(&self, verb: &str, folder: &Path, files: &[String]) -> Result<Answer> {
        let mut answer = Answer { symbols: Vec::new(), failures: Vec::new() };
        for batch in files.chunks(BATCH) {
            let mut command = Command::new(&self.binary);
            command.args([verb, "--format", "jsonl"]).args(batch).current_dir(folder);
            let output =
                command.output().with_context(|| format!("failed to start {}", self.binary.display()))?;
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => {}
                // Done in part: what the engine cannot read counts as missing.
                Some(3) => answer.failures.extend(said.lines().map(str::to_owned)),
                _ => {
                    let first = said.lines().next().unwrap_or_default();
                    bail!("`ast-core {verb}` failed with {}: {first}", output.status);
                }
            }
            let text = String::from_utf8(output.stdout).context("output of `ast-core` is not UTF-8")?;
            for line in text.lines() {
                let symbol = serde_json::from_str(line)
                    .with_context(|| format!("`ast-core {verb}` printed other JSON than expected: {line}"))?;
                answer.symbols.push(symbol);
            }
        }
        Ok(answer)
    }
}

/// A line of cargo's JSON output, of which only the program matters.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

fn build() -> Result<PathBuf> {
    let text = process::output(
        process::cargo()
            .args([
                "build",
                "--release",
                "--package",
                "ast-core-cli",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(workspace::root()),
    )?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter_map(|message| message.executable)
        .next_back()
        .context("cargo built no program for ast-core-cli")
}
