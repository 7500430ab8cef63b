//! From tree-sitter's tree to columns.

use super::{Columns, NONE, flags};
use tree_sitter::Tree;

impl Columns {
    /// Lays out a tree. Leaves whose node kind id is not marked in `keep` are left out; `keep` has an entry for each
    /// of the grammar's node kind ids.
    pub(crate) fn fill(&mut self, tree: &Tree, keep: &[bool]) {
        #[cfg(ast_core_flatten)]
        if fast::fill(self, tree, keep) {
            return;
        }
        self.fill_by_cursor(tree, keep);
    }

    /// The same with tree-sitter's cursor.
    pub(crate) fn fill_by_cursor(&mut self, tree: &Tree, keep: &[bool]) {
        self.clear();
        let mut cursor = tree.walk();
        let mut rows: Vec<u32> = Vec::new();
        loop {
            let node = cursor.node();
            let kind = node.kind_id();
            let is_leaf = node.child_count() == 0;
            let kept =
                !is_leaf || node.is_error() || node.is_missing() || keep.get(kind as usize) == Some(&true);
            if kept {
                let flag = |on, bit| if on { bit } else { 0 };
                let row = self.kind.len() as u32;
                self.kind.push(kind);
                self.field.push(cursor.field_id().map_or(0, |field| field.get() as u8));
                self.flags.push(
                    flag(node.is_named(), flags::NAMED)
                        | flag(node.is_missing(), flags::MISSING)
                        | flag(node.has_error(), flags::HAS_ERROR)
                        | flag(node.is_extra(), flags::EXTRA),
                );
                self.start.push(node.start_byte() as u32);
                self.end.push(node.end_byte() as u32);
                self.next.push(row + 1);
                self.parent.push(rows.last().copied().unwrap_or(NONE));
                if cursor.goto_first_child() {
                    rows.push(row);
                    continue;
                }
            }
            loop {
                if cursor.goto_next_sibling() {
                    break;
                }
                if let Some(row) = rows.pop() {
                    self.next[row as usize] = self.kind.len() as u32;
                }
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }
}

#[cfg(ast_core_flatten)]
#[expect(unsafe_code, reason = "the cursor takes four times as long, a sixth of the parse")]
mod fast {
    use super::Columns;
    use tree_sitter::{Tree, ffi};

    /// `Columns` of flatten.c.
    #[repr(C)]
    struct Pointers {
        kind: *mut u16,
        field: *mut u8,
        flags: *mut u8,
        start: *mut u32,
        end: *mut u32,
        next: *mut u32,
        parent: *mut u32,
        capacity: u32,
    }

    unsafe extern "C" {
        fn ast_core_flatten(tree: *const ffi::TSTree, keep: *const u8, columns: Pointers) -> u32;
    }

    /// Whether the columns were filled; they are not if tree-sitter counts fewer nodes than there are.
    pub(super) fn fill(columns: &mut Columns, tree: &Tree, keep: &[bool]) -> bool {
        columns.clear();
        let root = tree.root_node();
        let capacity = root.descendant_count();
        if keep.len() < tree.language().node_kind_count() {
            return false;
        }
        columns.kind.reserve(capacity);
        columns.field.reserve(capacity);
        columns.flags.reserve(capacity);
        columns.start.reserve(capacity);
        columns.end.reserve(capacity);
        columns.next.reserve(capacity);
        columns.parent.reserve(capacity);
        let pointers = Pointers {
            kind: columns.kind.as_mut_ptr(),
            field: columns.field.as_mut_ptr(),
            flags: columns.flags.as_mut_ptr(),
            start: columns.start.as_mut_ptr(),
            end: columns.end.as_mut_ptr(),
            next: columns.next.as_mut_ptr(),
            parent: columns.parent.as_mut_ptr(),
            capacity: capacity as u32,
        };
        // SAFETY: the tree lives and is only read. `keep` has a byte, 0 or 1, for each symbol of its language. Each
        // column has room for `capacity` rows, and no more are written.
        let rows = unsafe { ast_core_flatten(root.into_raw().tree, keep.as_ptr().cast(), pointers) } as usize;
        if rows > capacity {
            return false;
        }
        // SAFETY: so many rows of each column were written, which is no more than were reserved.
        unsafe {
            columns.kind.set_len(rows);
            columns.field.set_len(rows);
            columns.flags.set_len(rows);
            columns.start.set_len(rows);
            columns.end.set_len(rows);
            columns.next.set_len(rows);
            columns.parent.set_len(rows);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::{LANGUAGES, Spec};
    use proptest::prelude::*;

    fn assert_same(spec: &'static Spec, text: &str) {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(spec.grammar()).unwrap();
        let tree = parser.parse(text, None).unwrap();
        let everything = vec![true; spec.compiled().kept.len()];
        for keep in [&everything[..], &spec.compiled().kept] {
            let (mut fast, mut safe) = (Columns::default(), Columns::default());
            fast.fill(&tree, keep);
            safe.fill_by_cursor(&tree, keep);
            assert_eq!(fast.kind, safe.kind, "{}", spec.name);
            assert_eq!(fast.field, safe.field, "{}", spec.name);
            assert_eq!(fast.flags, safe.flags, "{}", spec.name);
            assert_eq!(fast.start, safe.start, "{}", spec.name);
            assert_eq!(fast.end, safe.end, "{}", spec.name);
            assert_eq!(fast.next, safe.next, "{}", spec.name);
            assert_eq!(fast.parent, safe.parent, "{}", spec.name);
        }
    }

    #[test]
    fn the_fast_way_is_built() {
        const { assert!(cfg!(ast_core_flatten), "tree-sitter's private headers have moved or changed") };
    }

    #[test]
    fn the_columns_of_every_fixture_are_what_the_cursor_sees() {
        let mut seen = 0;
        crate::languages::tests::for_each_fixture(|language, _, bytes| {
            assert_same(language.0, &String::from_utf8_lossy(bytes));
            seen += 1;
        });
        assert!(seen >= LANGUAGES.len());
    }

    proptest! {
        #[test]
        fn and_those_of_broken_text(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[a-z(){};=<>.,:\"'`$#@&|!?\\[\\]\n é-]{0,12}",
                    Just("function f(a, b) { return a?.b; }".to_owned()),
                    Just("class A<T> : B { public: int x; };\n".to_owned()),
                    Just("def f(a: int = 1):\n    pass\n".to_owned()),
                    Just("fn f<'a>(x: &'a str) -> T { x! }\n".to_owned()),
                ],
                0..12,
            ),
            at in 0..LANGUAGES.len(),
        ) {
            assert_same(LANGUAGES[at], &parts.concat());
        }
    }
}
