//! The vectors of an index in a file beside its database, so that a process has them at once and need not read all rows.
//!
//! The file is a cache: all that it holds is in the store as well, or is made from what is. It says of which versions of
//! files it has the vectors; of these it is used for those that the store still has, and those of the others are had
//! without it. So it does not matter which generation it is of, and whoever cannot use it has the same answers, but later.

use crate::discover::Stamp;
use crate::engine::{blocking, foreign_files, meta_key};
use crate::metrics::{Metrics, Stage};
use crate::report::{VectorFileReport, VectorFileState};
use crate::step::reach;
use crate::{CancelToken, EngineConfig, EngineError, VectorBackend, vectors};
use ast_core_model::{ChunkId, FileId, SymbolKind};
use ast_core_storage::{FileVectors, FileVersion, Finding, Part, Remedy, Store, StoreError};
use ast_core_vector::{ByteIndex, ByteWriter, Expected, Metric, SaveOptions, VectorError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;

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

/// The versions of files whose vectors a file has, and the kinds of their chunks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Contents {
    /// In order of ids.
    pub(crate) files: Vec<Held>,
    /// A byte a chunk: 0 for none, or one more than the place of its kind in the list of kinds, which only ever grows at its
    /// end.
    kinds: Vec<u8>,
}

/// A version of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held {
    pub(crate) id: FileId,
    checksum: u64,
    /// Its first chunk among all.
    first: usize,
    pub(crate) chunks: u32,
}

/// What a file has and a store has not, and the other way round.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// By their places in [`Contents::files`].
    pub(crate) gone: Vec<usize>,
    pub(crate) missing: Vec<FileVersion>,
}

impl Contents {
    /// Adds a file, of a higher id than all before.
    fn push(&mut self, id: FileId, checksum: u64, kinds: &[Option<SymbolKind>]) {
        let place = |kind| SymbolKind::ALL.iter().position(|known| *known == kind);
        let bytes = kinds.iter().map(|kind| kind.and_then(place).map_or(0, |at| at as u8 + 1)).collect();
        self.push_bytes(id, checksum, bytes);
    }

    fn push_bytes(&mut self, id: FileId, checksum: u64, mut kinds: Vec<u8>) {
        self.files.push(Held { id, checksum, first: self.kinds.len(), chunks: kinds.len() as u32 });
        self.kinds.append(&mut kinds);
    }

    fn held(&self, id: FileId) -> Option<&Held> {
        let at = self.files.binary_search_by_key(&id, |held| held.id).ok()?;
        self.files.get(at)
    }

    /// The kinds of the chunks of a file, as they are encoded.
    fn kinds_of(&self, held: &Held) -> Option<&[u8]> {
        self.kinds.get(held.first..)?.get(..held.chunks as usize)
    }

    /// Numbers in little-endian order: how many files there are; of each its id, its checksum and its number of chunks in
    /// 8, 8 and 4 bytes; kinds.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.files.len() * HELD + self.kinds.len());
        bytes.extend((self.files.len() as u64).to_le_bytes());
        for held in &self.files {
            bytes.extend(held.id.get().to_le_bytes());
            bytes.extend(held.checksum.to_le_bytes());
            bytes.extend(held.chunks.to_le_bytes());
        }
        bytes.extend(&self.kinds);
        bytes
    }

    /// `None` if nothing of this form was encoded so.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(HELD)?;
        let (list, kinds) = rest.split_at_checked(length)?;
        let mut files: Vec<Held> = Vec::with_capacity(list.len() / HELD);
        let mut first = 0_usize;
        for held in list.as_chunks::<HELD>().0 {
            let (id, rest) = held.split_first_chunk::<8>()?;
            let (checksum, chunks) = rest.split_first_chunk::<8>()?;
            let id = FileId::new(u64::from_le_bytes(*id))?;
            if files.last().is_some_and(|last| last.id >= id) {
                return None;
            }
            let chunks = u32::from_le_bytes(chunks.try_into().ok()?);
            files.push(Held { id, checksum: u64::from_le_bytes(*checksum), first, chunks });
            first = first.checked_add(chunks as usize)?;
        }
        let is_kind = |byte: &u8| usize::from(*byte) <= SymbolKind::ALL.len();
        (kinds.len() == first && kinds.iter().all(is_kind)).then(|| Self { files, kinds: kinds.to_vec() })
    }

    /// How many chunks a file has.
    pub(crate) fn chunks_of(&self, file: FileId) -> usize {
        let at = self.files.binary_search_by_key(&file, |held| held.id);
        at.map_or(0, |at| self.files[at].chunks as usize)
    }

    /// The kind of the definition that a chunk is about.
    pub(crate) fn kind_of(&self, chunk: ChunkId) -> Option<SymbolKind> {
        let byte = self.kinds_of(self.held(chunk.file())?)?.get(chunk.ordinal() as usize)?;
        SymbolKind::ALL.get(usize::from(byte.checked_sub(1)?)).copied()
    }

    /// Whether these are the kinds of the chunks of a file.
    fn has_kinds(&self, id: FileId, kinds: &[Option<SymbolKind>]) -> bool {
        let chunks = (0..kinds.len() as u32).filter_map(|ordinal| ChunkId::in_file(id, ordinal));
        self.held(id).is_some_and(|held| held.chunks as usize == kinds.len())
            && chunks.zip(kinds).all(|(chunk, kind)| self.kind_of(chunk) == *kind)
    }

    /// How it differs from what a store has, in order of ids.
    pub(crate) fn difference(&self, versions: &[FileVersion]) -> Difference {
        let mut difference = Difference::default();
        let mut versions = versions.iter().peekable();
        for (place, held) in self.files.iter().enumerate() {
            while let Some(before) = versions.next_if(|version| version.id < held.id) {
                difference.missing.push(*before);
            }
            match versions.next_if(|version| version.id == held.id) {
                Some(same) if same.checksum == Some(held.checksum) => {}
                other => {
                    difference.gone.push(place);
                    difference.missing.extend(other);
                }
            }
        }
        difference.missing.extend(versions);
        difference
    }
}

