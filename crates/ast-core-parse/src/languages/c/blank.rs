//! What is parsed in place of a C or C++ file: the same text with blanks for what no grammar can read.
//!
//! A compiler sees such a file after its preprocessor, a parser of the text as it is written sees it before. Macros
//! that stand where no name may stand (`class API Widget {`, `BEGIN_NAMESPACE`, `int f() NOTHROW;`) and conditionals
//! whose branches open a brace but do not close it make it take the text for something else, often up to the end of
//! the file. They are blanked out, byte for byte, so that every place stays where it is. What is blanked is told from
//! the words round it; where these allow for another reading, it stays.

use std::ops::Range;

/// How far ahead a word may be looked for that decides over another one, in tokens.
const MAX_LOOK_AHEAD: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Literal,
    /// A line for the preprocessor.
    Directive,
    /// `::`
    Path,
    /// Another sign, of one byte.
    Sign(u8),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The text to parse, if it is not the text itself.
pub(crate) fn blank(source: &str, is_cpp: bool) -> Option<Vec<u8>> {
    let tokens = tokens(source);
    let mut blanks = Vec::new();
    blank_comments_in_macros(source, &tokens, &mut blanks);
    let live = resolve_conditionals(source, &tokens, is_cpp, &mut blanks);
    let mut reader =
        Reader { source, tokens: &live, at: 0, blanks, semicolons: Vec::new(), zeros: Vec::new(), is_cpp };
    reader.read();
    if reader.blanks.is_empty() && reader.semicolons.is_empty() {
        return None;
    }
    let mut bytes = source.as_bytes().to_vec();
    // Conditionals inside of others are blanked out more than once.
    reader.blanks.sort_unstable_by_key(|range| range.start);
    let mut done = 0;
    for range in reader.blanks {
        for byte in bytes.get_mut(done.max(range.start as usize)..range.end as usize).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        done = done.max(range.end as usize);
    }
    for at in reader.semicolons {
        if let Some(byte) = bytes.get_mut(at as usize).filter(|byte| byte.is_ascii_whitespace()) {
            *byte = b';';
        }
    }
    for at in reader.zeros {
        if let Some(byte) = bytes.get_mut(at as usize) {
            *byte = b'0';
        }
    }
    Some(bytes)
}

/// Blanks out the comments in macros that go on behind them: grammars take them for the end of the macro.
fn blank_comments_in_macros(source: &str, tokens: &[Token], blanks: &mut Vec<Range<u32>>) {
    for token in tokens.iter().filter(|token| token.kind == Kind::Directive) {
        let text = source.get(token.start as usize..token.end as usize).unwrap_or("");
        let Some(last_line) = text.rfind('\n') else { continue };
        let mut at = 0;
        while let Some(begin) = text[at..last_line].find("/*").map(|found| at + found) {
            let end = text[begin..].find("*/").map_or(text.len(), |found| begin + found + 2);
            if end > last_line {
                break;
            }
            // One over several lines hides their ends.
            if !text[begin..end].contains('\n') {
                blanks.push(token.start + begin as u32..token.start + end as u32);
            }
            at = end;
        }
    }
}

/// The tokens of a text without comments.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len() / 5);
    let mut at = 0;
    let mut begins_line = true;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let rest = &bytes[at..];
        if byte.is_ascii_whitespace() {
            begins_line |= byte == b'\n';
            at += 1;
            continue;
        }
        if rest.starts_with(b"//") {
            at = end_of_line(bytes, at);
            continue;
        }
        if rest.starts_with(b"/*") {
            at = memchr::memmem::find(&rest[2..], b"*/").map_or(bytes.len(), |found| at + found + 4);
            continue;
        }
        let kind = match byte {
            b'#' if begins_line => {
                at = end_of_directive(bytes, at);
                Kind::Directive
            }
            b'"' | b'\'' => {
                at = end_of_string(bytes, at);
                Kind::Literal
            }
            b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'\'');
                at += rest.iter().take_while(|byte| is_part(byte)).count();
                Kind::Literal
            }
            _ if is_word_byte(byte) => {
                at += rest.iter().take_while(|byte| is_word_byte(**byte)).count();
                let word = &bytes[start..at];
                match bytes.get(at) {
                    Some(b'"') if word.ends_with(b"R") && word.len() <= 3 => {
                        at = end_of_raw_string(bytes, at);
                        Kind::Literal
                    }
                    Some(b'"' | b'\'') if matches!(word, b"L" | b"U" | b"u" | b"u8") => {
                        at = end_of_string(bytes, at);
                        Kind::Literal
                    }
                    _ => Kind::Word,
                }
            }
            b':' if rest.starts_with(b"::") => {
                at += 2;
                Kind::Path
            }
            _ => {
                at += 1;
                Kind::Sign(byte)
            }
        };
        begins_line = false;
        tokens.push(Token { kind, start: start as u32, end: at as u32 });
    }
    tokens
}

/// Letters beyond ASCII are part of words.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

/// Lines that end in a backslash go on in the next, and comments hide the end of a line.
fn end_of_directive(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at += if bytes[at..].starts_with(b"\\\r\n") { 3 } else { 2 },
            b'/' if bytes[at..].starts_with(b"/*") => {
                at =
                    memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |found| at + found + 4);
            }
            b'/' if bytes[at..].starts_with(b"//") => return end_of_line(bytes, at),
            b'"' => at = end_of_string(bytes, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a string or character, at the latest that of the line.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at += if bytes[at..].starts_with(b"\\\r\n") { 3 } else { 2 },
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `"delimiter( … )delimiter"`
fn end_of_raw_string(bytes: &[u8], quote: usize) -> usize {
    let rest = &bytes[quote + 1..];
    let Some(open) = rest.iter().take(17).position(|byte| *byte == b'(') else {
        return end_of_string(bytes, quote);
    };
    let closing = [b")", &rest[..open], b"\""].concat();
    memchr::memmem::find(&rest[open..], &closing)
        .map_or(bytes.len(), |found| quote + 1 + open + found + closing.len())
}

/// A conditional that is open.
struct Conditional {
    branches: Vec<Branch>,
    /// What is before it, without what other conditionals take away.
    before: Option<Token>,
    /// The first token of its first branch.
    first: Option<Token>,
}

/// A branch of a conditional: `#if` or `#else`, and what follows up to the next.
struct Branch {
    /// The place of the directive among the tokens.
    at: usize,
    /// The braces that it opens and does not close.
    net: i32,
    /// Its last token.
    last: Option<Token>,
}

/// Reads the conditionals of a text.
struct Conditionals<'a> {
    source: &'a str,
    tokens: &'a [Token],
    is_cpp: bool,
    open: Vec<Conditional>,
    /// Whether the braces that are open are those of an enumeration: a grammar reads conditionals there.
    enums: Vec<bool>,
    /// The last token, without what conditionals take away.
    last: Option<Token>,
    /// Where tokens are taken away, and where that ends: how many conditionals more or less do so than before.
    changes: Vec<i32>,
    blanks: &'a mut Vec<Range<u32>>,
}

