//! Cutting a file into chunks along its syntax tree.
//!
//! In the manner of cAST (Zhang et al., "cAST: Enhancing Code Retrieval-Augmented Generation with Structural
//! Chunking via Abstract Syntax Tree", 2025): nodes that are too large are replaced by their children, and small
//! neighbours are merged until a chunk is full. Beyond it, a definition of some size stands alone, a definition
//! keeps its doc comment, decorators and head, and closing brackets stay with what they close.

use crate::ChunkingConfig;
use crate::syntax::SyntaxTree;
use crate::tokens::TokenCounter;
use ast_core_model::{Chunk, ContentHash, LineRange, Span, Symbol, SymbolKind};

/// The smallest `max_tokens`, and how much a chunk may exceed its budget so that nothing is torn.
const MIN_MAX_TOKENS: u32 = 16;
/// What is shorter than so many bytes is no chunk, but the head of what comes, such as `impl Foo {`.
const MIN_CHUNK_BYTES: u32 = 64;
/// The largest `max_tokens`: no file has more.
const MAX_MAX_TOKENS: u32 = 1 << 28;

/// A stretch of text that is not cut unless it is larger than a chunk: a node, and what is between it and the next.
#[derive(Debug, Clone, Copy)]
struct Atom {
    start: u32,
    /// Whether it may begin a chunk: not in the middle of a definition's head, and not a closing bracket.
    may_begin: bool,
    /// The size of the definition that begins here; 0 if none does.
    definition: u32,
}

/// Cuts files into chunks; keeps its buffers.
pub(crate) struct Chunker {
    max_tokens: u32,
    solo_tokens: u32,
    tokens: TokenCounter,
    atoms: Vec<Atom>,
    cuts: Vec<u32>,
}

