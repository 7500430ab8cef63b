//! How well functions are found by what their documentation says of them.
//!
//! A question is the first sentence of a function's documentation, which is taken out of the function; the answer is that
//! function, among all functions of its package. All scores are exact: nothing is approximate but the model.

pub mod bm25;
pub mod questions;

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use ast_core_embed::{EmbedInput, Embedder};
use rayon::prelude::*;

use crate::functions::{Function, functions};
use crate::packages::{LANGUAGES, Manifest, Package};
use crate::random::Random;
use crate::sentence::first_sentence;
use bm25::Bm25;
use questions::Asked;

/// How functions are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// By words alone.
    Words,
    /// By vectors alone.
    Vectors,
    /// By both, each brought to 0 to 1 over the best 200 of either, vectors counting 0.7.
    Both,
}

impl Ranking {
    /// All, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Words, Self::Vectors, Self::Both];

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "BM25F",
            Self::Vectors => "vectors",
            Self::Both => "both",
        }
    }
}

/// Means over questions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen, 2002).
    pub ndcg: f64,
    /// The reciprocal rank of the first right answer, 0 if it is not among the first ten.
    pub reciprocal_rank: f64,
    /// The share of right answers among the first ten.
    pub recall: f64,
}

/// What came of the questions of a language.
#[derive(Debug, Clone, Default)]
pub struct OfLanguage {
    /// How many were asked.
    pub questions: usize,
    /// How many could not be, because the function was not found or says nothing.
    pub lost: usize,
    /// By ranking, in the order of [`Ranking::ALL`].
    pub measures: [Measures; 3],
}

/// What came of all questions.
#[derive(Debug)]
pub struct Report {
    /// By language, in the order of [`LANGUAGES`].
    pub languages: Vec<OfLanguage>,
    /// Cosines of questions and functions that have nothing to do with each other: of different packages. In order.
    pub unrelated: Vec<f32>,
    /// Cosines of questions and the functions that answer them. In order.
    pub related: Vec<f32>,
    /// Each question, with its rank by each ranking.
    pub ranks: Vec<Ranks>,
}

/// What came of one question.
#[derive(Debug, Clone)]
pub struct Ranks {
    /// Its package.
    pub package: String,
    /// Its words.
    pub question: String,
    /// The first function that answers it: path, line and name.
    pub answer: String,
    /// The place of the first right answer by each ranking, in the order of [`Ranking::ALL`], from 1; 0 if it is not among
    /// those that were looked at.
    pub ranks: [usize; 3],
}

/// What a package that is measured with is like.
struct Indexed {
    name: String,
    language: usize,
    functions: Vec<Function>,
    vectors: Vec<f32>,
    /// What is asked, its vector, and the numbers of the functions that answer.
    asked: Vec<(String, Vec<f32>, Vec<usize>)>,
    lost: usize,
}

/// The vectors' share in the score by both.
const VECTORS_SHARE: f32 = 0.7;
/// How many of each ranking are looked at by both.
const CANDIDATES: usize = 200;
const FIRST: usize = 10;
/// Pairs of a question and a function of another package that are looked at.
const UNRELATED: usize = 4_000_000;

/// Asks all questions.
///
/// # Errors
/// Packages that are not there.
pub fn evaluate(
    manifest: &Manifest,
    folder: &Path,
    asked: &[Asked],
    embedder: &dyn Embedder,
) -> Result<Report> {
    let mut packages = Vec::new();
    for of_package in asked {
        let package = manifest.packages.iter().find(|package| package.name == of_package.package);
        let package = package.with_context(|| format!("the list has no package {}", of_package.package))?;
        let functions = functions(&folder.join(package.folder()), &package.language, |_| true)?;
        packages.push(index(package, functions, of_package, embedder)?);
    }
    let mut languages = vec![OfLanguage::default(); LANGUAGES.len()];
    let mut ranks = Vec::new();
    for package in &packages {
        let language = &mut languages[package.language];
        language.questions += package.asked.len();
        language.lost += package.lost;
        for ((question, _, answers), rankings) in package.asked.iter().zip(rank(package)) {
            for (sum, ranking) in language.measures.iter_mut().zip(&rankings) {
                let of = measures(ranking, answers);
                sum.ndcg += of.ndcg;
                sum.reciprocal_rank += of.reciprocal_rank;
                sum.recall += of.recall;
            }
            let first = &package.functions[answers[0]];
            ranks.push(Ranks {
                package: package.name.clone(),
                question: question.clone(),
                answer: format!("{}:{} {}", first.path, first.line, first.name),
                ranks: rankings.map(|ranking| {
                    ranking.iter().position(|number| answers.contains(number)).map_or(0, |at| at + 1)
                }),
            });
        }
    }
    for language in &mut languages {
        let questions = language.questions.max(1) as f64;
        for measures in &mut language.measures {
            *measures = Measures {
                ndcg: measures.ndcg / questions,
                reciprocal_rank: measures.reciprocal_rank / questions,
                recall: measures.recall / questions,
            };
        }
    }
    Ok(Report { languages, unrelated: unrelated(&packages), related: related(&packages), ranks })
}

