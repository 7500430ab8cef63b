//! From a file on disk to what the store keeps of it: read, parse, cut, embed. Runs on the workers.

use crate::discover::{Stamp, io_reason};
use crate::plan::PlannedFile;
use ast_core_embed::{EmbedInput, Embedder};
use ast_core_model::terms::TermSplitter;
use ast_core_model::{Chunk, ChunkId, ChunkTerms, ContentHash, FileId, RepoPath, Span, Symbol, scope_of};
use ast_core_parse::{
    ChunkingConfig, Coverage, Language, ParseError, ParseLimits, ParsedFile, Parser, SourceText,
};
use ast_core_search::Document as Fields;
use ast_core_storage::{Document, FileRecord, FileStatus, IndexedFile};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// A planned file and the id it gets if its content is new.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: FileId,
    pub(crate) file: PlannedFile,
}

/// What came of a task.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// It goes into the index.
    New(Box<IndexedFile>),
    /// Its content is what the index has; only its stamp is another.
    Same { before: FileRecord, stamp: Stamp },
    /// It cannot be read now; what the index has of it stays.
    Kept { before: FileRecord, reason: String },
    /// It vanished after it was seen.
    Vanished { before: Option<FileRecord> },
}

/// Prepares one file after the other; one a thread.
pub(crate) struct Preparer {
    parser: Parser,
    splitter: TermSplitter,
    embedder: Arc<dyn Embedder>,
    max_bytes: usize,
}

/// Why a file is left out.
struct LeftOut {
    status: FileStatus,
    detail: String,
    stamp: Stamp,
    hash: Option<ContentHash>,
}

impl Preparer {
    pub(crate) fn new(limits: &ParseLimits, chunking: &ChunkingConfig, embedder: Arc<dyn Embedder>) -> Self {
        Self {
            parser: Parser::new(limits.clone(), chunking.clone()),
            splitter: TermSplitter::default(),
            embedder,
            max_bytes: limits.max_bytes,
        }
    }

    pub(crate) fn prepare(&mut self, task: Task) -> Prepared {
        let Task { id, file: PlannedFile { source, before } } = task;
        let read = read_file(&source.absolute, self.max_bytes);
        let left_out = |left_out: LeftOut| {
            let record = FileRecord {
                id,
                path: source.path.clone(),
                language: None,
                status: left_out.status,
                detail: Some(left_out.detail),
                size: left_out.stamp.size,
                modified_ns: left_out.stamp.changed_ns,
                content_hash: left_out.hash,
                lines: 0,
                syntax_errors: 0,
            };
            Prepared::New(Box::new(IndexedFile::left_out(record)))
        };
        let (bytes, stamp) = match read {
            Ok(read) => read,
            Err(ReadError::Vanished) => return Prepared::Vanished { before },
            Err(ReadError::TooLarge(stamp)) => {
                let detail = format!("larger than the limit of {} bytes", self.max_bytes);
                return left_out(LeftOut { status: FileStatus::TooLarge, detail, stamp, hash: None });
            }
            Err(ReadError::Failed(detail)) => {
                if let Some(before) = before.filter(|before| before.status.is_searchable()) {
                    return Prepared::Kept { before, reason: detail };
                }
                return left_out(LeftOut {
                    status: FileStatus::Failed,
                    detail,
                    stamp: source.stamp,
                    hash: None,
                });
            }
        };
        let hash = ContentHash::of(&bytes);
        if let Some(before) = before.filter(|before| {
            before.content_hash == Some(hash)
                && (source.ambiguous
                    || before.language.as_ref().is_none_or(|known| *known == source.language.name()))
                && before.status != FileStatus::Failed
        }) {
            return Prepared::Same { before, stamp };
        }
        let text = match SourceText::decode(&bytes) {
            Ok(text) => text.named(source.path.file_stem()),
            Err(error) => {
                let status = if matches!(error, ParseError::Binary { .. }) {
                    FileStatus::Binary
                } else {
                    FileStatus::Failed
                };
                return left_out(LeftOut { status, detail: error.to_string(), stamp, hash: Some(hash) });
            }
        };
        let failed = |detail: String| {
            left_out(LeftOut { status: FileStatus::Failed, detail, stamp, hash: Some(hash) })
        };
        let language = match source.ambiguous {
            true => Language::detect(&source.path, text.text()).unwrap_or(source.language),
            false => source.language,
        };
        let parsed = match self.parser.parse_source(&text, language) {
            Ok(parsed) => parsed,
            Err(error) => return failed(error.to_string()),
        };
        if parsed.chunks.len().max(parsed.symbols.len()) > ChunkId::MAX_ORDINAL as usize {
            return failed(format!("more than {} chunks or symbols", ChunkId::MAX_ORDINAL));
        }
        let coverage = parsed.coverage;
        let (status, detail) = match coverage {
            Coverage::Full => (FileStatus::Indexed, None),
            _ if coverage.has_symbols() => (FileStatus::Indexed, Some(coverage.to_string())),
            Coverage::TimedOut { .. } | Coverage::TooComplex => {
                (FileStatus::TimedOut, Some(format!("{coverage}; indexed as text")))
            }
            _ => (FileStatus::Indexed, Some(format!("{coverage}; indexed as text"))),
        };
        let (terms, vectors) = match self.documents(&source.path, &text, &parsed) {
            Ok(documents) => documents,
            Err(error) => return failed(error.to_string()),
        };
        let record = FileRecord {
            id,
            path: source.path.clone(),
            language: Some(language.name()),
            status,
            detail,
            size: stamp.size,
            modified_ns: stamp.changed_ns,
            content_hash: Some(hash),
            lines: parsed.lines,
            syntax_errors: parsed.syntax_errors.count,
        };
        let ParsedFile { symbols, references, chunks, .. } = parsed;
        let document = Document { source: bytes, symbols, references, chunks };
        match IndexedFile::new(record, &document, &terms, &vectors) {
            Ok(file) => Prepared::New(Box::new(file)),
            Err(error) => failed(error.to_string()),
        }
    }

