//! What in a piece of code editors would give a colour to, by the queries that come with the grammars.

use crate::languages::Spec;
use crate::syntax::count_errors;
use crate::{Language, ParseError, Parser};
use ast_core_model::Span;
use std::cmp::Reverse;
use tree_sitter::Tree;

/// What a word of code is to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accent {
    /// A comment.
    Comment,
    /// A keyword, or a name that is as good as one, such as `self`.
    Keyword,
    /// A string, or another literal text.
    String,
    /// A number, a constant, or an escape in a string.
    Constant,
    /// The name of a type.
    Type,
    /// The name of a function, where it is defined or called.
    Function,
    /// An attribute, annotation or label.
    Attribute,
}

/// A part of a text and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Highlight {
    /// Its bytes in the text.
    pub span: Span,
    /// What it is.
    pub accent: Accent,
}

/// What a capture of a query makes of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    /// Nothing: it is there for something else.
    Nothing,
    /// Ordinary text, whatever it is inside of.
    Plain,
    As(Accent),
}

/// A language's query, ready for use.
#[derive(Debug)]
pub(crate) struct HighlightQuery {
    query: tree_sitter::Query,
    /// By the index of the capture.
    paints: Box<[Paint]>,
}

impl HighlightQuery {
    /// `None` if the language has no query, or one that does not fit its grammar, which a test rules out.
    pub(crate) fn of(spec: &Spec) -> Option<Self> {
        if spec.highlights.is_empty() {
            return None;
        }
        let mut query = tree_sitter::Query::new(spec.grammar(), &spec.highlights.concat()).ok()?;
        for pattern in 0..query.pattern_count() {
            // Names are not looked up here, so nobody knows what is local.
            let predicates = query.property_predicates(pattern);
            if predicates.iter().any(|(property, wanted)| !wanted && &*property.key == "local") {
                query.disable_pattern(pattern);
            }
        }
        let paints = query.capture_names().iter().map(|name| paint_of(name)).collect();
        Some(Self { query, paints })
    }
}

/// By the names that the grammars agree on, more or less.
fn paint_of(name: &str) -> Paint {
    let accent = match name {
        "type.qualifier" | "variable.builtin" => Accent::Keyword,
        "string.escape" => Accent::Constant,
        _ => match name.split('.').next().unwrap_or_default() {
            "comment" => Accent::Comment,
            "conditional" | "exception" | "include" | "keyword" | "preproc" | "repeat" | "storageclass" => {
                Accent::Keyword
            }
            "character" | "string" => Accent::String,
            "boolean" | "constant" | "escape" | "float" | "number" => Accent::Constant,
            "constructor" | "tag" | "type" => Accent::Type,
            "function" | "method" => Accent::Function,
            "attribute" | "label" => Accent::Attribute,
            "delimiter" | "embedded" | "field" | "module" | "namespace" | "none" | "operator"
            | "parameter" | "property" | "punctuation" | "variable" => return Paint::Plain,
            _ => return Paint::Nothing,
        },
    };
    Paint::As(accent)
}

impl Parser {
    /// What in a text editors would give a colour to, in order, and without overlaps. The text may be any piece of a file:
    /// what is cut off at its ends is understood as far as it can be. Of a language without a query there is nothing.
    ///
    /// ```
    /// use ast_core_parse::{Accent, Parser};
    ///
    /// let text = "    let name = \"Ada\"; // said";
    /// let found = Parser::default().highlight(text, "rust".parse()?)?;
    /// let found: Vec<_> = found.iter().map(|part| (&text[part.span.range()], part.accent)).collect();
    /// assert_eq!(found, [("let", Accent::Keyword), ("\"Ada\"", Accent::String), ("// said", Accent::Comment)]);
    /// # Ok::<(), ast_core_parse::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError::TooLarge`], [`ParseError::TimedOut`], [`ParseError::TooComplex`].
    pub fn highlight(&mut self, text: &str, language: Language) -> Result<Vec<Highlight>, ParseError> {
        let Some(HighlightQuery { query, paints }) = language.0.highlight_query() else {
            return Ok(Vec::new());
        };
        let (whole, shift, tree) = self.tree_of_piece(text, language)?;
        let mut captures = Vec::new();
        // What is left out for want of time is shown as it is.
        self.each_match(&whole, &tree, query, |pattern, found| {
            for capture in found {
                let paint = paints.get(capture.index as usize).copied().unwrap_or(Paint::Nothing);
                if paint != Paint::Nothing {
                    captures.push((
                        capture.node.start_byte(),
                        Reverse(capture.node.end_byte()),
                        pattern,
                        paint,
                    ));
                }
            }
        });
        // What is inside of another comes after it, and of the same node the last pattern counts, as editors have it.
        captures.sort_by_key(|&(start, end, pattern, _)| (start, end, pattern));
        let mut sweep = Sweep { shift, ..Sweep::default() };
        for (start, Reverse(end), _, paint) in captures {
            sweep.advance(start);
            sweep.open.push((end, paint));
        }
        sweep.advance(whole.len());
        Ok(sweep.highlights)
    }
}

