//! Files to store, made without a parser: a text is written together with what is found in it.

use crate::{Derive, Derived, Document, FileRecord, FileStatus, IndexedFile, StoreError, WriteBatch};
use ast_core_model::terms::TermSplitter;
use ast_core_model::{
    Chunk, ChunkTerms, ContentHash, FileId, LanguageName, LineRange, Reference, ReferenceKind, RepoPath,
    Span, Symbol, SymbolKind,
};

/// Values a vector.
pub(crate) const DIMENSION: usize = 4;

/// Words that are their own stems.
pub(crate) const WORDS: [&str; 6] = ["plum", "mango", "kiwi", "melon", "lemon", "fig"];

pub(crate) fn id(number: u64) -> FileId {
    FileId::new(number).expect("an id")
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::new(text).expect("a path")
}

/// A text that is written line by line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    document: Document,
    lines: u32,
    /// The definition that is being written.
    inside: Option<u32>,
}

impl Text {
    /// A text whose first line is this one, and a chunk of its own.
    pub(crate) fn new(first: &str) -> Self {
        let mut text = Self::default();
        let span = text.write(first);
        text.chunk(span, LineRange::new(1, 1), None);
        text
    }

    pub(crate) fn line(mut self, line: &str) -> Self {
        self.write(line);
        self
    }

    /// A definition, with what is written inside of it. One that has nothing inside by nature is a chunk.
    pub(crate) fn define(
        mut self,
        kind: SymbolKind,
        name: &str,
        doc: Option<&str>,
        inside: impl FnOnce(Self) -> Self,
    ) -> Self {
        let index = self.document.symbols.len() as u32;
        let extent = doc.map(|doc| self.write(&format!("-- {doc}")).start);
        let header = format!("{kind} {name}");
        let (head, first) = (self.write(&header), self.lines);
        let name_at = head.end - name.len() as u32;
        self.document.symbols.push(Symbol {
            name: name.into(),
            qualifier: None,
            kind,
            parent: self.inside,
            span: head,
            lines: LineRange::new(first, first),
            extent: head,
            name_span: Span::new(name_at, head.end),
            signature: header.into(),
            doc: doc.map(Into::into),
            visibility: None,
        });
        let outer = self.inside.replace(index);
        self = inside(self);
        let end = self.write("end").end;
        self.inside = outer;
        let (span, lines) = (Span::new(head.start, end), LineRange::new(first, self.lines));
        let symbol = &mut self.document.symbols[index as usize];
        (symbol.span, symbol.lines) = (span, lines);
        symbol.extent = Span::new(extent.unwrap_or(head.start), end);
        if !kind.is_container() {
            self.chunk(span, lines, Some(index));
        }
        self
    }

    pub(crate) fn function(self, name: &str) -> Self {
        self.define(SymbolKind::Function, name, None, |text| text)
    }

    /// A place that mentions something, under another name too if it has an alias.
    pub(crate) fn mention(mut self, kind: ReferenceKind, name: &str, alias: Option<&str>) -> Self {
        let line = format!("{kind} {name}");
        let span = self.write(&line);
        self.document.references.push(Reference {
            kind,
            name: name.into(),
            qualifier: None,
            alias: alias.map(Into::into),
            span: Span::new(span.end - name.len() as u32, span.end),
            line: self.lines,
            symbol: self.inside,
        });
        self
    }

    pub(crate) fn document(self) -> Document {
        self.document
    }

    /// Appends a line; where it is, without its end.
    fn write(&mut self, line: &str) -> Span {
        let source = &mut self.document.source;
        let start = source.len() as u32;
        source.extend_from_slice(line.as_bytes());
        let end = source.len() as u32;
        source.push(b'\n');
        self.lines += 1;
        Span::new(start, end)
    }

    fn chunk(&mut self, span: Span, lines: LineRange, symbol: Option<u32>) {
        let hash = ContentHash::of(&self.document.source[span.range()]);
        self.document.chunks.push(Chunk { span, lines, symbol, hash });
    }
}

