//! The words of code: identifiers cut at their humps and underscores, lower-cased, lightly stemmed.
//!
//! - A word is a run of letters, digits, `_` and `$`. `snake_case`, `camelCase`, `HTTPServer` and `sha256Sum` are
//!   cut into `snake case`, `camel case`, `http server` and `sha256 sum`; digits stay with the letters before
//!   them.
//! - Each part is lower-cased and stripped of the common English endings (`-s`, `-es`, `-ies`, `-ed`, `-ing`, a
//!   final `-e` or `-y`), so that `parse`, `parses`, `parsed` and `parsing` meet.
//! - A word of several parts is also kept whole, lower-cased and without its underscores, so that `read_file`,
//!   `readFile` and `readfile` meet and rank above their parts.
//! - Runs of Han, Kana and Hangul have no spaces between words: they are cut into pairs of characters.
//! - Single ASCII letters and numbers of one or of more than ten digits are noise and left out; what is longer
//!   than [`MAX_TERM_BYTES`] is cut there.

/// The longest term, in bytes.
pub const MAX_TERM_BYTES: usize = 64;

/// A run without any separator longer than this is data (base64, minified text), not a word, and is left out.
const MAX_WORD_BYTES: usize = 512;

/// A term and how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term<'a> {
    /// The normalised text: 1 to [`MAX_TERM_BYTES`] bytes of letters and digits.
    pub text: &'a str,
    /// Whether it is one part of a word or the word as a whole.
    pub kind: TermKind,
}

/// How a term came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermKind {
    /// One part of a word, stemmed; also a word of a single part.
    Part,
    /// A word of several parts, joined and not stemmed.
    Whole,
}

/// Cuts text into terms; keeps its buffers from call to call.
#[derive(Debug, Default, Clone)]
pub struct TermSplitter {
    part: String,
    whole: String,
}

impl TermSplitter {
    /// Calls `emit` with each term of the text, in order; the whole of a word comes after its parts.
    pub fn split(&mut self, text: &str, mut emit: impl FnMut(Term<'_>)) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let class = CLASSES[bytes[at] as usize];
            if class == Class::Separator {
                at += 1;
                continue;
            }
            let start = at;
            let mut ascii = true;
            while at < bytes.len() {
                match CLASSES[bytes[at] as usize] {
                    Class::Separator => break,
                    Class::NonAscii => ascii = false,
                    _ => {}
                }
                at += 1;
            }
            if at - start > MAX_WORD_BYTES {
                continue;
            }
            // A word ends at ASCII, so this is a character boundary.
            let word = &text[start..at];
            if ascii {
                self.split_ascii_word(word.as_bytes(), &mut emit);
            } else {
                self.split_unicode_run(word, &mut emit);
            }
        }
    }

