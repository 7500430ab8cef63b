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

/// The most names of a query whose definitions are looked for.
const MAX_NAMES: usize = 4;

/// What a query looks like, by which its words and its meaning are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// One name, with or without names round it: `parse_header`, `Engine::open`, `tokenizer`.
    Name,
    /// A path, or a part of one: `src/http/server.rs`, `server.rs`.
    Path,
    /// A few words: `retry backoff`.
    Words,
    /// A question, or a description: `where are idle connections closed`.
    Sentence,
    /// A piece of code: `for (const key in map) { delete map[key]; }`.
    Code,
}

impl QueryKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Path, Self::Words, Self::Sentence, Self::Code];

    /// A short name that does not change.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Path => "path",
            Self::Words => "words",
            Self::Sentence => "sentence",
            Self::Code => "code",
        }
    }
}

/// A query, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedQuery {
    /// The text to be looked for, without the filters.
    pub text: String,
    /// What it looks like.
    pub kind: QueryKind,
    /// The distinct terms to look for in the lexical index, in the order of the text. Words that say nothing are left out,
    /// unless there are no others.
    pub terms: Vec<String>,
    /// Names whose definitions are meant, as they are written, each with the names round it, outermost first: all of a
    /// [`QueryKind::Name`], and of others what is written as only code is.
    pub names: Vec<Vec<String>>,
    /// Only files in one of these languages, as `lang:` names them; all if empty.
    pub languages: Vec<String>,
    /// Only files whose path matches one of these, as `path:` names them; all if empty.
    pub paths: Vec<String>,
    /// Only definitions of one of these kinds, as `kind:` names them; all if empty.
    pub kinds: Vec<String>,
}

impl ParsedQuery {
    /// Understands a query.
    ///
    /// `lang:`, `path:` and `kind:` with a value behind them are filters, wherever they stand, and may come several times. A
    /// value may be in double quotes. What begins otherwise, `std::path::Path` for one, is text.
    ///
    /// # Errors
    /// [`QueryError::Empty`] if the text holds no term at all.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let (text, filters) = take_filters(query);
        let terms = terms_of(&text)?;
        let kind = kind_of(&text);
        let names = names_of(&text, kind);
        let [languages, paths, kinds] = filters;
        Ok(Self { text, kind, terms, names, languages, paths, kinds })
    }

    /// Whether any of these terms is asked for.
    pub(crate) fn asks_for(&self, terms: &[&str]) -> bool {
        self.terms.iter().any(|term| terms.contains(&term.as_str()))
    }
}

/// The names of filters, in the order of what they fill.
const FILTERS: [&[&str]; 3] = [&["lang:", "language:"], &["path:", "file:"], &["kind:"]];

/// The text without filters, and the values of these.
fn take_filters(query: &str) -> (String, [Vec<String>; 3]) {
    let mut filters: [Vec<String>; 3] = Default::default();
    let mut text = String::with_capacity(query.len());
    let mut rest = query;
    while !rest.is_empty() {
        let blank = rest.len() - rest.trim_start().len();
        text.push_str(&rest[..blank]);
        rest = &rest[blank..];
        let known = FILTERS.iter().zip(&mut filters).find_map(|(names, values)| {
            let behind = names.iter().find_map(|name| rest.strip_prefix(name))?;
            let (value, after) = value_at(behind)?;
            values.push(value.to_owned());
            Some(after)
        });
        rest = known.unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            text.push_str(&rest[..end]);
            &rest[end..]
        });
    }
    (text.trim().to_owned(), filters)
}

/// The value that a text begins with, and what is behind it.
fn value_at(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"').filter(|(value, _)| !value.is_empty());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    // `path::Path` and `kind:` alone are none.
    (!value.is_empty() && !value.starts_with(':')).then_some((value, rest))
}

fn terms_of(text: &str) -> Result<Vec<String>, QueryError> {
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

fn kind_of(text: &str) -> QueryKind {
    let mut words = text.split_whitespace();
    let (first, is_single) = (words.next().unwrap_or(""), words.next().is_none());
    if is_single && is_path(first) {
        return QueryKind::Path;
    }
    if is_single && !parts_of_name(first).is_empty() {
        return QueryKind::Name;
    }
    // What is in brackets, ends in a semicolon or assigns is code, as is what has several lines that are indented.
    let marks = text.matches(['{', '}', ';', '=', '(', '[', '<']).count();
    let is_code = text.contains(['{', ';']) || text.contains("()") || text.contains(" = ");
    if is_code && marks * 4 >= text.split_whitespace().count() {
        return QueryKind::Code;
    }
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_plain = |word: &&str| is_stop_word(&word.to_lowercase());
    if words.len() > 4 || words.iter().any(is_plain) { QueryKind::Sentence } else { QueryKind::Words }
}

/// Whether it is a path, or the name of a file.
fn is_path(word: &str) -> bool {
    let has_extension = word.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
    });
    let separators = word.matches('/').count();
    has_extension || separators > 0 && !word.contains("://") && !word.contains(['(', ')', '{', '<'])
}

/// Endings that names in code do not have.
const EXTENSIONS: &[&str] = &[
    "bash", "c", "cc", "cjs", "cpp", "cs", "cts", "cxx", "go", "h", "hh", "hpp", "java", "js", "jsx", "kt",
    "kts", "mjs", "mts", "php", "py", "pyi", "rb", "rs", "scala", "sh", "swift", "ts", "tsx",
];

