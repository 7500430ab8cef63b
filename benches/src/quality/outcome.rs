//! What came of questions: measures of each, their means over groups of questions, and how sure these are.

use ast_core_search::{Measures, Relevance};
use serde::Serialize;

/// What is measured of a question, in the order of the values of an [`Outcome`].
///
/// `among 50` and `among 200` are the shares of right files among so many chunks, and `best order` is the NDCG@10 that
/// putting the files of 200 chunks in the best order would give.
pub const MEASURES: [&str; 6] = ["NDCG@10", "MRR@10", "R@10", "among 50", "among 200", "best order"];

/// What came of one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome(pub [f64; MEASURES.len()]);

impl Outcome {
    /// Of the files of the chunks that were found, best first, and the files that are right. A file ranks where the first of
    /// its chunks does.
    pub fn of(found: &[&str], right: &[String]) -> Self {
        let place = |file: &&str| right.iter().position(|right| right == file);
        let mut files: Vec<&str> = Vec::new();
        for file in found {
            if !files.contains(file) {
                files.push(file);
            }
        }
        let measures = |ranking: &[Option<usize>]| {
            let mut measures = Measures::default();
            measures.add(Relevance { ranking, total: right.len() });
            measures
        };
        let ranking: Vec<Option<usize>> = files.iter().map(place).collect();
        let by_rank = measures(&ranking);
        let best: Vec<Option<usize>> = ranking.iter().copied().filter(Option::is_some).collect();
        let among = |chunks: usize| {
            let some = &found[..found.len().min(chunks)];
            let right = right.iter().filter(|right| some.contains(&right.as_str()));
            right.count() as f64
        };
        let share = |count: f64| count / right.len().max(1) as f64;
        Self([
            by_rank.ndcg(),
            by_rank.mrr(),
            by_rank.recall(),
            share(among(50)),
            share(among(200)),
            measures(&best).ndcg(),
        ])
    }
}

/// Questions that a mean is taken over.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// The numbers of the questions in parts that count alike, however many each has; none is empty.
    pub parts: Vec<Vec<usize>>,
}

impl Group {
    /// The mean of the means of its parts.
    pub fn mean(&self, values: &[f64]) -> f64 {
        let of_part = |part: &Vec<usize>| {
            part.iter().map(|&number| values[number]).sum::<f64>() / part.len().max(1) as f64
        };
        self.parts.iter().map(of_part).sum::<f64>() / self.parts.len().max(1) as f64
    }
}

/// A mean, and where 95 of 100 means of questions drawn anew are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// What a fortieth of the drawn means is below.
    pub low: f64,
    /// What a fortieth of them is above.
    pub high: f64,
}

/// How often questions are drawn anew.
pub(super) const RESAMPLES: usize = 10_000;

/// The mean of a value a question over a group, with the interval that the bootstrap gives it (Efron and Tibshirani, "An
/// Introduction to the Bootstrap", 1993, section 13.3): each part is drawn from itself, with replacement, by a fixed sequence
/// of random numbers.
///
/// Of differences between two ways to search, question by question, it is the paired bootstrap: the difference is sure if 0 is
/// not between `low` and `high`.
pub fn interval(group: &Group, values: &[f64]) -> Interval {
    let mut random = Random(0x1234_5678);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let of_part = |part: &Vec<usize>| {
                let drawn = (0..part.len()).map(|_| values[part[random.below(part.len())]]);
                drawn.sum::<f64>() / part.len().max(1) as f64
            };
            group.parts.iter().map(of_part).sum::<f64>() / group.parts.len().max(1) as f64
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    Interval { mean: group.mean(values), low: at(0.025), high: at(0.975) }
}

/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let state = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(state ^ state >> 31) * end as u128) >> 64) as usize
    }
}