    /// The terms and the vectors of a file's chunks.
    fn documents(
        &mut self,
        path: &RepoPath,
        text: &SourceText<'_>,
        parsed: &ParsedFile,
    ) -> Result<(Vec<ChunkTerms>, Vec<f32>), ast_core_embed::EmbedError> {
        let names = names_of_chunks(&parsed.symbols, &parsed.chunks);
        let places: Vec<String> =
            parsed.chunks.iter().map(|chunk| place_of(path, &parsed.symbols, chunk)).collect();
        let mut terms = Vec::with_capacity(parsed.chunks.len());
        let mut inputs = Vec::with_capacity(parsed.chunks.len());
        for ((chunk, names), place) in parsed.chunks.iter().zip(&names).zip(&places) {
            let body = text.slice(chunk.span);
            let symbol = chunk.symbol.and_then(|index| parsed.symbols.get(index as usize));
            let doc = symbol.and_then(|symbol| symbol.doc.as_deref()).unwrap_or("");
            terms.push(Fields { names, place, doc, body }.terms(&mut self.splitter));
            // The doc comment is in the chunk's text, unless the chunk is a later part of a long definition.
            let begins_here = symbol
                .is_some_and(|symbol| chunk.span.contains(Span::new(symbol.extent.start, symbol.span.start)));
            inputs.push(EmbedInput {
                name: names,
                path: place,
                doc: if begins_here { "" } else { doc },
                code: body,
            });
        }
        let mut vectors = Vec::new();
        self.embedder.embed(&inputs, &mut vectors)?;
        Ok((terms, vectors))
    }
}

/// The path of a chunk's file, and the names round the definition that the chunk is about.
fn place_of(path: &RepoPath, symbols: &[Symbol], chunk: &Chunk) -> String {
    let scope = chunk.symbol.map_or(Vec::new(), |index| scope_of(symbols, index as usize));
    std::iter::once(path.as_str()).chain(scope).collect::<Vec<_>>().join(" ")
}

/// For each chunk the name of what it is about, and the names that are defined in it.
fn names_of_chunks(symbols: &[Symbol], chunks: &[Chunk]) -> Vec<String> {
    let mut by_name: Vec<(u32, usize)> =
        symbols.iter().enumerate().map(|(index, symbol)| (symbol.name_span.start, index)).collect();
    by_name.sort_unstable();
    let mut names_of = |chunk: &Chunk| {
        let mut names: Vec<&str> = Vec::new();
        let main = chunk.symbol.map(|index| index as usize);
        if let Some(symbol) = main.and_then(|index| symbols.get(index)) {
            names.push(&symbol.name);
        }
        let first = by_name.partition_point(|&(start, _)| start < chunk.span.start);
        let inside = by_name[first..].iter().take_while(|&&(start, _)| start < chunk.span.end);
        names.extend(
            inside.filter(|&&(_, index)| Some(index) != main).map(|&(_, index)| &*symbols[index].name),
        );
        if let Some(index) = main {
            names.extend(scope_of(symbols, index));
        }
        names.join(" ")
    };
    chunks.iter().map(&mut names_of).collect()
}

enum ReadError {
    Vanished,
    TooLarge(Stamp),
    Failed(String),
}

/// Reads a file of at most `max_bytes`, with its stamp from before the read: what changes meanwhile is seen as
/// changed by the next run.
fn read_file(path: &Path, max_bytes: usize) -> Result<(Vec<u8>, Stamp), ReadError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Vanished,
        _ => ReadError::Failed(io_reason(&error)),
    };
    let file = open_regular(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ReadError::Failed("it is no regular file any more".into()));
    }
    let stamp = Stamp::of(&metadata);
    if stamp.size > max_bytes as u64 {
        return Err(ReadError::TooLarge(stamp));
    }
    let mut bytes = Vec::with_capacity(stamp.size as usize + 1);
    // Some files grow while they are read, and some have no end.
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max_bytes {
        return Err(ReadError::TooLarge(Stamp { size: bytes.len() as u64, ..stamp }));
    }
    Ok((bytes, stamp))
}

/// Opens without waiting: what was a file when it was seen may be a pipe now.
pub(crate) fn open_regular(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    options.open(path)
}
