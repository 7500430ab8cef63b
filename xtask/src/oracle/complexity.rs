//! Compares the cyclomatic complexity of functions.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::corpus::Corpus;
use super::engine::{Engine, Symbol};
use super::language::Language;
use super::lizard::{Counted, Function, Lizard};
use super::names;
use super::symbols::{plain, sizes};

/// What came of a language.
#[derive(Serialize, Default)]
pub(super) struct Agreement {
    /// Functions of lizard that have a name.
    pub(super) functions: usize,
    /// Those that we report with the same name on the same lines.
    pub(super) matched: usize,
    /// Those of the sample.
    pub(super) compared: usize,
    /// Those of the sample whose figures are the same as they are.
    pub(super) raw_equal: usize,
    /// Those of the sample that are not set aside and whose figures are the same by one definition.
    pub(super) equal: usize,
    /// Those of the sample in which lizard is wrong.
    pub(super) set_aside: usize,
    /// Those of the sample that are not set aside and in which lizard counts a branch.
    pub(super) branching: usize,
    branching_equal: usize,
    /// Those that differ, by class; those set aside too.
    #[serde(serialize_with = "sizes")]
    classes: BTreeMap<String, Vec<Difference>>,
}

/// A function that both sides report.
struct Pair {
    theirs: Function,
    ours: i64,
    /// The decisions of the functions without a name in it: to lizard each is a function of its own, to us they are a
    /// part of it.
    nameless: i64,
    /// The tokens that lizard counted in those.
    nameless_counted: Vec<Counted>,
}

/// A function whose figures differ.
pub(super) struct Difference {
    pub(super) ours: i64,
    pub(super) theirs: Function,
}

impl Agreement {
    /// The share of equal ones among those in which lizard is right, in percent.
    pub(super) fn share(&self) -> f64 {
        percent(self.equal, self.compared - self.set_aside)
    }

    /// The share of those whose figures are the same as they are, in percent.
    pub(super) fn raw_share(&self) -> f64 {
        percent(self.raw_equal, self.compared)
    }

    /// The share of equal ones among those in which lizard counts a branch: where it counts none, little can differ.
    pub(super) fn branching_share(&self) -> f64 {
        percent(self.branching_equal, self.branching)
    }

    /// The classes, the largest first.
    pub(super) fn sorted(&self) -> Vec<(&str, &[Difference])> {
        let mut classes: Vec<(&str, &[Difference])> =
            self.classes.iter().map(|(class, functions)| (class.as_str(), functions.as_slice())).collect();
        classes.sort_by_key(|(_, functions)| Reverse(functions.len()));
        classes
    }

