//! `ast-core annotate`: how definitions are made.

use super::outline_files;
use super::symbols::note_errors;
use crate::args::{Format, SourceArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, shown};
use ast_core_engine::{Outline, ReferenceKind, scope_of};
use std::io::Write;

pub(crate) fn run(arguments: &SourceArguments, output: &Output) -> Result<Exit, Failed> {
    outline_files(
        arguments,
        output,
        |outline| match output.format {
            Format::Jsonl => json::Annotated::all_of(outline).try_for_each(|symbol| output.json(&symbol)),
            _ => show(outline, output),
        },
        |outlines, left_out| output.json(&json::Annotations::new(outlines, left_out)),
    )
}

fn show(outline: &Outline, output: &Output) -> std::io::Result<()> {
    let mut out = output.stdout();
    let file = &outline.file;
    writeln!(out, "{PATH}{}{PATH:#} {DIM}{}{DIM:#}", shown(&outline.path), file.language)?;
    for (index, (symbol, annotation)) in file.symbols.iter().zip(&file.annotations).enumerate() {
        let indent = 2 * scope_of(&file.symbols, index).len();
        let line = symbol.lines.start;
        let (kind, name, signature) = (symbol.kind, shown(&symbol.name), shown(&symbol.signature));
        writeln!(
            out,
            "{DIM}{line:>6}{DIM:#}  {:indent$}{DIM}{kind}{DIM:#} {NAME}{name}{NAME:#}  {signature}",
            ""
        )?;
        let mut note = |label: &str, text: String| match text.is_empty() {
            true => Ok(()),
            false => writeln!(out, "        {:indent$}{DIM}{label}{DIM:#} {}", "", shown(&text)),
        };
        if let Some(complexity) = annotation.complexity {
            let (cyclomatic, cognitive) = (complexity.cyclomatic, complexity.cognitive);
            let nesting = complexity.max_nesting;
            note("complexity", format!("cyclomatic {cyclomatic}, cognitive {cognitive}, nesting {nesting}"))?;
        }
        let calls = file.references_of(index).filter(|reference| reference.kind == ReferenceKind::Call);
        let mut calls: Vec<&str> = calls.map(|call| &*call.name).collect();
        calls.sort_unstable();
        calls.dedup();
        note("calls", calls.join(" "))?;
        let imports = file.imports_of(index).into_iter().map(|import| {
            let name = match &import.alias {
                Some(alias) => format!("{} as {alias}", import.name),
                None => import.name.to_string(),
            };
            match &import.qualifier {
                Some(module) => format!("{name} ({module})"),
                None => name,
            }
        });
        note("imports", imports.collect::<Vec<_>>().join(", "))?;
    }
    note_errors(outline, output);
    Ok(())
}
