//! `search_code`: pieces of the tree by words and by meaning.

use super::{Call, at_most, described, max_tokens, number, reading, rows, text, texts, yes_or_no};
use crate::answer::{Answer, Page};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use ast_core_engine::SearchQuery;
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;

const NAME: &str = "search_code";
/// Hits that can be paged through: whoever does not find it there asks in other words.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    mode: Option<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    path: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    language: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    kind: Vec<String>,
    limit: Option<usize>,
    #[serde(default)]
    bodies: bool,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "query": described("Words, a name, a question, or code"),
        "mode": { "enum": ["hybrid", "lexical", "semantic"], "default": "hybrid" },
        "path": texts("Globs, such as src/**/*.rs"),
        "language": texts("Such as rust, typescript"),
        "kind": texts("Such as function, method, class, struct"),
        "limit": at_most(10, 50),
        "bodies": yes_or_no("With the code"),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let row = json!({
        "path": text(), "start_line": number(), "end_line": number(), "kind": text(), "name": text(),
        "score": { "type": "number" }, "changed": { "type": "boolean" }, "body": text(),
    });
    let description = "Find code by words and by meaning. Rows are path:start-end kind name score, best first; \
        scores are from 0 to 1. For a name that is known, find_symbol is better.";
    reading(NAME, description, input, &["query"], rows(row))
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let mut page = Page::new(asked.max_tokens)?;
    let (limit, offset) = (arguments::limit(asked.limit, 10, 50)?, place.offset());
    let query = SearchQuery {
        limit: (offset + limit).min(MOST),
        mode: arguments::mode(asked.mode.as_deref())?,
        languages: arguments::languages(&asked.language)?,
        paths: asked.path,
        kinds: arguments::kinds(&asked.kind)?,
        ..SearchQuery::new(asked.query)
    };
    let engine = call.workspace.engine().await?;
    let reply = engine.search(&query).await?;
    place.check(reply.generation)?;
    for notice in &reply.notices {
        page.note(notice.to_string());
    }
    page.push_hits(reply.hits.iter().skip(offset), asked.bodies)?;
    let told = offset + page.len();
    let more = reply.found.min(MOST).saturating_sub(told);
    let note = call.workspace.note(&engine, reply.generation, reply.complete).await;
    Ok(page.finish(&note, more, || place.next(reply.generation, told)))
}
