//! What is asked of a job, and how it is told of.

use super::progress::counts_from;
use crate::report::FileCounts;
use crate::{Failure, IndexOptions};
use ast_core_storage::{JobProgress, JobRecord, JobState};
use std::fmt;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

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
    /// Brings the index up to a tree, as [`Engine::index`](crate::Engine::index) does.
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
    pub(super) fn new(updates: watch::Receiver<JobStatus>) -> Self {
        Self { updates, is_first: true, is_over: false }
    }

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

pub(super) fn status_of(record: &JobRecord) -> JobStatus {
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
