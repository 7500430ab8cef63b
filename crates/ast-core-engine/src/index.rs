//! An index run: discover, plan, prepare, commit.

use crate::commit::{Committer, Delivery};
use crate::discover::{Discovery, Scope, discover};
use crate::embeddings::Embeddings;
use crate::engine::{blocking, index_batch, meta_key};
use crate::jobs::LiveJob;
use crate::memory::source_in_flight;
use crate::metrics::Stage;
use crate::plan::{Known, Outdated, Plan, Unfinished, plan};
use crate::prepare::{GivenUp, Prepared, Preparer, Task};
use crate::report::{IndexReport, PlanReport};
use crate::{Engine, EngineConfig, EngineError, Failure, vectors};
use ast_core_batch::{
    Batch, BatchConfig, BatchError, CancelToken, Completed, Control, Order, Outcome, Progress,
    ProgressObserver, WorkerPool, run_with_retry,
};
use ast_core_metrics::ProcessFigures;
use ast_core_model::{FileId, RepoPath};
use ast_core_storage::{FileRecord, FileStatus, IndexedFile, StoreError, WriteBatch};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tracing::Instrument;

/// What a run over a tree, or a part of it, has to do.
pub(crate) struct PlannedRun {
    pub(crate) root: PathBuf,
    pub(crate) plan: Plan,
    pub(crate) failures: Vec<Failure>,
    /// The directories that were looked into.
    pub(crate) folders: Vec<PathBuf>,
    /// Whether everything is to be parsed again.
    is_outdated: bool,
}

/// What is noted when a run begins.
struct Begun<'a> {
    root: &'a Path,
    plan: &'a Plan,
    started_ns: i64,
    is_partial: bool,
    is_outdated: bool,
}

/// How an index run goes about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// Parses every file again, whether it changed or not.
    pub rebuild: bool,
    /// How many threads work on it. Default: as many as the engine [has](ast_core_batch::BatchConfig::workers).
    pub workers: Option<NonZeroUsize>,
    /// The most files that are committed together: fewer are found sooner, and cost more transactions. Default: 512.
    pub files_a_commit: Option<NonZeroUsize>,
}

/// Who looks on while an index run is under way.
#[derive(Default)]
pub struct IndexControl {
    /// Ends the run early; what was committed is kept.
    pub cancel: CancelToken,
    /// Counts files and bytes of source as they are done; a clone of it may be read from any thread.
    pub progress: Progress,
    /// Is told of the progress from time to time, on a thread of the engine.
    pub observer: Option<Box<dyn ProgressObserver + Send>>,
}

impl IndexControl {
    fn check(&self) -> Result<(), EngineError> {
        if self.cancel.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
    }
}

impl Engine {
    /// Brings the index up to the tree at `root`: parses what is new or changed, and drops what is gone.
    ///
    /// Files are committed as they are done, so a run that is cancelled or killed keeps what it had, and the next
    /// goes on from there.
    ///
    /// # Errors
    /// [`EngineError::Root`] if `root` is no directory; [`EngineError::OtherRoot`] if the index holds another tree;
    /// [`EngineError::Cancelled`]; [`EngineError::Store`] if it cannot be written; [`EngineError::Embed`] if the embedder
    /// cannot be asked: what was committed is kept then, too. A file that cannot be read is no error: it is in the report.
    pub async fn index(
        &self,
        root: impl AsRef<Path>,
        options: &IndexOptions,
        control: IndexControl,
    ) -> Result<IndexReport, EngineError> {
        self.index_as_job(root.as_ref(), options, control).await
    }

    /// The same of a part of the tree, and without a job; also the directories that were looked into.
    pub(crate) async fn index_scope(
        &self,
        root: &Path,
        options: &IndexOptions,
        control: IndexControl,
        scope: Scope,
    ) -> Result<(IndexReport, Vec<PathBuf>), EngineError> {
        // One run at a time: two would plan from the same state and both do the work.
        let _turn = self.index_turn.lock().await;
        self.run(root, options, control, scope, None).await
    }

