//! Jobs: index runs that go on by themselves, can be asked how far they are, held up, and gone on with by another
//! process.
//!
//! A job is a row in the store, and while it is under way also a [`LiveJob`] here. What it has to do is in neither: each
//! time it is begun, the tree is compared with the store, so what was committed is not done again.

use crate::discover::Scope;
use crate::engine::blocking;
use crate::index::now_ns;
use crate::report::{FileCounts, IndexReport};
use crate::{Engine, EngineError, Failure, IndexControl, IndexOptions};
use ast_core_batch::{CancelToken, Pause, Progress, ProgressObserver, ProgressSnapshot};
use ast_core_model::RepoPath;
use ast_core_storage::{JobProgress, JobRecord, JobState, StoreError};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::num::ParseIntError;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How many failures of a job are kept beside their number.
const LISTED_FAILURES: usize = 100;

/// How often is told how far a job is.
const TICK: Duration = Duration::from_millis(100);

/// A run that finds the store locked by another program, which holds it for longer than
/// [`busy_timeout`](crate::StoreConfig::busy_timeout), is begun again after each of these.
const WAITS_FOR_LOCK: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The number of a job in its index, from 1. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl JobId {
    /// The job with this number, if there is one.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRequest {
    /// The tree.
    pub root: PathBuf,
    /// The files to be brought up, absolute or relative to the tree; `None` for all of the tree.
    pub files: Option<Vec<PathBuf>>,
    /// How it goes about it, if it is of all of the tree.
    pub options: IndexOptions,
}

impl JobRequest {
    /// Brings the index up to a tree, as [`Engine::index`] does.
    pub fn tree(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), files: None, options: IndexOptions::default() }
    }

    /// Brings the index up to these files of a tree, and leaves all others as they are. Rules on what is ignored do not
    /// hold for files that are named. One that is gone is taken out of the index.
    pub fn files<P: Into<PathBuf>>(root: impl Into<PathBuf>, files: impl IntoIterator<Item = P>) -> Self {
        let files = files.into_iter().map(Into::into).collect();
        Self { files: Some(files), ..Self::tree(root) }
    }
}

/// Where a job stands, and what it has done.
///
/// It tells of the job as a whole, however often it was interrupted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobStatus {
    /// The job.
    pub id: JobId,
    /// Where it stands.
    pub state: JobState,
    /// The tree.
    pub root: PathBuf,
    /// How many files were named; `None` if it is of all of the tree.
    pub named_files: Option<u64>,
    /// Files to be read; `None` until the tree was looked at.
    pub files_total: Option<u64>,
    /// Files that were read and prepared. Those of the last moment are not committed yet while it runs.
    pub files_done: u64,
    /// Bytes of the files to be read, as the file system has them; `None` until the tree was looked at.
    pub bytes_total: Option<u64>,
    /// Bytes of the files that were read and prepared.
    pub bytes_done: u64,
    /// What became of files, as far as that is committed. `unchanged`, `ignored` and `unsupported` are as they were when
    /// the tree was looked at last.
    pub files: FileCounts,
    /// Lines of the files that were parsed.
    pub lines: u64,
    /// Their symbols.
    pub symbols: u64,
    /// Their chunks.
    pub chunks: u64,
    /// How many files could not be indexed wholly.
    pub failure_count: u64,
    /// The first hundred of them.
    pub failures: Vec<Failure>,
    /// Why it could not go on, if it is [`JobState::Failed`].
    pub error: Option<String>,
    /// Files read a second, over the time that it ran since it was last begun; of one that is over, over all the time that
    /// it ran. `None` before there is anything to judge by.
    pub files_per_second: Option<f64>,
    /// Bytes a second, likewise.
    pub bytes_per_second: Option<f64>,
    /// Time to its end at that rate; `None` if it is not under way, or nothing can be told.
    pub remaining: Option<Duration>,
    /// How long it ran, pauses left out.
    pub active: Duration,
    /// When it was submitted.
    pub created: SystemTime,
    /// When it was last begun.
    pub started: Option<SystemTime>,
    /// When it came to its end.
    pub finished: Option<SystemTime>,
    /// The generation of the index after the last commit of the job; 0 before the first.
    pub generation: u64,
}

/// How a job goes on: its status now, then what it changes to, and last of all how it ends.
///
/// Statuses that come while nobody asks are left out, but for the last: who is slow misses what is between, and keeps
/// nobody waiting.
#[derive(Debug)]
pub struct JobEvents {
    updates: watch::Receiver<JobStatus>,
    is_first: bool,
    is_over: bool,
}

