//! What a query matches.

use super::{Failure, SCHEMA};
use ast_core_engine::{FileMatches, Language};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Matches<'a> {
    schema: u32,
    language: &'a str,
    query: &'a str,
    matches: Vec<Match<'a>>,
    failures: Vec<Failure<'a>>,
    incomplete: Vec<&'a str>,
}

impl<'a> Matches<'a> {
    pub(crate) fn new(
        language: Language,
        query: &'a str,
        files: &'a [FileMatches],
        names: &'a [&str],
        failures: &'a [ast_core_engine::Failure],
    ) -> Self {
        Self {
            schema: SCHEMA,
            language: language.as_str(),
            query,
            matches: files.iter().flat_map(|file| matches(file, names)).collect(),
            failures: failures.iter().map(Failure::from).collect(),
            incomplete: files.iter().filter(|file| file.incomplete).map(|file| file.path.as_str()).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Match<'a> {
    path: &'a str,
    pattern: usize,
    captures: Vec<Capture<'a>>,
}

#[derive(Serialize)]
struct Capture<'a> {
    name: &'a str,
    start_line: u32,
    end_line: u32,
    start_byte: u32,
    end_byte: u32,
    text: &'a str,
}

/// The matches in a file.
pub(crate) fn matches<'a>(file: &'a FileMatches, names: &'a [&str]) -> impl Iterator<Item = Match<'a>> {
    file.matches.iter().map(|found| Match {
        path: &file.path,
        pattern: found.pattern,
        captures: found
            .captures
            .iter()
            .map(|capture| Capture {
                name: names.get(capture.name as usize).copied().unwrap_or_default(),
                start_line: capture.lines.start,
                end_line: capture.lines.end,
                start_byte: capture.span.start,
                end_byte: capture.span.end,
                text: &capture.text,
            })
            .collect(),
    })
}
