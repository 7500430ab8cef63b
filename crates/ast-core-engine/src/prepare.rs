//! From a file on disk to what the store keeps of it: read, parse, cut, embed. Runs on the workers.

use crate::discover::{Stamp, io_reason};
use crate::embeddings::Embeddings;
use crate::memory::{of_parsing, of_text};
use crate::metrics::{Metrics, Stage};
use crate::plan::PlannedFile;
use crate::{EngineConfig, tree_file};
use ast_core_batch::{Attempt, CancelToken, MemoryBudget};
use ast_core_embed::{EmbedError, EmbedInput};
use ast_core_model::terms::TermSplitter;
use ast_core_model::{Chunk, ChunkId, ChunkTerms, ContentHash, FileId, RepoPath, Span, Symbol, scope_of};
use ast_core_parse::{
    Coverage, Language, ParseError, ParseLimits, ParseTimings, ParsedFile, Parser, SourceText,
};
use ast_core_search::Document as Fields;
use ast_core_storage::{Document, FileRecord, FileStatus, IndexedFile};
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A planned file and the id it gets if its content is new.
#[derive(Debug, Clone)]
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
    /// The embedder cannot be asked, so that the run is to end: the index keeps what it has of it.
    Undone,
}

/// Why a run that nobody cancelled is to end.
#[derive(Clone, Default)]
pub(crate) struct GivenUp(Arc<Mutex<Option<EmbedError>>>);

