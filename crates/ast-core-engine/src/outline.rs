//! The definitions of files, and what queries of their syntax match, straight from the parser: no index is needed.

use crate::discover::{Scope, discover, io_reason};
use crate::{EngineError, Failure, FileSelection};
use ast_core_batch::{Batch, BatchConfig, CancelToken, Completed, Control, Order, Outcome, WorkerPool, run};
use ast_core_model::{LineRange, RepoPath, Span};
use ast_core_parse::{
    ChunkingConfig, Language, ParseLimits, ParsedFile, Parser, Query, QueryCapture, QueryResult, SourceText,
    Utf16Places,
};
use std::collections::HashSet;
use std::convert::Infallible;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How files are outlined.
#[derive(Debug, Clone, Default)]
pub struct OutlineOptions {
    /// The language of all files; by default each file's name and content tell.
    pub language: Option<Language>,
    /// What one file may cost.
    pub limits: ParseLimits,
    /// Threads and memory.
    pub batch: BatchConfig,
}

/// A file and what is in it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outline {
    /// Its path as given, or below the directory as given; `/`-separated.
    pub path: String,
    /// What is in it.
    pub file: ParsedFile,
    /// Where places in it are in UTF-16.
    pub utf16: Utf16Places,
}

/// A file that could not be outlined.
pub type OutlineError = Failure;

/// What a query matches in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMatches {
    /// Its path as given, or below the directory as given; `/`-separated.
    pub path: String,
    /// The matches, in order of their first place.
    pub matches: Vec<FileMatch>,
    /// Whether some were left out, because the time was up or too many were under way at once.
    pub incomplete: bool,
}

/// A place where a query's pattern fits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMatch {
    /// Which of the query's patterns, from 0.
    pub pattern: usize,
    /// What its captures stand for, in order of their places.
    pub captures: Vec<FileCapture>,
}

/// What a capture of a query stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileCapture {
    /// The capture's index among the query's [names](Query::capture_names).
    pub name: u32,
    /// Its bytes in the file.
    pub span: Span,
    /// The lines its bytes touch.
    pub lines: LineRange,
    /// Its text.
    pub text: String,
}

struct Task {
    shown: String,
    path: PathBuf,
    size: u64,
}

/// Parses files, and the files of directories, and gives the outline of each to `sink`, in order: that of `paths`, and
/// of names in a directory. `sink` may end it early.
///
/// It blocks until all is done; call it from a thread of its own in async code.
///
/// # Errors
/// [`EngineError::Root`] if a directory cannot be read, [`EngineError::Pool`]. What is wrong with one file goes to
/// `sink`.
pub fn outline(
    paths: &[PathBuf],
    options: &OutlineOptions,
    sink: impl FnMut(Result<Outline, OutlineError>) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let parse = |parser: &mut Parser, path: String, source: &SourceText<'_>, language: Option<Language>| {
        let language = language.ok_or("neither its name nor its content tells its language")?;
        match parser.parse_source(source, language) {
            Ok(file) => Ok(Some(Outline { path, file, utf16: source.utf16_places() })),
            Err(error) => Err(error.to_string()),
        }
    };
    over_files(paths, options, parse, sink)
}

/// Matches a query of tree-sitter against files, and against the files of directories that are in its language, and gives what
/// it matches in each to `sink`, in order: that of `paths`, and of names in a directory. Files without a match are left out. `sink`
/// may end it early. Files that are named are taken for the query's language whatever they are called.
///
/// It blocks until all is done; call it from a thread of its own in async code.
///
/// # Errors
/// As of [`outline`].
pub fn query_files(
    paths: &[PathBuf],
    query: &Query,
    options: &OutlineOptions,
    sink: impl FnMut(Result<FileMatches, OutlineError>) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let named: HashSet<String> = paths.iter().filter(|path| !path.is_dir()).map(|path| shown(path)).collect();
    let parse = |parser: &mut Parser, path: String, source: &SourceText<'_>, language: Option<Language>| {
        if language != Some(query.language()) && !named.contains(&path) {
            return Ok(None);
        }
        let QueryResult { matches, incomplete } =
            parser.query(source, query).map_err(|error| error.to_string())?;
        if matches.is_empty() && !incomplete {
            return Ok(None);
        }
        let line_ends: Vec<usize> = source.text().match_indices('\n').map(|(at, _)| at).collect();
        let line_of = |byte: u32| {
            let before = source.slice(Span::new(0, byte)).len();
            line_ends.partition_point(|end| *end < before) as u32 + 1
        };
        let capture = |QueryCapture { name, span }: QueryCapture| FileCapture {
            name,
            span,
            lines: LineRange::new(line_of(span.start), line_of(span.end.max(span.start + 1) - 1)),
            text: source.slice(span).to_owned(),
        };
        let matches = matches.into_iter().map(|found| FileMatch {
            pattern: found.pattern,
            captures: found.captures.into_iter().map(capture).collect(),
        });
        Ok(Some(FileMatches { path, matches: matches.collect(), incomplete }))
    };
    over_files(paths, options, parse, sink)
}

