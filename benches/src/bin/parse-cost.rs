//! What symbols and chunks cost on top of tree-sitter's parse: `parse-cost DIR [ROUNDS]`.
//!
//! Reads every source file below DIR into memory, then, on one thread, parses each file by tree-sitter alone and by
//! `ast_core_parse::Parser`, in turn, so that a change of the machine's speed hits both alike. Prints, per language,
//! the best of the rounds of each, and the median over the rounds of their ratio.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_benches::corpus;
use ast_core_parse::{Language, Parser};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().context("usage: parse-cost DIR [ROUNDS]")?;
    let rounds: usize = args.next().map_or(Ok(3), |rounds| rounds.parse())?;
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
                    let begin = Instant::now();
                    drop(black_box(syntax.parse(bytes, None)));
                    floor += begin.elapsed();
                };
                let mut run_ours = || {
                    let begin = Instant::now();
                    drop(black_box(parser.parse(bytes, *language)));
                    ours += begin.elapsed();
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
