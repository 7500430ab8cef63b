//! Universal Ctags, which reads definitions with parsers of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::language::Language;
use crate::process;

/// What the program may be called: Debian lets another one have the shorter name.
const PROGRAMS: [&str; 2] = ["ctags-universal", "ctags"];

/// A definition, as ctags tells it.
#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) kind: String,
    /// What it is in, outermost first, in the notation of its language.
    pub(super) scope: String,
    #[serde(rename = "scopeKind")]
    pub(super) scope_kind: String,
    /// Space-separated reasons for which the tag is no plain one.
    pub(super) extras: String,
    /// Whether it is a tag, or tells about the list.
    #[serde(rename = "_type")]
    pub(super) record: String,
}

/// The program, installed.
pub(super) struct Ctags {
    program: &'static str,
    /// Its own words about its version.
    pub(super) version: String,
}

impl Ctags {
    /// Finds the program, or installs it where that is allowed.
    pub(super) fn new() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        let is_root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        if !is_root {
            bail!("Universal Ctags is missing: it is the oracle; install the package universal-ctags");
        }
        process::run(Command::new("apt-get").args([
            "install",
            "--yes",
            "--quiet",
            "--no-install-recommends",
            "universal-ctags",
        ]))
        .context("Universal Ctags is missing: `apt-get update` first, or install it by hand")?;
        Self::find().context("the package universal-ctags brought no Universal Ctags")
    }

    fn find() -> Option<Self> {
        PROGRAMS.into_iter().find_map(|program| {
            let said = process::output(Command::new(program).arg("--version")).ok()?;
            let first = said.lines().next().filter(|line| line.starts_with("Universal Ctags"))?;
            let version = first.split(',').next().unwrap_or(first).to_owned();
            Some(Self { program, version })
        })
    }

    /// The definitions in the files, whose paths are relative to the folder.
    pub(super) fn ask(&self, language: Language, folder: &Path, files: &[String]) -> Result<Vec<Tag>> {
        let name = language.ctags();
        let mut child = Command::new(self.program)
            // The user's own options have no say.
            .args(["--options=NONE", "--quiet", "--sort=no", "--output-format=json", "-f", "-", "-L", "-"])
            .args(["--fields=+EKns", &format!("--kinds-{name}=*"), &format!("--language-force={name}")])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start `{}`", self.program))?;
        let mut stdin = child.stdin.take().context("a piped input is there")?;
        let list = files.join("\n");
        // It answers while it reads: both at once, or both wait for ever.
        let writer = std::thread::spawn(move || stdin.write_all(list.as_bytes()));
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("`{}` failed with {}", self.program, output.status);
        }
        let written = writer.join().map_err(|_| anyhow::anyhow!("the list of files was not written"))?;
        written.context("failed to write the list of files")?;
        parse(&output.stdout)
    }
}

/// The tags of plain definitions; those of things without a name have names that ctags made up.
fn parse(output: &[u8]) -> Result<Vec<Tag>> {
    let mut tags = Vec::new();
    for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        // The pattern that it quotes may be in any encoding, or cut within a character.
        let line = String::from_utf8_lossy(line);
        let tag: Tag = serde_json::from_str(&line)
            .with_context(|| format!("ctags printed other JSON than expected: {line}"))?;
        if tag.record == "tag" && !tag.extras.split(',').any(|extra| extra == "anonymous") {
            tags.push(tag);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_without_a_name_of_their_own_are_left_out() {
        let output = concat!(
            r#"{"_type": "ptag", "name": "TAG_FILE_FORMAT", "path": "2"}"#,
            "\n",
            r#"{"_type": "tag", "name": "__anon1", "path": "a.h", "line": 1, "kind": "struct", "extras": "fileScope,anonymous"}"#,
            "\n",
            r#"{"_type": "tag", "name": "f", "path": "a.h", "line": 2, "kind": "function", "scope": "A", "scopeKind": "class"}"#,
            "\n",
        );
        let tags = parse(output.as_bytes()).unwrap();
        assert_eq!(tags.len(), 1);
        let tag = &tags[0];
        assert_eq!((tag.name.as_str(), tag.line, tag.scope_kind.as_str()), ("f", 2, "class"));
        assert!(parse(b"nonsense\n").is_err());
    }
}
