//! The code that others are compared with: a place in a file, as it is indexed or as it is now, or a text.

use crate::discover::io_reason;
use crate::hit::has_changed;
use crate::memory::of_parsing;
use crate::prepare::{Labels, ReadError, names_of_chunks, read_file};
use crate::{EngineConfig, EngineError, SimilarPlace};
use ast_core_embed::EmbedInput;
use ast_core_model::{
    Chunk, ChunkId, ContentHash, LanguageName, LineRange, RepoPath, Span, Symbol, scope_of,
};
use ast_core_parse::{Language, ParseError, ParseLimits, Parser, SourceText};
use ast_core_search::QueryError;
use ast_core_storage::{Document, FileRecord};
use std::cmp::Reverse;
use std::path::Path;

/// Code, with all that is known of it.
pub(super) struct Source {
    pub(super) code: String,
    /// The names it defines and is inside of, where it is, and its documentation, as they are embedded.
    name: String,
    path: String,
    doc: String,
    pub(super) language: Option<LanguageName>,
    pub(super) place: Option<SimilarPlace>,
    /// The chunk that it is, if it is indexed as it is.
    pub(super) chunk: Option<ChunkId>,
    /// Chunks that are the same place.
    pub(super) same: Vec<ChunkId>,
}

impl Source {
    pub(super) fn input(&self) -> EmbedInput<'_> {
        EmbedInput { name: &self.name, path: &self.path, doc: &self.doc, code: &self.code }
    }

    /// A text, in this language if it is known.
    pub(super) fn of_code(
        config: &EngineConfig,
        code: &str,
        language: Option<Language>,
    ) -> Result<Self, EngineError> {
        let code = code.trim();
        if code.is_empty() {
            return Err(QueryError::Empty { text: code.to_owned() }.into());
        }
        if code.len() > config.limits.max_bytes {
            let (received, limit) = (code.len(), config.limits.max_bytes);
            return Err(ParseError::TooLarge { received, limit }.into());
        }
        let language = language.or_else(|| Language::of_shebang(code));
        let name = match language {
            Some(language) => names_in(config, code, language)?,
            None => String::new(),
        };
        Ok(Self {
            code: code.to_owned(),
            name,
            path: String::new(),
            doc: String::new(),
            language: language.map(Language::name),
            place: None,
            chunk: None,
            same: Vec::new(),
        })
    }

    /// The chunk that a line of a file is in. `indexed` is what is indexed of the file, if anything is; if the file is not as
    /// it was then, it is read. Waits for the disk.
    pub(super) fn of_place(
        config: &EngineConfig,
        (root, path): (&Path, &RepoPath),
        line: u32,
        indexed: Option<(FileRecord, Document)>,
    ) -> Result<Self, EngineError> {
        if let Some((record, document)) = &indexed
            && !has_changed(root, record)
        {
            return Self::indexed(path, line, record, document);
        }
        match (Now::read(config, root, path), &indexed) {
            (Ok(now), _) => {
                let (language, document) = (now.language.map(Language::name), &now.document);
                let (mut source, at) = Self::in_document(path, line, language, document)?;
                if let Some(place) = &mut source.place {
                    place.unindexed = true;
                }
                if let Some((record, before)) = &indexed {
                    let chunk = &document.chunks[at];
                    let same = same_places(&document.symbols, chunk, before);
                    source.same = same.into_iter().filter_map(|at| ChunkId::in_file(record.id, at)).collect();
                }
                Ok(source)
            }
            // What is gone can still be found, so it can be compared as well.
            (Err(ReadError::Vanished), Some((record, document))) => {
                Self::indexed(path, line, record, document)
            }
            (Err(error), _) => {
                let reason = match error {
                    ReadError::Vanished => "there is no such file in the tree or in its index".to_owned(),
                    ReadError::TooLarge(_) => {
                        format!("it is larger than the limit of {} bytes", config.limits.max_bytes)
                    }
                    ReadError::Failed(reason) | ReadError::Transient(reason) => reason,
                };
                Err(EngineError::Unreadable { path: path.as_str().into(), reason })
            }
        }
    }

    fn indexed(
        path: &RepoPath,
        line: u32,
        record: &FileRecord,
        document: &Document,
    ) -> Result<Self, EngineError> {
        let (mut source, at) = Self::in_document(path, line, record.language.clone(), document)?;
        source.chunk = ChunkId::in_file(record.id, at as u32);
        source.same.extend(source.chunk);
        Ok(source)
    }

    /// The chunk of a document that a line is in, and its place among the chunks.
    fn in_document(
        path: &RepoPath,
        line: u32,
        language: Option<LanguageName>,
        document: &Document,
    ) -> Result<(Self, usize), EngineError> {
        let Document { source, symbols, chunks, .. } = document;
        let text = SourceText::decode(source)?.named(path.file_stem());
        let labels = Labels::of(path, symbols, chunks);
        // Where one ends and another begins in the line, the larger is meant.
        let round = (0..chunks.len()).filter(|&at| chunks[at].lines.contains(line));
        let at = round.max_by_key(|&at| (chunks[at].span.len(), Reverse(at)));
        let Some((at, input)) = at.and_then(|at| Some((at, labels.input(&text, document, at)?))) else {
            return Err(EngineError::NoCode { path: path.clone(), line, lines: lines_of(chunks) });
        };
        let index = chunks[at].symbol.map(|index| index as usize);
        let symbol = index.and_then(|index| symbols.get(index));
        let scope = index.map_or(Vec::new(), |index| scope_of(symbols, index));
        let place = SimilarPlace {
            path: path.clone(),
            language: language.clone(),
            lines: chunks[at].lines,
            name: symbol.map(|symbol| symbol.name.to_string()),
            kind: symbol.map(|symbol| symbol.kind),
            scope: scope.into_iter().map(str::to_owned).collect(),
            unindexed: false,
        };
        let source = Self {
            code: input.code.to_owned(),
            name: input.name.to_owned(),
            path: input.path.to_owned(),
            doc: input.doc.to_owned(),
            language,
            place: Some(place),
            chunk: None,
            same: Vec::new(),
        };
        Ok((source, at))
    }
}

