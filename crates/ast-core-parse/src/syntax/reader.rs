//! From text to a tree, or straight to its columns.

use super::Columns;
use super::arena::Arena;
use super::stack::{StackView, Watch};
use crate::budget::Budget;
use crate::{Coverage, Language, ParseError};
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::time::Duration;
use tree_sitter::{ParseOptions, ParseState, Tree};

/// The part of a file's time that its tree may take, as a fraction: what is read out of the tree takes about a fifth of
/// that, and giving the memory of what was not finished back up to a third.
const TREE_SHARE: (u32, u32) = (3, 4);

/// Parses texts; keeps its memory.
pub(crate) struct Reader {
    /// For trees that somebody keeps.
    syntax: Syntax,
    /// For trees that are read at once.
    arena: Arena,
}

impl Reader {
    pub(crate) fn new() -> Self {
        // The arena first: nothing of tree-sitter's is there when it comes between that and its allocator.
        let arena = Arena::new();
        Self { syntax: Syntax::new(), arena }
    }

    /// The tree of a text, or why there is none: the time is up, or the text is too complex.
    ///
    /// # Errors
    /// [`ParseError::Grammar`].
    pub(crate) fn tree(
        &mut self,
        text: &str,
        language: Language,
        old: Option<&Tree>,
        budget: Duration,
    ) -> Result<Result<Tree, Coverage>, ParseError> {
        self.syntax.tree(text, language, old, budget)
    }

    /// Lays the tree of a text out in columns, as [`Columns::fill`] does; why not, if there is none.
    ///
    /// # Errors
    /// [`ParseError::Grammar`].
    #[expect(
        unsafe_code,
        reason = "asking for the memory of a tree and giving it back takes an eighth of the parse"
    )]
    pub(crate) fn fill(
        &mut self,
        columns: &mut Columns,
        keep: &[bool],
        text: &str,
        language: Language,
        budget: Duration,
    ) -> Result<Result<(), Coverage>, ParseError> {
        let mut fill = |tree: &Tree| columns.fill(tree, keep);
        let read = || {
            let tree = Syntax::new().tree(text, language, None, budget)?;
            // Its memory goes as a whole.
            Ok(tree.map(ManuallyDrop::new).map(|tree| fill(&tree)))
        };
        // SAFETY: the parser and the tree are made here and go no further. The languages are tables that are never
        // freed, and nothing else of tree-sitter's is touched.
        if let Some(read) = unsafe { self.arena.run(read) } {
            return read;
        }
        Ok(self.syntax.tree(text, language, None, budget)?.map(|tree| fill(&tree)))
    }
}

/// A parser of tree-sitter, and the view of its stacks.
struct Syntax {
    parser: tree_sitter::Parser,
    stacks: StackView,
}

impl Syntax {
    fn new() -> Self {
        let (parser, stacks) = StackView::with_parser();
        Self { parser, stacks }
    }

    /// The tree, or why there is none.
    fn tree(
        &mut self,
        text: &str,
        language: Language,
        old: Option<&Tree>,
        budget: Duration,
    ) -> Result<Result<Tree, Coverage>, ParseError> {
        let grammar = language.0.grammar();
        self.parser
            .set_language(grammar)
            .map_err(|error| ParseError::Grammar { language: language.0.name, reason: error.to_string() })?;
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
            let tree = self.parser.parse_with_options(&mut rest, old, Some(options));
            if tree.is_none() {
                // Else the next file would be taken for the rest of this one.
                self.parser.reset();
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

/// How many nodes of a tree are errors, or are put in because the grammar wants them.
pub(crate) fn count_errors(tree: &Tree) -> usize {
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
