//! An engine: opening, indexing, closing.

use crate::call::{Cancellation, promise, token_of, until};
use crate::convert::{engine_config, index_options};
use crate::error::Failure;
use crate::types::{
    Configuration, EngineMetrics, HealthReport, IndexOptions, IndexProgress, IndexRun, OpenOptions,
    StatusReport, VerifyReport,
};
use ast_core_engine::{self as core, CancelToken, DoctorOptions, IndexControl, Progress, ProgressSnapshot};
use napi::bindgen_prelude::AsyncBlock;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

/// Progress that JavaScript has not taken yet; more is dropped.
const PROGRESS_QUEUE: usize = 16;

/// Calls JavaScript from the engine's threads. It is weak: a process that has nothing else to wait for ends.
type ProgressFunction =
    ThreadsafeFunction<IndexProgress, (), IndexProgress, Status, false, true, PROGRESS_QUEUE>;

/// An engine that a call holds open.
pub(crate) type Lease = OwnedRwLockReadGuard<Option<core::Engine>, core::Engine>;

/// An index, open until `close`.
#[napi]
pub struct Engine {
    /// Calls hold it for reading as long as they last, and closing takes it out: so closing waits for calls.
    engine: Arc<RwLock<Option<core::Engine>>>,
    /// Cancelled by `close`: no call begins after, and index runs end.
    closing: CancelToken,
    /// The tree, if one was named.
    root: Option<PathBuf>,
}

#[napi]
impl Engine {
    /// Opens an index.
    #[napi]
    pub fn open(env: &Env, options: OpenOptions) -> napi::Result<AsyncBlock<Engine>> {
        promise(env, async move {
            let root = options.root.as_ref().map(PathBuf::from);
            let engine = core::Engine::open(engine_config(options)?).await?;
            Ok(Self { engine: Arc::new(RwLock::new(Some(engine))), closing: CancelToken::new(), root })
        })
    }

    /// What gives up the calls that it is given to.
    #[napi]
    pub fn cancellation(&self) -> Cancellation {
        Cancellation::under(&self.closing)
    }

    /// The settings that hold.
    #[napi]
    pub fn configuration(&self, env: &Env) -> napi::Result<Configuration> {
        match self.lease() {
            Ok(engine) => Ok(Configuration::of(engine.config(), self.root.as_deref())),
            Err(failure) => Err(failure.into_error(env)),
        }
    }

    /// What the engine measured.
    #[napi]
    pub fn metrics(&self, env: &Env) -> napi::Result<EngineMetrics> {
        match self.lease() {
            Ok(engine) => Ok(engine.metrics().into()),
            Err(failure) => Err(failure.into_error(env)),
        }
    }

    /// The same, and what the process uses, in the text format of Prometheus.
    #[napi]
    pub fn prometheus(&self, env: &Env) -> napi::Result<String> {
        match self.lease() {
            Ok(engine) => Ok(engine.metrics().to_prometheus_text()),
            Err(failure) => Err(failure.into_error(env)),
        }
    }

    /// Brings the index up to a tree.
    #[napi]
    pub fn index(
        &self,
        env: &Env,
        root: String,
        options: IndexOptions,
        cancellation: Option<&Cancellation>,
        #[napi(ts_arg_type = "((progress: IndexProgress) => void) | undefined | null")] on_progress: Option<
            ProgressFunction,
        >,
    ) -> napi::Result<AsyncBlock<IndexRun>> {
        let engine = self.lease();
        let progress = Progress::new();
        let control = IndexControl {
            cancel: token_of(cancellation, &self.closing),
            progress: progress.clone(),
            observer: on_progress.map(|function| Box::new(observer(function)) as _),
        };
        promise(env, async move {
            let report = engine?.index(root, &index_options(options)?, control).await?;
            Ok(IndexRun { report: report.into(), progress: (&progress.snapshot()).into() })
        })
    }

    /// What the index holds.
    #[napi]
    pub fn status(
        &self,
        env: &Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<StatusReport>> {
        let engine = self.lease();
        promise(env, until(cancellation, async move { Ok(engine?.status().await?.into()) }))
    }

    /// Whether the index can be used.
    #[napi]
    pub fn health(&self, env: &Env) -> napi::Result<AsyncBlock<HealthReport>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.health().await?.into()) })
    }

    /// Reads the whole index, and says what is wrong with it.
    #[napi]
    pub fn verify(
        &self,
        env: &Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<VerifyReport>> {
        let engine = self.lease();
        promise(
            env,
            until(cancellation, async move {
                let config = engine?.config().clone();
                Ok(core::Engine::doctor(config, &DoctorOptions::default()).await?.into())
            }),
        )
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
    pub(crate) fn lease(&self) -> Result<Lease, Failure> {
        if self.closing.is_cancelled() {
            return Err(Failure::closed());
        }
        let guard = self.engine.clone().try_read_owned().map_err(|_| Failure::closed())?;
        OwnedRwLockReadGuard::try_map(guard, Option::as_ref).map_err(|_| Failure::closed())
    }

    /// The tree that was named when the engine was opened.
    pub(crate) fn named_root(&self) -> Option<PathBuf> {
        self.root.clone()
    }

    /// Cancelled when the engine is closed.
    pub(crate) fn closing(&self) -> &CancelToken {
        &self.closing
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
