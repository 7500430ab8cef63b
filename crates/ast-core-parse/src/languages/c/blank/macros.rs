//! Macros that stand where no name may stand.

use super::super::tokens::Kind;
use super::words::{BASIC_TYPES, SPECIFIERS, is_head, is_keyword, is_macro_name, is_statement};
use super::{MAX_LOOK_AHEAD, Reader, Within};
use std::ops::Range;

impl<'a> Reader<'a> {
    /// `class MACRO Name {`, `class MACRO(x) Name : Base`. The name, if a body with declarations follows.
    pub(super) fn macros_before_name(&mut self, keyword: usize) -> Option<&'a str> {
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
    pub(super) fn macros_before(&mut self, begin: usize, here: Within, class: &str) -> bool {
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

    /// The same for a macro with arguments.
    pub(super) fn macro_call_before(&mut self, at: usize, is_first: bool, here: Within, class: &str) -> bool {
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
    pub(super) fn macro_behind_literal(&mut self) {
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
    pub(super) fn macro_in_declaration(&mut self, depth: u32) -> bool {
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
    pub(super) fn macro_behind_enumerator(&mut self) {
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
    pub(super) fn no_expressions_as_arguments(&mut self, name: usize) {
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

    /// Macros between the type and the name of a function, and behind the name of a variable:
    /// `void MACRO f(int)`, `int x MACRO(y) = 3`.
    pub(super) fn macros_inside(&mut self, begin: usize) {
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
    pub(super) fn macros_behind_parameters(&mut self) {
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
