//! `read_symbol`: the code of a definition.

use super::find_symbol::{locate, row_of};
use super::{Call, described, max_tokens, number, reading, rows, text};
use crate::answer::{Answer, Page, Row, full_name};
use crate::arguments;
use crate::cursor::{Place, number as number_of};
use crate::failure::Failure;
use ast_core_engine::{FileView, LineRange, SymbolLookup, scope_of};
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;

const NAME: &str = "read_symbol";
/// Lines before and after a line that is in no definition.
const ROUND: (u32, u32) = (10, 30);
/// Definitions that are listed if more than one can be meant.
const LISTED: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: Option<String>,
    name: Option<String>,
    line: Option<u32>,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "path": described("The file"),
        "line": { "type": "integer", "description": "A line of the definition" },
        "name": described("Its name, in place of a line or of both"),
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let row = json!({
        "path": text(), "start_line": number(), "end_line": number(), "kind": text(), "name": text(),
        "changed": { "type": "boolean" }, "body": text(),
    });
    let description = "Read the code of one definition as it is now, with its documentation. If a name means \
        several, they are listed instead.";
    reading(NAME, description, input, &[], rows(row))
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let page = Page::new(asked.max_tokens)?;
    let engine = call.workspace.engine().await?;
    let (view, index) = match (&asked.path, &asked.name, asked.line) {
        (Some(path), name, line) => {
            let view = engine.file(&arguments::path(path, &call.workspace.root)?).await?;
            let index = match (name, line) {
                (_, Some(line)) if line == 0 || line as usize > view.text.lines().count() => {
                    let count = view.text.lines().count();
                    return Err(Failure::Arguments(format!(
                        "line is {line}; the file has lines 1 to {count}"
                    )));
                }
                (_, Some(line)) => view.symbol_at(line).ok_or(line),
                (Some(name), None) => match &named(&view, name)[..] {
                    [] => {
                        return Err(Failure::Arguments(
                            "the file has no definition of this name; see outline_file".into(),
                        ));
                    }
                    [index] => Ok(*index),
                    several => {
                        let rows = several.iter().map(|index| row_in(&view, *index)).collect();
                        return list(&call, page, rows, &view).await;
                    }
                },
                (None, None) => {
                    return Err(Failure::Arguments(
                        "path alone is too little; give line or name, too".into(),
                    ));
                }
            };
            (view, index)
        }
        (None, Some(name), None) => {
            let lookup = SymbolLookup { limit: LISTED, ..SymbolLookup::new(name) };
            let reply = engine.find_symbols(&lookup).await?;
            match &reply.symbols[..] {
                [] => {
                    return Err(Failure::Arguments(
                        "there is no definition of this name, nor of one like it; search_code finds by meaning"
                            .into(),
                    ));
                }
                [found] => {
                    let view = engine.file(&found.definition.path).await?;
                    let line = found.definition.lines.start;
                    let index = locate(&view, &found.definition).ok_or(line);
                    (view, index)
                }
                several => {
                    let view = engine.file(&several[0].definition.path).await?;
                    let rows = several.iter().map(|found| row_of(&found.definition)).collect();
                    return list(&call, page, rows, &view).await;
                }
            }
        }
        (None, _, _) => {
            return Err(Failure::Arguments("give path and line, path and name, or name".into()));
        }
    };
    let (mut row, lines) = match index {
        Ok(index) => (Row { signature: None, ..row_in(&view, index) }, view.extents[index]),
        // It is in no definition: what is round it.
        Err(line) => {
            let row = Row { path: view.path.to_string(), changed: view.changed, ..Row::default() };
            (row, LineRange::new(line.saturating_sub(ROUND.0).max(1), line.saturating_add(ROUND.1)))
        }
    };
    let version = number_of(view.hash);
    place.check(version)?;
    let count = view.lines(lines).count();
    let offset = place.offset().min(count);
    (row.start_line, row.end_line) = (lines.start + offset as u32, lines.start + count.max(1) as u32 - 1);
    let mut row = row.with_body(view.lines(lines).skip(offset), &page);
    // They are what there is more of.
    let more = std::mem::take(&mut row.body_lines_left);
    let told = count - more;
    let mut page = page;
    if more > 0 && told == offset {
        page.note("the next line is too long for max_tokens");
    }
    page.push(&row, &row.text())?;
    let note = call.workspace.note(&engine, view.generation, view.complete).await;
    let next = if told == offset { told + 1 } else { told };
    Ok(page.finish(&note, more, || place.next(version, next)))
}

/// The definitions of a file with this name, which may have names round it.
fn named(view: &FileView, name: &str) -> Vec<usize> {
    let is_meant = |index: &usize| {
        let full = full_name(&scope_of(&view.symbols, *index), &view.symbols[*index].name);
        let name = name.replace("::", ".");
        full == name || full.strip_suffix(name.as_str()).is_some_and(|round| round.ends_with('.'))
    };
    (0..view.symbols.len()).filter(is_meant).collect()
}

fn row_in(view: &FileView, index: usize) -> Row {
    let symbol = &view.symbols[index];
    let lines = view.extents[index];
    Row {
        path: view.path.to_string(),
        start_line: lines.start,
        end_line: lines.end,
        kind: Some(symbol.kind.as_str()),
        name: Some(full_name(&scope_of(&view.symbols, index), &symbol.name)),
        signature: Some(symbol.signature.to_string()),
        changed: view.changed,
        ..Row::default()
    }
}

/// The definitions that can be meant.
async fn list(call: &Call, mut page: Page, rows: Vec<Row>, view: &FileView) -> Result<Answer, Failure> {
    page.note("several definitions can be meant; read one by its path and line");
    for row in &rows {
        if !page.push(row, &row.text())? {
            break;
        }
    }
    let engine = call.workspace.engine().await?;
    let note = call.workspace.note(&engine, view.generation, view.complete).await;
    Ok(page.finish(&note, 0, String::new))
}
