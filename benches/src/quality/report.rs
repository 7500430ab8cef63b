//! Tables of what came of the questions.

use super::outcome::RESAMPLES;
use super::{Group, Interval, MEASURES, Outcome, Question, interval};
use ast_core_engine::QueryKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A way to search, and what came of it.
pub struct Method {
    /// Its name in tables.
    pub name: &'static str,
    /// What came of each question, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What came of all questions by several ways to search; the last is the one that the others are compared with.
pub struct Report {
    title: String,
    questions: usize,
    packages: usize,
    groups: Vec<Group>,
    methods: Vec<Method>,
    /// By group, method and measure: the mean.
    means: Vec<Vec<[Interval; MEASURES.len()]>>,
    /// By group, method and measure: what the last method has more.
    gains: Vec<Vec<[Interval; MEASURES.len()]>>,
}

impl Report {
    /// Takes the means. `looks` is what each question looks like to the engine.
    pub fn new(title: String, questions: &[Question], looks: &[QueryKind], methods: Vec<Method>) -> Self {
        let groups = groups(questions, looks);
        let last = methods.last().map_or(&[][..], |method| &method.outcomes);
        let of = |value: &dyn Fn(usize, &Method, usize) -> f64| -> Vec<Vec<[Interval; MEASURES.len()]>> {
            let of_method = |group: &Group, method: &Method| {
                std::array::from_fn(|measure| {
                    let values: Vec<f64> =
                        (0..questions.len()).map(|number| value(number, method, measure)).collect();
                    interval(group, &values)
                })
            };
            let of_group = |group: &Group| methods.iter().map(|method| of_method(group, method)).collect();
            groups.iter().map(of_group).collect()
        };
        let means = of(&|number, method, measure| method.outcomes[number].0[measure]);
        let gains =
            of(&|number, method, measure| last[number].0[measure] - method.outcomes[number].0[measure]);
        let mut packages: Vec<&str> = questions.iter().map(|question| question.package.as_str()).collect();
        packages.dedup();
        Self { title, questions: questions.len(), packages: packages.len(), groups, methods, means, gains }
    }

    /// For people, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# {}\n\n{} questions about {} packages. Means over files, with the interval that holds 95 of 100 means of \
             questions drawn anew ({RESAMPLES} times, each language from itself).\n",
            self.title, self.questions, self.packages
        );
        let heads: Vec<&str> = self.methods.iter().map(|method| method.name).collect();
        let mut table = |title: &str, heads: &[&str], rows: Vec<(String, Vec<String>)>| {
            let _ = write!(
                text,
                "\n## {title}\n\n| | {} |\n|---|{}\n",
                heads.join(" | "),
                "---|".repeat(heads.len())
            );
            for (name, cells) in rows {
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
            }
        };
        let rows = |cell: &dyn Fn(usize, usize) -> String| -> Vec<(String, Vec<String>)> {
            let of_group = |(at, group): (usize, &Group)| {
                (group.name.clone(), (0..self.methods.len()).map(|method| cell(at, method)).collect())
            };
            self.groups.iter().enumerate().map(of_group).collect()
        };
        let mean = |group: usize, method: usize, measure: usize| self.means[group][method][measure].mean;
        table(
            "NDCG@10 / MRR@10 / R@10",
            &heads,
            rows(&|group, method| {
                let [ndcg, mrr, recall] = [0, 1, 2].map(|measure| mean(group, method, measure));
                format!("{ndcg:.3} / {mrr:.3} / {recall:.3}")
            }),
        );
        table(
            "NDCG@10 with its interval",
            &heads,
            rows(&|group, method| shown(self.means[group][method][0], false)),
        );
        table(
            &format!("What {} has more in NDCG@10", heads.last().unwrap_or(&"")),
            &heads,
            rows(&|group, method| shown(self.gains[group][method][0], true)),
        );
        table(
            "Right files among 50 / 200 chunks, and NDCG@10 if the files of 200 were in the best order",
            &heads,
            rows(&|group, method| {
                let [few, many, best] = [3, 4, 5].map(|measure| mean(group, method, measure));
                format!("{few:.3} / {many:.3} / {best:.3}")
            }),
        );
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let measures = |of: &[Interval; MEASURES.len()]| -> Value {
            MEASURES
                .iter()
                .zip(of)
                .map(|(name, interval)| ((*name).to_owned(), json!(interval)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let of_group = |(at, group): (usize, &Group)| {
            let of_method = |(method, of): (usize, &Method)| {
                json!({
                    "method": of.name,
                    "means": measures(&self.means[at][method]),
                    "less_than_last": measures(&self.gains[at][method]),
                })
            };
            let count: usize = group.parts.iter().map(Vec::len).sum();
            let methods: Vec<Value> = self.methods.iter().enumerate().map(of_method).collect();
            json!({ "group": group.name, "questions": count, "methods": methods })
        };
        let groups: Vec<Value> = self.groups.iter().enumerate().map(of_group).collect();
        json!({
            "title": self.title,
            "questions": self.questions,
            "packages": self.packages,
            "resamples": RESAMPLES,
            "groups": groups,
        })
    }
}

/// A mean with its interval; a difference has a sign.
fn shown(Interval { mean, low, high }: Interval, signed: bool) -> String {
    match signed {
        true => format!("{mean:+.3} ({low:+.3} to {high:+.3})"),
        false => format!("{mean:.3} ({low:.3} to {high:.3})"),
    }
}

/// All questions with each language counting alike, each language, each kind of question, and each kind of query.
fn groups(questions: &[Question], looks: &[QueryKind]) -> Vec<Group> {
    let mut languages: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut others: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, (question, looks)) in questions.iter().zip(looks).enumerate() {
        languages.entry(&question.language).or_default().push(number);
        let asks = format!("{:?}", question.kind).to_lowercase();
        others.entry(format!("asks: {asks}")).or_default().push(number);
        others.entry(format!("looks like: {}", looks.as_str())).or_default().push(number);
    }
    let group = |name: &str, parts: Vec<Vec<usize>>| Group { name: name.to_owned(), parts };
    let mut groups = vec![group("mean of languages", languages.values().cloned().collect())];
    groups.extend(languages.into_iter().map(|(name, part)| group(name, vec![part])));
    groups.extend(others.into_iter().map(|(name, part)| group(&name, vec![part])));
    groups
}
