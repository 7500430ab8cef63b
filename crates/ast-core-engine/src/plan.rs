//! What of a tree has to be done.

use crate::Failure;
use crate::discover::{Discovery, SourceFile};
use crate::report::FileCounts;
use ast_core_model::FileId;
use ast_core_storage::{FileRecord, FileStatus};
use std::collections::{HashMap, HashSet};

/// A file system may give two changes within this time the same stamp, so a stamp that is not older than the run that
/// noted it proves nothing.
const STAMP_GRANULARITY_NS: i64 = 20_000_000;

/// A file to be read.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFile {
    pub(crate) source: SourceFile,
    /// What the index has of it.
    pub(crate) before: Option<FileRecord>,
}

/// What has to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Files to be read, in order of paths. Whether they are parsed depends on their content.
    pub(crate) read: Vec<PlannedFile>,
    /// Files that are gone.
    pub(crate) removed: Vec<FileRecord>,
    /// What is as it was, counted.
    pub(crate) counts: FileCounts,
}

/// What earlier runs left.
pub(crate) struct Known {
    pub(crate) files: Vec<FileRecord>,
    /// When the last run began that came to its end, in nanoseconds since 1970.
    pub(crate) last_run_ns: i64,
    /// What runs noted since then that did not come to their end.
    pub(crate) unfinished: Option<Unfinished>,
    /// What has to be parsed again in any case.
    pub(crate) outdated: Outdated,
    /// The largest file that is indexed, which may have been another before.
    pub(crate) max_bytes: u64,
}

/// Runs that did not come to their end.
pub(crate) struct Unfinished {
    /// When the first of them began, in nanoseconds since 1970.
    pub(crate) since_ns: i64,
    /// The files that were known before.
    pub(crate) earlier: HashSet<FileId>,
}

impl Known {
    /// When the run began, or one before it, that noted a file.
    fn noted_since(&self, record: &FileRecord) -> i64 {
        match &self.unfinished {
            Some(unfinished) if !unfinished.earlier.contains(&record.id) => unfinished.since_ns,
            _ => self.last_run_ns,
        }
    }
}

/// Files that were made in another way than they are to be.
pub(crate) enum Outdated {
    None,
    Files(HashSet<FileId>),
    All,
}

impl Outdated {
    fn has(&self, record: &FileRecord) -> bool {
        match self {
            Self::None => false,
            Self::Files(files) => files.contains(&record.id),
            Self::All => true,
        }
    }
}

/// Compares a tree with what the index has of it. `failures` are what could not be looked at: what the index has of it
/// stays, as nobody knows whether it is gone.
pub(crate) fn plan(discovery: Discovery, mut known: Known, failures: &[Failure]) -> Plan {
    let mut plan = Plan::default();
    plan.counts.ignored = discovery.ignored;
    plan.counts.unsupported = discovery.unsupported;
    let mut before: HashMap<String, FileRecord> =
        known.files.drain(..).map(|record| (record.path.as_str().to_owned(), record)).collect();
    for source in discovery.files {
        let record = before.remove(source.path.as_str());
        let as_it_was = record.as_ref().filter(|record| {
            !known.outdated.has(record)
                && source.stamp.changed_ns < known.noted_since(record) - STAMP_GRANULARITY_NS
                && record.size == source.stamp.size
                && record.modified_ns == source.stamp.changed_ns
                && (record.status == FileStatus::TooLarge) == (source.stamp.size > known.max_bytes)
                // What failed may go well now.
                && record.status != FileStatus::Failed
                && (source.ambiguous
                    || record.language.as_ref().is_none_or(|language| *language == source.language.name()))
        });
        match as_it_was {
            Some(record) => plan.counts.count_unchanged(record.status),
            None => {
                let redone = |record| if known.outdated.has(&record) { without_hash(record) } else { record };
                let before = record.map(redone);
                plan.read.push(PlannedFile { source, before });
            }
        }
    }
    let not_seen = |record: &FileRecord| {
        failures.iter().any(|failure| {
            let rest = record.path.as_str().strip_prefix(failure.path.as_str());
            rest.is_some_and(|rest| failure.path.is_empty() || rest.is_empty() || rest.starts_with('/'))
        })
    };
    for record in before.into_values() {
        match not_seen(&record) {
            true => plan.counts.count_unchanged(record.status),
            false => plan.removed.push(record),
        }
    }
    plan.removed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    plan
}

/// So that the same content is not taken for done.
fn without_hash(record: FileRecord) -> FileRecord {
    FileRecord { content_hash: None, ..record }
}

impl Plan {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.read.is_empty() && self.removed.is_empty()
    }

    /// The ids of files that are gone.
    pub(crate) fn removed_ids(&self) -> Vec<FileId> {
        self.removed.iter().map(|record| record.id).collect()
    }
}
