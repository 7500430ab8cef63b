//! How long the files take that are made to be hard on the parser: `poison-cost [MILLISECONDS] [PART OF A NAME]`, and
//! `poison-cost growth [MILLISECONDS] [PART OF A NAME]`.
//!
//! Parses each of the files of 2 MiB in each of its languages, with the usual limits, and prints the time of those
//! that took so long at least (1,000 ms if not told): processor time of the thread where the system tells it, and time
//! by the clock. A file may take 2 s; what is longer by more than half a second is a defect.
//!
//! With `growth` it parses them at 64 KiB and at 256 KiB, by tree-sitter alone and with all that we read out of a tree,
//! and prints those whose rest, the one less the other, takes so long at least (50 ms if not told) and more than eight
//! times as long for the larger file: what is linear takes four times as long.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

#[path = "../../../crates/ast-core-parse/tests/inputs/poison.rs"]
#[expect(unreachable_pub, reason = "tests use it, too")]
mod poison;

use anyhow::Result;
use ast_core_parse::{Coverage, Language, Parser};
use std::time::{Duration, Instant};

const SIZE: usize = 2 << 20;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|arg| arg == "growth").is_some() {
        let least = Duration::from_millis(args.next().map_or(Ok(50), |least| least.parse())?);
        return growth(least, &args.next().unwrap_or_default());
    }
    let least = Duration::from_millis(args.next().map_or(Ok(1000), |least| least.parse())?);
    let part = args.next().unwrap_or_default();
    let mut parser = Parser::default();
    let (mut all, mut slow, mut longest) = (0, 0, Duration::ZERO);
    for file in poison::files(SIZE).iter().filter(|file| file.name.contains(&part)) {
        for language in languages(file) {
            let begin = (processor_time(), Instant::now());
            let coverage = parser.parse(&file.bytes, language)?.coverage;
            let by_clock = begin.1.elapsed();
            let time = begin.0.zip(processor_time()).map_or(by_clock, |(before, after)| after - before);
            all += 1;
            longest = longest.max(time);
            if time >= least {
                slow += 1;
                let (time, by_clock) = (time.as_secs_f64(), by_clock.as_secs_f64());
                println!(
                    "{time:7.2} s ({by_clock:7.2} s by the clock) {language:<11} {}: {coverage:?}",
                    file.name
                );
            }
        }
    }
    println!(
        "{slow} of {all} took {} ms or more, the longest {:.2} s",
        least.as_millis(),
        longest.as_secs_f64()
    );
    Ok(())
}

/// The languages that a file is meant for.
fn languages(file: &poison::Poison) -> impl Iterator<Item = Language> {
    let is_meant =
        |language: &Language| file.languages.is_empty() || file.languages.contains(&language.as_str());
    Language::all().filter(is_meant)
}

fn growth(least: Duration, part: &str) -> Result<()> {
    let mut parser = Parser::default();
    let [small, large] = [64 << 10, 256 << 10].map(poison::files);
    for (small, large) in small.iter().zip(&large).filter(|(file, _)| file.name.contains(part)) {
        for language in languages(small) {
            // What has no tree has no rest.
            if parser.parse(&large.bytes, language)?.coverage != Coverage::Full {
                continue;
            }
            let [(floor_before, before), (floor, after)] =
                [rest(&mut parser, small, language)?, rest(&mut parser, large, language)?];
            if after >= least && after > 8 * before {
                let millis = |time: Duration| time.as_secs_f64() * 1e3;
                println!(
                    "{:8.1} ms after {:6.1} ms, tree-sitter {:7.1} ms after {:6.1} ms {language:<11} {}",
                    millis(after),
                    millis(before),
                    millis(floor),
                    millis(floor_before),
                    small.name
                );
            }
        }
    }
    Ok(())
}

/// How long tree-sitter takes, and how much longer we do.
fn rest(parser: &mut Parser, file: &poison::Poison, language: Language) -> Result<(Duration, Duration)> {
    let mut syntax = tree_sitter::Parser::new();
    syntax.set_language(language.grammar())?;
    let time = |run: &mut dyn FnMut() -> Result<()>| -> Result<Duration> {
        let begin = (processor_time(), Instant::now());
        run()?;
        let by_clock = begin.1.elapsed();
        Ok(begin.0.zip(processor_time()).map_or(by_clock, |(before, after)| after.saturating_sub(before)))
    };
    let ours = time(&mut || {
        drop(parser.parse(&file.bytes, language)?);
        Ok(())
    })?;
    let floor = time(&mut || {
        drop(syntax.parse(&file.bytes, None));
        Ok(())
    })?;
    Ok((floor, ours.saturating_sub(floor)))
}

/// How long this thread has run; only Linux tells without asking the system in its own words.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}
