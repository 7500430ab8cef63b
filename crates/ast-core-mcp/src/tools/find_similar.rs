//! `find_similar`: code that is like the code at a place.

use super::{Call, at_most, described, max_tokens, reading, rows, text, texts, yes_or_no};
use crate::answer::{Answer, Page};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use ast_core_engine::{SimilarQuery, SimilarTo};
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;

const NAME: &str = "find_similar";
/// Hits that can be paged through.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    line: u32,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    within: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    language: Vec<String>,
    limit: Option<usize>,
    #[serde(default)]
    bodies: bool,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "path": described("A file of the index"),
        "line": { "type": "integer", "minimum": 1, "default": 1 },
        "within": texts("Globs"),
        "language": texts("Languages"),
        "limit": at_most(10, 50),
        "bodies": yes_or_no("With the code"),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let description = "Find code that is like the code round a line: copies, renamed or not, and code that does the \
        same in other words or another language. A score of 1 is a copy.";
    reading(
        NAME,
        description,
        input,
        &["path", "line"],
        rows(json!({ "path": text(), "score": { "type": "number" } })),
    )
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let mut page = Page::new(asked.max_tokens)?;
    let (limit, offset) = (arguments::limit(asked.limit, 10, 50)?, place.offset());
    let path = arguments::path(&asked.path, &call.workspace.root)?;
    let query = SimilarQuery {
        limit: MOST,
        languages: arguments::languages(&asked.language)?,
        paths: asked.within,
        ..SimilarQuery::new(SimilarTo::Place { path: path.as_str().into(), line: asked.line })
    };
    let engine = call.workspace.engine().await?;
    // Only of files of the index is anything told.
    engine.file(&path).await?;
    let reply = engine.similar(&query).await?;
    place.check(reply.generation)?;
    for notice in &reply.notices {
        page.note(notice.to_string());
    }
    page.push_hits(reply.hits.iter().skip(offset).take(limit), asked.bodies)?;
    let told = offset + page.len();
    let more = reply.hits.len().saturating_sub(told);
    let note = call.workspace.note(&engine, reply.generation, reply.complete).await;
    Ok(page.finish(&note, more, || place.next(reply.generation, told)))
}
