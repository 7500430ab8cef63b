//! The vectors of an index in memory, and the files that can be found. Made from the store, or from the file that is a copy
//! of it, and brought up from the store.

use crate::EngineError;
use crate::config::VectorBackend;
use crate::discover::Stamp;
use crate::engine::Foreign;
use crate::step::reach;
use crate::vector_file::{Contents, Difference, VectorFile, rows};
use ast_core_model::{ChunkId, FileId, LanguageName, RepoPath, SymbolKind};
use ast_core_storage::{FileVectors, FileVersion, Store};
use ast_core_vector::{ByteIndex, Neighbor, SearchOptions, VectorError, VectorIndex};
use std::collections::HashMap;
use std::sync::Arc;

/// The most chunks of a file that its mean is made of.
const MOST_OF_FILE: usize = 64;

/// The files of one generation that can be found.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) generation: u64,
    pub(crate) files: HashMap<FileId, KnownFile>,
}

/// A file that can be found.
pub(crate) struct KnownFile {
    pub(crate) path: RepoPath,
    pub(crate) language: LanguageName,
}

impl Catalog {
    /// What the store has at this generation, or a later one.
    pub(crate) async fn read(store: &dyn Store, generation: u64) -> Result<Self, EngineError> {
        let files = store.searchable_files().await?.into_iter();
        let files = files.map(|(file, path, language)| (file, KnownFile { path, language })).collect();
        Ok(Self { generation, files })
    }
}

/// The vectors of one generation. A clone shares them until one of the two is brought up.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) generation: u64,
    vectors: Vectors,
    dimension: usize,
    /// What came from a vector file.
    base: Option<Base>,
    /// Of each other file whose vectors are here, the kinds of its chunks.
    kinds: HashMap<FileId, Arc<[Option<SymbolKind>]>>,
}

/// What of the vectors came from a vector file.
#[derive(Clone)]
struct Base {
    contents: Arc<Contents>,
    stamp: Stamp,
    /// Of each file in it, whether its vectors were taken out.
    gone: Vec<bool>,
}

#[derive(Clone)]
enum Vectors {
    /// As the store has them.
    Bytes(Box<ByteIndex>),
    /// One index for all generations: it cannot be cloned.
    #[cfg(feature = "hnsw-rs")]
    Graph(Arc<std::sync::RwLock<ast_core_vector::HnswRsIndex>>),
}

impl Vectors {
    fn insert(&mut self, keys: &[u64], codes: &[i8]) -> Result<(), VectorError> {
        match self {
            Self::Bytes(index) => index.insert_codes(keys, codes),
            #[cfg(feature = "hnsw-rs")]
            Self::Graph(index) => {
                let vectors: Vec<f32> = codes.iter().map(|code| f32::from(*code)).collect();
                index.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert_many(keys, &vectors)
            }
        }
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        match self {
            Self::Bytes(index) => index.remove(key),
            #[cfg(feature = "hnsw-rs")]
            Self::Graph(index) => {
                index.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(key)
            }
        }
    }
}

impl Snapshot {
    pub(crate) fn empty(dimension: usize, backend: VectorBackend) -> Result<Self, EngineError> {
        let vectors = match backend {
            VectorBackend::Flat => Vectors::Bytes(Box::new(ByteIndex::new(dimension)?)),
            #[cfg(feature = "hnsw-rs")]
            VectorBackend::HnswRs => {
                let config = ast_core_vector::HnswRsConfig::default();
                let metric = ast_core_vector::Metric::Cosine;
                let index = ast_core_vector::HnswRsIndex::new(dimension, metric, config)?;
                Vectors::Graph(Arc::new(std::sync::RwLock::new(index)))
            }
        };
        Ok(Self { generation: 0, vectors, dimension, base: None, kinds: HashMap::new() })
    }

    /// What a vector file has, to be brought up.
    pub(crate) fn of_file(file: VectorFile) -> Self {
        let VectorFile { index, contents, stamp, .. } = file;
        let gone = vec![false; contents.files.len()];
        Self {
            generation: 0,
            dimension: index.dimension(),
            vectors: Vectors::Bytes(Box::new(index)),
            base: Some(Base { contents: Arc::new(contents), stamp, gone }),
            kinds: HashMap::new(),
        }
    }

