//! The parser: text in, [`ParsedFile`] out.

use crate::chunking::Chunker;
use crate::nature;
use crate::outline::Outliner;
use crate::syntax::{Columns, Reader, SyntaxTree};
use crate::{
    ChunkingConfig, Coverage, Language, ParseError, ParseLimits, ParsedFile, SourceText, SyntaxErrors,
};
use ast_core_model::{Chunk, Span};
use std::time::{Duration, Instant};
use tree_sitter::Tree;

/// Parses one file after the other; keeps its buffers. One a thread.
pub struct Parser {
    pub(crate) reader: Reader,
    columns: Columns,
    outliner: Outliner,
    chunker: Chunker,
    pub(crate) limits: ParseLimits,
    timings: ParseTimings,
}

/// How long the parts of parsing a text took, by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ParseTimings {
    /// The syntax tree, and reading definitions and mentions out of it.
    pub parse: Duration,
    /// Cutting the text into chunks.
    pub chunk: Duration,
}

impl Parser {
    /// A parser with these bounds and chunk sizes.
    pub fn new(limits: ParseLimits, chunking: ChunkingConfig) -> Self {
        Self {
            reader: Reader::new(),
            columns: Columns::default(),
            outliner: Outliner::new(limits.max_symbols),
            chunker: Chunker::new(chunking),
            limits,
            timings: ParseTimings::default(),
        }
    }

    /// How long the last text took that was parsed; zero before the first.
    pub fn timings(&self) -> ParseTimings {
        self.timings
    }

    /// Parses the bytes of a file.
    ///
    /// A syntax error is not an error here, and neither is a file that is too large, takes too long or is minified:
    /// see [`ParsedFile::syntax_errors`] and [`ParsedFile::coverage`].
    ///
    /// # Errors
    /// [`ParseError::Binary`]; [`ParseError::TooLarge`] from 4 GiB, which no position reaches.
    pub fn parse(&mut self, bytes: &[u8], language: Language) -> Result<ParsedFile, ParseError> {
        check_positions(bytes.len())?;
        self.parse_source(&SourceText::decode(bytes)?, language)
    }

    /// Parses text that is already decoded. Positions are those of the file it was decoded from.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`] from 4 GiB.
    pub fn parse_source(
        &mut self,
        source: &SourceText<'_>,
        language: Language,
    ) -> Result<ParsedFile, ParseError> {
        let begin = Instant::now();
        let text = source.text();
        check_positions(text.len())?;
        let tree = match self.refusal(text) {
            None => {
                let keep = &language.0.compiled().kept;
                self.reader.fill(&mut self.columns, keep, text, language, self.limits.time_budget)?
            }
            Some(refusal) => Err(refusal),
        };
        self.read(source, language, tree, begin)
    }

    /// Why a text is not worth a tree, if it is not.
    pub(crate) fn refusal(&self, text: &str) -> Option<Coverage> {
        if text.len() > self.limits.max_bytes {
            Some(Coverage::TooLarge { limit: self.limits.max_bytes })
        } else {
            nature::is_minified(text, count_lines(text)).then_some(Coverage::Minified)
        }
    }

    /// Cuts text of no known language into chunks, at line breaks.
    pub fn cut_text(&mut self, source: &SourceText<'_>) -> Vec<Chunk> {
        let mut chunks = self.chunker.cut_by_lines(source.text());
        if !source.same_offsets() {
            chunks.iter_mut().for_each(|chunk| chunk.span = source.in_file(chunk.span));
        }
        chunks
    }

    /// Reads what is in a text out of its tree.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`] from 4 GiB.
    pub(crate) fn read_tree(
        &mut self,
        source: &SourceText<'_>,
        language: Language,
        tree: Result<&Tree, Coverage>,
    ) -> Result<ParsedFile, ParseError> {
        let begin = Instant::now();
        let tree = tree.map(|tree| self.columns.fill(tree, &language.0.compiled().kept));
        self.read(source, language, tree, begin)
    }

