//! `cargo xtask node`: builds, tests, packs and measures the Node package.

mod glibc;
mod pack;
mod runtimes;
mod types;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde::Deserialize;

pub(crate) use self::types::prepare;
use crate::process::{self, NPM, Tool};
use crate::{metadata, test, workspace};

/// The package, from the root.
const FOLDER: &str = "bindings/node";

/// Its Rust crate.
const CRATE: &str = "ast-core-node";

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Compile the native library and put it where the package looks for it.
    Build(Profile),
    /// Build, install the package's development dependencies, pack it, and run its tests.
    Test(Profile),
    /// Write the tarballs of the package and of libraries, as they are published.
    Pack(pack::Options),
    /// End processes in the middle of work, make calls by the thousand, and panic, and see what becomes of it.
    Harness(Harness),
    /// Measure what the package costs beside the engine.
    Figures(Figures),
    /// Run the packed package in the versions of Node, Bun and Deno that npm has.
    Runtimes(Profile),
}

#[derive(clap::Args)]
struct Harness {
    #[command(flatten)]
    profile: Profile,
    /// How many processes are ended.
    #[arg(long, default_value_t = 1000)]
    runs: u32,
    /// How many calls are made.
    #[arg(long, default_value_t = 10_000)]
    calls: u32,
}

#[derive(clap::Args)]
struct Figures {
    #[command(flatten)]
    profile: Profile,
    /// The tree to be measured with. By default the corpora that `cargo xtask corpus` fetches.
    #[arg(long)]
    tree: Option<PathBuf>,
}

#[derive(clap::Args, Clone, Copy)]
struct Profile {
    /// Build quickly rather than well.
    #[arg(long)]
    debug: bool,
}

/// How the native library is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// As it is published.
    Release,
    /// Unoptimised, alone.
    Debug,
    /// Unoptimised, beside the tests of the workspace, so that what they built is used again.
    Workspace,
}

impl Profile {
    fn build(&self) -> Build {
        if self.debug { Build::Debug } else { Build::Release }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.action {
        Action::Build(profile) => {
            build(profile.build())?;
            types::write(profile.build())
        }
        Action::Test(profile) => {
            require_tools()?;
            test(profile.build())
        }
        Action::Pack(options) => {
            require_tools()?;
            pack::run(options)
        }
        Action::Harness(options) => harness(options),
        Action::Figures(options) => {
            build(options.profile.build())?;
            let tree = options.tree.clone().unwrap_or_else(|| workspace::root().join("benches/corpus"));
            let in_rust = in_rust(options.profile.build())?;
            node(&["harness/figures.js".as_ref(), tree.as_os_str(), in_rust.as_os_str()])
        }
        Action::Runtimes(profile) => {
            require_tools()?;
            runtimes::run(profile.build())
        }
    }
}

fn harness(options: &Harness) -> Result<()> {
    // First, as the library that is left there is to be the usual one.
    build_with(Build::Debug, &["--features", "failpoints"])?;
    process::run(
        Command::new("node")
            .arg("harness/panic.js")
            .env("FAILPOINTS", "search/found=1*panic(on purpose)")
            .current_dir(package_folder()?),
    )?;
    build(options.profile.build())?;
    node(&["--expose-gc".as_ref(), "harness/memory.js".as_ref(), options.calls.to_string().as_ref()])?;
    node(&["harness/exit.js".as_ref(), options.runs.to_string().as_ref()])
}

/// Compiles the program that makes the same calls in Rust.
fn in_rust(kind: Build) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--locked", "--package", "ast-core-benches", "--bin", "in-rust"]);
    if kind == Build::Release {
        cargo.arg("--release");
    }
    process::run(cargo.current_dir(workspace::root()))?;
    let folder = if kind == Build::Release { "release" } else { "debug" };
    let name = format!("in-rust{}", std::env::consts::EXE_SUFFIX);
    Ok(Path::new(&metadata::members()?.target_directory).join(folder).join(name))
}

/// Runs Node in the folder of the package.
fn node(arguments: &[&OsStr]) -> Result<()> {
    process::run(Command::new("node").args(arguments).current_dir(package_folder()?))
}

/// Whether there is a Node package to build.
pub(crate) fn package_exists() -> bool {
    workspace::root().join(FOLDER).join("package.json").is_file()
}

/// One clear line, if Node or npm is missing.
pub(crate) fn require_tools() -> Result<()> {
    let how = "install Node 20 or newer, which brings npm";
    Tool { program: "node", why: "to run the tests of the Node package", how }.require()?;
    Tool { program: NPM, why: "to install what the tests of the Node package need", how }.require()
}

/// Compiles the native library and puts it where the package looks for it.
pub(crate) fn build(kind: Build) -> Result<()> {
    build_with(kind, &[])
}

