//! From candidates to an order: what was found, moved up and down by rules that know code.

mod path;
mod rules;

pub use path::PathRole;
pub use rules::{RankingWeights, Rule};

use crate::ParsedQuery;
use ast_core_model::terms::{TermSplitter, is_stop_word};
use rules::Effect;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// A candidate: a chunk that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'a, Id> {
    /// Its id.
    pub id: Id,
    /// Its score so far, from 0 to 1: see [`fuse`](crate::fuse).
    pub score: f64,
    /// The path of its file, with `/` between the parts.
    pub path: &'a str,
    /// Whether it defines what the query [names](ParsedQuery::names).
    pub defines: bool,
    /// The cosine of the query and the mean of the vectors of its file, from -1 to 1; 0 if there are no vectors.
    pub file_cosine: f64,
}

/// A candidate in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked<Id> {
    /// Its id.
    pub id: Id,
    /// Its score; that of the best is at most 1.
    pub score: f64,
    /// What rules added, or took away, in the order in which they were applied: the score is what it was found with, and
    /// these.
    pub boosts: Vec<(&'static str, f64)>,
}

/// How far a file is looked into for the [coherence](Rule::Coherence) of it.
const COHERENT: usize = 5;

/// What each further candidate of a file counts for it.
const DECAY: f64 = 0.5;

/// Puts candidates in order, best first, ties in the order of ids.
///
/// The score of each is changed by every [rule](Rule) that applies, one after the other; then a file that is in the list
/// already lets others pass. A pure function: the same candidates give the same order.
pub fn rank<Id: Copy + Ord + Hash>(
    query: &ParsedQuery,
    candidates: &[Candidate<'_, Id>],
    weights: &RankingWeights,
) -> Vec<Ranked<Id>> {
    let coherence = coherence(candidates);
    let nearest = candidates.iter().map(|candidate| candidate.file_cosine).fold(0.0, f64::max);
    // The names of files without what tells a header from what it declares.
    let defined: HashSet<&str> = candidates
        .iter()
        .filter(|candidate| !PathRole::of(candidate.path).is_header)
        .map(|candidate| name_of(candidate.path))
        .collect();
    let mut files: HashMap<&str, FileFeatures> = HashMap::new();
    let mut ranked: Vec<(&str, Ranked<Id>)> = Vec::with_capacity(candidates.len());
    let wanted = Wanted::of(query);
    for candidate in candidates {
        let file = *files.entry(candidate.path).or_insert_with(|| FileFeatures::of(candidate.path, &wanted));
        let mut hit = Ranked { id: candidate.id, score: candidate.score, boosts: Vec::new() };
        let mut apply = |rule: Rule, share: f64| {
            let weight = weights.get(rule);
            let change = match rule.effect() {
                Effect::Add => weight * share,
                Effect::Multiply if share > 0.0 => hit.score * (weight - 1.0),
                Effect::Multiply => 0.0,
            };
            if change != 0.0 {
                hit.score += change;
                hit.boosts.push((rule.as_str(), change));
            }
        };
        if candidate.defines {
            apply(if wanted.is_name { Rule::DefinesQuery } else { Rule::DefinesName }, 1.0);
        }
        apply(Rule::FileNamed, file.named);
        apply(Rule::PathWords, file.words);
        apply(Rule::Coherence, coherence.get(candidate.path).copied().unwrap_or(0.0));
        apply(Rule::FileMeaning, if nearest > 0.0 { candidate.file_cosine.max(0.0) / nearest } else { 0.0 });
        let role = file.role;
        for (rule, applies) in [
            (Rule::Test, role.is_test && !wanted.tests),
            (Rule::Example, role.is_example && !wanted.examples),
            (Rule::Vendored, role.is_vendored && !wanted.vendored),
            (Rule::Generated, role.is_generated && !wanted.generated),
            (Rule::Stub, role.is_stub && !wanted.stubs),
            (Rule::Index, role.is_index && !wanted.is_path),
            (Rule::Header, role.is_header && !wanted.stubs && defined.contains(name_of(candidate.path))),
        ] {
            apply(rule, f64::from(u8::from(applies)));
        }
        ranked.push((candidate.path, hit));
    }
    // No score is more than that of a candidate that all rules speak for.
    let best = ranked.iter().map(|(_, hit)| hit.score).fold(1.0, f64::max);
    for (_, hit) in &mut ranked {
        hit.score /= best;
        hit.boosts.iter_mut().for_each(|(_, change)| *change /= best);
    }
    diversify(ranked, weights.get(Rule::SameFile))
}

/// Best first; each candidate of a file after the first of it counts less, and less.
fn diversify<Id: Copy + Ord>(mut ranked: Vec<(&str, Ranked<Id>)>, same_file: f64) -> Vec<Ranked<Id>> {
    let better =
        |a: &Ranked<Id>, b: &Ranked<Id>| -> Ordering { b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)) };
    ranked.sort_unstable_by(|a, b| better(&a.1, &b.1));
    let mut seen: HashMap<&str, i32> = HashMap::new();
    for (path, hit) in &mut ranked {
        let before = seen.entry(path).or_default();
        let change = hit.score * (same_file.powi(*before) - 1.0);
        if change != 0.0 {
            hit.score += change;
            hit.boosts.push((Rule::SameFile.as_str(), change));
        }
        *before += 1;
    }
    let mut ranked: Vec<Ranked<Id>> = ranked.into_iter().map(|(_, hit)| hit).collect();
    ranked.sort_unstable_by(better);
    ranked
}

