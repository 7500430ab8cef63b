//! How good an order is.

/// How deep a ranking is looked into.
const DEPTH: usize = 10;

/// Which of the answers are right. All that are count alike.
#[derive(Debug, Clone, Copy)]
pub struct Relevance<'a> {
    /// For each answer, best first, which of the right ones it is; `None` for one that is wrong. A right one that comes a
    /// second time is wrong.
    pub ranking: &'a [Option<usize>],
    /// How many right ones there are.
    pub total: usize,
}

/// Means over queries.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// How many queries.
    pub queries: usize,
    /// Sum of NDCG@10 (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002), with gains of 0
    /// and 1.
    ndcg: f64,
    /// Sum of the reciprocal ranks of the first right answer, 0 if it is not among ten.
    mrr: f64,
    /// Sum of the shares of right answers that are among ten.
    recall: f64,
}

impl Measures {
    /// Adds a query.
    pub fn add(&mut self, found: Relevance<'_>) {
        let single = Self::of(found);
        self.queries += 1;
        self.ndcg += single.ndcg;
        self.mrr += single.mrr;
        self.recall += single.recall;
    }

    fn of(found: Relevance<'_>) -> Self {
        let mut seen = Vec::new();
        let (mut gain, mut first) = (0.0, None);
        for (rank, answer) in found.ranking.iter().take(DEPTH).enumerate() {
            if let Some(answer) = answer.filter(|answer| !seen.contains(answer)) {
                seen.push(answer);
                gain += discount(rank);
                first = first.or(Some(rank));
            }
        }
        let ideal: f64 = (0..found.total.min(DEPTH)).map(discount).sum();
        Self {
            queries: 1,
            ndcg: if ideal > 0.0 { gain / ideal } else { 0.0 },
            mrr: first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0)),
            recall: seen.len() as f64 / found.total.max(1) as f64,
        }
    }

    /// NDCG@10.
    pub fn ndcg(&self) -> f64 {
        self.ndcg / self.queries.max(1) as f64
    }

    /// MRR@10.
    pub fn mrr(&self) -> f64 {
        self.mrr / self.queries.max(1) as f64
    }

    /// R@10.
    pub fn recall(&self) -> f64 {
        self.recall / self.queries.max(1) as f64
    }
}

fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranking: &[Option<usize>], total: usize) -> Measures {
        let mut measures = Measures::default();
        measures.add(Relevance { ranking, total });
        measures
    }

    #[test]
    fn what_comes_first_counts_most_and_nothing_counts_twice() {
        let perfect = of(&[Some(0), Some(1)], 2);
        assert_eq!((perfect.ndcg(), perfect.mrr(), perfect.recall()), (1.0, 1.0, 1.0));
        let second = of(&[None, Some(0)], 1);
        assert!((second.ndcg() - 1.0 / 3f64.log2()).abs() < 1e-12);
        assert_eq!(second.mrr(), 0.5);
        let twice = of(&[Some(0), Some(0)], 2);
        assert!(twice.ndcg() < 0.62 && twice.recall() == 0.5);
        let late = of(&[&[None; 10][..], &[Some(0)]].concat(), 1);
        assert_eq!((late.ndcg(), late.mrr(), late.recall()), (0.0, 0.0, 0.0));
    }
}
