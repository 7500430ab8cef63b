//! Answers what the Node package is asked, in Rust, so that what the package adds can be told: `in-rust DATABASE`.
//!
//! Opens the index, and reads calls from standard input, a line each: `search TEXT`; `handed TEXT`, the same on another
//! thread, which is how a thread calls that must not wait; `symbols LIMIT`; or `read LIMIT`, which reads as many definitions
//! and keeps nothing of them. Prints of each how many nanoseconds it took.

#![expect(clippy::print_stdout, reason = "its answers")]

use anyhow::{Context, Result, bail};
use ast_core_engine::{Engine, EngineConfig, SearchQuery, SymbolFilter};
use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<()> {
    let database = std::env::args().nth(1).context("usage: in-rust DATABASE")?;
    let engine = Arc::new(Engine::open(EngineConfig::new(database).read_only()).await?);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (call, argument) = line.split_once(' ').context("expected a call and what it is given")?;
        println!("{}", timed(&engine, call, argument).await?.as_nanos());
    }
    Ok(())
}

async fn timed(engine: &Arc<Engine>, call: &str, argument: &str) -> Result<Duration> {
    let listed = || -> Result<SymbolFilter> {
        Ok(SymbolFilter { limit: argument.parse()?, ..SymbolFilter::default() })
    };
    let begin = Instant::now();
    let took;
    match call {
        "search" => {
            let reply = engine.search(&SearchQuery::new(argument)).await?;
            took = begin.elapsed();
            drop(reply);
        }
        "handed" => {
            let (engine, query) = (engine.clone(), SearchQuery::new(argument));
            let reply = tokio::spawn(async move { engine.search(&query).await }).await??;
            took = begin.elapsed();
            drop(reply);
        }
        "symbols" => {
            let page = engine.symbols(&listed()?).await?;
            took = begin.elapsed();
            drop(page);
        }
        "read" => {
            let mut units = 0;
            engine.each_symbol(&listed()?, |row| units += u64::from(row.utf16.end)).await?;
            took = begin.elapsed();
            std::hint::black_box(units);
        }
        _ => bail!("there is no call {call:?}; expected search, handed, symbols or read"),
    }
    Ok(took)
}