fn build_with(kind: Build, arguments: &[&str]) -> Result<()> {
    let folder = package_folder()?;
    let platform = platform().with_context(|| {
        format!("no Node platform is known for {} on {}", std::env::consts::OS, std::env::consts::ARCH)
    })?;
    let library = compile(kind, arguments)?;
    let target = folder.join(format!("ast-core-engine.{platform}.node"));
    // A running process may have the old file mapped: replace it, do not write into it.
    let fresh = target.with_extension("node.new");
    fs::copy(&library, &fresh)
        .and_then(|_| fs::rename(&fresh, &target))
        .with_context(|| format!("failed to copy {} to {}", library.display(), target.display()))?;
    println!("node: built {FOLDER}/ast-core-engine.{platform}.node");
    Ok(())
}

/// Builds the library, packs it, and runs the package's tests.
pub(crate) fn test(kind: Build) -> Result<()> {
    build(kind)?;
    types::check(kind)?;
    let folder = package_folder()?;
    install(&folder)?;
    let tarballs = workspace::root().join("target/npm/test");
    pack::pack(&folder, &tarballs)?;
    process::run(Command::new(NPM).arg("test").env(pack::TARBALLS, &tarballs).current_dir(&folder))
}

fn package_folder() -> Result<PathBuf> {
    if !package_exists() {
        bail!("{FOLDER}/package.json does not exist: there is no Node package to build");
    }
    Ok(workspace::root().join(FOLDER))
}

/// Installs the development dependencies, unless the lock file is the one they were installed from.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    let modified = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    match (modified(&lock), modified(&installed)) {
        (Some(lock), Some(installed)) if lock <= installed => return Ok(()),
        _ => {}
    }
    // `ci` installs exactly what the lock file says, and needs one.
    let verb = if lock.is_file() { "ci" } else { "install" };
    process::run(Command::new(NPM).args([verb, "--no-audit", "--no-fund"]).current_dir(folder))
}

/// A line of cargo's JSON output, of which only built artifacts matter.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Builds the crate and returns the path of its library, wherever the target directory is.
fn compile(kind: Build, arguments: &[&str]) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace::root()).stderr(Stdio::inherit());
    match kind {
        Build::Release => cargo.args(["rustc", "--lib", "--release", "--package", CRATE]),
        Build::Debug => cargo.args(["build", "--package", CRATE]),
        Build::Workspace => cargo.arg("build").args(test::selection()),
    };
    prepare(&mut cargo, kind)?;
    cargo.args(arguments).arg("--message-format=json-render-diagnostics");
    if kind == Build::Release {
        // A tenth of the file is names that nobody looks up.
        cargo.args(["--", "-C", "strip=symbols"]);
    }
    println!("$ cargo build ({CRATE})");
    let output = cargo.output().context("failed to start cargo")?;
    if !output.status.success() {
        bail!("building {CRATE} failed with {}", output.status);
    }
    let lines = String::from_utf8(output.stdout).context("cargo's output is not UTF-8")?;
    library_of(&lines).with_context(|| format!("cargo built no shared library for {CRATE}"))
}

/// Finds the shared library of the crate in cargo's JSON lines.
fn library_of(lines: &str) -> Option<PathBuf> {
    let messages = lines.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let ours = |target: &Target| {
        target.name.replace('-', "_") == CRATE.replace('-', "_")
            && target.crate_types.iter().any(|t| t == "cdylib")
    };
    let is_library = |path: &PathBuf| path.extension().is_some_and(|e| e == std::env::consts::DLL_EXTENSION);
    messages
        .filter(|message| message.target.as_ref().is_some_and(ours))
        .flat_map(|message| message.filenames)
        .find(is_library)
}

/// Node's name for the platform that we run on, as napi's loaders spell it.
fn platform() -> Option<&'static str> {
    let musl = cfg!(target_env = "musl");
    Some(match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") if musl => "linux-x64-musl",
        ("linux", "x86_64") => "linux-x64-gnu",
        ("linux", "aarch64") if musl => "linux-arm64-musl",
        ("linux", "aarch64") => "linux-arm64-gnu",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        ("windows", "x86_64") => "win32-x64-msvc",
        ("windows", "aarch64") => "win32-arm64-msvc",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_among_cargos_messages() {
        let file = format!("/t/debug/libast_core_node.{}", std::env::consts::DLL_EXTENSION);
        let artifact = |name: &str, kind: &str, files: &[&str]| {
            serde_json::json!({
                "reason": "compiler-artifact", "target": {"name": name, "crate_types": [kind]}, "filenames": files,
            })
            .to_string()
        };
        let lines = [
            "not json".to_owned(),
            r#"{"reason": "build-finished", "success": true}"#.to_owned(),
            artifact("other", "cdylib", &[&file]),
            artifact("ast_core_node", "cdylib", &["/t/debug/libast_core_node.d", &file]),
        ];
        assert_eq!(library_of(&lines.join("\n")), Some(PathBuf::from(&file)));
        assert_eq!(library_of(&lines[..3].join("\n")), None);
    }
}
