//! `find_symbol`: definitions by their names.

use super::{Call, at_most, described, max_tokens, number, reading, rows, text, texts, yes_or_no};
use crate::answer::{Answer, Page, Row, full_name};
use crate::arguments;
use crate::cursor::Place;
use crate::failure::Failure;
use ast_core_engine::{Definition, Engine, EngineError, FileView, NameMatch, SymbolLookup, scope_of};
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;

const NAME: &str = "find_symbol";
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: String,
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
        "name": described("A name, with or without names round it: open, Engine.open"),
        "path": texts("Globs"),
        "language": texts("Languages"),
        "kind": texts("As of search_code"),
        "limit": at_most(20, 100),
        "bodies": yes_or_no("With the code"),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let row = json!({
        "path": text(), "start_line": number(), "end_line": number(), "kind": text(), "name": text(),
        "signature": text(), "changed": { "type": "boolean" }, "body": text(),
    });
    let description = "Find where a name is defined. Without a definition of that very name: those in another \
        case, then those that begin with it, then those that hold it.";
    reading(NAME, description, input, &["name"], rows(row))
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let mut page = Page::new(asked.max_tokens)?;
    let (limit, offset) = (arguments::limit(asked.limit, 20, 100)?, place.offset());
    if asked.name.trim().is_empty() {
        return Err(Failure::Arguments("name is empty; give a name, such as Engine.open".into()));
    }
    let lookup = SymbolLookup {
        kinds: arguments::kinds(&asked.kind)?,
        languages: arguments::languages(&asked.language)?,
        paths: asked.path,
        limit: (offset + limit).min(MOST),
        ..SymbolLookup::new(asked.name)
    };
    let engine = call.workspace.engine().await?;
    let reply = engine.find_symbols(&lookup).await?;
    place.check(reply.generation)?;
    match reply.matching {
        _ if reply.found == 0 => page.note("search_code finds by parts of names and by meaning"),
        NameMatch::Exact => {}
        NameMatch::IgnoreCase => page.note("no definition of this very name; these differ in case"),
        NameMatch::Prefix => page.note("no definition of this name; these begin with it"),
        NameMatch::Substring => page.note("no definition of this name; these hold it"),
    }
    for found in reply.symbols.iter().skip(offset) {
        let mut row = row_of(&found.definition);
        row.changed = found.changed == Some(true);
        if asked.bodies {
            row = with_body(row, &found.definition, &engine, &page).await?;
        }
        if row.body_lines_left > 0 && page.len() > 0 || !page.push(&row, &row.text())? {
            break;
        }
    }
    let told = offset + page.len();
    let more = reply.found.min(MOST).saturating_sub(told);
    let note = call.workspace.note(&engine, reply.generation, reply.complete).await;
    Ok(page.finish(&note, more, || place.next(reply.generation, told)))
}

/// What is told of a definition.
pub(super) fn row_of(definition: &Definition) -> Row {
    Row {
        path: definition.path.to_string(),
        start_line: definition.lines.start,
        end_line: definition.lines.end,
        kind: Some(definition.kind.as_str()),
        name: Some(full_name(&definition.scope, &definition.name)),
        signature: Some(definition.signature.clone()),
        ..Row::default()
    }
}

/// With its code, as it is now.
async fn with_body(
    mut row: Row,
    definition: &Definition,
    engine: &Engine,
    page: &Page,
) -> Result<Row, Failure> {
    let view = match engine.file(&definition.path).await {
        Ok(view) => view,
        // It is gone since, and its row says so.
        Err(EngineError::NotIndexed { .. } | EngineError::Unreadable { .. }) => {
            row.changed = true;
            return Ok(row);
        }
        Err(error) => return Err(error.into()),
    };
    row.changed = view.changed;
    let Some(index) = locate(&view, definition) else { return Ok(row) };
    let lines = view.extents[index];
    (row.start_line, row.end_line) = (lines.start, lines.end);
    Ok(row.with_body(view.lines(lines), page))
}

/// A definition in its file, which may have changed: the nearest one of its name and kind.
pub(super) fn locate(view: &FileView, definition: &Definition) -> Option<usize> {
    let is_same = |index: &usize| {
        let symbol = &view.symbols[*index];
        *symbol.name == *definition.name
            && symbol.kind == definition.kind
            && scope_of(&view.symbols, *index) == definition.scope
    };
    let distance = |index: &usize| view.symbols[*index].lines.start.abs_diff(definition.lines.start);
    (0..view.symbols.len()).filter(is_same).min_by_key(distance)
}