    fn add(&mut self, language: Language, pair: Pair) {
        let Pair { mut theirs, ours, nameless, nameless_counted } = pair;
        self.compared += 1;
        self.raw_equal += usize::from(ours == theirs.cyclomatic);
        theirs.cyclomatic += nameless;
        theirs.counted.extend(nameless_counted);
        let difference = ours - theirs.cyclomatic;
        let error = if difference == 0 { None } else { error_of_lizard(language, &theirs, difference) };
        if let Some(error) = error {
            self.set_aside += 1;
            self.classes.entry(format!("set aside: {error}")).or_default().push(Difference { ours, theirs });
            return;
        }
        let branches = theirs.cyclomatic > 1;
        self.branching += usize::from(branches);
        if difference == 0 {
            self.equal += 1;
            self.branching_equal += usize::from(branches);
        } else {
            let class = class(&theirs, difference);
            self.classes.entry(class).or_default().push(Difference { ours, theirs });
        }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// The share of equal ones in all languages together, in percent.
pub(super) fn share(results: &[(Language, Agreement)]) -> f64 {
    let equal = results.iter().map(|(_, agreement)| agreement.equal).sum();
    percent(equal, results.iter().map(|(_, agreement)| agreement.compared - agreement.set_aside).sum())
}

/// The same of those whose figures are the same as they are.
pub(super) fn raw_share(results: &[(Language, Agreement)]) -> f64 {
    let equal = results.iter().map(|(_, agreement)| agreement.raw_equal).sum();
    percent(equal, results.iter().map(|(_, agreement)| agreement.compared).sum())
}

/// Asks both sides and compares a sample of `functions`, of each language as many.
pub(super) fn compare(
    engine: &Engine,
    corpus: &Corpus,
    languages: &[Language],
    functions: usize,
) -> Result<Vec<(Language, Agreement)>> {
    let lizard = Lizard::new()?;
    let mut results = Vec::new();
    for &language in languages {
        let files = corpus.files(language, engine)?;
        let ours = engine.ask("annotate", corpus.folder(), &files)?.symbols;
        let theirs = lizard.ask(corpus.folder(), &files)?;
        let mut agreement = Agreement::default();
        let pairs = pair(corpus, language, theirs, ours, &mut agreement)?;
        for pair in sample(pairs, functions.div_ceil(Language::PINNED.len())) {
            agreement.add(language, pair);
        }
        results.push((language, agreement));
    }
    Ok(results)
}

/// The functions that both sides report under the same name, beginning and ending on the same lines: of others lizard
/// measured another text.
fn pair(
    corpus: &Corpus,
    language: Language,
    theirs: Vec<Function>,
    ours: Vec<Symbol>,
    agreement: &mut Agreement,
) -> Result<Vec<Pair>> {
    let mut known: BTreeMap<(String, String, u32), Vec<(Symbol, i64)>> = BTreeMap::new();
    for symbol in ours {
        if let Some(complexity) = &symbol.complexity {
            let figure = i64::from(complexity.cyclomatic);
            let key = (symbol.path.clone(), plain(&symbol.name), symbol.end_line);
            known.entry(key).or_default().push((symbol, figure));
        }
    }
    let mut pairs: Vec<Pair> = Vec::new();
    let mut rest = Vec::new();
    for function in theirs {
        let Some(name) = own_name(language, &function.name) else {
            rest.push(function);
            continue;
        };
        agreement.functions += 1;
        let key = (function.path.clone(), plain(name), function.end_line);
        let Some(candidates) = known.get_mut(&key) else { continue };
        let source = corpus.read(&function.path)?;
        let begins = |symbol: &Symbol| {
            symbol.start_line == function.start_line
                || names::lines(symbol, &source).contains(&function.start_line)
        };
        // Two of one name on one line are told apart by their order.
        if let Some(at) = candidates.iter().position(|(symbol, _)| begins(symbol)) {
            let (_, figure) = candidates.remove(at);
            agreement.matched += 1;
            pairs.push(Pair { theirs: function, ours: figure, nameless: 0, nameless_counted: Vec::new() });
        }
    }
    add_nameless(&mut pairs, rest);
    Ok(pairs)
}

/// Adds the functions without a name to those that they are in.
fn add_nameless(pairs: &mut [Pair], nameless: Vec<Function>) {
    let place = |function: &Function, id: u32| (function.path.clone(), id);
    let round: BTreeMap<(String, u32), Option<u32>> =
        nameless.iter().map(|function| (place(function, function.id), function.within)).collect();
    let known: BTreeMap<(String, u32), usize> =
        pairs.iter().enumerate().map(|(index, pair)| (place(&pair.theirs, pair.theirs.id), index)).collect();
    for function in nameless {
        // A function has a greater number than those in it.
        let mut within = function.within;
        while let Some((id, outer)) = within.and_then(|id| Some((id, *round.get(&place(&function, id))?))) {
            within = outer.filter(|outer| *outer > id);
        }
        let Some(&index) = within.and_then(|id| known.get(&place(&function, id))) else { continue };
        pairs[index].nameless += function.cyclomatic - 1;
        pairs[index].nameless_counted.extend(function.counted);
    }
}

/// The name without what it is in; none if it has none of its own.
fn own_name(language: Language, name: &str) -> Option<&str> {
    let last = match language {
        // `operator ...` has dots.
        Language::Cpp | Language::Java => name.rsplit("::").next(),
        _ => name.rsplit('.').next(),
    };
    let last = last.unwrap_or(name).trim();
    let last = last.strip_prefix("get ").or(last.strip_prefix("set ")).unwrap_or(last);
    let last = last.trim_end_matches('?');
    (!last.is_empty() && last != "(anonymous)").then_some(last)
}

/// So many of the pairs, always the same: those whose place has the smallest hash.
fn sample(mut pairs: Vec<Pair>, count: usize) -> Vec<Pair> {
    pairs.sort_by_cached_key(|Pair { theirs: function, .. }| {
        let place = format!("{}:{}:{}", function.path, function.start_line, function.name);
        (fnv(place.as_bytes()), place)
    });
    pairs.truncate(count);
    pairs
}

/// The 64-bit FNV-1a hash, whose values are the same everywhere and for ever.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// What lizard got wrong, if that is the whole difference. docs/oracles.md explains each.
fn error_of_lizard(language: Language, function: &Function, difference: i64) -> Option<String> {
    if function.swallowed {
        return Some("text-swallowed".to_owned());
    }
    let mut wrong: BTreeMap<&str, i64> = BTreeMap::new();
    for counted in &function.counted {
        if let Some(error) = wrong_token(language, counted) {
            *wrong.entry(error).or_default() += counted.0;
        }
    }
    wrong.retain(|_, count| *count != 0);
    let explained = !wrong.is_empty() && wrong.values().sum::<i64>() == -difference;
    explained.then(|| wrong.into_keys().collect::<Vec<_>>().join(" and "))
}

/// Why lizard should not have counted the token.
fn wrong_token(language: Language, counted: &Counted) -> Option<&'static str> {
    let Counted(added, before, token, after) = counted;
    match (language, token.as_str()) {
        (Language::Rust, "where") => Some("where-clause"),
        (Language::Rust, "?") if after == "Sized" => Some("relaxed-bound"),
        (Language::Rust, "for") if after == "<" => Some("higher-ranked-bound"),
        (Language::Rust, "||") if !ends_operand(before) => Some("closure-head"),
        // The `=` after a reference takes back what its `&&` added, and so does the one after an operator.
        (Language::Cpp, _) if *added < 0 => Some("rvalue-reference"),
        (Language::Cpp, "&&")
            if before == "auto" || matches!(after.as_str(), ")" | "," | ">" | "..." | "[") =>
        {
            Some("rvalue-reference")
        }
        (Language::Cpp, "#") => Some("preprocessor"),
        (Language::Java, "?") if matches!(after.as_str(), ">" | "," | "extends" | "super") => {
            Some("wildcard")
        }
        _ => None,
    }
}

/// Whether an operator after this token has a left side.
fn ends_operand(token: &str) -> bool {
    const WORDS: [&str; 6] = ["else", "in", "match", "move", "return", "async"];
    let last = token.chars().next_back();
    last.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ')' | ']' | '}' | '"' | '\'' | '?'))
        && !WORDS.contains(&token)
}

