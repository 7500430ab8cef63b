//! Index runs that go on by themselves.

use crate::call::{Cancellation, promise, until};
use crate::convert::index_options;
use crate::engine::{Engine, Lease};
use crate::types::{BatchProgress, BatchRequest};
use ast_core_engine::{self as core, JobId, JobRequest};
use napi::Env;
use napi::bindgen_prelude::AsyncBlock;
use napi_derive::napi;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How a job goes on. It keeps no process alive; who waits for the next event does.
#[napi]
pub struct BatchEvents {
    events: Arc<Mutex<core::JobEvents>>,
}

#[napi]
impl BatchEvents {
    /// The next event; `null` after the last.
    #[napi]
    pub fn next(
        &self,
        env: &Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Option<BatchProgress>>> {
        let events = self.events.clone();
        let next = async move { Ok(events.lock().await.next().await.map(BatchProgress::from)) };
        promise(env, until(cancellation, next))
    }
}

#[napi]
impl Engine {
    /// Begins a job; its number.
    #[napi]
    pub fn submit(&self, env: &Env, request: BatchRequest) -> napi::Result<AsyncBlock<f64>> {
        let engine = self.lease();
        promise(env, async move {
            let options = index_options(request.run)?;
            let mut job = match request.files {
                Some(files) => JobRequest::files(request.root, files),
                None => JobRequest::tree(request.root),
            };
            job.options = options;
            Ok(engine?.submit(job).await?.get() as f64)
        })
    }

    /// Where a job stands.
    #[napi]
    pub fn job(&self, env: &Env, id: f64) -> napi::Result<AsyncBlock<BatchProgress>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.job(job_id(id)).await?.into()) })
    }

    /// All jobs that are known, the newest first.
    #[napi]
    pub fn jobs(&self, env: &Env) -> napi::Result<AsyncBlock<Vec<BatchProgress>>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.jobs().await?.into_iter().map(BatchProgress::from).collect()) })
    }

    /// Holds a job up.
    #[napi]
    pub fn pause_job(&self, env: &Env, id: f64) -> napi::Result<AsyncBlock<()>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.pause(job_id(id)).await?) })
    }

    /// Goes on with a job.
    #[napi]
    pub fn resume_job(&self, env: &Env, id: f64) -> napi::Result<AsyncBlock<()>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.resume(job_id(id)).await?) })
    }

    /// Ends a job.
    #[napi]
    pub fn cancel_job(&self, env: &Env, id: f64) -> napi::Result<AsyncBlock<()>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.cancel(job_id(id)).await?) })
    }

    /// How a job goes on.
    #[napi]
    pub fn job_events(&self, env: &Env, id: f64) -> napi::Result<AsyncBlock<BatchEvents>> {
        let engine = self.lease();
        promise(env, async move {
            // The events go on without the engine: closing it ends the job, and with it them.
            let engine: Lease = engine?;
            let events = engine.job_events(job_id(id)).await?;
            Ok(BatchEvents { events: Arc::new(Mutex::new(events)) })
        })
    }
}

/// The facade lets pass only whole numbers from 1 that a double holds exactly.
fn job_id(id: f64) -> JobId {
    JobId::new(id as u64)
}
