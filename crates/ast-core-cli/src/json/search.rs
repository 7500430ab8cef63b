//! What a search found.

use super::{SCHEMA, rounded};
use ast_core_engine::{SearchHit, SearchReply};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Search<'a> {
    schema: u32,
    query: &'a str,
    took_ms: f64,
    generation: u64,
    hits: Vec<Hit<'a>>,
    notices: Vec<String>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(query: &'a str, reply: &'a SearchReply) -> Self {
        Self {
            schema: SCHEMA,
            query,
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            hits: reply.hits.iter().map(Hit::from).collect(),
            notices: reply.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A hit of a search.
pub(crate) type Hit<'a> = HitBecause<'a, Why>;

/// A hit, and why it is one.
#[derive(Serialize)]
pub(crate) struct HitBecause<'a, W> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    language: &'a str,
    kind: Option<&'static str>,
    name: Option<&'a str>,
    scope: &'a [String],
    score: f64,
    snippet: &'a str,
    why: W,
}

#[derive(Serialize)]
pub(crate) struct Why {
    lexical: Option<f64>,
    semantic: Option<f64>,
    boosts: Vec<(&'static str, f64)>,
    reranked: Option<f64>,
}

impl<'a, W> HitBecause<'a, W> {
    pub(super) fn new(hit: &'a SearchHit, why: W) -> Self {
        Self {
            path: hit.path.as_str(),
            start_line: hit.lines.start,
            end_line: hit.lines.end,
            language: hit.language.as_str(),
            kind: hit.kind.map(|kind| kind.as_str()),
            name: hit.name.as_deref(),
            scope: &hit.scope,
            score: rounded(hit.score),
            snippet: &hit.snippet,
            why,
        }
    }
}

impl<'a> From<&'a SearchHit> for Hit<'a> {
    fn from(hit: &'a SearchHit) -> Self {
        let why = Why {
            lexical: hit.why.lexical.map(rounded),
            semantic: hit.why.semantic.map(rounded),
            boosts: hit.why.boosts.iter().map(|(name, value)| (*name, rounded(*value))).collect(),
            reranked: hit.why.reranked.map(rounded),
        };
        Self::new(hit, why)
    }
}
