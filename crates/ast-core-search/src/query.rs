//! What somebody is looking for.

use crate::QueryError;
use ast_core_model::terms::{TermSplitter, is_stop_word};
use std::fmt;
use std::str::FromStr;

/// By what a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchMode {
    /// By words and by vectors, fused.
    #[default]
    Hybrid,
    /// By words only.
    Lexical,
    /// By vectors only.
    Semantic,
}

impl SearchMode {
    /// Whether words are looked for.
    pub const fn is_lexical(self) -> bool {
        matches!(self, Self::Hybrid | Self::Lexical)
    }

    /// Whether near vectors are looked for.
    pub const fn is_semantic(self) -> bool {
        matches!(self, Self::Hybrid | Self::Semantic)
    }

    /// The name in options and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Lexical => "lexical",
            Self::Semantic => "semantic",
        }
    }
}

impl fmt::Display for SearchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SearchMode {
    type Err = QueryError;

    fn from_str(name: &str) -> Result<Self, QueryError> {
        [Self::Hybrid, Self::Lexical, Self::Semantic]
            .into_iter()
            .find(|mode| mode.as_str() == name)
            .ok_or_else(|| QueryError::UnknownMode { received: name.to_owned() })
    }
}

/// The most terms of a query that are looked for: a pasted page asks for no more than its first words.
const MAX_TERMS: usize = 64;

/// The distinct terms to look for in the lexical index, in the order of the text. Words that say nothing are left
/// out, unless there are no others.
///
/// # Errors
/// [`QueryError::Empty`] if the text holds no term at all.
pub fn query_terms(text: &str) -> Result<Vec<String>, QueryError> {
    let mut telling = Vec::new();
    let mut stop_words = Vec::new();
    TermSplitter::default().split(text, |term| {
        let terms: &mut Vec<String> = if is_stop_word(term.text) { &mut stop_words } else { &mut telling };
        if terms.len() < MAX_TERMS && !terms.iter().any(|known| known == term.text) {
            terms.push(term.text.to_owned());
        }
    });
    let terms = if telling.is_empty() { stop_words } else { telling };
    if terms.is_empty() { Err(QueryError::Empty { text: text.to_owned() }) } else { Ok(terms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_go_unless_they_are_all_there_is() {
        assert_eq!(query_terms("where is the retry configured").unwrap(), ["retr", "configur"]);
        assert_eq!(query_terms("what is this").unwrap(), ["what", "is", "this"]);
        assert_eq!(query_terms("readFile read_file").unwrap(), ["read", "fil", "readfile"]);
    }

    #[test]
    fn nothing_to_look_for_is_said() {
        assert_eq!(query_terms("?! {}"), Err(QueryError::Empty { text: "?! {}".into() }));
    }

    #[test]
    fn a_pasted_page_is_bounded() {
        let page: String = (0..10_000).map(|n| format!("word{n} ")).collect();
        assert_eq!(query_terms(&page).unwrap().len(), MAX_TERMS);
    }
}
