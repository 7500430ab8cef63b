//! What the fuzz targets check, also for the tests that replay their inputs.
//!
//! The first byte of an input is the language: `A` is the first of [`LANGUAGES`], `B` the second, and so on.
#![deny(missing_docs)]

pub mod invariants;

use ast_core_model::Span;
use ast_core_parse::{
    ChunkingConfig, Coverage, Edit, EditedText, Language, ParseLimits, ParsedFile, Parser, SourceText,
};
use std::cell::RefCell;
use std::time::Duration;

/// The languages by their letters. New ones come last, so that the inputs that are kept stay in their languages.
pub const LANGUAGES: &[&str] = &[
    "bash",
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "kotlin",
    "php",
    "python",
    "ruby",
    "rust",
    "scala",
    "swift",
    "tsx",
    "typescript",
];

/// The largest input that is looked at, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// A target: checks what comes of an input, and panics if something does not hold.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 3] = [("parse", parse), ("chunk", chunk), ("reparse", reparse)];

thread_local! {
    // Kept from input to input, so that what one leaves behind meets the next.
    static PARSER: RefCell<Parser> = RefCell::new(Parser::new(limits(), ChunkingConfig::default()));
}

fn limits() -> ParseLimits {
    ParseLimits { time_budget: Duration::from_millis(500), ..ParseLimits::default() }
}

/// The language that an input is in; `None` if it is empty or this build does not have the language.
fn language(data: &[u8]) -> Option<(Language, &[u8])> {
    let (&letter, rest) = data.split_first()?;
    let index = letter.wrapping_sub(b'A') as usize % LANGUAGES.len();
    Some((LANGUAGES[index].parse().ok()?, &rest[..rest.len().min(MAX_BYTES)]))
}

/// Parses the bytes after the first as a file.
pub fn parse(data: &[u8]) {
    let Some((language, bytes)) = language(data) else { return };
    PARSER.with_borrow_mut(|parser| {
        if let Ok(file) = parser.parse(bytes, language) {
            invariants::check_file(bytes, &file);
        }
    });
}

/// Cuts text into chunks, along its tree and by lines. After the language come `max_tokens` and `solo_tokens`, two
/// bytes each, little end first, and the text.
pub fn chunk(data: &[u8]) {
    let Some((language, rest)) = language(data) else { return };
    let Some((&[a, b, c, d], bytes)) = rest.split_first_chunk() else { return };
    let chunking = ChunkingConfig {
        max_tokens: u32::from(u16::from_le_bytes([a, b])),
        solo_tokens: u32::from(u16::from_le_bytes([c, d])),
    };
    let mut parser = Parser::new(limits(), chunking.clone());
    let Ok(source) = SourceText::decode(bytes) else { return };
    let Ok(file) = parser.parse_source(&source, language) else { return };
    invariants::check_chunks(&source, &file.chunks, &chunking);
    let by_lines = parser.cut_text(&source);
    invariants::check_chunks(&source, &by_lines, &chunking);
    assert!(by_lines.iter().all(|chunk| chunk.symbol.is_none()));
}

/// Edits a text and compares what comes of each edit with what parsing the text anew gives. After the language come
/// the length of the text, two bytes, the text, and the edits: where it begins and ends, two bytes each, the length
/// of what replaces it, one byte, and that. What is not UTF-8 is replaced, and places are moved to the next character
/// boundary.
pub fn reparse(data: &[u8]) {
    let Some((language, rest)) = language(data) else { return };
    let Some((length, rest)) = number(rest) else { return };
    let (begin, mut rest) = rest.split_at(length.min(rest.len()));
    let mut text = EditedText::new(String::from_utf8_lossy(begin), "name", language);
    PARSER.with_borrow_mut(|parser| {
        check_reparsed(parser, &mut text, &[]);
        while let Some((edit, after)) = edit(text.text(), rest) {
            check_reparsed(parser, &mut text, &[edit]);
            rest = after;
        }
    });
}

fn number(data: &[u8]) -> Option<(usize, &[u8])> {
    let (bytes, rest) = data.split_first_chunk()?;
    Some((u16::from_le_bytes(*bytes) as usize, rest))
}

fn edit<'a>(text: &str, data: &'a [u8]) -> Option<(Edit, &'a [u8])> {
    let (from, data) = number(data)?;
    let (to, data) = number(data)?;
    let (&length, data) = data.split_first()?;
    let (piece, rest) = data.split_at((length as usize).min(data.len()));
    let place = |at: usize| text.ceil_char_boundary(at.min(text.len())) as u32;
    let span = Span::new(place(from.min(to)), place(from.max(to)));
    Some((Edit { span, text: String::from_utf8_lossy(piece).into_owned() }, rest))
}

fn check_reparsed(parser: &mut Parser, text: &mut EditedText, edits: &[Edit]) {
    let again = parser.reparse(text, edits).expect("every edit is within the text");
    let source = SourceText::from_text(text.text()).named("name");
    let anew = parser.parse_source(&source, text.language()).expect("the text is small");
    let late = |file: &ParsedFile| matches!(file.coverage, Coverage::TimedOut { .. });
    if !late(&again) && !late(&anew) {
        assert_eq!(again, anew, "{}: {:?}", text.language(), text.text());
    }
    invariants::check_source(&source, text.text().len(), &again);
}
