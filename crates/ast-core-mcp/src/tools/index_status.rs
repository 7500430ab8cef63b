//! `index_status`: what the index holds, and how it stands to the tree.

use super::{Call, index_note, number, reading, text};
use crate::answer::{Answer, failures, shortened};
use crate::arguments;
use crate::failure::Failure;
use crate::freshness::IndexNote;
use crate::keeper::Keeping;
use crate::workspace::Workspace;
use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Files that are named of those that differ or failed.
const NAMED: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {}

pub(super) fn definition() -> Tool {
    let list = json!({ "type": "array", "items": text() });
    let output = json!({
        "index": index_note(), "root": text(), "follows": text(), "files": number(), "symbols": number(),
        "chunks": number(), "bytes": number(), "stale": list, "failed": list,
    });
    let description = "What the index holds, whether the tree has changed since, and what to do then.";
    reading("index_status", description, json!({}), &[], output)
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let Arguments {} = arguments::parse(&call.arguments)?;
    status(&call.workspace).await
}

/// What the index holds.
pub(crate) async fn status(workspace: &Arc<Workspace>) -> Result<Answer, Failure> {
    let root = workspace.root.display().to_string();
    let engine = match workspace.engine().await {
        Ok(engine) => engine,
        // That is what was asked.
        Err(failure @ Failure::NoIndex(_)) => {
            let note =
                IndexNote { state: "missing", note: Some(failure.to_string()), ..IndexNote::default() };
            let text = note.line().trim_end().to_owned();
            return Ok(Answer { text, structured: json!({ "index": note, "root": root }) });
        }
        Err(failure) => return Err(failure),
    };
    let report = engine.status().await?;
    let differing = report.stale.as_ref().map(Vec::len);
    workspace.looks.saw(report.elapsed, differing);
    let mut note = workspace.note(&engine, report.generation, report.complete).await;
    if note.state == "current" && differing.is_some_and(|files| files > 0) {
        // They were changed a moment ago.
        (note.state, note.stale_files) = ("updating", differing);
    }
    let stale = report.stale.iter().flatten().take(NAMED);
    let stale: Vec<String> = stale.map(|stale| shortened(&stale.path)).collect();
    let failed = failures(report.failures.iter().take(NAMED));
    let follows = match workspace.keeper.state() {
        Keeping::Following => "yes".to_owned(),
        Keeping::Starting => "it is being brought up".to_owned(),
        Keeping::Not(reason) => format!("no: {reason}"),
    };
    let text = format!(
        "{}root {root}\nstate {}, generation {}\n{} files, {} symbols, {} chunks, {} bytes\nfollows the tree: {follows}\n\
         files that differ: {}\nfiles that failed: {}\nembedder {}",
        note.line(),
        note.state,
        note.generation,
        report.files.indexed,
        report.symbols,
        report.chunks,
        report.bytes,
        listed(differing, &stale),
        listed(Some(report.failures.len()), &failed),
        report.configured_embedder,
    );
    let structured = json!({
        "index": note, "root": root, "follows": follows, "files": report.files.indexed, "symbols": report.symbols,
        "chunks": report.chunks, "bytes": report.bytes, "stale": stale, "failed": failed,
    });
    Ok(Answer { text, structured })
}

fn listed(count: Option<usize>, names: &[String]) -> String {
    let count = count.map_or("unknown".to_owned(), |count| count.to_string());
    if names.is_empty() { count } else { format!("{count}: {}", names.join(", ")) }
}
