//! What holds for whatever is parsed.

#[path = "../fuzz/src/invariants.rs"]
#[expect(unreachable_pub, reason = "it is part of a library, too")]
mod invariants;

use ast_core_model::{RepoPath, Span};
use ast_core_parse::{
    ChunkingConfig, Encoding, Language, ParseError, ParseLimits, ParsedFile, Parser, SourceText,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that follows the grammar, mostly.
struct Sample {
    language: Language,
    path: PathBuf,
    text: String,
}

/// The fixtures of the languages, and what the fuzz targets begin with.
fn samples() -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut samples = Vec::new();
    let files = |folder: PathBuf| folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    for path in files(root.join("src/languages")).flat_map(|folder| files(folder.join("fixtures"))) {
        let name = RepoPath::new(path.file_name().unwrap().to_str().unwrap()).unwrap();
        let Some(language) = Language::of_path(&name) else { continue };
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).replace('\r', "");
        samples.push(Sample { language, path, text });
    }
    for language in Language::all() {
        let path = root.join("fuzz/fixtures/parse").join(language.as_str());
        // The first byte is the language's letter.
        let Ok(text) = std::fs::read_to_string(&path).map(|text| text[1..].to_owned()) else { continue };
        samples.push(Sample { language, path, text });
    }
    for language in Language::all() {
        assert!(samples.iter().any(|sample| sample.language == language), "{language} has no fixture");
    }
    samples
}

/// A language and a text of it: lines of a sample in any order, and what is between and inside of them.
fn broken_text() -> impl Strategy<Value = (Language, String)> {
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let samples = samples();
    let samples = samples.iter().map(|sample| (sample.language, lines(&sample.text)));
    let samples: Vec<_> = samples.filter(|(_, lines)| !lines.is_empty()).collect();
    proptest::sample::select(samples).prop_flat_map(|(language, lines)| {
        let part = prop_oneof![
            6 => proptest::sample::select(lines),
            2 => "[a-z(){};=<>.,:\"'`$#@&|!?\\[\\]\\\\/*\n é-]{0,8}",
            1 => "[^\u{0}\r\u{FEFF}]{0,4}",
        ];
        vec(part, 0..24).prop_map(move |parts| (language, parts.concat()))
    })
}

/// Gives small files all the time that they may need: only what they are decides what comes out.
fn parser() -> Parser {
    parser_with(ChunkingConfig::default())
}

fn parser_with(chunking: ChunkingConfig) -> Parser {
    Parser::new(ParseLimits { time_budget: Duration::from_secs(600), ..ParseLimits::default() }, chunking)
}

fn parse(text: &str, language: Language) -> ParsedFile {
    parser().parse(text.as_bytes(), language).unwrap()
}

fn utf16(text: &str, encoding: Encoding) -> Vec<u8> {
    let units =
        ['\u{FEFF}'].into_iter().chain(text.chars()).flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec());
    let bytes =
        |unit: u16| if encoding == Encoding::Utf16Le { unit.to_le_bytes() } else { unit.to_be_bytes() };
    units.flat_map(bytes).collect()
}

/// What is the same in a file of UTF-8 once its places are those of UTF-16.
fn moved_to_utf16(mut file: ParsedFile, text: &str, encoding: Encoding) -> ParsedFile {
    let mut offsets = vec![0; text.len() + 1];
    let mut at = 2;
    for (begin, c) in text.char_indices() {
        offsets[begin] = at;
        at += 2 * c.len_utf16() as u32;
    }
    offsets[text.len()] = at;
    let move_span =
        |span: &mut Span| *span = Span::new(offsets[span.start as usize], offsets[span.end as usize]);
    for symbol in &mut file.symbols {
        [&mut symbol.span, &mut symbol.extent, &mut symbol.name_span].into_iter().for_each(move_span);
    }
    file.references.iter_mut().for_each(|reference| move_span(&mut reference.span));
    file.chunks.iter_mut().for_each(|chunk| move_span(&mut chunk.span));
    file.syntax_errors.places.iter_mut().for_each(move_span);
    file.encoding = encoding;
    file
}