/// Of each file, how much of what is looked for it has: the sum of its best candidates, each counting half of the one
/// before, as a share of that of the best file.
fn coherence<'a, Id>(candidates: &[Candidate<'a, Id>]) -> HashMap<&'a str, f64> {
    let mut scores: HashMap<&str, Vec<f64>> = HashMap::new();
    for candidate in candidates {
        scores.entry(candidate.path).or_default().push(candidate.score);
    }
    let sum = |mut scores: Vec<f64>| {
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores.iter().take(COHERENT).rev().fold(0.0, |sum, score| sum * DECAY + score)
    };
    let sums: HashMap<&str, f64> = scores.into_iter().map(|(path, scores)| (path, sum(scores))).collect();
    let best = sums.values().copied().fold(0.0, f64::max);
    sums.into_iter().map(|(path, sum)| (path, if best > 0.0 { sum / best } else { 0.0 })).collect()
}

/// What a query wants, as far as files are concerned.
struct Wanted<'a> {
    /// Its terms, without those that say nothing.
    terms: &'a [String],
    /// What a file may be called that it names: lower-case letters and digits.
    stems: Vec<String>,
    is_name: bool,
    is_path: bool,
    tests: bool,
    examples: bool,
    vendored: bool,
    generated: bool,
    stubs: bool,
}

impl<'a> Wanted<'a> {
    fn of(query: &'a ParsedQuery) -> Self {
        use crate::QueryKind as Kind;
        let mut stems: Vec<String> = query.names.iter().flatten().map(|name| plain(name)).collect();
        if query.kind == Kind::Path {
            stems.extend(query.text.rsplit('/').next().map(|name| plain(stem_of(name))));
        }
        stems.retain(|stem| stem.len() > 2);
        Self {
            terms: &query.terms,
            stems,
            is_name: query.kind == Kind::Name,
            is_path: query.kind == Kind::Path,
            tests: query.asks_for(&["test", "spec", "mock", "fixtur", "unittest", "testcas", "fak"]),
            examples: query.asks_for(&["exampl", "sampl", "demo", "bench", "benchmark"]),
            vendored: query.asks_for(&["vendor", "third", "bundl"]),
            generated: query.asks_for(&["generat", "bundl", "minif", "dist", "build"]),
            stubs: query.asks_for(&["typ", "declar", "declarat", "stub", "interfac"]),
        }
    }
}

/// What a file has for a query.
#[derive(Clone, Copy)]
struct FileFeatures {
    role: PathRole,
    /// 1 if it is named as what is looked for.
    named: f64,
    /// The share of the words of the query that are in its path.
    words: f64,
}