    fn split_ascii_word(&mut self, word: &[u8], emit: &mut impl FnMut(Term<'_>)) {
        self.whole.clear();
        let mut parts = 0;
        let mut at = 0;
        while at < word.len() {
            if CLASSES[word[at] as usize] == Class::Underscore {
                at += 1;
                continue;
            }
            let end = ascii_part_end(word, at);
            self.part.clear();
            self.part.extend(word[at..end].iter().map(|&byte| byte.to_ascii_lowercase() as char));
            self.whole.push_str(&self.part);
            parts += 1;
            at = end;
            emit_part(&mut self.part, emit);
        }
        if parts > 1 {
            emit_whole(&mut self.whole, emit);
        }
    }

    /// A run without ASCII separators of which some characters are not ASCII: cut it where the script changes and
    /// at separators that are not ASCII.
    fn split_unicode_run(&mut self, run: &str, emit: &mut impl FnMut(Term<'_>)) {
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let script = Script::of(first);
            let end = rest.find(|c| Script::of(c) != script).unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            match script {
                Script::Spaced if segment.is_ascii() => self.split_ascii_word(segment.as_bytes(), emit),
                Script::Spaced => self.split_unicode_word(segment, emit),
                Script::Unspaced => self.pair_characters(segment, emit),
                Script::Separator => {}
            }
            rest = after;
        }
    }

    fn split_unicode_word(&mut self, word: &str, emit: &mut impl FnMut(Term<'_>)) {
        self.whole.clear();
        self.part.clear();
        let mut parts = 0;
        let mut previous: Option<char> = None;
        let mut chars = word.chars().peekable();
        while let Some(c) = chars.next() {
            let underscore = matches!(c, '_' | '$');
            let hump = c.is_uppercase()
                && previous.is_some_and(|before| {
                    !before.is_uppercase() || chars.peek().is_some_and(|after| after.is_lowercase())
                });
            if (underscore || hump) && !self.part.is_empty() {
                parts += 1;
                emit_part(&mut self.part, emit);
                self.part.clear();
            }
            if underscore {
                previous = None;
                continue;
            }
            for lower in c.to_lowercase() {
                self.part.push(lower);
                self.whole.push(lower);
            }
            previous = Some(c);
        }
        if !self.part.is_empty() {
            parts += 1;
            emit_part(&mut self.part, emit);
        }
        if parts > 1 {
            emit_whole(&mut self.whole, emit);
        }
    }

    fn pair_characters(&mut self, text: &str, emit: &mut impl FnMut(Term<'_>)) {
        let after_first = text.chars().next().map_or(0, char::len_utf8);
        let pairs = text.chars().zip(text[after_first..].chars());
        self.part.clear();
        for (a, b) in pairs {
            self.part.clear();
            self.part.extend([a, b]);
            emit(Term { text: &self.part, kind: TermKind::Part });
        }
        if self.part.is_empty() {
            emit(Term { text, kind: TermKind::Part });
        }
    }
}

/// How words are told apart in a character's script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Spaced,
    Unspaced,
    Separator,
}

impl Script {
    fn of(c: char) -> Self {
        match c {
            '_' | '$' => Self::Spaced,
            // Hiragana and Katakana, Han, Hangul, Han compatibility, Han extensions.
            '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7AF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{323AF}' => Self::Unspaced,
            _ if c.is_alphanumeric() => Self::Spaced,
            _ => Self::Separator,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Underscore,
    Lower,
    Upper,
    Digit,
    NonAscii,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Separator; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'_' | b'$' => Class::Underscore,
            128..=255 => Class::NonAscii,
            _ => Class::Separator,
        };
        byte += 1;
    }
    classes
};

/// Where the part that begins at `start` ends: before an underscore, before a capital that follows a small letter
/// or a digit, and before the last of several capitals if a small letter follows it.
fn ascii_part_end(word: &[u8], start: usize) -> usize {
    let class = |at: usize| word.get(at).map(|&byte| CLASSES[byte as usize]);
    let mut at = start + 1;
    while let Some(here) = class(at) {
        let ends = match here {
            Class::Underscore => true,
            Class::Upper => class(at - 1) != Some(Class::Upper) || class(at + 1) == Some(Class::Lower),
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

fn emit_part(part: &mut String, emit: &mut impl FnMut(Term<'_>)) {
    truncate(part);
    let bytes = part.as_bytes();
    if bytes.is_empty() || bytes.len() == 1 {
        return;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        if bytes.len() <= 10 {
            emit(Term { text: part, kind: TermKind::Part });
        }
        return;
    }
    emit(Term { text: stem(part), kind: TermKind::Part });
}

fn emit_whole(whole: &mut String, emit: &mut impl FnMut(Term<'_>)) {
    truncate(whole);
    if whole.len() > 1 && !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        emit(Term { text: whole, kind: TermKind::Whole });
    }
}

fn truncate(text: &mut String) {
    if text.len() > MAX_TERM_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TERM_BYTES));
    }
}

/// Strips a lower-case word of common English endings. Only ASCII words of four bytes and more are touched, and at
/// least three bytes, one of them a vowel, are left.
///
/// In the manner of Harman's S-stemmer (D. Harman, "How effective is suffixing?", JASIS 42(1), 1991) with `-ed`,
/// `-ing` and a final `-e` added: identifiers name one thing as a noun and as a verb.
pub fn stem(word: &str) -> &str {
    let bytes = word.as_bytes();
    if bytes.len() < 4 || !word.is_ascii() || !bytes[bytes.len() - 1].is_ascii_lowercase() {
        return word;
    }
    let word = strip_plural(word);
    let stripped = strip_suffix_of_stem(word, "ing").or_else(|| strip_suffix_of_stem(word, "ed"));
    let word = match stripped {
        Some(stem) => undouble(stem),
        None => word,
    };
    // A `y` goes where `-ies` went, so that `query` and `queries` meet.
    let without_y = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match word.strip_suffix('e').or(without_y) {
        Some(stem) if stem.len() >= 3 && has_vowel(stem) => stem,
        _ => word,
    }
}

fn strip_plural(word: &str) -> &str {
    let without_y = word.strip_suffix("ies").or_else(|| word.strip_suffix("ied"));
    if let Some(stem) = without_y.filter(|stem| stem.len() >= 3) {
        return stem;
    }
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word;
    }
    for ending in ["sses", "shes", "ches", "xes", "zzes"] {
        if word.ends_with(ending) && word.len() > ending.len() + 1 {
            return &word[..word.len() - 2];
        }
    }
    word.strip_suffix('s').filter(|stem| stem.len() >= 3).unwrap_or(word)
}

fn strip_suffix_of_stem<'a>(word: &'a str, suffix: &str) -> Option<&'a str> {
    word.strip_suffix(suffix).filter(|stem| stem.len() >= 3 && has_vowel(stem))
}

