//! Code as a row of tokens that mean the same in all languages, as far as a look at characters tells.
//!
//! This is no parser: it also reads what is cut out of a file, or pasted, or not whole. Comments are left out, and so is what
//! some languages write and others do not, such as `let`, `public`, `;` and the bracket that closes a block. Keywords that
//! mean the same are the same token.

use super::vocabulary::{
    ANY, BASH, C, CPP, CS, CSHARP, Class, Class as K, GO, JVM, KOTLIN, Languages, OPERATORS, PHP, PYTHON,
    RUBY, RUST, Reading,
    Reading::{Nothing, One, Open, Two},
    SCALA, SWIFT, WEB, keyword, languages_of,
};

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name: all of them are alike.
    Name(&'a str),
    /// A string, without its quotes.
    Text(&'a str),
    /// A number.
    Number,
    /// A keyword or an operator.
    Sign(u16),
}

impl Token<'_> {
    /// What it is compared by.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Name(_) => 1,
            Self::Text(_) => 2,
            Self::Number => 3,
            // Operators of one character are that character; below 32 there is none.
            Self::Sign(code) => code,
        }
    }
}

/// Calls `emit` with each token of a text in the language of this name; without one, or if it is none that is known, as well
/// as it goes.
pub(super) fn tokens<'a>(text: &'a str, language: Option<&str>, emit: impl FnMut(Token<'a>)) {
    let languages = languages_of(language);
    let mut lexer =
        Lexer { text, bytes: text.as_bytes(), at: 0, languages, heads: Vec::new(), depth: 0, emit };
    if text.starts_with("#!/") {
        lexer.skip_line();
    }
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
}

struct Lexer<'a, F> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    languages: Languages,
    /// How many brackets are open round what `if`, `while` and the like are about, where they need any; the last may not have
    /// been opened.
    heads: Vec<u32>,
    /// How many brackets are open.
    depth: u32,
    emit: F,
}

