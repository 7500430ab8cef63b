//! Which trigrams every match of a regular expression has.
//!
//! Cox, "Regular Expression Matching with a Trigram Index", 2012: of each part of an expression it is kept either all that it
//! matches, as long as that is not much, or what its matches begin and end with and what is in all of them. Where two parts
//! meet, so do their ends and beginnings.
//!
//! Texts are folded as signatures are, character by character, so that it does not matter which characters are alike: whatever a
//! class has is folded as the text is in which it is found.

use ast_core_storage::{TrigramQuery, folded};
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use std::collections::BTreeSet;

/// So many texts are looked for side by side, and no more.
const MOST_TEXTS: usize = 32;

/// So many bytes they have together.
const MOST_BYTES: usize = 8 << 10;

/// A class of more characters than these, folded, stands for any.
const MOST_CHARACTERS: usize = 16;

/// What is left of a beginning or an end: with what comes before or behind it, it makes trigrams.
const LEFT: usize = 2;

/// What every match has.
pub(super) fn needed(pattern: &Hir) -> TrigramQuery {
    Part::of(pattern).opened().needed
}

type Texts = BTreeSet<Vec<u8>>;

/// What is known of the matches of a part of an expression.
#[derive(Debug, Clone)]
enum Part {
    /// All of them.
    Exact(Texts),
    Open(Open),
}

#[derive(Debug, Clone)]
struct Open {
    /// What each begins with.
    first: Texts,
    /// What each ends with.
    last: Texts,
    needed: TrigramQuery,
}

impl Part {
    fn of(part: &Hir) -> Self {
        match part.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::nothing(),
            // What is no text may begin or end inside of a character, and these are folded as a whole.
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Self::Exact(Texts::from([folded(text.as_bytes()).collect()])),
                Err(_) => Self::anything(),
            },
            HirKind::Class(class) => Self::one_of(class),
            HirKind::Repetition(repetition) => Self::repeated(repetition),
            HirKind::Capture(group) => Self::of(&group.sub),
            HirKind::Concat(parts) => {
                parts.iter().fold(Self::nothing(), |before, part| before.then(Self::of(part)))
            }
            HirKind::Alternation(parts) => Self::any(parts.iter().map(Self::of).collect()),
        }
    }

    /// The empty text.
    fn nothing() -> Self {
        Self::Exact(Texts::from([Vec::new()]))
    }

    /// Whatever there may be.
    fn anything() -> Self {
        let ends = Texts::from([Vec::new()]);
        Self::Open(Open { first: ends.clone(), last: ends, needed: TrigramQuery::OPEN })
    }

    fn one_of(class: &Class) -> Self {
        let mut texts = Texts::new();
        let mut add = |c: char| {
            let mut buffer = [0; 4];
            texts.insert(folded(c.encode_utf8(&mut buffer).as_bytes()).collect());
            texts.len() <= MOST_CHARACTERS
        };
        let is_all = match class {
            Class::Unicode(class) => {
                class.ranges().iter().all(|range| (range.start()..=range.end()).all(&mut add))
            }
            Class::Bytes(class) => class.ranges().iter().all(|range| {
                range.end() < 0x80 && (range.start()..=range.end()).all(|byte| add(byte.into()))
            }),
        };
        if is_all { Self::Exact(texts) } else { Self::anything() }
    }

    fn repeated(Repetition { min, max, sub, .. }: &Repetition) -> Self {
        let sub = Self::of(sub);
        match (*min, *max, sub) {
            (0, Some(1), sub) => Self::any(vec![Self::nothing(), sub]),
            (0, ..) => Self::anything(),
            (min, max, Self::Exact(texts)) => {
                // More than some add nothing.
                let times = (min as usize).min(LEFT + 1);
                let sub = Self::Exact(texts);
                let several = (1..times).fold(sub.clone(), |before, _| before.then(sub.clone()));
                match max == Some(min) && times == min as usize {
                    true => several,
                    false => Self::Open(several.opened()),
                }
            }
            (_, _, open) => open,
        }
    }

    /// This, and behind it that.
    fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Exact(a), Self::Exact(b)) if are_few(&a, &b) => Self::Exact(joined(&a, &b)),
            (Self::Exact(a), Self::Open(b)) if are_few(&a, &b.first) => {
                Self::open(joined(&a, &b.first), b.last, b.needed)
            }
            (Self::Open(a), Self::Exact(b)) if are_few(&a.last, &b) => {
                Self::open(a.first, joined(&a.last, &b), a.needed)
            }
            (a, b) => {
                let (a, b) = (a.opened(), b.opened());
                let mut needed = a.needed.and(b.needed);
                if are_few(&a.last, &b.first) {
                    needed = needed.and(any_of(&joined(&a.last, &b.first)));
                }
                Self::Open(Open { first: a.first, last: b.last, needed })
            }
        }
    }

    /// One of these.
    fn any(parts: Vec<Self>) -> Self {
        let mut all = Texts::new();
        let mut bytes = 0;
        let is_exact = parts.iter().all(|part| match part {
            Self::Exact(texts) => {
                bytes += texts.iter().map(Vec::len).sum::<usize>();
                all.extend(texts.iter().cloned());
                all.len() <= MOST_TEXTS && bytes <= MOST_BYTES
            }
            Self::Open(_) => false,
        });
        if is_exact {
            return Self::Exact(all);
        }
        let (mut first, mut last, mut needed) = (Texts::new(), Texts::new(), Vec::new());
        for part in parts {
            let open = part.opened();
            first.extend(open.first);
            last.extend(open.last);
            needed.push(open.needed);
        }
        Self::open(first, last, TrigramQuery::any(needed))
    }

    fn open(first: Texts, last: Texts, needed: TrigramQuery) -> Self {
        let needed = needed.and(any_of(&first)).and(any_of(&last));
        Self::Open(Open { first: beginnings(&first), last: ends(&last), needed })
    }

    fn opened(self) -> Open {
        match self {
            Self::Exact(texts) => {
                Open { first: beginnings(&texts), last: ends(&texts), needed: any_of(&texts) }
            }
            Self::Open(open) => open,
        }
    }
}

