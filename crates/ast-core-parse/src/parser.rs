//! The parser: text in, [`ParsedFile`] out.

use crate::budget::Budget;
use crate::chunking::Chunker;
use crate::nature;
use crate::outline::Outliner;
use crate::syntax::{Columns, StackView, SyntaxTree, Watch};
use crate::{
    ChunkingConfig, Coverage, Language, ParseError, ParseLimits, ParsedFile, SourceText, SyntaxErrors,
};
use ast_core_model::{Chunk, Span};
use std::ops::ControlFlow;
use tree_sitter::{ParseOptions, ParseState, Tree};

/// The part of a file's time that its tree may take, as a fraction: what is read out of the tree takes about a fifth of
/// that, and giving the memory of what was not finished back up to a third.
const TREE_SHARE: (u32, u32) = (3, 4);

/// Parses one file after the other; keeps its buffers. One a thread.
pub struct Parser {
    syntax: tree_sitter::Parser,
    stacks: StackView,
    columns: Columns,
    outliner: Outliner,
    chunker: Chunker,
    pub(crate) limits: ParseLimits,
}

impl Parser {
    /// A parser with these bounds and chunk sizes.
    pub fn new(limits: ParseLimits, chunking: ChunkingConfig) -> Self {
        let (syntax, stacks) = StackView::with_parser();
        Self {
            syntax,
            stacks,
            columns: Columns::default(),
            outliner: Outliner::new(limits.max_symbols),
            chunker: Chunker::new(chunking),
            limits,
        }
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
        let text = source.text();
        let tree = match self.refusal(text) {
            None => self.try_tree(text, language, None)?,
            Some(refusal) => Err(refusal),
        };
        self.read(source, language, tree.as_ref().map_err(|coverage| *coverage))
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

    /// Reads what is in a text out of its tree; if there is none, for the reason that is told, it is cut by lines.
    pub(crate) fn read(
        &mut self,
        source: &SourceText<'_>,
        language: Language,
        tree: Result<&Tree, Coverage>,
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
        match tree {
            Ok(tree) => {
                let compiled = language.0.compiled();
                self.columns.fill(tree, &compiled.kept);
                let tree = SyntaxTree { columns: &self.columns, compiled, source: text };
                let outline = self.outliner.run(&tree, language.0, source.name());
                file.symbols = outline.symbols;
                file.annotations = outline.annotations;
                file.references = outline.references;
                file.syntax_errors = outline.syntax_errors;
                if outline.limit_hit {
                    file.coverage = Coverage::SymbolLimit { limit: self.limits.max_symbols };
                }
                file.chunks = self.chunker.cut(&tree, &file.symbols);
                self.columns.shrink();
            }
            Err(coverage) => {
                file.coverage = coverage;
                file.chunks = self.chunker.cut_by_lines(text);
            }
        }
        if !source.same_offsets() {
            move_to_file(&mut file, source);
        }
        Ok(file)
    }

    /// The tree of a text.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`], [`ParseError::TimedOut`], [`ParseError::TooComplex`].
    pub(crate) fn tree(
        &mut self,
        text: &str,
        language: Language,
        old: Option<&Tree>,
    ) -> Result<Tree, ParseError> {
        if text.len() > self.limits.max_bytes {
            return Err(ParseError::TooLarge { received: text.len(), limit: self.limits.max_bytes });
        }
        let budget = self.limits.time_budget;
        self.try_tree(text, language, old)?.map_err(|coverage| match coverage {
            Coverage::TooComplex => ParseError::TooComplex,
            _ => ParseError::TimedOut { budget },
        })
    }

    /// The tree, or why there is none: the time is up, or the text is too complex.
    pub(crate) fn try_tree(
        &mut self,
        text: &str,
        language: Language,
        old: Option<&Tree>,
    ) -> Result<Result<Tree, Coverage>, ParseError> {
        let grammar = language.0.grammar();
        self.syntax
            .set_language(grammar)
            .map_err(|error| ParseError::Grammar { language: language.0.name, reason: error.to_string() })?;
        let budget = self.limits.time_budget;
        let mut time = Budget::new(budget / TREE_SHARE.1 * TREE_SHARE.0);
        let stand_in = (language.0.syntax.stand_in)(text);
        let mut read = |bytes: &[u8], old: Option<&Tree>| {
            let mut watch = Watch::default();
            let mut coverage = Coverage::TimedOut { budget };
            let mut go_on = |_: &ParseState| {
                if watch.is_out_of_hand(&self.stacks) {
                    coverage = Coverage::TooComplex;
                    return ControlFlow::Break(());
                }
                if time.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let options = ParseOptions::new().progress_callback(&mut go_on);
            let mut rest = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
            let tree = self.syntax.parse_with_options(&mut rest, old, Some(options));
            if tree.is_none() {
                // Else the next file would be taken for the rest of this one.
                self.syntax.reset();
            }
            tree.ok_or(coverage)
        };
        let tree = match read(stand_in.as_deref().unwrap_or(text.as_bytes()), old) {
            Ok(tree) => tree,
            Err(coverage) => return Ok(Err(coverage)),
        };
        if tree.root_node().has_error()
            && let Some(bytes) = (language.0.syntax.second_reading)(text)
            && let Ok(second) = read(&bytes, None)
            && count_errors(&second) < count_errors(&tree)
        {
            return Ok(Ok(second));
        }
        Ok(Ok(tree))
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(ParseLimits::default(), ChunkingConfig::default())
    }
}

/// How many nodes of a tree are errors, or are put in because the grammar wants them.
fn count_errors(tree: &Tree) -> usize {
    let mut cursor = tree.walk();
    let mut count = 0;
    loop {
        let node = cursor.node();
        count += usize::from(node.is_error() || node.is_missing());
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return count;
            }
        }
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