/// Blanks out the branches that are not compiled, and those that do not close what they open where another one does
/// the same; the tokens that stay.
fn resolve_conditionals(
    source: &str,
    tokens: &[Token],
    is_cpp: bool,
    blanks: &mut Vec<Range<u32>>,
) -> Vec<Token> {
    let changes = vec![0; tokens.len() + 1];
    let (open, enums, last) = (Vec::new(), Vec::new(), None);
    let mut conditionals = Conditionals { source, tokens, is_cpp, open, enums, last, changes, blanks };
    for (at, token) in tokens.iter().enumerate() {
        conditionals.read(at, *token);
    }
    let mut taken = 0;
    let stays = |(change, token): (&i32, &Token)| {
        taken += change;
        (taken == 0).then_some(*token)
    };
    conditionals.changes.iter().zip(tokens).filter_map(stays).collect()
}

impl Conditionals<'_> {
    fn text(&self, token: Token) -> &str {
        self.source.get(token.start as usize..token.end as usize).unwrap_or("")
    }

    fn read(&mut self, at: usize, token: Token) {
        if token.kind == Kind::Directive {
            return self.read_directive(at, token);
        }
        if let Some(conditional) = self.open.last_mut() {
            if conditional.branches.len() == 1 {
                conditional.first.get_or_insert(token);
            }
            if let (Some(branch), Kind::Sign(sign)) = (conditional.branches.last_mut(), token.kind) {
                branch.net += i32::from(sign == b'{') - i32::from(sign == b'}');
            }
        }
        match token.kind {
            Kind::Sign(b'{') => {
                let head = self.tokens.get(..at).unwrap_or_default().iter().rev().take(8);
                let mut head = head.take_while(|token| !matches!(token.kind, Kind::Sign(b';' | b'{' | b'}')));
                let is_enum = head.any(|token| self.text(*token) == "enum");
                self.enums.push(is_enum);
            }
            Kind::Sign(b'}') => {
                self.enums.pop();
            }
            _ => {}
        }
        self.last = Some(token);
    }

    fn read_directive(&mut self, at: usize, token: Token) {
        let text = self.source.get(token.start as usize..token.end as usize).unwrap_or("");
        let word = text.trim_start_matches(['#', ' ', '\t']);
        blank_condition(text, word, token.start, self.blanks);
        let branch = Branch { at, net: 0, last: None };
        if word.starts_with("if") {
            self.open.push(Conditional { branches: vec![branch], before: self.last, first: None });
        } else if word.starts_with("el") {
            self.end_branch();
            if let Some(conditional) = self.open.last_mut() {
                conditional.branches.push(branch);
            }
        } else if word.starts_with("endif") {
            self.end_branch();
            if let Some(conditional) = self.open.pop() {
                self.close(&conditional, at);
                return;
            }
        }
        self.last = Some(token);
    }

    fn end_branch(&mut self) {
        let last = self.last.filter(|last| last.kind != Kind::Directive);
        if let Some(branch) = self.open.last_mut().and_then(|conditional| conditional.branches.last_mut()) {
            branch.last = last;
        }
    }

    /// Decides over a conditional that ends.
    fn close(&mut self, conditional: &Conditional, end: usize) {
        let branches = &conditional.branches;
        let Some(first) = branches.first() else { return };
        let token = |at: usize| self.tokens.get(at).copied();
        let (Some(begin_token), Some(end_token)) = (token(first.at), token(end)) else { return };
        let is_balanced = branches.iter().all(|branch| branch.net == 0);
        let is_inside = self.enums.last() != Some(&true)
            && (self.begins_inside_statement(conditional) || self.ends_inside_statement(conditional));
        let compiled = compiled_branch(self.text(begin_token), self.is_cpp);
        // A grammar reads branches that are whole; what is left is to know which of them count.
        if is_balanced && !is_inside && compiled.is_none_or(|compiled| compiled == 0) {
            self.last = Some(end_token);
            return;
        }
        let kept = compiled.unwrap_or(0);
        self.last = branches.get(kept).and_then(|branch| branch.last).or(conditional.before);
        let net = branches.get(kept).map_or(0, |branch| branch.net);
        if let Some(outer) = self.open.last_mut().and_then(|outer| outer.branches.last_mut()) {
            outer.net += net;
        }
        for (index, branch) in branches.iter().enumerate() {
            let next = branches.get(index + 1).map_or(end, |next| next.at);
            self.take_away(if index == kept { branch.at..branch.at + 1 } else { branch.at..next });
        }
        self.take_away(end..end + 1);
    }

    fn take_away(&mut self, tokens: Range<usize>) {
        let (Some(first), Some(last)) = (self.tokens.get(tokens.start), self.tokens.get(tokens.end - 1))
        else {
            return;
        };
        self.blanks.push(first.start..last.end);
        self.changes[tokens.start] += 1;
        self.changes[tokens.end] -= 1;
    }

    /// Whether a conditional begins within a statement, which no grammar expects: what is before it ends none, or it
    /// begins with what can begin none.
    fn begins_inside_statement(&self, conditional: &Conditional) -> bool {
        let begins_with_sign = || match conditional.first.map(|token| token.kind) {
            Some(Kind::Sign(sign)) => b"{:=,.-+|&?)".contains(&sign),
            _ => false,
        };
        let Some(before) = conditional.before else { return false };
        match before.kind {
            Kind::Sign(b';' | b'{' | b'}' | b':') | Kind::Directive => false,
            Kind::Sign(b')') => begins_with_sign(),
            Kind::Word if is_macro_name(self.text(before)) => begins_with_sign(),
            _ => true,
        }
    }

    /// Whether a conditional ends within a statement: `else` before `#endif`.
    fn ends_inside_statement(&self, conditional: &Conditional) -> bool {
        let Some(last) = conditional.branches.last().and_then(|branch| branch.last) else { return false };
        match last.kind {
            Kind::Sign(sign) => b",(=|&+-*<?".contains(&sign),
            Kind::Word => self.text(last) == "else",
            _ => false,
        }
    }
}

