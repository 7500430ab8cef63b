//! The vectors of files, whoever has them: the store, or nobody, and then they are made from its documents.
//!
//! A vector of the built-in model takes ten microseconds to be made, and 256 bytes to be kept. So a store keeps the vectors
//! of a costly embedder only, and of another it has the documents that they follow from. Beside it is the vector file,
//! which has them all, and is as much of a cache as it ever was.

use crate::embeddings::Embeddings;
use crate::engine::blocking;
use crate::metrics::Metrics;
use crate::prepare::embed_chunks;
use crate::{EngineConfig, EngineError, vector_file};
use ast_core_model::FileId;
use ast_core_parse::SourceText;
use ast_core_storage::{Document, FileRecord, FileVectors, FileVersion, Store, StoreError};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// Files whose vectors are had at a time, and bytes of their sources, without a limit of memory and under one: what they
/// take meanwhile is a few times that.
const FILES_AT_A_TIME: usize = 512;
const BYTES_AT_A_TIME: u64 = 4 << 20;
const BYTES_UNDER_A_LIMIT: u64 = 512 << 10;

/// How many bytes of source are to be looked at at a time.
pub(crate) fn bytes_at_a_time(config: &EngineConfig) -> u64 {
    config.max_file_memory.map_or(BYTES_AT_A_TIME, |_| BYTES_UNDER_A_LIMIT)
}

/// Whether an index run has its store keep the vectors that it makes: where they cost much, or there is no vector file.
pub(crate) fn are_kept(config: &EngineConfig) -> bool {
    config.embedder.is_costly() || !vector_file::has_one(config)
}

/// The files, so many at a time that all that is made of them has room.
pub(crate) fn batches<'a>(files: &'a [FileId], versions: &[FileVersion], most: u64) -> Vec<&'a [FileId]> {
    let size = |file: &FileId| {
        let at = versions.binary_search_by_key(file, |version| version.id);
        at.map_or(0, |at| versions[at].size)
    };
    let (mut batches, mut rest) = (Vec::new(), files);
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fits = |file: &&FileId| {
            bytes = bytes.saturating_add(size(file));
            bytes <= most
        };
        // One that is larger than that comes alone.
        let count = rest.iter().take(FILES_AT_A_TIME).take_while(fits).count().max(1);
        let (batch, others) = rest.split_at(count);
        batches.push(batch);
        rest = others;
    }
    batches
}

/// The vectors of these files, in order of ids, each once; a file that is gone, or has no chunks, is left out.
///
/// They are made on as many threads as an index run has, or on one under a limit of memory: each keeps some of what it was
/// given.
pub(crate) async fn of_files(
    store: &dyn Store,
    config: &EngineConfig,
    metrics: &Arc<Metrics>,
    files: &[FileId],
) -> Result<Vec<FileVectors>, EngineError> {
    let mut found = store.vectors(files).await?;
    check_those_without(store, files, &found).await?;
    let bare: Vec<FileId> =
        found.iter().filter(|vectors| vectors.codes.is_empty()).map(|vectors| vectors.file).collect();
    if bare.is_empty() {
        return Ok(found);
    }
    found.retain(|vectors| !vectors.codes.is_empty());
    let threads = config.max_file_memory.map_or(config.batch.workers.get(), |_| 1);
    let share = bare.len().div_ceil(threads);
    let made =
        bare.chunks(share).map(|files| -> Making<'_> { Box::pin(make(store, config, metrics, files)) });
    for made in all(made.collect()).await {
        found.extend(made?);
    }
    found.sort_unstable_by_key(|vectors| vectors.file);
    Ok(found)
}

/// How many vectors there are, and how many bytes of them.
pub(crate) fn extent_of(read: &[FileVectors]) -> (usize, usize) {
    let extent = |vectors: &FileVectors| (vectors.kinds.len(), vectors.codes.len());
    read.iter().map(extent).fold((0, 0), |(count, bytes), (more, longer)| (count + more, bytes + longer))
}

/// Looks whether files of which the store has no row have no chunks either: it may have lost one.
async fn check_those_without(
    store: &dyn Store,
    files: &[FileId],
    found: &[FileVectors],
) -> Result<(), EngineError> {
    let has_row = |file: &FileId| found.binary_search_by_key(file, |vectors| vectors.file).is_ok();
    let without: Vec<FileId> = files.iter().copied().filter(|file| !has_row(file)).collect();
    if without.is_empty() {
        return Ok(());
    }
    let documents = store.outlines(&without).await?;
    match documents.iter().find(|(_, document)| !document.chunks.is_empty()) {
        Some((record, _)) => {
            let reason = format!("{} has chunks, and of what kinds is not there", record.path);
            Err(StoreError::Corrupt { path: store.path().to_owned(), reason }.into())
        }
        None => Ok(()),
    }
}

async fn make(
    store: &dyn Store,
    config: &EngineConfig,
    metrics: &Arc<Metrics>,
    files: &[FileId],
) -> Result<Vec<FileVectors>, EngineError> {
    let documents = store.outlines(files).await?;
    let embeddings = Embeddings::without_cache(config.embedder.clone(), metrics.clone());
    blocking(move || {
        let made = |(record, document): &(FileRecord, Document)| {
            let Document { source, symbols, chunks, .. } = document;
            let text = SourceText::decode(source)?;
            let text = text.named(record.path.file_stem());
            let vectors = embed_chunks(&embeddings, &record.path, &text, symbols, chunks)?;
            Ok(FileVectors::of_document(record.id, document, &vectors))
        };
        documents.iter().map(made).collect()
    })
    .await?
}

type Making<'a> = Pin<Box<dyn Future<Output = Result<Vec<FileVectors>, EngineError>> + Send + 'a>>;

/// What all of them come to, in their order; they go on at the same time.
async fn all(mut making: Vec<Making<'_>>) -> Vec<Result<Vec<FileVectors>, EngineError>> {
    let mut made: Vec<_> = making.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (making, made) in making.iter_mut().zip(&mut made).filter(|(_, made)| made.is_none()) {
            match making.as_mut().poll(context) {
                Poll::Ready(result) => *made = Some(result),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    made.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn batches_are_all_files_in_order_and_no_larger_than_needs_be(
            sizes in proptest::collection::vec(0..2 * BYTES_AT_A_TIME, 0..40),
        ) {
            let ids: Vec<FileId> = (1..=sizes.len() as u64).filter_map(FileId::new).collect();
            let versions: Vec<FileVersion> = ids
                .iter()
                .zip(&sizes)
                .map(|(id, size)| FileVersion { id: *id, checksum: None, size: *size })
                .collect();
            let batches = batches(&ids, &versions, BYTES_AT_A_TIME);
            prop_assert_eq!(&batches.concat(), &ids);
            for batch in batches {
                let bytes: u64 = batch.iter().map(|id| sizes[id.get() as usize - 1]).sum();
                prop_assert!(!batch.is_empty());
                prop_assert!(batch.len() == 1 || bytes <= BYTES_AT_A_TIME);
            }
        }
    }
}
