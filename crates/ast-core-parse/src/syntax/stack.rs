//! The stack of a parser that is at work.

/// How many nodes the stacks may have: a node is a bracket that is open, or a comment whose neighbours are not known
/// yet. Of 15,800 source files the most had 2,261.
const MAX_NODES: u32 = 1 << 18;
/// How many nodes stacks may have that fork so often. What forks is looked through along every way at the end of the
/// text, all at once: seconds and gigabytes that no callback stops. Of 15,800 source files the most had 2,261 nodes
/// and 109 forks.
const MAX_FORKED_NODES: u32 = 1 << 13;
const MAX_FORKS: u32 = 1 << 8;
/// How many steps a parser takes between two calls of its progress callback.
const STEPS_PER_CALL: u32 = 100;
/// How many of these calls go by between two looks, at least.
const CALLS_PER_LOOK: u32 = 16;

/// What a look at the stacks of a parser shows.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shape {
    /// How many nodes the stacks have together.
    nodes: u32,
    /// How many ways lead on from them, beside the first from each.
    forks: u32,
}

impl Shape {
    fn is_out_of_hand(self) -> bool {
        self.nodes >= MAX_NODES || self.nodes >= MAX_FORKED_NODES && self.forks >= MAX_FORKS
    }
}

/// Looks at a parser's stacks from time to time.
#[derive(Default)]
pub(crate) struct Watch {
    calls_to_skip: u32,
}

impl Watch {
    /// Whether the stacks got out of hand. To be asked whenever the parser calls back.
    pub(crate) fn is_out_of_hand(&mut self, stacks: &StackView) -> bool {
        if self.calls_to_skip > 0 {
            self.calls_to_skip -= 1;
            return false;
        }
        let shape = stacks.shape();
        // A step of the parser or more for each node looked at, so that looking stays a small part of the work.
        self.calls_to_skip = CALLS_PER_LOOK + shape.nodes / STEPS_PER_CALL;
        shape.is_out_of_hand()
    }
}

pub(crate) use view::StackView;

#[cfg(ast_core_stack)]
#[expect(unsafe_code, reason = "tree-sitter has no other way to see what a parse is about to cost")]
mod view {
    use super::{MAX_NODES, Shape};
    use std::ptr::NonNull;
    use tree_sitter::{Parser, ffi};

    unsafe extern "C" {
        fn ast_core_stack_shape(parser: *const ffi::TSParser, at_most: u32) -> Shape;
    }

    /// Sees the stacks of a parser.
    pub(crate) struct StackView(NonNull<ffi::TSParser>);

    // SAFETY: it goes to other threads with its parser only, which is `Send`.
    unsafe impl Send for StackView {}

    impl StackView {
        /// A parser and the view of its stacks, which has to be kept no longer.
        pub(crate) fn with_parser() -> (Parser, Self) {
            let raw = Parser::new().into_raw();
            // SAFETY: it was made by `into_raw` from a parser, which is not used otherwise.
            unsafe { (Parser::from_raw(raw), Self(NonNull::new_unchecked(raw))) }
        }

        pub(super) fn shape(&self) -> Shape {
            // SAFETY: the parser lives, and is read between two of its steps only, by its own thread.
            unsafe { ast_core_stack_shape(self.0.as_ptr(), MAX_NODES) }
        }
    }
}

#[cfg(not(ast_core_stack))]
mod view {
    use super::Shape;

    /// Sees nothing: tree-sitter's private sources are missing, or not those that are known.
    pub(crate) struct StackView;

    impl StackView {
        pub(crate) fn with_parser() -> (tree_sitter::Parser, Self) {
            (tree_sitter::Parser::new(), Self)
        }

        pub(super) fn shape(&self) -> Shape {
            Shape::default()
        }
    }
}
