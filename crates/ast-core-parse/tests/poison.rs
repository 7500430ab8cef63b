//! Files that are made to be hard on a parser come back, and say what became of them.

#[path = "../fuzz/src/invariants.rs"]
#[expect(unreachable_pub, reason = "it is part of a library, too")]
mod invariants;
#[path = "inputs/poison.rs"]
#[expect(unreachable_pub, reason = "a measurement uses it, too")]
mod poison;

use ast_core_parse::{ChunkingConfig, Coverage, Encoding, Language, ParseError, ParseLimits, Parser};
use std::time::Duration;

/// Parses each file in each of its languages and asserts what has to hold for what comes back.
fn parse_all(size: usize, budget: Duration) {
    let files = poison::files(size);
    let threads = 2;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let files = &files;
            scope.spawn(move || {
                let limits = ParseLimits { time_budget: budget, ..ParseLimits::default() };
                let mut parser = Parser::new(limits, ChunkingConfig::default());
                for file in files.iter().skip(thread).step_by(threads) {
                    assert!(file.bytes.len() <= size && file.bytes.len() > size / 2, "{}", file.name);
                    for language in Language::all() {
                        if file.languages.is_empty() || file.languages.contains(&language.as_str()) {
                            check(&mut parser, file, language);
                        }
                    }
                }
            });
        }
    });
}

fn check(parser: &mut Parser, file: &poison::Poison, language: Language) {
    let parsed = parser.parse(&file.bytes, language).unwrap_or_else(|error| panic!("{}: {error}", file.name));
    let came_back = matches!(
        parsed.coverage,
        Coverage::Full
            | Coverage::SymbolLimit { .. }
            | Coverage::NestingLimit { .. }
            | Coverage::Minified
            | Coverage::TimedOut { .. }
            | Coverage::TooComplex
    );
    assert!(came_back, "{} as {language}: {:?}", file.name, parsed.coverage);
    // A panic says what does not hold; this says where.
    let result = std::panic::catch_unwind(|| invariants::check_file(&file.bytes, &parsed));
    assert!(result.is_ok(), "{} as {language}, {} bytes", file.name, file.bytes.len());
    // What is shown in colours are pieces.
    let text = std::str::from_utf8(&file.bytes).ok().filter(|text| text.len() <= 4 << 10);
    let Some(text) = text else { return };
    match parser.highlight(text, language) {
        Ok(parts) => {
            let ends = std::iter::once(0).chain(parts.iter().map(|part| part.span.end));
            let in_order = parts.iter().zip(ends).all(|(part, end)| end <= part.span.start);
            let in_text =
                parts.iter().all(|part| text.get(part.span.range()).is_some_and(|text| !text.is_empty()));
            assert!(in_order && in_text, "{} as {language}", file.name);
        }
        Err(ParseError::TimedOut { .. } | ParseError::TooComplex) => {}
        Err(error) => panic!("{} as {language}: {error}", file.name),
    }
}

#[test]
fn small_ones_come_back() {
    parse_all(4 << 10, Duration::from_millis(50));
}

#[test]
fn large_ones_come_back_when_the_time_is_up() {
    parse_all(128 << 10, Duration::from_millis(20));
}

#[test]
fn what_is_no_text_and_what_is_too_large_is_said_to_be_so() {
    let rust: Language = "rust".parse().unwrap();
    let mut parser = Parser::default();
    assert_eq!(parser.parse(&vec![0; 2 << 20], rust), Err(ParseError::Binary { offset: 0 }));
    let file = parser.parse(&vec![0xFF; 2 << 20], rust).unwrap();
    assert_eq!((file.encoding, file.coverage), (Encoding::Utf8Lossy, Coverage::Minified));
    let limit = 2 << 20;
    let file = parser.parse(&b"fn f() {}\n".repeat(limit / 10 + 1), rust).unwrap();
    assert_eq!(file.coverage, Coverage::TooLarge { limit });
    assert!(file.symbols.is_empty() && file.chunks.len() > 100);
}

#[test]
fn definitions_that_are_too_deep_are_left_out_and_said_to_be() {
    let rust: Language = "rust".parse().unwrap();
    let nested = |depth: usize| format!("{}{}\n", "fn f() {\n".repeat(depth), "}".repeat(depth));
    let mut parser = Parser::default();
    let file = parser.parse(nested(256).as_bytes(), rust).unwrap();
    assert_eq!((file.symbols.len(), file.coverage), (256, Coverage::Full));
    let file = parser.parse(nested(257).as_bytes(), rust).unwrap();
    assert_eq!((file.symbols.len(), file.coverage), (256, Coverage::NestingLimit { limit: 256 }));
    assert_eq!(file.coverage.to_string(), "only symbols inside of fewer than 256 others");
}
