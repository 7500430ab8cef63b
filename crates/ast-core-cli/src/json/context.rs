//! What to read to know what a query asks for.

use super::{SCHEMA, rounded};
use ast_core_engine::{ContextPart, ContextQuery, ContextReply};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Context<'a> {
    schema: u32,
    query: &'a str,
    budget: usize,
    tokens: usize,
    left_out: usize,
    took_ms: f64,
    generation: u64,
    complete: bool,
    files: Vec<ContextFile<'a>>,
    notices: Vec<String>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(query: &'a ContextQuery, reply: &'a ContextReply) -> Self {
        Self {
            schema: SCHEMA,
            query: &query.search.text,
            budget: query.budget,
            tokens: reply.tokens,
            left_out: reply.left_out,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            complete: reply.complete,
            files: reply.files.iter().map(ContextFile::from).collect(),
            notices: reply.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ContextFile<'a> {
    path: &'a str,
    language: &'a str,
    changed: Option<bool>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    start_line: u32,
    end_line: u32,
    kind: Option<&'static str>,
    name: Option<&'a str>,
    scope: &'a [String],
    score: f64,
    form: &'static str,
    text: &'a str,
}

impl<'a> From<&'a ast_core_engine::ContextFile> for ContextFile<'a> {
    fn from(file: &'a ast_core_engine::ContextFile) -> Self {
        Self {
            path: file.path.as_str(),
            language: file.language.as_str(),
            changed: file.changed,
            parts: file.parts.iter().map(Part::from).collect(),
        }
    }
}

impl<'a> From<&'a ContextPart> for Part<'a> {
    fn from(part: &'a ContextPart) -> Self {
        Self {
            start_line: part.lines.start,
            end_line: part.lines.end,
            kind: part.kind.map(|kind| kind.as_str()),
            name: part.name.as_deref(),
            scope: &part.scope,
            score: rounded(part.score),
            form: part.form.as_str(),
            text: &part.text,
        }
    }
}
