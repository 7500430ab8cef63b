//! Whether a declaration begins in a place.

use super::super::tokens::Kind;
use super::words::{BASIC_TYPES, SPECIFIERS, is_head, is_keyword, is_macro_name, is_statement};
use super::{MAX_LOOK_AHEAD, Reader};

impl Reader<'_> {
    /// Whether what is behind the arguments of a macro is what it is put before.
    pub(super) fn goes_on(&self, end: usize) -> bool {
        !matches!(self.word(end), "" | "const" | "final" | "noexcept" | "override" | "try")
    }

    /// Whether a word alone on its line is the type of what the next line declares: `DWORD` before `f(int)`.
    pub(super) fn is_type_of_next_line(&self, at: usize) -> bool {
        !self.word(at + 1).is_empty()
            && !is_keyword(self.word(at + 1))
            && !is_macro_name(self.word(at + 1))
            && matches!(self.kind(at + 2), Some(Kind::Sign(b'(' | b'=' | b';' | b'[' | b',') | Kind::Path))
    }

    /// Whether a word that does not look like a macro is one, since a whole declaration is behind it: `local` of
    /// `local int f(void)`.
    pub(super) fn is_word_before_declaration(&self, at: usize, class: &str) -> bool {
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
    pub(super) fn is_declaration(&self, begin: usize, class: &str) -> bool {
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
    pub(super) fn is_pointer_to_function(&self, at: usize) -> bool {
        self.kind(at + 1) == Some(Kind::Sign(b'*'))
            && !self.word(at + 2).is_empty()
            && self.kind(at + 3) == Some(Kind::Sign(b')'))
            && self.kind(at + 4) == Some(Kind::Sign(b'('))
    }
}
