//! The vectors of an index in a file beside its database, so that a process has them at once and need not read all rows.
//!
//! The file is a cache: all that it holds is in the store as well, or is made from what is. It says of which versions of
//! files it has the vectors; of these it is used for those that the store still has, and those of the others are had
//! without it. So it does not matter which generation it is of, and whoever cannot use it has the same answers, but later.

mod contents;
mod writing;

use self::contents::Held;
pub(crate) use self::contents::{Contents, Difference};
pub(crate) use self::writing::write;
use crate::discover::Stamp;
use crate::engine::{blocking, foreign_files, meta_key};
use crate::metrics::Metrics;
use crate::report::{VectorFileReport, VectorFileState};
use crate::{CancelToken, EngineConfig, EngineError, VectorBackend, vectors};
use ast_core_model::{ChunkId, FileId};
use ast_core_storage::{FileVectors, FileVersion, Finding, Part, Remedy, Store, StoreError};
use ast_core_vector::{ByteIndex, Expected, Metric, VectorError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What its name has behind that of the database.
const SUFFIX: &str = "-vectors";

/// It is written anew when it lacks more than one byte of source in so many, or one of so many of its chunks is gone. To
/// make a vector takes some twenty times as long as to copy it to the next file: a run spends on the file no more than what
/// a search by a new process may lose for want of it.
const WORTH_WRITING: u64 = 32;

/// Where the file of a database is.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// Removes the file of a database, if there is one. It is of no use, but does no harm either if it stays.
pub(crate) fn remove(database: &Path) {
    let path = path_of(database);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "the vector file could not be removed");
        }
        _ => {}
    }
}

/// A file that was opened.
pub(crate) struct VectorFile {
    pub(crate) index: ByteIndex,
    pub(crate) contents: Contents,
    pub(crate) generation: u64,
    /// Of the file, to tell another that takes its place.
    pub(crate) stamp: Stamp,
}

impl VectorFile {
    /// Opens the file of an index; `None` if there is none, or the index does not say which it is.
    pub(crate) async fn open(store: &dyn Store, config: &EngineConfig) -> Result<Option<Self>, EngineError> {
        Self::open_as(store, config, &config.pipeline(), config.embedder.model().dimension).await
    }

    /// The same of an index that was made in this way.
    async fn open_as(
        store: &dyn Store,
        config: &EngineConfig,
        pipeline: &str,
        dimension: usize,
    ) -> Result<Option<Self>, EngineError> {
        if !has_one(config) {
            return Ok(None);
        }
        let path = path_of(&config.database);
        let (Some(stamp), Some(model)) = (stamp_of(&path), model(store, pipeline)) else { return Ok(None) };
        blocking(move || {
            let expected = Expected { dimension, metric: Metric::Cosine, model: &model };
            let (index, header, payload) = match ByteIndex::open(&path, &expected) {
                Err(VectorError::Io { kind: ErrorKind::NotFound, .. }) => return Ok(None),
                opened => opened?,
            };
            let contents = Contents::decode(&payload).ok_or_else(|| VectorError::Damaged {
                path,
                part: "the list of files",
                expected: "files in order and kinds of their chunks".into(),
                received: "something else".into(),
            })?;
            Ok(Some(Self { index, contents, generation: header.generation, stamp }))
        })
        .await?
    }
}

/// The stamp of the file at this path, if there is one.
pub(crate) fn stamp_of(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

/// What vectors must be made by, and of which index, to be those of this one; `None` if that is damaged.
fn model(store: &dyn Store, pipeline: &str) -> Option<String> {
    store.repository().ok().map(|repository| format!("{pipeline}; index {repository}"))
}

/// The files that the file of an index is to have: not those of the embedder before, where a change of it is under way.
pub(crate) async fn versions(
    store: &dyn Store,
    config: &EngineConfig,
) -> Result<Vec<FileVersion>, EngineError> {
    let mut versions = store.searchable_versions().await?;
    let foreign = foreign_files(store, config).await?;
    versions.retain(|version| !foreign.has(version.id));
    Ok(versions)
}

/// Whether an index has such a file: it is a file itself, and all of its vectors are scanned.
pub(crate) fn has_one(config: &EngineConfig) -> bool {
    config.vectors == VectorBackend::Flat && config.database.is_file()
}

/// The vectors of a file by their chunks, but those of texts without words, which are zeros and near nothing. Chunks may
/// have no vectors at all.
pub(crate) fn rows<'a>(
    vectors: &'a FileVectors,
    dimension: usize,
    database: &Path,
) -> Result<impl Iterator<Item = (ChunkId, &'a [i8])>, StoreError> {
    let FileVectors { file, kinds, codes } = vectors;
    if !codes.is_empty() && codes.len() != kinds.len() * dimension {
        let (values, count) = (codes.len(), kinds.len());
        let reason = format!("{values} values in {count} vectors of {file:?}, not {dimension} in each");
        return Err(StoreError::Corrupt { path: database.to_owned(), reason });
    }
    let rows = codes.chunks_exact(dimension).zip(0_u32..);
    let rows = rows.filter(|(row, _)| row.iter().any(|code| *code != 0));
    Ok(rows.filter_map(|(row, ordinal)| Some((ChunkId::in_file(*file, ordinal)?, row))))
}