/// Blanks out what is in the parentheses of `#if __has_include(<name>)`, which no expression is.
fn blank_condition(text: &str, word: &str, start: u32, blanks: &mut Vec<Range<u32>>) {
    if !word.starts_with("if") && !word.starts_with("elif") {
        return;
    }
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('(')).map(|at| from + at + 1) {
        from = open;
        let Some(rest) = text.get(open..).filter(|rest| rest.trim_start().starts_with(['<', '"'])) else {
            continue;
        };
        let Some(close) = rest.find(')') else { return };
        blanks.push(start + open as u32..start + (open + close) as u32);
        from = open + close;
    }
}

/// Which branch is compiled, if the first condition says so: whether the language is C++, or `0`.
fn compiled_branch(directive: &str, is_cpp: bool) -> Option<usize> {
    let mut condition = directive.trim_start_matches(['#', ' ', '\t']);
    if let Some(comment) = condition.find("/*").or_else(|| condition.find("//")) {
        condition = condition.get(..comment).unwrap_or("");
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '!';
    let mut words = condition.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    let keyword = words.next()?;
    let is_of_cpp = match (keyword, &words.collect::<Vec<_>>()[..]) {
        ("if", ["0"]) => return Some(1),
        ("if", ["defined", "__cplusplus"]) | ("if" | "ifdef", ["__cplusplus"]) => true,
        ("if", ["!defined", "__cplusplus"]) | ("ifndef", ["__cplusplus"]) => false,
        // `__cplusplus >= 201103L`
        ("if", words) if !is_cpp && words.contains(&"__cplusplus") => {
            return Some(1).filter(|_| !condition.contains(['!', '|']));
        }
        _ => return None,
    };
    Some(usize::from(is_of_cpp != is_cpp))
}

/// Words that begin a declaration and say something of it, not what it is of.
const SPECIFIERS: [&str; 18] = [
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "explicit",
    "extern",
    "friend",
    "inline",
    "mutable",
    "register",
    "static",
    "thread_local",
    "typedef",
    "virtual",
    "volatile",
    "__inline",
    "__inline__",
    "__extension__",
];
/// Words of which several make one type.
const BASIC_TYPES: [&str; 13] = [
    "auto", "bool", "char", "double", "float", "int", "long", "short", "signed", "unsigned", "void",
    "wchar_t", "__int128",
];

/// What the tokens between two braces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Declarations,
    Code,
    Enumerators,
}

