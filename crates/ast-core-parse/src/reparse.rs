//! Parsing a text again after it was edited, as editors do.

use crate::{Language, ParseError, ParsedFile, Parser, SourceText};
use ast_core_model::Span;
use tree_sitter::{InputEdit, Point, Tree};

/// A text and its syntax tree, kept so that the text can be edited and parsed again at little cost.
#[derive(Debug, Clone)]
pub struct EditedText {
    text: String,
    name: String,
    language: Language,
    /// `None` if the text is not parsed yet, or the last parse came to none: see [`Coverage`](crate::Coverage).
    tree: Option<Tree>,
    /// Whether the tree is of the text itself and not of what stands in for it.
    stands_for_itself: bool,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced, of the text as it is before this edit.
    pub span: Span,
    /// What they are replaced by.
    pub text: String,
}

impl EditedText {
    /// A text that is not parsed yet; `stem` is the file's name without folder and extension, or `""`.
    pub fn new(text: impl Into<String>, stem: impl Into<String>, language: Language) -> Self {
        Self { text: text.into(), name: stem.into(), language, tree: None, stands_for_itself: false }
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The language it is parsed as.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Changes the text and the places of the tree's nodes.
    fn apply(&mut self, edit: &Edit) -> Result<(), ParseError> {
        let range = edit.span.range();
        let fits = range.start <= range.end
            && self.text.is_char_boundary(range.start)
            && self.text.is_char_boundary(range.end);
        if !fits {
            return Err(ParseError::Edit { received: edit.span, length: self.text.len() });
        }
        let start_position = point_of(&self.text, range.start);
        let old_end_position = point_of(&self.text, range.end);
        self.text.replace_range(range.clone(), &edit.text);
        let new_end_byte = range.start + edit.text.len();
        if let Some(tree) = &mut self.tree {
            tree.edit(&InputEdit {
                start_byte: range.start,
                old_end_byte: range.end,
                new_end_byte,
                start_position,
                old_end_position,
                new_end_position: point_of(&self.text, new_end_byte),
            });
        }
        Ok(())
    }
}

fn point_of(text: &str, at: usize) -> Point {
    let before = &text.as_bytes()[..at];
    let line = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
    Point::new(memchr::memchr_iter(b'\n', before).count(), at - line)
}

impl Parser {
    /// Makes the edits, one after the other, and parses the text again. What a tree has from before is used where it
    /// still holds; what comes out is what parsing the text anew gives.
    ///
    /// ```
    /// use ast_core_model::Span;
    /// use ast_core_parse::{Edit, EditedText, Parser};
    ///
    /// let mut parser = Parser::default();
    /// let mut text = EditedText::new("fn one() {}\n", "lib", "rust".parse()?);
    /// assert_eq!(&*parser.reparse(&mut text, &[])?.symbols[0].name, "one");
    /// let edit = Edit { span: Span::new(3, 6), text: "two".into() };
    /// assert_eq!(&*parser.reparse(&mut text, &[edit])?.symbols[0].name, "two");
    /// assert_eq!(text.text(), "fn two() {}\n");
    /// # Ok::<(), ast_core_parse::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError::Edit`] if an edit is not within the text or cuts a character; the edits before it are made, and
    /// the text can be parsed again. [`ParseError::TooLarge`] from 4 GiB, which no position reaches.
    pub fn reparse(&mut self, text: &mut EditedText, edits: &[Edit]) -> Result<ParsedFile, ParseError> {
        for edit in edits {
            text.apply(edit)?;
        }
        let source = SourceText::from_text(&text.text).named(&text.name);
        if let Some(refusal) = self.refusal(&text.text) {
            text.tree = None;
            return self.read_tree(&source, text.language, Err(refusal));
        }
        let budget = self.limits.time_budget;
        let mut tree = None;
        // What stands in for a text may differ from before in other places than the edits'.
        let stands_for_itself = (text.language.0.syntax.stand_in)(&text.text).is_none();
        if text.tree.is_some() && stands_for_itself && text.stands_for_itself {
            // Where the text does not follow the grammar, how tree-sitter recovers depends on what it had before.
            tree = self.reader.tree(&text.text, text.language, text.tree.as_ref(), budget)?.ok();
            tree = tree.filter(|tree| !tree.root_node().has_error());
        }
        let tree = match tree {
            Some(tree) => Ok(tree),
            None => self.reader.tree(&text.text, text.language, None, budget)?,
        };
        text.stands_for_itself = stands_for_itself;
        let file = self.read_tree(&source, text.language, tree.as_ref().map_err(|coverage| *coverage));
        text.tree = tree.ok();
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECES: [&str; 16] = [
        "fn f() { g(1); }\n",
        "class A { m() { return 1 } }\n",
        "def f(a):\n    return a\n",
        "// c\n",
        "{",
        "}",
        "(",
        "\n",
        "x = 1;\n",
        "\"é\"",
        "/*",
        "if (a && b) { c(); }\n",
        "    ",
        "int f(int a) { return a; }\n",
        "MACRO_HERE(x)\n",
        "#if A\nint f(int a) {\n#else\nint f(long a) {\n#endif\n",
    ];

    proptest! {
        #[test]
        fn the_same_as_anew(
            first in proptest::collection::vec(0..PIECES.len(), 0..12),
            edits in proptest::collection::vec((0.0..1.0f64, 0.0..1.0f64, 0..PIECES.len()), 1..6),
            language in proptest::sample::select(vec!["rust", "javascript", "python", "cpp", "java", "typescript", "go", "c"]),
        ) {
            let language: Language = language.parse().unwrap();
            let mut parser = Parser::default();
            let begin: String = first.into_iter().map(|at| PIECES[at]).collect();
            let mut text = EditedText::new(begin, "x", language);
            parser.reparse(&mut text, &[]).unwrap();
            for (from, to, piece) in edits {
                let place = |part: f64| text.text().floor_char_boundary((part * text.text().len() as f64) as usize) as u32;
                let (from, to) = (place(from), place(to));
                let edit = Edit { span: Span::new(from.min(to), from.max(to)), text: PIECES[piece].into() };
                let again = parser.reparse(&mut text, &[edit]).unwrap();
                let source = SourceText::from_text(text.text()).named("x");
                prop_assert_eq!(again, parser.parse_source(&source, language).unwrap());
            }
        }
    }

    #[test]
    fn an_edit_beyond_the_text_or_inside_of_a_character_is_refused() {
        let mut parser = Parser::default();
        let mut text = EditedText::new("let é = 1;", "", "javascript".parse().unwrap());
        for span in [Span::new(0, 99), Span::new(5, 6)] {
            let error = parser.reparse(&mut text, &[Edit { span, text: String::new() }]).unwrap_err();
            assert!(matches!(error, ParseError::Edit { length: 11, .. }), "{error}");
        }
        assert_eq!(parser.reparse(&mut text, &[]).unwrap().symbols.len(), 1);
    }
}
