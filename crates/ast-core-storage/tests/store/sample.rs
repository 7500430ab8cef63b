//! Files to store.

use ast_core_model::terms::TermSplitter;
use ast_core_model::{Chunk, ChunkTerms, ContentHash, FileId, RepoPath};
use ast_core_parse::{Language, ParsedFile, Parser};
use ast_core_storage::{
    Access, Bm25f, Derive, Derived, Document, FileRecord, FileStatus, IndexedFile, SqliteStore, StoreConfig,
    StoreError, WriteBatch,
};
use std::path::Path;

/// Values a vector.
pub(crate) const DIMENSION: usize = 4;

pub(crate) fn id(number: u64) -> FileId {
    FileId::new(number).unwrap()
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

/// What a file to store is made of.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) record: FileRecord,
    pub(crate) document: Document,
    pub(crate) terms: Vec<ChunkTerms>,
    pub(crate) vectors: Vec<f32>,
}

impl Parts {
    pub(crate) fn build(self) -> Result<IndexedFile, StoreError> {
        IndexedFile::new(self.record, &self.document, &self.terms, &self.vectors)
    }
}

/// What the engine would store of this file, with vectors that are made up.
pub(crate) fn parsed(number: u64, at: &str, text: &str) -> IndexedFile {
    parts(number, at, text).build().unwrap()
}

/// What that is made of.
pub(crate) fn parts(number: u64, at: &str, text: &str) -> Parts {
    let path = path(at);
    let language = Language::of_path(&path).unwrap();
    let parsed = Parser::default().parse(text.as_bytes(), language).unwrap();
    let ParsedFile { symbols, references, chunks, lines, syntax_errors, .. } = parsed;
    let document = Document { source: text.into(), symbols, references, chunks };
    let Derived { terms, vectors } = derived(number, at, &document);
    Parts {
        record: FileRecord {
            id: id(number),
            path,
            language: Some(language.name()),
            status: FileStatus::Indexed,
            detail: None,
            size: text.len() as u64,
            modified_ns: 1_700_000_000_000_000_000 + number as i64,
            content_hash: Some(ContentHash::of(text.as_bytes())),
            lines,
            syntax_errors: syntax_errors.count,
        },
        document,
        terms,
        vectors,
    }
}

/// The terms of a document's chunks, and vectors that are made up.
fn derived(number: u64, at: &str, document: &Document) -> Derived {
    let mut splitter = TermSplitter::default();
    let mut cut = |text: &str| {
        let mut terms = Vec::new();
        splitter.split(text, |term| terms.push(term.text.to_owned()));
        terms.join(" ")
    };
    let text = std::str::from_utf8(&document.source).unwrap();
    let terms = |chunk: &Chunk| {
        let symbol = chunk.symbol.map(|at| &document.symbols[at as usize]);
        ChunkTerms {
            name: cut(symbol.map_or("", |symbol| &symbol.name)),
            path: cut(at),
            doc: cut(symbol.and_then(|symbol| symbol.doc.as_deref()).unwrap_or_default()),
            body: cut(&text[chunk.span.range()]),
        }
    };
    let values = 0..document.chunks.len() * DIMENSION;
    Derived {
        terms: document.chunks.iter().map(terms).collect(),
        vectors: values.map(|at| number as f32 + at as f32 / 1024.0).collect(),
    }
}

/// Makes of a stored file what was made of it when it came in.
pub(crate) struct Again;

impl Derive for Again {
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String> {
        Ok(derived(record.id.get(), record.path.as_str(), document))
    }
}

/// Rust source with `functions` functions, of which no two names are alike if no two `word`s are.
pub(crate) fn rust_text(word: &str, functions: usize) -> String {
    let mut text = format!("//! About {word}.\n\npub struct {word}State {{ count: u64 }}\n");
    for number in 0..functions {
        text += &format!(
            "\n/// Counts the {word}s, the {number}th way.\nfn {word}_{number}(state: &{word}State) -> u64 {{\n    \
             let total = state.count + {number};\n    total.wrapping_mul({number})\n}}\n"
        );
    }
    text
}

/// A small Rust file.
pub(crate) fn rust(number: u64, at: &str, word: &str) -> IndexedFile {
    parsed(number, at, &rust_text(word, 3))
}

/// A file that is known and not indexed.
pub(crate) fn skipped(number: u64, at: &str, status: FileStatus) -> IndexedFile {
    IndexedFile::left_out(skipped_record(number, at, status))
}

pub(crate) fn skipped_record(number: u64, at: &str, status: FileStatus) -> FileRecord {
    FileRecord {
        id: id(number),
        path: path(at),
        language: None,
        status,
        detail: Some(format!("{status}, because")),
        size: 1 << 40,
        modified_ns: -1,
        content_hash: None,
        lines: 0,
        syntax_errors: 0,
    }
}

pub(crate) fn files(files: Vec<IndexedFile>) -> WriteBatch {
    WriteBatch { files, ..WriteBatch::default() }
}

pub(crate) async fn open(path: &Path, access: Access) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, access, &StoreConfig::default()).await
}

/// Every field alike, whatever its length.
pub(crate) const EVEN: Bm25f = Bm25f { weights: [1.0; 4], b: [0.0; 4], k1: 1.2 };

/// A new store in a directory of its own.
pub(crate) async fn new_store() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("index.db"), Access::Write).await.unwrap();
    (directory, store)
}
