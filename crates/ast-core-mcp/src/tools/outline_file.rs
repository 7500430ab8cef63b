//! `outline_file`: the definitions of a file.

use super::{Call, described, max_tokens, number, reading, rows, text};
use crate::answer::{Answer, Page, Row, shown};
use crate::arguments;
use crate::cursor::{Place, number as number_of};
use crate::failure::Failure;
use crate::workspace::Workspace;
use ast_core_engine::{FileView, RepoPath, Symbol};
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "outline_file";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    depth: Option<usize>,
    cursor: Option<String>,
    max_tokens: Option<usize>,
}

pub(super) fn definition() -> Tool {
    let input = json!({
        "path": described("The file"),
        "depth": { "type": "integer", "default": 2, "description": "1: without members" },
        "cursor": text(),
        "max_tokens": max_tokens(),
    });
    let row = json!({
        "start_line": number(), "end_line": number(), "kind": text(), "name": text(), "depth": number(),
        "signature": text(),
    });
    let mut output = rows(row);
    output["path"] = text();
    output["language"] = text();
    reading(NAME, "List the definitions of a file as it is now, in order.", input, &["path"], output)
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let place = Place::of(NAME, &call.arguments, asked.cursor.as_deref())?;
    let page = Page::new(asked.max_tokens)?;
    let path = arguments::path(&asked.path, &call.workspace.root)?;
    outline(&call.workspace, &path, asked.depth.unwrap_or(2).max(1), page, &place).await
}

/// The outline of a file, from where a cursor says on.
pub(crate) async fn outline(
    workspace: &Arc<Workspace>,
    path: &RepoPath,
    depth: usize,
    mut page: Page,
    place: &Place,
) -> Result<Answer, Failure> {
    let engine = workspace.engine().await?;
    let view = engine.file(path).await?;
    let version = number_of(view.hash);
    place.check(version)?;
    let depths = depths(&view.symbols);
    let wanted: Vec<usize> = (0..view.symbols.len()).filter(|index| depths[*index] < depth).collect();
    for index in wanted.iter().skip(place.offset()) {
        let symbol = &view.symbols[*index];
        let (kind, depth, lines) = (symbol.kind.as_str(), depths[*index], symbol.lines);
        let row = json!({
            "start_line": lines.start, "end_line": lines.end, "kind": kind, "name": symbol.name,
            "depth": depth + 1, "signature": symbol.signature,
        });
        let text = Row {
            start_line: lines.start,
            end_line: lines.end,
            kind: Some(kind),
            name: Some(symbol.name.to_string()),
            signature: Some(symbol.signature.to_string()),
            ..Row::default()
        };
        // All are of one file, which is named once.
        let text = format!("{}{}", "  ".repeat(depth), text.text().trim_start_matches(':'));
        if !page.push(&row, &text)? {
            break;
        }
    }
    let told = place.offset() + page.len();
    let more = wanted.len().saturating_sub(told);
    let note = workspace.note(&engine, view.generation, view.complete).await;
    let mut answer = page.finish(&note, more, || place.next(version, told));
    answer.text = format!("{}\n{}", head(&view), answer.text);
    answer.structured["path"] = json!(view.path.as_str());
    answer.structured["language"] = json!(view.language.as_str());
    Ok(answer)
}

fn head(view: &FileView) -> String {
    let changed = if view.changed { ", changed since it was indexed" } else { "" };
    format!(
        "{} ({}, {} lines{changed})",
        shown(view.path.as_str()),
        view.language.as_str(),
        view.text.lines().count()
    )
}

/// How many definitions each is inside of.
fn depths(symbols: &[Symbol]) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(symbols.len());
    for symbol in symbols {
        let outer = symbol.parent.and_then(|parent| depths.get(parent as usize));
        depths.push(outer.map_or(0, |outer| outer + 1));
    }
    depths
}
