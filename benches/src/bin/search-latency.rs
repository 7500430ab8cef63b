//! How long searches take in a process that has the index open: `search-latency DATABASE [ROUNDS]`.
//!
//! Opens the index, searches once to load it, then runs a fixed list of queries (names, words, questions) so many
//! times, one after the other, and prints the distribution of their times.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::queries::QUERIES;
use ast_core_benches::stats::Times;
use ast_core_engine::{Engine, EngineConfig, SearchMode, SearchQuery};
use std::time::Instant;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().context("usage: search-latency DATABASE [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(10), |rounds| rounds.parse())?;
    let engine = Engine::open(EngineConfig::new(database).read_only()).await?;
    let begin = Instant::now();
    engine.search(&SearchQuery::new(QUERIES[0])).await?;
    println!("first search, which loads the vectors: {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    for mode in [SearchMode::Hybrid, SearchMode::Lexical, SearchMode::Semantic] {
        let mut times = Times::default();
        for _ in 0..rounds {
            for text in QUERIES.iter() {
                let begin = Instant::now();
                engine.search(&SearchQuery { mode, ..SearchQuery::new(*text) }).await?;
                times.add(begin.elapsed());
            }
        }
        println!("{}", times.line(mode.as_str()));
    }
    Ok(())
}
