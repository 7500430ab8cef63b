//! The definitions of files, straight from the parser: no index is needed.

use crate::discover::{Scope, discover, io_reason};
use crate::{EngineError, Failure};
use ast_core_batch::{Batch, BatchConfig, CancelToken, Completed, Control, Order, Outcome, WorkerPool, run};
use ast_core_model::RepoPath;
use ast_core_parse::{ChunkingConfig, Language, ParseLimits, ParsedFile, Parser, SourceText, Utf16Places};
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

struct Task {
    shown: String,
    path: PathBuf,
    language: Option<Language>,
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
    mut sink: impl FnMut(Result<Outline, OutlineError>) -> ControlFlow<()>,
) -> Result<(), EngineError> {
    let mut tasks = Vec::new();
    for path in paths {
        if path.is_dir() {
            let discovery = discover(path, &Scope::Tree)?;
            for failure in discovery.failures {
                if sink(Err(Failure { path: shown(&path.join(&failure.path)), ..failure })).is_break() {
                    return Ok(());
                }
            }
            tasks.extend(discovery.files.into_iter().map(|file| Task {
                shown: shown(&path.join(file.path.as_str())),
                path: file.absolute,
                language: options.language,
                size: file.stamp.size,
            }));
        } else {
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            tasks.push(Task { shown: shown(path), path: path.clone(), language: options.language, size });
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
            let max_bytes = options.limits.max_bytes;
            move |task: Task| outline_file(&mut parser, max_bytes, task)
        },
        sink: |completed: Completed<Result<Outline, OutlineError>>| {
            let failed = |reason: String| Err(Failure { path: names[completed.index].clone(), reason });
            let result = match completed.outcome {
                Outcome::Done(result) => result,
                Outcome::Panicked { message } => failed(format!("the parser panicked: {message}")),
                _ => failed("it came to an unknown end".to_owned()),
            };
            if !ended && sink(result).is_break() {
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

fn outline_file(parser: &mut Parser, max_bytes: usize, task: Task) -> Result<Outline, OutlineError> {
    let failed = |reason: String| Failure { path: task.shown.clone(), reason };
    let file = std::fs::File::open(&task.path).map_err(|error| failed(io_reason(&error)))?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(|error| failed(io_reason(&error)))?;
    if bytes.len() > max_bytes {
        return Err(failed(format!("larger than the limit of {max_bytes} bytes")));
    }
    let stem = task.path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let source = SourceText::decode(&bytes).map_err(|error| failed(error.to_string()))?.named(&stem);
    let language = task
        .language
        .or_else(|| language_of(&task.path, source.text()))
        .ok_or_else(|| failed("neither its name nor its content tells its language".to_owned()))?;
    match parser.parse_source(&source, language) {
        Ok(file) => Ok(Outline { path: task.shown.clone(), file, utf16: source.utf16_places() }),
        Err(error) => Err(failed(error.to_string())),
    }
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