impl GivenUp {
    /// The first reason counts.
    fn because(&self, error: EmbedError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn is_so(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The reason, if there is one.
    pub(crate) fn take(&self) -> Option<EmbedError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Prepares one file after the other; one a thread.
pub(crate) struct Preparer {
    parser: Parser,
    deriver: Deriver,
    max_bytes: usize,
    /// Cuts by lines what is not to be parsed.
    text_parser: Parser,
    memory: MemoryBudget,
    max_file_memory: u64,
    /// Whether the run is to end.
    cancel: CancelToken,
    /// Whether it is, or there is no time left for the file.
    token: CancelToken,
    given_up: GivenUp,
    time_limit: Duration,
    metrics: Arc<Metrics>,
}

/// Makes of the text of chunks what they are found by.
pub(crate) struct Deriver {
    splitter: TermSplitter,
    /// `None` where vectors are not kept.
    embeddings: Option<Embeddings>,
    metrics: Arc<Metrics>,
}

/// A file that was read.
struct Content {
    bytes: Vec<u8>,
    stamp: Stamp,
    hash: ContentHash,
}

/// Why a file is left out.
struct LeftOut {
    status: FileStatus,
    detail: String,
    stamp: Stamp,
    hash: Option<ContentHash>,
}

impl Preparer {
    pub(crate) fn new(
        config: &EngineConfig,
        embeddings: Option<Embeddings>,
        memory: MemoryBudget,
        (cancel, given_up): (CancelToken, GivenUp),
        token: CancelToken,
        metrics: Arc<Metrics>,
    ) -> Self {
        let no_tree = ParseLimits { max_bytes: 0, ..config.limits.clone() };
        Self {
            text_parser: Parser::new(no_tree, config.chunking.clone()),
            memory,
            max_file_memory: config.max_file_memory.unwrap_or(u64::MAX),
            parser: Parser::new(config.limits.clone(), config.chunking.clone()),
            deriver: Deriver::new(embeddings, metrics.clone()),
            max_bytes: config.limits.max_bytes,
            cancel,
            token,
            given_up,
            time_limit: config.file_time_limit,
            metrics,
        }
    }

    pub(crate) fn prepare(&mut self, task: Task) -> Attempt<Task, Prepared> {
        match self.read(&task) {
            Err(ReadError::Transient(reason)) => {
                let result = self.prepare_read(task.clone(), Err(ReadError::Failed(reason)));
                Attempt::Transient { item: task, result }
            }
            read => Attempt::Done(self.prepare_read(task, read)),
        }
    }

    fn read(&self, task: &Task) -> Result<Content, ReadError> {
        let mut timing = self.metrics.start(Stage::Read);
        let source = &task.file.source;
        let (bytes, stamp) = read_opened(tree_file::open(&source.root, &source.path), self.max_bytes)?;
        let hash = ContentHash::of(&bytes);
        timing.count(1, bytes.len());
        Ok(Content { bytes, stamp, hash })
    }

    fn prepare_read(&mut self, task: Task, read: Result<Content, ReadError>) -> Prepared {
        let Task { id, file: PlannedFile { source, before } } = task;
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
        let Content { bytes, stamp, hash } = match read {
            Ok(read) => read,
            Err(ReadError::Vanished) => return Prepared::Vanished { before },
            Err(ReadError::TooLarge(stamp)) => {
                let detail = format!("larger than the limit of {} bytes", self.max_bytes);
                return left_out(LeftOut { status: FileStatus::TooLarge, detail, stamp, hash: None });
            }
            Err(ReadError::Failed(detail) | ReadError::Transient(detail)) => {
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
        let needed = of_parsing(text.text());
        let is_too_much = needed > self.max_file_memory;
        let (parser, needed) = match is_too_much {
            true => (&mut self.text_parser, of_text(text.text().len())),
            false => (&mut self.parser, needed),
        };
        // Whoever holds some waits for nothing else, so there is some again soon, also after a cancel.
        let _memory = self.memory.acquire(needed, &CancelToken::new());
        let parsed = Stage::Parse.span().in_scope(|| parser.parse_source(&text, language));
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return failed(error.to_string()),
        };
        let (ParseTimings { parse, chunk, .. }, size) = (parser.timings(), text.text().len() as u64);
        self.metrics.record(Stage::Parse, parse, 1, size);
        self.metrics.record(Stage::Chunk, chunk, parsed.chunks.len() as u64, size);
        // What is at work when the run is cancelled is done to its end, and kept.
        if self.token.is_cancelled() && !self.cancel.is_cancelled() {
            return failed(format!("it took longer than {} s", self.time_limit.as_secs_f64()));
        }
        if parsed.chunks.len().max(parsed.symbols.len()) > ChunkId::MAX_ORDINAL as usize {
            return failed(format!("more than {} chunks or symbols", ChunkId::MAX_ORDINAL));
        }
        let coverage = parsed.coverage;
        let (status, detail) = match coverage {
            Coverage::TooLarge { .. } if is_too_much => {
                let detail = format!(
                    "its syntax tree would take more than the {} MB of memory that a file may; indexed as text",
                    self.max_file_memory >> 20
                );
                (FileStatus::Indexed, Some(detail))
            }
            Coverage::Full => (FileStatus::Indexed, None),
            _ if coverage.has_symbols() => (FileStatus::Indexed, Some(coverage.to_string())),
            Coverage::TimedOut { .. } | Coverage::TooComplex => {
                (FileStatus::TimedOut, Some(format!("{coverage}; indexed as text")))
            }
            _ => (FileStatus::Indexed, Some(format!("{coverage}; indexed as text"))),
        };
        if self.given_up.is_so() {
            return Prepared::Undone;
        }
        let derived = self.deriver.derive(&source.path, &text, &parsed.symbols, &parsed.chunks);
        let (terms, vectors) = match derived {
            Ok(derived) => derived,
            // Of the next file it would be the same, and the index would lose one after the other.
            Err(error @ EmbedError::Unavailable { .. }) => {
                self.given_up.because(error);
                self.cancel.cancel();
                return Prepared::Undone;
            }
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
        let mut timing = self.metrics.start(Stage::Encode);
        match IndexedFile::new(record, &document, &terms, &vectors) {
            Ok(file) => {
                timing.count(1, document.source.len());
                Prepared::New(Box::new(file))
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

impl Deriver {
    pub(crate) fn new(embeddings: Option<Embeddings>, metrics: Arc<Metrics>) -> Self {
        Self { splitter: TermSplitter::default(), embeddings, metrics }
    }

    /// The terms of a file's chunks, and the vectors if they are kept.
    pub(crate) fn derive(
        &mut self,
        path: &RepoPath,
        text: &SourceText<'_>,
        symbols: &[Symbol],
        chunks: &[Chunk],
    ) -> Result<(Vec<ChunkTerms>, Vec<f32>), EmbedError> {
        let mut timing = self.metrics.start(Stage::Terms);
        let labels = Labels::of(path, symbols, chunks);
        let mut terms = Vec::with_capacity(chunks.len());
        for ((chunk, names), place) in chunks.iter().zip(&labels.names).zip(&labels.places) {
            let body = text.slice(chunk.span);
            let symbol = chunk.symbol.and_then(|index| symbols.get(index as usize));
            let doc = symbol.and_then(|symbol| symbol.doc.as_deref()).unwrap_or("");
            terms.push(Fields { names, place, doc, body }.terms(&mut self.splitter));
        }
        timing.count(chunks.len(), text.text().len());
        drop(timing);
        let vectors = match &self.embeddings {
            Some(embeddings) => labels.embed(embeddings, text, symbols, chunks)?,
            None => Vec::new(),
        };
        Ok((terms, vectors))
    }
}

/// The vectors of a file's chunks.
pub(crate) fn embed_chunks(
    embeddings: &Embeddings,
    path: &RepoPath,
    text: &SourceText<'_>,
    symbols: &[Symbol],
    chunks: &[Chunk],
) -> Result<Vec<f32>, EmbedError> {
    Labels::of(path, symbols, chunks).embed(embeddings, text, symbols, chunks)
}

/// What the chunks of a file are called, and where they are.
pub(crate) struct Labels {
    names: Vec<String>,
    places: Vec<String>,
}

impl Labels {
    pub(crate) fn of(path: &RepoPath, symbols: &[Symbol], chunks: &[Chunk]) -> Self {
        Self {
            names: names_of_chunks(symbols, chunks),
            places: chunks.iter().map(|chunk| place_of(path, symbols, chunk)).collect(),
        }
    }

    fn embed(
        &self,
        embeddings: &Embeddings,
        text: &SourceText<'_>,
        symbols: &[Symbol],
        chunks: &[Chunk],
    ) -> Result<Vec<f32>, EmbedError> {
        let labeled = chunks.iter().zip(&self.names).zip(&self.places);
        let inputs: Vec<EmbedInput<'_>> =
            labeled.map(|((chunk, name), place)| input_of(text, symbols, chunk, name, place)).collect();
        let mut vectors = Vec::new();
        embeddings.embed(&inputs, &mut vectors)?;
        Ok(vectors)
    }

    /// What is embedded of the chunk at this place among those of the file; `None` if there are fewer.
    pub(crate) fn input<'a>(
        &'a self,
        text: &'a SourceText<'_>,
        document: &'a Document,
        at: usize,
    ) -> Option<EmbedInput<'a>> {
        let chunk = document.chunks.get(at)?;
        Some(input_of(text, &document.symbols, chunk, self.names.get(at)?, self.places.get(at)?))
    }
}

fn input_of<'a>(
    text: &'a SourceText<'_>,
    symbols: &'a [Symbol],
    chunk: &Chunk,
    name: &'a str,
    path: &'a str,
) -> EmbedInput<'a> {
    let symbol = chunk.symbol.and_then(|index| symbols.get(index as usize));
    // The doc comment is in the chunk's text, unless the chunk is a later part of a long definition.
    let is_later_part =
        symbol.filter(|symbol| !chunk.span.contains(Span::new(symbol.extent.start, symbol.span.start)));
    let doc = is_later_part.and_then(|symbol| symbol.doc.as_deref()).unwrap_or("");
    EmbedInput { name, path, doc, code: text.slice(chunk.span) }
}

/// The path of a chunk's file, and the names round the definition that the chunk is about.
fn place_of(path: &RepoPath, symbols: &[Symbol], chunk: &Chunk) -> String {
    let scope = chunk.symbol.map_or(Vec::new(), |index| scope_of(symbols, index as usize));
    std::iter::once(path.as_str()).chain(scope).collect::<Vec<_>>().join(" ")
}

/// For each chunk the name of what it is about, and the names that are defined in it.
pub(crate) fn names_of_chunks(symbols: &[Symbol], chunks: &[Chunk]) -> Vec<String> {
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

/// Why a file was not read.
pub(crate) enum ReadError {
    Vanished,
    TooLarge(Stamp),
    Failed(String),
    /// It may go well in a moment.
    Transient(String),
}

/// Whether a file may well be read a moment after this.
///
/// - `EINTR`: a signal came; some file systems pass it on though it is not theirs.
/// - `EAGAIN`: files are opened without waiting, and somebody who holds a lease on this one is being asked to give it up.
/// - `EBUSY`, `ETXTBSY`, and on Windows a sharing or lock violation: another program holds it, such as an editor that
///   saves or a scanner that looks at it.
/// - `ESTALE`, `ETIMEDOUT`: a network file system knows it by a handle that is no longer good, or did not answer in time.
/// - `EMFILE`, `ENFILE`: the process, or the system, has as many files open as it may.
fn is_transient(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    #[cfg(unix)]
    let is_raw = error.raw_os_error().is_some_and(|code| code == libc::EMFILE || code == libc::ENFILE);
    // ERROR_TOO_MANY_OPEN_FILES, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION.
    #[cfg(windows)]
    let is_raw = error.raw_os_error().is_some_and(|code| matches!(code, 4 | 32 | 33));
    #[cfg(not(any(unix, windows)))]
    let is_raw = false;
    is_raw
        || matches!(
            error.kind(),
            ErrorKind::Interrupted
                | ErrorKind::WouldBlock
                | ErrorKind::ResourceBusy
                | ErrorKind::ExecutableFileBusy
                | ErrorKind::StaleNetworkFileHandle
                | ErrorKind::TimedOut
        )
}

/// Reads a file that was just opened, of at most `max_bytes`, with its stamp from before the read: what changes meanwhile is
/// seen as changed by the next run.
pub(crate) fn read_opened(
    opened: std::io::Result<File>,
    max_bytes: usize,
) -> Result<(Vec<u8>, Stamp), ReadError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Vanished,
        _ if is_transient(&error) => ReadError::Transient(io_reason(&error)),
        _ => ReadError::Failed(io_reason(&error)),
    };
    let file = opened.map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for kind in [ErrorKind::WouldBlock, ErrorKind::ResourceBusy, ErrorKind::StaleNetworkFileHandle] {
            assert!(is_transient(&kind.into()), "{kind}");
        }
        for kind in [ErrorKind::PermissionDenied, ErrorKind::NotFound, ErrorKind::InvalidData] {
            assert!(!is_transient(&kind.into()), "{kind}");
        }
        #[cfg(unix)]
        for (code, expected) in [
            (libc::EINTR, true),
            (libc::EAGAIN, true),
            (libc::EBUSY, true),
            (libc::ESTALE, true),
            (libc::EMFILE, true),
            (libc::EIO, false),
            (libc::ELOOP, false),
            (libc::EACCES, false),
        ] {
            let error = Error::from_raw_os_error(code);
            assert_eq!(is_transient(&error), expected, "{error}");
        }
    }
}
