//! `find_references`: where a name is mentioned.

use super::{Call, at_most, described, max_tokens, number, reading, rows, text, texts};
use crate::answer::{Answer, Page, full_name, shown};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use ast_core_engine::{Mention, ReferenceQuery};
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::json;

const NAME: &str = "find_references";
/// Mentions that can be paged through.
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: String,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    kind: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    path: Vec<String>,
    #[serde(default, deserialize_with = "arguments::one_or_many")]
    language: Vec<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

/// What is told of a mention.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    line: u32,
    kind: &'static str,
    evidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<bool>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "name": described("A name, with or without names round it: open, Engine.open"),
        "kind": texts("call, type, import, inherit"),
        "path": texts("Globs"),
        "language": texts("Languages"),
        "limit": at_most(30, 200),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let row = json!({
        "path": text(), "line": number(), "kind": text(), "evidence": text(), "within": text(), "text": text(),
        "changed": { "type": "boolean" },
    });
    let description = "Find who calls, imports, extends or uses a name, and within which definition. \
        evidence says why a mention means the definition: same_file, import, or only its name.";
    reading(NAME, description, input, &["name"], rows(row))
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let mut page = Page::new(asked.max_tokens)?;
    let (limit, offset) = (arguments::limit(asked.limit, 30, 200)?, place.offset());
    if asked.name.trim().is_empty() {
        return Err(Failure::Arguments("name is empty; give a name, such as Engine.open".into()));
    }
    let query = ReferenceQuery {
        kinds: arguments::reference_kinds(&asked.kind)?,
        languages: arguments::languages(&asked.language)?,
        paths: asked.path,
        limit: MOST,
        ..ReferenceQuery::new(asked.name)
    };
    let engine = call.workspace.engine().await?;
    let reply = engine.references(&query).await?;
    place.check(reply.generation)?;
    let count = reply.definitions.len();
    match count {
        0 => page.note("the name is defined nowhere in this tree"),
        1 => {}
        _ => page.note(format!("{count} definitions have the name; give it with names round it to mean one")),
    }
    if reply.unread_files > 0 {
        page.note(format!("{} more files may mention it; narrow it by path or kind", reply.unread_files));
    }
    for mention in reply.mentions.iter().skip(offset).take(limit) {
        let row = row_of(mention);
        if !page.push(&row, &line_of(&row))? {
            break;
        }
    }
    let told = offset + page.len();
    let more = reply.mentions.len().saturating_sub(told);
    let note = call.workspace.note(&engine, reply.generation, reply.complete).await;
    Ok(page.finish(&note, more, || place.next(reply.generation, told)))
}

fn row_of(mention: &Mention) -> Row<'_> {
    Row {
        path: mention.path.as_str(),
        line: mention.line,
        kind: mention.kind.as_str(),
        evidence: mention.evidence.as_str(),
        within: mention.within.as_ref().map(|within| full_name(&within.scope, &within.name)),
        text: &mention.text,
        changed: mention.changed.filter(|changed| *changed),
    }
}

fn line_of(row: &Row<'_>) -> String {
    let within = row.within.as_deref().map_or(String::new(), |within| format!(" in {}", shown(within)));
    let changed = if row.changed.is_some() { " (changed since it was indexed)" } else { "" };
    let Row { path, line, kind, evidence, text, .. } = row;
    format!("{}:{line} {kind} {evidence}{within}{changed} | {}", shown(path), shown(text))
}
