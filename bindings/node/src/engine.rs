//! What can be called: one engine, its calls, and how an index run is cancelled.

use crate::convert::{engine_config, search_query};
use crate::error::{Failure, promise};
use crate::types::{
    IndexOptions, IndexProgress, IndexRun, OpenOptions, SearchOptions, SearchReply, StatusReport,
};
use ast_core_engine::{self as core, CancelToken, IndexControl, Progress, ProgressSnapshot};
use napi::bindgen_prelude::AsyncBlock;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

/// Progress that JavaScript has not taken yet; more is dropped.
const PROGRESS_QUEUE: usize = 16;

/// Calls JavaScript from the engine's threads. It is weak: a process that has nothing else to wait for ends.
type ProgressFunction =
    ThreadsafeFunction<IndexProgress, (), IndexProgress, Status, false, true, PROGRESS_QUEUE>;

/// Cancels the index run that it is given to. An engine makes them.
#[napi]
pub struct Cancellation {
    token: CancelToken,
}

#[napi]
impl Cancellation {
    #[napi]
    pub fn cancel(&self) {
        self.token.cancel();
    }
}

/// An index, open until `close`.
#[napi]
pub struct Engine {
    /// Calls hold it for reading as long as they last, and closing takes it out: so closing waits for calls.
    engine: Arc<RwLock<Option<core::Engine>>>,
    /// Cancelled by `close`: no call begins after, and index runs end.
    closing: CancelToken,
}

#[napi]
impl Engine {
    #[napi]
    pub fn open(env: &Env, options: OpenOptions) -> napi::Result<AsyncBlock<Engine>> {
        promise(env, async move {
            let engine = core::Engine::open(engine_config(options)?).await?;
            Ok(Self { engine: Arc::new(RwLock::new(Some(engine))), closing: CancelToken::new() })
        })
    }

    #[napi]
    pub fn cancellation(&self) -> Cancellation {
        Cancellation { token: self.closing.child() }
    }

    #[napi]
    pub fn index(
        &self,
        env: &Env,
        root: String,
        options: IndexOptions,
        cancellation: &Cancellation,
        on_progress: Option<ProgressFunction>,
    ) -> napi::Result<AsyncBlock<IndexRun>> {
        let engine = self.lease();
        let options = core::IndexOptions { rebuild: options.rebuild.unwrap_or_default() };
        let progress = Progress::new();
        let control = IndexControl {
            cancel: cancellation.token.clone(),
            progress: progress.clone(),
            observer: on_progress.map(|function| Box::new(observer(function)) as _),
        };
        promise(env, async move {
            let report = engine?.index(root, &options, control).await?;
            Ok(IndexRun { report: report.into(), progress: (&progress.snapshot()).into() })
        })
    }

    #[napi]
    pub fn search(
        &self,
        env: &Env,
        text: String,
        options: SearchOptions,
    ) -> napi::Result<AsyncBlock<SearchReply>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.search(&search_query(text, options)?).await?.into()) })
    }

    #[napi]
    pub fn status(&self, env: &Env) -> napi::Result<AsyncBlock<StatusReport>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.status().await?.into()) })
    }

    /// Cancels index runs, waits for the calls that are under way, and closes. May be called again.
    #[napi]
    pub fn close(&self, env: &Env) -> napi::Result<AsyncBlock<()>> {
        self.closing.cancel();
        let engine = self.engine.clone();
        promise(env, async move {
            // Held to the end, so that who closes a second time waits as well.
            let mut engine = engine.write().await;
            if let Some(engine) = engine.take() {
                engine.close().await;
            }
            Ok(())
        })
    }
}

impl Engine {
    /// The engine, which stays open for as long as this is held. Taken when a call is made, not when it first runs,
    /// so that calls made before `close` are answered.
    fn lease(&self) -> Result<OwnedRwLockReadGuard<Option<core::Engine>, core::Engine>, Failure> {
        if self.closing.is_cancelled() {
            return Err(Failure::closed());
        }
        let guard = self.engine.clone().try_read_owned().map_err(|_| Failure::closed())?;
        OwnedRwLockReadGuard::try_map(guard, Option::as_ref).map_err(|_| Failure::closed())
    }
}

impl Drop for Engine {
    /// While a call is under way, JavaScript keeps the engine: unless its thread ends, and with it whoever wants to
    /// know.
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

fn observer(function: ProgressFunction) -> impl FnMut(&ProgressSnapshot) + Send {
    move |snapshot| {
        // A full queue means that JavaScript is behind: it will hear of a later state.
        function.call(snapshot.into(), ThreadsafeFunctionCallMode::NonBlocking);
    }
}