    /// Reads what is in a text out of the columns of its tree; if there is none, for the reason that is told, it is cut
    /// by lines. Parsing began at `begin`.
    fn read(
        &mut self,
        source: &SourceText<'_>,
        language: Language,
        tree: Result<(), Coverage>,
        begin: Instant,
    ) -> Result<ParsedFile, ParseError> {
        let text = source.text();
        check_positions(text.len())?;
        let mut file = ParsedFile {
            language,
            encoding: source.encoding(),
            symbols: Vec::new(),
            annotations: Vec::new(),
            references: Vec::new(),
            chunks: Vec::new(),
            lines: count_lines(text),
            generated: nature::is_generated(text),
            syntax_errors: SyntaxErrors::default(),
            coverage: Coverage::Full,
        };
        let (parsed, cut) = match tree {
            Ok(()) => {
                let compiled = language.0.compiled();
                let tree = SyntaxTree { columns: &self.columns, compiled, source: text };
                let outline = self.outliner.run(&tree, language.0, source.name());
                file.symbols = outline.symbols;
                file.annotations = outline.annotations;
                file.references = outline.references;
                file.syntax_errors = outline.syntax_errors;
                file.coverage = outline.coverage;
                let parsed = Instant::now();
                file.chunks = self.chunker.cut(&tree, &file.symbols);
                let cut = Instant::now();
                self.columns.shrink();
                (parsed, cut)
            }
            Err(coverage) => {
                file.coverage = coverage;
                let parsed = Instant::now();
                file.chunks = self.chunker.cut_by_lines(text);
                (parsed, Instant::now())
            }
        };
        let parse = parsed.saturating_duration_since(begin);
        self.timings = ParseTimings { parse, chunk: cut.saturating_duration_since(parsed) };
        if !source.same_offsets() {
            move_to_file(&mut file, source);
        }
        Ok(file)
    }

    /// Refuses what is larger than the limit.
    pub(crate) fn check_size(&self, text: &str) -> Result<(), ParseError> {
        let limit = self.limits.max_bytes;
        if text.len() <= limit { Ok(()) } else { Err(ParseError::TooLarge { received: text.len(), limit }) }
    }

    /// Why there is no tree, for those who want nothing else.
    pub(crate) fn failure(&self, coverage: Coverage) -> ParseError {
        match coverage {
            Coverage::TooComplex => ParseError::TooComplex,
            _ => ParseError::TimedOut { budget: self.limits.time_budget },
        }
    }

    /// The tree of a text.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`], [`ParseError::TimedOut`], [`ParseError::TooComplex`].
    pub(crate) fn tree(&mut self, text: &str, language: Language) -> Result<Tree, ParseError> {
        self.check_size(text)?;
        let budget = self.limits.time_budget;
        self.reader.tree(text, language, None, budget)?.map_err(|coverage| self.failure(coverage))
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(ParseLimits::default(), ChunkingConfig::default())
    }
}

/// Refuses what no position reaches the end of.
fn check_positions(length: usize) -> Result<(), ParseError> {
    let limit = u32::MAX as usize - 1;
    if length <= limit { Ok(()) } else { Err(ParseError::TooLarge { received: length, limit }) }
}

fn count_lines(text: &str) -> u32 {
    let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u32;
    breaks + u32::from(!text.is_empty() && !text.ends_with('\n'))
}

fn move_to_file(file: &mut ParsedFile, source: &SourceText<'_>) {
    let move_span = |span: &mut Span| *span = source.in_file(*span);
    for symbol in &mut file.symbols {
        move_span(&mut symbol.span);
        move_span(&mut symbol.extent);
        move_span(&mut symbol.name_span);
    }
    file.references.iter_mut().for_each(|reference| move_span(&mut reference.span));
    file.chunks.iter_mut().for_each(|chunk| move_span(&mut chunk.span));
    file.syntax_errors.places.iter_mut().for_each(move_span);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_are_of_the_last_text_and_parts_of_its_time() {
        let language = Language::all().next().unwrap();
        let mut parser = Parser::default();
        assert_eq!(parser.timings(), ParseTimings::default());
        let begin = Instant::now();
        parser.parse(&b"a line of some words\n".repeat(200), language).unwrap();
        let (elapsed, ParseTimings { parse, chunk }) = (begin.elapsed(), parser.timings());
        assert!(parse > Duration::ZERO && chunk > Duration::ZERO && parse + chunk <= elapsed);
        parser.parse(b"\0", language).unwrap_err();
        assert_eq!(parser.timings(), ParseTimings { parse, chunk });
    }
}
