//! Tables of how well code was found by the code that was made from it.

use crate::quality::{Group, interval};
use ast_core_engine::{Likeness, LikenessWeights};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A piece of code that was looked for, and what came.
pub struct Case {
    /// What was done to it.
    pub change: &'static str,
    /// The language of the query.
    pub language: String,
    /// What was compared, and whether it is what was looked for.
    pub compared: Vec<(Likeness, bool)>,
    /// How many are what is looked for.
    pub right: usize,
}

/// What ranks, in the order of the columns.
const METHODS: [&str; 4] = ["meaning", "shape", "words", "all three"];

/// What is measured of a case: MRR@10, R@1, R@10, and the share of right ones among those that were compared.
const MEASURES: usize = 4;

/// How deep a ranking is looked into.
const DEPTH: usize = 10;

impl Case {
    /// By the parts of likeness one by one, and by their sum.
    fn outcomes(&self, weights: &LikenessWeights) -> [[f64; MEASURES]; METHODS.len()] {
        [
            self.outcome(|likeness| likeness.meaning.unwrap_or(0.0)),
            self.outcome(|likeness| likeness.shape),
            self.outcome(|likeness| likeness.words),
            self.outcome(|likeness| likeness.score(weights)),
        ]
    }

    /// Of those that score alike, what is wrong comes first.
    fn outcome(&self, score: impl Fn(&Likeness) -> f64) -> [f64; MEASURES] {
        let mut ranking: Vec<(f64, bool)> =
            self.compared.iter().map(|(likeness, is_right)| (score(likeness), *is_right)).collect();
        ranking.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let right = self.right.max(1) as f64;
        let among =
            |count: usize| ranking.iter().take(count).filter(|(_, is_right)| *is_right).count() as f64;
        let first = ranking.iter().take(DEPTH).position(|(_, is_right)| *is_right);
        [
            first.map_or(0.0, |first| 1.0 / (first + 1) as f64),
            f64::from(u8::from(first == Some(0))),
            (among(DEPTH) / right).min(1.0),
            (among(usize::MAX) / right).min(1.0),
        ]
    }
}

/// What came of all cases.
pub struct Tables {
    title: String,
    groups: Vec<(Group, String)>,
    changes: Vec<&'static str>,
    outcomes: Vec<[[f64; MEASURES]; METHODS.len()]>,
}

