//! Jobs, one row each.

use super::{SqliteStore, direct};
use crate::codec::{Decoder, Encoder};
use crate::document::{compress, decompress};
use crate::{JobProgress, JobRecord, StoreError};
use ast_core_model::RepoPath;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// How many jobs that are over are kept.
const KEPT: u32 = 100;

impl SqliteStore {
    pub(crate) async fn add_job(&self, job: &JobRecord) -> Result<u64, StoreError> {
        let job = job.clone();
        self.write(move |connection, path| {
            let paths = job.paths.as_deref().map(|paths| encode_paths(path, paths)).transpose()?;
            let progress = job.progress.encode();
            let work = || {
                connection.execute(
                    "INSERT INTO jobs (state, root, paths, rebuild, created_ns, started_ns, finished_ns, error, \
                     progress) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    params![
                        job.state.as_str(),
                        job.root,
                        paths,
                        job.rebuild,
                        job.created_ns,
                        job.started_ns,
                        job.finished_ns,
                        job.error,
                        progress
                    ],
                )?;
                let id = connection.last_insert_rowid();
                // The last one stays, so that its number is not given again.
                connection.execute(
                    "DELETE FROM jobs WHERE state NOT IN ('queued', 'running', 'paused') AND id < \
                     (SELECT id FROM jobs WHERE state NOT IN ('queued', 'running', 'paused') \
                     ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    [KEPT - 1],
                )?;
                Ok(id.cast_unsigned())
            };
            work().map_err(|error| StoreError::from_rusqlite(path, error))
        })
        .await
    }

    pub(crate) async fn put_job(&self, job: &JobRecord) -> Result<(), StoreError> {
        let job = job.clone();
        self.write(move |connection, path| {
            let changed = connection.execute(
                "UPDATE jobs SET state = ?2, started_ns = ?3, finished_ns = ?4, error = ?5, progress = ?6 \
                 WHERE id = ?1",
                params![
                    job.id.cast_signed(),
                    job.state.as_str(),
                    job.started_ns,
                    job.finished_ns,
                    job.error,
                    job.progress.encode()
                ],
            );
            changed.map(drop).map_err(|error| StoreError::from_rusqlite(path, error))
        })
        .await
    }

    pub(crate) async fn interrupt_jobs(&self) -> Result<(), StoreError> {
        self.write(|connection, path| {
            let changed = connection.execute(
                "UPDATE jobs SET state = 'interrupted' WHERE state IN ('queued', 'running', 'paused')",
                [],
            );
            changed.map(drop).map_err(|error| StoreError::from_rusqlite(path, error))
        })
        .await
    }

    pub(crate) async fn job(&self, id: u64) -> Result<Option<JobRecord>, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), move |connection, path| {
            let statement = format!("{SELECT} WHERE id = ?");
            let row = connection.query_row(&statement, [id.cast_signed()], |row| Ok(read_job(row, path)));
            row.optional().map_err(|error| StoreError::from_rusqlite(path, error))?.transpose()
        })
        .await
    }

    pub(crate) async fn jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let mut statement = connection.prepare(&format!("{SELECT} ORDER BY id DESC")).map_err(failed)?;
            let rows = statement.query_map([], |row| Ok(read_job(row, path))).map_err(failed)?;
            rows.map(|row| row.map_err(failed)?).collect()
        })
        .await
    }

    /// Does the work in a transaction of its own.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writer = self.writer().await?;
        let fence = writer.fence.clone();
        direct::run(writer, self.path.clone(), move |connection, path| {
            let transaction = fence.begin(connection, path)?;
            let done = work(&transaction, path)?;
            transaction.commit().map_err(|error| StoreError::from_rusqlite(path, error))?;
            Ok(done)
        })
        .await
    }
}

/// Notes the progress of a job in the transaction of what it did.
pub(crate) fn progress(connection: &Connection, id: u64, progress: &JobProgress) -> rusqlite::Result<()> {
    let update = "UPDATE jobs SET progress = ?2 WHERE id = ?1";
    connection.execute(update, params![id.cast_signed(), progress.encode()]).map(drop)
}

const SELECT: &str = "\
    SELECT id, state, root, paths, rebuild, created_ns, started_ns, finished_ns, error, progress FROM jobs";

fn read_job(row: &Row<'_>, path: &Path) -> Result<JobRecord, StoreError> {
    let failed = |error| StoreError::from_rusqlite(path, error);
    let damaged = |reason: String| StoreError::Corrupt { path: path.to_owned(), reason };
    let id: i64 = row.get(0).map_err(failed)?;
    let state: String = row.get(1).map_err(failed)?;
    let paths: Option<Vec<u8>> = row.get(3).map_err(failed)?;
    let progress: Vec<u8> = row.get(9).map_err(failed)?;
    let in_job = |reason: String| damaged(format!("job {id}: {reason}"));
    Ok(JobRecord {
        id: id.cast_unsigned(),
        state: state.parse().map_err(|()| in_job(format!("state {state:?}")))?,
        root: row.get(2).map_err(failed)?,
        paths: paths.map(|bytes| decode_paths(&bytes)).transpose().map_err(in_job)?,
        rebuild: row.get(4).map_err(failed)?,
        created_ns: row.get(5).map_err(failed)?,
        started_ns: row.get(6).map_err(failed)?,
        finished_ns: row.get(7).map_err(failed)?,
        error: row.get(8).map_err(failed)?,
        progress: JobProgress::decode(&progress).map_err(in_job)?,
    })
}