struct Reader<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    blanks: Vec<Range<u32>>,
    /// White space in whose place a semicolon goes.
    semicolons: Vec<u32>,
    /// Blanks in whose place a number goes.
    zeros: Vec<u32>,
    is_cpp: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let mut scopes = vec![(Within::Declarations, "")];
        // How many parentheses are open.
        let mut depth = 0u32;
        // The name of the class, or `""`, if the next brace holds declarations.
        let mut head: Option<&'a str> = None;
        // Where the last enumeration begins.
        let mut enum_at: Option<usize> = None;
        let mut begins_statement = true;
        while self.at < self.tokens.len() {
            let (here, class) = scopes.last().copied().unwrap_or((Within::Declarations, ""));
            let token = self.tokens[self.at];
            let begins = std::mem::replace(&mut begins_statement, false) && depth == 0;
            if begins
                && here != Within::Enumerators
                && token.kind == Kind::Word
                && self.macros_before(self.at, here, class)
            {
                // It goes on behind them, or has ended.
                begins_statement = true;
                continue;
            }
            match token.kind {
                Kind::Directive => begins_statement = begins || self.ends_statement(self.at.wrapping_sub(1)),
                Kind::Literal => self.macro_behind_literal(),
                Kind::Word if here != Within::Code && !begins && self.macro_in_declaration(depth) => {}
                Kind::Sign(b'(' | b'[') => {
                    if token.kind == Kind::Sign(b'(') && self.at > 0 {
                        let before = self.at.checked_sub(2).and_then(|before| self.kind(before));
                        let is_operand = matches!(before, Some(Kind::Sign(b'=' | b',' | b'(' | b'|')));
                        if here == Within::Code || is_operand {
                            self.no_expressions_as_arguments(self.at - 1);
                        }
                    }
                    depth += 1;
                }
                Kind::Sign(b')' | b']') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && here == Within::Declarations {
                        self.macros_behind_parameters();
                    }
                }
                Kind::Sign(b'{') => {
                    let is_enum = enum_at.take().is_some_and(|at| self.at - at <= 8);
                    scopes.push(match head.take().filter(|_| depth == 0) {
                        _ if is_enum => (Within::Enumerators, ""),
                        Some(class) => (Within::Declarations, class),
                        None => (Within::Code, ""),
                    });
                    depth = 0;
                    begins_statement = true;
                }
                Kind::Sign(b'}') => {
                    if scopes.len() > 1 {
                        scopes.pop();
                    }
                    depth = 0;
                    begins_statement = true;
                }
                Kind::Sign(b';') => {
                    begins_statement = depth == 0;
                    head = head.filter(|_| depth > 0);
                }
                Kind::Sign(b':') => {
                    begins_statement = self.at > 0
                        && matches!(
                            self.word(self.at - 1),
                            "private" | "protected" | "public" | "signals" | "slots"
                        );
                }
                Kind::Word => match self.word(self.at) {
                    "__attribute__" | "__attribute" => {
                        if let Some(end) = self.behind_parentheses(self.at + 1) {
                            self.blank(self.at..end);
                            self.at = end;
                            begins_statement = begins;
                            continue;
                        }
                    }
                    _ if depth > 0 => {}
                    "namespace" => head = Some(""),
                    "extern" if self.kind(self.at + 1) == Some(Kind::Literal) => {
                        head = Some("");
                        self.at += 1;
                        begins_statement = true;
                    }
                    "class" | "struct" | "union" => head = self.macros_before_name(self.at).or(head),
                    "enum" => {
                        enum_at = Some(self.at);
                        self.macros_before_name(self.at);
                    }
                    _ if here == Within::Enumerators => self.macro_behind_enumerator(),
                    "template" if self.kind(self.at + 1) == Some(Kind::Sign(b'<')) => {
                        if let Some(end) = self.behind_angles(self.at + 1) {
                            self.at = end;
                            begins_statement = true;
                            continue;
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
            self.at += 1;
        }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The word in this place, `""` if there is none.
    fn word(&self, at: usize) -> &'a str {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => {
                self.source.get(token.start as usize..token.end as usize).unwrap_or("")
            }
            _ => "",
        }
    }

    fn blank(&mut self, tokens: Range<usize>) {
        if let Some([first, .., last] | [first @ last]) = self.tokens.get(tokens) {
            self.blanks.push(first.start..last.end);
        }
    }

    fn ends_statement(&self, at: usize) -> bool {
        matches!(self.kind(at), None | Some(Kind::Sign(b';' | b'{' | b'}')))
    }

    /// Whether a line break is before the token in this place.
    fn begins_line(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return true };
        let end = at.checked_sub(1).and_then(|before| self.tokens.get(before)).map_or(0, |before| before.end);
        self.source
            .as_bytes()
            .get(end as usize..token.start as usize)
            .is_none_or(|between| between.contains(&b'\n'))
    }

    /// The place behind the brackets that open in this place, if they close soon enough.
    fn behind(&self, at: usize, open: u8, close: u8) -> Option<usize> {
        let mut depth = 0usize;
        for (index, token) in self.tokens.iter().enumerate().skip(at).take(8 * MAX_LOOK_AHEAD) {
            match token.kind {
                Kind::Sign(sign) if sign == open => depth += 1,
                Kind::Sign(sign) if sign == close => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index + 1);
                    }
                }
                Kind::Sign(b';' | b'{' | b'}') if open == b'<' => return None,
                Kind::Directive => return None,
                _ => {}
            }
            if depth == 0 {
                return None;
            }
        }
        None
    }

    fn behind_angles(&self, at: usize) -> Option<usize> {
        self.behind(at, b'<', b'>')
    }

    fn behind_parentheses(&self, at: usize) -> Option<usize> {
        self.behind(at, b'(', b')')
    }

    /// `class MACRO Name {`, `class MACRO(x) Name : Base`. The name, if a body with declarations follows.
    fn macros_before_name(&mut self, keyword: usize) -> Option<&'a str> {
        let is_enum = self.word(keyword) == "enum";
        let mut at = keyword + 1;
        if is_enum && matches!(self.word(at), "class" | "struct") {
            at += 1;
        }
        loop {
            at = match (self.kind(at), self.word(at)) {
                (Some(Kind::Sign(b'[')), _) => self.behind(at, b'[', b']')?,
                (_, "alignas" | "__attribute__" | "__declspec") => self.behind_parentheses(at + 1)?,
                _ => break,
            };
        }
        let mut macros = at..at;
        while is_macro_name(self.word(macros.end)) {
            let next = match self.kind(macros.end + 1) {
                Some(Kind::Sign(b'(')) => self.behind_parentheses(macros.end + 1),
                _ => Some(macros.end + 1),
            };
            match next {
                Some(next) if !matches!(self.word(next), "" | "final") => macros.end = next,
                _ => break,
            }
        }
        let mut name = self.word(macros.end);
        if name.is_empty() {
            return Some("").filter(|_| matches!(self.kind(at), Some(Kind::Sign(b'{' | b':'))) && !is_enum);
        }
        let mut end = macros.end + 1;
        loop {
            end = match self.kind(end) {
                Some(Kind::Path) if !self.word(end + 1).is_empty() => {
                    name = self.word(end + 1);
                    end + 2
                }
                Some(Kind::Sign(b'<')) => self.behind_angles(end)?,
                _ => break,
            };
        }
        let has_body = match self.kind(end) {
            Some(Kind::Sign(b'{')) => true,
            Some(Kind::Sign(b':')) => !is_enum || macros.is_empty(),
            Some(Kind::Word) => self.word(end) == "final",
            _ => false,
        };
        let is_forward = self.word(keyword) == "class" && self.kind(end) == Some(Kind::Sign(b';'));
        if (has_body || is_forward) && !macros.is_empty() {
            self.blank(macros);
        }
        Some(name).filter(|_| has_body && !is_enum)
    }

    /// Macros at the beginning of a statement that are no part of it. Whether there was one: what follows it begins a
    /// statement.
    fn macros_before(&mut self, begin: usize, here: Within, class: &str) -> bool {
        let mut at = begin;
        while SPECIFIERS.contains(&self.word(at)) {
            at += 1;
        }
        let name = self.word(at);
        let is_first = at == begin;
        if !is_macro_name(name) {
            match here {
                Within::Declarations if self.is_word_before_declaration(at, class) => {
                    self.blank(at..at + 1);
                    self.at = at + 1;
                    return true;
                }
                Within::Declarations => self.macros_inside(at),
                // `for_each(x, list) {`
                _ if is_first && !is_keyword(name) && self.kind(at + 1) == Some(Kind::Sign(b'(')) => {
                    let end = self.behind_parentheses(at + 1);
                    if let Some(end) = end.filter(|end| self.kind(*end) == Some(Kind::Sign(b'{'))) {
                        self.semicolons.extend(self.tokens.get(end - 1).map(|token| token.end));
                    }
                }
                _ => {}
            }
            return false;
        }
        match self.kind(at + 1) {
            Some(Kind::Sign(b'(')) => return self.macro_call_before(at, is_first, here, class),
            // `MACRO:` in place of `public:`
            Some(Kind::Sign(b':')) if is_first && here == Within::Declarations => {
                self.blank(at..at + 2);
                self.at = at + 2;
                return true;
            }
            _ => {}
        }
        let before = at.checked_sub(1).and_then(|before| self.kind(before));
        let is_alone = is_first
            && name.contains('_')
            && (self.begins_line(at) && self.begins_line(at + 1))
            && matches!(before, None | Some(Kind::Directive | Kind::Sign(b';' | b'{' | b'}' | b':' | b')')))
            && match self.kind(at + 1) {
                Some(Kind::Word) => !self.is_type_of_next_line(at),
                None | Some(Kind::Directive) => here == Within::Declarations,
                Some(Kind::Sign(b'}')) => before != Some(Kind::Sign(b'{')),
                _ => false,
            };
        if is_alone || self.is_declaration(at + 1, class) {
            self.blank(at..at + 1);
            self.at = at + 1;
            return true;
        }
        if here == Within::Declarations {
            self.macros_inside(at);
        }
        false
    }

    /// Whether what is behind the arguments of a macro is what it is put before.
    fn goes_on(&self, end: usize) -> bool {
        !matches!(self.word(end), "" | "const" | "final" | "noexcept" | "override" | "try")
    }

    /// The same for a macro with arguments.
    fn macro_call_before(&mut self, at: usize, is_first: bool, here: Within, class: &str) -> bool {
        let Some(end) = self.behind_parentheses(at + 1) else { return false };
        let goes_on = self.goes_on(end);
        let is_after_template = at > 0 && self.kind(at - 1) == Some(Kind::Sign(b'>'));
        if here == Within::Declarations && goes_on {
            let is_attribute = !self.begins_line(end) || is_after_template || !is_first;
            if is_attribute && self.is_declaration(end, class) {
                self.blank(at..end);
                self.at = end;
                return true;
            }
        }
        if !is_first {
            return false;
        }
        let is_end = matches!(self.kind(end), None | Some(Kind::Directive | Kind::Sign(b'}' | b'~')));
        let is_block = self.kind(end) == Some(Kind::Sign(b'{'));
        let last = self.tokens.get(end - 1).map_or(0, |token| token.end);
        if is_block && here == Within::Declarations && class.is_empty() && self.is_cpp {
            // A test, or something else that a macro makes a function of: what is not like parameters goes.
            let is_parameter = |at: usize| match self.kind(at) {
                Some(Kind::Word) => !is_head(self.word(at)) && !is_statement(self.word(at)),
                kind => matches!(kind, Some(Kind::Path | Kind::Sign(b',' | b'*' | b'&'))),
            };
            if !(at + 2..end - 1).all(is_parameter) {
                self.blank(at + 2..end - 1);
            }
            self.at = end;
            return true;
        }
        let ends_here = is_block && here == Within::Code || (goes_on || is_end) && self.begins_line(end);
        if ends_here {
            self.no_expressions_as_arguments(at);
            self.semicolons.push(last);
            self.at = end;
            return true;
        }
        if self.kind(end) == Some(Kind::Sign(b';')) {
            self.no_expressions_as_arguments(at);
        }
        false
    }

    /// `"%" MACRO "\n"`, `40 MACRO`
    fn macro_behind_literal(&mut self) {
        let word = self.word(self.at + 1);
        let is_operator = matches!(word, "and" | "bitand" | "bitor" | "not_eq" | "or" | "xor");
        let is_macro = !word.is_empty() && !is_keyword(word) && !is_operator;
        let next = self.kind(self.at + 2);
        if is_macro && matches!(next, Some(Kind::Literal | Kind::Sign(b',' | b')' | b';' | b'}' | b']'))) {
            self.blank(self.at + 1..self.at + 2);
        }
    }

    /// A macro before or behind the type of a parameter, before the `*` of a pointer, or before that of a function.
    /// Whether the word here is one.
    fn macro_in_declaration(&mut self, depth: u32) -> bool {
        if !is_macro_name(self.word(self.at)) {
            return false;
        }
        let before = self.at.checked_sub(1).and_then(|before| self.kind(before));
        let is_behind_type = before == Some(Kind::Word) && {
            let word = self.word(self.at - 1);
            !is_keyword(word) || BASIC_TYPES.contains(&word)
        };
        let next = self.kind(self.at + 1);
        // `char MACRO *x`
        let is_of_pointer = is_behind_type
            && next == Some(Kind::Sign(b'*'))
            && matches!(self.kind(self.at + 2), Some(Kind::Word | Kind::Sign(b'*' | b')' | b',')));
        // `(MACRO *f)(int)`
        let is_convention = before == Some(Kind::Sign(b'('))
            && next == Some(Kind::Sign(b'*'))
            && self.kind(self.at + 2) == Some(Kind::Word)
            && self.kind(self.at + 3) == Some(Kind::Sign(b')'))
            && self.kind(self.at + 4) == Some(Kind::Sign(b'('));
        // `f(MACRO const char *x)`
        let is_of_parameter = depth > 0
            && matches!(before, Some(Kind::Sign(b'(' | b',')))
            && next == Some(Kind::Word)
            && self.is_declaration(self.at + 1, "");
        let is_macro = is_of_pointer || is_convention || is_of_parameter;
        if is_macro {
            self.blank(self.at..self.at + 1);
        }
        is_macro
    }

    /// `NAME MACRO(x) = 3,`
    fn macro_behind_enumerator(&mut self) {
        if !is_macro_name(self.word(self.at + 1)) {
            return;
        }
        let end = match self.kind(self.at + 2) {
            Some(Kind::Sign(b'(')) => self.behind_parentheses(self.at + 2),
            _ => Some(self.at + 2),
        };
        let is_end = |end: &usize| matches!(self.kind(*end), Some(Kind::Sign(b'=' | b',' | b'}')));
        if let Some(end) = end.filter(is_end) {
            self.blank(self.at + 1..end);
        }
    }

    /// What a macro is called with that is no expression: types and lists, `MACRO(unsigned char, {1, 2})`.
    fn no_expressions_as_arguments(&mut self, name: usize) {
        if !is_macro_name(self.word(name)) && self.word(name) != "va_arg" {
            return;
        }
        let Some(end) = self.behind_parentheses(name + 1) else { return };
        let mut depth = 0u32;
        let mut begin = name + 2;
        for at in name + 1..end {
            match self.kind(at) {
                Some(Kind::Sign(b'(' | b'[' | b'{')) => depth += 1,
                Some(Kind::Sign(b')' | b']' | b'}')) => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is_end = at + 1 == end || depth == 1 && self.kind(at) == Some(Kind::Sign(b','));
            if !is_end {
                continue;
            }
            let is_part =
                |at: usize| matches!(self.kind(at), Some(Kind::Word | Kind::Path | Kind::Sign(b'*' | b'&')));
            let first = self.word(begin);
            let is_type = BASIC_TYPES.contains(&first)
                || matches!(first, "class" | "const" | "enum" | "struct" | "union");
            let is_reference = begin + 1 < at && matches!(self.kind(at - 1), Some(Kind::Sign(b'*' | b'&')));
            let is_list = self.kind(begin) == Some(Kind::Sign(b'{'));
            if begin < at && (is_list || (is_type || is_reference) && (begin..at).all(is_part)) {
                self.zeros.extend(self.tokens.get(begin).map(|token| token.start));
                self.blank(begin..at);
            }
            begin = at + 1;
        }
    }

    /// Whether a word alone on its line is the type of what the next line declares: `DWORD` before `f(int)`.
    fn is_type_of_next_line(&self, at: usize) -> bool {
        !self.word(at + 1).is_empty()
            && !is_keyword(self.word(at + 1))
            && !is_macro_name(self.word(at + 1))
            && matches!(self.kind(at + 2), Some(Kind::Sign(b'(' | b'=' | b';' | b'[' | b',') | Kind::Path))
    }

    /// Whether a word that does not look like a macro is one, since a whole declaration is behind it: `local` of
    /// `local int f(void)`.
    fn is_word_before_declaration(&self, at: usize, class: &str) -> bool {
        let (word, next) = (self.word(at), self.word(at + 1));
        let is_plain =
            !word.is_empty() && !is_keyword(word) && (!word.starts_with('_') || word == "_Thread_local");
        let begins_declaration =
            BASIC_TYPES.contains(&next) || !is_keyword(next) || matches!(next, "inline" | "static");
        // `Type __macro name(int)` is for another rule.
        is_plain
            && begins_declaration
            && !next.is_empty()
            && !next.starts_with("__")
            && !is_macro_name(next)
            && self.is_declaration(at + 1, class)
    }

    /// Whether what begins in this place has a type and a name, or is a function of the class that needs no type:
    /// whether it declares something without what is before.
    fn is_declaration(&self, begin: usize, class: &str) -> bool {
        let mut at = begin;
        let mut words = 0;
        let mut is_basic = false;
        for _ in 0..MAX_LOOK_AHEAD {
            let word = self.word(at);
            match self.kind(at) {
                _ if is_head(word) => return true,
                _ if SPECIFIERS.contains(&word) => at += 1,
                Some(Kind::Word) if word == "operator" => {
                    let is_conversion = !matches!(self.word(at + 1), "" | "delete" | "new");
                    return words > 0 || is_conversion;
                }
                Some(Kind::Word) if is_statement(word) => return false,
                Some(Kind::Word) if word == "typename" => at += 1,
                Some(Kind::Word) if words == 0 && self.kind(at + 1) == Some(Kind::Sign(b'(')) => {
                    let is_constructor = word == class && !class.is_empty()
                        || at > begin + 1
                            && self.kind(at - 1) == Some(Kind::Path)
                            && self.word(at - 2) == word;
                    if is_constructor {
                        return true;
                    }
                    words += 1;
                    is_basic = BASIC_TYPES.contains(&word);
                    at += 1;
                }
                Some(Kind::Word) => {
                    let is_basic_too = BASIC_TYPES.contains(&word);
                    // `unsigned long` is one type.
                    words += u32::from(!(is_basic && is_basic_too));
                    is_basic = is_basic_too;
                    at += 1;
                }
                Some(Kind::Path) => {
                    // `A::B` is one name.
                    words = words.saturating_sub(1);
                    at += 1;
                }
                Some(Kind::Sign(b'<')) => match self.behind_angles(at) {
                    Some(end) => at = end,
                    None => return false,
                },
                Some(Kind::Sign(b'*' | b'&')) => return words > 0,
                Some(Kind::Sign(b'('))
                    if self.word(at - 1).starts_with("__") || self.word(at - 1) == "alignas" =>
                {
                    // `__attribute__((x))`
                    words = words.saturating_sub(1);
                    match self.behind_parentheses(at) {
                        Some(end) => at = end,
                        None => return false,
                    }
                }
                // `MACRO(x) int f(void)`
                Some(Kind::Sign(b'(')) if is_macro_name(self.word(at - 1)) => {
                    match self.behind_parentheses(at).filter(|end| self.goes_on(*end)) {
                        Some(end) => at = end,
                        None => return words >= 2,
                    }
                    words = words.saturating_sub(1);
                }
                // `size_t (*f)(void)`
                Some(Kind::Sign(b'(')) if self.is_pointer_to_function(at) => return words > 0,
                Some(Kind::Sign(b'(')) => return words >= 2 || is_basic,
                Some(Kind::Sign(b';' | b'=' | b'[' | b'{' | b',' | b':' | b')')) => return words >= 2,
                // A destructor.
                Some(Kind::Sign(b'~')) => return words == 0,
                _ => return false,
            }
        }
        false
    }

    /// Whether `(*name)(` begins in this place.
    fn is_pointer_to_function(&self, at: usize) -> bool {
        self.kind(at + 1) == Some(Kind::Sign(b'*'))
            && !self.word(at + 2).is_empty()
            && self.kind(at + 3) == Some(Kind::Sign(b')'))
            && self.kind(at + 4) == Some(Kind::Sign(b'('))
    }

    /// Macros between the type and the name of a function, and behind the name of a variable:
    /// `void MACRO f(int)`, `int x MACRO(y) = 3`.
    fn macros_inside(&mut self, begin: usize) {
        let mut at = begin;
        // The words of the type and the name, but for those that make one with the word before.
        let mut words: Vec<usize> = Vec::new();
        let mut is_basic = false;
        for _ in 0..MAX_LOOK_AHEAD {
            let word = self.word(at);
            match self.kind(at) {
                _ if is_keyword(word) && !BASIC_TYPES.contains(&word) && !SPECIFIERS.contains(&word) => {
                    return;
                }
                _ if SPECIFIERS.contains(&word) => at += 1,
                Some(Kind::Word) => {
                    let is_basic_too = BASIC_TYPES.contains(&word);
                    if !(is_basic && is_basic_too) {
                        words.push(at);
                    }
                    is_basic = is_basic_too;
                    at += 1;
                }
                Some(Kind::Path) => {
                    words.pop();
                    at += 1;
                }
                Some(Kind::Sign(b'<')) => match self.behind_angles(at) {
                    Some(end) => at = end,
                    None => return,
                },
                Some(Kind::Sign(b'*' | b'&')) => at += 1,
                // `int MACRO(x) f(void)`
                Some(Kind::Sign(b'(')) if words.len() >= 2 && is_macro_name(self.word(at - 1)) => {
                    let Some(end) = self.behind_parentheses(at).filter(|end| self.goes_on(*end)) else {
                        break;
                    };
                    self.blank(at - 1..end);
                    words.pop();
                    at = end;
                }
                _ => break,
            }
        }
        let macro_at = match (words.as_slice(), self.kind(at)) {
            // `int x MACRO(y);`
            ([_, .., name, last], Some(Kind::Sign(b'(')))
                if last - name == 1
                    && is_macro_name(self.word(*last))
                    && !is_macro_name(self.word(*name)) =>
            {
                let Some(end) = self.behind_parentheses(at) else { return };
                if matches!(self.kind(end), Some(Kind::Sign(b';' | b'=' | b'{'))) {
                    self.blank(*last..end);
                }
                return;
            }
            // `void MACRO f(int)`
            ([_, .., middle, last], Some(Kind::Sign(b'('))) if last - middle == 1 => {
                if self.word(*middle).starts_with("__") {
                    self.blank(*middle..*last);
                    return;
                }
                *middle
            }
            // `int x MACRO = 3;`, `int MACRO x = 3;`
            ([_, .., name, last], Some(Kind::Sign(b';' | b'=' | b'['))) if last - name == 1 => {
                if is_macro_name(self.word(*name)) {
                    *name
                } else {
                    *last
                }
            }
            _ => return,
        };
        if is_macro_name(self.word(macro_at)) {
            self.blank(macro_at..macro_at + 1);
        }
    }

    /// Macros between a list of parameters and the end of a declaration or its body: `void f() const MACRO(x);`
    fn macros_behind_parameters(&mut self) {
        let mut at = self.at + 1;
        let mut macros: Vec<Range<usize>> = Vec::new();
        for _ in 0..MAX_LOOK_AHEAD {
            match self.kind(at) {
                Some(Kind::Word)
                    if matches!(self.word(at), "const" | "final" | "noexcept" | "override" | "volatile") =>
                {
                    at += 1;
                }
                Some(Kind::Word) if is_macro_name(self.word(at)) => {
                    let end = match self.kind(at + 1) {
                        Some(Kind::Sign(b'(')) => self.behind_parentheses(at + 1),
                        _ => Some(at + 1),
                    };
                    let Some(end) = end else { return };
                    macros.push(at..end);
                    at = end;
                }
                Some(Kind::Sign(b'&')) => at += 1,
                Some(Kind::Sign(b';' | b'{' | b'=')) => break,
                _ => return,
            }
        }
        for range in macros {
            self.blank(range);
        }
    }
}