/// What belongs to a definition is inside of it, or all of it comes later, as what follows PHP's `namespace a;` and
/// what a prototype is given in JavaScript.
fn assert_scopes_nest(file: &ParsedFile) -> Result<(), TestCaseError> {
    let owner = |index: u32| file.symbols[index as usize].extent;
    let fits = |owner: Span, inner: Span| owner.contains(inner) || owner.end <= inner.start;
    for symbol in &file.symbols {
        let owner = symbol.parent.map(owner);
        prop_assert!(owner.is_none_or(|owner| fits(owner, symbol.extent)), "{:?} in {:?}", symbol, owner);
    }
    for mention in &file.references {
        let owner = mention.symbol.map(owner);
        prop_assert!(owner.is_none_or(|owner| fits(owner, mention.span)), "{:?} in {:?}", mention, owner);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_file_or_binary(bytes in vec(any::<u8>(), 0..400), index in any::<prop::sample::Index>()) {
        let language = Language::all().nth(index.index(Language::all().len())).unwrap();
        match parser().parse(&bytes, language) {
            Ok(file) => invariants::check_file(&bytes, &file),
            Err(ParseError::Binary { offset }) => prop_assert_eq!(bytes[offset], 0),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn places_are_in_the_file_and_scopes_nest((language, text) in broken_text()) {
        let file = parse(&text, language);
        invariants::check_file(text.as_bytes(), &file);
        assert_scopes_nest(&file)?;
    }

    #[test]
    fn chunks_are_the_whole_file_whatever_their_size(
        (language, text) in broken_text(),
        max_tokens in 0u32..200,
        solo_tokens in 0u32..200,
    ) {
        let chunking = ChunkingConfig { max_tokens, solo_tokens };
        let source = SourceText::from_text(&text);
        let mut parser = parser_with(chunking.clone());
        invariants::check_chunks(&source, &parser.parse_source(&source, language).unwrap().chunks, &chunking);
        invariants::check_chunks(&source, &parser.cut_text(&source), &chunking);
    }

    #[test]
    fn utf16_gives_what_utf8_does(
        (language, text) in broken_text(),
        encoding in prop_oneof![Just(Encoding::Utf16Le), Just(Encoding::Utf16Be)],
    ) {
        let bytes = utf16(&text, encoding);
        let file = parser().parse(&bytes, language).unwrap();
        invariants::check_file(&bytes, &file);
        prop_assert_eq!(file, moved_to_utf16(parse(&text, language), &text, encoding));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_same_on_any_number_of_threads(texts in vec(broken_text(), 8..24)) {
        let mut one = parser();
        let alone: Vec<_> =
            texts.iter().map(|(language, text)| one.parse(text.as_bytes(), *language).unwrap()).collect();
        let among_four: Vec<Vec<_>> = std::thread::scope(|scope| {
            let texts = &texts;
            let parse_each_fourth = |first| {
                move || {
                    let mut parser = parser();
                    // Backwards, so that each meets another file's remains.
                    let parsed = (0..texts.len()).rev().filter(|at| at % 4 == first);
                    parsed.map(|at| (at, parser.parse(texts[at].1.as_bytes(), texts[at].0).unwrap())).collect()
                }
            };
            let threads: Vec<_> = (0..4).map(|first| scope.spawn(parse_each_fourth(first))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut seen = 0;
        for (at, file) in among_four.into_iter().flatten() {
            prop_assert_eq!(&file, &alone[at]);
            seen += 1;
        }
        prop_assert_eq!(seen, texts.len());
    }
}

#[test]
fn line_breaks_of_two_bytes_change_no_symbol() {
    for Sample { language, path, text } in samples() {
        let summary = |text: &str| {
            let file = parse(text, language);
            let symbol = |symbol: &ast_core_model::Symbol| {
                (symbol.name.clone(), symbol.kind, symbol.lines, symbol.parent)
            };
            let symbols: Vec<_> = file.symbols.iter().map(symbol).collect();
            let mentions: Vec<_> =
                file.references.iter().map(|found| (found.name.clone(), found.kind, found.line)).collect();
            (symbols, mentions, file.lines)
        };
        assert_eq!(summary(&text.replace('\n', "\r\n")), summary(&text), "{}", path.display());
    }
}

#[test]
fn carriage_returns_alone_end_lines_in_any_encoding() {
    let text = "fn f() {}\r// c\rfn g() {}\r";
    let rust: Language = "rust".parse().unwrap();
    let lines = |bytes: &[u8]| -> Vec<u32> {
        parser().parse(bytes, rust).unwrap().symbols.iter().map(|symbol| symbol.lines.start).collect()
    };
    assert_eq!(lines(text.as_bytes()), [1, 3]);
    assert_eq!(lines(&utf16(text, Encoding::Utf16Le)), [1, 3]);
    assert_eq!(lines(&[text.as_bytes(), b"\xFF"].concat()), [1, 3]);
}

#[test]
#[cfg(feature = "bash")]
fn characters_beyond_bytes_do_not_crash_the_scanner_of_shells() {
    let file = parse("a {\u{10FFFD}\u{10FFFD} 1\nf() { :; }\n", "bash".parse().unwrap());
    assert!(file.coverage == ast_core_parse::Coverage::Full);
}
