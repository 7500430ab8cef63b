//! The vectors of an index in memory, and the files they are of. Made from the store, and brought up from it.

use crate::EngineError;
use crate::config::VectorBackend;
use crate::step::reach;
use ast_core_model::{ChunkId, FileId, LanguageName, RepoPath, SymbolKind};
use ast_core_storage::{FileVectors, Store, StoreError};
use ast_core_vector::{FlatIndex, Metric, Storage, VectorIndex};
use std::collections::{HashMap, HashSet};

/// Files whose vectors are read from the store at a time.
const FILES_AT_A_TIME: usize = 512;

/// One generation of the index, in memory.
pub(crate) struct Snapshot {
    pub(crate) generation: u64,
    pub(crate) vectors: Box<dyn VectorIndex>,
    pub(crate) files: HashMap<FileId, KnownFile>,
    dimension: usize,
    /// Of each file in `vectors`, the kinds of its chunks.
    loaded: HashMap<FileId, Box<[Option<SymbolKind>]>>,
}

/// A file that can be found.
pub(crate) struct KnownFile {
    pub(crate) path: RepoPath,
    pub(crate) language: LanguageName,
}

/// What the store has beyond a snapshot.
pub(crate) struct Update {
    generation: u64,
    files: HashMap<FileId, KnownFile>,
    gone: Vec<FileId>,
    new: Vec<FileVectors>,
}

impl Snapshot {
    pub(crate) fn empty(dimension: usize, backend: VectorBackend) -> Result<Self, EngineError> {
        let vectors: Box<dyn VectorIndex> = match backend {
            VectorBackend::Flat => {
                Box::new(FlatIndex::with_storage(dimension, Metric::Cosine, Storage::Float)?)
            }
            #[cfg(feature = "hnsw-rs")]
            VectorBackend::HnswRs => {
                let config = ast_core_vector::HnswRsConfig::default();
                Box::new(ast_core_vector::HnswRsIndex::new(dimension, Metric::Cosine, config)?)
            }
        };
        Ok(Self { generation: 0, vectors, files: HashMap::new(), dimension, loaded: HashMap::new() })
    }

    /// The kind of the definition that a chunk is about.
    pub(crate) fn kind_of(&self, chunk: ChunkId) -> Option<SymbolKind> {
        *self.loaded.get(&chunk.file())?.get(chunk.ordinal() as usize)?
    }

    /// The files whose vectors are in memory.
    pub(crate) fn loaded(&self) -> HashSet<FileId> {
        self.loaded.keys().copied().collect()
    }

    /// The next generation. If that fails, or panics, this one is gone and all is read anew: half of a generation is
    /// none.
    pub(crate) fn apply(mut self, update: Update) -> Result<Self, EngineError> {
        reach("snapshot/begun")?;
        for file in update.gone {
            let kinds = self.loaded.remove(&file).unwrap_or_default();
            for id in (0..kinds.len() as u32).filter_map(|ordinal| ChunkId::in_file(file, ordinal)) {
                self.vectors.remove(id.get())?;
            }
        }
        reach("snapshot/removed")?;
        let additional = update.new.iter().map(|file| file.kinds.len()).sum();
        self.vectors.reserve(additional)?;
        let mut keys = Vec::new();
        let mut vectors = Vec::new();
        for FileVectors { file, kinds, codes } in update.new {
            keys.clear();
            // Chunks may have no vectors.
            let count = if codes.is_empty() { 0 } else { kinds.len() as u32 };
            keys.extend((0..count).filter_map(|ordinal| ChunkId::in_file(file, ordinal)).map(ChunkId::get));
            vectors.clear();
            vectors.extend(codes.iter().map(|code| f32::from(*code)));
            self.insert(&keys, &vectors)?;
            self.loaded.insert(file, kinds.into());
            reach("snapshot/inserted")?;
        }
        self.files = update.files;
        self.generation = update.generation;
        Ok(self)
    }

    /// A text without words has a vector of zeros, which is near nothing and is left out.
    fn insert(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), EngineError> {
        let rows = || keys.iter().zip(vectors.chunks_exact(self.dimension));
        if rows().all(|(_, row)| row.iter().any(|&value| value != 0.0)) {
            return Ok(self.vectors.insert_many(keys, vectors)?);
        }
        for (&key, row) in keys.iter().zip(vectors.chunks_exact(self.dimension)) {
            if row.iter().any(|&value| value != 0.0) {
                self.vectors.insert(key, row)?;
            }
        }
        Ok(())
    }
}

/// Reads what a snapshot of these files needs to be brought up to the store, whose vectors have so many values.
pub(crate) async fn read_update(
    store: &Store,
    loaded: HashSet<FileId>,
    dimension: usize,
) -> Result<Update, EngineError> {
    // The generation is read first: what a commit adds meanwhile is then read again next time, not missed.
    let generation = store.generation().await?;
    reach("snapshot/read")?;
    let mut files = HashMap::new();
    for record in store.files().await? {
        if let Some(language) = record.language.filter(|_| record.status.is_searchable()) {
            files.insert(record.id, KnownFile { path: record.path, language });
        }
    }
    let gone = loaded.iter().filter(|id| !files.contains_key(id)).copied().collect();
    let mut new = Vec::new();
    // Ids only grow, but files of one run are committed as they are done: look from the oldest that is missing.
    let missing = files.keys().filter(|id| !loaded.contains(id)).min();
    let mut after = missing.map(|id| FileId::new(id.get() - 1));
    while let Some(from) = after {
        let page = store.vectors_after(from, FILES_AT_A_TIME).await?;
        after = page.last().map(|last| Some(last.file));
        for vectors in page.into_iter().filter(|vectors| !loaded.contains(&vectors.file)) {
            let FileVectors { file, kinds, codes } = &vectors;
            if !codes.is_empty() && codes.len() != kinds.len() * dimension {
                let reason = format!(
                    "{} values in {} vectors of {file:?}, not {dimension} in each",
                    codes.len(),
                    kinds.len()
                );
                return Err(StoreError::Corrupt { path: store.path().to_owned(), reason }.into());
            }
            new.push(vectors);
        }
    }
    Ok(Update { generation, files, gone, new })
}