impl Parser {
    /// The tree of a piece of a file, with what it is of: the piece, behind what it may have been cut off from; how long that
    /// is; and the tree.
    fn tree_of_piece(&mut self, text: &str, language: Language) -> Result<(String, usize, Tree), ParseError> {
        let Spec { opening, round_members, .. } = language.0;
        let opening = if text.contains("<?") { "" } else { opening };
        let piece = format!("{opening}{text}");
        let tree = self.tree(&piece, language)?;
        if round_members.is_empty() || !tree.root_node().has_error() {
            return Ok((piece, opening.len(), tree));
        }
        let member = format!("{opening}{round_members}{text}");
        let tree_of_member = self.tree(&member, language)?;
        // The bracket that is missing at the end is one.
        match count_errors(&tree_of_member) <= count_errors(&tree) {
            true => Ok((member, opening.len() + round_members.len(), tree_of_member)),
            false => Ok((piece, opening.len(), tree)),
        }
    }
}

/// Goes through a text from node to node.
#[derive(Default)]
struct Sweep {
    at: usize,
    /// The nodes round this place, innermost last: where each ends, and what it is.
    open: Vec<(usize, Paint)>,
    highlights: Vec<Highlight>,
    /// How much of the text is none of the caller's.
    shift: usize,
}

impl Sweep {
    fn advance(&mut self, to: usize) {
        while let Some(&(end, paint)) = self.open.last() {
            self.paint(end.min(to), paint);
            if end > to {
                return;
            }
            self.open.pop();
        }
        self.at = self.at.max(to);
    }

    fn paint(&mut self, to: usize, paint: Paint) {
        let (from, to) = (self.at.max(self.shift), to.max(self.at));
        self.at = to;
        let Paint::As(accent) = paint else { return };
        if from >= to {
            return;
        }
        let span = Span::new((from - self.shift) as u32, (to - self.shift) as u32);
        match self.highlights.last_mut() {
            Some(last) if last.span.end == span.start && last.accent == accent => last.span.end = span.end,
            _ => self.highlights.push(Highlight { span, accent }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::tests::for_each_fixture;

    #[test]
    fn every_query_fits_its_grammar() {
        for language in Language::all() {
            let source = language.0.highlights.concat();
            assert!(!source.is_empty(), "{language}: name its query with .highlights(…)");
            if let Err(error) = tree_sitter::Query::new(language.grammar(), &source) {
                panic!("{language}: {error:?}");
            }
        }
    }

    /// What is found, as `accent:text` for each part.
    fn found(text: &str, language: &str) -> Vec<String> {
        let highlights = Parser::default().highlight(text, language.parse().unwrap()).unwrap();
        let part =
            |part: &Highlight| format!("{:?}:{}", part.accent, &text[part.span.range()]).to_lowercase();
        highlights.iter().map(part).collect()
    }

    #[test]
    fn the_inner_and_the_last_count() {
        assert_eq!(
            found("def f(x):\n    return f\"a{x}\\n\"\n", "python"),
            ["keyword:def", "function:f", "keyword:return", "string:f\"a", "constant:\\n", "string:\""]
        );
    }

    #[cfg(feature = "all-languages")]
    #[test]
    fn a_piece_of_a_file_needs_no_beginning() {
        let all = [
            ("bash", "if true; then echo \"a\"; fi # c", "comment:# c"),
            ("c", "  return 42; // c", "comment:// c"),
            ("cpp", "  throw Error(\"a\");", "keyword:throw"),
            ("csharp", "  public int Count() { return 1; }", "keyword:public"),
            ("go", "\treturn len(\"a\")\n}", "string:\"a\""),
            ("java", "  private final int count = 1;", "keyword:private"),
            ("javascript", "  return await fetch('a');\n}", "string:'a'"),
            ("kotlin", "  private fun count(): Int = 1 // c", "function:count"),
            ("php", "  public function count(): int { return 1; } // c", "function:count"),
            ("python", "        return 'a'  # c", "string:'a'"),
            ("ruby", "  def count; 'a'; end # c", "comment:# c"),
            ("rust", "        Some(x) => return \"a\",", "string:\"a\""),
            ("scala", "  private def count: Int = 1 // c", "comment:// c"),
            ("swift", "  private func count() -> Int { return 1 } // c", "comment:// c"),
            ("tsx", "  return <p className=\"a\">b</p>;", "string:\"a\""),
            ("typescript", "  private count(): number { return 1; } // c", "keyword:private"),
        ];
        assert_eq!(all.len(), Language::all().len());
        for (language, text, expected) in all {
            let found = found(text, language);
            assert!(found.contains(&expected.to_owned()), "{language}: {found:?}");
        }
    }

    #[test]
    fn parts_are_in_order_and_of_whole_characters_whatever_the_text_is() {
        for_each_fixture(|language, path, bytes| {
            let source = crate::SourceText::decode(bytes).unwrap();
            let text = source.text();
            let code = text.lines().filter(|line| line.len() > 20).count();
            let found = Parser::default().highlight(text, language).unwrap().len();
            assert!(found >= code, "{}: {found} parts in {code} lines", path.display());
            // Also from anywhere on.
            let middle = (text.len() / 2..).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            for text in [text, &text[middle..]] {
                let highlights = Parser::default().highlight(text, language).unwrap();
                let mut end = 0;
                for part in &highlights {
                    assert!(part.span.start >= end && part.span.end > part.span.start, "{}", path.display());
                    assert!(text.get(part.span.range()).is_some(), "{}: {part:?}", path.display());
                    end = part.span.end;
                }
            }
        });
    }
}
