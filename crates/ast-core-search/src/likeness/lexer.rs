//! Code as a row of tokens that mean the same in all languages, as far as a look at characters tells.
//!
//! This is no parser: it also reads what is cut out of a file, or pasted, or not whole. Comments are left out, and so is what
//! some languages write and others do not, such as `let`, `public`, `;` and the bracket that closes a block. Keywords that
//! mean the same are the same token.

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

/// Languages, as a set of bits. A text of no known language is read as of all of them.
type Languages = u16;

const BASH: Languages = 1;
const C: Languages = 1 << 1;
const CPP: Languages = 1 << 2;
const CSHARP: Languages = 1 << 3;
const GO: Languages = 1 << 4;
const JAVA: Languages = 1 << 5;
const JAVASCRIPT: Languages = 1 << 6;
const KOTLIN: Languages = 1 << 7;
const PHP: Languages = 1 << 8;
const PYTHON: Languages = 1 << 9;
const RUBY: Languages = 1 << 10;
const RUST: Languages = 1 << 11;
const SCALA: Languages = 1 << 12;
const SWIFT: Languages = 1 << 13;
const TYPESCRIPT: Languages = 1 << 14;
const ANY: Languages = Languages::MAX;

/// Languages of one family.
const CS: Languages = C | CPP;
const WEB: Languages = JAVASCRIPT | TYPESCRIPT;
const JVM: Languages = JAVA | KOTLIN | SCALA;
/// Those whose control structures are C's.
const BRACES: Languages = CS | CSHARP | GO | JVM | WEB | PHP | SWIFT;

fn languages_of(name: Option<&str>) -> Languages {
    match name {
        Some("bash") => BASH,
        Some("c") => C,
        Some("cpp") => CPP,
        Some("csharp") => CSHARP,
        Some("go") => GO,
        Some("java") => JAVA,
        Some("javascript") => JAVASCRIPT,
        Some("kotlin") => KOTLIN,
        Some("php") => PHP,
        Some("python") => PYTHON,
        Some("ruby") => RUBY,
        Some("rust") => RUST,
        Some("scala") => SCALA,
        Some("swift") => SWIFT,
        Some("typescript" | "tsx") => TYPESCRIPT,
        _ => ANY,
    }
}

/// What a keyword means, whatever language it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum Class {
    Function = 256,
    For,
    In,
    While,
    Loop,
    If,
    Else,
    Switch,
    Case,
    Return,
    Break,
    Continue,
    Try,
    Catch,
    Finally,
    Throw,
    New,
    Null,
    Truth,
    This,
    Super,
    Type,
    Import,
    And,
    Or,
    Not,
    Is,
    As,
    Yield,
    Delete,
    With,
    Assert,
    Equal,
    Unequal,
    Member,
    Compound,
    Step,
    Operator,
}

use Class as K;

/// What becomes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It is left out.
    Nothing,
    /// A token.
    One(Class),
    /// Two: `elif` is `else if`.
    Two(Class, Class),
    /// The beginning of a block.
    Open,
}

use Reading::{Nothing, One, Open, Two};

