//! A tree on disk to an index on disk, and an index brought up to a tree.

use super::files::{self, SourceFile};
use super::store::remove_database;
use super::{Arguments, Round, Side};
use crate::clock::Stopwatch;
use anyhow::{Context, Result};
use ast_core_engine::{
    Engine, EngineConfig, FeatureHashEmbedder, IndexControl, IndexOptions, IndexReport, StatusReport,
};
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;

/// One file of so many is changed.
const CHANGED: usize = 100;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A new index, embedded by feature hashing as the other side does.
    Cold,
    /// A new index with the built-in embedder.
    ColdAsShipped,
    /// Nothing has changed.
    Warm,
    /// One file of a hundred has.
    WarmChanged,
}

pub(super) struct Index {
    args: Arguments,
    work: Work,
    runtime: Runtime,
    files: Vec<SourceFile>,
    root: PathBuf,
    changes: u64,
}

impl Index {
    pub(super) fn new(args: &Arguments, work: Work) -> Result<Self> {
        Ok(Self {
            args: args.clone(),
            work,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(args.threads)
                .enable_all()
                .build()?,
            files: files::list(args)?,
            root: PathBuf::new(),
            changes: 0,
        })
    }

    fn database(&self) -> PathBuf {
        self.args.scratch.join("ours-index.db")
    }

    fn config(&self) -> Result<EngineConfig> {
        let mut config = config(&self.args, self.database())?;
        if self.work != Work::ColdAsShipped {
            config.embedder = Arc::new(FeatureHashEmbedder::default());
        }
        Ok(config)
    }

    /// Opens the index, brings it up, and closes it.
    fn update(&self) -> Result<IndexReport> {
        let config = self.config()?;
        self.runtime.block_on(async {
            let engine = Engine::open(config).await?;
            let report = engine.index(&self.root, &IndexOptions::default(), IndexControl::default()).await?;
            engine.close().await;
            Ok(report)
        })
    }

    fn status(&self) -> Result<StatusReport> {
        let config = self.config()?.read_only();
        self.runtime.block_on(async {
            let engine = Engine::open(config).await?;
            let status = engine.status().await?;
            engine.close().await;
            Ok(status)
        })
    }

    /// Adds a function to one file of a hundred, another one each time.
    fn change(&mut self) -> Result<()> {
        self.changes += 1;
        // Two changes may fall into one tick of the file system's clock.
        let time = SystemTime::now() + Duration::from_secs(self.changes);
        for file in self.files.iter().skip(self.changes as usize % CHANGED).step_by(CHANGED) {
            let path = self.root.join(file.path.as_str());
            let mut file_on_disk =
                OpenOptions::new().append(true).open(&path).with_context(|| path.display().to_string())?;
            writeln!(file_on_disk, "\n{}", addition(file.language.as_str(), self.changes))?;
            file_on_disk.set_modified(time)?;
        }
        Ok(())
    }
}

/// An engine of so many threads as the side was told.
pub(super) fn config(args: &Arguments, database: PathBuf) -> Result<EngineConfig> {
    let mut config = EngineConfig::new(database);
    config.batch.workers = NonZeroUsize::new(args.threads).context("no threads")?;
    Ok(config)
}

fn addition(language: &str, number: u64) -> String {
    let name = format!("added_by_round_{number}");
    match language {
        "rust" => format!("fn {name}() -> u32 {{ {number} }}"),
        "python" => format!("def {name}():\n    return {number}"),
        "cpp" => format!("int {name}() {{ return {number}; }}"),
        "java" => format!("class Added{number} {{ int {name}() {{ return {number}; }} }}"),
        _ => format!("function {name}() {{ return {number} }}"),
    }
}

impl Side for Index {
    fn prepare(&mut self) -> Result<()> {
        self.root = files::tree(&self.args, &self.files, self.work == Work::WarmChanged)?;
        remove_database(&self.database())?;
        if matches!(self.work, Work::Warm | Work::WarmChanged) {
            self.update()?;
        }
        Ok(())
    }

    fn answers(&mut self) -> Result<Map<String, Value>> {
        let mut answers = Map::new();
        match self.work {
            Work::Cold | Work::ColdAsShipped => remove_database(&self.database())?,
            Work::Warm => {}
            Work::WarmChanged => self.change()?,
        }
        let report = self.update()?;
        let status = self.status()?;
        answers.insert("files".into(), json!(status.files.indexed));
        answers.insert("changed".into(), json!(report.files.indexed));
        answers.insert("bytes".into(), json!(status.bytes));
        answers.insert("definitions".into(), json!(status.symbols));
        answers.insert("chunks".into(), json!(status.chunks));
        Ok(answers)
    }

    fn round(&mut self) -> Result<Round> {
        let is_cold = matches!(self.work, Work::Cold | Work::ColdAsShipped);
        if is_cold {
            remove_database(&self.database())?;
        }
        if self.work == Work::WarmChanged {
            self.change()?;
        }
        let clock = Stopwatch::start();
        let report = self.update()?;
        let took = clock.took();
        let units = if is_cold { report.bytes } else { self.files.len() as u64 };
        Ok(Round::new(took, units))
    }
}
