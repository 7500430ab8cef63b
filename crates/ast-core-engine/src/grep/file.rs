//! One file: its source is decompressed, searched, and what is found is placed among its definitions.

use super::pattern::Pattern;
use super::{GrepDetail, GrepFile, GrepLine, GrepMatch};
use crate::hit::has_changed;
use crate::references::definition_in;
use crate::{EngineError, StoreError};
use ast_core_model::{Span, Symbol};
use ast_core_parse::SourceText;
use ast_core_storage::{FileRecord, StoredDocument};
use grep_matcher::Matcher;
use grep_regex::RegexMatcher;
use grep_searcher::{Searcher, Sink, SinkContext, SinkMatch};
use std::cmp::Reverse;
use std::io;
use std::path::Path;

/// The mark that UTF-8 may begin with, which belongs to no line.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Searches a file for at most so many lines that match, and one more, which tells that there are more; `None` if there is none.
pub(super) fn search(
    pattern: &Pattern,
    tools: &mut (Searcher, RegexMatcher),
    (record, stored): (FileRecord, StoredDocument),
    most: u64,
    (store, root): (&Path, Option<&Path>),
) -> Result<Option<GrepFile>, EngineError> {
    let damaged = |reason: String| StoreError::Corrupt {
        path: store.to_owned(),
        reason: format!("the document of {}: {reason}", record.path),
    };
    let (searcher, matcher) = (&mut tools.0, &tools.1);
    let source = stored.source().map_err(damaged)?;
    let text = Text::of(source.bytes())?;
    let mut found = Found { detail: pattern.detail, matcher, text: &text, most, count: 0, lines: Vec::new() };
    let searched = searcher.search_slice(matcher, text.bytes(), &mut found);
    // A text in memory can be read, and the matcher knows no errors.
    searched.map_err(|error| EngineError::Internal { what: format!("{}: {error}", record.path) })?;
    let Found { count, mut lines, .. } = found;
    let Some(language) = record.language.clone().filter(|_| count > 0) else { return Ok(None) };
    let mut definitions = Vec::new();
    if pattern.detail == GrepDetail::Lines {
        let document = source.outline().map_err(damaged)?;
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (line, within) in innermost(&document.symbols, &lines) {
            let known = places.iter().rev().find(|(symbol, _)| *symbol == within);
            let place = known.map(|(_, place)| *place).or_else(|| {
                definitions.push(definition_in(&record, &document, Some(within as u32))?);
                places.push((within, definitions.len() - 1));
                Some(definitions.len() - 1)
            });
            lines[line].within = place;
        }
    }
    let changed = root.map(|root| has_changed(root, &record));
    Ok(Some(GrepFile { path: record.path, language, changed, count, lines, definitions }))
}

/// What of a file is searched: its bytes without the mark that they may begin with, or what is in them if they are UTF-16. So
/// does ripgrep.
enum Text<'a> {
    Bytes { bytes: &'a [u8], begin: u32 },
    Decoded(SourceText<'a>),
}

impl<'a> Text<'a> {
    fn of(source: &'a [u8]) -> Result<Self, EngineError> {
        Ok(match source {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Self::Decoded(SourceText::decode(source)?),
            _ => match source.strip_prefix(MARK) {
                Some(bytes) => Self::Bytes { bytes, begin: MARK.len() as u32 },
                None => Self::Bytes { bytes: source, begin: 0 },
            },
        })
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes { bytes, .. } => bytes,
            Self::Decoded(text) => text.text().as_bytes(),
        }
    }

    /// The place in the file.
    fn in_file(&self, start: usize, end: usize) -> Span {
        // No source has more than 4 GiB.
        let [start, end] = [start, end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        match self {
            Self::Bytes { begin, .. } => Span::new(start.saturating_add(*begin), end.saturating_add(*begin)),
            Self::Decoded(text) => text.in_file(Span::new(start, end)),
        }
    }
}

/// What was found of a file so far.
struct Found<'a> {
    detail: GrepDetail,
    matcher: &'a RegexMatcher,
    text: &'a Text<'a>,
    most: u64,
    count: u64,
    lines: Vec<GrepLine>,
}

impl Found<'_> {
    fn line(&self, number: Option<u64>, at: u64, bytes: &[u8], is_match: bool) -> GrepLine {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let at = at as usize;
        GrepLine {
            number: number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX),
            span: self.text.in_file(at, at + bytes.len()),
            bytes: bytes.to_vec(),
            is_match,
            matches: Vec::new(),
            within: None,
        }
    }
}

impl Sink for Found<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        self.count += 1;
        match self.detail {
            GrepDetail::Files => return Ok(false),
            GrepDetail::Counts => return Ok(true),
            GrepDetail::Lines if self.count > self.most => return Ok(false),
            GrepDetail::Lines => {}
        }
        let mut line = self.line(found.line_number(), found.absolute_byte_offset(), found.bytes(), true);
        let begin = found.bytes_range_in_buffer().start;
        // What is looked for may look at what is before the line, but not at its end.
        let until = &found.buffer()[..begin + line.bytes.len()];
        let every = self.matcher.find_iter_at(until, begin, |found| {
            line.matches.push(GrepMatch {
                start: (found.start() - begin) as u32,
                end: (found.end() - begin) as u32,
                span: self.text.in_file(found.start(), found.end()),
            });
            true
        });
        every.map_err(io::Error::other)?;
        self.lines.push(line);
        Ok(true)
    }

    fn context(&mut self, _: &Searcher, found: &SinkContext<'_>) -> io::Result<bool> {
        let line = self.line(found.line_number(), found.absolute_byte_offset(), found.bytes(), false);
        self.lines.push(line);
        Ok(true)
    }
}

/// Of the lines that match, by their places in the list, the innermost definition that the first match is in. Documentation,
/// decorators and attributes are in what they are of.
fn innermost(symbols: &[Symbol], lines: &[GrepLine]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..symbols.len()).collect();
    order.sort_by_key(|&symbol| {
        let extent = symbols[symbol].extent;
        (extent.start, Reverse(extent.end), symbol)
    });
    let mut coming = order.into_iter().peekable();
    let mut inside: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for (line, place) in lines.iter().enumerate().filter(|(_, line)| line.is_match) {
        let place = place.matches.first().map_or(place.span.start, |first| first.span.start);
        while let Some(next) = coming.next_if(|&next| symbols[next].extent.start <= place) {
            inside.push(next);
        }
        while inside.pop_if(|last| symbols[*last].extent.end <= place).is_some() {}
        found.extend(inside.last().map(|&symbol| (line, symbol)));
    }
    found
}
