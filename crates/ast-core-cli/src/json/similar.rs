//! Code that is like other code.

use super::search::HitBecause;
use super::{SCHEMA, rounded};
use ast_core_engine::{SearchHit, SimilarPlace, SimilarReply};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Similar<'a> {
    schema: u32,
    place: Option<Place<'a>>,
    took_ms: f64,
    generation: u64,
    hits: Vec<SimilarHit<'a>>,
    notices: Vec<String>,
}

impl<'a> From<&'a SimilarReply> for Similar<'a> {
    fn from(reply: &'a SimilarReply) -> Self {
        Self {
            schema: SCHEMA,
            place: reply.place.as_ref().map(Place::from),
            took_ms: rounded(reply.took.as_secs_f64() * 1e3),
            generation: reply.generation,
            hits: reply.hits.iter().map(SimilarHit::from).collect(),
            notices: reply.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What the hits are like.
#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    language: Option<&'a str>,
    kind: Option<&'static str>,
    name: Option<&'a str>,
    scope: &'a [String],
    unindexed: bool,
}

impl<'a> From<&'a SimilarPlace> for Place<'a> {
    fn from(place: &'a SimilarPlace) -> Self {
        Self {
            path: place.path.as_str(),
            start_line: place.lines.start,
            end_line: place.lines.end,
            language: place.language.as_ref().map(|language| language.as_str()),
            kind: place.kind.map(|kind| kind.as_str()),
            name: place.name.as_deref(),
            scope: &place.scope,
            unindexed: place.unindexed,
        }
    }
}

/// A hit, and in what it is alike.
pub(crate) type SimilarHit<'a> = HitBecause<'a, Likeness>;

#[derive(Serialize)]
pub(crate) struct Likeness {
    meaning: Option<f64>,
    shape: Option<f64>,
    words: Option<f64>,
}

impl<'a> From<&'a SearchHit> for SimilarHit<'a> {
    fn from(hit: &'a SearchHit) -> Self {
        let likeness = hit.why.likeness;
        let why = Likeness {
            meaning: likeness.and_then(|likeness| likeness.meaning).map(rounded),
            shape: likeness.map(|likeness| rounded(likeness.shape)),
            words: likeness.map(|likeness| rounded(likeness.words)),
        };
        Self::new(hit, why)
    }
}
