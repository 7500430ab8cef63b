//! The definitions that a tree leans on most.

use super::{SCHEMA, rounded};
use ast_core_engine::{MapDefinition, MapReply};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Map<'a> {
    schema: u32,
    budget: usize,
    tokens: usize,
    candidates: usize,
    focus_files: Option<usize>,
    took_ms: f64,
    generation: u64,
    complete: bool,
    files: Vec<MapFile<'a>>,
}

impl<'a> Map<'a> {
    pub(crate) fn new(budget: usize, reply: &'a MapReply) -> Self {
        Self {
            schema: SCHEMA,
            budget,
            tokens: reply.tokens,
            candidates: reply.candidates,
            focus_files: reply.focus_files,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            complete: reply.complete,
            files: reply.files.iter().map(MapFile::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct MapFile<'a> {
    path: &'a str,
    language: &'a str,
    changed: Option<bool>,
    definitions: Vec<Definition<'a>>,
}

#[derive(Serialize)]
struct Definition<'a> {
    start_line: u32,
    end_line: u32,
    kind: &'static str,
    name: &'a str,
    scope: &'a [String],
    signature: &'a str,
    rank: Option<f64>,
}

impl<'a> From<&'a ast_core_engine::MapFile> for MapFile<'a> {
    fn from(file: &'a ast_core_engine::MapFile) -> Self {
        Self {
            path: file.path.as_str(),
            language: file.language.as_str(),
            changed: file.changed,
            definitions: file.definitions.iter().map(Definition::from).collect(),
        }
    }
}

impl<'a> From<&'a MapDefinition> for Definition<'a> {
    fn from(definition: &'a MapDefinition) -> Self {
        Self {
            start_line: definition.lines.start,
            end_line: definition.lines.end,
            kind: definition.kind.as_str(),
            name: &definition.name,
            scope: &definition.scope,
            signature: &definition.signature,
            // Of a large tree each has little: places behind the point would not tell them apart.
            rank: definition.rank.map(|rank| (rank * 1e8).round() / 1e8),
        }
    }
}
