//! `ast-core symbols`: what files define, and what they mention.

use super::outline_files;
use crate::args::{Format, SymbolsArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING, shown};
use ast_core_engine::{Outline, scope_of};
use std::io::Write;

pub(crate) fn run(arguments: &SymbolsArguments, output: &Output) -> Result<Exit, Failed> {
    let references = arguments.references;
    outline_files(
        &arguments.source,
        output,
        |outline| {
            if output.format != Format::Jsonl {
                return show(outline, references, output);
            }
            json::Symbol::all_of(outline).try_for_each(|symbol| output.json(&symbol))?;
            let mentions = json::Reference::all_of(outline).take(if references { usize::MAX } else { 0 });
            mentions.into_iter().try_for_each(|reference| output.json(&reference))
        },
        |outlines, left_out| output.json(&json::Symbols::new(outlines, left_out, references)),
    )
}

fn show(outline: &Outline, references: bool, output: &Output) -> std::io::Result<()> {
    let mut out = output.stdout();
    let symbols = &outline.file.symbols;
    writeln!(out, "{PATH}{}{PATH:#} {DIM}{}{DIM:#}", shown(&outline.path), outline.file.language)?;
    for (index, symbol) in symbols.iter().enumerate() {
        let depth = scope_of(symbols, index).len();
        let (line, kind, name) = (symbol.lines.start, symbol.kind, shown(&symbol.name));
        writeln!(
            out,
            "{DIM}{line:>6}{DIM:#}  {:indent$}{DIM}{kind}{DIM:#} {NAME}{name}{NAME:#}",
            "",
            indent = 2 * depth
        )?;
    }
    for reference in outline.file.references.iter().filter(|_| references) {
        let (line, kind, name) = (reference.line, reference.kind, shown(&reference.name));
        write!(out, "{DIM}{line:>6}  -> {kind}{DIM:#} {NAME}{name}{NAME:#}")?;
        match &reference.qualifier {
            Some(qualifier) => writeln!(out, " {DIM}of {}{DIM:#}", shown(qualifier))?,
            None => writeln!(out)?,
        }
    }
    note_errors(outline, output);
    Ok(())
}

/// Says on stderr where the file does not follow its grammar.
pub(super) fn note_errors(outline: &Outline, output: &Output) {
    if let Some(line) = outline.file.syntax_errors.first_line {
        let count = outline.file.syntax_errors.count;
        output.note(format_args!(
            "{WARNING}{}{WARNING:#}: {count} syntax errors, the first at line {line}",
            shown(&outline.path)
        ));
    }
}
