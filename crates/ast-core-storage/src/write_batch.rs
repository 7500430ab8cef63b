//! One transaction's worth of changes.

use crate::names::names_of;
use crate::signatures::signature_of;
use crate::vectors::{codes_of, kinds_of};
use crate::{Document, FileRecord, JobProgress, StoreError};
use ast_core_lexical::{FileTerms, LexicalError};
use ast_core_model::{Chunk, ChunkId, ChunkTerms, FileId, SymbolId};
use std::collections::HashSet;

/// What a commit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The generation that the store has with the batch: the next one, or if it changed nothing the one it had.
    pub generation: u64,
}

/// Changes that become visible together, or not at all.
#[derive(Debug, Default)]
pub struct WriteBatch {
    /// Files that come in or take the place of the file now at their path. At most one a path, and each with an id that
    /// was never given to another version of a file.
    pub files: Vec<IndexedFile>,
    /// Files that go. One that is not there is gone already.
    pub removed: Vec<FileId>,
    /// Files whose content is as it was, but whose size or time on disk is to be noted anew:
    /// id, size, modification time.
    pub touched: Vec<(FileId, u64, i64)>,
    /// Keys and values to be set beside them. The keys `generation`, `repository` and `writer` are the store's own: what
    /// is set for them is lost.
    pub meta: Vec<(String, String)>,
    /// The job that they are of, and how far it is with them.
    pub job: Option<(u64, JobProgress)>,
}

/// A file and everything that the store keeps of it, in the form in which it is kept.
///
/// It is made where the work is parallel, as there is one writer.
#[derive(Debug)]
pub struct IndexedFile {
    pub(crate) record: FileRecord,
    /// `None` if it was not indexed.
    pub(crate) content: Option<FileContent>,
}

/// What goes into the indexes of terms.
pub(crate) struct Terms {
    pub(crate) words: Vec<(FileId, FileTerms)>,
    pub(crate) names: Vec<(FileId, FileTerms)>,
}

/// What a backend keeps of a file's content, in the forms in which it is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileContent {
    /// Its source and what was found in it, for [`Document::from_stored`].
    pub document: Vec<u8>,
    /// How many definitions it has.
    pub symbols: usize,
    /// Of each chunk, the kind of what it is about, for [`FileVectors::from_stored`](crate::FileVectors::from_stored).
    pub kinds: Vec<u8>,
    /// The vectors of the chunks, for the same.
    pub codes: Vec<u8>,
    /// The signature of its source, for [`Signature::new`](crate::Signature::new).
    pub signature: Vec<u8>,
    /// The words of each chunk, for an index that is asked for [`query_words`](crate::query_words).
    pub words: FileTerms,
    /// The names in it, as the terms of one document, for an index that is asked for a [`name_term`](crate::name_term).
    pub names: FileTerms,
}

impl IndexedFile {
    /// A file that is known, and of which nothing is kept.
    pub fn left_out(record: FileRecord) -> Self {
        Self { record, content: None }
    }

    /// A file with its content; the terms of each chunk, as many as there are chunks; and the vectors of the chunks, one after the other, or none. Of a vector its direction is kept, to within 255 steps of its largest
    /// value.
    ///
    /// # Errors
    /// [`StoreError::InvalidFile`] if parts of it contradict each other, and [`StoreError::OutOfRange`] if there is too
    /// much of it.
    pub fn new(
        record: FileRecord,
        document: &Document,
        terms: &[ChunkTerms],
        vectors: &[f32],
    ) -> Result<Self, StoreError> {
        check(&record, document, terms, vectors)?;
        let unfit = |error: LexicalError| invalid(&record, error.to_string());
        let words = FileTerms::new(terms).map_err(unfit)?;
        let names = names_of(document).map_err(unfit)?;
        let content = FileContent {
            document: document.compress()?,
            symbols: document.symbols.len(),
            kinds: kinds_of(document),
            codes: codes_of(document, vectors),
            signature: signature_of(&document.source),
            words,
            names,
        };
        Ok(Self { record, content: Some(content) })
    }

    /// What is known of it.
    pub fn record(&self) -> &FileRecord {
        &self.record
    }

    /// What is kept of its content; `None` if it was left out.
    pub fn content(&self) -> Option<&FileContent> {
        self.content.as_ref()
    }

