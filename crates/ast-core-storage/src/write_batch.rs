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
    /// Its text; `None` if it was not indexed.
    pub source: Option<CompressedText>,
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

/// A text, compressed. Made where the work is parallel, as the writer is one.
#[derive(Debug, Clone)]
pub struct CompressedText(Vec<u8>);

/// Level 1 is the fastest; code shrinks to about a quarter already.
const LEVEL: i32 = 1;

impl CompressedText {
    /// Compresses a text.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if zstd cannot take it.
    pub fn new(text: &str) -> Result<Self, StoreError> {
        let out_of_range = |_| StoreError::OutOfRange {
            what: "a text",
            received: text.len() as u64,
            limit: u64::from(u32::MAX),
        };
        zstd::bulk::compress(text.as_bytes(), LEVEL).map(Self).map_err(out_of_range)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text in the bytes of a store.
    pub(crate) fn decompress(bytes: &[u8]) -> Result<String, String> {
        let capacity = zstd::zstd_safe::get_frame_content_size(bytes)
            .map_err(|error| error.to_string())?
            .ok_or("the size of the text is not given")?;
        let capacity = usize::try_from(capacity).map_err(|error| error.to_string())?;
        if capacity > u32::MAX as usize {
            return Err(format!("a text of {capacity} bytes"));
        }
        let text = zstd::bulk::decompress(bytes, capacity).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}
