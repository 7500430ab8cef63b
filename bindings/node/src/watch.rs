//! Keeping an index up with a tree that changes.

use crate::call::{Cancellation, promise, until};
use crate::engine::{Engine, Lease};
use crate::error::Failure;
use crate::types::{IndexReport, WatchOptions};
use ast_core_engine::{self as core, CancelToken, EngineError};
use napi::Env;
use napi::bindgen_prelude::AsyncBlock;
use napi_derive::napi;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};

/// Events that nobody has asked for yet. While it is full, later ones of updates are dropped.
const QUEUE: usize = 1024;

/// What a watch tells.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct WatchEvent {
    /// `ready`, `updated` or `failed`.
    pub kind: String,
    pub report: Option<IndexReport>,
    pub watched: Option<f64>,
    pub reason: Option<String>,
}

/// A watch. It keeps no process alive; who waits for the next event does.
#[napi]
pub struct Watch {
    events: Arc<Mutex<Receiver<Result<WatchEvent, EngineError>>>>,
    cancel: CancelToken,
}

#[napi]
impl Watch {
    /// The next event; `null` after the last.
    #[napi]
    pub fn next(
        &self,
        env: &Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Option<WatchEvent>>> {
        let events = self.events.clone();
        let next = async move { Ok(events.lock().await.recv().await.transpose()?) };
        promise(env, until(cancellation, next))
    }

    /// Ends it: after what is under way there are no more events.
    #[napi]
    pub fn close(&self) {
        self.cancel.cancel();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[napi]
impl Engine {
    /// Brings the index up to a tree, and goes on doing so as the tree changes.
    #[napi]
    pub fn watch(&self, env: &Env, root: String, options: WatchOptions) -> napi::Result<AsyncBlock<Watch>> {
        let engine = self.lease();
        let cancel = self.closing().child();
        promise(env, async move {
            let engine: Lease = engine?;
            let (sender, events) = channel(QUEUE);
            let token = cancel.clone();
            tokio::spawn(async move {
                let told = sender.clone();
                let tell = move |event| drop(told.try_send(Ok(event_of(event))));
                let ended = engine.watch(&root, &options.into(), &token, tell).await;
                match ended {
                    // Whoever ended it knows.
                    Ok(()) | Err(EngineError::Cancelled) => {}
                    Err(error) => drop(sender.send(Err(error)).await),
                }
            });
            Ok::<_, Failure>(Watch { events: Arc::new(Mutex::new(events)), cancel })
        })
    }
}

fn event_of(event: core::WatchEvent) -> WatchEvent {
    let of = |kind: &str| WatchEvent { kind: kind.to_owned(), report: None, watched: None, reason: None };
    match event {
        core::WatchEvent::Ready { report, watched } => WatchEvent {
            report: Some(report.into()),
            watched: watched.map(|count| count as f64),
            ..of("ready")
        },
        core::WatchEvent::Updated { report } => WatchEvent { report: Some(report.into()), ..of("updated") },
        core::WatchEvent::Failed { error } => WatchEvent { reason: Some(error.to_string()), ..of("failed") },
        _ => of("updated"),
    }
}

impl From<WatchOptions> for core::WatchOptions {
    fn from(options: WatchOptions) -> Self {
        let default = Self::default();
        let duration = |given: Option<f64>, default| {
            given.map_or(default, |milliseconds| Duration::from_secs_f64(milliseconds / 1000.0))
        };
        Self {
            quiet: duration(options.quiet_ms, default.quiet),
            at_most: duration(options.max_wait_ms, default.at_most),
            poll: duration(options.poll_ms, default.poll),
        }
    }
}
