//! The built-in model.

use crate::feature_hash::normalize;
use crate::hashing::hash;
use crate::table::Table;
use crate::words::{Field, Word, pieces, share_of, weight_of, words, words_of};
use crate::{EmbedError, EmbedInput, Embedder, ModelInfo};
use ast_core_model::terms::TermSplitter;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

static BUILT_IN: &[u8] = include_bytes!("../model/words-256.bin");

/// Embeds text as the sum of what its words mean: a vector a word, learned from pairs of documentation and code, so that
/// a question meets code that says the same in other words. docs/model-card.md tells what the built-in model has learned
/// from and how well it finds.
///
/// A text's vector is the sum over its distinct words, by [`Field`], of `ln(1 + count)` times the word's weight in that
/// field times its row, brought to length 1: word vectors as in Mikolov et al., "Efficient Estimation of Word
/// Representations in Vector Space" (2013), in the manner of Arora et al., "A Simple but Tough-to-Beat Baseline for
/// Sentence Embeddings" (2017), but with weights that are learned. A word that is not in the vocabulary is the sum of its
/// pieces ([`pieces`]), so no identifier is without a vector.
///
/// It has no state, takes some microseconds a text, and gives the same vector on any thread. A clone shares the table.
#[derive(Debug, Clone)]
pub struct StaticEmbedder {
    model: ModelInfo,
    table: Arc<Table<'static>>,
}

impl StaticEmbedder {
    /// An embedder of another table: one that [`TableParts::encode`](crate::table::TableParts::encode) made.
    ///
    /// # Errors
    /// [`EmbedError::Table`] if it is none, or is damaged.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, EmbedError> {
        let table = Table::read(bytes.into())?;
        let model = ModelInfo {
            id: table.id.clone(),
            dimension: table.dimension,
            description: "sum of word vectors, learned from documentation and code".to_owned(),
        };
        Ok(Self { model, table: Arc::new(table) })
    }

    fn append(&self, scratch: &mut Scratch, vectors: &mut Vec<f32>) {
        let start = vectors.len();
        vectors.resize(start + self.model.dimension, 0.0);
        let vector = &mut vectors[start..];
        let Scratch { features, unknown, unknown_text, buckets } = scratch;
        // In an order that does not depend on that of the text, so that the sum does not either.
        features.sort_unstable();
        for same in features.chunk_by(|a, b| a.is_as(*b)) {
            let field = same[0].field();
            let weight = weight_of(same.len() as u32);
            match same[0].row() {
                Some(row) => self.table.add(row, weight * self.table.scale(row, field), vector),
                None => {
                    let word = &unknown_text[unknown[same[0].unknown()].clone()];
                    buckets.clear();
                    pieces(word, self.table.buckets, buckets);
                    let share = weight * share_of(buckets.len());
                    for &bucket in buckets.iter() {
                        let row = self.table.row_of_bucket(bucket);
                        self.table.add(row, share * self.table.scale(row, field), vector);
                    }
                }
            }
        }
        normalize(vector);
    }
}

impl Default for StaticEmbedder {
    /// The built-in model, of 256 dimensions. It is read once a process.
    fn default() -> Self {
        static SHARED: OnceLock<StaticEmbedder> = OnceLock::new();
        let built_in = || Self::from_bytes(BUILT_IN).expect("a test reads the file that is compiled in");
        SHARED.get_or_init(built_in).clone()
    }
}

impl Embedder for StaticEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn noise_floor(&self) -> f32 {
        self.table.noise_floor
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let mut scratch = Scratch::default();
        let mut splitter = TermSplitter::default();
        vectors.reserve(inputs.len() * self.model.dimension);
        for input in inputs {
            scratch.clear();
            words(&mut splitter, input, |word| scratch.add(&self.table, word));
            self.append(&mut scratch, vectors);
        }
        Ok(())
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        let mut scratch = Scratch::default();
        words_of(&mut TermSplitter::default(), query, Field::Question, |word| {
            scratch.add(&self.table, word);
        });
        let mut vector = Vec::new();
        self.append(&mut scratch, &mut vector);
        Ok(vector)
    }
}

/// A word and where it stands, as a number: a bit that says whether it is unknown, 28 bits of its row or hash, three of its
/// field, 32 of its place among the unknown words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Feature(u64);

impl Feature {
    const UNKNOWN: u64 = 1 << 63;

    fn known(row: u32, field: Field) -> Self {
        Self(u64::from(row) << 35 | (field as u64) << 32)
    }

    fn of_unknown(word: &str, field: Field, place: u32) -> Self {
        let hash = hash(word) >> 36;
        Self(Self::UNKNOWN | hash << 35 | (field as u64) << 32 | u64::from(place))
    }

    fn is_as(self, other: Self) -> bool {
        self.0 >> 32 == other.0 >> 32
    }

    fn field(self) -> usize {
        (self.0 >> 32 & 7) as usize
    }

    fn row(self) -> Option<u32> {
        (self.0 & Self::UNKNOWN == 0).then_some((self.0 >> 35) as u32)
    }

    fn unknown(self) -> usize {
        self.0 as u32 as usize
    }
}

