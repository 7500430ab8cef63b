//! The stack of a parser that is at work.

/// How many nodes the stacks may have: a node is a bracket that is open, or a comment whose neighbours are not known
/// yet. No file of the corpus of the benchmarks comes near it.
const MAX_NODES: u32 = 1 << 18;
/// How many nodes stacks may have that fork so often. What forks is looked through along every way at the end of the
/// text, all at once: seconds and gigabytes that no callback stops. No file of the corpus of the benchmarks has as many.
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

#[cfg(test)]
mod tests {
    use crate::{Coverage, Language, Parser};

    #[test]
    fn the_view_of_stacks_is_built() {
        const { assert!(cfg!(ast_core_stack), "tree-sitter's private sources have moved or changed") };
    }

    fn coverage(language: &str, text: &str) -> Option<Coverage> {
        let language: Language = language.parse().ok()?;
        Some(Parser::default().parse(text.as_bytes(), language).unwrap().coverage)
    }

    #[test]
    fn what_forks_and_forks_is_given_up_and_what_is_just_long_is_not() {
        let is = |found: Option<Coverage>, wanted: Coverage| found.is_none_or(|found| found == wanted);
        // Unbounded, it takes gigabytes.
        let comments = "/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*\n".repeat(4_000);
        assert!(is(coverage("python", &comments), Coverage::TooComplex));
        assert!(is(coverage("c", &"(((((((((((((((((((\n".repeat(30_000)), Coverage::TooComplex));
        assert!(is(coverage("rust", &"// a\n".repeat(40_000)), Coverage::Full));
        assert!(is(coverage("rust", &"fn f() { g(a < b, c > d); }\n".repeat(8_000)), Coverage::Full));
        let nested = format!("x = {}1{}\n", "[\n".repeat(2_000), "]\n".repeat(2_000));
        assert!(is(coverage("python", &nested), Coverage::Full));
    }
}
