//! Gets what a measurement needs: programs, packages, vectors. What is there is not made again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::data::Manifest;
use super::rows::{Host, Row};
use crate::bench::packages::{self, fresh};
use crate::process::{self, Tool};
use crate::{corpus, metadata, workspace};

/// Where everything is.
pub(super) struct Place {
    root: PathBuf,
    cache: PathBuf,
    /// Folder of the compiled programs.
    programs: PathBuf,
}

/// How many chunks are cut to embed 101,500 that are distinct in what the model sees of them.
const CHUNKS: &str = "125000";

const PYTHON: Tool = Tool {
    program: if cfg!(windows) { "python" } else { "python3" },
    why: "to run faiss, hnswlib and usearch, and the model that makes the vectors",
    how: "install Python 3.11 or newer with its venv module",
};

impl Place {
    /// Compiles our programs.
    pub(super) fn new() -> Result<Self> {
        let root = workspace::root();
        let mut cargo = process::cargo();
        cargo.args(["build", "--locked", "--release", "--package", "ast-core-benches"]);
        cargo.args(["--bin", "vector-bench", "--bin", "vector-chunks"]);
        process::run(cargo.current_dir(&root))?;
        let programs = Path::new(&metadata::members()?.target_directory).join("release");
        Ok(Self { cache: root.join("benches/cache"), programs, root })
    }

    /// Installs the packages that are measured.
    pub(super) fn install(&self) -> Result<()> {
        self.python("python", "requirements.txt", &[])?;
        self.node("node", None)?;
        self.node("node-native", Some("-O3 -march=native"))
    }

    /// A folder for what the programs answer.
    pub(super) fn answers(&self) -> Result<PathBuf> {
        let folder = self.cache.join("vector/answers");
        fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        Ok(folder)
    }

    /// The vectors of this name, made if they are not there: `full`, or one that is made of it.
    pub(super) fn vectors(&self, name: &str, rows: Option<usize>) -> Result<(PathBuf, Manifest)> {
        let folder = self.cache.join("vector").join(name);
        if !folder.join("data.json").is_file() {
            match rows {
                Some(rows) => {
                    let (full, _) = self.vectors("full", None)?;
                    let mut derive = self.script("python", "derive.py");
                    process::run(derive.arg(full).arg(&folder).arg(rows.to_string()))?;
                }
                None => self.embed(&folder)?,
            }
        }
        let manifest = Manifest::read(&folder)?;
        Ok((folder, manifest))
    }

    /// Cuts the corpus into chunks and embeds them, which takes some ten minutes.
    fn embed(&self, folder: &Path) -> Result<()> {
        let chunks = self.cache.join("vector/chunks.jsonl");
        if !chunks.is_file() {
            let corpus = self.root.join(corpus::FOLDER);
            if !corpus.is_dir() {
                bail!("there is nothing to embed; run `cargo xtask corpus`");
            }
            fs::create_dir_all(self.cache.join("vector"))?;
            // A file that is not whole has another name.
            let partial = chunks.with_extension("partial");
            let mut cut = Command::new(self.programs.join("vector-chunks"));
            process::run(cut.arg(&corpus).arg(CHUNKS).arg(&partial))?;
            fs::rename(&partial, &chunks).context("failed to name the chunks")?;
        }
        self.python("python-embed", "requirements-embed.txt", &["--no-deps"])?;
        process::run(self.script("python-embed", "dataset.py").arg(&chunks).arg(folder))
    }

    /// The program of a row, for the vectors in a folder.
    pub(super) fn program(&self, row: &Row, vectors: &Path) -> Command {
        let node = |packages: &str| {
            let mut command = Command::new("node");
            command.arg(self.root.join("benches/vector/libraries.mjs"));
            command.arg(row.library).arg(vectors).arg(self.cache.join(packages));
            command
        };
        match row.host {
            Host::Rust => {
                let mut command = Command::new(self.programs.join("vector-bench"));
                command.arg(row.library).arg(vectors);
                command
            }
            Host::Python => {
                let mut command = self.script("python", "libraries.py");
                command.arg(row.library).arg(vectors);
                command
            }
            Host::Node => node("node"),
            Host::NodeNative => node("node-native"),
        }
    }

    /// A script of ours, in the environment of this name.
    fn script(&self, environment: &str, script: &str) -> Command {
        let mut command = Command::new(self.interpreter(environment));
        command.arg(self.root.join("benches/vector").join(script));
        command
    }

    fn interpreter(&self, environment: &str) -> PathBuf {
        let path = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.cache.join(environment).join(path)
    }

    /// An environment with the packages of a list.
    fn python(&self, name: &str, list: &str, options: &[&str]) -> Result<()> {
        let folder = self.cache.join(name);
        let list = self.root.join("benches/vector").join(list);
        fresh(&folder, &[&list], || {
            PYTHON.require()?;
            process::run(Command::new(PYTHON.program).args(["-m", "venv"]).arg(&folder))?;
            let mut pip = Command::new(self.interpreter(name));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(options);
            process::run(pip.arg("--requirement").arg(&list))
        })
    }

    /// A folder with the npm packages; those with C++ in them are compiled with these flags or their own.
    fn node(&self, name: &str, flags: Option<&str>) -> Result<()> {
        packages::npm(&self.root.join("benches/vector"), &self.cache.join(name), flags)
    }
}