/// Bytes of a file in the list of files.
const HELD: usize = 20;

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u64) -> FileId {
        FileId::new(number).unwrap()
    }

    fn contents() -> impl Strategy<Value = Contents> {
        let kind = (0..=SymbolKind::ALL.len()).prop_map(|at| SymbolKind::ALL.get(at).copied());
        let file = (any::<u64>(), prop::collection::vec(kind, 0..9));
        prop::collection::btree_map(1_u64..60, file, 0..20).prop_map(|files| {
            let mut contents = Contents::default();
            for (number, (checksum, kinds)) in files {
                contents.push(id(number), checksum, &kinds);
            }
            contents
        })
    }

    proptest! {
        #[test]
        fn contents_come_back_and_no_others(contents in contents(), at in any::<usize>(), byte in any::<u8>()) {
            let bytes = contents.encode();
            let decoded = Contents::decode(&bytes);
            prop_assert_eq!(decoded.as_ref(), Some(&contents));
            prop_assert_eq!(Contents::decode(&bytes[..at % bytes.len()]), None);
            // Whatever is decoded is of the form that is encoded.
            let mut changed = bytes;
            let at = at % changed.len();
            changed[at] = byte;
            if let Some(other) = Contents::decode(&changed) {
                prop_assert_eq!(other.encode(), changed);
                for held in &other.files {
                    let past = ChunkId::in_file(held.id, held.chunks);
                    prop_assert_eq!(past.and_then(|chunk| other.kind_of(chunk)), None);
                }
            }
        }

        #[test]
        fn a_difference_is_what_one_has_and_the_other_has_not(
            contents in contents(),
            stored in prop::collection::btree_map(1_u64..60, prop::option::of(any::<u64>()), 0..20),
            same in any::<u64>(),
        ) {
            let versions: Vec<FileVersion> = stored
                .into_iter()
                .map(|(number, checksum)| {
                    // Many are as they were.
                    let held = contents.files.iter().find(|held| held.id == id(number) && same >> number & 1 == 1);
                    FileVersion { id: id(number), checksum: held.map_or(checksum, |held| Some(held.checksum)), size: 1 }
                })
                .collect();
            let is_same = |held: &Held, version: &FileVersion| {
                held.id == version.id && Some(held.checksum) == version.checksum
            };
            let Difference { gone, missing } = contents.difference(&versions);
            let places = 0..contents.files.len();
            let expected = places.filter(|place| !versions.iter().any(|version| is_same(&contents.files[*place], version)));
            prop_assert_eq!(gone, expected.collect::<Vec<_>>());
            let expected = versions.iter().filter(|version| !contents.files.iter().any(|held| is_same(held, version)));
            prop_assert_eq!(missing, expected.copied().collect::<Vec<_>>());
        }
    }
}