    /// The stamp of the vector file that it was made from, if it was.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.base.as_ref().map(|base| base.stamp)
    }

    /// The kind of the definition that a chunk is about.
    pub(crate) fn kind_of(&self, chunk: ChunkId) -> Option<SymbolKind> {
        match self.kinds.get(&chunk.file()) {
            Some(kinds) => *kinds.get(chunk.ordinal() as usize)?,
            None => self.base.as_ref()?.contents.kind_of(chunk),
        }
    }

    /// The chunks whose vectors are nearest to that of a query, as [`VectorIndex::search`] finds them.
    pub(crate) fn search(
        &self,
        query: &[f32],
        options: &SearchOptions<'_>,
    ) -> Result<Vec<Neighbor>, VectorError> {
        match &self.vectors {
            Vectors::Bytes(index) => index.search(query, options),
            #[cfg(feature = "hnsw-rs")]
            Vectors::Graph(index) => {
                index.read().unwrap_or_else(std::sync::PoisonError::into_inner).search(query, options)
            }
        }
    }

    /// The vector of a chunk, as it is searched; `None` if it has none. The backend of graphs keeps no vectors.
    pub(crate) fn vector(&self, chunk: ChunkId) -> Result<Option<Vec<f32>>, VectorError> {
        match &self.vectors {
            Vectors::Bytes(index) => {
                let codes = index.codes(chunk.get())?;
                Ok(codes.map(|codes| codes.into_iter().map(f32::from).collect()))
            }
            #[cfg(feature = "hnsw-rs")]
            Vectors::Graph(_) => Ok(None),
        }
    }

    /// The cosine of a query and the mean of the directions of a file's chunks: 0 for a file without any. Of a file of very
    /// many chunks some are looked at, evenly far from each other. The backend of graphs keeps no vectors, and knows none.
    pub(crate) fn file_cosine(&self, query: &[f32], file: FileId) -> Result<f64, VectorError> {
        let index = match &self.vectors {
            Vectors::Bytes(index) => index,
            #[cfg(feature = "hnsw-rs")]
            Vectors::Graph(_) => return Ok(0.0),
        };
        let count = match self.kinds.get(&file) {
            Some(kinds) => kinds.len(),
            None => self.base.as_ref().map_or(0, |base| base.contents.chunks_of(file)),
        };
        let mut sum = vec![0.0_f32; self.dimension];
        let some = (0..count).step_by(count.div_ceil(MOST_OF_FILE).max(1));
        let keys = some.filter_map(|ordinal| ChunkId::in_file(file, ordinal as u32)).map(ChunkId::get);
        index.add_directions(keys, &mut sum)?;
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let lengths = (dot(&sum, &sum) * dot(query, query)).sqrt();
        Ok(if lengths > 0.0 { (dot(&sum, query) / lengths).clamp(-1.0, 1.0) } else { 0.0 })
    }

    /// Takes out what is not among these versions, which are of this generation or a later one and in order of ids; the
    /// files whose vectors are to be read.
    pub(crate) fn turn_to(
        &mut self,
        generation: u64,
        versions: &[FileVersion],
    ) -> Result<Vec<FileId>, EngineError> {
        reach("snapshot/begun")?;
        let difference = match &self.base {
            Some(base) => base.contents.difference(versions),
            None => Difference { gone: Vec::new(), missing: versions.to_vec() },
        };
        let mut missing: Vec<FileId> = difference.missing.iter().map(|version| version.id).collect();
        let mut gone: Vec<(FileId, u32)> = Vec::new();
        if let Some(base) = &mut self.base {
            let mut is_gone = vec![false; base.gone.len()];
            difference.gone.iter().for_each(|place| is_gone[*place] = true);
            for ((held, was_gone), is_gone) in base.contents.files.iter().zip(&mut base.gone).zip(is_gone) {
                match (*was_gone, is_gone) {
                    (false, true) => {
                        *was_gone = true;
                        gone.push((held.id, held.chunks));
                    }
                    // Its vectors were taken out, whyever, and come from the store.
                    (true, false) => missing.push(held.id),
                    _ => {}
                }
            }
            missing.sort_unstable();
        }
        // What is beside the file is what the file lacks.
        let gone_beside = self.kinds.extract_if(|id, _| missing.binary_search(id).is_err());
        gone.extend(gone_beside.map(|(id, kinds)| (id, kinds.len() as u32)));
        for (file, count) in gone {
            for id in (0..count).filter_map(|ordinal| ChunkId::in_file(file, ordinal)) {
                self.vectors.remove(id.get())?;
            }
        }
        reach("snapshot/removed")?;
        self.generation = generation;
        missing.retain(|id| !self.kinds.contains_key(id));
        Ok(missing)
    }

    /// Adds the vectors of files that were asked for; those of which there are none have no chunks. Of those that are
    /// foreign only the kinds of their chunks are added.
    pub(crate) fn add(
        &mut self,
        asked: &[FileId],
        read: Vec<FileVectors>,
        foreign: &Foreign,
        store: &std::path::Path,
    ) -> Result<(), EngineError> {
        self.kinds.extend(asked.iter().map(|file| (*file, Arc::from([]))));
        let (mut keys, mut codes) = (Vec::new(), Vec::new());
        for vectors in read {
            keys.clear();
            codes.clear();
            if !foreign.has(vectors.file) {
                for (chunk, row) in rows(&vectors, self.dimension, store)? {
                    keys.push(chunk.get());
                    codes.extend_from_slice(row);
                }
            }
            if !keys.is_empty() {
                self.vectors.insert(&keys, &codes)?;
            }
            self.kinds.insert(vectors.file, vectors.kinds.into());
            reach("snapshot/inserted")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_near_as_the_mean_of_the_directions_of_its_chunks() {
        let mut snapshot = Snapshot::empty(2, VectorBackend::Flat).unwrap();
        let [two, none, many] = [1, 2, 3].map(|id| FileId::new(id).unwrap());
        let of = |file, codes: Vec<i8>| FileVectors { file, kinds: vec![None; codes.len() / 2], codes };
        // However long they are, chunks count alike, and one of zeros for nothing.
        let read = vec![of(two, vec![127, 0, 0, 1, 0, 0]), of(many, [127, 0].repeat(10 * MOST_OF_FILE))];
        snapshot
            .add(
                &[two, none, many],
                read,
                &Foreign::These(Default::default()),
                std::path::Path::new("index.db"),
            )
            .unwrap();
        let cosine = |query: [f32; 2], file| snapshot.file_cosine(&query, file).unwrap();
        assert!((cosine([3.0, 0.0], two) - 0.5_f64.sqrt()).abs() < 1e-6);
        assert!((cosine([1.0, 1.0], two) - 1.0).abs() < 1e-6);
        assert!((cosine([-1.0, -1.0], two) + 1.0).abs() < 1e-6);
        assert!((cosine([1.0, 0.0], many) - 1.0).abs() < 1e-6);
        assert_eq!(cosine([1.0, 0.0], none), 0.0);
        assert_eq!(cosine([0.0, 0.0], two), 0.0);
    }
}
