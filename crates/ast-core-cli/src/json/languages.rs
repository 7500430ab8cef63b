//! The languages that are built in.

use super::SCHEMA;
use ast_core_engine::Language;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Languages {
    schema: u32,
    languages: Vec<LanguageRow>,
}

#[derive(Serialize)]
pub(crate) struct LanguageRow {
    name: &'static str,
    extensions: &'static [&'static str],
    grammar: &'static str,
    grammar_version: &'static str,
}

impl From<Language> for LanguageRow {
    fn from(language: Language) -> Self {
        Self {
            name: language.as_str(),
            extensions: language.extensions(),
            grammar: language.grammar_crate(),
            grammar_version: language.grammar_version(),
        }
    }
}

impl Languages {
    pub(crate) fn all() -> Self {
        Self { schema: SCHEMA, languages: Language::all().map(LanguageRow::from).collect() }
    }
}
