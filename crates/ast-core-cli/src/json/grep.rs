//! Lines that match a pattern. They go out as they are found, so that of very many there are not all in memory.

use super::{SCHEMA, rounded};
use ast_core_engine::{Definition, GrepDetail, GrepFile, GrepLine, GrepMatch, GrepQuery, GrepSummary};
use serde::Serialize;

/// The document up to the hits.
pub(crate) fn grep_begin(query: &GrepQuery) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Begin<'a> {
        schema: u32,
        pattern: &'a str,
    }
    let begin = serde_json::to_string(&Begin { schema: SCHEMA, pattern: &query.pattern })?;
    Ok(format!("{},\"hits\":[", begin.trim_end_matches('}')))
}

/// The document from the end of the hits on.
pub(crate) fn grep_end(summary: &GrepSummary) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct End {
        lines: u64,
        files: u64,
        files_read: u64,
        more: bool,
        took_ms: f64,
        generation: u64,
        complete: bool,
    }
    let end = serde_json::to_string(&End {
        lines: summary.lines,
        files: summary.files,
        files_read: summary.files_read,
        more: summary.more,
        took_ms: rounded(summary.took.as_secs_f64() * 1e3),
        generation: summary.generation,
        complete: summary.complete,
    })?;
    Ok(format!("],{}\n", end.trim_start_matches('{')))
}

/// A line that matches, or a file that has some.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum GrepHit<'a> {
    Line(Line<'a>),
    File(File<'a>),
}

#[derive(Serialize)]
pub(crate) struct File<'a> {
    path: &'a str,
    language: &'a str,
    /// Unknown if no more than one was looked for.
    count: Option<u64>,
    changed: Option<bool>,
}

#[derive(Serialize)]
pub(crate) struct Line<'a> {
    path: &'a str,
    line: u32,
    start_byte: u32,
    end_byte: u32,
    language: &'a str,
    text: String,
    matches: Vec<Match>,
    before: Vec<String>,
    after: Vec<String>,
    within: Option<Within<'a>>,
    changed: Option<bool>,
}

#[derive(Serialize)]
struct Match {
    start_byte: u32,
    end_byte: u32,
    text: String,
}

#[derive(Serialize)]
struct Within<'a> {
    kind: &'static str,
    name: &'a str,
    scope: &'a [String],
    start_line: u32,
    end_line: u32,
}

impl<'a> GrepHit<'a> {
    /// What is to be told of a file.
    pub(crate) fn all_of(file: &'a GrepFile, query: &'a GrepQuery) -> impl Iterator<Item = Self> {
        let is_of_lines = query.detail == GrepDetail::Lines;
        let of_file = (!is_of_lines).then(|| {
            let count = (query.detail == GrepDetail::Counts).then_some(file.count);
            let (path, language) = (file.path.as_str(), file.language.as_str());
            Self::File(File { path, language, count, changed: file.changed })
        });
        let lines = file.lines.iter().enumerate().filter(|(_, line)| line.is_match);
        of_file.into_iter().chain(lines.map(move |(at, line)| Self::Line(Line::new(file, at, line, query))))
    }
}

impl<'a> Line<'a> {
    fn new(file: &'a GrepFile, at: usize, line: &'a GrepLine, query: &GrepQuery) -> Self {
        // Lines behind each other in the list may be far from each other in the file.
        let is_near = |other: &&GrepLine, most: u32| other.number.abs_diff(line.number) <= most;
        let (before, after) = (&file.lines[..at], &file.lines[at + 1..]);
        let mut before: Vec<String> =
            before.iter().rev().take_while(|other| is_near(other, query.before)).map(text_of).collect();
        before.reverse();
        Self {
            path: file.path.as_str(),
            line: line.number,
            start_byte: line.span.start,
            end_byte: line.span.end,
            language: file.language.as_str(),
            text: text_of(line),
            matches: line.matches.iter().map(|found| Match::new(line, found)).collect(),
            before,
            after: after.iter().take_while(|other| is_near(other, query.after)).map(text_of).collect(),
            within: file.definition_of(line).map(Within::from),
            changed: file.changed,
        }
    }
}

impl Match {
    fn new(line: &GrepLine, found: &GrepMatch) -> Self {
        let bytes = line.bytes.get(found.start as usize..found.end as usize).unwrap_or_default();
        Self {
            start_byte: found.span.start,
            end_byte: found.span.end,
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

impl<'a> From<&'a Definition> for Within<'a> {
    fn from(definition: &'a Definition) -> Self {
        Self {
            kind: definition.kind.as_str(),
            name: &definition.name,
            scope: &definition.scope,
            start_line: definition.lines.start,
            end_line: definition.lines.end,
        }
    }
}

/// A line without the carriage return that its end may begin with.
fn text_of(line: &GrepLine) -> String {
    let mut text = line.text().into_owned();
    if text.ends_with('\r') {
        text.pop();
    }
    text
}
