//! What is looked for: a pattern, compiled, and what every match of it has.

use super::needed::needed;
use super::{GrepDetail, GrepQuery};
use crate::EngineError;
use ast_core_storage::TrigramQuery;
use grep_regex::{ErrorKind, RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use regex_syntax::ParserBuilder;

/// How deep groups may be in groups, as everywhere in the crate `regex`.
const NEST_LIMIT: u32 = 250;

/// What a compiled pattern may take, in bytes: enough for 2,000 characters that may be any letter.
const SIZE_LIMIT: usize = 64 << 20;

/// What a thread may keep of it to be faster, in bytes.
const CACHE_LIMIT: usize = 16 << 20;

/// A pattern that can be searched for.
pub(super) struct Pattern {
    matcher: RegexMatcher,
    pub(super) needed: TrigramQuery,
    pub(super) detail: GrepDetail,
    pub(super) before: u32,
    pub(super) after: u32,
}

impl Pattern {
    pub(super) fn new(query: &GrepQuery) -> Result<Self, EngineError> {
        let refused = |place, reason| EngineError::Regex { pattern: query.pattern.clone(), place, reason };
        let escaped = query.fixed.then(|| regex_syntax::escape(&query.pattern));
        let text = escaped.as_deref().unwrap_or(&query.pattern);
        let parsed = parser(query.ignore_case).parse(text).map_err(|error| {
            let (reason, span) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
                other => (other.to_string(), None),
            };
            let span = span.filter(|_| !query.fixed);
            refused(span.map(|span| span.start.offset..span.end.offset), reason)
        })?;
        let matcher = RegexMatcherBuilder::new()
            .multi_line(true)
            .line_terminator(Some(b'\n'))
            .case_insensitive(query.ignore_case)
            .word(query.word)
            .fixed_strings(query.fixed)
            .nest_limit(NEST_LIMIT)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build(&query.pattern);
        let matcher = matcher.map_err(|error| match error.kind() {
            ErrorKind::NotAllowed(_) => {
                refused(None, "it asks for the end of a line, and lines are searched one by one".to_owned())
            }
            _ => refused(None, error.to_string()),
        })?;
        let (before, after) = match query.detail {
            GrepDetail::Lines => (query.before, query.after),
            _ => (0, 0),
        };
        Ok(Self { matcher, needed: needed(&parsed), detail: query.detail, before, after })
    }

    /// What goes through a text line by line, and what that looks for; for one thread.
    pub(super) fn tools(&self) -> (Searcher, RegexMatcher) {
        let searcher = SearcherBuilder::new()
            .line_number(self.detail == GrepDetail::Lines)
            .before_context(self.before as usize)
            .after_context(self.after as usize)
            .bom_sniffing(false)
            .binary_detection(BinaryDetection::none())
            .build();
        // Those who share a matcher wait for each other.
        (searcher, self.matcher.clone())
    }
}

/// Reads patterns as the matcher does.
pub(super) fn parser(ignore_case: bool) -> regex_syntax::Parser {
    ParserBuilder::new()
        .utf8(false)
        .multi_line(true)
        .case_insensitive(ignore_case)
        .nest_limit(NEST_LIMIT)
        .build()
}
