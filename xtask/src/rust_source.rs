//! Rust text split into code, comments and literals, so that a rule about code is not set off by a string.
//!
//! This is a lexer for exactly that split; it builds no tree. Lines keep their numbers.

use std::ops::Range;

/// A Rust file, split.
pub(crate) struct RustSource {
    /// The text with comments and the insides of literals blanked.
    pub(crate) code: String,
    /// The text with everything but comments blanked.
    pub(crate) comments: String,
}

impl RustSource {
    pub(crate) fn new(text: &str) -> Self {
        let mut splitter =
            Splitter { chars: text.chars().collect(), code: String::new(), comments: String::new(), at: 0 };
        splitter.split();
        Self { code: splitter.code, comments: splitter.comments }
    }

    /// The code with the items under `#[cfg(test)]` blanked as well.
    pub(crate) fn code_outside_tests(&self) -> String {
        let tests = test_items(&self.code);
        let blank = |(at, c): (usize, char)| {
            if c != '\n' && tests.iter().any(|range| range.contains(&at)) { ' ' } else { c }
        };
        self.code.char_indices().map(blank).collect()
    }
}

/// Which of the two outputs a character goes to; the other gets a space.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Comment,
    /// The inside of a string or character literal: neither.
    Literal,
}

struct Splitter {
    chars: Vec<char>,
    code: String,
    comments: String,
    at: usize,
}

impl Splitter {
    fn split(&mut self) {
        while let Some(c) = self.peek(0) {
            let after_word = self.at > 0 && is_word(self.chars[self.at - 1]);
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                ('r', Some('"' | '#')) if !after_word => self.raw_string(1),
                ('b' | 'c', Some('r')) if !after_word => self.raw_string(2),
                _ => self.take(1, Part::Code),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn take(&mut self, count: usize, part: Part) {
        for _ in 0..count {
            let Some(c) = self.peek(0) else { return };
            // Blanks are as wide as what they replace, so that both parts keep the byte offsets of the text.
            let blanks = if c == '\n' { "\n" } else { &"    "[..c.len_utf8()] };
            let mut encoded = [0; 4];
            let kept = &*c.encode_utf8(&mut encoded);
            self.code.push_str(if part == Part::Code { kept } else { blanks });
            self.comments.push_str(if part == Part::Comment { kept } else { blanks });
            self.at += 1;
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.take(1, Part::Comment);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.take(2, Part::Comment);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.take(2, Part::Comment);
                    if depth == 0 {
                        return;
                    }
                }
                (Some(_), _) => self.take(1, Part::Comment),
                (None, _) => return,
            }
        }
    }

    fn string(&mut self) {
        self.take(1, Part::Code);
        while let Some(c) = self.peek(0) {
            match c {
                '"' => return self.take(1, Part::Code),
                '\\' => self.take(2, Part::Literal),
                _ => self.take(1, Part::Literal),
            }
        }
    }

    /// `r"…"`, `r#"…"#` and their byte and C forms; also `r#name`, which is no string.
    fn raw_string(&mut self, prefix: usize) {
        let hashes = (0..).take_while(|&n| self.peek(prefix + n) == Some('#')).count();
        if self.peek(prefix + hashes) != Some('"') {
            return self.take(1, Part::Code);
        }
        self.take(prefix + hashes + 1, Part::Code);
        while let Some(c) = self.peek(0) {
            if c == '"' && (1..=hashes).all(|n| self.peek(n) == Some('#')) {
                return self.take(1 + hashes, Part::Code);
            }
            self.take(1, Part::Literal);
        }
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        match (self.peek(1), self.peek(2)) {
            (Some('\\'), _) => {
                self.take(1, Part::Code);
                self.take(2, Part::Literal);
                while self.peek(0).is_some_and(|c| c != '\'' && c != '\n') {
                    self.take(1, Part::Literal);
                }
                self.take(1, Part::Code);
            }
            (Some(_), Some('\'')) => {
                self.take(1, Part::Code);
                self.take(1, Part::Literal);
                self.take(1, Part::Code);
            }
            _ => self.take(1, Part::Code),
        }
    }
}

/// Byte ranges of the items that exist only in tests.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(") {
        let start = from + found;
        let end_of_attribute = start + code[start..].find(']').map_or(code.len() - start, |n| n + 1);
        from = end_of_attribute;
        let condition = &code[start..end_of_attribute];
        if !has_word(condition, "test") || has_word(condition, "not") {
            continue;
        }
        from = end_of_item(code, end_of_attribute);
        ranges.push(start..from);
    }
    ranges
}

/// Where the item ends that begins at `start`: behind its block, or behind its semicolon if it has no block.
fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return start + at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    code.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` occurs in the text with no letter, digit or underscore at either side.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    word_at(text, word).is_some()
}

/// The byte offset of the first such occurrence.
pub(crate) fn word_at(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> String {
        RustSource::new(text).code
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        assert_eq!(code("a /* b /* c */ d */ e // f\ng"), "a                   e     \ng");
        assert_eq!(code(r#"f("a \" b", 'c', '\'', '"') "#), r#"f("      ", ' ', '  ', ' ') "#);
        assert_eq!(code(r##"r#"a " b"# + br"\" + r#type"##), r##"r#"     "# + br" " + r#type"##);
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
    }

    #[test]
    fn comments_are_kept_apart() {
        let source = RustSource::new("let a = \"// no\"; // yes\n/// doc\n");
        assert_eq!(source.comments.lines().map(str::trim).collect::<Vec<_>>(), ["// yes", "/// doc"]);
    }

    #[test]
    fn test_items_are_left_out() {
        let text = "fn a() { x }\n#[cfg(test)]\nmod tests { fn b() { y } }\nfn c() { z }\n#[cfg(test)] use d::{e};\n\
                    #[cfg(not(test))]\nfn g() {}\n#[cfg(all(test, unix))]\nmod h;\nfn i() {}";
        let left = RustSource::new(text).code_outside_tests();
        let words: Vec<&str> =
            ["x", "y", "z", "e", "g", "h", "i"].into_iter().filter(|w| has_word(&left, w)).collect();
        assert_eq!(words, ["x", "z", "g", "i"]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe {", "unsafe"));
        assert!(!has_word("unsafe_op_in_unsafe_fn", "unsafe"));
        assert_eq!(word_at("mytodo!() todo!()", "todo"), Some(10));
    }

    proptest! {
        /// Both parts have the line and byte structure of the text, and no character is in both.
        #[test]
        fn the_split_keeps_every_place(text in "([a-z\"'/*\\\\# \nré]|//|/\\*|\\*/|r#\"){0,60}") {
            let source = RustSource::new(&text);
            prop_assert_eq!(source.code.len(), text.len());
            prop_assert_eq!(source.comments.len(), text.len());
            for (at, c) in text.char_indices() {
                let both = source.code[at..].starts_with(c) && source.comments[at..].starts_with(c);
                prop_assert!(!both || c.is_whitespace());
            }
            prop_assert_eq!(source.code.lines().count(), text.lines().count());
        }
    }
}