    /// How many definitions it has.
    pub fn symbols(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.symbols)
    }

    /// How many chunks it has.
    pub fn chunks(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.kinds.len())
    }

    fn invalid(&self, reason: impl Into<String>) -> StoreError {
        invalid(&self.record, reason)
    }
}

impl WriteBatch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let Self { files, removed, touched, meta, job } = self;
        files.is_empty() && removed.is_empty() && touched.is_empty() && meta.is_empty() && job.is_none()
    }

    /// The words and the names of its files, which it has no longer.
    pub(crate) fn take_terms(&mut self) -> Terms {
        let (mut words, mut names) = (Vec::new(), Vec::new());
        for file in &mut self.files {
            if let Some(content) = &mut file.content {
                words.push((file.record.id, std::mem::take(&mut content.words)));
                names.push((file.record.id, std::mem::take(&mut content.names)));
            }
        }
        Terms { words, names }
    }

    /// Whether it can be stored so that it can be read again, which a backend asks first.
    ///
    /// # Errors
    /// [`StoreError::InvalidFile`] if a path is in it twice; [`StoreError::OutOfRange`] if a size is beyond 2^63 - 1.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut paths = HashSet::with_capacity(self.files.len());
        for file in &self.files {
            if !paths.insert(&file.record.path) {
                return Err(file.invalid("it is in the batch twice; a path can be in it once"));
            }
            in_range("a file size", file.record.size, i64::MAX as u64)?;
        }
        self.touched.iter().try_for_each(|&(_, size, _)| in_range("a file size", size, i64::MAX as u64))
    }
}

fn check(
    record: &FileRecord,
    document: &Document,
    terms: &[ChunkTerms],
    vectors: &[f32],
) -> Result<(), StoreError> {
    let (symbols, chunks) = (document.symbols.len(), document.chunks.len());
    in_range("a number of symbols", symbols as u64, u64::from(SymbolId::MAX_ORDINAL) + 1)?;
    in_range("a number of chunks", chunks as u64, u64::from(ChunkId::MAX_ORDINAL) + 1)?;
    let invalid = |reason: String| Err(invalid(record, reason));
    if terms.len() != chunks {
        return invalid(format!("it has {chunks} chunks, and the terms of {}", terms.len()));
    }
    let values = vectors.len();
    if values != 0 && (chunks == 0 || !values.is_multiple_of(chunks)) {
        return invalid(format!("{values} vector values for {chunks} chunks; expected as many for each"));
    }
    if let Some(value) = vectors.iter().find(|value| !value.is_finite()) {
        return invalid(format!("a vector holds {value}; expected finite values"));
    }
    for (index, symbol) in document.symbols.iter().enumerate() {
        if symbol.parent.is_some_and(|parent| parent as usize >= index) {
            return invalid(format!(
                "symbol {index} is inside of {:?}; expected one before it",
                symbol.parent
            ));
        }
        if symbol.lines.start == 0 {
            return invalid(format!("symbol {index} is at {:?}", symbol.lines));
        }
    }
    for (index, reference) in document.references.iter().enumerate() {
        if reference.symbol.is_some_and(|symbol| symbol as usize >= symbols) {
            return invalid(format!(
                "reference {index} is inside of symbol {:?} of {symbols}",
                reference.symbol
            ));
        }
    }
    for (index, chunk) in document.chunks.iter().enumerate() {
        let Chunk { span, lines, symbol, .. } = chunk;
        if symbol.is_some_and(|symbol| symbol as usize >= symbols) {
            return invalid(format!("chunk {index} is about symbol {symbol:?} of {symbols}"));
        }
        if span.start > span.end || lines.start == 0 || lines.start > lines.end {
            return invalid(format!("chunk {index} is at {span:?}, {lines:?}"));
        }
    }
    Ok(())
}

fn invalid(record: &FileRecord, reason: impl Into<String>) -> StoreError {
    StoreError::InvalidFile { file: record.path.clone(), reason: reason.into() }
}

fn in_range(what: &'static str, received: u64, limit: u64) -> Result<(), StoreError> {
    if received <= limit { Ok(()) } else { Err(StoreError::OutOfRange { what, received, limit }) }
}
