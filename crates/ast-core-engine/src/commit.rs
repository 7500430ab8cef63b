//! From prepared files to transactions: the one writer.

use crate::jobs::LiveJob;
use crate::metrics::{Metrics, Stage, Tally};
use crate::prepare::Prepared;
use crate::report::IndexReport;
use crate::{EngineError, Failure};
use ast_core_batch::MemoryPermit;
use ast_core_storage::{FileStatus, Store, WriteBatch};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use tracing::Instrument;

/// A transaction is ended when it holds so much text, or half of what may be in flight, so that the other half is worked
/// on meanwhile; or when nothing more comes for a moment: workers may wait for the memory that it would free.
const TRANSACTION_BYTES: u64 = 8 << 20;
const TRANSACTION_FILES: usize = 512;
const IDLE: Duration = Duration::from_millis(50);

/// A prepared file on its way to the writer. Its memory is charged until it is written.
pub(crate) struct Delivery {
    pub(crate) prepared: Prepared,
    pub(crate) permit: MemoryPermit,
}

/// Writes what comes until nothing more can come.
pub(crate) struct Committer<'a> {
    store: &'a dyn Store,
    metrics: &'a Metrics,
    report: &'a mut IndexReport,
    job: Option<&'a LiveJob>,
    batch: WriteBatch,
    /// What the searchable files of the batch have.
    tally: Tally,
    permits: Vec<MemoryPermit>,
    bytes: u64,
    most_bytes: u64,
    most_files: usize,
}

impl<'a> Committer<'a> {
    /// A writer of a run that has at most so many bytes of source in flight, and commits at most so many files together.
    pub(crate) fn new(
        (store, metrics): (&'a dyn Store, &'a Metrics),
        report: &'a mut IndexReport,
        job: Option<&'a LiveJob>,
        in_flight: u64,
        most_files: Option<NonZeroUsize>,
    ) -> Self {
        let most_bytes = TRANSACTION_BYTES.min(in_flight / 2);
        let most_files = most_files.map_or(TRANSACTION_FILES, NonZeroUsize::get);
        let (batch, tally, permits) = (WriteBatch::default(), Tally::default(), Vec::new());
        Self { store, metrics, report, job, batch, tally, permits, bytes: 0, most_bytes, most_files }
    }

    pub(crate) async fn run(mut self, mut deliveries: Receiver<Delivery>) -> Result<(), EngineError> {
        loop {
            match tokio::time::timeout(IDLE, deliveries.recv()).await {
                Ok(Some(delivery)) => self.take(delivery),
                Ok(None) => return self.flush().await,
                Err(_) => self.flush().await?,
            }
            if self.bytes >= self.most_bytes || self.permits.len() >= self.most_files {
                self.flush().await?;
            }
        }
    }

    fn take(&mut self, delivery: Delivery) {
        if matches!(delivery.prepared, Prepared::Undone) {
            return;
        }
        self.permits.push(delivery.permit);
        match delivery.prepared {
            Prepared::New(file) => {
                let record = file.record();
                self.report.files.count_new(record.status);
                if record.status.is_searchable() {
                    self.bytes += record.size;
                    self.report.bytes += record.size;
                    self.report.lines += u64::from(record.lines);
                    self.report.symbols += file.symbols() as u64;
                    self.report.chunks += file.chunks() as u64;
                    self.tally.files += 1;
                    self.tally.bytes += record.size;
                    self.tally.lines += u64::from(record.lines);
                    self.tally.symbols += file.symbols() as u64;
                    self.tally.chunks += file.chunks() as u64;
                }
                if record.status != FileStatus::Indexed {
                    let reason = record.detail.clone().unwrap_or_else(|| record.status.to_string());
                    self.report.failures.push(Failure { path: record.path.to_string(), reason });
                }
                self.batch.files.push(*file);
            }
            Prepared::Same { before, stamp } => {
                self.report.files.count_unchanged(before.status);
                self.batch.touched.push((before.id, stamp.size, stamp.changed_ns));
            }
            Prepared::Kept { before, reason } => {
                self.report.files.failed += 1;
                self.report.failures.push(Failure { path: before.path.to_string(), reason });
            }
            Prepared::Undone => {}
            Prepared::Vanished { before } => {
                // A file that was never in the index and is gone again is as if it had not been seen.
                if let Some(before) = before {
                    self.report.files.removed += 1;
                    self.batch.removed.push(before.id);
                }
            }
        }
    }

    async fn flush(&mut self) -> Result<(), EngineError> {
        if !self.permits.is_empty() {
            let mut batch = std::mem::take(&mut self.batch);
            let tally = std::mem::take(&mut self.tally);
            let bytes = self.permits.iter().map(MemoryPermit::bytes).sum();
            let job = self.job.map(|job| (job, job.with(self.report, self.permits.len() as u64, bytes)));
            batch.job = job.as_ref().map(|(_, progress)| progress.clone());
            if !batch.is_empty() {
                let begin = Instant::now();
                let committed = self.store.commit(batch).instrument(Stage::Commit.span()).await?;
                self.metrics.record(Stage::Commit, begin.elapsed(), tally.files, tally.bytes);
                self.metrics.committed(&tally);
                self.report.generation = committed.generation;
            }
            if let Some((job, (_, progress))) = job {
                job.committed(progress, self.report.generation);
            }
        }
        self.permits.clear();
        self.bytes = 0;
        Ok(())
    }
}