    /// A run, by whoever has the turn.
    pub(crate) async fn run(
        &self,
        root: &Path,
        options: &IndexOptions,
        control: IndexControl,
        scope: Scope,
        job: Option<&LiveJob>,
    ) -> Result<(IndexReport, Vec<PathBuf>), EngineError> {
        let begin = Instant::now();
        let _active = self.metrics.enter_run();
        let span = tracing::debug_span!("index", root = %root.display());
        let result = self.run_to_its_end(root, options, control, scope, job).instrument(span).await;
        self.metrics.run_ended(result.is_ok(), begin.elapsed());
        result
    }

    async fn run_to_its_end(
        &self,
        root: &Path,
        options: &IndexOptions,
        control: IndexControl,
        scope: Scope,
        job: Option<&LiveJob>,
    ) -> Result<(IndexReport, Vec<PathBuf>), EngineError> {
        let begin = Instant::now();
        control.check()?;
        let started_ns = now_ns();
        let PlannedRun { root, plan, failures, folders, is_outdated } =
            self.plan_run(root, options, &scope).await?;
        let mut report = IndexReport { files: plan.counts, failures, ..IndexReport::default() };
        tracing::info!(
            root = %root.display(),
            to_read = plan.read.len(),
            gone = plan.removed.len(),
            unchanged = plan.counts.unchanged,
            "compared the tree with the index"
        );
        report.files.removed += plan.removed.len() as u64;
        report.files.failed += report.failures.len() as u64;
        report.generation = self.store.generation().await?;
        control.check()?;
        let is_partial = !matches!(scope, Scope::Tree);
        let cancel = control.cancel.clone();
        if let Scope::Files(..) = scope {
            // Those whose language is not known were named and are among the failures.
            report.files.unsupported = 0;
            // It would be taken for an index that was made in one way.
            self.check_pipeline().await?;
        }
        let has_work = !(is_partial && plan.is_empty());
        if has_work {
            let begun = Begun { root: &root, plan: &plan, started_ns, is_partial, is_outdated };
            let first_id = self.begin_run(begun, &mut report).await?;
            self.prepare_and_commit(plan, first_id, options, control, &mut report, job).await?;
        }
        report.failures.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        if is_partial {
            if let Scope::Folders(_) = scope {
                (report.files.ignored, report.files.unsupported) = (0, 0);
            }
            if has_work {
                self.keep_vector_file(&cancel).await;
            }
            // What the last run over all of it noted still holds for the rest.
            report.elapsed = begin.elapsed();
            return Ok((report, folders));
        }
        let mut meta = vec![
            (meta_key::LAST_RUN.into(), started_ns.to_string()),
            (meta_key::COMPLETE.into(), "true".into()),
            (meta_key::UNFINISHED.into(), String::new()),
            (meta_key::IGNORED.into(), report.files.ignored.to_string()),
            (meta_key::UNSUPPORTED.into(), report.files.unsupported.to_string()),
        ];
        for key in [meta_key::OUTDATED, meta_key::FOREIGN] {
            // What could not be read now is still as it was made before, and to be made anew.
            let until = self.meta_number(key).await?;
            if until > 0 && self.store.files_until(until).await?.is_empty() {
                meta.push((key.into(), "0".into()));
            }
        }
        let finished = WriteBatch { meta, ..WriteBatch::default() };
        report.generation = self.store.commit(finished).await?.generation;
        self.store.settle().await?;
        self.keep_vector_file(&cancel).await;
        report.peak_rss_bytes = ProcessFigures::read().peak_rss_bytes;
        report.elapsed = begin.elapsed();
        let (indexed, generation) = (report.files.indexed, report.generation);
        tracing::info!(indexed, generation, elapsed = ?report.elapsed, "brought the index up");
        Ok((report, folders))
    }

