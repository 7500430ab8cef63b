//! Writing a vector file anew.

use super::contents::Contents;
use super::{VectorFile, has_one, model, path_of, rows};
use crate::engine::blocking;
use crate::metrics::{Metrics, Stage};
use crate::step::reach;
use crate::{CancelToken, EngineConfig, EngineError, vectors};
use ast_core_model::{ChunkId, FileId};
use ast_core_storage::{FileVectors, FileVersion, Store};
use ast_core_vector::{ByteWriter, SaveOptions};
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Writes the file of an index anew; whether it was, which it is not if it is cancelled before, or the index has no such
/// file. What is the same in the file before is taken `from` that, after its checksums were looked at.
///
/// There is one writer of a store at a time, which is whoever calls this.
pub(crate) async fn write(
    store: &dyn Store,
    config: &EngineConfig,
    metrics: &Arc<Metrics>,
    versions: &[FileVersion],
    from: Option<VectorFile>,
    cancel: &CancelToken,
) -> Result<bool, EngineError> {
    let Some(model) = model(store, &config.pipeline()).filter(|_| has_one(config)) else { return Ok(false) };
    let generation = store.generation().await?;
    let (path, dimension) = (path_of(&config.database), config.embedder.model().dimension);
    reach("vector_file/begun")?;
    let writing = blocking(move || {
        let options = SaveOptions { generation, model: &model };
        let file = ByteWriter::create(&path, dimension, &options)?;
        Ok::<_, EngineError>(Writing { file, contents: Contents::default(), dimension })
    })
    .await??;
    let missing: Vec<FileId> = match &from {
        Some(from) => from.contents.difference(versions).missing.iter().map(|version| version.id).collect(),
        None => Vec::new(),
    };
    let is_copied = from.is_some();
    let is_missing = |id: &FileId| !is_copied || missing.binary_search(id).is_ok();
    // One that has no checksum cannot be told from another.
    let checksums: Vec<(FileId, u64)> =
        versions.iter().filter_map(|version| Some((version.id, version.checksum?))).collect();
    let ids: Vec<FileId> = checksums.iter().map(|(id, _)| *id).collect();
    let mut checksums = checksums.as_slice();
    let from = from.map(Arc::new);
    // While some are written, the next are made.
    let mut adding = tokio::task::spawn_blocking(|| Ok(writing));
    for batch in vectors::batches(&ids, versions, vectors::bytes_at_a_time(config)) {
        let wanted: Vec<FileId> = batch.iter().copied().filter(&is_missing).collect();
        let read = vectors::of_files(store, config, metrics, &wanted).await;
        let mut writing = added(adding).await?;
        let read = read?;
        if cancel.is_cancelled() {
            return Ok(false);
        }
        let (some, rest) = checksums.split_at(batch.len());
        checksums = rest;
        let (some, from, database) = (some.to_vec(), from.clone(), config.database.clone());
        let metrics = metrics.clone();
        adding = tokio::task::spawn_blocking(move || {
            let mut timing = metrics.start(Stage::VectorInsert);
            let before = writing.contents.kinds.len();
            let is_same = |id: &FileId| wanted.binary_search(id).is_err();
            writing.add(&some, &read, from.as_deref().map(|from| (from, is_same)), &database)?;
            let vectors = writing.contents.kinds.len() - before;
            timing.count(vectors, vectors * writing.dimension);
            Ok(writing)
        });
    }
    let writing = added(adding).await?;
    // Not every system lets a file be replaced that somebody has mapped.
    drop(from);
    let metrics = metrics.clone();
    blocking(move || {
        let _timing = metrics.start(Stage::VectorInsert);
        writing.file.finish(&writing.contents.encode())
    })
    .await??;
    reach("vector_file/done")?;
    Ok(true)
}

/// What was being added to, when that is done.
async fn added(adding: JoinHandle<Result<Writing, EngineError>>) -> Result<Writing, EngineError> {
    let writing = adding.await.map_err(|error| EngineError::Internal { what: error.to_string() })??;
    reach("vector_file/added")?;
    Ok(writing)
}

/// A file that is being written.
struct Writing {
    file: ByteWriter,
    contents: Contents,
    dimension: usize,
}

impl Writing {
    /// Adds the vectors of some files: those that were read, and those that another vector file has. A file of which there
    /// are none has no chunks.
    fn add(
        &mut self,
        versions: &[(FileId, u64)],
        read: &[FileVectors],
        from: Option<(&VectorFile, impl Fn(&FileId) -> bool)>,
        database: &Path,
    ) -> Result<(), EngineError> {
        let mut read = read.iter().peekable();
        for &(id, checksum) in versions {
            if let Some(vectors) = read.next_if(|vectors| vectors.file == id) {
                for (chunk, codes) in rows(vectors, self.dimension, database)? {
                    self.file.push(chunk.get(), codes)?;
                }
                self.contents.push(id, checksum, &vectors.kinds);
                continue;
            }
            let same = from.as_ref().filter(|(_, is_same)| is_same(&id)).map(|(from, _)| *from);
            let kinds = match same {
                Some(from) => self.copy(id, from)?,
                None => Vec::new(),
            };
            self.contents.push_bytes(id, checksum, kinds);
        }
        Ok(())
    }

    /// Adds the vectors that another file has of this one; the kinds of its chunks.
    fn copy(&mut self, id: FileId, from: &VectorFile) -> Result<Vec<u8>, EngineError> {
        let held = from.contents.held(id);
        let kinds = held.and_then(|held| from.contents.kinds_of(held)).unwrap_or_default();
        let chunks = 0..kinds.len() as u32;
        for chunk in chunks.filter_map(|ordinal| ChunkId::in_file(id, ordinal)) {
            if let Some(codes) = from.index.codes(chunk.get())? {
                self.file.push(chunk.get(), &codes)?;
            }
        }
        Ok(kinds.to_vec())
    }
}