/// Keywords, in order, each in which languages and what it means there. What is often a name as well, such as `match` in
/// Python and `open` in Kotlin, is taken for one.
const KEYWORDS: &[(&str, Languages, Reading)] = &[
    ("False", PYTHON, One(K::Truth)),
    ("None", PYTHON | RUST | SCALA, One(K::Null)),
    ("True", PYTHON, One(K::Truth)),
    ("abstract", CSHARP | JVM | PHP | TYPESCRIPT, Nothing),
    ("and", PYTHON | RUBY | PHP | CPP, One(K::And)),
    ("as", RUST | PYTHON | KOTLIN | TYPESCRIPT | SWIFT | CSHARP | PHP, One(K::As)),
    ("assert", PYTHON | JVM, One(K::Assert)),
    ("async", ANY & !(BASH | C | GO | JAVA | RUBY), Nothing),
    ("auto", CS, Nothing),
    ("await", ANY & !(BASH | C | GO | JAVA | RUBY), Nothing),
    ("begin", RUBY, One(K::Try)),
    ("break", ANY, One(K::Break)),
    ("case", BRACES, One(K::Case)),
    ("case", RUBY | BASH, One(K::Switch)),
    ("catch", BRACES & !GO, One(K::Catch)),
    ("class", ANY & !(BASH | C | GO | RUST), One(K::Type)),
    ("const", CS | CSHARP | GO | WEB | PHP | RUST | KOTLIN, Nothing),
    ("constexpr", CPP, Nothing),
    ("continue", ANY & !(RUBY | SCALA), One(K::Continue)),
    ("crate", RUST, Nothing),
    ("def", PYTHON | RUBY | SCALA, One(K::Function)),
    ("default", BRACES & !KOTLIN, One(K::Case)),
    ("defer", GO | SWIFT, One(K::Finally)),
    ("del", PYTHON, One(K::Delete)),
    ("delete", CPP | WEB, One(K::Delete)),
    ("do", CS | CSHARP | JVM | WEB | PHP, One(K::Loop)),
    ("do", RUBY | BASH, Open),
    ("do", SWIFT, One(K::Try)),
    ("done", BASH, Nothing),
    ("elif", PYTHON | BASH, Two(K::Else, K::If)),
    ("else", ANY, One(K::Else)),
    ("elseif", PHP, Two(K::Else, K::If)),
    ("elsif", RUBY, Two(K::Else, K::If)),
    ("end", RUBY, Nothing),
    ("ensure", RUBY, One(K::Finally)),
    ("enum", ANY & !(BASH | GO | PYTHON | RUBY), One(K::Type)),
    ("esac", BASH, Nothing),
    ("except", PYTHON, One(K::Catch)),
    ("explicit", CPP, Nothing),
    ("export", WEB, Nothing),
    ("extends", JAVA | SCALA | WEB | PHP, One(K::Is)),
    ("extern", CS | CSHARP | RUST, Nothing),
    ("false", ANY & !PYTHON, One(K::Truth)),
    ("fi", BASH, Nothing),
    ("final", CPP | JAVA | SCALA | PHP | SWIFT, Nothing),
    ("finally", ANY & !(BASH | C | CPP | GO | RUBY | RUST | SWIFT), One(K::Finally)),
    ("fn", RUST, One(K::Function)),
    ("for", ANY, One(K::For)),
    ("foreach", CSHARP | PHP, One(K::For)),
    ("from", PYTHON, One(K::Import)),
    ("fun", KOTLIN, One(K::Function)),
    ("func", GO | SWIFT, One(K::Function)),
    ("function", JAVASCRIPT | TYPESCRIPT | PHP | BASH, One(K::Function)),
    ("guard", SWIFT, Two(K::If, K::Not)),
    ("if", ANY, One(K::If)),
    ("impl", RUST, One(K::Type)),
    ("implements", JAVA | WEB | PHP, One(K::Is)),
    ("import", ANY & !(BASH | C | CPP | CSHARP | PHP | RUBY | RUST), One(K::Import)),
    ("in", CSHARP | KOTLIN | PYTHON | RUBY | RUST | SWIFT | WEB | BASH, One(K::In)),
    ("inline", CS | KOTLIN, Nothing),
    ("instanceof", JAVA | WEB | PHP, One(K::Is)),
    ("interface", CSHARP | GO | JAVA | KOTLIN | PHP | TYPESCRIPT, One(K::Type)),
    ("internal", CSHARP | KOTLIN | SWIFT, Nothing),
    ("is", CSHARP | KOTLIN | PYTHON | SWIFT, One(K::Is)),
    ("lambda", PYTHON | RUBY, One(K::Function)),
    ("let", RUST | SWIFT | WEB, Nothing),
    ("local", BASH, Nothing),
    ("loop", RUST, One(K::Loop)),
    ("match", RUST | SCALA | PHP, One(K::Switch)),
    ("module", RUBY, One(K::Type)),
    ("mut", RUST, Nothing),
    ("mutable", CPP, Nothing),
    ("namespace", CPP | CSHARP | PHP, One(K::Type)),
    ("new", CPP | CSHARP | JAVA | SCALA | WEB | PHP, One(K::New)),
    ("next", RUBY, One(K::Continue)),
    ("nil", GO | RUBY | SWIFT, One(K::Null)),
    ("noexcept", CPP, Nothing),
    ("not", PYTHON | RUBY | CPP, One(K::Not)),
    ("null", CSHARP | JVM | WEB | PHP, One(K::Null)),
    ("nullptr", CPP, One(K::Null)),
    ("object", KOTLIN | SCALA, One(K::Type)),
    ("or", PYTHON | RUBY | PHP | CPP, One(K::Or)),
    ("override", CPP | CSHARP | KOTLIN | SCALA | SWIFT | TYPESCRIPT, Nothing),
    ("pass", PYTHON, Nothing),
    ("private", CPP | CSHARP | JVM | PHP | SWIFT | TYPESCRIPT, Nothing),
    ("protected", CPP | CSHARP | JVM | PHP | TYPESCRIPT, Nothing),
    ("protocol", SWIFT, One(K::Type)),
    ("pub", RUST, Nothing),
    ("public", CPP | CSHARP | JVM | PHP | SWIFT | TYPESCRIPT, Nothing),
    ("raise", PYTHON | RUBY, One(K::Throw)),
    ("range", GO, One(K::In)),
    ("readonly", CSHARP | PHP | TYPESCRIPT | BASH, Nothing),
    ("rescue", RUBY, One(K::Catch)),
    ("return", ANY, One(K::Return)),
    ("sealed", CSHARP | JVM, Nothing),
    ("select", GO, One(K::Switch)),
    ("self", PYTHON | RUBY | RUST | SWIFT | PHP, One(K::This)),
    ("static", CS | CSHARP | JAVA | PHP | RUST | SWIFT | WEB, Nothing),
    ("struct", CS | CSHARP | GO | RUST | SWIFT, One(K::Type)),
    ("super", JVM | PYTHON | RUBY | SWIFT | WEB, One(K::Super)),
    ("switch", BRACES & !(KOTLIN | SCALA), One(K::Switch)),
    ("then", RUBY | BASH | SCALA, Open),
    ("this", CPP | CSHARP | JVM | WEB, One(K::This)),
    ("throw", ANY & !(BASH | C | GO | PYTHON | RUBY | RUST), One(K::Throw)),
    ("throws", JAVA | SWIFT, One(K::Throw)),
    ("trait", PHP | RUST | SCALA, One(K::Type)),
    ("true", ANY & !PYTHON, One(K::Truth)),
    ("try", ANY & !(BASH | C | GO | RUBY | RUST), One(K::Try)),
    ("typeof", CSHARP | WEB, One(K::Is)),
    ("undefined", WEB, One(K::Null)),
    ("unless", RUBY, Two(K::If, K::Not)),
    ("unsafe", CSHARP | RUST, Nothing),
    ("until", RUBY | BASH, Two(K::While, K::Not)),
    ("use", RUST | PHP, One(K::Import)),
    ("using", CPP | CSHARP, One(K::Import)),
    ("val", KOTLIN | SCALA, Nothing),
    ("var", CSHARP | GO | JAVA | KOTLIN | SCALA | SWIFT | WEB, Nothing),
    ("virtual", CPP | CSHARP, Nothing),
    ("volatile", CS | CSHARP | JAVA, Nothing),
    ("when", KOTLIN, One(K::Switch)),
    ("when", RUBY, One(K::Case)),
    ("where", RUST | SWIFT, Nothing),
    ("while", ANY, One(K::While)),
    ("with", PYTHON | SCALA, One(K::With)),
    ("yield", PYTHON | RUBY | CSHARP | SCALA | WEB | PHP, One(K::Yield)),
];

