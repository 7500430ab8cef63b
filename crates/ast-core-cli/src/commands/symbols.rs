//! `ast-core symbols`: the definitions of files.

use crate::args::{Format, SymbolsArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING};
use ast_core_engine::{Failure, Outline, OutlineOptions, outline, scope_of};
use std::io::Write;
use std::ops::ControlFlow;

pub(crate) fn run(arguments: &SymbolsArguments, output: &Output) -> Result<Exit, Failed> {
    if let Some(missing) = arguments.paths.iter().find(|path| !path.exists()) {
        let missing = missing.display();
        return Err(Failed::Usage(format!("{missing} does not exist; name files or directories")));
    }
    let options = OutlineOptions { language: arguments.lang, ..OutlineOptions::default() };
    let mut outlines = Vec::new();
    let mut failures = Vec::new();
    let mut written = Ok(());
    outline(&arguments.paths, &options, |result| {
        written = match (result, output.format) {
            // One document is written at the end.
            (Ok(outline), Format::Json) => {
                outlines.push(outline);
                Ok(())
            }
            (Ok(outline), Format::Jsonl) => {
                json::Symbol::all_of(&outline).try_for_each(|symbol| output.json(&symbol))
            }
            (Ok(outline), Format::Human) => show(&outline, output),
            (Err(failure), _) => {
                failures.push(failure);
                Ok(())
            }
        };
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    if output.format == Format::Json {
        output.json(&json::Symbols::new(&outlines, &failures))?;
    }
    for Failure { path, reason } in &failures {
        output.note(format_args!("{WARNING}{path}{WARNING:#}: {reason}"));
    }
    Ok(if failures.is_empty() { Exit::Done } else { Exit::Partial })
}

fn show(outline: &Outline, output: &Output) -> std::io::Result<()> {
    let mut out = output.stdout();
    let symbols = &outline.file.symbols;
    writeln!(out, "{PATH}{}{PATH:#} {DIM}{}{DIM:#}", outline.path, outline.file.language)?;
    for (index, symbol) in symbols.iter().enumerate() {
        let depth = scope_of(symbols, index).len();
        let (line, kind, name) = (symbol.lines.start, symbol.kind, &symbol.name);
        writeln!(
            out,
            "{DIM}{line:>6}{DIM:#}  {:indent$}{DIM}{kind}{DIM:#} {NAME}{name}{NAME:#}",
            "",
            indent = 2 * depth
        )?;
    }
    if let Some(line) = outline.file.syntax_errors.first_line {
        let count = outline.file.syntax_errors.count;
        output.note(format_args!(
            "{WARNING}{}{WARNING:#}: {count} syntax errors, the first at line {line}",
            outline.path
        ));
    }
    Ok(())
}
