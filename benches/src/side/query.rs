//! Hybrid searches of an open index, one after the other.

use super::index::config;
use super::store::remove_database;
use super::{Arguments, Round, Side, files};
use crate::clock::Stopwatch;
use crate::queries::QUERIES;
use anyhow::{Context, Result};
use ast_core_engine::{Engine, IndexControl, IndexOptions, SearchQuery};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

pub(super) struct Query {
    args: Arguments,
    runtime: Runtime,
    engine: Option<Engine>,
}

impl Query {
    pub(super) fn new(args: &Arguments) -> Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(args.threads).enable_all().build()?;
        Ok(Self { args: args.clone(), runtime, engine: None })
    }

    /// Asks everything; how many hits there are, and how long each took.
    fn run(&self) -> Result<(usize, Vec<Duration>)> {
        let engine = self.engine.as_ref().context("it was not prepared")?;
        self.runtime.block_on(async {
            let (mut hits, mut latencies) = (0, Vec::with_capacity(QUERIES.len()));
            for text in QUERIES.iter() {
                let begin = Instant::now();
                hits += engine.search(&SearchQuery::new(*text)).await?.hits.len();
                latencies.push(begin.elapsed());
            }
            Ok((hits, latencies))
        })
    }
}

impl Side for Query {
    fn prepare(&mut self) -> Result<()> {
        let root = files::tree(&self.args, &files::list(&self.args)?, false)?;
        let database = self.args.scratch.join("ours-query.db");
        remove_database(&database)?;
        let config = config(&self.args, database)?;
        let engine = self.runtime.block_on(async {
            let engine = Engine::open(config).await?;
            engine.index(&root, &IndexOptions::default(), IndexControl::default()).await?;
            Ok::<_, anyhow::Error>(engine)
        })?;
        self.engine = Some(engine);
        Ok(())
    }

    fn answers(&mut self) -> Result<Map<String, Value>> {
        let (hits, _) = self.run()?;
        let mut answers = Map::new();
        answers.insert("queries".into(), json!(QUERIES.len()));
        answers.insert("hits".into(), json!(hits));
        Ok(answers)
    }

    fn round(&mut self) -> Result<Round> {
        let clock = Stopwatch::start();
        let (_, latencies) = self.run()?;
        Ok(Round { latencies, ..Round::new(clock.took(), QUERIES.len() as u64) })
    }
}
