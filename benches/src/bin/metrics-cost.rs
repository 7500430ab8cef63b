//! What it costs that the engine measures itself: `metrics-cost TREE FOLDER [ROUNDS]`.
//!
//! In each round TREE is indexed into FOLDER anew, once with [`EngineConfig::metrics`] and once without, in turns which of
//! them comes first; then all queries are asked of both, one after the other. Of each pair the ratio of processor time of
//! the process, and of the time by the clock, is taken. The median over the rounds comes with its interval, and with the
//! verdict for a threshold of one percent.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::queries::QUERIES;
use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery};
use ast_core_metrics::stats::{Bootstrap, Verdict, mad, median, paired_ratio};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::time::{Duration, Instant};

/// What is to be kept.
const THRESHOLD: f64 = 0.01;

/// How often all queries are asked in a round.
const PASSES: usize = 4;

/// Seconds of one side, a round each.
#[derive(Default)]
struct Side {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Side {
    fn add(&mut self, (wall, cpu): (f64, f64)) {
        self.wall.push(wall);
        self.cpu.push(cpu);
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let tree = args.next().context("usage: metrics-cost TREE FOLDER [ROUNDS]")?;
    let folder = args.next().context("usage: metrics-cost TREE FOLDER [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(10), |rounds| rounds.parse())?;
    let (tree, folder) = (Path::new(&tree), Path::new(&folder));
    let (mut indexing, mut searching) = (<[Side; 2]>::default(), <[Side; 2]>::default());
    for round in 0..=rounds {
        let mut sides = [(0, true), (1, false)];
        if round % 2 == 1 {
            sides.reverse();
        }
        let mut engines = Vec::new();
        for (side, metrics) in sides {
            let place = folder.join(format!("side-{side}"));
            if place.exists() {
                std::fs::remove_dir_all(&place)?;
            }
            std::fs::create_dir_all(&place)?;
            let config = EngineConfig { metrics, ..EngineConfig::new(place.join("index.db")) };
            let engine = Engine::open(config).await?;
            let (begin, cpu) = (Instant::now(), cpu_time());
            engine.index(tree, &IndexOptions::default(), IndexControl::default()).await?;
            let times = (begin.elapsed().as_secs_f64(), cpu_time() - cpu);
            // The first round is for the caches of the system.
            if round > 0 {
                indexing[side].add(times);
            }
            engine.search(&SearchQuery::new(QUERIES[0])).await?;
            engines.push((side, engine));
        }
        let mut times = [(0.0, 0.0); 2];
        for _ in 0..PASSES {
            for text in QUERIES.iter() {
                for (side, engine) in &engines {
                    let (begin, cpu) = (Instant::now(), cpu_time());
                    engine.search(&SearchQuery::new(*text)).await?;
                    times[*side].0 += begin.elapsed().as_secs_f64();
                    times[*side].1 += cpu_time() - cpu;
                }
                engines.reverse();
            }
        }
        if round > 0 {
            searching.iter_mut().zip(times).for_each(|(side, times)| side.add(times));
        }
        for (_, engine) in engines {
            engine.close().await;
        }
    }
    println!("{rounds} rounds; with metrics by without, median and 95 % interval");
    for (name, [with, without]) in [("index", &indexing), ("search", &searching)] {
        tell(&format!("{name}, processor time"), &with.cpu, &without.cpu);
        tell(&format!("{name}, by the clock"), &with.wall, &without.wall);
    }
    Ok(())
}

fn tell(name: &str, with: &[f64], without: &[f64]) {
    let ratio = paired_ratio(with, without, &Bootstrap::default());
    let ratio = ratio.map_or("too few rounds".to_owned(), |ratio| {
        format!("{ratio:.4} {}", Verdict::of(&ratio, THRESHOLD))
    });
    let side = |times: &[f64]| {
        let [middle, deviation] = [median(times), mad(times)].map(Option::unwrap_or_default);
        format!("{middle:.3} s ± {deviation:.3}")
    };
    println!("{name:<24} {ratio:<40} {} and {}", side(with), side(without));
}

/// Processor time of the process, in seconds.
fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_secs_f64()
}
