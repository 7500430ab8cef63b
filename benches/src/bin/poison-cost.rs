//! How long the files take that are made to be hard on the parser: `poison-cost [MILLISECONDS] [PART OF A NAME]`.
//!
//! Parses each of the files of 2 MiB in each of its languages, with the usual limits, and prints the time of those
//! that took so long at least (1,000 ms if not told): processor time of the thread where the system tells it, and time
//! by the clock. A tree may take 2 s; what is longer by more than half a second is a defect.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

#[path = "../../../crates/ast-core-parse/tests/inputs/poison.rs"]
#[expect(unreachable_pub, reason = "tests use it, too")]
mod poison;

use anyhow::Result;
use ast_core_parse::{Language, Parser};
use std::time::{Duration, Instant};

const SIZE: usize = 2 << 20;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let least = Duration::from_millis(args.next().map_or(Ok(1000), |least| least.parse())?);
    let part = args.next().unwrap_or_default();
    let mut parser = Parser::default();
    let (mut all, mut slow, mut longest) = (0, 0, Duration::ZERO);
    for file in poison::files(SIZE).iter().filter(|file| file.name.contains(&part)) {
        let is_meant =
            |language: &Language| file.languages.is_empty() || file.languages.contains(&language.as_str());
        for language in Language::all().filter(is_meant) {
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

/// How long this thread has run; only Linux tells without asking the system in its own words.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}
