//! `ast-core query`: what a query of tree-sitter matches.

use crate::args::{Format, QueryArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, Output, PATH, WARNING, shown};
use ast_core_engine::{FileMatches, OutlineOptions, Query, query_files};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

pub(crate) fn run(arguments: &QueryArguments, output: &Output) -> Result<Exit, Failed> {
    let query =
        Query::new(arguments.language, &arguments.query).map_err(ast_core_engine::EngineError::from)?;
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() { &here[..] } else { &arguments.paths };
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Failed::Usage(format!(
            "{} does not exist; name files or directories",
            missing.display()
        )));
    }
    let names = query.capture_names();
    let options = OutlineOptions { language: None, ..OutlineOptions::default() };
    let mut all = Vec::new();
    let mut failures = Vec::new();
    let mut count = 0;
    let mut written = Ok(());
    query_files(paths, &query, &options, |result| {
        match result {
            Ok(file) => {
                count += file.matches.len();
                if file.incomplete {
                    output.note(format_args!(
                        "{WARNING}{}{WARNING:#}: some matches are left out: it took too much",
                        shown(&file.path)
                    ));
                }
                match output.format {
                    Format::Human => written = show(&file, names, output),
                    Format::Json => all.push(file),
                    Format::Jsonl => {
                        let mut each = json::matches(&file, names);
                        written = each.try_for_each(|found| output.json(&found));
                    }
                }
            }
            Err(failure) => {
                output.note(format_args!(
                    "{WARNING}{}{WARNING:#}: {}",
                    shown(&failure.path),
                    shown(&failure.reason)
                ));
                failures.push(failure);
            }
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    if output.format == Format::Json {
        output.json(&json::Matches::new(arguments.language, &arguments.query, &all, names, &failures))?;
    } else if count == 0 {
        output.note("nothing found");
    }
    Ok(match (failures.is_empty(), count) {
        (false, _) => Exit::Partial,
        (true, 0) => Exit::NothingFound,
        (true, _) => Exit::Done,
    })
}

/// A line for each capture: its place, its name, and the first line of its text.
fn show(file: &FileMatches, names: &[&str], output: &Output) -> io::Result<()> {
    let mut out = output.stdout();
    for found in &file.matches {
        for capture in &found.captures {
            let name = names.get(capture.name as usize).copied().unwrap_or_default();
            let text = shown(capture.text.lines().next().unwrap_or_default());
            write!(
                out,
                "{PATH}{}{PATH:#}:{}  {DIM}@{name}{DIM:#}  {text}",
                shown(&file.path),
                capture.lines.start
            )?;
            match capture.lines.end - capture.lines.start {
                0 => writeln!(out)?,
                more => writeln!(out, "  {DIM}… {more} more lines{DIM:#}")?,
            }
        }
    }
    Ok(())
}
