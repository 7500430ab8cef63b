//! Definitions stored, and looked up by their names, through the trait that the engine has for it.

use super::{Arguments, Round, Side, files};
use crate::clock::{Stopwatch, Took};
use crate::definitions;
use anyhow::{Context, Result};
use ast_core_parse::Parser;
use ast_core_storage::{Document, FileRecord, SqliteStore, Store, SymbolQuery};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use tokio::runtime::Runtime;

/// So many lookups are a round, or as many as there are definitions.
const LOOKUPS: usize = 10_000;
/// The most definitions a lookup gives.
const LIMIT: usize = 20;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Write,
    LookUp,
}

pub(super) struct Definitions {
    args: Arguments,
    work: Work,
    runtime: Runtime,
    files: Vec<(FileRecord, Document)>,
    rows: usize,
    names: Vec<String>,
    store: Option<SqliteStore>,
}

/// What is compared: how many rows, and a sum over them.
#[derive(Default)]
struct Sum {
    rows: usize,
    sum: u64,
}

impl Definitions {
    pub(super) fn new(args: &Arguments, work: Work) -> Result<Self> {
        Ok(Self {
            args: args.clone(),
            work,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            files: Vec::new(),
            rows: 0,
            names: Vec::new(),
            store: None,
        })
    }

    fn database(&self) -> PathBuf {
        self.args.scratch.join("ours-store.db")
    }

    /// Stores all definitions in a new store.
    fn write(&mut self) -> Result<(SqliteStore, Took)> {
        remove_database(&self.database())?;
        self.runtime.block_on(definitions::store(&self.database(), &self.files))
    }

    fn look_up(&mut self, mut each: impl FnMut(Instant)) -> Result<Sum> {
        let store = self.store.as_ref().context("it was not prepared")?;
        let mut sum = Sum::default();
        for name in &self.names {
            let begin = Instant::now();
            let query = SymbolQuery { limit: LIMIT, ..SymbolQuery::exact(name.as_str()) };
            let found = self.runtime.block_on(store.symbols(&query))?;
            each(begin);
            sum.rows += found.len();
            sum.sum += found.iter().map(|record| u64::from(record.symbol.span.start)).sum::<u64>();
        }
        Ok(sum)
    }

    /// Reads back what was stored.
    fn read_back(&self, store: &SqliteStore) -> Result<Sum> {
        let mut sum = Sum::default();
        for (record, _) in &self.files {
            for (_, document) in self.runtime.block_on(store.documents(&[record.id]))? {
                sum.rows += document.symbols.len();
                for symbol in &document.symbols {
                    let (span, lines) = (symbol.span, symbol.lines);
                    sum.sum += u64::from(span.start) + 3 * u64::from(span.end);
                    sum.sum += 5 * u64::from(lines.start) + 7 * u64::from(lines.end);
                    sum.sum += 11 * symbol.name.len() as u64 + 13 * symbol.signature.len() as u64;
                }
            }
        }
        Ok(sum)
    }
}

impl Side for Definitions {
    fn prepare(&mut self) -> Result<()> {
        let mut parser = Parser::default();
        for (number, file) in files::list(&self.args)?.into_iter().enumerate() {
            let source = files::read(&self.args, &file)?;
            self.files.extend(definitions::of_file(&mut parser, number, file.path, file.language, source)?);
        }
        let names: Vec<&str> =
            self.files.iter().flat_map(|(_, file)| &file.symbols).map(|symbol| &*symbol.name).collect();
        self.rows = names.len();
        let lookups = LOOKUPS.min(self.rows);
        self.names = (0..lookups).map(|at| names[at * self.rows / lookups].to_owned()).collect();
        if self.work == Work::LookUp {
            self.store = Some(self.write()?.0);
        }
        Ok(())
    }

    fn answers(&mut self) -> Result<Map<String, Value>> {
        let sum = match self.work {
            Work::LookUp => self.look_up(|_| {})?,
            Work::Write => {
                let (store, _) = self.write()?;
                let sum = self.read_back(&store)?;
                self.runtime.block_on(store.close());
                sum
            }
        };
        let mut answers = Map::new();
        answers.insert("rows".into(), json!(sum.rows));
        answers.insert("sum".into(), json!(sum.sum.to_string()));
        Ok(answers)
    }

    fn round(&mut self) -> Result<Round> {
        if self.work == Work::Write {
            let (store, took) = self.write()?;
            self.runtime.block_on(store.close());
            return Ok(Round::new(took, self.rows as u64));
        }
        let mut latencies = Vec::with_capacity(self.names.len());
        let clock = Stopwatch::start();
        self.look_up(|begin| latencies.push(begin.elapsed()))?;
        Ok(Round { latencies, ..Round::new(clock.took(), self.names.len() as u64) })
    }
}

/// Removes a database with all that is beside it.
pub(super) fn remove_database(database: &std::path::Path) -> Result<()> {
    let name = database.file_name().and_then(|name| name.to_str()).context("a database has a name")?;
    let folder = database.parent().context("a database is in a folder")?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|beside| beside.starts_with(name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
