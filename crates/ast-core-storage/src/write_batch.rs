//! One transaction's worth of changes.

use crate::{FileRecord, StoreError};
use ast_core_model::{Chunk, ChunkTerms, FileId, Symbol};

/// Changes that become visible together, or not at all.
#[derive(Debug, Default)]
pub struct WriteBatch {
    /// Files that come in or take the place of the file now at their path.
    pub files: Vec<IndexedFile>,
    /// Files that go.
    pub removed: Vec<FileId>,
    /// Files whose content is as it was, but whose size or time on disk is to be noted anew:
    /// id, size, modification time.
    pub touched: Vec<(FileId, u64, i64)>,
    /// Keys and values to be set beside them.
    pub meta: Vec<(String, String)>,
}

/// Everything that the store keeps of a file.
#[derive(Debug)]
pub struct IndexedFile {
    /// What is known of it.
    pub record: FileRecord,
    /// Its content; `None` if it was not indexed.
    pub source: Option<CompressedSource>,
    /// Its definitions.
    pub symbols: Vec<Symbol>,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
    /// The terms of each chunk: as many as there are chunks.
    pub terms: Vec<ChunkTerms>,
    /// The vectors of the chunks, one after the other: chunks x dimension values.
    pub vectors: Vec<f32>,
}

impl WriteBatch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.removed.is_empty() && self.touched.is_empty() && self.meta.is_empty()
    }
}

/// The content of a file, compressed. Made where the work is parallel, as the writer is one.
#[derive(Debug, Clone)]
pub struct CompressedSource(Vec<u8>);

/// Level 1 is the fastest; code shrinks to about a quarter already.
const LEVEL: i32 = 1;

impl CompressedSource {
    /// Compresses the bytes of a file.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if zstd cannot take it.
    pub fn new(content: &[u8]) -> Result<Self, StoreError> {
        let out_of_range = |_| StoreError::OutOfRange {
            what: "a file",
            received: content.len() as u64,
            limit: u64::from(u32::MAX),
        };
        zstd::bulk::compress(content, LEVEL).map(Self).map_err(out_of_range)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of the file.
    pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let capacity = zstd::zstd_safe::get_frame_content_size(bytes)
            .map_err(|error| error.to_string())?
            .ok_or("the size of the content is not given")?;
        if capacity > u64::from(u32::MAX) {
            return Err(format!("a content of {capacity} bytes"));
        }
        zstd::bulk::decompress(bytes, capacity as usize).map_err(|error| error.to_string())
    }
}