/// Writes the file of an index anew if it lacks so much that it is worth it, or is not to be trusted. What goes wrong with
/// it is said and no more: nothing is lost.
pub(crate) async fn keep_up(
    store: &dyn Store,
    config: &EngineConfig,
    metrics: &Arc<Metrics>,
    distrusted: Option<Stamp>,
    cancel: &CancelToken,
) {
    if !has_one(config) {
        return;
    }
    let path = path_of(&config.database);
    let kept = async {
        let versions = versions(store, config).await?;
        let from = match stand(store, config, &versions, distrusted).await? {
            Stand::Good => return Ok(()),
            Stand::Behind(file) => Some(*file),
            Stand::Useless => None,
        };
        let is_copied = from.is_some();
        let written = match write(store, config, metrics, &versions, from, cancel).await {
            Err(EngineError::Vector(error @ VectorError::Damaged { .. })) if is_copied => {
                tracing::warn!(%error, "the vector file is damaged and not copied from");
                write(store, config, metrics, &versions, None, cancel).await?
            }
            written => written?,
        };
        if written {
            tracing::debug!(path = %path.display(), files = versions.len(), "wrote the vector file");
        }
        Ok::<_, EngineError>(())
    };
    if let Err(error) = kept.await {
        tracing::warn!(
            path = %path.display(),
            %error,
            "the vector file could not be written; searches by new processes do without it"
        );
    }
}

/// How the file of an index stands to these versions.
enum Stand {
    /// It lacks so little that it stays.
    Good,
    /// It lacks something, and what else it has is good.
    Behind(Box<VectorFile>),
    /// There is none that can be used, and there is something to be in it.
    Useless,
}

async fn stand(
    store: &dyn Store,
    config: &EngineConfig,
    versions: &[FileVersion],
    distrusted: Option<Stamp>,
) -> Result<Stand, EngineError> {
    let file = match VectorFile::open(store, config).await {
        Ok(Some(file)) if Some(file.stamp) == distrusted => return Ok(Stand::Useless),
        Ok(Some(file)) => file,
        Ok(None) if versions.is_empty() => return Ok(Stand::Good),
        Ok(None) => return Ok(Stand::Useless),
        Err(EngineError::Vector(error)) => {
            tracing::warn!(%error, "the vector file cannot be used and is written anew");
            return Ok(Stand::Useless);
        }
        Err(error) => return Err(error),
    };
    let Difference { gone, missing } = file.contents.difference(versions);
    let bytes = |versions: &[FileVersion]| versions.iter().map(|version| version.size).sum::<u64>();
    let chunks = |held: &Held| u64::from(held.chunks);
    let gone: u64 = gone.iter().filter_map(|place| file.contents.files.get(*place)).map(chunks).sum();
    let is_worth_it = bytes(&missing).saturating_mul(WORTH_WRITING) > bytes(versions)
        || gone.saturating_mul(WORTH_WRITING) > file.contents.kinds.len() as u64;
    Ok(if is_worth_it { Stand::Behind(Box::new(file)) } else { Stand::Good })
}

