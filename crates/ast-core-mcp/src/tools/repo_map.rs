//! `repo_map`: the definitions that the rest of the tree leans on most.

use super::{Call, max_tokens, reading, rows, text, texts};
use crate::answer::{Answer, Page, Row, full_name};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use ast_core_engine::{MapDefinition, MapFile, MapQuery, MapReply};
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;

const NAME: &str = "repo_map";

/// The tokens of all that can be paged through.
const MOST_TOKENS: usize = 20_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    focus: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    path: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    language: Vec<String>,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "focus": texts("Globs: what these files lean on"),
        "path": texts("Globs"),
        "language": texts("Languages"),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let description = "The definitions that the rest of the tree leans on most, those of the most central file first: \
        where to begin in code that is not known.";
    reading(NAME, description, input, &[], rows(json!({ "path": text(), "name": text() })))
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let mut page = Page::new(asked.max_tokens)?;
    let query = MapQuery {
        budget: MOST_TOKENS,
        languages: arguments::languages(&asked.language)?,
        paths: asked.path,
        focus: asked.focus,
    };
    let engine = call.workspace.engine().await?;
    let reply = engine.map(&query).await?;
    place.check(reply.generation)?;
    if reply.focus_files == Some(0) {
        page.note("focus matches no file of the index: this is what the whole tree leans on");
    }
    let rows = rows_of(&reply);
    for row in rows.iter().skip(place.offset()) {
        if !page.push(row, &row.text())? {
            break;
        }
    }
    let told = place.offset() + page.len();
    let note = call.workspace.note(&engine, reply.generation, reply.complete).await;
    Ok(page.finish(&note, rows.len().saturating_sub(told), || place.next(reply.generation, told)))
}

/// What is told of the definitions that were chosen. Those round them are in their names.
fn rows_of(reply: &MapReply) -> Vec<Row> {
    let of_file = |file: &MapFile| -> Vec<Row> {
        let chosen = file.definitions.iter().filter(|definition| definition.rank.is_some());
        let row = |definition: &MapDefinition| Row {
            path: file.path.to_string(),
            start_line: definition.lines.start,
            end_line: definition.lines.end,
            kind: Some(definition.kind.as_str()),
            name: Some(full_name(&definition.scope, &definition.name)),
            signature: Some(definition.signature.clone()),
            changed: file.changed == Some(true),
            ..Row::default()
        };
        chosen.map(row).collect()
    };
    reply.files.iter().flat_map(of_file).collect()
}