/// The class of a difference: by how much, and which tokens lizard counted just so often.
fn class(function: &Function, difference: i64) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for Counted(added, _, token, _) in &function.counted {
        *counts.entry(token).or_default() += added;
    }
    let suspects: Vec<&str> =
        counts.into_iter().filter(|(_, count)| *count == -difference).map(|(token, _)| token).collect();
    match suspects[..] {
        [] => format!("ours{difference:+}"),
        _ => format!("ours{difference:+}: {}", suspects.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(cyclomatic: i64, counted: &[(i64, &str, &str, &str)]) -> Function {
        let own = |text: &str| text.to_owned();
        let counted = counted.iter().map(|(n, a, b, c)| Counted(*n, own(a), own(b), own(c))).collect();
        Function { path: own("a"), name: own("f"), cyclomatic, counted, ..Function::default() }
    }

    fn pair(theirs: Function, ours: i64) -> Pair {
        Pair { theirs, ours, nameless: 0, nameless_counted: Vec::new() }
    }

    fn classes(agreement: &Agreement) -> Vec<&str> {
        agreement.sorted().into_iter().map(|(class, _)| class).collect()
    }

    #[test]
    fn equal_figures_agree_and_others_have_a_class() {
        let mut agreement = Agreement::default();
        agreement.add(Language::Java, pair(function(1, &[]), 1));
        agreement.add(Language::Java, pair(function(2, &[(1, "{", "if", "(")]), 2));
        agreement.add(Language::Java, pair(function(3, &[(1, "{", "if", "("), (1, "a", "&&", "b")]), 2));
        agreement.add(Language::Java, pair(function(1, &[]), 2));
        assert_eq!((agreement.compared, agreement.equal, agreement.set_aside), (4, 2, 0));
        assert_eq!((agreement.branching, agreement.branching_equal), (2, 1));
        assert_eq!(classes(&agreement), ["ours+1", "ours-1: && or if"]);
        assert!((agreement.share() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn functions_without_a_name_are_a_part_of_the_one_round_them() {
        let counted = |id, within, cyclomatic| Function { id, within, ..function(cyclomatic, &[]) };
        let mut pairs = vec![pair(counted(3, None, 2), 6)];
        add_nameless(&mut pairs, vec![counted(0, Some(1), 3), counted(1, Some(3), 3), counted(2, None, 9)]);
        assert_eq!(pairs[0].nameless, 4);
        let mut agreement = Agreement::default();
        pairs.into_iter().for_each(|pair| agreement.add(Language::JavaScript, pair));
        assert_eq!((agreement.equal, agreement.raw_equal), (1, 0));
    }

    #[test]
    fn an_error_of_lizard_is_set_aside_only_if_it_is_the_whole_difference() {
        let counted = [(1, ")", "where", "T"), (1, "(", "||", "a"), (1, "a", "||", "b")];
        let mut agreement = Agreement::default();
        agreement.add(Language::Rust, pair(function(4, &counted), 2));
        agreement.add(Language::Rust, pair(function(4, &counted), 3));
        assert_eq!((agreement.set_aside, agreement.compared), (1, 2));
        assert_eq!(classes(&agreement), ["ours-1: where", "set aside: closure-head and where-clause"]);
        assert!((agreement.share() - 0.0).abs() < 1e-9);
    }

    #[test]
    fn references_of_cpp_are_told_from_operators() {
        let reference = Counted(1, "auto".to_owned(), "&&".to_owned(), "x".to_owned());
        let operator = Counted(1, "a".to_owned(), "&&".to_owned(), "b".to_owned());
        assert_eq!(wrong_token(Language::Cpp, &reference), Some("rvalue-reference"));
        assert_eq!(wrong_token(Language::Cpp, &operator), None);
        assert_eq!(wrong_token(Language::Java, &reference), None);
    }

    #[test]
    fn text_that_lizard_swallowed_excuses_any_difference() {
        let mut broken = function(1, &[]);
        broken.swallowed = true;
        assert_eq!(error_of_lizard(Language::Rust, &broken, 5).as_deref(), Some("text-swallowed"));
    }

    #[test]
    fn names_lose_what_they_are_in() {
        let own = |language, name| own_name(language, name);
        assert_eq!(own(Language::Java, "(anonymous)::run"), Some("run"));
        assert_eq!(own(Language::Cpp, "a::B::operator ..."), Some("operator ..."));
        assert_eq!(own(Language::JavaScript, "A.prototype.get"), Some("get"));
        assert_eq!(own(Language::TypeScript, "get size"), Some("size"));
        assert_eq!(own(Language::Python, "outer.inner"), Some("inner"));
        assert_eq!(own(Language::JavaScript, "(anonymous)"), None);
        assert_eq!(own(Language::Rust, ""), None);
    }

    #[test]
    fn a_sample_does_not_depend_on_the_order() {
        let pairs = |lines: &[u32]| -> Vec<Pair> {
            let at = |&line| pair(Function { start_line: line, ..function(1, &[]) }, 1);
            lines.iter().map(at).collect()
        };
        let lines = |pairs: Vec<Pair>| pairs.iter().map(|pair| pair.theirs.start_line).collect::<Vec<_>>();
        let forward = lines(sample(pairs(&[1, 2, 3, 4, 5]), 3));
        assert_eq!(forward.len(), 3);
        assert_eq!(forward, lines(sample(pairs(&[5, 4, 3, 2, 1]), 3)));
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
