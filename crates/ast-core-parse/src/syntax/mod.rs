//! A syntax tree laid out in columns: one row a node, parents before children.
//!
//! Everything that is asked of a tree here is asked of these columns. A pass over all nodes is a scan of arrays, a
//! subtree is skipped by one jump, and nothing recurses.

mod arena;
mod flatten;
mod reader;
mod stack;

use crate::languages::Compiled;
use std::ops::Range;

pub(crate) use reader::{Reader, count_errors};

/// The kind of a node that tree-sitter could not fit into the grammar.
pub(crate) const ERROR: u16 = u16::MAX;

/// Bits of the column `flags`.
pub(crate) mod flags {
    /// Named in the grammar, as opposed to punctuation and keywords.
    pub(crate) const NAMED: u8 = 1;
    /// Put in by tree-sitter because the grammar wants it; it is not in the text.
    pub(crate) const MISSING: u8 = 2;
    /// Is or holds an error.
    pub(crate) const HAS_ERROR: u8 = 4;
    /// May stand anywhere, such as a comment.
    pub(crate) const EXTRA: u8 = 8;
}

/// How many children of a node are looked at for one that is said to be there once. What has more is a list, of names
/// that are declared together or the like, and each of these may look.
pub(crate) const HEAD: usize = 128;

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// The columns; they keep their memory from one tree to the next.
#[derive(Default)]
pub(crate) struct Columns {
    /// Node kind ids of the grammar, or [`ERROR`].
    pub(crate) kind: Vec<u16>,
    /// Field ids of the grammar, 0 for none.
    pub(crate) field: Vec<u8>,
    pub(crate) flags: Vec<u8>,
    pub(crate) start: Vec<u32>,
    pub(crate) end: Vec<u32>,
    /// The row after the last descendant.
    pub(crate) next: Vec<u32>,
    /// The row of the parent, [`NONE`] for the root.
    pub(crate) parent: Vec<u32>,
}

impl Columns {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.kind.len()
    }

    fn clear(&mut self) {
        self.kind.clear();
        self.field.clear();
        self.flags.clear();
        self.start.clear();
        self.end.clear();
        self.next.clear();
        self.parent.clear();
    }

    /// Gives memory back that only an unusually large tree needed.
    pub(crate) fn shrink(&mut self) {
        const KEPT_ROWS: usize = 1 << 20;
        if self.kind.capacity() > KEPT_ROWS {
            *self = Self::default();
        }
    }
}

/// A tree in columns, and what is needed to read it.
#[derive(Clone, Copy)]
pub(crate) struct SyntaxTree<'tree> {
    pub(crate) columns: &'tree Columns,
    pub(crate) compiled: &'static Compiled,
    pub(crate) source: &'tree str,
}

/// A node: a row of the columns.
#[derive(Clone, Copy)]
pub(crate) struct Node<'tree> {
    syntax: &'tree SyntaxTree<'tree>,
    row: u32,
}

impl<'tree> SyntaxTree<'tree> {
    /// The node in this row, which has to be there.
    pub(crate) fn node(&'tree self, row: u32) -> Node<'tree> {
        debug_assert!((row as usize) < self.columns.len());
        Node { syntax: self, row }
    }
}

#[cfg_attr(
    not(feature = "all-languages"),
    allow(dead_code, clippy::allow_attributes, reason = "a build of few languages needs less of it")
)]
impl<'tree> Node<'tree> {
    pub(crate) fn row(self) -> u32 {
        self.row
    }

    fn at(self) -> usize {
        self.row as usize
    }

    pub(crate) fn kind_id(self) -> u16 {
        self.syntax.columns.kind[self.at()]
    }

