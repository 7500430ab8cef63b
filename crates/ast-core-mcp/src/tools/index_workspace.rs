//! `index_workspace`: brings the index up, or makes it.

use super::{Call, index_note, number, text, tool, yes_or_no};
use crate::answer::{Answer, failures};
use crate::arguments;
use crate::failure::Failure;
use crate::freshness::IndexNote;
use ast_core_engine::{IndexControl, IndexOptions, ProgressObserver, ProgressSnapshot};
use rmcp::model::{ProgressNotificationParam, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::sync::watch;

/// Least time from one notification of progress to the next.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long the last of them may take.
const LAST_WITHIN: Duration = Duration::from_secs(1);
/// Files that failed and are named.
const NAMED: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    rebuild: bool,
}

pub(super) fn definition() -> Tool {
    let input = json!({ "rebuild": yes_or_no("Parse unchanged files, too") });
    let output = json!({
        "index": index_note(), "indexed": number(), "unchanged": number(), "removed": number(),
        "elapsed_ms": number(), "failed": { "type": "array", "items": text() },
    });
    let description = "Bring the index up to the tree, or make it: only what changed is parsed. Needed if \
        there is none, or it is stale and not followed.";
    tool("index_workspace", description, input, &[], output).annotate(
        ToolAnnotations::new().read_only(false).destructive(false).idempotent(true).open_world(false),
    )
}

pub(super) async fn call(call: Call) -> Result<Answer, Failure> {
    let asked: Arguments = arguments::parse(&call.arguments)?;
    let (sender, receiver) = watch::channel(None);
    let teller = call.progress.clone().map(|(peer, token)| tokio::spawn(tell(peer, token, receiver)));
    let control = IndexControl {
        cancel: call.cancel.child(),
        observer: Some(Box::new(Observer(sender))),
        ..IndexControl::default()
    };
    let report = call
        .workspace
        .index(&IndexOptions { rebuild: asked.rebuild, ..IndexOptions::default() }, control)
        .await;
    if let Some(teller) = teller {
        // It ends when it has told the last of it; to a client that does not listen, it never has.
        let _ = tokio::time::timeout(LAST_WITHIN, teller).await;
    }
    let report = report?;
    let generation = report.generation;
    let note = IndexNote { generation, state: "current", stale_files: Some(0), note: None };
    let failed = failures(report.failures.iter().take(NAMED));
    let (files, elapsed) = (&report.files, report.elapsed.as_millis() as u64);
    let mut text = format!(
        "{} files indexed, {} unchanged, {} removed, in {elapsed} ms; generation {generation}",
        files.indexed, files.unchanged, files.removed,
    );
    if !report.failures.is_empty() {
        text.push_str(&format!("\n{} files failed: {}", report.failures.len(), failed.join(", ")));
    }
    let structured = json!({
        "index": note, "indexed": files.indexed, "unchanged": files.unchanged, "removed": files.removed,
        "elapsed_ms": elapsed, "failed": failed,
    });
    Ok(Answer { text, structured })
}

/// Hands on how far the run is.
struct Observer(watch::Sender<Option<ProgressSnapshot>>);

impl ProgressObserver for Observer {
    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn observe(&mut self, snapshot: &ProgressSnapshot) {
        self.0.send_replace(Some(snapshot.clone()));
    }
}

/// Tells the client, one after the other: of what comes while it is being told, the last.
async fn tell(
    peer: rmcp::Peer<rmcp::RoleServer>,
    token: rmcp::model::ProgressToken,
    mut progress: watch::Receiver<Option<ProgressSnapshot>>,
) {
    let mut last = 0;
    while progress.changed().await.is_ok() {
        let Some(snapshot) = progress.borrow_and_update().clone() else { continue };
        // It has to grow from one to the next.
        if snapshot.items_done <= last {
            continue;
        }
        last = snapshot.items_done;
        let mut told = ProgressNotificationParam::new(token.clone(), snapshot.items_done as f64);
        told.total = snapshot.items_total.map(|total| total as f64);
        told.message = Some(match snapshot.items_total {
            Some(total) => format!("{} of {total} files", snapshot.items_done),
            None => format!("{} files", snapshot.items_done),
        });
        if peer.notify_progress(told).await.is_err() {
            return;
        }
    }
}