/// A text with a struct and `functions` functions, of which no two names are alike if no two `word`s are.
pub(crate) fn text(word: &str, functions: usize) -> Text {
    let state = format!("{word}State");
    let text = Text::new(&format!("about {word}"))
        .define(SymbolKind::Struct, &state, None, |text| text.line("count"));
    (0..functions).fold(text, |text, number| {
        let doc = format!("Counts the {word}s, the {number}th way.");
        text.define(SymbolKind::Function, &format!("{word}_{number}"), Some(&doc), |text| {
            let text = text.mention(ReferenceKind::Type, &state, None);
            text.line(&format!("let total = state.count + {number}")).mention(
                ReferenceKind::Call,
                "wrapping_mul",
                None,
            )
        })
    })
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

/// What a file of this text is made of, with vectors that are made up.
pub(crate) fn parts(number: u64, at: &str, document: Document) -> Parts {
    let Derived { terms, vectors } = derived(number, at, &document);
    let lines = document.source.iter().filter(|byte| **byte == b'\n').count() as u32;
    let record = FileRecord {
        id: id(number),
        path: path(at),
        language: Some(LanguageName::from_static("rust")),
        status: FileStatus::Indexed,
        detail: None,
        size: document.source.len() as u64,
        modified_ns: 1_700_000_000_000_000_000 + number as i64,
        content_hash: Some(ContentHash::of(&document.source)),
        lines,
        syntax_errors: 0,
    };
    Parts { record, document, terms, vectors }
}

/// A small file.
pub(crate) fn file(number: u64, at: &str, word: &str) -> IndexedFile {
    file_of(number, at, text(word, 3))
}

pub(crate) fn file_of(number: u64, at: &str, text: Text) -> IndexedFile {
    parts(number, at, text.document()).build().expect("a file")
}

/// A file with this text, in which nothing is found.
pub(crate) fn plain(number: u64, at: &str, text: &str) -> IndexedFile {
    let document = Document { source: text.into(), ..Document::default() };
    parts(number, at, document).build().expect("a file")
}

/// A file with a chunk for each of these.
pub(crate) fn chunks(number: u64, terms: &[ChunkTerms]) -> IndexedFile {
    let chunk = Chunk {
        span: Span::new(0, 0),
        lines: LineRange::new(1, 1),
        symbol: None,
        hash: ContentHash::from_bytes([0; 16]),
    };
    let document = Document { chunks: vec![chunk; terms.len()], ..Document::default() };
    let parts = parts(number, &format!("{number}.rs"), document);
    Parts { terms: terms.into(), vectors: Vec::new(), ..parts }.build().expect("a file")
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

pub(crate) fn batch(files: impl IntoIterator<Item = IndexedFile>) -> WriteBatch {
    WriteBatch { files: files.into_iter().collect(), ..WriteBatch::default() }
}

pub(crate) fn removal(ids: impl IntoIterator<Item = u64>) -> WriteBatch {
    WriteBatch { removed: ids.into_iter().map(id).collect(), ..WriteBatch::default() }
}

pub(crate) fn meta(pairs: &[(&str, &str)]) -> WriteBatch {
    let meta = pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    WriteBatch { meta, ..WriteBatch::default() }
}

/// The terms of a document's chunks, and vectors that are made up.
fn derived(number: u64, at: &str, document: &Document) -> Derived {
    let mut splitter = TermSplitter::default();
    let mut cut = |text: &str| {
        let mut terms = Vec::new();
        splitter.split(text, |term| terms.push(term.text.to_owned()));
        terms.join(" ")
    };
    let source = String::from_utf8_lossy(&document.source);
    let terms = |chunk: &Chunk| {
        let symbol = chunk.symbol.map(|at| &document.symbols[at as usize]);
        ChunkTerms {
            name: cut(symbol.map_or("", |symbol| &symbol.name)),
            path: cut(at),
            doc: cut(symbol.and_then(|symbol| symbol.doc.as_deref()).unwrap_or_default()),
            body: cut(&source[chunk.span.range()]),
        }
    };
    let value = |at: usize| (number.wrapping_mul(31).wrapping_add(at as u64 * 17) % 251) as f32 - 125.0;
    Derived {
        terms: document.chunks.iter().map(terms).collect(),
        vectors: (0..document.chunks.len() * DIMENSION).map(value).collect(),
    }
}

/// Makes of a stored file what was made of it when it came in.
pub(crate) struct Again;

impl Derive for Again {
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String> {
        Ok(derived(record.id.get(), record.path.as_str(), document))
    }
}
