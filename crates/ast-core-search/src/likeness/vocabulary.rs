//! Keywords and operators of the languages, and what they mean whatever the language.

/// Languages, as a set of bits. A text of no known language is read as of all of them.
pub(super) type Languages = u16;

pub(super) const BASH: Languages = 1;
pub(super) const C: Languages = 1 << 1;
pub(super) const CPP: Languages = 1 << 2;
pub(super) const CSHARP: Languages = 1 << 3;
pub(super) const GO: Languages = 1 << 4;
pub(super) const JAVA: Languages = 1 << 5;
pub(super) const JAVASCRIPT: Languages = 1 << 6;
pub(super) const KOTLIN: Languages = 1 << 7;
pub(super) const PHP: Languages = 1 << 8;
pub(super) const PYTHON: Languages = 1 << 9;
pub(super) const RUBY: Languages = 1 << 10;
pub(super) const RUST: Languages = 1 << 11;
pub(super) const SCALA: Languages = 1 << 12;
pub(super) const SWIFT: Languages = 1 << 13;
pub(super) const TYPESCRIPT: Languages = 1 << 14;
pub(super) const ANY: Languages = Languages::MAX;

/// Languages of one family.
pub(super) const CS: Languages = C | CPP;
pub(super) const WEB: Languages = JAVASCRIPT | TYPESCRIPT;
pub(super) const JVM: Languages = JAVA | KOTLIN | SCALA;
/// Those whose control structures are C's.
pub(super) const BRACES: Languages = CS | CSHARP | GO | JVM | WEB | PHP | SWIFT;

pub(super) fn languages_of(name: Option<&str>) -> Languages {
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
pub(super) enum Class {
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
pub(super) enum Reading {
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

pub(super) fn keyword(word: &str, languages: Languages) -> Option<Reading> {
    if word.len() > LONGEST_KEYWORD {
        return None;
    }
    let first = KEYWORDS.partition_point(|(keyword, ..)| *keyword < word);
    let same = KEYWORDS[first..].iter().take_while(|(keyword, ..)| *keyword == word);
    let mut known = same.filter(|(_, of, _)| of & languages != 0);
    known.next().map(|(.., reading)| *reading)
}

/// Operators of several characters, the longer first. What several languages write in their own way is one.
pub(super) const OPERATORS: &[(&str, u16)] = &[
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
