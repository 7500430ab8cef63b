//! Profiles: what of a piece of code is compared with another.

use super::LikenessWeights;
use super::lexer::{Token, tokens};
use ast_core_model::terms::{TermSplitter, is_stop_word};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// What a piece of code is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Runs of tokens, each with how often it is there, in order.
    grams: Vec<(u64, u32)>,
    /// The words of its names and strings, each once, in order.
    words: Vec<u64>,
}

impl Profile {
    /// Whether there is nothing to compare it by.
    pub fn is_empty(&self) -> bool {
        self.grams.is_empty()
    }
}

/// Makes profiles; keeps its buffers.
#[derive(Debug)]
pub struct Profiler {
    gram: usize,
    splitter: TermSplitter,
    codes: Vec<u16>,
    runs: Vec<u64>,
}

impl Profiler {
    /// Makes profiles to be compared by these weights.
    pub fn new(weights: &LikenessWeights) -> Self {
        Self {
            gram: weights.gram.max(1),
            splitter: TermSplitter::default(),
            codes: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// The profile of a piece of code in the language of this name, such as `rust`. Without a language, or with one that is
    /// not known, keywords of all languages are told from names, and comments guessed.
    pub fn profile(&mut self, code: &str, language: Option<&str>) -> Profile {
        self.codes.clear();
        let mut words = Vec::new();
        tokens(code, language, |token| {
            self.codes.push(token.code());
            if let Token::Name(text) | Token::Text(text) = token {
                self.splitter.split(text, |term| words.push(hash_of(term.text.bytes().map(u64::from))));
            }
        });
        words.sort_unstable();
        words.dedup();
        self.runs.clear();
        let run = |codes: &[u16]| hash_of(codes.iter().map(|code| u64::from(*code)));
        match self.codes.len() {
            0 => {}
            count if count < self.gram => self.runs.push(run(&self.codes)),
            _ => self.runs.extend(self.codes.windows(self.gram).map(run)),
        }
        self.runs.sort_unstable();
        let grams = self.runs.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect();
        Profile { grams, words }
    }

    /// The words by which code like this can be looked for: those of its names and strings, each once, in the order of the
    /// code, without those that say nothing.
    pub fn terms(&mut self, code: &str, language: Option<&str>) -> Vec<String> {
        let (mut terms, mut known) = (Vec::new(), HashSet::new());
        tokens(code, language, |token| {
            if let Token::Name(text) | Token::Text(text) = token {
                self.splitter.split(text, |term| {
                    if !is_stop_word(term.text) && known.insert(term.text.to_owned()) {
                        terms.push(term.text.to_owned());
                    }
                });
            }
        });
        terms
    }
}

/// FNV-1a by numbers instead of bytes, and the last step of SplitMix64, so that all bits are of use.
fn hash_of(values: impl Iterator<Item = u64>) -> u64 {
    let hash = values
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// How rare runs of tokens and words are among pieces of code: what all of them have tells none from another.
#[derive(Debug, Clone)]
pub struct Rarity {
    profiles: u32,
    grams: Counts,
    words: Counts,
}

/// In how many profiles each is.
type Counts = HashMap<u64, u32, BuildHasherDefault<AsItIs>>;

/// A hasher of what is a hash already.
#[derive(Debug, Clone, Copy, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash_of(bytes.iter().map(|byte| u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Rarity {
    /// How rare everything is among these profiles.
    pub fn among<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        let mut rarity = Self { profiles: 0, grams: Counts::default(), words: Counts::default() };
        for profile in profiles {
            rarity.profiles = rarity.profiles.saturating_add(1);
            profile.grams.iter().for_each(|(gram, _)| *rarity.grams.entry(*gram).or_default() += 1);
            profile.words.iter().for_each(|word| *rarity.words.entry(*word).or_default() += 1);
        }
        rarity
    }

    /// How alike the shapes of two pieces of code are, from 0 to 1: what share of their runs of tokens is in both, each run
    /// counting by its rarity, and less the more often it is repeated. 1 of shapes that are the same, whatever the names are;
    /// 0 if one has no tokens.
    ///
    /// It is a weighted Jaccard coefficient of w-shinglings, and their containment (Broder, "On the resemblance and
    /// containment of documents", 1997), by the weights' [`containment`](LikenessWeights::containment).
    pub fn shape(&self, a: &Profile, b: &Profile, weights: &LikenessWeights) -> f64 {
        let weighted = |(gram, count): &(u64, u32)| {
            let repeated = 1.0 + f64::from(*count).ln();
            (*gram, repeated, self.weight(&self.grams, *gram))
        };
        resemblance(a.grams.iter().map(weighted), b.grams.iter().map(weighted), weights.containment)
    }

    /// How alike the words of two pieces of code are, from 0 to 1: the same of the words of their names and strings, each of
    /// which counts once.
    pub fn words(&self, a: &Profile, b: &Profile, weights: &LikenessWeights) -> f64 {
        let weighted = |word: &u64| (*word, 1.0, self.weight(&self.words, *word));
        resemblance(a.words.iter().map(weighted), b.words.iter().map(weighted), weights.containment)
    }

    /// What something counts for: more the fewer profiles have it, and something if all do.
    fn weight(&self, counts: &Counts, what: u64) -> f64 {
        let with = counts.get(&what).copied().unwrap_or(0).max(1);
        (f64::from(self.profiles.max(with)) / f64::from(with)).ln_1p()
    }
}

/// Jaccard coefficient and containment of two rows of elements in order, each with how much of it there is and what it counts
/// for.
fn resemblance(
    a: impl Iterator<Item = (u64, f64, f64)>,
    b: impl Iterator<Item = (u64, f64, f64)>,
    containment: f64,
) -> f64 {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    let (mut of_a, mut of_b, mut of_both) = (0.0, 0.0, 0.0);
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (Some((x, amount, weight)), Some((y, other, _))) if x == y => {
                of_a += weight * amount;
                of_b += weight * other;
                of_both += weight * f64::min(amount, other);
                a.next();
                b.next();
            }
            (Some((x, amount, weight)), y) if y.is_none_or(|(y, ..)| x < y) => {
                of_a += weight * amount;
                a.next();
            }
            (_, Some((_, amount, weight))) => {
                of_b += weight * amount;
                b.next();
            }
            _ => break,
        }
    }
    let (either, smaller) = (of_a + of_b - of_both, f64::min(of_a, of_b));
    if smaller <= 0.0 {
        return 0.0;
    }
    let (jaccard, contained) = (of_both / either, of_both / smaller);
    (jaccard + containment.clamp(0.0, 1.0) * (contained - jaccard)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Likeness;
    use proptest::prelude::*;

    const WEIGHTS: LikenessWeights =
        LikenessWeights { meaning: 0.4, shape: 0.3, words: 0.3, containment: 0.3, gram: 4 };

    fn profile(code: &str, language: &str) -> Profile {
        Profiler::new(&WEIGHTS).profile(code, Some(language))
    }

    /// Shape and words of two pieces of code, by their rarity among these and the others.
    fn alike(a: &Profile, b: &Profile, others: &[Profile]) -> (f64, f64) {
        let rarity = Rarity::among(others.iter().chain([a, b]));
        (rarity.shape(a, b, &WEIGHTS), rarity.words(a, b, &WEIGHTS))
    }

    const SUM: &str = "fn total(prices: &[u32]) -> u32 {\n    let mut sum = 0;\n    for price in prices {\n        \
        if *price > 10 { sum += price; }\n    }\n    sum\n}\n";

    #[test]
    fn other_names_leave_the_shape_and_other_shapes_the_words() {
        let renamed = SUM.replace("sum", "acc").replace("price", "cost").replace("total", "add_up");
        let (shape, words) = alike(&profile(SUM, "rust"), &profile(&renamed, "rust"), &[]);
        assert_eq!(shape, 1.0);
        assert!(words < 0.3, "{words}");
        let shuffled = "fn total(prices: &[u32]) -> u32 { prices.iter().filter(|price| **price > 10).sum() }";
        let (shape, words) = alike(&profile(SUM, "rust"), &profile(shuffled, "rust"), &[]);
        assert!(shape < 0.5 && words > 0.6, "{shape} {words}");
    }

    #[test]
    fn comments_layout_numbers_and_strings_are_no_part_of_the_shape() {
        let python = "def f(a, b):\n    # first\n    if a == 1:\n        return g('x', 2)\n    return b\n";
        let other =
            "def f(a, b):\n  if a == 77:  # second\n\n    return g(\"yy\",\n             3)\n  return b";
        assert_eq!(alike(&profile(python, "python"), &profile(other, "python"), &[]).0, 1.0);
    }

    #[test]
    fn a_translation_keeps_some_of_the_shape_and_most_of_the_words() {
        let python = "def total(prices):\n    sum = 0\n    for price in prices:\n        if price > 10:\n            \
            sum += price\n    return sum\n";
        let (shape, words) = alike(&profile(SUM, "rust"), &profile(python, "python"), &[]);
        let other = profile("class A:\n    x = {'k': [1, 2]}\n    y = lambda z: z.w(*z)\n", "python");
        let (less, fewer) = alike(&profile(SUM, "rust"), &other, &[]);
        assert!(shape > less + 0.1 && words > 0.7 && fewer < 0.1, "{shape} {less} {words} {fewer}");
    }

    #[test]
    fn what_is_rare_counts_more_than_what_all_have() {
        let getter = |name: &str| format!("int get_{name}() {{ return this->{name}; }}\n");
        let others: Vec<Profile> =
            ('a'..='t').map(|name| profile(&getter(&name.to_string()), "cpp")).collect();
        let rare = "x ^= y << 13 ^ ~z;\n";
        let query = profile(&(getter("v") + rare), "cpp");
        let common = alike(&query, &profile(&getter("w"), "cpp"), &others).0;
        let same =
            alike(&query, &profile(&format!("void f() {{ a ^= b << 13 ^ ~c; }} {rare}"), "cpp"), &others).0;
        let unweighted = alike(&query, &profile(&getter("w"), "cpp"), &[]).0;
        assert!(same > common && common < unweighted, "{same} {common} {unweighted}");
    }

    #[test]
    fn a_part_of_something_larger_is_like_it() {
        let large = format!("{SUM}fn other(a: &str) -> String {{ a.chars().rev().map(|c| c).collect() }}\n");
        let (part, whole) = (profile(SUM, "rust"), profile(&large, "rust"));
        let contained = LikenessWeights { containment: 1.0, ..WEIGHTS };
        let rarity = Rarity::among([&part, &whole]);
        assert_eq!(rarity.shape(&part, &whole, &contained), 1.0);
        assert!(rarity.shape(&part, &whole, &LikenessWeights { containment: 0.0, ..WEIGHTS }) < 0.9);
    }

    #[test]
    fn nothing_is_like_nothing() {
        let nothing = profile("// only a comment", "rust");
        assert!(nothing.is_empty() && !profile(SUM, "rust").is_empty());
        assert_eq!(alike(&nothing, &nothing, &[]), (0.0, 0.0));
        assert_eq!(alike(&nothing, &profile(SUM, "rust"), &[]), (0.0, 0.0));
    }

    #[test]
    fn terms_are_those_of_names_and_strings_each_once() {
        let mut profiler = Profiler::new(&WEIGHTS);
        let terms = profiler.terms("// why\nreadFile(path, \"config dir\"); readFile(self)", Some("rust"));
        assert_eq!(terms, ["read", "fil", "readfile", "path", "config", "dir"]);
    }

    #[test]
    fn a_part_that_is_not_known_does_not_count() {
        let alike = Likeness { meaning: None, shape: 0.5, words: 1.0 };
        assert!((alike.score(&WEIGHTS) - 0.75).abs() < 1e-12);
        let known = Likeness { meaning: Some(0.0), ..alike };
        assert!((known.score(&WEIGHTS) - 0.45).abs() < 1e-12);
        assert_eq!(alike.score(&LikenessWeights { shape: 0.0, words: 0.0, ..WEIGHTS }), 0.0);
    }

    const PARTS: [&str; 8] = [
        "let a = b + 1;\n",
        "if x > y { return z; }\n",
        "for i in 0..n { f(i)?; }\n",
        "s.push_str(\"text here\");\n",
        "match v { Some(w) => w, None => 0 }\n",
        "// note\n",
        "struct P { q: u8 }\n",
        "while !done() { step(); }\n",
    ];

    fn code() -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(PARTS.to_vec()), 0..12)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_from_0_to_1_and_1_of_itself(
            (a, b) in (code(), code()),
            others in proptest::collection::vec(code(), 0..4),
            containment in 0.0f64..=1.0,
            gram in 1usize..8,
        ) {
            let weights = LikenessWeights { containment, gram, ..WEIGHTS };
            let mut profiler = Profiler::new(&weights);
            let mut of = |code: &str| profiler.profile(code, Some("rust"));
            let (a, b) = (of(&a), of(&b));
            let others: Vec<Profile> = others.iter().map(|code| of(code)).collect();
            let rarity = Rarity::among(others.iter().chain([&a]));
            let measures: [&dyn Fn(&Profile, &Profile) -> f64; 2] =
                [&|a, b| rarity.shape(a, b, &weights), &|a, b| rarity.words(a, b, &weights)];
            for measure in measures {
                let alike = measure(&a, &b);
                prop_assert!((0.0..=1.0).contains(&alike));
                prop_assert!((alike - measure(&b, &a)).abs() < 1e-12);
            }
            if !a.is_empty() {
                prop_assert!((rarity.shape(&a, &a, &weights) - 1.0).abs() < 1e-12);
            }
            if !a.words.is_empty() {
                prop_assert!((rarity.words(&a, &a, &weights) - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn renaming_leaves_the_shape_as_it_is(code in code(), prefix in "[a-z]{3,8}_") {
            let names = ["a", "b", "x", "y", "z", "n", "f", "s", "v", "w", "q", "done", "step"];
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let mut renamed = String::new();
            let mut rest = &*code;
            while let Some(c) = rest.chars().next() {
                let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len()).max(c.len_utf8());
                let (word, behind) = rest.split_at(length);
                if names.contains(&word) {
                    renamed.push_str(&prefix);
                }
                renamed.push_str(word);
                rest = behind;
            }
            let (before, after) = (profile(&code, "rust"), profile(&renamed, "rust"));
            prop_assert_eq!(before.grams, after.grams);
        }
    }
}
