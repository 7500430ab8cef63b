//! Queries in tree-sitter's own language, over one file.

use crate::budget::Budget;
use crate::{Language, ParseError, Parser, SourceText};
use ast_core_model::Span;
use std::ops::ControlFlow;
use tree_sitter::{QueryCursor, QueryCursorOptions, QueryCursorState, StreamingIterator, Tree};

/// A query in tree-sitter's S-expressions, such as `(call_expression function: (identifier) @callee)`, for one
/// language. The predicates `#eq?`, `#not-eq?`, `#any-of?`, `#match?` and their like are obeyed.
#[derive(Debug)]
pub struct Query {
    query: tree_sitter::Query,
    language: Language,
}

/// A place where a query's pattern fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryMatch {
    /// Which of the query's patterns, from 0.
    pub pattern: usize,
    /// What its captures stand for, in order of their places.
    pub captures: Vec<QueryCapture>,
}

/// What a capture of a query stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryCapture {
    /// The capture's index among the query's [names](Query::capture_names).
    pub name: u32,
    /// The node's bytes in the file.
    pub span: Span,
}

/// What running a query gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryResult {
    /// The matches, in order of their first place.
    pub matches: Vec<QueryMatch>,
    /// Whether some were left out, because the time was up or too many were under way at once.
    pub incomplete: bool,
}

/// How many matches a cursor keeps under way; beyond it, the earliest are dropped. Patterns that fit everywhere would
/// take the memory of the machine.
const MATCHES_UNDER_WAY: u32 = 4096;

impl Query {
    /// Compiles a query.
    ///
    /// # Errors
    /// [`ParseError::Query`] with the line and column of what is wrong.
    pub fn new(language: Language, source: &str) -> Result<Self, ParseError> {
        let query =
            tree_sitter::Query::new(language.0.grammar(), source).map_err(|error| ParseError::Query {
                language: language.as_str(),
                line: error.row + 1,
                column: error.column + 1,
                reason: match error.kind {
                    tree_sitter::QueryErrorKind::NodeType => format!("no node kind {}", error.message),
                    tree_sitter::QueryErrorKind::Field => format!("no field {}", error.message),
                    tree_sitter::QueryErrorKind::Capture => format!("no capture {}", error.message),
                    tree_sitter::QueryErrorKind::Syntax => "a syntax error".to_owned(),
                    tree_sitter::QueryErrorKind::Structure => {
                        "the grammar never puts these nodes so".to_owned()
                    }
                    _ => error.message.lines().next().unwrap_or("it cannot be read").to_owned(),
                },
            })?;
        Ok(Self { query, language })
    }

    /// The language it is for.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The names of its captures, without `@`.
    pub fn capture_names(&self) -> &[&str] {
        self.query.capture_names()
    }
}

impl Parser {
    /// Parses text in the query's language and finds where the query fits.
    ///
    /// ```
    /// use ast_core_parse::{Parser, Query, SourceText};
    ///
    /// let query = Query::new("python".parse()?, "(call function: (identifier) @callee)")?;
    /// let source = SourceText::decode(b"print(len(x))")?;
    /// let found = Parser::default().query(&source, &query)?;
    /// let names: Vec<_> = found.matches.iter().map(|found| source.slice(found.captures[0].span)).collect();
    /// assert_eq!(names, ["print", "len"]);
    /// # Ok::<(), ast_core_parse::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError::TooLarge`], [`ParseError::TimedOut`], [`ParseError::TooComplex`].
    pub fn query(&mut self, source: &SourceText<'_>, query: &Query) -> Result<QueryResult, ParseError> {
        let mut matches = Vec::new();
        let tree = self.tree(source.text(), query.language)?;
        let incomplete = self.each_match(source.text(), &tree, &query.query, |pattern, captures| {
            let capture = |capture: &tree_sitter::QueryCapture<'_>| QueryCapture {
                name: capture.index,
                span: source
                    .in_file(Span::new(capture.node.start_byte() as u32, capture.node.end_byte() as u32)),
            };
            matches.push(QueryMatch { pattern, captures: captures.iter().map(capture).collect() });
        });
        Ok(QueryResult { matches, incomplete })
    }

    /// Gives `take` each match of a query in the tree of a text: its pattern and its captures. Whether some were left out.
    pub(crate) fn each_match(
        &self,
        text: &str,
        tree: &Tree,
        query: &tree_sitter::Query,
        mut take: impl FnMut(usize, &[tree_sitter::QueryCapture<'_>]),
    ) -> bool {
        let mut time = Budget::new(self.limits.time_budget);
        let mut late = false;
        let mut in_time = |_: &QueryCursorState| {
            late |= time.is_spent();
            if late { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut cursor = QueryCursor::new();
        cursor.set_match_limit(MATCHES_UNDER_WAY);
        {
            let options = QueryCursorOptions::new().progress_callback(&mut in_time);
            let mut matches = cursor.matches_with_options(query, tree.root_node(), text.as_bytes(), options);
            while let Some(found) = matches.next() {
                take(found.pattern_index, found.captures());
            }
        }
        late || cursor.did_exceed_match_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust() -> Language {
        "rust".parse().unwrap()
    }

    #[test]
    fn a_bad_query_says_where() {
        for (source, line, column, reason) in [
            ("(function_item", 1, 15, "syntax"),
            ("(function_item)\n(no_such_node)", 2, 2, "no node kind \"no_such_node\""),
            ("(function_item nam: (_))", 1, 16, "no field \"nam\""),
        ] {
            let error = Query::new(rust(), source).unwrap_err();
            let ParseError::Query { line: at_line, column: at_column, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!((*at_line, *at_column), (line, column), "{error}");
            assert!(error.to_string().to_lowercase().contains(reason), "{error}");
        }
    }

    #[test]
    fn predicates_are_obeyed_and_places_are_those_of_the_file() {
        let query = Query::new(rust(), "((identifier) @name (#match? @name \"^b\"))").unwrap();
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend("fn a(ä: u8, b: u8) { bc() }".encode_utf16().flat_map(u16::to_le_bytes));
        let source = SourceText::decode(&bytes).unwrap();
        let found = Parser::default().query(&source, &query).unwrap();
        let texts: Vec<_> = found.matches.iter().map(|found| source.slice(found.captures[0].span)).collect();
        assert_eq!(texts, ["b", "bc"]);
        assert!(!found.incomplete);
    }
}