fn index(
    package: &Package,
    functions: Vec<Function>,
    asked: &Asked,
    embedder: &dyn Embedder,
) -> Result<Indexed> {
    let places: Vec<String> = functions.iter().map(Function::place).collect();
    let names: Vec<String> = functions.iter().map(Function::names).collect();
    let inputs: Vec<EmbedInput<'_>> = (functions.iter().zip(&places).zip(&names))
        .map(|((function, path), name)| EmbedInput { name, path, doc: "", code: &function.code })
        .collect();
    let mut vectors = Vec::new();
    embedder.embed(&inputs, &mut vectors)?;
    let mut questions = Vec::new();
    let mut lost = 0;
    for answers in &asked.answers {
        let found: Vec<usize> = answers.iter().filter_map(|place| place.find(&functions)).collect();
        let first = answers.first().and_then(|place| place.find(&functions));
        let question =
            first.map(|number| first_sentence(&functions[number].doc)).filter(|text| !text.is_empty());
        match question {
            Some(question) => {
                let vector = embedder.embed_query(&question)?;
                questions.push((question, vector, found));
            }
            None => lost += 1,
        }
    }
    let (name, language) = (package.name.clone(), package.language_number());
    Ok(Indexed { name, language, functions, vectors, asked: questions, lost })
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The functions of a package by each ranking, for each question.
fn rank(package: &Indexed) -> Vec<[Vec<usize>; 3]> {
    let mut words = Bm25::default();
    for function in &package.functions {
        words.add([&function.name, &function.place(), &function.code]);
    }
    let of_question = |(question, vector, _): &(String, Vec<f32>, Vec<usize>)| {
        let by_words = words.scores(question);
        let by_vectors: Vec<f32> =
            package.vectors.chunks(vector.len()).map(|of| cosine(of, vector)).collect();
        let best = |scores: &[f32]| ranked(scores, CANDIDATES);
        let (first_words, first_vectors) = (best(&by_words), best(&by_vectors));
        let both = fuse(&first_words, &first_vectors, &by_words, &by_vectors);
        [first_words, first_vectors, both]
    };
    package.asked.par_iter().map(of_question).collect()
}

/// The numbers of the highest scores above 0, highest first.
fn ranked(scores: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|&number| scores[number] > 0.0).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order.truncate(most);
    order
}

fn fuse(first_words: &[usize], first_vectors: &[usize], words: &[f32], vectors: &[f32]) -> Vec<usize> {
    let mut candidates: Vec<usize> = first_words.iter().chain(first_vectors).copied().collect();
    candidates.sort_unstable();
    candidates.dedup();
    let range = |scores: &[f32]| {
        let of = candidates.iter().map(|&number| scores[number]);
        of.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), score| {
            (least.min(score), most.max(score))
        })
    };
    let (of_words, of_vectors) = (range(words), range(vectors));
    let brought = |score: f32, (least, most): (f32, f32)| {
        if most > least { (score - least) / (most - least) } else { 0.0 }
    };
    let score = |number: usize| {
        VECTORS_SHARE * brought(vectors[number], of_vectors)
            + (1.0 - VECTORS_SHARE) * brought(words[number], of_words)
    };
    let mut scored: Vec<(usize, f32)> = candidates.iter().map(|&number| (number, score(number))).collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.into_iter().map(|(number, _)| number).collect()
}

fn measures(ranking: &[usize], answers: &[usize]) -> Measures {
    let hits: Vec<usize> =
        (0..ranking.len().min(FIRST)).filter(|&rank| answers.contains(&ranking[rank])).collect();
    let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let ideal: f64 = (0..answers.len().min(FIRST)).map(gain).sum();
    Measures {
        ndcg: hits.iter().copied().map(gain).sum::<f64>() / ideal,
        reciprocal_rank: hits.first().map_or(0.0, |&rank| 1.0 / (rank + 1) as f64),
        recall: hits.len() as f64 / answers.len() as f64,
    }
}