impl JobEvents {
    /// Waits for the next status; `None` after that of a job that is over.
    pub async fn next(&mut self) -> Option<JobStatus> {
        if self.is_over {
            return None;
        }
        // When nobody is left to change it, what it is now is the last of it.
        if !std::mem::take(&mut self.is_first) && self.updates.changed().await.is_err() {
            return None;
        }
        let status = self.updates.borrow_and_update().clone();
        self.is_over = status.state.is_over();
        Some(status)
    }
}

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
        Ok(self.begin(JobRecord { id, ..record }))
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
        let status = |record: JobRecord| match self.jobs.get(JobId(record.id)) {
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
        self.begin(record);
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
        Ok(JobEvents { updates, is_first: true, is_over: false })
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
            let live = Arc::new(LiveJob::new(queued(job), cancel.child(), progress.clone()));
            if self.jobs.add(&live) {
                return self.run_job(&live, observer).await;
            }
        }
        let record = new_record(&root, None, options);
        let record = JobRecord { id: self.store.add_job(&record).await?, ..record };
        let live = Arc::new(LiveJob::new(record, cancel.child(), progress));
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
    fn begin(&self, record: JobRecord) -> JobId {
        let id = JobId(record.id);
        let live = Arc::new(LiveJob::new(record, CancelToken::new(), Progress::new()));
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
        let registered = Registered { jobs: &self.jobs, live };
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
        let record = self.store.job(id.0).await?.ok_or(EngineError::NoJob { id })?;
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
fn path_in(root: &Path, file: &Path) -> Result<RepoPath, EngineError> {
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

/// The jobs that an engine runs.
#[derive(Default)]
pub(crate) struct Jobs {
    live: Mutex<HashMap<JobId, Arc<LiveJob>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// The engine is gone: what is not over is interrupted.
    is_closed: AtomicBool,
}

impl Jobs {
    fn get(&self, id: JobId) -> Option<Arc<LiveJob>> {
        self.live().get(&id).cloned()
    }

    /// Whether it was not there yet.
    fn add(&self, live: &Arc<LiveJob>) -> bool {
        match self.live().entry(live.id()) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(vacant) => drop(vacant.insert(live.clone())),
        }
        if self.is_closed.load(Ordering::Acquire) {
            live.cancel(JobState::Interrupted);
        }
        true
    }

    fn keep(&self, task: JoinHandle<()>) {
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
struct Registered<'a> {
    jobs: &'a Jobs,
    live: &'a Arc<LiveJob>,
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
    part: Mutex<Part>,
    pause: Pause,
    cancel: CancelToken,
    wanted: watch::Sender<Wanted>,
    updates: watch::Sender<JobStatus>,
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
struct Wanted {
    paused: bool,
    cancelled: bool,
}

impl LiveJob {
    fn new(record: JobRecord, cancel: CancelToken, progress: Progress) -> Self {
        let part = Part {
            before: record.progress.clone(),
            progress,
            is_started: false,
            cancelled_as: JobState::Cancelled,
        };
        let updates = watch::Sender::new(status_of(&record));
        Self {
            record: Mutex::new(record),
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
        JobId(self.record().id)
    }

    fn record(&self) -> MutexGuard<'_, JobRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self) -> MutexGuard<'_, Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self) -> Result<(), EngineError> {
        let mut record = self.record();
        if record.state.is_over() {
            return Err(EngineError::JobState { id: JobId(record.id), state: record.state, asked: "paused" });
        }
        // Together, for who begins it looks at one and sets the other.
        self.pause.pause();
        record.state = JobState::Paused;
        drop(record);
        self.wanted.send_modify(|wanted| wanted.paused = true);
        Ok(())
    }

    fn resume(&self) -> Result<(), EngineError> {
        let part = self.part();
        let mut record = self.record();
        if record.state.is_over() {
            return Err(EngineError::JobState {
                id: JobId(record.id),
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
    fn cancel(&self, state: JobState) {
        if !self.cancel.is_cancelled() {
            self.part().cancelled_as = state;
        }
        self.cancel.cancel();
        self.wanted.send_modify(|wanted| wanted.cancelled = true);
    }

    /// Waits for something, or for the job to be cancelled.
    async fn unless_cancelled<T>(&self, waited_for: impl Future<Output = T>) -> Result<T, EngineError> {
        let mut wanted = self.wanted.subscribe();
        tokio::select! {
            biased;
            // The sender is here.
            _ = wanted.wait_for(|wanted| wanted.cancelled) => Err(EngineError::Cancelled),
            done = waited_for => Ok(done),
        }
    }

    async fn unpaused(&self) {
        let mut wanted = self.wanted.subscribe();
        // The sender is here.
        let _ = wanted.wait_for(|wanted| !wanted.paused).await;
    }

    /// Notes that it is begun, and tells what it is to do.
    fn start(&self) -> (PathBuf, Scope, IndexOptions, Progress) {
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
            Some(paths) => Scope::Files(Arc::new(paths.iter().cloned().collect())),
            None => Scope::Tree,
        };
        let progress = part.progress.clone();
        drop(part);
        let root = PathBuf::from(&record.root);
        drop(record);
        self.wanted.send_modify(|_| {});
        (root, scope, IndexOptions { rebuild }, progress)
    }

    /// Counts anew what is done from now on.
    fn again(&self) {
        let mut part = self.part();
        part.before = self.record().progress.clone();
        part.progress = Progress::new();
    }

    /// Notes how it ended.
    fn end(&self, result: &Result<IndexReport, EngineError>) {
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

    fn publish(&self) {
        let status = self.status();
        self.updates.send_if_modified(|known| {
            let is_news = *known != status;
            *known = status;
            is_news
        });
    }

    fn status(&self) -> JobStatus {
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

/// What a job has done with what a run of it did. How many files and bytes it read, and how long that took, is left open.
fn progress_with(before: &JobProgress, report: &IndexReport) -> JobProgress {
    // What failed is tried again by each run, and is one failure all the same.
    let known: HashSet<&str> = before.first_failures.iter().map(|(path, _)| path.as_str()).collect();
    let new = || report.failures.iter().filter(|failure| !known.contains(failure.path.as_str()));
    let earlier = before.first_failures.iter().cloned();
    let listed = earlier.chain(new().map(|failure| (failure.path.clone(), failure.reason.clone())));
    JobProgress {
        outcomes: counts_together(&counts_from(&before.outcomes), &report.files),
        lines: before.lines + report.lines,
        symbols: before.symbols + report.symbols,
        chunks: before.chunks + report.chunks,
        generation: report.generation,
        failures: before.failures + new().count() as u64,
        first_failures: listed.take(LISTED_FAILURES).collect(),
        ..JobProgress::default()
    }
}

fn counts_from(outcomes: &[u64]) -> FileCounts {
    let at = |at: usize| outcomes.get(at).copied().unwrap_or(0);
    FileCounts {
        indexed: at(0),
        unchanged: at(1),
        removed: at(2),
        ignored: at(3),
        too_large: at(4),
        binary: at(5),
        unsupported: at(6),
        timed_out: at(7),
        failed: at(8),
    }
}

/// What was done adds up; what was found as it should be is as it was found last.
fn counts_together(before: &FileCounts, now: &FileCounts) -> Vec<u64> {
    vec![
        before.indexed + now.indexed,
        // Those that the job had indexed itself are found as they should be.
        now.unchanged.saturating_sub(before.indexed),
        before.removed + now.removed,
        now.ignored,
        now.too_large,
        now.binary,
        now.unsupported,
        now.timed_out,
        now.failed,
    ]
}

fn status_of(record: &JobRecord) -> JobStatus {
    let JobProgress { files_total, files_done, bytes_total, bytes_done, active_ms, .. } = record.progress;
    let active = Duration::from_millis(active_ms);
    let rate = |count: u64| (active_ms > 0 && files_done > 0).then(|| count as f64 / active.as_secs_f64());
    let failure = |(path, reason): &(String, String)| Failure { path: path.clone(), reason: reason.clone() };
    JobStatus {
        id: JobId(record.id),
        state: record.state,
        root: PathBuf::from(&record.root),
        named_files: record.paths.as_ref().map(|paths| paths.len() as u64),
        files_total,
        files_done,
        bytes_total,
        bytes_done,
        files: counts_from(&record.progress.outcomes),
        lines: record.progress.lines,
        symbols: record.progress.symbols,
        chunks: record.progress.chunks,
        failure_count: record.progress.failures,
        failures: record.progress.first_failures.iter().map(failure).collect(),
        error: record.error.clone(),
        files_per_second: rate(files_done),
        bytes_per_second: rate(bytes_done),
        remaining: None,
        active,
        created: time(record.created_ns),
        started: record.started_ns.map(time),
        finished: record.finished_ns.map(time),
        generation: record.progress.generation,
    }
}

fn time(since_1970_ns: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(since_1970_ns).unwrap_or(0))
}
