//! What symbols and chunks cost on top of tree-sitter's parse: `parse-cost DIR [ROUNDS]`; and what threads gain:
//! `parse-cost threads DIR [ROUNDS]`.
//!
//! Reads every source file below DIR into memory, then, on one thread, parses each file by tree-sitter alone and by
//! `ast_core_parse::Parser`, in turn, so that a change of the machine's speed hits both alike. Prints, per language,
//! the best of the rounds of each, and the median over the rounds of their ratio. Times are the thread's processor
//! time.
//!
//! With `threads` all files are parsed, in an order that mixes their sizes, by one thread and by as many as there are
//! processors, in turn. Prints, for each number of threads, the median over the rounds of the time by the clock and of
//! the processor time, and how often the one goes into the other.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::corpus;
use ast_core_parse::{Language, Parser};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    let threads = args.next_if(|arg| arg == "threads").is_some();
    let dir = args.next().context("usage: parse-cost [threads] DIR [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(3), |rounds| rounds.parse())?;
    if threads {
        return gain_of_threads(corpus::read(dir.as_ref())?, rounds);
    }
    let mut files: BTreeMap<String, (Language, Vec<Vec<u8>>)> = BTreeMap::new();
    for (language, bytes) in corpus::read(dir.as_ref())? {
        files.entry(language.to_string()).or_insert((language, Vec::new())).1.push(bytes);
    }
    println!(
        "{:<12} {:>6} {:>8} {:>12} {:>12} {:>7}",
        "language", "files", "MB", "floor MB/s", "parse MB/s", "ratio"
    );
    let mut total = (0.0, 0.0);
    for (name, (language, contents)) in &files {
        let mut syntax = tree_sitter::Parser::new();
        syntax.set_language(language.grammar())?;
        let mut parser = Parser::default();
        let mut samples = Vec::new();
        for _ in 0..rounds {
            let (mut floor, mut ours) = (Duration::ZERO, Duration::ZERO);
            for (at, bytes) in contents.iter().enumerate() {
                let mut run_floor = || {
                    let begin = time_of(ClockId::ThreadCPUTime);
                    drop(black_box(syntax.parse(bytes, None)));
                    floor += time_of(ClockId::ThreadCPUTime) - begin;
                };
                let mut run_ours = || {
                    let begin = time_of(ClockId::ThreadCPUTime);
                    drop(black_box(parser.parse(bytes, *language)));
                    ours += time_of(ClockId::ThreadCPUTime) - begin;
                };
                if at % 2 == 0 {
                    run_floor();
                    run_ours();
                } else {
                    run_ours();
                    run_floor();
                }
            }
            samples.push((floor.as_secs_f64(), ours.as_secs_f64()));
        }
        let megabytes = contents.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
        let floor = samples.iter().map(|sample| sample.0).fold(f64::INFINITY, f64::min);
        let ours = samples.iter().map(|sample| sample.1).fold(f64::INFINITY, f64::min);
        let mut ratios: Vec<f64> = samples.iter().map(|(floor, ours)| ours / floor).collect();
        ratios.sort_by(f64::total_cmp);
        total = (total.0 + floor, total.1 + ours);
        println!(
            "{name:<12} {:>6} {megabytes:>8.2} {:>12.2} {:>12.2} {:>7.3}",
            contents.len(),
            megabytes / floor,
            megabytes / ours,
            ratios[ratios.len() / 2]
        );
    }
    println!("all: {:.2} s against {:.2} s, {:.3}", total.1, total.0, total.1 / total.0);
    Ok(())
}

fn time_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Parses all files on one thread and on all processors.
fn gain_of_threads(mut files: Vec<(Language, Vec<u8>)>, rounds: usize) -> Result<()> {
    // A large file at the end would keep one thread at work alone.
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    let most = std::thread::available_parallelism()?.get();
    let mut counts = vec![1];
    counts.extend((2..=most).filter(|count| count.is_power_of_two() || *count == most));
    let mut samples = vec![Vec::new(); counts.len()];
    for _ in 0..rounds {
        for (count, samples) in counts.iter().zip(&mut samples) {
            let next = AtomicUsize::new(0);
            let begin = (Instant::now(), time_of(ClockId::ProcessCPUTime));
            std::thread::scope(|scope| {
                for _ in 0..*count {
                    scope.spawn(|| {
                        let mut parser = Parser::default();
                        while let Some((language, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                            drop(black_box(parser.parse(bytes, *language)));
                        }
                    });
                }
            });
            samples.push((begin.0.elapsed(), time_of(ClockId::ProcessCPUTime) - begin.1));
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let mut alone = None;
    for (count, samples) in counts.iter().zip(samples) {
        let (clock, processor) = samples.into_iter().unzip();
        let (clock, processor): (f64, f64) = (median(clock), median(processor));
        let gain = *alone.get_or_insert(clock) / clock;
        println!(
            "{count:>3} threads: {clock:7.2} s by the clock, {processor:7.2} s of processors, {gain:.2} times as fast as one"
        );
    }
    Ok(())
}
