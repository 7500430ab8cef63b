//! One file a verb.

pub(crate) mod annotate;
pub(crate) mod completions;
pub(crate) mod context;
pub(crate) mod doctor;
mod first;
pub(crate) mod grep;
pub(crate) mod index;
pub(crate) mod languages;
pub(crate) mod map;
#[cfg(feature = "mcp")]
pub(crate) mod mcp;
pub(crate) mod query;
pub(crate) mod references;
pub(crate) mod search;
pub(crate) mod similar;
mod stages;
pub(crate) mod status;
pub(crate) mod symbols;
pub(crate) mod watch;

use crate::args::{Format, Global, SourceArguments};
use crate::failure::{Exit, Failed};
use crate::output::{Output, WARNING, shown};
use ast_core_engine::{
    Coverage, EngineConfig, Failure, Outline, OutlineOptions, RepoPath, find_database, outline,
};
use std::future::Future;
use std::ops::ControlFlow;

/// Says so if files may be missing from an answer.
fn warn_if_incomplete(complete: bool, output: &Output) {
    if !complete {
        output.note(format_args!(
            "{WARNING}the index is incomplete{WARNING:#}: the last run did not come to its end; run `ast-core index`"
        ));
    }
}

/// Names the files of an answer that have changed since they were indexed.
fn note_changed<'a>(files: impl Iterator<Item = (&'a RepoPath, Option<bool>)>, output: &Output) {
    for (path, _) in files.filter(|(_, changed)| *changed == Some(true)) {
        output.note(format_args!(
            "{WARNING}{} has changed since it was indexed{WARNING:#}; run `ast-core index`",
            shown(path.as_str())
        ));
    }
}

/// Runs async work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(work)
}

/// The index to be read: the one that is named, or the nearest from here upwards.
fn existing_index(global: &Global) -> Result<EngineConfig, Failed> {
    if let Some(db) = &global.db {
        return Ok(EngineConfig::new(db).read_only());
    }
    let here = std::env::current_dir()?;
    let database = find_database(&here).ok_or_else(|| {
        let here = here.display();
        Failed::NoIndex(format!(
            "no index for {here} or a directory above it; make one with `ast-core index`"
        ))
    })?;
    Ok(EngineConfig::new(database).read_only())
}

/// Outlines files as they are named: for one JSON document all at once, `whole`, else each as it is done, `each`.
fn outline_files(
    arguments: &SourceArguments,
    output: &Output,
    mut each: impl FnMut(&Outline) -> std::io::Result<()>,
    whole: impl FnOnce(&[Outline], &LeftOut) -> std::io::Result<()>,
) -> Result<Exit, Failed> {
    if let Some(missing) = arguments.paths.iter().find(|path| !path.exists()) {
        let missing = missing.display();
        return Err(Failed::Usage(format!("{missing} does not exist; name files or directories")));
    }
    let options = OutlineOptions { language: arguments.lang, ..OutlineOptions::default() };
    let mut outlines = Vec::new();
    let mut left_out = LeftOut::default();
    let mut written = Ok(());
    outline(&arguments.paths, &options, |result| {
        if let Ok(outline) = &result {
            left_out.add(outline);
        }
        written = match result {
            Ok(outline) if output.format == Format::Json => {
                outlines.push(outline);
                Ok(())
            }
            Ok(outline) => each(&outline),
            Err(failure) => {
                left_out.failures.push(failure);
                Ok(())
            }
        };
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    if output.format == Format::Json {
        whole(&outlines, &left_out)?;
    }
    for Failure { path, reason } in left_out.failures.iter().chain(&left_out.incomplete) {
        output.note(format_args!("{WARNING}{}{WARNING:#}: {}", shown(path), shown(reason)));
    }
    Ok(if left_out.failures.is_empty() { Exit::Done } else { Exit::Partial })
}

/// Files of which something is left out.
#[derive(Default)]
pub(crate) struct LeftOut {
    /// Those that could not be read, or took too much.
    pub(crate) failures: Vec<Failure>,
    /// Those that are as they should be, but are not read in full.
    pub(crate) incomplete: Vec<Failure>,
}

impl LeftOut {
    fn add(&mut self, outline: &Outline) {
        let coverage = outline.file.coverage;
        let of = |reason: String| Failure { path: outline.path.clone(), reason };
        match coverage {
            Coverage::Full => {}
            _ if coverage.has_symbols() => self.incomplete.push(of(coverage.to_string())),
            Coverage::Minified => self.incomplete.push(of(format!("{coverage}; no symbols"))),
            _ => self.failures.push(of(format!("{coverage}; no symbols"))),
        }
    }
}
