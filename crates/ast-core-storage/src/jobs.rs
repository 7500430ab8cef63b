//! Jobs: index runs that were asked for, and how far they are.

use ast_core_model::RepoPath;
use std::fmt;
use std::str::FromStr;

/// An index run that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its number, from 1 in the order of their coming. Never used again.
    pub id: u64,
    /// Where it stands.
    pub state: JobState,
    /// The tree.
    pub root: String,
    /// The files of it that were named; `None` if it is of all of the tree.
    pub paths: Option<Vec<RepoPath>>,
    /// Whether all of it is to be parsed again.
    pub rebuild: bool,
    /// When it was asked for, in nanoseconds since 1970.
    pub created_ns: i64,
    /// When it was begun last.
    pub started_ns: Option<i64>,
    /// When it came to its end.
    pub finished_ns: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// How far it is.
    pub progress: JobProgress,
}

/// How far a job is: what is committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobProgress {
    /// Files to be read; `None` before that is known.
    pub files_total: Option<u64>,
    /// Files read.
    pub files_done: u64,
    /// Bytes of the files to be read.
    pub bytes_total: Option<u64>,
    /// Bytes of the files read.
    pub bytes_done: u64,
    /// What became of the files, as many kinds as who runs the job tells apart.
    pub outcomes: Vec<u64>,
    /// Lines of the files that were parsed.
    pub lines: u64,
    /// Their symbols.
    pub symbols: u64,
    /// Their chunks.
    pub chunks: u64,
    /// How long it ran, in milliseconds, pauses left out.
    pub active_ms: u64,
    /// The generation of the store after its last commit.
    pub generation: u64,
    /// How many files failed.
    pub failures: u64,
    /// The first of them: path and reason.
    pub first_failures: Vec<(String, String)>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// It was told to wait.
    Paused,
    /// It came to its end. Files may have failed.
    Done,
    /// It could not go on.
    Failed,
    /// It was told to stop.
    Cancelled,
    /// Its process, or the engine that ran it, ended before it did.
    Interrupted,
}

impl JobState {
    /// Every state.
    pub const ALL: &[JobState] = &[
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The name in the store and in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether it goes on only if somebody resumes it.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text).ok_or(())
    }
}