impl Chunker {
    pub(crate) fn new(config: ChunkingConfig) -> Self {
        let max_tokens = config.max_tokens.clamp(MIN_MAX_TOKENS, MAX_MAX_TOKENS);
        Self {
            max_tokens,
            solo_tokens: config.solo_tokens.min(max_tokens),
            tokens: TokenCounter::default(),
            atoms: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Cuts a file along its tree. `symbols` are those of the same tree.
    pub(crate) fn cut(&mut self, tree: &SyntaxTree<'_>, symbols: &[Symbol]) -> Vec<Chunk> {
        self.tokens.read(tree.source);
        self.collect_atoms(tree, symbols);
        self.merge_atoms(tree.source);
        self.chunks(tree.source, symbols)
    }

    /// Cuts text at line breaks.
    pub(crate) fn cut_by_lines(&mut self, text: &str) -> Vec<Chunk> {
        self.tokens.read(text);
        self.cuts.clear();
        self.cut_large(text, 0, text.len() as u32);
        self.chunks(text, &[])
    }

    /// The largest nodes that fit in a chunk, in order.
    fn collect_atoms(&mut self, tree: &SyntaxTree<'_>, symbols: &[Symbol]) {
        let max = self.max_tokens;
        let exceeds = |start, end| self.tokens.exceeds(tree.source, start, end, max);
        let columns = tree.columns;
        self.atoms.clear();
        let mut definitions = symbols.iter().filter(|symbol| stands_alone(symbol.kind)).peekable();
        // The last place before which no chunk may begin: inside a definition's head.
        let mut head_until = 0;
        // The end of the last definition that fits in a chunk: what it holds is not looked for.
        let mut whole_until = 0;
        // Where nodes begin whose first child is next: brackets before it are no nodes, and go with it.
        let mut opened = None;
        let mut row = 0;
        while row < columns.len() {
            let (start, end, next) = (columns.start[row], columns.end[row], columns.next[row] as usize);
            while definitions.next_if(|symbol| symbol.extent.start < start).is_some() {}
            let holds_definition = start >= whole_until
                && definitions
                    .peek()
                    .is_some_and(|symbol| symbol.extent.start < end && symbol.extent.len() < end - start);
            if next > row + 1 && (holds_definition || exceeds(start, end)) {
                opened.get_or_insert(start);
                row += 1;
                continue;
            }
            row = next;
            if end == start {
                continue;
            }
            let mut definition = 0;
            while let Some(symbol) = definitions.next_if(|symbol| symbol.extent.start == start) {
                definition = definition.max(symbol.extent.len());
                head_until = head_until.max(symbol.span.start);
                if !exceeds(symbol.extent.start, symbol.extent.end) {
                    whole_until = whole_until.max(symbol.extent.end);
                }
            }
            let start = opened.take().unwrap_or(start);
            let may_begin = definition > 0 || start > head_until || head_until == 0;
            self.atoms.push(Atom { start, may_begin, definition });
        }
    }

    /// Decides where chunks begin.
    fn merge_atoms(&mut self, text: &str) {
        let len = text.len() as u32;
        self.cuts.clear();
        self.cuts.push(0);
        let mut chunk_start = 0;
        // A tree may begin late, or be of nothing but brackets, which are no nodes.
        let begin = self.atoms.first().map_or(len, |first| first.start);
        if self.tokens.exceeds(text, 0, begin, self.max_tokens + MIN_MAX_TOKENS) {
            self.cut_large(text, 0, begin);
            chunk_start = *self.cuts.last().unwrap_or(&chunk_start);
        }
        // Where the definition that was begun last ends; nothing but closing brackets joins it.
        let mut alone_until = None;
        for at in 0..self.atoms.len() {
            let atom = self.atoms[at];
            let end = self.atoms.get(at + 1).map_or(len, |next| next.start);
            let over = |start, tokens| self.tokens.exceeds(text, start, end, tokens);
            let full = over(chunk_start, self.max_tokens);
            let after_definition = alone_until.is_some_and(|until| atom.start >= until);
            let something_before = atom.start - chunk_start >= MIN_CHUNK_BYTES;
            let is_solo = atom.definition > 0
                && self.tokens.count(text, atom.start, atom.start + atom.definition) >= self.solo_tokens;
            let begins_definition = is_solo && something_before;
            let hard = full && over(chunk_start, self.max_tokens + MIN_MAX_TOKENS);
            if atom.start > chunk_start
                && (atom.may_begin && (full || after_definition || begins_definition) || hard)
            {
                self.cuts.push(atom.start);
                chunk_start = atom.start;
            }
            if after_definition {
                alone_until = None;
            }
            if is_solo {
                alone_until = Some(atom.start + atom.definition);
            }
            if over(chunk_start, self.max_tokens + MIN_MAX_TOKENS) {
                // One node without children, such as a long string.
                self.cut_large(text, chunk_start, end);
                chunk_start = *self.cuts.last().unwrap_or(&chunk_start);
            }
        }
    }

    /// Cuts a stretch at the last line break that fits, else at the last character that does.
    fn cut_large(&mut self, text: &str, start: u32, end: u32) {
        let mut at = start;
        if self.cuts.last() != Some(&start) {
            self.cuts.push(start);
        }
        while self.tokens.exceeds(text, at, end, self.max_tokens) {
            let limit = text.floor_char_boundary(self.tokens.reach(text, at, self.max_tokens) as usize);
            let from = at as usize;
            let line =
                memchr::memrchr(b'\n', &text.as_bytes()[from..limit]).map(|position| from + position + 1);
            at = line.filter(|&line| line > from).unwrap_or(limit) as u32;
            self.cuts.push(at);
        }
    }

    /// The stretches between the cuts, without blank ends.
    fn chunks(&self, text: &str, symbols: &[Symbol]) -> Vec<Chunk> {
        let mut chunks = Vec::with_capacity(self.cuts.len());
        let mut line = 1;
        let mut counted = 0;
        let mut round = Round::default();
        for (at, &from) in self.cuts.iter().enumerate() {
            let to = self.cuts.get(at + 1).copied().unwrap_or(text.len() as u32);
            let stretch = &text[from as usize..to as usize];
            let start = to as usize - stretch.trim_start().len();
            let end = from as usize + stretch.trim_end().len();
            if start >= end {
                continue;
            }
            line += line_breaks(&text[counted..start]);
            let start_line = line;
            line += line_breaks(&text[start..end]);
            counted = end;
            let span = Span::new(start as u32, end as u32);
            chunks.push(Chunk {
                span,
                lines: LineRange::new(start_line, line),
                symbol: main_symbol(symbols, span, &mut round),
                hash: ContentHash::of(&text.as_bytes()[start..end]),
            });
        }
        chunks
    }
}

fn line_breaks(text: &str) -> u32 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u32
}

/// Whether a definition of this kind is a thing to find for itself: fields and constants belong to what is round
/// them.
fn stands_alone(kind: SymbolKind) -> bool {
    !matches!(
        kind,
        SymbolKind::Field
            | SymbolKind::Property
            | SymbolKind::EnumMember
            | SymbolKind::Constant
            | SymbolKind::Static
            | SymbolKind::Variable
            | SymbolKind::Module
            | SymbolKind::Namespace
    )
}

/// The innermost definition that goes on from one chunk to the next.
#[derive(Default)]
struct Round {
    /// How many definitions began before the chunk.
    before: usize,
    innermost: Option<usize>,
}

impl Round {
    /// The innermost definition that begins before a chunk and ends in it or after it, if `before` begin before it.
    /// Chunks come in order, so that what has ended is left behind once and for all.
    fn innermost(&mut self, symbols: &[Symbol], before: usize, chunk: Span) -> Option<usize> {
        if self.before != before {
            *self = Self { before, innermost: before.checked_sub(1) };
        }
        while let Some(symbol) = self.innermost.map(|index| &symbols[index])
            && symbol.extent.end <= chunk.start
        {
            self.innermost = symbol.parent.map(|at| at as usize);
        }
        self.innermost
    }
}

/// The definition that a chunk is about: the outermost that is all in it and makes up three fifths of it, else the
/// innermost that covers as much of it, else the largest that begins in it, else none.
fn main_symbol(symbols: &[Symbol], chunk: Span, round: &mut Round) -> Option<u32> {
    let overlap = |symbol: &Symbol| {
        symbol.extent.end.min(chunk.end).saturating_sub(symbol.extent.start.max(chunk.start))
    };
    let covers = |symbol: &Symbol| 5 * u64::from(overlap(symbol)) >= 3 * u64::from(chunk.len());
    let after = symbols.partition_point(|symbol| symbol.extent.start < chunk.start);
    let begin_inside = || (after..symbols.len()).take_while(|&index| symbols[index].extent.start < chunk.end);
    // Those that began before the chunk, the innermost first.
    let first = round.innermost(symbols, after, chunk);
    let round = std::iter::successors(first, |&index| symbols[index].parent.map(|at| at as usize));
    let whole = begin_inside()
        .filter(|&index| stands_alone(symbols[index].kind))
        .filter(|&index| chunk.contains(symbols[index].extent) && covers(&symbols[index]))
        .max_by_key(|&index| (symbols[index].extent.len(), std::cmp::Reverse(index)));
    let covering = || {
        let first = { round }.find(|&index| covers(&symbols[index]));
        let all = begin_inside().filter(|&index| covers(&symbols[index])).chain(first);
        all.min_by_key(|&index| symbols[index].extent.len())
    };
    let largest = || begin_inside().max_by_key(|&index| (overlap(&symbols[index]), std::cmp::Reverse(index)));
    whole.or_else(covering).or_else(largest).map(|index| index as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, ParseLimits, Parser};
    use proptest::prelude::*;

    fn assert_covers(text: &str, chunks: &[Chunk], max_tokens: u32) {
        let mut tokens = TokenCounter::default();
        tokens.read(text);
        let mut covered = 0;
        for chunk in chunks {
            let between = &text[covered as usize..chunk.span.start as usize];
            assert!(between.trim().is_empty(), "left out: {between:?}");
            assert!(!chunk.span.is_empty());
            let inside = &text[chunk.span.range()];
            assert_eq!(inside, inside.trim());
            let count = tokens.count(text, chunk.span.start, chunk.span.end);
            assert!(count <= max_tokens + MIN_MAX_TOKENS, "{count} tokens");
            let line_of = |at: u32| 1 + line_breaks(&text[..at as usize]);
            assert_eq!(chunk.lines, LineRange::new(line_of(chunk.span.start), line_of(chunk.span.end)));
            covered = chunk.span.end;
        }
        assert!(text[covered as usize..].trim().is_empty());
    }

    proptest! {
        #[test]
        fn every_byte_is_in_one_chunk(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("fn f() { g(1); }\n"), Just("struct S { a: u8 }\n"), Just("// comment é\n"), Just("}"),
                    Just("impl X { fn m(&self) { let s = \"text text text text\"; } }\n"), Just("((("), Just("\n\n"),
                    Just("const T: &str = \"äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü\";"),
                ],
                0..60,
            ),
            max_tokens in 16u32..100,
            language in prop_oneof![Just("rust"), Just("javascript"), Just("cpp"), Just("python")],
        ) {
            let text = parts.concat();
            let chunking = ChunkingConfig { max_tokens, solo_tokens: max_tokens / 4 };
            let mut parser = Parser::new(ParseLimits::default(), chunking);
            let file = parser.parse(text.as_bytes(), language.parse::<Language>().unwrap()).unwrap();
            assert_covers(&text, &file.chunks, max_tokens);
        }

