//! What a run did, and what an index holds.

use crate::{Failure, PrometheusText};
use ast_core_storage::FileStatus;
use std::time::Duration;

/// What became of the files of a tree. The counts add up to [`seen`](Self::seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileCounts {
    /// Parsed and written to the index.
    pub indexed: u64,
    /// In the index, and as they were.
    pub unchanged: u64,
    /// No longer there, and taken out of the index.
    pub removed: u64,
    /// Entries left out by an ignore rule or because they are hidden; a directory counts as one.
    pub ignored: u64,
    /// Left out because they are larger than the limit.
    pub too_large: u64,
    /// Left out because they are not text.
    pub binary: u64,
    /// Left out because their language is not known; also links, sockets and the like.
    pub unsupported: u64,
    /// Took too long to parse: searchable as text, without symbols.
    pub timed_out: u64,
    /// Could not be read or understood.
    pub failed: u64,
}

impl FileCounts {
    /// All files that were looked at, on disk or in the index before.
    pub fn seen(&self) -> u64 {
        let Self { indexed, unchanged, removed, ignored, too_large, binary, unsupported, timed_out, failed } =
            self;
        indexed + unchanged + removed + ignored + too_large + binary + unsupported + timed_out + failed
    }

    pub(crate) fn count_new(&mut self, status: FileStatus) {
        match status {
            FileStatus::Indexed => self.indexed += 1,
            other => self.count_left_out(other),
        }
    }

    pub(crate) fn count_unchanged(&mut self, status: FileStatus) {
        match status {
            FileStatus::Indexed => self.unchanged += 1,
            other => self.count_left_out(other),
        }
    }

    fn count_left_out(&mut self, status: FileStatus) {
        match status {
            FileStatus::Indexed => {}
            FileStatus::TimedOut => self.timed_out += 1,
            FileStatus::TooLarge => self.too_large += 1,
            FileStatus::Binary => self.binary += 1,
            FileStatus::Failed => self.failed += 1,
        }
    }
}

/// What an index run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct IndexReport {
    /// What became of the files.
    pub files: FileCounts,
    /// Bytes of the files that were parsed in this run.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Their symbols.
    pub symbols: u64,
    /// Their chunks.
    pub chunks: u64,
    /// From beginning to end.
    pub elapsed: Duration,
    /// The most memory that the process had at any time so far, in bytes; `None` where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// The generation of the index after the run.
    pub generation: u64,
    /// Each file that could not be indexed wholly, in order of paths.
    pub failures: Vec<Failure>,
}

/// What an index run would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PlanReport {
    /// Paths that are new to the index.
    pub new: Vec<String>,
    /// Paths whose content may have changed: they would be read, and parsed if it has.
    pub changed: Vec<String>,
    /// Paths that are gone.
    pub removed: Vec<String>,
    /// What is as it was or left out.
    pub files: FileCounts,
}

/// That an index was made with another embedder than the engine has, so that the next run embeds everything anew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbedderChange {
    /// The id of the embedder that made its vectors.
    pub before: String,
    /// The id of the engine's.
    pub now: String,
}

/// What an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusReport {
    /// The files that the index knows of, by what became of them: `indexed` are those that it holds.
    pub files: FileCounts,
    /// Bytes of the files that it holds.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Their symbols.
    pub symbols: u64,
    /// Their chunks.
    pub chunks: u64,
    /// The number of the last commit.
    pub generation: u64,
    /// Each file that it does not hold wholly, in order of paths.
    pub failures: Vec<Failure>,
    /// The tree it is of; `None` if no run has come to an end yet.
    pub root: Option<std::path::PathBuf>,
    /// Whether the last run came to its end; if not, files may be missing.
    pub complete: bool,
    /// The embedder that made its vectors: id and dimension.
    pub embedder: Option<(String, usize)>,
    /// The embedder of the engine: its id. If it is another, the next run embeds everything anew.
    pub configured_embedder: String,
    /// Files whose vectors are of another embedder than the engine's, so that it does not search them.
    pub foreign_files: u64,
    /// How long it took to find all this out.
    pub elapsed: Duration,
    /// The most memory that the process had at any time so far, in bytes; `None` where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// The version of its tables.
    pub schema_version: u32,
    /// The version of what is in them.
    pub format_version: u32,
    /// What differs between the tree and the index; `None` if the tree could not be looked at.
    pub stale: Option<Vec<Stale>>,
    /// The file that its vectors are copied to; `None` if they are searched in another way than by
    /// [`Flat`](crate::VectorBackend::Flat).
    pub vector_file: Option<VectorFileReport>,
}

impl StatusReport {
    /// Adds what the index holds to the text that Prometheus reads, as gauges; docs/performance.md has their names. What is
    /// not known is left out.
    pub fn write_prometheus(&self, text: &mut PrometheusText) {
        let vector_file = self.vector_file.as_ref();
        let gauges = [
            ("files", "Files that the index holds.", Some(self.files.indexed)),
            ("source_bytes", "Bytes of their source.", Some(self.bytes)),
            ("lines", "Their lines.", Some(self.lines)),
            ("symbols", "Their symbols.", Some(self.symbols)),
            ("chunks", "Their chunks.", Some(self.chunks)),
            ("failed_files", "Files that it does not hold wholly.", Some(self.failures.len() as u64)),
            ("foreign_files", "Files with vectors of another embedder.", Some(self.foreign_files)),
            ("generation", "The number of its last commit.", Some(self.generation)),
            ("complete", "1 if the last run came to its end, 0 if not.", Some(u64::from(self.complete))),
            (
                "stale_files",
                "Files that differ from what the index has of them.",
                self.stale.as_ref().map(|stale| stale.len() as u64),
            ),
            ("vector_file_bytes", "Size of the vector file.", vector_file.and_then(|file| file.bytes)),
            (
                "vector_file_missing_files",
                "Files whose vectors are not in the vector file.",
                vector_file.map(|file| file.files_beside),
            ),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                text.gauge(&format!("ast_core_index_{name}"), help, value as f64);
            }
        }
    }
}

/// The file beside an index that its vectors are copied to, so that a process has them at once. What it lacks is read from
/// the index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VectorFileReport {
    /// Where it is.
    pub path: std::path::PathBuf,
    /// How it stands to the index.
    pub state: VectorFileState,
    /// Its size; `None` if there is none.
    pub bytes: Option<u64>,
    /// The generation of the index that it was written of, if it can be used.
    pub generation: Option<u64>,
    /// The files whose vectors are read from the index because it lacks them.
    pub files_beside: u64,
}

/// How a vector file stands to its index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VectorFileState {
    /// It has the vectors of all files, and no others.
    Current,
    /// Files have come or gone since; it is written anew when they are enough.
    Behind,
    /// There is none.
    Missing,
    /// It is damaged, or of another index or pipeline. The next index run writes it anew.
    Unusable {
        /// Why.
        reason: String,
    },
}

impl VectorFileState {
    /// The name in output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Missing => "missing",
            Self::Unusable { .. } => "unusable",
        }
    }
}

/// A file that is not in the index as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stale {
    /// Its path.
    pub path: String,
    /// How it differs.
    pub change: Change,
}

/// How a file differs from what the index has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is not in the index.
    New,
    /// Its content is another.
    Changed,
    /// It is no longer there.
    Removed,
}

impl Change {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