/// What is made of a file: of its path as it is shown, its text, and its language if that is known. `None` leaves it out, an
/// error says why it failed.
trait Parse<T>: Fn(&mut Parser, String, &SourceText<'_>, Option<Language>) -> Result<Option<T>, String> {}

impl<T, F> Parse<T> for F where
    F: Fn(&mut Parser, String, &SourceText<'_>, Option<Language>) -> Result<Option<T>, String>
{
}

/// Makes something of each file, on all threads, and gives it to `sink` in order. What is `None` is left out.
fn over_files<T: Send>(
    paths: &[PathBuf],
    options: &OutlineOptions,
    parse: impl Parse<T> + Sync,
    mut sink: impl FnMut(Result<T, OutlineError>) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let mut tasks = Vec::new();
    for path in paths {
        if path.is_dir() {
            let discovery = discover(path, &Scope::Tree, &FileSelection::default())?;
            for failure in discovery.failures {
                if sink(Err(Failure { path: shown(&path.join(&failure.path)), ..failure })).is_break() {
                    return Ok(());
                }
            }
            tasks.extend(discovery.files.into_iter().map(|file| Task {
                shown: shown(&path.join(file.path.as_str())),
                path: file.absolute(),
                size: file.stamp.size,
            }));
        } else {
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            tasks.push(Task { shown: shown(path), path: path.clone(), size });
        }
    }
    let batch =
        BatchConfig { workers: options.batch.workers.min(threads_for(tasks.len())), ..options.batch.clone() };
    let mut pool = WorkerPool::new(batch)?;
    let names: Vec<String> = tasks.iter().map(|task| task.shown.clone()).collect();
    let cancel = CancelToken::new();
    let stop = cancel.clone();
    let mut ended = false;
    let batch = Batch {
        items: tasks,
        weigh: |task: &Task| task.size.saturating_mul(16),
        worker: |_cancel| {
            let mut parser = Parser::new(options.limits.clone(), ChunkingConfig::default());
            let parse = &parse;
            move |task: Task| read_and(parse, &mut parser, options, task)
        },
        sink: |completed: Completed<Result<Option<T>, OutlineError>>| {
            let failed = |reason: String| Err(Failure { path: names[completed.index].clone(), reason });
            let result = match completed.outcome {
                Outcome::Done(result) => result,
                Outcome::Panicked { message } => failed(format!("the parser panicked: {message}")),
                _ => failed("it came to an unknown end".to_owned()),
            };
            if let Some(result) = result.transpose()
                && !ended
                && sink(result).is_break()
            {
                ended = true;
                stop.cancel();
            }
            Ok::<(), Infallible>(())
        },
    };
    match run(&mut pool, batch, Control { order: Order::Input, cancel, ..Control::default() }) {
        Ok(_) => Ok(()),
        Err(error) => Err(EngineError::Internal { what: error.to_string() }),
    }
}

fn read_and<T>(
    parse: &impl Parse<T>,
    parser: &mut Parser,
    options: &OutlineOptions,
    task: Task,
) -> Result<Option<T>, OutlineError> {
    let failed = |reason: String| Failure { path: task.shown.clone(), reason };
    let max_bytes = options.limits.max_bytes;
    let file = std::fs::File::open(&task.path).map_err(|error| failed(io_reason(&error)))?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(|error| failed(io_reason(&error)))?;
    if bytes.len() > max_bytes {
        return Err(failed(format!("larger than the limit of {max_bytes} bytes")));
    }
    let stem = task.path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let source = SourceText::decode(&bytes).map_err(|error| failed(error.to_string()))?.named(&stem);
    let language = options.language.or_else(|| language_of(&task.path, source.text()));
    parse(parser, task.shown.clone(), &source, language).map_err(failed)
}

fn language_of(path: &Path, text: &str) -> Option<Language> {
    let name = path.file_name()?.to_str()?;
    Language::detect(&RepoPath::new(name).ok()?, text)
}

/// One file needs no second thread.
fn threads_for(files: usize) -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::new(files).unwrap_or(std::num::NonZeroUsize::MIN)
}

fn shown(path: &Path) -> String {
    let text = path.strip_prefix("./").unwrap_or(path).to_string_lossy().into_owned();
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace('\\', "/") }
}