impl<'a, F: FnMut(Token<'a>)> Lexer<'a, F> {
    /// Whether it is of one of these languages, or of none that is known.
    fn may_be(&self, languages: Languages) -> bool {
        self.languages & languages != 0
    }

    fn is_unknown(&self) -> bool {
        self.languages == ANY
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            _ if byte.is_ascii_whitespace() => self.at += 1,
            b'/' if self.peek(1) == b'/' && !self.is_only(PYTHON | RUBY | BASH) => self.skip_line(),
            b'/' if self.peek(1) == b'*' && !self.is_only(PYTHON | RUBY | BASH) => self.skip_block(),
            b'#' if self.begins_comment() => self.skip_line(),
            b'"' | b'\'' => self.string(byte),
            b'`' if self.may_be(WEB | GO) => self.string(byte),
            b'0'..=b'9' => self.number(),
            _ if is_name(byte) => self.word(),
            _ => self.sign(byte),
        }
    }

    /// Whether it is known to be of one of these.
    fn is_only(&self, languages: Languages) -> bool {
        self.languages & !languages == 0
    }

    /// Whether `#` begins a comment here.
    fn begins_comment(&self) -> bool {
        let before = self.at.checked_sub(1).map_or(b'\n', |before| self.bytes[before]);
        let is_apart = before.is_ascii_whitespace() || matches!(before, b';' | b'(');
        let next = self.peek(1);
        match self.languages {
            PYTHON | RUBY => true,
            PHP => next != b'[',
            BASH => is_apart,
            ANY => is_apart && (next == b' ' || next == b'#' || next == b'\n' || next == b'\t'),
            _ => false,
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    /// Skips a comment, with those inside of it where they nest.
    fn skip_block(&mut self) {
        let nests = self.is_only(RUST | KOTLIN | SCALA | SWIFT);
        let mut open = 0_u32;
        while self.at < self.bytes.len() {
            match (self.bytes[self.at], self.peek(1)) {
                (b'/', b'*') if open == 0 || nests => {
                    open += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    open -= 1;
                    self.at += 2;
                    if open == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads a string, or what else this quote begins.
    fn string(&mut self, quote: u8) {
        let is_triple = self.peek(1) == quote && self.peek(2) == quote && quote != b'`';
        if is_triple && self.may_be(PYTHON | JVM | SWIFT | CSHARP) {
            return self.triple(quote);
        }
        if quote == b'\'' && self.languages == RUST && !self.is_char() {
            // A lifetime: what it is called says nothing.
            self.at += 1;
            while self.at < self.bytes.len() && is_name(self.bytes[self.at]) {
                self.at += 1;
            }
            return;
        }
        let spans_lines = quote == b'`' || self.may_be(RUST | RUBY | PHP | BASH) && !self.is_unknown();
        let has_escapes = !(quote == b'`' && self.languages == GO);
        let start = self.at + 1;
        let mut end = start;
        while end < self.bytes.len() && self.bytes[end] != quote {
            match self.bytes[end] {
                b'\n' if !spans_lines => break,
                b'\\' if has_escapes => end += 2,
                _ => end += 1,
            }
        }
        let end = end.min(self.bytes.len());
        self.emit_text(start, end);
        self.at = (end + usize::from(self.bytes.get(end) == Some(&quote))).max(start);
    }

    /// Whether a quote of Rust begins a character, and not a lifetime.
    fn is_char(&self) -> bool {
        let mut rest = self.text[self.at + 1..].chars();
        rest.next() == Some('\\') || rest.next() == Some('\'')
    }

    fn triple(&mut self, quote: u8) {
        // What a Python file says of itself is a comment, though it is a string.
        let mut before = self.bytes[..self.at].iter().rev();
        let before = before.find(|byte| **byte != b' ' && **byte != b'\t');
        let is_comment = self.may_be(PYTHON) && matches!(before, None | Some(b'\n'));
        let start = self.at + 3;
        let quotes = [quote; 3];
        let length = self.bytes[start..].windows(3).position(|three| three == quotes);
        let end = length.map_or(self.bytes.len(), |length| start + length);
        if !is_comment {
            self.emit_text(start, end);
        }
        self.at = (end + 3).min(self.bytes.len());
    }

    fn emit_text(&mut self, start: usize, end: usize) {
        // An escape may end in the middle of a character.
        (self.emit)(Token::Text(self.text.get(start..end).unwrap_or("")));
    }

    fn number(&mut self) {
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            let is_point = byte == b'.' && self.peek(1).is_ascii_digit();
            if !(byte.is_ascii_alphanumeric() || byte == b'_' || is_point) {
                break;
            }
            self.at += 1;
        }
        (self.emit)(Token::Number);
    }

    fn word(&mut self) {
        let start = self.at;
        while self.at < self.bytes.len() && is_name(self.bytes[self.at]) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        match self.peek(0) {
            // `r"..."`, `b'x'`, `f"..."`, `L"..."`
            quote @ (b'"' | b'\'') if word.len() <= 2 && self.is_prefix(word, quote) => {
                let is_raw = word.contains(['r', 'R']) && self.may_be(RUST | CPP);
                return if is_raw && quote == b'"' { self.raw_string(0) } else { self.string(quote) };
            }
            b'#' if self.languages == RUST && (word == "r" || word == "br") => {
                let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
                if self.peek(hashes) == b'"' {
                    return self.raw_string(hashes);
                }
            }
            _ => {}
        }
        match keyword(word, self.languages) {
            Some(reading) => self.keyword(reading),
            None => (self.emit)(Token::Name(word)),
        }
    }

    /// Whether a word before a quote belongs to the string.
    fn is_prefix(&self, word: &str, quote: u8) -> bool {
        let letters: &str = match self.languages {
            PYTHON => "rRbBfFuU",
            RUST => "rbc",
            C | CPP => "LuUR8",
            // `'` after a word is an apostrophe, if this is no code.
            ANY if quote == b'"' => "rRbBfFuUL",
            _ => "",
        };
        word.chars().all(|c| letters.contains(c))
    }

    /// Reads a string without escapes: of Rust with so many `#` round it, of C++ with a word.
    fn raw_string(&mut self, hashes: usize) {
        let open = self.at + hashes + 1;
        let (start, close) = match self.languages {
            CPP => {
                let word = self.bytes[open..].iter().take(17).position(|byte| *byte == b'(').unwrap_or(0);
                let word = String::from_utf8_lossy(&self.bytes[open..open + word]).into_owned();
                (open + word.len() + 1, format!("){word}\""))
            }
            _ => (open, format!("\"{}", "#".repeat(hashes))),
        };
        let start = start.min(self.bytes.len());
        let rest = self.text.get(start..).unwrap_or("");
        let length = rest.find(&close).unwrap_or(rest.len());
        self.emit_text(start, start + length);
        self.at = (start + length + close.len()).min(self.bytes.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    fn keyword(&mut self, reading: Reading) {
        let mut emit = |class: Class| (self.emit)(Token::Sign(class as u16));
        let last = match reading {
            Nothing => return,
            Open => return (self.emit)(Token::Sign(u16::from(b'{'))),
            One(class) => {
                emit(class);
                class
            }
            Two(first, second) => {
                emit(first);
                emit(second);
                second
            }
        };
        if matches!(last, K::If | K::While | K::For | K::Switch | K::Catch) {
            self.skip_head();
        }
    }

    /// Some languages put brackets round what `if` and the like are about, and others do not.
    fn skip_head(&mut self) {
        let rest = self.bytes[self.at..].iter();
        let blank = rest.take_while(|byte| byte.is_ascii_whitespace()).count();
        if self.peek(blank) == b'(' {
            self.at += blank + 1;
            self.depth += 1;
            self.heads.push(self.depth);
        }
    }

    fn sign(&mut self, byte: u8) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"->") {
            self.at += 2;
            let is_member = !self.is_unknown() && self.may_be(CS | PHP);
            let code = if is_member { K::Member as u16 } else { u16::from(b':') };
            return (self.emit)(Token::Sign(code));
        }
        if let Some((operator, code)) =
            OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator.as_bytes()))
        {
            self.at += operator.len();
            return (self.emit)(Token::Sign(*code));
        }
        self.at += 1;
        match byte {
            b'(' => self.depth += 1,
            b')' => {
                let is_head = self.heads.last() == Some(&self.depth);
                self.depth = self.depth.saturating_sub(1);
                if is_head {
                    self.heads.pop();
                    return;
                }
            }
            b';' | b'}' | b'\\' => return,
            b':' if self.languages == PYTHON && self.ends_line() => {
                return (self.emit)(Token::Sign(u16::from(b'{')));
            }
            b'.' => return (self.emit)(Token::Sign(K::Member as u16)),
            b'!' => return (self.emit)(Token::Sign(K::Not as u16)),
            _ => {}
        }
        (self.emit)(Token::Sign(u16::from(byte)));
    }

    /// Whether nothing but a comment is in the rest of the line.
    fn ends_line(&self) -> bool {
        let rest = self.bytes[self.at..].iter();
        let next = rest.copied().find(|byte| *byte != b' ' && *byte != b'\t');
        matches!(next, None | Some(b'\n' | b'\r' | b'#'))
    }
}

/// Whether a byte may be in a name. All that is not ASCII is.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(text: &str, language: &str) -> Vec<u16> {
        let mut codes = Vec::new();
        tokens(text, Some(language), |token| codes.push(token.code()));
        codes
    }

    fn texts<'a>(text: &'a str, language: Option<&str>) -> Vec<&'a str> {
        let mut texts = Vec::new();
        tokens(text, language, |token| {
            if let Token::Name(text) | Token::Text(text) = token {
                texts.push(text);
            }
        });
        texts
    }

    #[test]
    fn the_same_is_written_in_many_ways() {
        let same = [
            ("if (a && b) { return null; }", "java"),
            ("if a and b:\n    return None\n", "python"),
            ("if a && b { return nil }", "go"),
            ("if a and b then return nil end", "ruby"),
            ("if a && b { return None; }", "rust"),
            ("if (a && b) { /* why */ return undefined; } // so", "typescript"),
        ];
        let first = codes(same[0].0, same[0].1);
        assert_eq!(first.len(), 7);
        for (text, language) in same {
            assert_eq!(codes(text, language), first, "{language}");
        }
        assert_eq!(codes("elif x:\n", "python"), codes("else if (x) {", "cpp"));
        assert_eq!(codes("this.n += 1;", "javascript"), codes("self.n -= 2", "python"));
        assert_eq!(codes("raise E(\"x\")", "python"), codes("throw E('y')", "javascript"));
    }

    #[test]
    fn comments_and_strings_are_told_apart() {
        assert_eq!(texts("a // b 'c'\nd /* e */ f", Some("java")), ["a", "d", "f"]);
        assert_eq!(texts("a # b\nc // d", Some("python")), ["a", "c", "d"]);
        assert_eq!(texts("/* a /* b */ c */ d", Some("rust")), ["d"]);
        assert_eq!(texts("/* a /* b */ c", Some("java")), ["c"]);
        assert_eq!(texts("f(\"a // b\", 'c\\'d')", Some("javascript")), ["f", "a // b", "c\\'d"]);
        assert_eq!(texts("fn f<'a>(x: &'a str) { '\"' }", Some("rust")), ["f", "x", "str", "\""]);
        assert_eq!(texts("r#\"a \"b\" \"# c", Some("rust")), ["a \"b\" ", "c"]);
        assert_eq!(texts("R\"x(a)\" )x\" c", Some("cpp")), ["a)\" ", "c"]);
        assert_eq!(texts("f(rb\"x\", '''y\nz''')", Some("python")), ["f", "x", "y\nz"]);
        assert_eq!(texts("def f():\n    \"\"\"Says so.\"\"\"\n    g()", Some("python")), ["f", "g"]);
        assert_eq!(texts("`a ${b}` + c", Some("typescript")), ["a ${b}", "c"]);
        assert_eq!(texts("echo \"$#\" # n\n${x#y}", Some("bash")), ["echo", "$#", "$", "x", "y"]);
        assert_eq!(texts("#include <a>\n// b\n# c\nd", None), ["include", "a", "d"]);
        assert_eq!(texts("'a\nb", Some("java")), ["a", "b"], "what is not closed ends with its line");
        assert_eq!(texts("\"a", Some("rust")), ["a"]);
    }

    #[test]
    fn a_keyword_of_one_language_is_a_name_in_another() {
        assert_eq!(texts("end = val + match + fn", Some("python")), ["end", "val", "match", "fn"]);
        assert_eq!(texts("end = val + match + fn", Some("rust")), ["end", "val"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(
            text in "[a-z\"'`#/*(){}\\\\ \n:.!0é-]{0,80}",
            language in proptest::sample::select(vec![
                "bash", "c", "cpp", "csharp", "go", "java", "javascript", "kotlin", "php", "python", "ruby", "rust",
                "scala", "swift", "typescript", "tsx", "none",
            ]),
        ) {
            let mut read = 0;
            tokens(&text, Some(language), |token| {
                if let Token::Name(part) | Token::Text(part) = token {
                    read += part.len();
                }
            });
            prop_assert!(read <= text.len());
        }
    }
}
