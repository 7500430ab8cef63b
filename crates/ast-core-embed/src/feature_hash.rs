//! Feature hashing: an embedder without a model.

use crate::hashing::{hash, mix};
use crate::{EmbedError, EmbedInput, Embedder, ModelInfo};
use ast_core_model::terms::{TermSplitter, is_stop_word};

/// Places that each term adds to: with two, terms that share one place can still be told apart.
const PLACES: usize = 2;
const DIMENSIONS: std::ops::RangeInclusive<usize> = 2..=4096;

/// Weights of a term by where it stands, against one in the text.
const NAME_WEIGHT: f32 = 3.0;
const PATH_WEIGHT: f32 = 1.0;

/// Embeds text as the signed feature hash of its terms (Weinberger et al., "Feature Hashing for Large Scale Multitask
/// Learning", 2009): each distinct term adds plus or minus its weight, `ln(1 + count)`, at two places that its hash
/// names, and the sum is brought to length 1.
///
/// It learns nothing, so it finds texts that share words, not texts that mean the same in other words. It needs no
/// data, is deterministic, and takes microseconds.
#[derive(Debug, Clone)]
pub struct FeatureHashEmbedder {
    model: ModelInfo,
}

impl FeatureHashEmbedder {
    /// An embedder of this dimension.
    ///
    /// # Errors
    /// [`EmbedError::Dimension`] outside 2 to 4096.
    pub fn new(dimension: usize) -> Result<Self, EmbedError> {
        if !DIMENSIONS.contains(&dimension) {
            return Err(EmbedError::Dimension {
                received: dimension,
                minimum: *DIMENSIONS.start(),
                maximum: *DIMENSIONS.end(),
            });
        }
        Ok(Self::with_dimension(dimension))
    }

    fn with_dimension(dimension: usize) -> Self {
        let model = ModelInfo {
            id: format!("feature-hash-{dimension}-v2"),
            dimension,
            description: "signed feature hashing of identifier parts; shares words, knows no meanings"
                .to_owned(),
        };
        Self { model }
    }

    fn append(&self, scratch: &mut Scratch, input: &EmbedInput<'_>, vectors: &mut Vec<f32>) {
        scratch.features.clear();
        scratch.add(input.code, 1.0);
        scratch.add(input.doc, 1.0);
        scratch.add(input.name, NAME_WEIGHT);
        scratch.add(input.path, PATH_WEIGHT);
        // In order of hashes, so that the sum does not depend on the order of the text.
        scratch.features.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let start = vectors.len();
        vectors.resize(start + self.model.dimension, 0.0);
        let vector = &mut vectors[start..];
        for same in scratch.features.chunk_by(|a, b| a.0 == b.0) {
            let count: f32 = same.iter().map(|feature| feature.1).sum();
            let weight = (1.0 + count).ln();
            let mut hash = same[0].0;
            for _ in 0..PLACES {
                let place = (hash >> 33) as usize % vector.len();
                vector[place] += if hash & 1 == 0 { weight } else { -weight };
                hash = mix(hash);
            }
        }
        normalize(vector);
    }
}

impl Default for FeatureHashEmbedder {
    /// 256 dimensions.
    fn default() -> Self {
        Self::with_dimension(256)
    }
}

impl Embedder for FeatureHashEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    /// Texts without a common word meet by collisions only: their cosine is spread by 1 / sqrt(dimension) round 0, and
    /// one in millions lies five times as far out.
    fn noise_floor(&self) -> f32 {
        5.0 / (self.model.dimension as f32).sqrt()
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let mut scratch = Scratch::default();
        vectors.reserve(inputs.len() * self.model.dimension);
        for input in inputs {
            self.append(&mut scratch, input, vectors);
        }
        Ok(())
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        let mut vector = Vec::new();
        let input = EmbedInput { code: query, ..EmbedInput::default() };
        self.append(&mut Scratch::default(), &input, &mut vector);
        Ok(vector)
    }
}

#[derive(Default)]
struct Scratch {
    splitter: TermSplitter,
    features: Vec<(u64, f32)>,
}

impl Scratch {
    fn add(&mut self, text: &str, weight: f32) {
        let features = &mut self.features;
        self.splitter.split(text, |term| {
            if !is_stop_word(term.text) {
                features.push((hash(term.text), weight));
            }
        });
    }
}

pub(crate) fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &str) -> Vec<f32> {
        FeatureHashEmbedder::default().embed_query(text).unwrap()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn shared_words_bring_texts_together() {
        let function = query("fn parse_http_request(buffer: &[u8]) -> Request");
        assert!(cosine(&function, &query("parsing of an HTTP request")) > 0.4);
        assert!(cosine(&function, &query("walk a directory tree")) < 0.3);
        assert!((cosine(&query("readFile"), &query("read_file")) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_vector_of_a_text_never_changes() {
        // Stored vectors stay valid only as long as this holds: a change needs another model id.
        let vector = FeatureHashEmbedder::new(8).unwrap().embed_query("parse a tree").unwrap();
        expect_test::expect!["[-0.50, 0.00, 0.50, 0.00, 0.00, -0.50, 0.00, -0.50]"].assert_eq(&format!(
            "[{}]",
            vector.iter().map(|v| format!("{v:.2}")).collect::<Vec<_>>().join(", ")
        ));
    }

    #[test]
    fn nothing_gives_zeros_and_impossible_dimensions_are_refused() {
        assert!(query("").iter().all(|&value| value == 0.0));
        assert!(query("{ } ; the").iter().all(|&value| value == 0.0));
        for dimension in [0, 1, 4097] {
            let error = FeatureHashEmbedder::new(dimension).unwrap_err().to_string();
            assert!(error.contains(&dimension.to_string()), "{error}");
        }
    }

    proptest! {
        #[test]
        fn vectors_are_of_length_one_or_zero(text in any::<String>(), dimension in 2usize..512) {
            let vector = FeatureHashEmbedder::new(dimension).unwrap().embed_query(&text).unwrap();
            prop_assert_eq!(vector.len(), dimension);
            let norm = cosine(&vector, &vector);
            prop_assert!(norm == 0.0 || (norm - 1.0).abs() < 1e-4, "{}", norm);
        }

        #[test]
        fn order_does_not_matter_and_batches_are_as_singles(words in proptest::collection::vec("[a-z]{2,8}", 0..12)) {
            let mut reversed = words.clone();
            reversed.reverse();
            let (a, b) = (words.join(" "), reversed.join(" "));
            prop_assert_eq!(query(&a), query(&b));
            let inputs = [EmbedInput { code: &a, ..EmbedInput::default() }, EmbedInput { name: &b, ..EmbedInput::default() }];
            let (mut both, mut one) = (Vec::new(), Vec::new());
            let embedder = FeatureHashEmbedder::default();
            embedder.embed(&inputs, &mut both).unwrap();
            embedder.embed(&inputs[1..], &mut one).unwrap();
            prop_assert_eq!(&both[256..], &one[..]);
        }
    }
}