impl FileFeatures {
    fn of(path: &str, wanted: &Wanted<'_>) -> Self {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = stem_of(name);
        let is_named = wanted.stems.contains(&plain(stem));
        // Far from the file a folder says little of it.
        let near = folders.rsplit('/').take(2);
        let mut found = vec![false; wanted.terms.len()];
        let mut splitter = TermSplitter::default();
        for part in near.chain([stem]) {
            splitter.split(part, |term| {
                if let Some(at) = wanted.terms.iter().position(|wanted| wanted == term.text) {
                    found[at] = !is_stop_word(term.text);
                }
            });
        }
        let count = found.iter().filter(|found| **found).count();
        Self {
            role: PathRole::of(path),
            named: f64::from(u8::from(is_named)),
            words: count as f64 / wanted.terms.len().max(1) as f64,
        }
    }
}

/// The name of the file at a path without its folders and what is behind its first dot.
fn name_of(path: &str) -> &str {
    stem_of(path.rsplit_once('/').map_or(path, |(_, name)| name))
}

/// The name of a file without what is behind its first dot.
fn stem_of(name: &str) -> &str {
    match name.split_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Lower-case letters and digits alone: `read_file`, `readFile` and `read-file` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(id: u32, score: f64, path: &str) -> Candidate<'_, u32> {
        Candidate { id, score, path, defines: false, file_cosine: 0.0 }
    }

    fn order(query: &str, candidates: &[Candidate<'_, u32>]) -> Vec<u32> {
        let query = ParsedQuery::parse(query).unwrap();
        rank(&query, candidates, &RankingWeights::default()).into_iter().map(|hit| hit.id).collect()
    }

    #[test]
    fn what_defines_a_name_comes_before_what_uses_it() {
        let uses = candidate(1, 1.0, "src/a.rs");
        let defines = Candidate { defines: true, ..candidate(2, 0.4, "src/b.rs") };
        assert_eq!(order("open_valve", &[uses.clone(), defines.clone()]), [2, 1]);
        assert_eq!(order("where is open_valve called", &[uses, Candidate { score: 0.8, ..defines }]), [2, 1]);
    }

    #[test]
    fn tests_come_last_unless_they_are_asked_for() {
        let candidates = [candidate(1, 1.0, "tests/pool.rs"), candidate(2, 0.7, "src/mail.rs")];
        assert_eq!(order("close idle connections of it", &candidates), [2, 1]);
        assert_eq!(order("tests that close idle connections", &candidates), [1, 2]);
    }

    #[test]
    fn words_in_the_path_and_company_in_the_file_speak_for_it() {
        let candidates = [candidate(1, 1.0, "src/misc.rs"), candidate(2, 0.9, "src/pool/idle.rs")];
        assert_eq!(order("idle connections in the pool", &candidates), [2, 1]);
        let candidates = [
            candidate(1, 0.8, "a.rs"),
            candidate(2, 0.75, "b.rs"),
            candidate(3, 0.7, "b.rs"),
            candidate(4, 0.7, "b.rs"),
        ];
        assert_eq!(order("idle connections of it", &candidates)[0], 2);
    }

    #[test]
    fn a_file_that_is_about_it_comes_before_one_that_mentions_it() {
        let mentions = candidate(1, 0.8, "src/a.rs");
        let about = Candidate { file_cosine: 0.5, ..candidate(2, 0.7, "src/b.rs") };
        assert_eq!(order("idle connections of it", &[mentions.clone(), about.clone()]), [2, 1]);
        let less = Candidate { file_cosine: 0.1, ..mentions };
        assert_eq!(order("idle connections of it", &[less, about]), [2, 1]);
        let unlike = Candidate { file_cosine: -0.9, ..candidate(1, 0.8, "src/a.rs") };
        assert_eq!(order("idle connections of it", &[unlike, candidate(2, 0.7, "src/b.rs")]), [1, 2]);
    }

    #[test]
    fn what_is_defined_comes_before_what_declares_it() {
        let header = candidate(1, 1.0, "include/db/version.h");
        assert_eq!(
            order("idle connections of it", &[header.clone(), candidate(2, 0.9, "src/version.cc")]),
            [2, 1]
        );
        assert_eq!(order("idle connections of it", &[header, candidate(2, 0.9, "src/other.cc")]), [1, 2]);
    }

    #[test]
    fn no_file_floods_the_list() {
        let mut candidates: Vec<_> =
            (1..10).map(|id| candidate(id, 0.9 - f64::from(id) * 0.001, "src/a.rs")).collect();
        candidates.push(candidate(20, 0.8, "src/b.rs"));
        let order = order("idle connections of it", &candidates);
        assert!(order.iter().position(|id| *id == 20).unwrap() <= 4, "{order:?}");
    }

    #[test]
    fn why_adds_up() {
        let query = ParsedQuery::parse("idle pool of Connections").unwrap();
        let candidates = [candidate(1, 1.0, "tests/pool.rs"), candidate(2, 0.7, "src/pool/idle.rs")];
        let ranked = rank(&query, &candidates, &RankingWeights::default());
        let total: Vec<f64> = ranked
            .iter()
            .map(|hit| hit.score - hit.boosts.iter().map(|boost| boost.1).sum::<f64>())
            .collect();
        // What is left is what each was found with, in the same measure.
        let found = |id: u32| candidates.iter().find(|candidate| candidate.id == id).unwrap().score;
        assert!((total[0] / total[1] - found(ranked[0].id) / found(ranked[1].id)).abs() < 1e-9, "{ranked:?}");
    }

    proptest! {
        #[test]
        fn every_rule_moves_in_its_direction_only(
            scores in proptest::collection::vec(0.01f64..1.0, 2..12),
            at: prop::sample::Index,
        ) {
            let query = ParsedQuery::parse("idle connections of the pool").unwrap();
            let paths: Vec<String> = (0..scores.len()).map(|at| format!("src/file{at}.rs")).collect();
            let at = at.index(scores.len());
            let place_of = |path: &str, defines: bool, cosine: f64| {
                let candidates: Vec<_> = scores.iter().zip(&paths).enumerate().map(|(id, (score, own))| {
                    let path = if id == at { path } else { own };
                    let file_cosine = if id == at { cosine } else { 0.4 };
                    Candidate { defines: defines && id == at, file_cosine, ..candidate(id as u32, *score, path) }
                }).collect();
                rank(&query, &candidates, &RankingWeights::default()).iter().position(|hit| hit.id == at as u32).unwrap()
            };
            let place = |path: &str, defines: bool| place_of(path, defines, 0.4);
            let plain = place(&paths[at], false);
            prop_assert!(place_of(&paths[at], false, 0.6) <= plain);
            prop_assert!(place_of(&paths[at], false, 0.2) >= plain);
            prop_assert!(place(&paths[at], true) <= plain);
            prop_assert!(place("src/pool/idle.rs", false) <= plain);
            for worse in ["tests/file.rs", "examples/file.rs", "vendor/file.rs", "dist/file.js", "src/file.d.ts"] {
                prop_assert!(place(worse, false) >= plain, "{}", worse);
            }
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(
            mut candidates in proptest::collection::vec((0.0f64..1.0, 0usize..5), 1..30),
            seed: u64,
        ) {
            let paths = ["a.rs", "b/tests/c.rs", "pool.rs", "idle/x.ts", "d.d.ts"];
            let query = ParsedQuery::parse("idle pool of connections").unwrap();
            let build = |list: &[(u32, (f64, usize))]| {
                let all: Vec<_> = list.iter().map(|(id, (score, at))| candidate(*id, *score, paths[*at])).collect();
                rank(&query, &all, &RankingWeights::default())
            };
            candidates.iter_mut().for_each(|candidate| candidate.0 = (candidate.0 * 8.0).round() / 8.0);
            let mut list: Vec<_> = (0u32..).zip(candidates).collect();
            let first = build(&list);
            let length = list.len();
            list.rotate_left(seed as usize % length);
            prop_assert_eq!(build(&list), first);
        }
    }
}