/// Whether a word looks like the name of a macro: all capitals, or reserved.
fn is_macro_name(word: &str) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let has_letter = word.bytes().any(|byte| byte.is_ascii_uppercase());
    word.len() >= 3 && has_letter && word.bytes().all(is_capital)
}

/// Words that begin the definition of a type or namespace, or a template.
fn is_head(word: &str) -> bool {
    matches!(word, "class" | "enum" | "namespace" | "struct" | "template" | "typedef" | "union" | "using")
}

fn is_keyword(word: &str) -> bool {
    SPECIFIERS.contains(&word)
        || BASIC_TYPES.contains(&word)
        || is_statement(word)
        || is_head(word)
        || matches!(
            word,
            "alignas"
                | "decltype"
                | "operator"
                | "private"
                | "protected"
                | "public"
                | "requires"
                | "typename"
        )
}

/// Words that begin a statement which declares nothing.
fn is_statement(word: &str) -> bool {
    matches!(
        word,
        "break"
            | "case"
            | "catch"
            | "co_await"
            | "co_return"
            | "co_yield"
            | "continue"
            | "default"
            | "delete"
            | "do"
            | "else"
            | "for"
            | "goto"
            | "if"
            | "new"
            | "return"
            | "sizeof"
            | "static_assert"
            | "switch"
            | "throw"
            | "try"
            | "while"
    )
}