/// What a text that has one of these has.
fn any_of(texts: &Texts) -> TrigramQuery {
    TrigramQuery::any(texts.iter().map(|text| TrigramQuery::of_text(text)))
}

/// Whether each of these with each of those is not too much.
fn are_few(before: &Texts, after: &Texts) -> bool {
    let bytes = |texts: &Texts| texts.iter().map(Vec::len).sum::<usize>();
    before.len() * after.len() <= MOST_TEXTS
        && bytes(before) * after.len() + bytes(after) * before.len() <= MOST_BYTES
}

fn joined(before: &Texts, after: &Texts) -> Texts {
    before.iter().flat_map(|before| after.iter().map(move |after| [&before[..], after].concat())).collect()
}

fn beginnings(texts: &Texts) -> Texts {
    few(texts.iter().map(|text| text[..text.len().min(LEFT)].to_vec()).collect())
}

fn ends(texts: &Texts) -> Texts {
    few(texts.iter().map(|text| text[text.len().saturating_sub(LEFT)..].to_vec()).collect())
}

fn few(texts: Texts) -> Texts {
    if texts.len() <= MOST_TEXTS { texts } else { Texts::from([Vec::new()]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ast_core_storage::{Signature, SignatureMaker};
    use grep_matcher::Matcher;
    use grep_regex::RegexMatcherBuilder;
    use proptest::prelude::*;

    fn query(pattern: &str, ignore_case: bool) -> Option<TrigramQuery> {
        let hir = super::super::pattern::parser(ignore_case).parse(pattern).ok()?;
        Some(needed(&hir))
    }

    fn texts(texts: &[&str]) -> TrigramQuery {
        TrigramQuery::any(texts.iter().map(|text| TrigramQuery::of_text(text.as_bytes())))
    }

    #[test]
    fn what_a_match_has_is_asked_for() {
        let of = |pattern: &str| query(pattern, false).unwrap();
        assert_eq!(of("open_valve"), texts(&["open_valve"]));
        assert_eq!(of("(?i)Open_Valve"), of("open_valve"));
        assert_eq!(of(r"\bopen\b"), texts(&["open"]));
        assert_eq!(of("abc|def"), texts(&["abc", "def"]));
        assert_eq!(of("ab[cd]ef"), texts(&["abcef", "abdef"]));
        assert_eq!(of("abc.*def"), texts(&["abc"]).and(texts(&["def"])));
        assert_eq!(of("ab(cd)?ef"), texts(&["abcdef", "abef"]));
        assert_eq!(of("x{2}yz"), texts(&["xxyz"]));
        assert_eq!(of("(abc)+"), texts(&["abc"]));
        assert_eq!(of(r"\wabc+d"), texts(&["abc"]));
        for open in ["", "ab", "a.b.c", r"\w+", "(abc)?", "(abc)*", "abc|", "[a-z]{9}", r"(?-u)\xff\xfe\xfd"]
        {
            assert!(of(open).is_open(), "{open}: {:?}", of(open));
        }
        assert_eq!(of("(?i)straße"), texts(&["straße", "straẞe"]));
        assert_eq!(of("[a&&b]"), TrigramQuery::Any(Vec::new()));
    }

    #[test]
    fn a_pattern_of_any_depth_asks_for_little() {
        let nested = format!("{}abc{}", "(".repeat(100), "){2,3}".repeat(100));
        assert_eq!(query(&nested, false).unwrap(), texts(&["abcabc"]));
        let words: Vec<String> = (0..500).map(|number| format!("word{number}")).collect();
        assert!(!query(&words.join("|"), true).unwrap().is_open());
        assert!(query(&"[ab]".repeat(200), false).is_some());
    }

    /// Patterns of all kinds of parts, of few letters, so that they match.
    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            6 => "[a-cAsSkK]{1,5}",
            1 => Just(".".to_owned()),
            1 => Just("[abK]".to_owned()),
            1 => Just("[^b]".to_owned()),
            1 => Just(r"\w".to_owned()),
            1 => Just(r"\s".to_owned()),
            1 => Just(r"\b".to_owned()),
            1 => Just("^".to_owned()),
            1 => Just("$".to_owned()),
            1 => Just("é".to_owned()),
            1 => Just("[é€ß]".to_owned()),
            1 => Just("\u{17F}".to_owned()),
            1 => Just(r"(?-u:\xC5)".to_owned()),
            1 => Just(r"(?-u:[\x80-\xFF])".to_owned()),
            1 => Just(r"(?-u:\xE2\x84\xAA)".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
                1 => inner.clone().prop_map(|part| format!("(?:{part})?")),
                1 => inner.clone().prop_map(|part| format!("(?:{part})*")),
                1 => inner.clone().prop_map(|part| format!("(?:{part})+")),
                1 => inner.clone().prop_map(|part| format!("(?:{part}){{2,3}}")),
                1 => inner.prop_map(|part| format!("(?i:{part})")),
            ]
        })
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            8 => "[a-cA-CsSkK]{1,4}".prop_map(String::into_bytes),
            1 => "[é€ß\u{17F}\u{212A} ]".prop_map(String::into_bytes),
            1 => Just(b"\n".to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        /// Whoever has a match is let pass.
        #[test]
        fn no_match_is_missed(pattern in pattern(), texts in prop::collection::vec(text(), 1..4), ignore_case: bool, word: bool) {
            let matcher = RegexMatcherBuilder::new()
                .multi_line(true)
                .line_terminator(Some(b'\n'))
                .case_insensitive(ignore_case)
                .word(word)
                .build(&pattern);
            let (Ok(matcher), Some(query)) = (matcher, query(&pattern, ignore_case)) else { return Ok(()) };
            for text in texts {
                let is_match = text.split(|byte| *byte == b'\n').any(|line| matcher.is_match(line).unwrap());
                if is_match {
                    let signature = SignatureMaker::default().signature(&text);
                    prop_assert!(query.lets_pass(Signature::new(&signature)), "{pattern:?} in {text:?}: {query:?}");
                }
            }
        }
    }
}
