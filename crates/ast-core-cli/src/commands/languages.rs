//! `ast-core languages`: what can be parsed.

use crate::args::Format;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output};
use ast_core_engine::Language;
use std::io::Write;

pub(crate) fn run(output: &Output) -> Result<Exit, Failed> {
    match output.format {
        Format::Json => output.json(&json::Languages::all())?,
        Format::Jsonl => {
            for language in Language::all() {
                output.json(&json::LanguageRow::from(language))?;
            }
        }
        Format::Human => {
            let mut out = output.stdout();
            for language in Language::all() {
                let grammar = format!("{} {}", language.grammar_crate(), language.grammar_version());
                let extensions = language.extensions().join(" ");
                writeln!(out, "{NAME}{language:<12}{NAME:#}{DIM}{grammar:<32}{DIM:#}{extensions}")?;
            }
        }
    }
    Ok(Exit::Done)
}
