//! How long searches take in a process that has the index open: `search-latency DATABASE [ROUNDS]`.
//!
//! Opens the index, searches once to load it, then runs a fixed list of queries (names, words, questions) so many
//! times, one after the other, and prints the distribution of their times.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::queries::QUERIES;
use ast_core_engine::{Engine, EngineConfig, SearchMode, SearchQuery};
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().context("usage: search-latency DATABASE [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(10), |rounds| rounds.parse())?;
    let engine = Engine::open(EngineConfig::new(database).read_only()).await?;
    let begin = Instant::now();
    engine.search(&SearchQuery::new(QUERIES[0])).await?;
    println!("first search, which loads the vectors: {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    println!("{:<10} {:>8} {:>8} {:>8} {:>8}", "mode", "p50 ms", "p95 ms", "p99 ms", "max ms");
    for mode in [SearchMode::Hybrid, SearchMode::Lexical, SearchMode::Semantic] {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..rounds {
            for text in QUERIES {
                let begin = Instant::now();
                engine.search(&SearchQuery { mode, ..SearchQuery::new(*text) }).await?;
                times.push(begin.elapsed());
            }
        }
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        println!(
            "{:<10} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            mode.as_str(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}