/// A file as it is now.
struct Now {
    language: Option<Language>,
    document: Document,
}

impl Now {
    fn read(config: &EngineConfig, root: &Path, path: &RepoPath) -> Result<Self, ReadError> {
        let (source, _) = read_file(&root.join(path.as_str()), config.limits.max_bytes)?;
        let failed = |error: ParseError| ReadError::Failed(io_reason(&error));
        let text = SourceText::decode(&source).map_err(failed)?.named(path.file_stem());
        let language = Language::detect(path, text.text());
        let (symbols, chunks) = match language {
            Some(language) => {
                let parsed = parser(config, text.text()).parse_source(&text, language).map_err(failed)?;
                (parsed.symbols, parsed.chunks)
            }
            None => (Vec::new(), parser(config, text.text()).cut_text(&text)),
        };
        drop(text);
        Ok(Self { language, document: Document { source, symbols, references: Vec::new(), chunks } })
    }
}

/// A parser that gives no tree of what would take too much.
fn parser(config: &EngineConfig, text: &str) -> Parser {
    let fits = config.max_file_memory.is_none_or(|most| of_parsing(text) <= most);
    let max_bytes = if fits { config.limits.max_bytes } else { 0 };
    Parser::new(ParseLimits { max_bytes, ..config.limits.clone() }, config.chunking.clone())
}

/// The names that a text defines, that of the largest definition first.
fn names_in(config: &EngineConfig, code: &str, language: Language) -> Result<String, EngineError> {
    let text = SourceText::from_text(code);
    let symbols = parser(config, code).parse_source(&text, language)?.symbols;
    let largest = (0..symbols.len()).max_by_key(|&at| (symbols[at].extent.len(), Reverse(at)));
    let whole = Chunk {
        span: Span::new(0, code.len() as u32),
        lines: LineRange::new(1, code.lines().count().max(1) as u32),
        symbol: largest.map(|at| at as u32),
        hash: ContentHash::of(code.as_bytes()),
    };
    Ok(names_of_chunks(&symbols, &[whole]).concat())
}

/// The places of the chunks of a document from before that are about what this chunk is about now: the same definition, or,
/// if it is about none, the same lines.
fn same_places(symbols: &[Symbol], chunk: &Chunk, before: &Document) -> Vec<u32> {
    let about = |symbols: &[Symbol], chunk: &Chunk| {
        let at = chunk.symbol? as usize;
        let symbol = symbols.get(at)?;
        let scope: Vec<String> = scope_of(symbols, at).into_iter().map(str::to_owned).collect();
        Some((symbol.kind, symbol.name.to_string(), scope))
    };
    let now = about(symbols, chunk);
    let is_same = |old: &Chunk| match &now {
        Some(_) => about(&before.symbols, old) == now,
        None => old.lines.start <= chunk.lines.end && chunk.lines.start <= old.lines.end,
    };
    (0_u32..).zip(&before.chunks).filter(|(_, old)| is_same(old)).map(|(at, _)| at).collect()
}

/// The lines that chunks are at, those behind each other as one.
fn lines_of(chunks: &[Chunk]) -> Vec<LineRange> {
    let mut lines: Vec<LineRange> = Vec::new();
    for chunk in chunks {
        match lines.last_mut() {
            Some(last) if chunk.lines.start <= last.end.saturating_add(1) => {
                last.end = last.end.max(chunk.lines.end);
            }
            _ => lines.push(chunk.lines),
        }
    }
    lines
}