fn has_vowel(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
}

/// `runn` of `running` is `run`; `call`, `pass` and `buzz` are doubled by nature.
fn undouble(stem: &str) -> &str {
    let bytes = stem.as_bytes();
    match bytes {
        [.., a, b] if a == b && bytes.len() > 3 && !matches!(b, b'l' | b's' | b'z' | b'e' | b'o') => {
            &stem[..stem.len() - 1]
        }
        _ => stem,
    }
}

/// Words that say nothing of what code is about: of English sentences, and those that are in almost any code and say
/// nothing when they are asked for, either, as `get` and `static` do. They stand here as the splitter leaves them.
const STOP_WORDS: &[&str] = &[
    "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "def",
    "did", "do", "doe", "els", "fn", "for", "from", "function", "had", "has", "hav", "how", "if", "in",
    "int", "into", "is", "it", "its", "let", "mut", "my", "no", "non", "not", "of", "on", "or", "our", "pub",
    "return", "should", "so", "str", "such", "tak", "than", "that", "the", "their", "then", "there", "these",
    "they", "thi", "this", "to", "us", "use", "var", "want", "was", "we", "were", "what", "when", "wher",
    "where", "which", "whil", "who", "why", "will", "with", "would", "you", "your",
];

/// Where in the list the words with each first letter begin, and behind them where it ends.
const STARTS: [usize; 27] = {
    let mut starts = [0; 27];
    let mut letter = 0;
    while letter < 26 {
        let mut end = starts[letter];
        while end < STOP_WORDS.len() && STOP_WORDS[end].as_bytes()[0] == b'a' + letter as u8 {
            end += 1;
        }
        letter += 1;
        starts[letter] = end;
    }
    starts
};