    /// What [`index`](Self::index) would do, without doing it. Of a file whose stamp differs only a run can tell
    /// whether its content does.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub async fn plan(
        &self,
        root: impl AsRef<Path>,
        options: &IndexOptions,
    ) -> Result<PlanReport, EngineError> {
        let PlannedRun { plan, failures, .. } = self.plan_run(root.as_ref(), options, &Scope::Tree).await?;
        Ok(plan_report(plan, &failures))
    }

    /// Looks at the tree and compares it with the index.
    pub(crate) async fn plan_run(
        &self,
        root: &Path,
        options: &IndexOptions,
        scope: &Scope,
    ) -> Result<PlannedRun, EngineError> {
        let (given, looked_at) = (root.to_owned(), scope.clone());
        let (config, metrics) = (self.config.clone(), self.metrics.clone());
        let (root, discovery): (PathBuf, Discovery) = blocking(move || {
            let mut timing = metrics.start(Stage::Discover);
            let failed = |error: std::io::Error| EngineError::Root {
                path: given.clone(),
                reason: crate::discover::io_reason(&error),
            };
            let root = given.canonicalize().map_err(failed)?;
            let discovery = discover(&root, &looked_at, &config.selection)?;
            timing.count(discovery.files.len(), 0);
            Ok::<_, EngineError>((root, discovery))
        })
        .await??;
        let planning = self.plan_of(root, discovery, options, scope);
        let files = |planned: &PlannedRun| planned.plan.read.len() + planned.plan.removed.len();
        self.metrics.time(Stage::Plan, planning, files).await
    }

    /// Compares what was found of a tree with the index.
    async fn plan_of(
        &self,
        root: PathBuf,
        mut discovery: Discovery,
        options: &IndexOptions,
        scope: &Scope,
    ) -> Result<PlannedRun, EngineError> {
        if let Some(indexed) = self.indexed_root().await?.filter(|indexed| *indexed != root) {
            return Err(EngineError::OtherRoot {
                database: self.config.database.clone(),
                indexed,
                requested: root,
            });
        }
        let pipeline = self.store.meta(meta_key::PIPELINE).await?;
        let is_outdated =
            options.rebuild || pipeline.is_some_and(|pipeline| pipeline != self.config.pipeline());
        // What a run that was cut short left to be made anew.
        let until = self.meta_number(meta_key::OUTDATED).await?;
        let outdated = match (is_outdated, until) {
            (true, _) => Outdated::All,
            (false, 0) => Outdated::None,
            (false, until) => Outdated::Files(self.store.files_until(until).await?),
        };
        let unfinished = match self.unfinished().await? {
            Some((until, since_ns)) => {
                Some(Unfinished { since_ns, earlier: self.store.files_until(until).await? })
            }
            None => None,
        };
        let mut files = self.store.files().await?;
        files.retain(|record| scope.covers(&root, &record.path));
        let known = Known {
            files,
            last_run_ns: self
                .store
                .meta(meta_key::LAST_RUN)
                .await?
                .and_then(|text| text.parse().ok())
                // The clock was set back: what is older than that run may be newer than it, too.
                .filter(|last_run: &i64| *last_run <= now_ns())
                .unwrap_or(0),
            unfinished,
            outdated,
            max_bytes: self.config.limits.max_bytes as u64,
        };
        let mut failures = std::mem::take(&mut discovery.failures);
        // One that the index has is gone, and no failure.
        let mut missing: BTreeSet<RepoPath> = discovery.missing.drain(..).collect();
        for record in &known.files {
            missing.remove(&record.path);
        }
        let not_found = |path: RepoPath| Failure { path: path.to_string(), reason: "no such file".into() };
        failures.extend(missing.into_iter().map(not_found));
        let folders = std::mem::take(&mut discovery.folders);
        let plan = plan(discovery, known, &failures);
        Ok(PlannedRun { root, plan, failures, folders, is_outdated })
    }

    /// The generation before the first run that did not come to its end, since one did; and when that began.
    async fn unfinished(&self) -> Result<Option<(u64, i64)>, EngineError> {
        let noted = self.store.meta(meta_key::UNFINISHED).await?.unwrap_or_default();
        let parsed = noted.split_once(' ').map(|(until, since)| (until.parse().ok(), since.parse().ok()));
        Ok(parsed.and_then(|(until, since)| until.zip(since)))
    }

    /// Takes out what is gone, notes what is being done, and reserves ids for what may come; the first of them.
    async fn begin_run(&self, begun: Begun<'_>, report: &mut IndexReport) -> Result<u64, EngineError> {
        let Begun { root, plan, started_ns, is_partial, is_outdated } = begun;
        let next = self.store.meta(meta_key::NEXT_FILE_ID).await?;
        // Beginning anew after a damaged number would give ids a second time.
        let damaged = |text: &str| StoreError::Corrupt {
            path: self.config.database.clone(),
            reason: format!("the next file id is {text:?}"),
        };
        let first_id = next.map_or(Ok(1), |text| text.parse::<u64>().map_err(|_| damaged(&text)))?;
        let model = self.config.embedder.model();
        let mut batch = WriteBatch {
            removed: plan.removed_ids(),
            meta: vec![
                (meta_key::ROOT.into(), root.to_string_lossy().into_owned()),
                (meta_key::PIPELINE.into(), self.config.pipeline()),
                (meta_key::EMBEDDER.into(), model.id.clone()),
                (meta_key::DIMENSION.into(), model.dimension.to_string()),
                (meta_key::NEXT_FILE_ID.into(), (first_id + plan.read.len() as u64).to_string()),
            ],
            ..WriteBatch::default()
        };
        if !plan.read.is_empty() && !is_partial {
            batch.meta.push((meta_key::COMPLETE.into(), "false".into()));
        }
        if !is_partial && self.unfinished().await?.is_none() {
            let noted = format!("{} {started_ns}", report.generation);
            batch.meta.push((meta_key::UNFINISHED.into(), noted));
        }
        if is_outdated && !is_partial {
            batch.meta.push((meta_key::OUTDATED.into(), report.generation.to_string()));
        }
        if self.store.meta(meta_key::EMBEDDER).await?.is_some_and(|before| before != model.id) {
            batch.meta.push((meta_key::FOREIGN.into(), report.generation.to_string()));
        }
        report.generation = self.store.commit(batch).await?.generation;
        Ok(first_id)
    }

    /// The threads of a run: those of the engine, or of its own if it is to have another number of them.
    fn pool_for(&self, options: &IndexOptions) -> Result<Arc<Mutex<WorkerPool>>, EngineError> {
        let config = index_batch(&self.config);
        match options.workers.filter(|workers| *workers != config.workers) {
            None => Ok(self.index_pool.clone()),
            Some(workers) => Ok(Arc::new(Mutex::new(WorkerPool::new(BatchConfig { workers, ..config })?))),
        }
    }

    async fn prepare_and_commit(
        &self,
        plan: Plan,
        first_id: u64,
        options: &IndexOptions,
        control: IndexControl,
        report: &mut IndexReport,
        job: Option<&LiveJob>,
    ) -> Result<(), EngineError> {
        let mut tasks = Vec::with_capacity(plan.read.len());
        for (id, file) in (first_id..).zip(plan.read) {
            let id = FileId::new(id)
                .ok_or_else(|| EngineError::Internal { what: format!("no file id is left after {id}") })?;
            tasks.push(Task { id, file });
        }
        if tasks.is_empty() {
            return Ok(());
        }
        let IndexControl { cancel, progress, mut observer } = control;
        let run_cancel = cancel.child();
        // Also if nobody waits for this any more: the workers could be paused, and wait for ever.
        let _cancel = CancelOnDrop(run_cancel.clone());
        let pause = job.map(LiveJob::gate).unwrap_or_default();
        let bytes = tasks.iter().map(|task| task.file.source.stamp.size).sum();
        progress.expect(tasks.len() as u64, bytes);
        if let Some(job) = job {
            job.planned(report, tasks.len() as u64, bytes);
        }
        let (sender, receiver) =
            tokio::sync::mpsc::channel::<Delivery>(self.config.batch.queue_capacity.get());
        let pool = self.pool_for(options)?;
        let (config, memory) = (self.config.clone(), self.parse_memory.clone());
        let metrics = self.metrics.clone();
        let given_up = GivenUp::default();
        let embeddings = match vectors::are_kept(&config) {
            true => {
                let (config, metrics) = (config.clone(), metrics.clone());
                Some(blocking(move || Embeddings::open(&config, metrics)).await??)
            }
            false => None,
        };
        let workers = {
            let (cancel, given_up) = (run_cancel.clone(), given_up.clone());
            blocking(move || {
                let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
                let names: Vec<FileRecord> = tasks.iter().map(record_of_panic).collect();
                let sink = |completed: Completed<Prepared>| {
                    let prepared = match completed.outcome {
                        Outcome::Done(prepared) | Outcome::TimedOut(prepared) => prepared,
                        Outcome::Panicked { message } => panicked(&names[completed.index], &message),
                        _ => panicked(&names[completed.index], "it came to an unknown end"),
                    };
                    sender
                        .blocking_send(Delivery { prepared, permit: completed.permit })
                        .map_err(|_| WriterGone)
                };
                let batch = Batch {
                    items: tasks,
                    weigh: |task: &Task| task.file.source.stamp.size,
                    worker: |token| {
                        let ends = (cancel.clone(), given_up.clone());
                        let (memory, metrics) = (memory.clone(), metrics.clone());
                        let mut preparer =
                            Preparer::new(&config, embeddings.clone(), memory, ends, token, metrics);
                        move |task: Task| preparer.prepare(task)
                    },
                    sink,
                };
                let observer =
                    observer.as_mut().map(|observer| &mut **observer as &mut (dyn ProgressObserver + Send));
                let control = Control {
                    order: Order::Completion,
                    cancel: cancel.clone(),
                    pause,
                    time_limit: Some(config.file_time_limit),
                    progress,
                    observer,
                };
                run_with_retry(&mut pool, batch, &config.retry, control)
            })
        };
        let in_flight = source_in_flight(self.config.batch.memory_budget);
        let committed = async {
            let places = (&*self.store, &*self.metrics);
            let committer = Committer::new(places, report, job, in_flight, options.files_a_commit);
            let result = committer.run(receiver).await;
            if result.is_err() {
                run_cancel.cancel();
            }
            result
        };
        let (worked, committed) = tokio::join!(workers, committed);
        committed?;
        if let Some(error) = given_up.take() {
            return Err(error.into());
        }
        match worked? {
            Ok(summary) if summary.cancelled => Err(EngineError::Cancelled),
            Ok(_) => Ok(()),
            Err(error) => Err(internal(&error)),
        }
    }
}

struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What indexing a tree that has no index would do, by an engine of this configuration.
///
/// # Errors
/// [`EngineError::Root`] if `root` is no directory.
pub async fn plan_without_index(
    config: &EngineConfig,
    root: impl AsRef<Path>,
) -> Result<PlanReport, EngineError> {
    let (root, selection) = (root.as_ref().to_owned(), config.selection.clone());
    let mut discovery = blocking(move || discover(&root, &Scope::Tree, &selection)).await??;
    let failures = std::mem::take(&mut discovery.failures);
    let max_bytes = config.limits.max_bytes as u64;
    let nothing =
        Known { files: Vec::new(), last_run_ns: 0, unfinished: None, outdated: Outdated::None, max_bytes };
    Ok(plan_report(plan(discovery, nothing, &failures), &failures))
}

fn plan_report(plan: Plan, failures: &[Failure]) -> PlanReport {
    let mut report = PlanReport { files: plan.counts, ..PlanReport::default() };
    report.files.removed = plan.removed.len() as u64;
    report.files.failed += failures.len() as u64;
    report.removed = plan.removed.iter().map(|record| record.path.to_string()).collect();
    for file in plan.read {
        let paths = if file.before.is_some() { &mut report.changed } else { &mut report.new };
        paths.push(file.source.path.to_string());
    }
    report
}

/// The writer ended first; its own error says why.
#[derive(Debug, Clone, Copy)]
struct WriterGone;

impl std::fmt::Display for WriterGone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the writer ended before the workers")
    }
}

impl std::error::Error for WriterGone {}

fn internal(error: &BatchError<WriterGone>) -> EngineError {
    EngineError::Internal { what: error.to_string() }
}

/// What is written of a file whose preparation panics.
fn record_of_panic(task: &Task) -> FileRecord {
    let source = &task.file.source;
    FileRecord {
        id: task.id,
        path: source.path.clone(),
        language: None,
        status: FileStatus::Failed,
        detail: None,
        size: source.stamp.size,
        modified_ns: source.stamp.changed_ns,
        content_hash: None,
        lines: 0,
        syntax_errors: 0,
    }
}

fn panicked(record: &FileRecord, message: &str) -> Prepared {
    let record = FileRecord { detail: Some(format!("the engine panicked: {message}")), ..record.clone() };
    Prepared::New(Box::new(IndexedFile::left_out(record)))
}

pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
