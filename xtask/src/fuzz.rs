//! `cargo xtask fuzz`: runs a fuzz target of ast-core-parse for a while.
//!
//! What libFuzzer finds worth keeping stays in `corpus/`, which git ignores, and what fails in `artifacts/`; a failing
//! input belongs, made small, into `fixtures/`, which the tests replay.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::{self, Tool};
use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to fuzz: a file in `crates/ast-core-parse/fuzz/fuzz_targets`, without `.rs`.
    target: String,
    /// For how long.
    #[arg(default_value_t = 60)]
    seconds: u32,
}

const FOLDER: &str = "crates/ast-core-parse/fuzz";
/// The longest inputs, in bytes: as many as the targets look at, and the language.
const MAX_BYTES: usize = (64 << 10) + 1;

const CARGO_FUZZ: Tool = Tool {
    program: "cargo-fuzz",
    why: "to build the targets with a sanitizer and to run libFuzzer",
    how: "run `cargo install cargo-fuzz`",
};
const CPP_COMPILER: Tool = Tool {
    program: "c++",
    why: "to compile libFuzzer",
    how: "install your system's C++ compiler, such as the Debian package g++ or Apple's command line tools",
};

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let folder = root.join(FOLDER);
    let targets = targets(&folder)?;
    if !targets.contains(&options.target) {
        bail!("there is no fuzz target `{}`; expected one of {}", options.target, targets.join(", "));
    }
    CARGO_FUZZ.require()?;
    if !cfg!(windows) && std::env::var_os("CXX").is_none() {
        CPP_COMPILER.require()?;
    }
    // The grammars that are fuzzed are those of the workspace.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("failed to copy Cargo.lock")?;
    let corpus = folder.join("corpus").join(&options.target);
    fs::create_dir_all(&corpus).with_context(|| format!("failed to create {}", corpus.display()))?;
    let in_folder = |part: &str| format!("{FOLDER}/{part}/{}", options.target);
    let mut command = process::cargo();
    command
        .args(["fuzz", "run", "--fuzz-dir", FOLDER, &options.target])
        .args([in_folder("corpus"), in_folder("fixtures"), "--".to_owned()])
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-max_len={MAX_BYTES}"))
        // An input that takes so long in seconds is a failure, and so is one that takes more than 2 GB.
        .args(["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"])
        .current_dir(&root);
    if !has_nightly_compiler()? {
        // Sanitizers are not stable; the compiler has them all the same.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    process::run(&mut command)
}

/// The names of the targets, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn has_nightly_compiler() -> Result<bool> {
    let mut compiler =
        std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    Ok(process::output(compiler.arg("--version").current_dir(workspace::root()))?.contains("nightly"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_lists_what_there_is() {
        let error = run(&Options { target: "prase".to_owned(), seconds: 1 }).unwrap_err().to_string();
        assert_eq!(error, "there is no fuzz target `prase`; expected one of chunk, parse, reparse");
    }

    #[test]
    fn every_target_has_inputs_to_begin_with() {
        let folder = workspace::root().join(FOLDER);
        for target in targets(&folder).unwrap() {
            assert!(folder.join("fixtures").join(&target).is_dir(), "{target}");
        }
    }
}
