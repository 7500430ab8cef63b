//! Whether the vectors of an index are better scanned or walked through by a graph: `scan-or-graph DATABASE [ROUNDS]`.
//!
//! Reads the vector file beside the index, asks a fixed list of queries for as many neighbors as a search of the engine
//! does, by a scan on one thread and on all, then builds a graph of the same vectors on all threads and asks that, with
//! more and more candidates. Prints times, and the share of the true neighbors that the graph finds.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::queries::QUERIES;
use ast_core_engine::EngineConfig;
use ast_core_vector::{
    ByteIndex, Expected, Hnsw, HnswConfig, Neighbor, SearchOptions, Storage, VectorIndex, inspect,
};
use std::collections::HashSet;
use std::time::Instant;

/// As many as the engine asks for.
const NEIGHBORS: usize = 200;

/// Vectors that are inserted at a time.
const BATCH: usize = 50_000;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().context("usage: scan-or-graph DATABASE [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let path = format!("{database}-vectors");
    let header = inspect(&path)?;
    let expected = Expected { dimension: header.dimension, metric: header.metric, model: &header.model };
    let (index, ..) = ByteIndex::open(&path, &expected)?;
    let embedder = EngineConfig::new(&database).embedder;
    let queries: Vec<Vec<f32>> =
        QUERIES.iter().map(|query| embedder.embed_query(query)).collect::<Result<_, _>>()?;
    println!(
        "{} vectors of {} values, {} threads",
        index.len(),
        header.dimension,
        rayon::current_num_threads()
    );

    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let options = SearchOptions::new(NEIGHBORS);
    println!("{:<24} {:>8} {:>8} {:>8}", "", "p50 ms", "p95 ms", "recall");
    let exact = ask(&queries, 1, |query| Ok(index.search(query, &options)?))?.1;
    let (times, _) = ask(&queries, rounds, |query| Ok(one.install(|| index.search(query, &options))?))?;
    show("scan, one thread", &times, 1.0);
    let (times, _) = ask(&queries, rounds, |query| Ok(index.search(query, &options)?))?;
    show("scan, all threads", &times, 1.0);

    let config = {
        let mut config = HnswConfig::default();
        config.storage = Storage::Code;
        config
    };
    let begin = Instant::now();
    let mut graph = Hnsw::new(header.dimension, header.metric, config)?;
    let keys: Vec<u64> = index.keys().collect();
    for keys in keys.chunks(BATCH) {
        let mut vectors = Vec::with_capacity(keys.len() * header.dimension);
        for key in keys {
            let codes = index.codes(*key)?.context("a key that is held")?;
            vectors.extend(codes.into_iter().map(f32::from));
        }
        graph.insert_many(keys, &vectors)?;
    }
    println!("graph built in {:.1} s, {} MB", begin.elapsed().as_secs_f64(), {
        let memory = graph.memory();
        (memory.codes + memory.links) >> 20
    });
    for ef in [200, 400, 800] {
        let options = options.with_ef(ef);
        let (times, found) = ask(&queries, rounds, |query| Ok(graph.search(query, &options)?))?;
        show(&format!("graph, {ef} candidates"), &times, recall(&exact, &found));
    }
    Ok(())
}

type Found = Vec<Vec<Neighbor>>;

/// The times in milliseconds, in order, and what was found in the last round.
fn ask(
    queries: &[Vec<f32>],
    rounds: usize,
    search: impl Fn(&[f32]) -> Result<Vec<Neighbor>>,
) -> Result<(Vec<f64>, Found)> {
    let (mut times, mut found) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        found.clear();
        for query in queries {
            let begin = Instant::now();
            found.push(search(query)?);
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok((times, found))
}

/// The share of the true neighbors that were found.
fn recall(exact: &Found, found: &Found) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (exact, found) in exact.iter().zip(found) {
        let exact: HashSet<u64> = exact.iter().map(|neighbor| neighbor.key).collect();
        hits += found.iter().filter(|neighbor| exact.contains(&neighbor.key)).count();
        all += exact.len();
    }
    hits as f64 / all.max(1) as f64
}

fn show(what: &str, times: &[f64], recall: f64) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!("{what:<24} {:>8.2} {:>8.2} {recall:>8.3}", at(0.5), at(0.95));
}