/// The longest keyword, in bytes.
const LONGEST_KEYWORD: usize = 10;

fn keyword(word: &str, languages: Languages) -> Option<Reading> {
    if word.len() > LONGEST_KEYWORD {
        return None;
    }
    let first = KEYWORDS.partition_point(|(keyword, ..)| *keyword < word);
    let same = KEYWORDS[first..].iter().take_while(|(keyword, ..)| *keyword == word);
    let mut known = same.filter(|(_, of, _)| of & languages != 0);
    known.next().map(|(.., reading)| *reading)
}

/// Operators of several characters, the longer first. What several languages write in their own way is one.
const OPERATORS: &[(&str, u16)] = &[
    ("<<=", K::Compound as u16),
    (">>=", K::Compound as u16),
    ("**=", K::Compound as u16),
    ("//=", K::Compound as u16),
    ("??=", K::Compound as u16),
    ("===", K::Equal as u16),
    ("!==", K::Unequal as u16),
    ("...", K::Operator as u16),
    ("..=", K::Operator as u16 + 1),
    ("..<", K::Operator as u16 + 1),
    ("<=>", K::Operator as u16 + 2),
    ("&&", K::And as u16),
    ("||", K::Or as u16),
    ("==", K::Equal as u16),
    ("!=", K::Unequal as u16),
    ("<=", K::Operator as u16 + 3),
    (">=", K::Operator as u16 + 4),
    ("=>", K::Operator as u16 + 5),
    ("::", K::Member as u16),
    ("?.", K::Member as u16),
    ("!!", K::Operator as u16 + 6),
    ("??", K::Operator as u16 + 7),
    ("?:", K::Operator as u16 + 7),
    ("..", K::Operator as u16 + 1),
    (":=", b'=' as u16),
    ("++", K::Step as u16),
    ("--", K::Step as u16),
    ("+=", K::Compound as u16),
    ("-=", K::Compound as u16),
    ("*=", K::Compound as u16),
    ("/=", K::Compound as u16),
    ("%=", K::Compound as u16),
    ("|=", K::Compound as u16),
    ("&=", K::Compound as u16),
    ("^=", K::Compound as u16),
    ("**", K::Operator as u16 + 8),
];

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
    fn keywords_are_in_order_and_of_one_meaning_a_language() {
        assert!(KEYWORDS.is_sorted_by(|a, b| a.0 <= b.0));
        assert_eq!(KEYWORDS.iter().map(|(word, ..)| word.len()).max(), Some(LONGEST_KEYWORD));
        for (word, languages, _) in KEYWORDS {
            let sum: u32 = KEYWORDS.iter().filter(|row| row.0 == *word).map(|row| row.1.count_ones()).sum();
            let all = KEYWORDS.iter().filter(|row| row.0 == *word).fold(0, |all, row| all | row.1);
            assert_eq!(sum, all.count_ones(), "{word}");
            assert!(*languages != 0, "{word}");
        }
        assert!(OPERATORS.is_sorted_by(|a, b| a.0.len() >= b.0.len()));
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
