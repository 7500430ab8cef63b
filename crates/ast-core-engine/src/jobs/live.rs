//! Jobs that are under way.

use super::progress::progress_with;
use super::status::{JobId, JobStatus, status_of};
use crate::discover::Scope;
use crate::index::now_ns;
use crate::report::IndexReport;
use crate::{EngineError, IndexOptions};
use ast_core_batch::{CancelToken, Pause, Progress, ProgressSnapshot};
use ast_core_storage::{JobProgress, JobRecord, JobState};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The jobs that an engine runs.
#[derive(Default)]
pub(crate) struct Jobs {
    live: Mutex<HashMap<JobId, Arc<LiveJob>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// The engine is gone: what is not over is interrupted.
    is_closed: AtomicBool,
}

impl Jobs {
    pub(super) fn get(&self, id: JobId) -> Option<Arc<LiveJob>> {
        self.live().get(&id).cloned()
    }

    /// Whether it was not there yet.
    pub(super) fn add(&self, live: &Arc<LiveJob>) -> bool {
        match self.live().entry(live.id()) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(vacant) => drop(vacant.insert(live.clone())),
        }
        if self.is_closed.load(Ordering::Acquire) {
            live.cancel(JobState::Interrupted);
        }
        true
    }

    pub(super) fn keep(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn interrupt(&self) {
        self.is_closed.store(true, Ordering::Release);
        for live in self.live().values() {
            live.cancel(JobState::Interrupted);
        }
    }

    /// Waits until all have come to their end.
    pub(crate) async fn rest(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A panic was told where it happened.
            let _ = task.await;
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<JobId, Arc<LiveJob>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Interrupts the jobs of an engine that is dropped.
pub(crate) struct Owner(Arc<Jobs>);

impl Owner {
    pub(crate) fn of(jobs: &Arc<Jobs>) -> Self {
        Self(jobs.clone())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

/// Takes a job from those that are under way.
pub(super) struct Registered<'a> {
    jobs: &'a Jobs,
    live: &'a Arc<LiveJob>,
}

impl<'a> Registered<'a> {
    pub(super) fn of(jobs: &'a Jobs, live: &'a Arc<LiveJob>) -> Self {
        Self { jobs, live }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.live.cancel(JobState::Interrupted);
        {
            let mut record = self.live.record();
            if !record.state.is_over() {
                record.state = JobState::Interrupted;
            }
        }
        self.jobs.live().remove(&self.live.id());
        self.live.publish();
    }
}

/// A job that is under way.
pub(crate) struct LiveJob {
    record: Mutex<JobRecord>,
    /// How it goes about it: of a job that was begun before, as by default.
    options: IndexOptions,
    part: Mutex<Part>,
    pub(super) pause: Pause,
    pub(super) cancel: CancelToken,
    pub(super) wanted: watch::Sender<Wanted>,
    pub(super) updates: watch::Sender<JobStatus>,
}

/// What a job does from one beginning to the next.
struct Part {
    /// What it had done before.
    before: JobProgress,
    progress: Progress,
    /// Whether it was begun.
    is_started: bool,
    /// What it ends as if it is cancelled.
    cancelled_as: JobState,
}

/// What is asked of a job while it waits for its turn.
#[derive(Default)]
pub(super) struct Wanted {
    paused: bool,
    pub(super) cancelled: bool,
}

impl LiveJob {
    pub(super) fn new(
        record: JobRecord,
        options: IndexOptions,
        cancel: CancelToken,
        progress: Progress,
    ) -> Self {
        let part = Part {
            before: record.progress.clone(),
            progress,
            is_started: false,
            cancelled_as: JobState::Cancelled,
        };
        let updates = watch::Sender::new(status_of(&record));
        Self {
            record: Mutex::new(record),
            options,
            part: Mutex::new(part),
            pause: Pause::new(),
            cancel,
            wanted: watch::Sender::new(Wanted::default()),
            updates,
        }
    }

    /// What the workers are held up by.
    pub(crate) fn gate(&self) -> Pause {
        self.pause.clone()
    }

    /// Notes what there is to do.
    pub(crate) fn planned(&self, report: &IndexReport, files: u64, bytes: u64) {
        let part = self.part();
        let mut record = self.record();
        let JobProgress { files_done, bytes_done, active_ms, .. } = part.before;
        record.progress = JobProgress {
            files_total: Some(files_done + files),
            bytes_total: Some(bytes_done + bytes),
            files_done,
            bytes_done,
            active_ms,
            ..progress_with(&part.before, report)
        };
    }

    /// How far it is with what is about to be committed: the report up to then, and how many files and bytes more it is.
    pub(crate) fn with(&self, report: &IndexReport, files: u64, bytes: u64) -> (u64, JobProgress) {
        let part = self.part();
        let record = self.record();
        let JobProgress { files_total, bytes_total, files_done, bytes_done, .. } = record.progress;
        let progress = JobProgress {
            files_total,
            bytes_total,
            files_done: files_done + files,
            bytes_done: bytes_done + bytes,
            active_ms: part.active_ms(),
            ..progress_with(&part.before, report)
        };
        (record.id, progress)
    }

    /// Notes that this is committed.
    pub(crate) fn committed(&self, progress: JobProgress, generation: u64) {
        self.record().progress = JobProgress { generation, ..progress };
    }

    fn id(&self) -> JobId {
        JobId::new(self.record().id)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, JobRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self) -> MutexGuard<'_, Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pause(&self) -> Result<(), EngineError> {
        let mut record = self.record();
        if record.state.is_over() {
            return Err(EngineError::JobState {
                id: JobId::new(record.id),
                state: record.state,
                asked: "paused",
            });
        }
        // Together, for who begins it looks at one and sets the other.
        self.pause.pause();
        record.state = JobState::Paused;
        drop(record);
        self.wanted.send_modify(|wanted| wanted.paused = true);
        Ok(())
    }

    pub(super) fn resume(&self) -> Result<(), EngineError> {
        let part = self.part();
        let mut record = self.record();
        if record.state.is_over() {
            return Err(EngineError::JobState {
                id: JobId::new(record.id),
                state: record.state,
                asked: "resumed",
            });
        }
        record.state = if part.is_started { JobState::Running } else { JobState::Queued };
        self.pause.resume();
        drop((part, record));
        self.wanted.send_modify(|wanted| wanted.paused = false);
        Ok(())
    }

    /// Ends it as soon as may be. What it was told first holds.
    pub(super) fn cancel(&self, state: JobState) {
        if !self.cancel.is_cancelled() {
            self.part().cancelled_as = state;
        }
        self.cancel.cancel();
        self.wanted.send_modify(|wanted| wanted.cancelled = true);
    }

    /// Waits for something, or for the job to be cancelled.
    pub(super) async fn unless_cancelled<T>(
        &self,
        waited_for: impl Future<Output = T>,
    ) -> Result<T, EngineError> {
        let mut wanted = self.wanted.subscribe();
        tokio::select! {
            biased;
            // The sender is here.
            _ = wanted.wait_for(|wanted| wanted.cancelled) => Err(EngineError::Cancelled),
            done = waited_for => Ok(done),
        }
    }

    pub(super) async fn unpaused(&self) {
        let mut wanted = self.wanted.subscribe();
        // The sender is here.
        let _ = wanted.wait_for(|wanted| !wanted.paused).await;
    }

    /// Notes that it is begun, and tells what it is to do.
    pub(super) fn start(&self) -> (PathBuf, Scope, IndexOptions, Progress) {
        let mut part = self.part();
        let mut record = self.record();
        // Once it has committed something, the index itself says what is still to be parsed again.
        let rebuild = record.rebuild && record.progress.generation == 0;
        part.is_started = true;
        record.started_ns = Some(now_ns());
        if !self.pause.is_paused() {
            record.state = JobState::Running;
        }
        let scope = match &record.paths {
            Some(paths) => Scope::Files(Arc::new(paths.iter().cloned().collect()), None),
            None => Scope::Tree,
        };
        let progress = part.progress.clone();
        drop(part);
        let root = PathBuf::from(&record.root);
        drop(record);
        self.wanted.send_modify(|_| {});
        (root, scope, IndexOptions { rebuild, ..self.options.clone() }, progress)
    }

    /// Counts anew what is done from now on.
    pub(super) fn again(&self) {
        let mut part = self.part();
        part.before = self.record().progress.clone();
        part.progress = Progress::new();
    }

    /// Notes how it ended.
    pub(super) fn end(&self, result: &Result<IndexReport, EngineError>) {
        let part = self.part();
        let mut record = self.record();
        record.progress.active_ms = part.active_ms();
        record.finished_ns = Some(now_ns());
        record.state = match result {
            Ok(report) => {
                let JobProgress { files_total, bytes_total, files_done, bytes_done, active_ms, .. } =
                    record.progress;
                record.progress = JobProgress {
                    files_total: files_total.or(Some(files_done)),
                    bytes_total: bytes_total.or(Some(bytes_done)),
                    files_done,
                    bytes_done,
                    active_ms,
                    ..progress_with(&part.before, report)
                };
                JobState::Done
            }
            Err(EngineError::Cancelled) => {
                if part.cancelled_as == JobState::Interrupted {
                    record.finished_ns = None;
                }
                part.cancelled_as
            }
            Err(error) => {
                record.error = Some(error.to_string());
                JobState::Failed
            }
        };
    }

    pub(super) fn publish(&self) {
        let status = self.status();
        self.updates.send_if_modified(|known| {
            let is_news = *known != status;
            *known = status;
            is_news
        });
    }

    pub(super) fn status(&self) -> JobStatus {
        let part = self.part();
        let record = self.record();
        let mut status = status_of(&record);
        if record.state.is_over() || !part.is_started {
            return status;
        }
        let now: ProgressSnapshot = part.progress.snapshot();
        status.files_done = part.before.files_done + now.items_done;
        status.bytes_done = part.before.bytes_done + now.bytes_done;
        status.files_total = status.files_total.map(|total| total.max(status.files_done));
        status.bytes_total = status.bytes_total.map(|total| total.max(status.bytes_done));
        status.active = Duration::from_millis(part.before.active_ms) + now.elapsed;
        status.files_per_second = now.items_per_second().filter(|_| now.items_done > 0);
        status.bytes_per_second = now.bytes_per_second().filter(|_| now.items_done > 0);
        status.remaining = now.remaining().filter(|_| record.state == JobState::Running);
        status
    }
}

impl Part {
    fn active_ms(&self) -> u64 {
        let now = u64::try_from(self.progress.snapshot().elapsed.as_millis()).unwrap_or(u64::MAX);
        self.before.active_ms.saturating_add(now)
    }
}