fn related(packages: &[Indexed]) -> Vec<f32> {
    let of_package = |package: &Indexed| -> Vec<f32> {
        let vector = |number: usize, length: usize| &package.vectors[number * length..][..length];
        let cosines = package.asked.iter().flat_map(|(_, question, answers)| {
            answers.iter().map(|&answer| cosine(question, vector(answer, question.len())))
        });
        cosines.collect()
    };
    let mut cosines: Vec<f32> = packages.iter().flat_map(of_package).collect();
    cosines.sort_by(f32::total_cmp);
    cosines
}

fn unrelated(packages: &[Indexed]) -> Vec<f32> {
    let asked: Vec<(usize, &Vec<f32>)> = (packages.iter().enumerate())
        .flat_map(|(number, package)| package.asked.iter().map(move |(_, vector, _)| (number, vector)))
        .collect();
    let mut by_package: HashMap<usize, usize> = HashMap::new();
    for (number, package) in packages.iter().enumerate() {
        by_package.insert(number, package.functions.len());
    }
    let mut random = Random::new(&[1]);
    let mut cosines = Vec::with_capacity(UNRELATED);
    for _ in 0..if packages.len() > 1 && !asked.is_empty() { UNRELATED } else { 0 } {
        let (own, question) = asked[random.below(asked.len())];
        let other = (own + 1 + random.below(packages.len() - 1)) % packages.len();
        let functions = by_package[&other];
        if functions > 0 {
            let at = random.below(functions) * question.len();
            cosines.push(cosine(question, &packages[other].vectors[at..at + question.len()]));
        }
    }
    cosines.sort_by(f32::total_cmp);
    cosines
}

impl Report {
    /// Means over the languages that were asked in, each having the same say.
    pub fn overall(&self, ranking: Ranking) -> Measures {
        let asked: Vec<&OfLanguage> =
            self.languages.iter().filter(|language| language.questions > 0).collect();
        let mean = |of: fn(&Measures) -> f64| {
            asked.iter().map(|language| of(&language.measures[ranking as usize])).sum::<f64>()
                / asked.len().max(1) as f64
        };
        Measures {
            ndcg: mean(|measures| measures.ndcg),
            reciprocal_rank: mean(|measures| measures.reciprocal_rank),
            recall: mean(|measures| measures.recall),
        }
    }

    /// A table for people, in Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from("| ranking | NDCG@10 | MRR@10 | R@10 |");
        let asked = || LANGUAGES.iter().zip(&self.languages).filter(|(_, of)| of.questions > 0);
        asked().for_each(|(language, _)| text += &format!(" {language} |"));
        text += "\n|---|---|---|---|";
        asked().for_each(|_| text += "---|");
        for ranking in Ranking::ALL {
            let Measures { ndcg, reciprocal_rank, recall } = self.overall(ranking);
            text += &format!("\n| {} | {ndcg:.3} | {reciprocal_rank:.3} | {recall:.3} |", ranking.name());
            asked().for_each(|(_, of)| text += &format!(" {:.3} |", of.measures[ranking as usize].ndcg));
        }
        text += "\n| questions | | | |";
        asked().for_each(|(_, of)| text += &format!(" {} |", of.questions));
        let lost: usize = self.languages.iter().map(|language| language.lost).sum();
        text += &format!(
            "\n\n{lost} questions could not be asked: their functions were not found, or say nothing.\n"
        );
        let quantile = |of: &[f32], share: f64| {
            of.get(((of.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default()
        };
        text += "Cosines of questions and functions of other packages, by share below:";
        for share in [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999] {
            text += &format!(" {share}: {:.3}", quantile(&self.unrelated, share));
        }
        text += "\nCosines of questions and their answers, by share below:";
        for share in [0.01, 0.05, 0.1, 0.25, 0.5] {
            text += &format!(" {share}: {:.3}", quantile(&self.related, share));
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_their_definitions() {
        assert_eq!(measures(&[4, 7], &[4]), Measures { ndcg: 1.0, reciprocal_rank: 1.0, recall: 1.0 });
        let second = measures(&[7, 4, 9], &[4, 5]);
        let gain = 1.0 / 3_f64.log2();
        assert!((second.ndcg - gain / (1.0 + gain)).abs() < 1e-12);
        assert_eq!((second.reciprocal_rank, second.recall), (0.5, 0.5));
        let eleventh: Vec<usize> = (0..11).collect();
        assert_eq!(measures(&eleventh, &[10]), Measures::default());
    }

    #[test]
    fn both_is_between_the_two() {
        let (words, vectors) = ([0.0, 5.0, 4.0], [0.9, 0.1, 0.8]);
        let ranking = |scores: &[f32]| ranked(scores, 10);
        assert_eq!(ranking(&words), [1, 2]);
        assert_eq!(fuse(&ranking(&words), &ranking(&vectors), &words, &vectors), [2, 0, 1]);
    }
}
