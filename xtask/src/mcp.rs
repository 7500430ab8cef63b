//! `cargo xtask mcp`: drives `ast-core mcp` by the official clients of its protocol.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::{self, NPM};
use crate::{node, test, workspace};

/// The tests, from the root.
const FOLDER: &str = "tests/mcp";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build quickly rather than well.
    #[arg(long)]
    debug: bool,
}

/// Which binary is driven.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Build {
    /// As it is published.
    Release,
    /// Unoptimised, alone.
    Debug,
    /// Unoptimised, beside the tests of the workspace, so that what they built is used again.
    Workspace,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    node::require_tools()?;
    drive(if options.debug { Build::Debug } else { Build::Release })
}

/// Builds the binary, and has the clients drive it.
pub(crate) fn drive(build: Build) -> Result<()> {
    let binary = compile(build)?;
    println!("mcp: drives {}", binary.display());
    let folder = workspace::root().join(FOLDER);
    node::install(&folder)?;
    process::run(Command::new(NPM).arg("test").env("AST_CORE_BINARY", binary).current_dir(&folder))
}

/// A line of cargo's JSON output, of which only built programs matter.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

fn compile(build: Build) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.arg("build").current_dir(workspace::root()).stderr(Stdio::inherit());
    match build {
        Build::Release => cargo.args(["--package", "ast-core-cli", "--release"]),
        Build::Debug => cargo.args(["--package", "ast-core-cli"]),
        Build::Workspace => cargo.args(test::selection()),
    };
    println!("$ cargo build (ast-core-cli)");
    let output =
        cargo.arg("--message-format=json-render-diagnostics").output().context("failed to start cargo")?;
    if !output.status.success() {
        bail!("building ast-core-cli failed with {}", output.status);
    }
    let lines = String::from_utf8(output.stdout).context("cargo's output is not UTF-8")?;
    program_of(&lines).context("cargo built no program ast-core")
}

/// Finds the program in cargo's JSON lines. The tests of it have its name, too.
fn program_of(lines: &str) -> Option<PathBuf> {
    let messages = lines.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let ours = |target: &Target| target.name == "ast-core" && target.kind.iter().any(|kind| kind == "bin");
    let mut programs = messages.filter(|message| message.target.as_ref().is_some_and(ours));
    programs.find_map(|message| {
        message.executable.filter(|path| path.file_stem().is_some_and(|stem| stem == "ast-core"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let artifact = |name: &str, kind: &str, executable: Option<&str>| {
            serde_json::json!({
                "reason": "compiler-artifact", "target": {"name": name, "kind": [kind]}, "executable": executable,
            })
            .to_string()
        };
        let lines = [
            "not json".to_owned(),
            r#"{"reason": "build-finished", "success": true}"#.to_owned(),
            artifact("ast_core_engine", "lib", None),
            artifact("ast-core", "bin", Some("/t/debug/deps/ast_core-0123456789abcdef")),
            artifact("ast-core", "bin", Some("/t/debug/ast-core")),
        ];
        assert_eq!(program_of(&lines.join("\n")), Some(PathBuf::from("/t/debug/ast-core")));
        assert_eq!(program_of(&lines[..4].join("\n")), None);
    }
}
