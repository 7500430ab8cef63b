//! Jobs: index runs that go on by themselves, can be asked how far they are, held up, and gone on with by another
//! process.
//!
//! A job is a row in the store, and while it is under way also a [`LiveJob`] here. What it has to do is in neither: each
//! time it is begun, the tree is compared with the store, so what was committed is not done again.

mod live;
mod progress;
mod status;

pub(crate) use live::{Jobs, LiveJob, Owner};
pub use status::{JobEvents, JobId, JobRequest, JobStatus};

use crate::engine::blocking;
use crate::index::now_ns;
use crate::report::IndexReport;
use crate::{Engine, EngineError, IndexControl, IndexOptions};
use ast_core_batch::{CancelToken, Progress, ProgressObserver};
use ast_core_model::RepoPath;
use ast_core_storage::{JobProgress, JobRecord, JobState, StoreError};
use live::Registered;
use status::status_of;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often is told how far a job is.
const TICK: Duration = Duration::from_millis(100);

/// A run that finds the store locked by another program, which holds it for longer than
/// [`busy_timeout`](crate::StoreConfig::busy_timeout), is begun again after each of these.
const WAITS_FOR_LOCK: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl Engine {
    /// Notes a job and begins it, as soon as the index runs before it have come to their end. It goes on by itself, on the
    /// runtime that this is called on.
    ///
    /// # Errors
    /// [`EngineError::Root`] if the tree is no directory; [`EngineError::OtherRoot`] if the index holds another tree;
    /// [`EngineError::OutsideTree`] if a file is named that is not in the tree; [`EngineError::Store`] if the job cannot be
    /// noted, as in an index that was opened for reading.
    pub async fn submit(&self, request: JobRequest) -> Result<JobId, EngineError> {
        let JobRequest { root, files, options } = request;
        let (root, files) = blocking(move || {
            let root =
                root.canonicalize().and_then(|resolved| resolved.read_dir().map(|_| resolved)).map_err(
                    |error| EngineError::Root { path: root, reason: crate::discover::io_reason(&error) },
                )?;
            let paths = |files: Vec<PathBuf>| files.iter().map(|file| path_in(&root, file)).collect();
            let files: Option<BTreeSet<RepoPath>> = files.map(paths).transpose()?;
            Ok::<_, EngineError>((root, files))
        })
        .await??;
        self.check_root(&root).await?;
        let record = new_record(&root, files.map(|files| files.into_iter().collect()), &options);
        let id = self.store.add_job(&record).await?;
        Ok(self.begin(JobRecord { id, ..record }, options))
    }

    /// Where a job stands. Those of this engine that are under way are told as they are this moment, all others as they
    /// were committed.
    ///
    /// # Errors
    /// [`EngineError::NoJob`] and [`EngineError::Store`].
    pub async fn job(&self, id: JobId) -> Result<JobStatus, EngineError> {
        match self.jobs.get(id) {
            Some(live) => Ok(live.status()),
            None => Ok(status_of(&self.record(id).await?)),
        }
    }

    /// All jobs, the newest first: those that are not over, and the last hundred of the others.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn jobs(&self) -> Result<Vec<JobStatus>, EngineError> {
        let records = self.store.jobs().await?;
        let status = |record: JobRecord| match self.jobs.get(JobId::new(record.id)) {
            Some(live) => live.status(),
            None => status_of(&self.as_it_is(record)),
        };
        Ok(records.into_iter().map(status).collect())
    }

    /// Holds a job up: it starts no further file, and takes no processor time as soon as those it is at are done. One that
    /// is under way keeps other index runs waiting. Pausing one that is paused changes nothing.
    ///
    /// # Errors
    /// [`EngineError::JobState`] if it is over; [`EngineError::NoJob`] and [`EngineError::Store`].
    pub async fn pause(&self, id: JobId) -> Result<(), EngineError> {
        match self.jobs.get(id) {
            Some(live) => live.pause(),
            None => Err(self.over(id, "paused").await?),
        }
    }

    /// Goes on with a job that is paused, or that is over and did not come to its end: one that was interrupted, also in
    /// another process, that failed or was cancelled. What it committed is not done again.
    ///
    /// # Errors
    /// [`EngineError::JobState`] if it is done; [`EngineError::NoJob`] and [`EngineError::Store`].
    pub async fn resume(&self, id: JobId) -> Result<(), EngineError> {
        if let Some(live) = self.jobs.get(id) {
            return live.resume();
        }
        let record = self.record(id).await?;
        if record.state == JobState::Done {
            return Err(EngineError::JobState { id, state: record.state, asked: "resumed" });
        }
        let record = queued(record);
        self.store.put_job(&record).await?;
        self.begin(record, IndexOptions::default());
        Ok(())
    }

    /// Ends a job before its time. What it committed is kept. Returns at once; [`wait`](Self::wait) returns when it has
    /// ended, which it does as soon as the files that it is at have been parsed.
    ///
    /// # Errors
    /// [`EngineError::JobState`] if it is over, unless it was interrupted; [`EngineError::NoJob`] and
    /// [`EngineError::Store`].
    pub async fn cancel(&self, id: JobId) -> Result<(), EngineError> {
        if let Some(live) = self.jobs.get(id) {
            live.cancel(JobState::Cancelled);
            return Ok(());
        }
        let record = self.record(id).await?;
        if record.state != JobState::Interrupted {
            return Err(EngineError::JobState { id, state: record.state, asked: "cancelled" });
        }
        let finished_ns = Some(now_ns());
        Ok(self.store.put_job(&JobRecord { state: JobState::Cancelled, finished_ns, ..record }).await?)
    }

    /// Waits until a job is over, and tells how it ended.
    ///
    /// # Errors
    /// [`EngineError::NoJob`] and [`EngineError::Store`].
    pub async fn wait(&self, id: JobId) -> Result<JobStatus, EngineError> {
        let mut events = self.job_events(id).await?;
        let mut last = None;
        while let Some(status) = events.next().await {
            last = Some(status);
        }
        match last {
            Some(status) => Ok(status),
            None => self.job(id).await,
        }
    }

    /// How a job goes on, from now to its end. Of one that is over, or that another process runs, its status is all there
    /// is.
    ///
    /// # Errors
    /// [`EngineError::NoJob`] and [`EngineError::Store`].
    pub async fn job_events(&self, id: JobId) -> Result<JobEvents, EngineError> {
        let updates = match self.jobs.get(id) {
            Some(live) => {
                live.publish();
                live.updates.subscribe()
            }
            None => watch::channel(status_of(&self.record(id).await?)).1,
        };
        Ok(JobEvents::new(updates))
    }

    /// An index run that whoever waits for it has begun, as a job: goes on with the last one of the tree, if that did not
    /// come to its end.
    pub(crate) async fn index_as_job(
        &self,
        root: &Path,
        options: &IndexOptions,
        control: IndexControl,
    ) -> Result<IndexReport, EngineError> {
        let given = root.to_owned();
        let root = blocking(move || tree_at(&given)).await??;
        self.check_root(&root).await?;
        let last = self.store.jobs().await?.into_iter().find(|job| job.paths.is_none());
        let unfinished = last.filter(|job| {
            matches!(job.state, JobState::Interrupted | JobState::Cancelled | JobState::Failed)
                && job.root == root.to_string_lossy()
                && !options.rebuild
        });
        let IndexControl { cancel, progress, observer } = control;
        if let Some(job) = unfinished {
            let live = Arc::new(LiveJob::new(queued(job), options.clone(), cancel.child(), progress.clone()));
            if self.jobs.add(&live) {
                return self.run_job(&live, observer).await;
            }
        }
        let record = new_record(&root, None, options);
        let record = JobRecord { id: self.store.add_job(&record).await?, ..record };
        let live = Arc::new(LiveJob::new(record, options.clone(), cancel.child(), progress));
        self.jobs.add(&live);
        self.run_job(&live, observer).await
    }

    async fn check_root(&self, root: &Path) -> Result<(), EngineError> {
        match self.indexed_root().await?.filter(|indexed| indexed != root) {
            Some(indexed) => Err(EngineError::OtherRoot {
                database: self.config.database.clone(),
                indexed,
                requested: root.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Runs a job that is noted.
    fn begin(&self, record: JobRecord, options: IndexOptions) -> JobId {
        let id = JobId::new(record.id);
        let live = Arc::new(LiveJob::new(record, options, CancelToken::new(), Progress::new()));
        if !self.jobs.add(&live) {
            // Somebody else has begun it just now.
            return id;
        }
        let engine = self.share();
        let jobs = self.jobs.clone();
        // How it ends is in its status.
        jobs.keep(tokio::spawn(async move { drop(engine.run_job(&live, None).await) }));
        id
    }

    /// Runs a job to its end, and notes that.
    async fn run_job(
        &self,
        live: &Arc<LiveJob>,
        observer: Option<Box<dyn ProgressObserver + Send>>,
    ) -> Result<IndexReport, EngineError> {
        // However this ends, also because nobody waits for it any more.
        let registered = Registered::of(&self.jobs, live);
        let scribe = async {
            let mut noted = live.record().state;
            let mut ticks = tokio::time::interval(TICK);
            let mut wanted = live.wanted.subscribe();
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = wanted.changed() => {}
                }
                live.publish();
                let record = live.record().clone();
                // That of the end is noted below, and if this fails that will too.
                if record.state != noted && self.store.put_job(&record).await.is_ok() {
                    noted = record.state;
                }
                if live.cancel.is_cancelled() {
                    live.wanted.send_if_modified(|wanted| !std::mem::replace(&mut wanted.cancelled, true));
                }
            }
        };
        let result = tokio::select! {
            biased;
            result = self.run_in_turn(live, observer) => result,
            never = scribe => never,
        };
        live.end(&result);
        let record = live.record().clone();
        let put = self.store.put_job(&record).await;
        let result = result.and_then(|report| put.map(|()| report).map_err(EngineError::from));
        drop(registered);
        result
    }

    async fn run_in_turn(
        &self,
        live: &LiveJob,
        mut observer: Option<Box<dyn ProgressObserver + Send>>,
    ) -> Result<IndexReport, EngineError> {
        let mut waits = WAITS_FOR_LOCK.into_iter();
        loop {
            let turn = live.unless_cancelled(async {
                loop {
                    live.unpaused().await;
                    let turn = self.index_turn.lock().await;
                    // One that was paused as it waited does not take the turn from others.
                    if !live.pause.is_paused() {
                        return turn;
                    }
                }
            });
            let _turn = turn.await?;
            let (root, scope, options, progress) = live.start();
            let control = IndexControl { cancel: live.cancel.clone(), progress, observer: observer.take() };
            let result = self.run(&root, &options, control, scope, Some(live)).await;
            match (result, waits.next()) {
                (Err(EngineError::Store(StoreError::Locked { .. })), Some(wait)) => {
                    live.unless_cancelled(tokio::time::sleep(wait)).await?;
                    live.again();
                }
                (result, _) => return result.map(|(report, _)| report),
            }
        }
    }

    async fn record(&self, id: JobId) -> Result<JobRecord, EngineError> {
        let record = self.store.job(id.get()).await?.ok_or(EngineError::NoJob { id })?;
        Ok(self.as_it_is(record))
    }

    /// Nobody but this engine runs jobs of a store that it writes, so one that it does not run was interrupted.
    fn as_it_is(&self, record: JobRecord) -> JobRecord {
        let is_ours = self.config.access == crate::Access::Write;
        match is_ours && !record.state.is_over() {
            true => JobRecord { state: JobState::Interrupted, ..record },
            false => record,
        }
    }

    /// Why nothing can be asked of a job that is not under way.
    async fn over(&self, id: JobId, asked: &'static str) -> Result<EngineError, EngineError> {
        let state = self.record(id).await?.state;
        Ok(EngineError::JobState { id, state, asked })
    }
}

/// The job once more.
fn queued(record: JobRecord) -> JobRecord {
    JobRecord { state: JobState::Queued, finished_ns: None, error: None, ..record }
}

/// The one name of a tree.
fn tree_at(root: &Path) -> Result<PathBuf, EngineError> {
    let failed = |reason: String| EngineError::Root { path: root.to_owned(), reason };
    let resolved = root.canonicalize().map_err(|error| failed(crate::discover::io_reason(&error)))?;
    if resolved.is_dir() { Ok(resolved) } else { Err(failed("it is not a directory".into())) }
}

fn new_record(root: &Path, paths: Option<Vec<RepoPath>>, options: &IndexOptions) -> JobRecord {
    JobRecord {
        id: 0,
        state: JobState::Queued,
        root: root.to_string_lossy().into_owned(),
        paths,
        rebuild: options.rebuild,
        created_ns: now_ns(),
        started_ns: None,
        finished_ns: None,
        error: None,
        progress: JobProgress::default(),
    }
}

/// The path in the tree of a file that is named; it need not be there.
pub(crate) fn path_in(root: &Path, file: &Path) -> Result<RepoPath, EngineError> {
    let outside = || EngineError::OutsideTree { path: file.to_owned(), root: root.to_owned() };
    let absolute = plain(&root.join(file)).ok_or_else(outside)?;
    // It may have been named by way of a link to the tree, or into it.
    let resolved = match (absolute.parent().map(Path::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    };
    let relative = resolved.strip_prefix(root).map_err(|_| outside())?;
    let text = relative.to_str().ok_or_else(outside)?;
    let text = if std::path::MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace('\\', "/") };
    RepoPath::new(text).map_err(|_| outside())
}

/// Without `.` and `..`, as far as names tell; `None` if it leads above the root of the file system.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}
