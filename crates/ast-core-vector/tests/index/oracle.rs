//! The naive index that the real ones are held against, and the data that they are filled with.

use std::collections::BTreeMap;

use ast_core_vector::{Metric, Neighbor, SearchOptions, VectorIndex};

/// A map of vectors, scored one by one in `f64`.
pub(crate) struct Oracle {
    pub(crate) metric: Metric,
    pub(crate) vectors: BTreeMap<u64, Vec<f32>>,
}

impl Oracle {
    pub(crate) fn new(metric: Metric) -> Self {
        Self { metric, vectors: BTreeMap::new() }
    }

    fn score(&self, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
        let dot: f64 = pairs().map(|(a, b)| a * b).sum();
        match self.metric {
            Metric::Dot => dot,
            Metric::Euclidean => -pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>(),
            Metric::Cosine => {
                let norms: f64 =
                    pairs().map(|(a, _)| a * a).sum::<f64>() * pairs().map(|(_, b)| b * b).sum::<f64>();
                dot / norms.sqrt()
            }
            other => panic!("the oracle knows no metric {other}"),
        }
    }

    /// How far a score in `f32` may lie from the true one.
    fn tolerance(&self, a: &[f32], b: &[f32]) -> f64 {
        let square = |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let scale = if self.metric == Metric::Cosine { 1.0 } else { square(a) + square(b) };
        4e-6 * scale + 1e-30
    }

    /// Asserts that an exact index returns what it must.
    ///
    /// Scores that rounding cannot tell apart may come in any order, so the answer is not compared key by key:
    /// every score must be the true one, the order must be the documented one, and nothing that was left out may
    /// be truly better than what was returned.
    pub(crate) fn assert_exact(&self, index: &dyn VectorIndex, query: &[f32], options: &SearchOptions<'_>) {
        let found = index.search(query, options).unwrap();
        assert_sorted(&found);
        assert!(found.len() <= options.k);

        let mut rest: BTreeMap<u64, &Vec<f32>> = self
            .vectors
            .iter()
            .filter(|(key, _)| options.filter.is_none_or(|filter| filter(**key)))
            .map(|(key, vector)| (*key, vector))
            .collect();
        for neighbor in &found {
            let vector =
                rest.remove(&neighbor.key).expect("a key that is held, passes the filter and is new");
            let error = (f64::from(neighbor.score) - self.score(query, vector)).abs();
            assert!(error <= self.tolerance(query, vector), "{neighbor:?} is {error} off");
            assert!(options.threshold.is_none_or(|threshold| neighbor.score >= threshold), "{neighbor:?}");
        }
        // What stands between a vector and the result: the worst that was returned if it is full, and the threshold.
        let full = found.len() == options.k;
        let worst =
            if full { found.last().map_or(f32::INFINITY, |worst| worst.score) } else { f32::NEG_INFINITY };
        let bar = f64::from(worst.max(options.threshold.unwrap_or(f32::NEG_INFINITY)));
        for (key, vector) in rest {
            let score = self.score(query, vector);
            assert!(
                score <= bar + 2.0 * self.tolerance(query, vector),
                "{key} of {score} is missing, bar {bar}"
            );
        }
    }
}

/// Asserts the documented order: scores descending, equal ones by key, no key twice.
pub(crate) fn assert_sorted(found: &[Neighbor]) {
    for pair in found.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert!(a.score > b.score || (a.score == b.score && a.key < b.key), "{a:?} before {b:?}");
    }
}

/// SplitMix64, the generator of Steele, Lea and Flood, <https://doi.org/10.1145/2714064.2660195>.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A value in `-1.0..1.0`.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(crate) fn vector(&mut self, dimension: usize) -> Vec<f32> {
        (0..dimension).map(|_| self.float()).collect()
    }
}
