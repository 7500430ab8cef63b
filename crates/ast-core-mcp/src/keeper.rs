//! Keeping an index up with its tree while the server runs.

use crate::workspace::Workspace;
use ast_core_engine::{Access, CancelToken, Engine, WatchEvent, WatchOptions};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How soon it is tried again after the tree could not be followed.
const AGAIN: Duration = Duration::from_secs(5);

/// How long it is waited for.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);

/// How often whoever waits looks whether that is over.
const TICK: Duration = Duration::from_millis(10);

/// Whether the index is being kept up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It is not, or not now, and why.
    Not(String),
    /// It is being brought up.
    Starting,
    /// It is up, and changes are waited for.
    Following,
}

/// Brings the index up as files change, once it was started.
#[derive(Debug)]
pub(crate) struct Keeper {
    state: Arc<Mutex<Keeping>>,
    running: Mutex<Option<Running>>,
    /// Why it is not, unless it is.
    reason: &'static str,
}

#[derive(Debug)]
struct Running {
    cancel: CancelToken,
    task: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn new(reason: &'static str) -> Self {
        let state = Arc::new(Mutex::new(Keeping::Not(reason.into())));
        Self { state, running: Mutex::default(), reason }
    }

    pub(crate) fn state(&self) -> Keeping {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(state: &Mutex<Keeping>, keeping: Keeping) {
        *state.lock().unwrap_or_else(PoisonError::into_inner) = keeping;
    }

    /// Ends it, and waits until it has let go of the index.
    pub(crate) async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { cancel, task }) = running {
            cancel.cancel();
            // It panicked, if anything; there is nothing of it left then.
            let _ = task.await;
        }
        Self::set(&self.state, Keeping::Not(self.reason.into()));
    }

    /// Waits until it follows the tree, or does not, but no longer than that usually takes: its first run notes when files were
    /// looked at, which is a generation of its own.
    pub(crate) async fn settled(&self) {
        for _ in 0..SETTLES_WITHIN.as_millis() / TICK.as_millis() {
            if self.state() != Keeping::Starting {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Somebody else brings the index up, until it is [stopped](Self::stop) or started.
    pub(crate) fn leave_to_others(&self) {
        Self::set(&self.state, Keeping::Starting);
    }
}

impl Workspace {
    /// Begins to keep the index up, unless that is done already, or not wanted. There is one.
    pub(crate) async fn follow(self: &Arc<Self>, engine: &Engine) {
        if !self.config.follow {
            return;
        }
        // Who is at it begins this again at the end.
        let Ok(_free) = self.run.try_lock() else { return };
        // To embed everything anew takes long, or costs money: nobody asked for it.
        if let Ok(Some(change)) = engine.embedder_change().await {
            let reason = format!("it has vectors of {}, and the settings name {}", change.before, change.now);
            Keeper::set(&self.keeper.state, Keeping::Not(reason));
            return;
        }
        let mut running = self.keeper.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|running| !running.task.is_finished()) || self.shutdown.is_cancelled()
        {
            return;
        }
        Keeper::set(&self.keeper.state, Keeping::Starting);
        let cancel = self.shutdown.child();
        let task = tokio::spawn(keep(
            self.root.clone(),
            self.config.clone(),
            self.database.clone(),
            cancel.clone(),
            self.keeper.state.clone(),
        ));
        *running = Some(Running { cancel, task });
    }
}

async fn keep(
    root: std::path::PathBuf,
    server: crate::ServerConfig,
    database: std::path::PathBuf,
    cancel: CancelToken,
    state: Arc<Mutex<Keeping>>,
) {
    while !cancel.is_cancelled() {
        let reason = match crate::workspace::configure(&server, &database, Access::Write).await {
            Err(failure) => failure.to_string(),
            Ok(config) => {
                let tell = |event: WatchEvent| {
                    let keeping = match event {
                        WatchEvent::Failed { error } => Keeping::Not(error.to_string()),
                        _ => Keeping::Following,
                    };
                    Keeper::set(&state, keeping);
                };
                match Engine::keep_up(config, &root, &WatchOptions::default(), &cancel, tell).await {
                    Ok(()) => return,
                    Err(_) if !database.exists() => {
                        Keeper::set(&state, Keeping::Not("it is gone".into()));
                        return;
                    }
                    Err(error) => error.to_string(),
                }
            }
        };
        Keeper::set(&state, Keeping::Not(reason));
        for _ in 0..AGAIN.as_millis() / TICK.as_millis() {
            if cancel.is_cancelled() {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }
}