#[cfg(test)]
mod tests {
    use super::blank;
    use proptest::prelude::*;

    /// What is parsed in place of a C++ text.
    fn of_cpp(source: &str) -> String {
        blank(source, true).map_or_else(|| source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    /// What is parsed in place of a C text.
    fn of_c(source: &str) -> String {
        blank(source, false).map_or_else(|| source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    /// The words of the text that is parsed.
    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn macros_where_no_name_may_stand_go() {
        for (source, parsed) in [
            ("class API Widget : Base {};", "class Widget : Base {};"),
            ("class API Widget final {};", "class Widget final {};"),
            ("struct API_ALIGNED(8) widget { int x; };", "struct widget { int x; };"),
            ("class API Widget;", "class Widget;"),
            ("BEGIN_NAMESPACE\nnamespace a {}\nEND_NAMESPACE\n", "namespace a {}"),
            ("API_INLINE static int f(void);", "static int f(void);"),
            ("static API_INLINE size_t f(int x);", "static size_t f(int x);"),
            ("API char *f(void);", "char *f(void);"),
            ("API int (f)(void);", "int (f)(void);"),
            ("API size_t (*f)(void) WEAK;", "size_t (*f)(void) ;"),
            ("API_DEPRECATED(\"x\") int f(void);", "int f(void);"),
            ("template <typename T> API void f(T x);", "template <typename T> void f(T x);"),
            ("void CALLBACK f(int x);", "void f(int x);"),
            ("void f() const NOTHROW REQUIRES(mu);", "void f() const ;"),
            ("struct S { int x GUARDED_BY(mu) = 1; };", "struct S { int x = 1; };"),
            (
                "struct S { API S(int x); API ~S(); API operator bool(); };",
                "struct S { S(int x); ~S(); operator bool(); };",
            ),
            ("struct S { API_PRIVATE: int x; };", "struct S { int x; };"),
            ("local int f(void);", "int f(void);"),
            (
                "#define A(x) do { /* b */ \\\n  x; /* c */ \\\n} while (0) /* d */",
                "#define A(x) do { \\ x; \\ } while (0) /* d */",
            ),
            ("unsigned char FAR *f(API_IN const void *x);", "unsigned char *f( const void *x);"),
            ("typedef int (CALLBACK *f)(int);", "typedef int ( *f)(int);"),
            ("enum E { A DEPRECATED(\"x\") = 1, B };", "enum E { A = 1, B };"),
            ("int x __attribute__((unused)) = 1;", "int x = 1;"),
            ("int x[] = { 16 KB, 1 MB };", "int x[] = { 16 , 1 };"),
            ("void f() { g(\"%\" PRIu64 \"x\"); }", "void f() { g(\"%\" \"x\"); }"),
            ("void f() { CHECK(x, std::string&); }", "void f() { CHECK(x, 0 ); }"),
            ("int x = MAKE({1, 2});", "int x = MAKE(0 );"),
            ("TEST_CASE(\"a\") { f(); }", "TEST_CASE( ) { f(); }"),
            ("void f() { SECTION(\"a\") { g(); } }", "void f() { SECTION(\"a\");{ g(); } }"),
            ("struct S {\nQ_ENUM(State)\nint x; };", "struct S { Q_ENUM(State);int x; };"),
        ] {
            assert_eq!(words(&of_cpp(source)), parsed, "{source}");
        }
    }

    #[test]
    fn what_may_be_a_type_or_a_name_stays() {
        for source in [
            "DWORD f(int x);",
            "DWORD\nf(int x);",
            "DWORD const x = 1;",
            "HRESULT Foo::bar(int x);",
            "BOOL operator==(A, B);",
            "struct FOO bar;",
            "FILE *f(FILE *x);",
            "enum E { RED,\nGREEN\n};",
            "class RLE final {};",
            "int x = A_B * C_D;",
            "void f() { return A_B; }",
            "std::vector<int> x(3);",
            "Foo bar(1);",
            "const int MAX_SIZE = 3;",
            "TEST(Suite, Name) {}",
            "#define A class API B {\nint x;",
            "// class API B {\nconst char *s = \"class API B {\";",
        ] {
            assert_eq!(blank(source, true), None, "{source}");
        }
    }

    #[test]
    fn conditionals_are_resolved_where_a_grammar_cannot_read_them() {
        for (source, parsed) in [
            ("#if A\nif (x) {\n#else\nif (y) {\n#endif\n}", "if (x) { }"),
            ("#ifdef A\nnamespace a {\n#endif\nint x;\n#ifdef A\n}\n#endif", "namespace a { int x; }"),
            ("class A\n#if B\n: B\n#endif\n{};", "class A : B {};"),
            ("#if A\nif (x) y();\nelse\n#endif\nz();", "if (x) y(); else z();"),
            ("#if 0\nint x;\n#else\nint y;\n#endif", "int y;"),
            ("#if __has_include(<a>)\n#endif", "#if __has_include( ) #endif"),
        ] {
            assert_eq!(words(&of_cpp(source)), parsed, "{source}");
        }
        for source in [
            "#if A\nint x;\n#else\nint y;\n#endif",
            "enum E {\nA,\n#if B\nC,\n#endif\nD };",
            "#ifdef __cplusplus\nclass A;\n#endif",
        ] {
            assert_eq!(blank(source, true), None, "{source}");
        }
        let guarded = "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint x;\n#ifdef __cplusplus\n}\n#endif";
        assert_eq!(words(&of_c(guarded)), "int x;");
        assert_eq!(words(&of_cpp(guarded)), "extern \"C\" { int x; }");
    }

    #[test]
    fn conditionals_nest_as_deep_as_they_like() {
        let depth = 100_000;
        let source = "#if A\n{\n".repeat(depth) + &"#else\n}\n#endif\n".repeat(depth);
        assert_eq!(of_cpp(&source).len(), source.len());
    }

    proptest! {
        /// Whatever is blanked, all that stays is where it was, and so are the lines.
        #[test]
        fn everything_stays_in_its_place(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "class", "struct", "enum", "template", "API", "A_B", "KB", "int", "x", "größe", "std", "::", "(", ")",
                    "{", "}", "<", ">", "[", "]", ";", ",", ":", "=", "*", "&", "~", "\"", "'", "\\", "\n", "\r\n",
                    "R\"x(", "//", "/*", "*/", "1", "\n#if A\n", "\n#else\n", "\n#endif\n", "\n#if 0\n", "operator",
                    "#if f(\"x", "const", "extern", "\"C\"",
                ]),
                0..60,
            ),
            is_cpp: bool,
            separator in prop::sample::select(vec!["", " "]),
        ) {
            let source = words.join(separator);
            if let Some(parsed) = blank(&source, is_cpp) {
                prop_assert_eq!(parsed.len(), source.len());
                let parsed = String::from_utf8(parsed).unwrap();
                for (was, is) in source.bytes().zip(parsed.bytes()) {
                    let is_kept = was == is || is == b' ' || is == b'0' || is == b';' && was.is_ascii_whitespace();
                    prop_assert!(is_kept, "{:?} {:?}", source, parsed);
                }
            }
        }
    }
}