        #[test]
        fn lines_without_a_tree_are_covered_too(text in "[a-zé\n ]{0,600}") {
            let mut chunker = Chunker::new(ChunkingConfig { max_tokens: 16, solo_tokens: 0 });
            let chunks = chunker.cut_by_lines(&text);
            assert_covers(&text, &chunks, 16);
        }
    }

    #[test]
    fn a_definition_of_some_size_stands_alone_with_its_comment() {
        let body = "    let x = compute(1, 2, 3);\n".repeat(10);
        let text = format!(
            "use a;\nuse b;\n\n/// One.\n#[inline]\nfn one() {{\n{body}}}\n\n/// Two.\nfn two() {{\n{body}}}\n"
        );
        let file = Parser::default().parse(text.as_bytes(), "rust".parse().unwrap()).unwrap();
        let first_lines: Vec<_> =
            file.chunks.iter().map(|chunk| text[chunk.span.range()].lines().next().unwrap()).collect();
        let names: Vec<_> =
            file.chunks.iter().map(|chunk| chunk.symbol.map(|at| &*file.symbols[at as usize].name)).collect();
        assert_eq!(names.last(), Some(&Some("two")), "{names:?}");
        assert!(first_lines.contains(&"/// Two."), "{first_lines:?}");
        assert!(names.contains(&Some("one")), "{names:?}");
    }

    #[test]
    fn a_chunk_that_holds_a_whole_class_is_about_the_class() {
        let body = "        value = compute(value, 1)\n".repeat(12);
        let text = format!("class Tree:\n    def grow(self, value):\n{body}");
        let file = Parser::default().parse(text.as_bytes(), "python".parse().unwrap()).unwrap();
        assert_eq!(file.chunks.iter().map(|chunk| chunk.symbol).collect::<Vec<_>>(), [Some(0)]);
    }
}