#[derive(Default)]
struct Scratch {
    features: Vec<Feature>,
    /// The unknown words, in `unknown_text`.
    unknown: Vec<Range<usize>>,
    unknown_text: String,
    buckets: Vec<u32>,
}

impl Scratch {
    fn clear(&mut self) {
        self.features.clear();
        self.unknown.clear();
        self.unknown_text.clear();
    }

    fn add(&mut self, table: &Table<'_>, word: Word<'_>) {
        if let Some(row) = table.row_of(word.text) {
            self.features.push(Feature::known(row, word.field));
        } else if word.is_part {
            let start = self.unknown_text.len();
            self.unknown_text.push_str(word.text);
            self.features.push(Feature::of_unknown(word.text, word.field, self.unknown.len() as u32));
            self.unknown.push(start..self.unknown_text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::parts;
    use proptest::prelude::*;

    fn query(text: &str) -> Vec<f32> {
        StaticEmbedder::default().embed_query(text).unwrap()
    }

    fn code(text: &str) -> Vec<f32> {
        let mut vector = Vec::new();
        let input = EmbedInput { code: text, ..EmbedInput::default() };
        StaticEmbedder::default().embed(&[input], &mut vector).unwrap();
        vector
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn the_built_in_model_is_the_one_of_the_model_card() {
        // Stored vectors are of the model of this id: a new one is another embedder.
        let model = StaticEmbedder::default().model().clone();
        assert_eq!(model.dimension, 256);
        let card = include_str!("../../../docs/model-card.md");
        assert!(card.contains(&format!("`{}`", model.id)), "docs/model-card.md does not name {}", model.id);
        assert!(BUILT_IN.len() <= 6 << 20, "{} bytes", BUILT_IN.len());
    }

    #[test]
    fn a_question_meets_code_in_other_words() {
        let code = code("fn unlink(path: &Path) -> io::Result<()> { fs::remove_file(path) }");
        let near = cosine(&query("delete something from disk"), &code);
        for other in ["draw a circle", "parse an email address", "average of numbers"] {
            assert!(near > cosine(&query(other), &code), "{other}");
        }
    }

    #[test]
    fn no_word_is_without_a_vector() {
        for word in [
            "zqxvjkw",
            "qz",
            "検索",
            "値",
            "größenänderung",
            "запрос",
            "العربية",
            "हिन्दी",
            "ελληνικά",
            "0x1f",
        ] {
            let vector = query(word);
            assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4, "{word}");
        }
        let (near, far) = (query("zqxvjkwb"), query("hgtplmno"));
        assert!(cosine(&query("zqxvjkw"), &near) > cosine(&query("zqxvjkw"), &far));
    }

    #[test]
    fn texts_without_words_give_zeros_and_long_ones_are_taken() {
        assert!(query("").iter().all(|&value| value == 0.0));
        assert!(code("{ ; } + a").iter().all(|&value| value == 0.0));
        let long: String = (0..10_000).map(|n| format!("word{n} parse_{n} ")).collect();
        let vector = code(&long);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_word_counts_by_its_field_and_a_repeated_one_by_its_logarithm() {
        let embedder = StaticEmbedder::from_bytes(parts().encode().unwrap()).unwrap();
        let mut vectors = Vec::new();
        let input = EmbedInput { name: "http", code: "parse parse", ..EmbedInput::default() };
        embedder.embed(&[input], &mut vectors).unwrap();
        // Row 0 in a head 0.5, twice; row 1 in a name 3.
        let row = |first: f32, factor: f32| [0.0, 1.0, 2.0, 3.0].map(|at| factor * (first + at));
        let (parse, http) = (row(0.0, 0.5 * 3_f32.ln()), row(4.0, 3.0 * 2_f32.ln()));
        let mut expected: Vec<f32> = parse.iter().zip(http).map(|(a, b)| a + b).collect();
        normalize(&mut expected);
        assert!(vectors.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{vectors:?} {expected:?}");
    }

    proptest! {
        #[test]
        fn vectors_are_of_length_one_or_zero(text in any::<String>()) {
            for vector in [query(&text), code(&text)] {
                prop_assert_eq!(vector.len(), 256);
                let norm = cosine(&vector, &vector);
                prop_assert!(norm == 0.0 || (norm - 1.0).abs() < 1e-4, "{}", norm);
            }
        }

        #[test]
        fn order_does_not_matter_and_batches_are_as_singles(
            words in proptest::collection::vec("[a-zß値]{2,8}", 0..12),
        ) {
            let mut reversed = words.clone();
            reversed.reverse();
            let (a, b) = (words.join(" "), reversed.join(" "));
            prop_assert_eq!(query(&a), query(&b));
            let inputs =
                [EmbedInput { code: &a, ..EmbedInput::default() }, EmbedInput { name: &b, ..EmbedInput::default() }];
            let (mut both, mut one) = (Vec::new(), Vec::new());
            let embedder = StaticEmbedder::default();
            embedder.embed(&inputs, &mut both).unwrap();
            embedder.embed(&inputs[1..], &mut one).unwrap();
            prop_assert_eq!(&both[256..], &one[..]);
        }
    }
}
