//! One transaction's worth of changes.

use crate::terms::END;
use crate::{FileRecord, StoreError};
use ast_core_model::{Chunk, ChunkId, ChunkTerms, FileId, Symbol, SymbolId};
use std::collections::HashSet;

/// Changes that become visible together, or not at all.
#[derive(Debug, Default)]
pub struct WriteBatch {
    /// Files that come in or take the place of the file now at their path. At most one a path.
    pub files: Vec<IndexedFile>,
    /// Files that go. One that is not there is gone already.
    pub removed: Vec<FileId>,
    /// Files whose content is as it was, but whose size or time on disk is to be noted anew:
    /// id, size, modification time.
    pub touched: Vec<(FileId, u64, i64)>,
    /// Keys and values to be set beside them. The key `generation` is the store's own: what is set for it is lost.
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
    /// The terms of each chunk: as many as there are chunks. They hold no NUL.
    pub terms: Vec<ChunkTerms>,
    /// The vectors of the chunks, one after the other: chunks x dimension values.
    pub vectors: Vec<f32>,
}

impl WriteBatch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.removed.is_empty() && self.touched.is_empty() && self.meta.is_empty()
    }

    /// Whether it can be stored so that it can be read again.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let mut paths = HashSet::with_capacity(self.files.len());
        for file in &self.files {
            if !paths.insert(&file.record.path) {
                return Err(file.invalid("it is in the batch twice; a path can be in it once"));
            }
            file.check()?;
        }
        self.touched.iter().try_for_each(|&(_, size, _)| in_range("a file size", size, i64::MAX as u64))
    }
}

impl IndexedFile {
    fn check(&self) -> Result<(), StoreError> {
        in_range("a file size", self.record.size, i64::MAX as u64)?;
        let (symbols, chunks) = (self.symbols.len(), self.chunks.len());
        in_range("a number of symbols", symbols as u64, u64::from(SymbolId::MAX_ORDINAL) + 1)?;
        in_range("a number of chunks", chunks as u64, u64::from(ChunkId::MAX_ORDINAL) + 1)?;
        if self.terms.len() != chunks {
            let terms = self.terms.len();
            return Err(self.invalid(format!("it has {chunks} chunks, and the terms of {terms}")));
        }
        for terms in &self.terms {
            if [&terms.name, &terms.path, &terms.doc, &terms.body].iter().any(|field| field.contains(END)) {
                return Err(self.invalid(format!("the terms {terms:?} hold a NUL, which no term can")));
            }
        }
        let values = self.vectors.len();
        if values != 0 && (chunks == 0 || !values.is_multiple_of(chunks)) {
            let reason = format!("{values} vector values for {chunks} chunks; expected as many for each");
            return Err(self.invalid(reason));
        }
        for (index, symbol) in self.symbols.iter().enumerate() {
            if symbol.parent.is_some_and(|parent| parent as usize >= index) {
                let reason =
                    format!("symbol {index} is inside of {:?}; expected one before it", symbol.parent);
                return Err(self.invalid(reason));
            }
        }
        for (index, chunk) in self.chunks.iter().enumerate() {
            let Chunk { span, lines, symbol, .. } = chunk;
            if symbol.is_some_and(|symbol| symbol as usize >= symbols) {
                let reason = format!("chunk {index} is about symbol {symbol:?} of {symbols}");
                return Err(self.invalid(reason));
            }
            if span.start > span.end || lines.start == 0 || lines.start > lines.end {
                return Err(self.invalid(format!("chunk {index} is at {span:?}, {lines:?}")));
            }
        }
        Ok(())
    }

    fn invalid(&self, reason: impl Into<String>) -> StoreError {
        StoreError::InvalidFile { file: self.record.path.clone(), reason: reason.into() }
    }
}

fn in_range(what: &'static str, received: u64, limit: u64) -> Result<(), StoreError> {
    if received <= limit { Ok(()) } else { Err(StoreError::OutOfRange { what, received, limit }) }
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
    pub fn new(content: impl AsRef<[u8]>) -> Result<Self, StoreError> {
        let content = content.as_ref();
        let compress = || {
            let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
            // SQLite does not notice when a bit of a value flips.
            compressor.include_checksum(true)?;
            compressor.compress(content)
        };
        compress().map(Self).map_err(|_: std::io::Error| StoreError::OutOfRange {
            what: "a file",
            received: content.len() as u64,
            limit: u64::from(u32::MAX),
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The content in the bytes of a store.
    pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let capacity = zstd::zstd_safe::get_frame_content_size(bytes)
            .map_err(|error| error.to_string())?
            .ok_or("the size of the content is not given")?;
        let capacity = usize::try_from(capacity).map_err(|error| error.to_string())?;
        if capacity > u32::MAX as usize {
            return Err(format!("a content of {capacity} bytes"));
        }
        // The size is from the store and may be damaged: there may not be that much memory.
        let mut content = Vec::new();
        content.try_reserve_exact(capacity).map_err(|error| error.to_string())?;
        zstd::bulk::Decompressor::new()
            .and_then(|mut decompressor| decompressor.decompress_to_buffer(bytes, &mut content))
            .map_err(|error| error.to_string())?;
        Ok(content)
    }
}
