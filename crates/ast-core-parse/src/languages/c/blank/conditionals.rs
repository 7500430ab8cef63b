//! Conditionals of the preprocessor that no grammar can read.

use super::super::tokens::{Kind, Token};
use super::words::is_macro_name;
use std::ops::Range;

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
pub(super) fn resolve_conditionals(
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