    /// The name of its kind, as in the grammar.
    pub(crate) fn kind(self) -> &'static str {
        self.syntax.compiled.kind_name(self.kind_id())
    }

    pub(crate) fn start(self) -> u32 {
        self.syntax.columns.start[self.at()]
    }

    pub(crate) fn end(self) -> u32 {
        self.syntax.columns.end[self.at()]
    }

    pub(crate) fn len(self) -> u32 {
        self.end() - self.start()
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start() as usize..self.end() as usize
    }

    pub(crate) fn text(self) -> &'tree str {
        self.syntax.source.get(self.range()).unwrap_or("")
    }

    pub(crate) fn is_named(self) -> bool {
        self.syntax.columns.flags[self.at()] & flags::NAMED != 0
    }

    pub(crate) fn field_id(self) -> u8 {
        self.syntax.columns.field[self.at()]
    }

    /// Which of the fields that lead to a name it is in, the first of them 0.
    pub(crate) fn name_rank(self) -> Option<u8> {
        self.syntax.compiled.name_rank(self.field_id())
    }

    /// The name of the field it is in, `""` if in none.
    pub(crate) fn field_name(self) -> &'static str {
        self.syntax.compiled.field_name(self.field_id())
    }

    pub(crate) fn parent(self) -> Option<Node<'tree>> {
        let row = self.syntax.columns.parent[self.at()];
        (row != NONE).then(|| self.syntax.node(row))
    }

    /// The node that this one is `up` levels inside of: 1 is its parent.
    pub(crate) fn ancestor(self, up: usize) -> Option<Node<'tree>> {
        (0..up).try_fold(self, |node, _| node.parent())
    }

    /// The kind of its parent, `""` for the root.
    pub(crate) fn parent_kind(self) -> &'static str {
        self.parent().map_or("", Node::kind)
    }

    /// The row after its last descendant.
    pub(crate) fn next_row(self) -> u32 {
        self.syntax.columns.next[self.at()]
    }

    /// Whether it has no children.
    pub(crate) fn is_leaf(self) -> bool {
        self.next_row() == self.row + 1
    }

    /// Its children: named ones, and tokens that are words or operators. Punctuation is not among them.
    pub(crate) fn children(self) -> Children<'tree> {
        Children { syntax: self.syntax, row: self.row + 1, end: self.next_row() }
    }

    pub(crate) fn named_children(self) -> impl Iterator<Item = Node<'tree>> {
        self.children().filter(|child| child.is_named())
    }

    pub(crate) fn first_child(self) -> Option<Node<'tree>> {
        self.children().next()
    }

    pub(crate) fn next_sibling(self) -> Option<Node<'tree>> {
        let end = self.parent().map_or(0, Node::next_row);
        (self.next_row() < end).then(|| self.syntax.node(self.next_row()))
    }

    /// The sibling before it.
    pub(crate) fn previous_sibling(self) -> Option<Node<'tree>> {
        let parent = self.syntax.columns.parent[self.at()];
        // What is in the row before is the sibling, or the last that is inside of it.
        let last = self.row.checked_sub(1).filter(|&last| last != parent)?;
        let round = std::iter::successors(Some(self.syntax.node(last)), |node| node.parent());
        round.take_while(|node| node.row != parent).last()
    }

    /// Its first child in this field; not looked for behind the first [`HEAD`] children.
    pub(crate) fn field(self, name: &str) -> Option<Node<'tree>> {
        if self.is_leaf() {
            return None;
        }
        let field = self.syntax.compiled.field_id(name);
        self.children().take(HEAD).find(|child| field != 0 && child.field_id() == field)
    }

    /// Its children in this field.
    pub(crate) fn children_in(self, name: &str) -> impl Iterator<Item = Node<'tree>> {
        let field = self.syntax.compiled.field_id(name);
        self.children().filter(move |child| field != 0 && child.field_id() == field)
    }

    /// Its first child of this kind; not looked for behind the first [`HEAD`] children.
    pub(crate) fn child(self, kind: &str) -> Option<Node<'tree>> {
        self.children().take(HEAD).find(|child| child.kind() == kind)
    }

    /// Visits it and the nodes inside it, parents before children; not what is inside of those that `enter` is false
    /// for.
    pub(crate) fn descend(self, mut enter: impl FnMut(Node<'tree>) -> bool) {
        let mut row = self.row;
        while row < self.next_row() {
            let node = self.syntax.node(row);
            row = if enter(node) { row + 1 } else { node.next_row() };
        }
    }

    /// It and all nodes inside it, parents before children.
    pub(crate) fn descendants(self) -> impl Iterator<Item = Node<'tree>> {
        (self.row..self.next_row()).map(|row| self.syntax.node(row))
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row && std::ptr::eq(self.syntax, other.syntax)
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}..{}", self.kind(), self.start(), self.end())
    }
}

/// The children of a node.
#[derive(Clone)]
pub(crate) struct Children<'tree> {
    syntax: &'tree SyntaxTree<'tree>,
    row: u32,
    end: u32,
}

impl<'tree> Iterator for Children<'tree> {
    type Item = Node<'tree>;

    fn next(&mut self) -> Option<Node<'tree>> {
        if self.row >= self.end {
            return None;
        }
        let node = self.syntax.node(self.row);
        self.row = node.next_row();
        Some(node)
    }
}