/// Whether a term is of the kind that is in everything and says nothing.
pub fn is_stop_word(term: &str) -> bool {
    // This is asked of every word of every file, where a search by halves took a tenth of all time.
    let Some(letter) = term.bytes().next().map(|first| usize::from(first.wrapping_sub(b'a'))) else {
        return false;
    };
    letter < 26 && STOP_WORDS[STARTS[letter]..STARTS[letter + 1]].contains(&term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        TermSplitter::default().split(text, |term| terms.push(term.text.to_owned()));
        terms
    }

    #[test]
    fn identifiers_are_cut_at_humps_and_underscores() {
        assert_eq!(terms("snake_case"), ["snak", "cas", "snakecase"]);
        assert_eq!(terms("camelCase"), ["camel", "cas", "camelcase"]);
        assert_eq!(terms("HTTPServer"), ["http", "server", "httpserver"]);
        assert_eq!(terms("sha256Sum"), ["sha256", "sum", "sha256sum"]);
        assert_eq!(terms("__init__"), ["init"]);
        assert_eq!(terms("MAX_SIZE"), ["max", "siz", "maxsize"]);
        assert_eq!(terms("$scope"), ["scop"]);
        assert_eq!(terms("a->b.c[x]"), Vec::<String>::new());
        assert_eq!(terms("getURLs"), ["get", "ur", "ls", "geturls"]);
    }

    #[test]
    fn one_name_in_three_styles_shares_its_terms() {
        assert_eq!(terms("read_file"), terms("readFile"));
        assert_eq!(terms("read_file"), terms("READ_FILE"));
    }

    #[test]
    fn inflections_meet() {
        for family in [
            &["parse", "parses", "parsed", "parsing"][..],
            &["index", "indexes", "indexed", "indexing"],
            &["run", "runs", "running"],
            &["call", "calls", "called", "calling"],
            &["class", "classes"],
            &["file", "files"],
            &["query", "queries", "queried"],
            &["array", "arrays"],
        ] {
            for word in family {
                assert_eq!(stem(word), stem(family[0]), "{word} and {}", family[0]);
            }
        }
        for word in ["string", "status", "this", "ring", "bed", "process", "tree", "http"] {
            assert!(stem(word).len() >= 3, "{word}");
        }
        assert_eq!(stem("string"), "string");
        assert_eq!(stem("status"), "status");
        assert_eq!(stem("process"), "process");
    }

    #[test]
    fn stop_words_are_sorted_and_as_the_splitter_leaves_them() {
        assert!(STOP_WORDS.is_sorted());
        for word in ["else", "where", "while", "does", "have", "none", "this", "take", "the", "return"] {
            assert!(terms(word).iter().all(|term| is_stop_word(term)), "{word}: {:?}", terms(word));
        }
        assert!(STOP_WORDS.iter().all(|word| is_stop_word(word)));
        for word in ["", "parse", "a", "z", "zz", "{", "`", "é", "The", "your\0"] {
            assert!(!is_stop_word(word), "{word}");
        }
    }

    #[test]
    fn numbers_and_single_letters_are_noise() {
        assert_eq!(terms("x = 404 + 1 + 12345678901"), ["404"]);
    }

    #[test]
    fn every_script_gives_terms() {
        assert_eq!(terms("größeÄndern"), ["größe", "ändern", "größeändern"]);
        assert_eq!(terms("запросСервера"), ["запрос", "сервера", "запроссервера"]);
        assert_eq!(terms("検索結果"), ["検索", "索結", "結果"]);
        assert_eq!(terms("値"), ["値"]);
        assert_eq!(terms("get値"), ["get", "値"]);
        assert_eq!(terms("naïve…café"), ["naïve", "café"]);
    }

    #[test]
    fn data_is_not_words_and_long_words_are_cut() {
        assert_eq!(terms(&"A1b2".repeat(1000)), Vec::<String>::new());
        let long = terms(&"é".repeat(100));
        assert_eq!(long.len(), 1);
        assert!(long[0].len() <= MAX_TERM_BYTES);
    }

    proptest! {
        #[test]
        fn any_text_gives_clean_terms(text in any::<String>()) {
            TermSplitter::default().split(&text, |term| {
                assert!(!term.text.is_empty() && term.text.len() <= MAX_TERM_BYTES);
                assert!(term.text.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric()));
                assert!(!term.text.bytes().any(|byte| byte.is_ascii_uppercase()));
            });
        }

        #[test]
        fn words_are_independent_of_what_surrounds_them(a in "[a-zA-Z_]{1,20}", b in "[a-zA-Z_]{1,20}") {
            let mut both = terms(&a);
            both.extend(terms(&b));
            prop_assert_eq!(terms(&format!("{a}({b})")), both);
        }
    }
}