impl Tables {
    /// Takes the measures of cases, ranked by these weights.
    pub fn new(title: String, cases: &[Case], weights: &LikenessWeights) -> Self {
        let mut by_change: BTreeMap<&'static str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        let mut changes = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            if !changes.contains(&case.change) {
                changes.push(case.change);
            }
            by_change.entry(case.change).or_default().entry(&case.language).or_default().push(number);
        }
        let mut groups = Vec::new();
        for change in &changes {
            let languages = &by_change[change];
            let group = |name: &str, parts| (Group { name: name.to_owned(), parts }, (*change).to_owned());
            groups.push(group("mean", languages.values().cloned().collect()));
            groups.extend(languages.iter().map(|(name, part)| group(name, vec![part.clone()])));
        }
        let outcomes = cases.iter().map(|case| case.outcomes(weights)).collect();
        Self { title, groups, changes, outcomes }
    }

    fn values(&self, value: impl Fn(&[[f64; MEASURES]; METHODS.len()]) -> f64) -> Vec<f64> {
        self.outcomes.iter().map(value).collect()
    }

    /// For people, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{} queries.\n", self.title, self.outcomes.len());
        let means = |group: &Group, method: usize| {
            let [mrr, first, ten] =
                [0, 1, 2].map(|measure| group.mean(&self.values(|outcome| outcome[method][measure])));
            format!("{mrr:.3} / {first:.3} / {ten:.3}")
        };
        let _ = write!(
            text,
            "\nMRR@10 / R@1 / R@10, means of languages.\n\n| | queries | {} |",
            METHODS.join(" | ")
        );
        let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(METHODS.len()));
        for (group, change) in self.groups.iter().filter(|(group, _)| group.name == "mean") {
            let count: usize = group.parts.iter().map(Vec::len).sum();
            let cells: Vec<String> = (0..METHODS.len()).map(|method| means(group, method)).collect();
            let _ = writeln!(text, "| {change} | {count} | {} |", cells.join(" | "));
        }
        let _ = write!(
            text,
            "\nMRR@10 of all three, and what they have more than each alone, with the intervals that hold 95 of 100 means of \
             queries drawn anew; and how many of the right ones were compared at all.\n\n| | all three | {} | compared |\n|---|{}\n",
            METHODS[..3].join(" | "),
            "---|".repeat(METHODS.len())
        );
        for (group, change) in self.groups.iter().filter(|(group, _)| group.name == "mean") {
            let of_all = interval(group, &self.values(|outcome| outcome[3][0]));
            let more = (0..3).map(|method| {
                let more = interval(group, &self.values(|outcome| outcome[3][0] - outcome[method][0]));
                format!("{:+.3} ({:+.3} to {:+.3})", more.mean, more.low, more.high)
            });
            let more: Vec<String> = more.collect();
            let compared = group.mean(&self.values(|outcome| outcome[3][3]));
            let _ = writeln!(
                text,
                "| {change} | {:.3} ({:.3} to {:.3}) | {} | {compared:.3} |",
                of_all.mean,
                of_all.low,
                of_all.high,
                more.join(" | ")
            );
        }
        let _ = write!(
            text,
            "\nBy language, all three: MRR@10 / R@1 / R@10.\n\n| | {} |",
            self.changes.join(" | ")
        );
        let _ = write!(text, "\n|---|{}\n", "---|".repeat(self.changes.len()));
        let mut languages: Vec<&str> =
            self.groups.iter().map(|(group, _)| &*group.name).filter(|name| *name != "mean").collect();
        languages.sort_unstable();
        languages.dedup();
        for language in languages {
            let cells: Vec<String> = self
                .changes
                .iter()
                .map(|change| {
                    let mut groups = self.groups.iter();
                    let of = groups.find(|(group, of)| group.name == language && of == change);
                    of.map_or("-".to_owned(), |(group, _)| means(group, 3))
                })
                .collect();
            let _ = writeln!(text, "| {language} | {} |", cells.join(" | "));
        }
        text
    }
}

/// Steps of a weight that are tried.
const STEPS: usize = 20;

/// The weights of the parts, of all in steps of a twentieth, that give the best mean of MRR@10 over changes: for all cases,
/// and without those of each language, whose own mean by them is told. For people.
pub fn best_weights(cases: &[Case], weights: &LikenessWeights) -> String {
    let mut languages: Vec<&str> = cases.iter().map(|case| &*case.language).collect();
    languages.sort_unstable();
    languages.dedup();
    let grid: Vec<LikenessWeights> = (0..=STEPS)
        .flat_map(|meaning| (0..=STEPS - meaning).map(move |shape| (meaning, shape)))
        .map(|(meaning, shape)| {
            let of = |steps: usize| steps as f64 / STEPS as f64;
            LikenessWeights {
                meaning: of(meaning),
                shape: of(shape),
                words: of(STEPS - meaning - shape),
                ..*weights
            }
        })
        .collect();
    // By point of the grid and case.
    let found: Vec<Vec<f64>> = grid
        .iter()
        .map(|weights| cases.iter().map(|case| case.outcome(|likeness| likeness.score(weights))[0]).collect())
        .collect();
    let mean = |found: &[f64], takes: &dyn Fn(&Case) -> bool| {
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (case, found) in cases.iter().zip(found).filter(|(case, _)| takes(case)) {
            let (sum, count) = sums.entry(case.change).or_default();
            *sum += found;
            *count += 1.0;
        }
        sums.values().map(|(sum, count)| sum / count).sum::<f64>() / sums.len().max(1) as f64
    };
    let best = |takes: &dyn Fn(&Case) -> bool| {
        let means = found.iter().map(|found| mean(found, takes));
        means.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
    };
    let mut text = String::new();
    let shown = |at: usize| format!("{:.2} {:.2} {:.2}", grid[at].meaning, grid[at].shape, grid[at].words);
    let (at, all) = best(&|_| true);
    let _ = writeln!(text, "meaning, shape, words: {} gives {all:.4}", shown(at));
    for language in languages {
        let (at, _) = best(&|case| case.language != language);
        let left_out = mean(&found[at], &|case| case.language == language);
        let _ = writeln!(text, "without {language}: {}, of {language} itself {left_out:.4}", shown(at));
    }
    text
}