/// How the file of an index stands; `None` if the index has none of its own accord.
pub(crate) async fn report(
    store: &dyn Store,
    config: &EngineConfig,
) -> Result<Option<VectorFileReport>, EngineError> {
    if !has_one(config) {
        return Ok(None);
    }
    let path = path_of(&config.database);
    // It is the index that it belongs to, whatever embedder the engine has.
    let (pipeline, embedder) = (store.meta(meta_key::PIPELINE).await?, store.meta(meta_key::EMBEDDER).await?);
    let other = embedder.filter(|embedder| *embedder != config.embedder.model().id).and(pipeline);
    let (versions, opened) = match other {
        None => (versions(store, config).await?, VectorFile::open(store, config).await),
        Some(pipeline) => {
            let dimension = store.meta(meta_key::DIMENSION).await?.and_then(|text| text.parse().ok());
            let opened = VectorFile::open_as(store, config, &pipeline, dimension.unwrap_or(0)).await;
            (store.searchable_versions().await?, opened)
        }
    };
    let mut report = VectorFileReport {
        bytes: stamp_of(&path).map(|stamp| stamp.size),
        path,
        state: VectorFileState::Missing,
        generation: None,
        files_beside: versions.len() as u64,
    };
    match opened {
        Ok(None) => {}
        Ok(Some(file)) => {
            let difference = file.contents.difference(&versions);
            report.files_beside = difference.missing.len() as u64;
            report.generation = Some(file.generation);
            report.state = match difference == Difference::default() {
                true => VectorFileState::Current,
                false => VectorFileState::Behind,
            };
        }
        Err(EngineError::Vector(error)) => {
            report.state = VectorFileState::Unusable { reason: error.to_string() };
        }
        Err(error) => return Err(error),
    }
    Ok(Some(report))
}

/// What is wrong with the file of an index: damage, and what differs from the vectors of the store, as far as those can be
/// had. That it is missing or behind is not wrong.
pub(crate) async fn check(store: &dyn Store, config: &EngineConfig) -> Result<Vec<Finding>, EngineError> {
    let wrong = |found: String| {
        vec![Finding::new(Part::VectorFile, found, "the vectors of the index", Remedy::Derive)]
    };
    if !has_one(config) {
        return Ok(Vec::new());
    }
    let file = match VectorFile::open(store, config).await {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Vec::new()),
        Err(EngineError::Vector(error)) => return Ok(wrong(error.to_string())),
        Err(error) => return Err(error),
    };
    let (file, verified) = blocking(move || {
        let verified = file.index.verify();
        (file, verified)
    })
    .await?;
    if let Err(error) = verified {
        return Ok(wrong(error.to_string()));
    }
    match first_difference(store, config, file).await {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(id)) => Ok(wrong(format!("other vectors or kinds of {id:?}"))),
        // That is found already, and says nothing about the file.
        Err(EngineError::Store(StoreError::Corrupt { .. })) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The first of the files that are in both, of which other vectors or kinds follow from the store. What the store has no
/// chunks of is left out: if it should have them, that is found already.
async fn first_difference(
    store: &dyn Store,
    config: &EngineConfig,
    file: VectorFile,
) -> Result<Option<FileId>, EngineError> {
    let versions = store.searchable_versions().await?;
    let mut gone = file.contents.difference(&versions).gone.into_iter().peekable();
    let held = file.contents.files.iter().enumerate();
    let held = held.filter(|(place, _)| gone.next_if_eq(place).is_none()).map(|(_, held)| held.id);
    let held: Vec<FileId> = held.collect();
    let (file, dimension) = (Arc::new(file), config.embedder.model().dimension);
    let metrics = Metrics::off();
    for ids in vectors::batches(&held, &versions, vectors::bytes_at_a_time(config)) {
        let read = vectors::of_files(store, config, &metrics, ids).await?;
        let (file, database) = (file.clone(), config.database.clone());
        let found = blocking(move || file.differing(&read, dimension, &database)).await??;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

impl VectorFile {
    /// The first of these files, of which it has other vectors or kinds.
    fn differing(
        &self,
        read: &[FileVectors],
        dimension: usize,
        database: &Path,
    ) -> Result<Option<FileId>, EngineError> {
        for vectors in read {
            let mut rows = rows(vectors, dimension, database)?.peekable();
            let mut same = self.contents.has_kinds(vectors.file, &vectors.kinds);
            let chunks = 0..vectors.kinds.len() as u32;
            for chunk in chunks.filter_map(|ordinal| ChunkId::in_file(vectors.file, ordinal)) {
                let row = rows.next_if(|(of, _)| *of == chunk).map(|(_, row)| row);
                same &= self.index.codes(chunk.get())?.as_deref() == row;
            }
            if !same {
                return Ok(Some(vectors.file));
            }
        }
        Ok(None)
    }
}