fn encode_paths(path: &Path, paths: &[RepoPath]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = Encoder::default();
    encoder.number(paths.len() as u64);
    paths.iter().for_each(|path| encoder.optional_text(Some(path.as_str())));
    let bytes = encoder.finish();
    compress(&bytes).ok_or_else(|| StoreError::Database {
        path: path.to_owned(),
        source: format!("the paths of a job, {} bytes, cannot be compressed", bytes.len()).into(),
    })
}

fn decode_paths(bytes: &[u8]) -> Result<Vec<RepoPath>, String> {
    let bytes = decompress(bytes)?;
    let mut decoder = Decoder::new(&bytes);
    let count = decoder.count()?;
    let path = |decoder: &mut Decoder<'_>| {
        let text = decoder.optional_text()?.ok_or("a path is missing")?;
        RepoPath::new(text).map_err(|error| error.to_string())
    };
    (0..count).map(|_| path(&mut decoder)).collect()
}

impl JobProgress {
    fn encode(&self) -> Vec<u8> {
        let Self {
            files_total,
            files_done,
            bytes_total,
            bytes_done,
            outcomes,
            lines,
            symbols,
            chunks,
            active_ms,
            generation,
            failures,
            first_failures,
        } = self;
        let mut encoder = Encoder::default();
        // 0 stands for what is not known.
        let known = |total: &Option<u64>| total.map_or(0, |total| total.saturating_add(1));
        let numbers =
            [known(files_total), *files_done, known(bytes_total), *bytes_done, *lines, *symbols, *chunks];
        numbers.into_iter().chain([*active_ms, *generation, *failures]).for_each(|n| encoder.number(n));
        encoder.number(outcomes.len() as u64);
        outcomes.iter().for_each(|&count| encoder.number(count));
        encoder.number(first_failures.len() as u64);
        for (path, reason) in first_failures {
            encoder.optional_text(Some(path));
            encoder.optional_text(Some(reason));
        }
        encoder.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut decoder = Decoder::new(bytes);
        let mut numbers = [0; 10];
        for number in &mut numbers {
            *number = decoder.number()?;
        }
        let [
            files_total,
            files_done,
            bytes_total,
            bytes_done,
            lines,
            symbols,
            chunks,
            active_ms,
            generation,
            failures,
        ] = numbers;
        let outcomes = (0..decoder.count()?).map(|_| decoder.number()).collect::<Result<_, _>>()?;
        let text =
            |decoder: &mut Decoder<'_>| decoder.optional_text().map(|text| text.unwrap_or("").to_owned());
        let first_failures = (0..decoder.count()?)
            .map(|_| Ok((text(&mut decoder)?, text(&mut decoder)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self {
            files_total: files_total.checked_sub(1),
            files_done,
            bytes_total: bytes_total.checked_sub(1),
            bytes_done,
            outcomes,
            lines,
            symbols,
            chunks,
            active_ms,
            generation,
            failures,
            first_failures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn progress() -> impl Strategy<Value = JobProgress> {
        let totals = (proptest::option::of(0..u64::MAX), proptest::option::of(0..u64::MAX));
        let counts = proptest::collection::vec(any::<u64>(), 0..12);
        let failures = proptest::collection::vec((".{0,9}", ".{0,9}"), 0..5);
        (totals, any::<[u64; 8]>(), counts, failures).prop_map(
            |(totals, numbers, outcomes, first_failures)| {
                let [files_done, bytes_done, lines, symbols, chunks, active_ms, generation, failures] =
                    numbers;
                JobProgress {
                    files_total: totals.0,
                    files_done,
                    bytes_total: totals.1,
                    bytes_done,
                    outcomes,
                    lines,
                    symbols,
                    chunks,
                    active_ms,
                    generation,
                    failures,
                    first_failures,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_noted_is_read(progress in progress(), cut: usize) {
            let bytes = progress.encode();
            prop_assert_eq!(JobProgress::decode(&bytes), Ok(progress));
            // No cut off value is taken for a whole one.
            prop_assert!(JobProgress::decode(&bytes[..cut % bytes.len()]).is_err());
        }

        #[test]
        fn paths_are_read_as_they_were(names in proptest::collection::vec("[a-zé ]{1,9}(/[a-z\n]{1,9}){0,3}", 0..50)) {
            let paths: Vec<RepoPath> = names.iter().filter_map(|name| RepoPath::new(name.as_str()).ok()).collect();
            let bytes = encode_paths(Path::new("x"), &paths).unwrap();
            prop_assert_eq!(decode_paths(&bytes), Ok(paths));
            prop_assert!(decode_paths(&bytes[..bytes.len() - 1]).is_err());
        }
    }
}
