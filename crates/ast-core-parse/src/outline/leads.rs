//! What leads up to a definition: comments, attributes, and what wraps it.

use super::Pass;
use crate::comment;
use crate::languages::Role;
use crate::syntax::Node;

/// How many bytes of white space at the end of a node are taken off.
const MAX_TRAILING_BYTES: usize = 4096;

/// The comments and attributes that lead up to a node.
pub(super) struct Lead {
    /// The node's row.
    pub(super) row: u32,
    /// Where they begin, or the node itself.
    pub(super) begin: u32,
    /// The row of what follows the attributes that the node begins with, or the node's.
    pub(super) after_attributes: u32,
    /// Whether some of them are documentation.
    pub(super) has_docs: bool,
    /// The documentation's text, if it was wanted.
    pub(super) doc: Option<Box<str>>,
}

impl<'tree> Pass<'_, 'tree> {
    /// Whether a node stands for the definition inside it, and did not for another one before.
    pub(super) fn stands_for_child(&self, node: Node<'tree>) -> bool {
        self.role(node.kind_id()).is(Role::WRAPPER.or(Role::OUTER_WRAPPER))
            && self.scopes.last().is_none_or(|scope| scope.row != node.row())
            && self.wrapped.is_none_or(|wrapped| wrapped < node.row())
            && (self.spec.syntax.is_wrapper)(node)
    }

    /// What leads up to a node; with the documentation's text if that is wanted.
    pub(super) fn lead(&self, node: Node<'tree>, wants_doc: bool) -> Lead {
        let source = self.tree.source;
        let mut begin = node.start();
        let is_next = |before: Node<'tree>, begin: u32| {
            let between = source.get(end_of(before, source) as usize..begin as usize).map(str::as_bytes);
            between.is_some_and(|between| {
                between.iter().all(u8::is_ascii_whitespace)
                    && memchr::memchr_iter(b'\n', between).count() <= 1
                    && before.parent() == node.parent()
            })
        };
        let is_comment = |node: Node<'_>| self.role(node.kind_id()).is(Role::COMMENT);
        let mut led_by: Vec<Node<'tree>> = Vec::new();
        for &row in self.buffers.collected.iter().rev().skip_while(|&&row| row >= node.row()) {
            let before = self.tree.node(row);
            if !is_next(before, begin) {
                break;
            }
            begin = before.start();
            led_by.push(before);
        }
        // A comment that follows something on its line belongs to that.
        while led_by.last().is_some_and(|first| is_comment(*first) && follows_text(source, first.start())) {
            led_by.pop();
        }
        let is_doc = |node: &Node<'_>| is_comment(*node) && (self.spec.syntax.is_doc)(node.text());
        let mut docs = led_by.iter().copied().rev().filter(is_doc).peekable();
        let has_docs = docs.peek().is_some();
        let mut text = String::new();
        if wants_doc {
            docs.for_each(|node| comment::push_text(&mut text, node.text()));
        }
        Lead {
            row: node.row(),
            begin: led_by.last().map_or(node.start(), |first| first.start()),
            after_attributes: self.after_attributes(node).row(),
            has_docs,
            doc: comment::finish(&text),
        }
    }

    /// What follows the decorators and attributes that a node begins with.
    pub(super) fn after_attributes(&self, node: Node<'tree>) -> Node<'tree> {
        let is_attribute = |child: &Node<'_>| self.role(child.kind_id()).is(Role::ATTRIBUTE);
        if !node.first_child().is_some_and(|first| is_attribute(&first)) {
            return node;
        }
        let is_lead = |child: &Node<'_>| self.role(child.kind_id()).is(Role::ATTRIBUTE.or(Role::COMMENT));
        node.children().find(|child| !is_lead(child)).unwrap_or(node)
    }
}

/// Whether something other than white space stands before the place on its line.
fn follows_text(source: &str, at: u32) -> bool {
    let before = source.as_bytes()[..at as usize].iter().rev();
    before.take_while(|&&byte| byte != b'\n').any(|byte| !byte.is_ascii_whitespace())
}

/// The end of a node without trailing white space, which some grammars include.
pub(super) fn end_of(node: Node<'_>, source: &str) -> u32 {
    let bytes = &source.as_bytes()[..node.end() as usize];
    let mut end = bytes.len();
    let least = (node.start() as usize).max(end.saturating_sub(MAX_TRAILING_BYTES));
    while end > least && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    end as u32
}
