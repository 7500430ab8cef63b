//! What became of an index run, of one that is to be, and of the index.

use super::{SCHEMA, milliseconds};
use ast_core_engine::{
    FileCounts, IndexReport, MetricsSnapshot, PlanReport, StatusReport, VectorFileReport, VectorFileState,
};
use serde::Serialize;
use std::borrow::Cow;

#[derive(Serialize)]
pub(crate) struct Files {
    seen: u64,
    indexed: u64,
    unchanged: u64,
    removed: u64,
    skipped: Skipped,
}

#[derive(Serialize)]
struct Skipped {
    ignored: u64,
    too_large: u64,
    binary: u64,
    unsupported: u64,
    timeout: u64,
    error: u64,
}

impl From<&FileCounts> for Files {
    fn from(counts: &FileCounts) -> Self {
        Self {
            seen: counts.seen(),
            indexed: counts.indexed,
            unchanged: counts.unchanged,
            removed: counts.removed,
            skipped: Skipped {
                ignored: counts.ignored,
                too_large: counts.too_large,
                binary: counts.binary,
                unsupported: counts.unsupported,
                timeout: counts.timed_out,
                error: counts.failed,
            },
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Failure<'a> {
    path: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a ast_core_engine::Failure> for Failure<'a> {
    fn from(failure: &'a ast_core_engine::Failure) -> Self {
        Self { path: &failure.path, reason: &failure.reason }
    }
}

#[derive(Serialize)]
pub(crate) struct Index<'a> {
    schema: u32,
    files: Files,
    bytes: u64,
    lines: u64,
    symbols: u64,
    chunks: u64,
    elapsed_ms: u64,
    peak_rss_bytes: Option<u64>,
    generation: u64,
    failures: Vec<Failure<'a>>,
}

impl<'a> From<&'a IndexReport> for Index<'a> {
    fn from(report: &'a IndexReport) -> Self {
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            bytes: report.bytes,
            lines: report.lines,
            symbols: report.symbols,
            chunks: report.chunks,
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes,
            generation: report.generation,
            failures: report.failures.iter().map(Failure::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Plan<'a> {
    schema: u32,
    files: Files,
    new: &'a [String],
    changed: &'a [String],
    removed: &'a [String],
}

impl<'a> From<&'a PlanReport> for Plan<'a> {
    fn from(report: &'a PlanReport) -> Self {
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            new: &report.new,
            changed: &report.changed,
            removed: &report.removed,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Status<'a> {
    schema: u32,
    files: Files,
    bytes: u64,
    lines: u64,
    symbols: u64,
    chunks: u64,
    elapsed_ms: u64,
    peak_rss_bytes: Option<u64>,
    generation: u64,
    failures: Vec<Failure<'a>>,
    embedder: Option<Embedder<'a>>,
    schema_version: u32,
    format_version: u32,
    complete: bool,
    stale: Option<Vec<Stale<'a>>>,
    vector_file: Option<VectorFile<'a>>,
    /// Only where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<&'a MetricsSnapshot>,
}

impl<'a> Status<'a> {
    pub(crate) fn with_metrics(self, metrics: Option<&'a MetricsSnapshot>) -> Self {
        Self { metrics, ..self }
    }
}

#[derive(Serialize)]
struct VectorFile<'a> {
    path: Cow<'a, str>,
    state: &'static str,
    reason: Option<&'a str>,
    bytes: Option<u64>,
    generation: Option<u64>,
    files_beside: u64,
}

impl<'a> From<&'a VectorFileReport> for VectorFile<'a> {
    fn from(report: &'a VectorFileReport) -> Self {
        let reason = match &report.state {
            VectorFileState::Unusable { reason } => Some(reason.as_str()),
            _ => None,
        };
        Self {
            path: report.path.to_string_lossy(),
            state: report.state.as_str(),
            reason,
            bytes: report.bytes,
            generation: report.generation,
            files_beside: report.files_beside,
        }
    }
}

#[derive(Serialize)]
struct Embedder<'a> {
    id: &'a str,
    dimension: usize,
    configured: &'a str,
    foreign_files: u64,
}

#[derive(Serialize)]
struct Stale<'a> {
    path: &'a str,
    change: &'static str,
}

impl<'a> From<&'a StatusReport> for Status<'a> {
    fn from(report: &'a StatusReport) -> Self {
        let stale = |stale: &'a Vec<ast_core_engine::Stale>| {
            stale.iter().map(|stale| Stale { path: &stale.path, change: stale.change.as_str() }).collect()
        };
        Self {
            schema: SCHEMA,
            files: (&report.files).into(),
            bytes: report.bytes,
            lines: report.lines,
            symbols: report.symbols,
            chunks: report.chunks,
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes,
            generation: report.generation,
            failures: report.failures.iter().map(Failure::from).collect(),
            embedder: report.embedder.as_ref().map(|(id, dimension)| Embedder {
                id,
                dimension: *dimension,
                configured: &report.configured_embedder,
                foreign_files: report.foreign_files,
            }),
            schema_version: report.schema_version,
            format_version: report.format_version,
            complete: report.complete,
            stale: report.stale.as_ref().map(stale),
            vector_file: report.vector_file.as_ref().map(VectorFile::from),
            metrics: None,
        }
    }
}

/// What a watch tells, one document each.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum WatchEvent<'a> {
    Ready {
        watched: Option<usize>,
        #[serde(flatten)]
        report: Index<'a>,
    },
    Updated {
        #[serde(flatten)]
        report: Index<'a>,
    },
    Failed {
        schema: u32,
        error: String,
    },
}

impl<'a> WatchEvent<'a> {
    /// `None` for what has no document.
    pub(crate) fn of(event: &'a ast_core_engine::WatchEvent) -> Option<Self> {
        use ast_core_engine::WatchEvent as Event;
        Some(match event {
            Event::Ready { report, watched } => Self::Ready { watched: *watched, report: report.into() },
            Event::Updated { report } => Self::Updated { report: report.into() },
            Event::Failed { error } => Self::Failed { schema: SCHEMA, error: error.to_string() },
            _ => return None,
        })
    }
}