/// The names of a qualified name, outermost first; none if it is not one.
fn parts_of_name(word: &str) -> Vec<String> {
    let word = word.trim_end_matches("()").trim_start_matches(['@', '#', '&', '*', '`', '\'', '"']);
    let word = word.trim_end_matches(['`', '\'', '"', '?', '!', ',', '.', ':', ';']).trim_end_matches("()");
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$' || c == '~')
            && part.chars().skip(1).all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    };
    let parts: Vec<&str> = word.split(['.', ':', '#']).filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = parts.iter().flat_map(|part| part.split("->")).collect();
    match parts.iter().all(|part| is_part(part)) {
        true => parts.into_iter().map(str::to_owned).collect(),
        false => Vec::new(),
    }
}

fn names_of(text: &str, kind: QueryKind) -> Vec<Vec<String>> {
    let mut names: Vec<Vec<String>> = Vec::new();
    let is_between = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | ';' | '<' | '>');
    let words = text.split(is_between).map(|word| word.trim_start_matches('('));
    for word in words {
        let parts = parts_of_name(word);
        let is_meant = match kind {
            QueryKind::Name => true,
            QueryKind::Path => false,
            // A piece of code names what it uses, not what is looked for.
            QueryKind::Code => false,
            QueryKind::Words | QueryKind::Sentence => is_written_as_code(word, &parts),
        };
        if is_meant && !parts.is_empty() && names.len() < MAX_NAMES && !names.contains(&parts) {
            names.push(parts);
        }
    }
    names
}

/// Whether a word is written as in code and not as in a sentence: `readFile`, `read_file`, `Engine::open`, `open()`.
fn is_written_as_code(word: &str, parts: &[String]) -> bool {
    let has_hump = |part: &String| {
        let mut chars = part.chars().peekable();
        let mut humps = false;
        while let Some(c) = chars.next() {
            humps |= c.is_lowercase() && chars.peek().is_some_and(|next| next.is_uppercase());
        }
        humps
    };
    let is_joined = parts.len() > 1 && (word.contains("::") || word.contains("->"));
    is_joined
        || word.ends_with("()")
        || parts.iter().any(|part| part.trim_matches('_').contains('_') || has_hump(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> ParsedQuery {
        ParsedQuery::parse(text).unwrap()
    }

    #[test]
    fn stop_words_go_unless_they_are_all_there_is() {
        assert_eq!(parse("where is the retry configured").terms, ["retr", "configur"]);
        assert_eq!(parse("what is this").terms, ["what", "is", "this"]);
        assert_eq!(parse("readFile read_file").terms, ["read", "fil", "readfile"]);
    }

    #[test]
    fn nothing_to_look_for_is_said() {
        assert_eq!(ParsedQuery::parse("?! {}"), Err(QueryError::Empty { text: "?! {}".into() }));
        assert_eq!(ParsedQuery::parse("lang:rust"), Err(QueryError::Empty { text: String::new() }));
    }

    #[test]
    fn a_pasted_page_is_bounded() {
        let page: String = (0..10_000).map(|n| format!("word{n} ")).collect();
        assert_eq!(parse(&page).terms.len(), MAX_TERMS);
    }

    #[test]
    fn queries_are_told_apart_by_their_looks() {
        let cases = [
            ("parse_header", QueryKind::Name),
            ("Engine::open", QueryKind::Name),
            ("Promise.prototype.then", QueryKind::Name),
            ("tokenizer", QueryKind::Name),
            ("open()", QueryKind::Name),
            ("src/http/server.rs", QueryKind::Path),
            ("server.rs", QueryKind::Path),
            ("http/server", QueryKind::Path),
            ("retry backoff", QueryKind::Words),
            ("ColumnFamily flush options", QueryKind::Words),
            ("where are idle connections closed", QueryKind::Sentence),
            ("how does std::path::Path join", QueryKind::Sentence),
            ("compact files when a level is too large", QueryKind::Sentence),
            ("for (const key in map) { delete map[key]; }", QueryKind::Code),
            ("let x = foo();", QueryKind::Code),
        ];
        for (text, kind) in cases {
            assert_eq!(parse(text).kind, kind, "{text}");
        }
    }

    #[test]
    fn names_are_what_is_written_as_only_code_is() {
        let names = |text: &str| parse(text).names.into_iter().map(|name| name.join(".")).collect::<Vec<_>>();
        assert_eq!(names("Engine::open"), ["Engine.open"]);
        assert_eq!(names("tokenizer"), ["tokenizer"]);
        assert_eq!(names("where does readFile call decode_utf8, and why?"), ["readFile", "decode_utf8"]);
        assert_eq!(names("how does std::path::Path join"), ["std.path.Path"]);
        assert_eq!(names("who calls close() on the Socket"), ["close"]);
        assert_eq!(names("where is a header parsed. And why"), [""; 0]);
        assert_eq!(names("src/http/server.rs"), [""; 0]);
    }

    #[test]
    fn filters_are_taken_out_of_the_text() {
        let query = parse("lang:rust close the pool path:\"src/my files/**\" kind:method kind:function");
        assert_eq!(query.text, "close the pool");
        assert_eq!(query.languages, ["rust"]);
        assert_eq!(query.paths, ["src/my files/**"]);
        assert_eq!(query.kinds, ["method", "function"]);
        let text = parse("std::path::Path path::join kind: x");
        assert_eq!(text.text, "std::path::Path path::join kind: x");
        assert!(text.paths.is_empty() && text.kinds.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_understood(text in "\\PC{0,60}") {
            if let Ok(query) = ParsedQuery::parse(&text) {
                prop_assert!(!query.terms.is_empty());
                prop_assert!(query.names.iter().all(|name| !name.is_empty()));
            }
        }
    }
}
