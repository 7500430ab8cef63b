//! The vectors of an index in memory, and the files that can be found. Made from the store, and brought up from it.

use crate::EngineError;
use crate::config::VectorBackend;
use crate::step::reach;
use ast_core_model::{ChunkId, FileId, LanguageName, RepoPath, SymbolKind};
use ast_core_storage::{FileVectors, Store, StoreError};
use ast_core_vector::{ByteIndex, Neighbor, SearchOptions, VectorError, VectorIndex};
use std::collections::HashMap;
use std::sync::Arc;

/// Files whose vectors are read from the store at a time.
pub(crate) const FILES_AT_A_TIME: usize = 512;

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
    /// Of each file whose vectors are here, the kinds of its chunks.
    kinds: HashMap<FileId, Arc<[Option<SymbolKind>]>>,
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
        Ok(Self { generation: 0, vectors, dimension, kinds: HashMap::new() })
    }

    /// The kind of the definition that a chunk is about.
    pub(crate) fn kind_of(&self, chunk: ChunkId) -> Option<SymbolKind> {
        *self.kinds.get(&chunk.file())?.get(chunk.ordinal() as usize)?
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

    /// Takes out what is gone; the files of the catalog whose vectors are to be read.
    pub(crate) fn turn_to(&mut self, catalog: &Catalog) -> Result<Vec<FileId>, EngineError> {
        reach("snapshot/begun")?;
        let gone: Vec<FileId> =
            self.kinds.keys().filter(|file| !catalog.files.contains_key(file)).copied().collect();
        for file in gone {
            let count = self.kinds.remove(&file).map_or(0, |kinds| kinds.len() as u32);
            for id in (0..count).filter_map(|ordinal| ChunkId::in_file(file, ordinal)) {
                self.vectors.remove(id.get())?;
            }
        }
        reach("snapshot/removed")?;
        self.generation = catalog.generation;
        let mut missing: Vec<FileId> =
            catalog.files.keys().filter(|file| !self.kinds.contains_key(file)).copied().collect();
        missing.sort_unstable();
        Ok(missing)
    }

    /// Adds the vectors of files that were asked for; those of which there are none have no chunks.
    pub(crate) fn add(
        &mut self,
        asked: &[FileId],
        read: Vec<FileVectors>,
        store: &std::path::Path,
    ) -> Result<(), EngineError> {
        self.kinds.extend(asked.iter().map(|file| (*file, Arc::from([]))));
        let mut keys = Vec::new();
        for FileVectors { file, kinds, codes } in read {
            if !codes.is_empty() && codes.len() != kinds.len() * self.dimension {
                let (values, vectors, dimension) = (codes.len(), kinds.len(), self.dimension);
                let reason =
                    format!("{values} values in {vectors} vectors of {file:?}, not {dimension} in each");
                return Err(StoreError::Corrupt { path: store.to_owned(), reason }.into());
            }
            // Chunks may have no vectors.
            let count = if codes.is_empty() { 0 } else { kinds.len() as u32 };
            keys.clear();
            keys.extend((0..count).filter_map(|ordinal| ChunkId::in_file(file, ordinal)).map(ChunkId::get));
            self.insert(&keys, &codes)?;
            self.kinds.insert(file, kinds.into());
            reach("snapshot/inserted")?;
        }
        Ok(())
    }

    /// A text without words has a vector of zeros, which is near nothing and is left out.
    fn insert(&mut self, keys: &[u64], codes: &[i8]) -> Result<(), EngineError> {
        let rows = || keys.iter().zip(codes.chunks_exact(self.dimension));
        let has_words = |row: &[i8]| row.iter().any(|code| *code != 0);
        if rows().all(|(_, row)| has_words(row)) {
            return Ok(self.vectors.insert(keys, codes)?);
        }
        for (key, row) in keys.iter().zip(codes.chunks_exact(self.dimension)) {
            if has_words(row) {
                self.vectors.insert(&[*key], row)?;
            }
        }
        Ok(())
    }
}
