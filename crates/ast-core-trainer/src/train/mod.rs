//! The training: from pairs to a table.

pub mod model;
pub mod texts;

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Result, bail};
use ast_core_embed::table::TableParts;
use ast_core_embed::words::{Field, share_of, weight_of};
use rayon::prelude::*;

use crate::packages::LANGUAGES;
use crate::pairs::Pair;
use crate::random::Random;
use model::{Batch, FIELDS, Feature, Model, Rate};
use texts::{Entry, Part, Texts};

/// How to train. The defaults are those of the built-in model.
#[derive(Debug, Clone, clap::Args)]
pub struct Recipe {
    /// What random numbers begin with.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Values in a row.
    #[arg(long, default_value_t = 256)]
    pub dimension: usize,
    /// Words in the vocabulary.
    #[arg(long, default_value_t = 16_000)]
    pub words: usize,
    /// Rows for pieces of words that are not in it.
    #[arg(long, default_value_t = 4_096)]
    pub buckets: u32,
    /// How often each pair is learned from, on average.
    #[arg(long, default_value_t = 4.0)]
    pub epochs: f32,
    /// Pairs in a step.
    #[arg(long, default_value_t = 1_024)]
    pub batch: usize,
    /// Pairs of one package in a step: the hardest wrong answers are in the same package.
    #[arg(long, default_value_t = 512)]
    pub group: usize,
    /// The largest step of a value; it falls to 0 in equal parts.
    #[arg(long, default_value_t = 0.02)]
    pub step: f32,
    /// What similarities are divided by.
    #[arg(long, default_value_t = 0.055)]
    pub temperature: f32,
    /// The share of pairs of which the names are left out, so that the code is learned too.
    #[arg(long, default_value_t = 0.3)]
    pub without_names: f32,
    /// The share of words that are left out of each text.
    #[arg(long, default_value_t = 0.1)]
    pub without_word: f32,
    /// The share of words that are taken for unknown, so that their pieces are learned.
    #[arg(long, default_value_t = 0.05)]
    pub as_unknown: f32,
    /// The share of pairs that are asked for by the rest of the documentation too.
    #[arg(long, default_value_t = 0.2)]
    pub with_rest: f32,
    /// How much more often languages with few pairs are learned from: 0 not at all, 1 so that all count the same.
    #[arg(long, default_value_t = 0.5)]
    pub balance: f32,
}

/// What names and paths count for, to begin with, against one in code.
const FIELD_WEIGHTS: [f32; FIELDS] = [1.0, 1.0, 1.0, 3.0, 2.0, 1.0];
/// How long rows of buckets are, to begin with: as those of rather rare words.
const BUCKET_RARITY: f32 = 6.0;
/// The most often and the least often that a pair is learned from in an epoch, because of its language.
const BALANCE_RANGE: std::ops::RangeInclusive<f32> = 0.4..=3.0;
/// Steps until the steps are as large as they get.
const WARM_UP: usize = 50;

/// Learns from the pairs; tells `report` of the mean loss, now and then. The same pairs and recipe give the same table, on
/// any number of threads.
///
/// # Errors
/// Fewer pairs than a step takes.
pub fn train(
    pairs: &[Pair],
    name: &str,
    recipe: &Recipe,
    mut report: impl FnMut(String),
) -> Result<TableParts> {
    if pairs.len() < recipe.batch || recipe.group == 0 || !recipe.batch.is_multiple_of(recipe.group) {
        bail!(
            "expected at least as many pairs as a step takes, which is a multiple of a group; received {} pairs, {} a step, \
             {} a group",
            pairs.len(),
            recipe.batch,
            recipe.group
        );
    }
    let texts = Texts::new(pairs, recipe.words, recipe.buckets);
    report(format!("{} pairs, {} words", pairs.len(), texts.vocabulary.len()));
    let mut rarity = texts.rarity.clone();
    rarity.resize(rarity.len() + recipe.buckets as usize, BUCKET_RARITY);
    let mut model = Model::new(&rarity, recipe.dimension, FIELD_WEIGHTS, recipe.seed);

    let questions: Vec<u64> = pairs.par_iter().map(|pair| hash(&pair.question)).collect();
    let sampler = Sampler::new(pairs, recipe);
    let wanted = (recipe.epochs * pairs.len() as f32 / recipe.batch as f32) as usize;
    let mut steps = 0;
    let mut losses = Vec::new();
    for epoch in 0.. {
        let order = sampler.epoch(epoch);
        if order.len() < recipe.batch {
            bail!("only {} pairs are in full groups: fewer than the {} of a step", order.len(), recipe.batch);
        }
        for of_step in order.chunks_exact(recipe.batch) {
            if steps == wanted {
                return Ok(model.table(name, &texts.vocabulary, 0.0)?);
            }
            let left = 1.0 - steps as f32 / wanted as f32;
            let step = recipe.step * left * ((steps + 1) as f32 / WARM_UP as f32).min(1.0);
            let made: Vec<(Vec<Feature>, Vec<Feature>)> = of_step
                .par_iter()
                .map(|&pair| {
                    features(
                        &texts,
                        pair,
                        recipe,
                        &mut Random::new(&[recipe.seed, pair as u64, steps as u64]),
                    )
                })
                .collect();
            let (questions_of_step, codes) = made.into_iter().unzip();
            let groups = of_step.iter().map(|&pair| questions[pair]).collect();
            let batch = Batch { questions: questions_of_step, codes, groups };
            losses.push(model.step(&batch, Rate { step, temperature: recipe.temperature }));
            steps += 1;
            if steps % (wanted / 10).max(1) == 0 {
                let mean = losses.iter().sum::<f32>() / losses.len() as f32;
                report(format!("step {steps} of {wanted}: loss {mean:.4}"));
                losses.clear();
            }
        }
    }
    unreachable!("epochs do not end")
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What the question and the function of a pair are made of, this time.
fn features(
    texts: &Texts,
    pair: usize,
    recipe: &Recipe,
    random: &mut Random,
) -> (Vec<Feature>, Vec<Feature>) {
    let mut question = Vec::new();
    add(texts, texts.part(pair, Part::Question), recipe, random, &mut question);
    if random.unit() < recipe.with_rest {
        add(texts, texts.part(pair, Part::Rest), recipe, random, &mut question);
    }
    let mut function = Vec::new();
    add(texts, texts.part(pair, Part::Function), recipe, random, &mut function);
    if random.unit() < recipe.without_names {
        let names = [Field::Name as u32, Field::Scope as u32];
        function.retain(|feature| !names.contains(&(feature.place % FIELDS as u32)));
    }
    (question, function)
}

fn add(texts: &Texts, entries: &[Entry], recipe: &Recipe, random: &mut Random, into: &mut Vec<Feature>) {
    let known = texts.vocabulary.len() as u32;
    for entry in entries {
        let chance = random.unit();
        if chance < recipe.without_word {
            continue;
        }
        let place = |row: u32| row * FIELDS as u32 + u32::from(entry.field);
        let weight = weight_of(u32::from(entry.count));
        if entry.word < known && chance >= recipe.without_word + recipe.as_unknown {
            into.push(Feature { place: place(entry.word), weight });
            continue;
        }
        let pieces = texts.pieces(entry.word);
        let weight = weight * share_of(pieces.len());
        into.extend(pieces.iter().map(|bucket| Feature { place: place(known + bucket), weight }));
    }
}

/// Brings pairs into the order in which they are learned from.
struct Sampler<'a> {
    recipe: &'a Recipe,
    /// The pairs of each package, and how often each is learned from in an epoch.
    packages: Vec<(std::ops::Range<usize>, f32)>,
    languages: Vec<u8>,
}

impl<'a> Sampler<'a> {
    fn new(pairs: &[Pair], recipe: &'a Recipe) -> Self {
        let mut of_language = [0_usize; LANGUAGES.len()];
        pairs.iter().for_each(|pair| of_language[usize::from(pair.language)] += 1);
        let present = of_language.iter().filter(|count| **count > 0).count().max(1);
        let mean = pairs.len() as f32 / present as f32;
        let mut start = 0;
        let packages = pairs
            .chunk_by(|a, b| a.package == b.package)
            .map(|of| {
                let range = start..start + of.len();
                start = range.end;
                let share = mean / of_language[usize::from(of[0].language)] as f32;
                (range, share.powf(recipe.balance).clamp(*BALANCE_RANGE.start(), *BALANCE_RANGE.end()))
            })
            .collect();
        Self { recipe, packages, languages: pairs.iter().map(|pair| pair.language).collect() }
    }

    /// The pairs of an epoch, group after group; what does not fill a group of its package is with others of its language.
    fn epoch(&self, epoch: u64) -> Vec<usize> {
        let mut random = Random::new(&[self.recipe.seed, u64::MAX, epoch]);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut left: Vec<Vec<usize>> = vec![Vec::new(); LANGUAGES.len()];
        for (range, times) in &self.packages {
            let mut order: Vec<usize> = range.clone().collect();
            let mut remaining = *times;
            while remaining > 0.0 {
                random.shuffle(&mut order);
                // Rounded so that it is right on average.
                let some = (order.len() as f32 * remaining.min(1.0) + random.unit()) as usize;
                let some = &order[..some.min(order.len())];
                let (full, rest) = some.split_at(some.len() / self.recipe.group * self.recipe.group);
                groups.extend(full.chunks(self.recipe.group).map(<[usize]>::to_vec));
                left[usize::from(self.languages[range.start])].extend(rest);
                remaining -= 1.0;
            }
        }
        let left: Vec<usize> = left
            .into_iter()
            .flat_map(|mut of_language| {
                random.shuffle(&mut of_language);
                of_language
            })
            .collect();
        groups.extend(left.chunks_exact(self.recipe.group).map(<[usize]>::to_vec));
        random.shuffle(&mut groups);
        groups.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::texts::tests::pair;
    use super::*;
    use ast_core_embed::{EmbedInput, Embedder, StaticEmbedder};

    fn recipe() -> Recipe {
        Recipe {
            seed: 1,
            dimension: 16,
            words: 200,
            buckets: 64,
            epochs: 40.0,
            batch: 8,
            group: 4,
            step: 0.02,
            temperature: 0.1,
            without_names: 0.3,
            without_word: 0.1,
            as_unknown: 0.05,
            with_rest: 0.2,
            balance: 0.5,
        }
    }

    /// What is asked in one set of words and done in another.
    fn sample() -> Vec<Pair> {
        let words = [
            ("delete", "unlink"),
            ("draw", "paint"),
            ("send", "transmit"),
            ("count", "tally"),
            ("begin", "spawn"),
        ];
        let of_package = |package: u32| {
            words.iter().map(move |(asked, done)| {
                pair(package, &format!("{asked} it"), done, &format!("{done} thing{package}"))
            })
        };
        (0..4).flat_map(of_package).collect()
    }

    #[test]
    fn the_same_training_gives_the_same_bytes_on_any_number_of_threads() {
        let train_on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&sample(), "test-v1", &recipe(), |_| ()).unwrap().encode().unwrap())
        };
        let one = train_on(1);
        assert_eq!(one, train_on(1));
        assert_eq!(one, train_on(3));
        let other = train(&sample(), "test-v1", &Recipe { seed: 2, ..recipe() }, |_| ()).unwrap();
        assert_ne!(one, other.encode().unwrap());
    }

    #[test]
    fn what_was_learned_is_what_the_embedder_finds() {
        let table = train(&sample(), "test-v1", &recipe(), |_| ()).unwrap();
        let embedder = StaticEmbedder::from_bytes(table.encode().unwrap()).unwrap();
        let code = |text: &str| {
            let mut vector = Vec::new();
            embedder.embed(&[EmbedInput { code: text, ..EmbedInput::default() }], &mut vector).unwrap();
            vector
        };
        let near = |question: &str, text: &str| -> f32 {
            embedder.embed_query(question).unwrap().iter().zip(code(text)).map(|(a, b)| a * b).sum()
        };
        for (asked, done, other) in
            [("delete", "unlink", "paint"), ("draw", "paint", "unlink"), ("send", "transmit", "tally")]
        {
            assert!(near(asked, done) > near(asked, other) + 0.2, "{asked}");
        }
    }

    #[test]
    fn a_text_is_the_same_in_training_and_in_use() {
        // The sum that a step makes of a text is the vector that the embedder gives it.
        let pairs = sample();
        let texts = Texts::new(&pairs, 200, 64);
        let recipe = Recipe {
            without_names: 0.0,
            without_word: 0.0,
            as_unknown: 0.0,
            with_rest: 0.0,
            epochs: 1.0,
            ..recipe()
        };
        let table = train(&pairs, "test-v1", &recipe, |_| ()).unwrap();
        let embedder = StaticEmbedder::from_bytes(table.encode().unwrap()).unwrap();
        for (number, pair) in pairs.iter().enumerate() {
            let (question, code) = features(&texts, number, &recipe, &mut Random::new(&[1]));
            let input = EmbedInput { name: &pair.names, path: &pair.place, doc: "", code: &pair.code };
            let mut given = Vec::new();
            embedder.embed(&[input], &mut given).unwrap();
            let asked = embedder.embed_query(&pair.question).unwrap();
            for (features, given) in [(code, given), (question, asked)] {
                let mut sum = vec![0.0; table.dimension];
                for feature in features {
                    let (row, field) = (feature.place as usize / FIELDS, feature.place as usize % FIELDS);
                    let factor = feature.weight * table.scales[row][field];
                    let values = &table.rows[row * table.dimension..][..table.dimension];
                    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * f32::from(*value));
                }
                let cosine: f32 = sum.iter().zip(&given).map(|(a, b)| a * b).sum();
                let norm = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
                // Scales are kept in 8 bits.
                assert!(cosine / norm > 0.9999, "{} {}", pair.question, cosine / norm);
            }
        }
    }

    #[test]
    fn languages_with_few_pairs_are_learned_from_more_often() {
        let mut pairs: Vec<Pair> = (0..90).map(|n| pair(0, &n.to_string(), "a", "b")).collect();
        pairs.extend((0..10).map(|n| pair(1, &n.to_string(), "a", "b")));
        let recipe = Recipe { group: 1, ..recipe() };
        let order = Sampler::new(&pairs, &recipe).epoch(0);
        let few = order.iter().filter(|pair| **pair >= 90).count();
        let many = order.len() - few;
        assert!((21..=24).contains(&few) && (65..=70).contains(&many), "{few} {many}");
    }

    #[test]
    fn too_little_to_learn_from_is_said() {
        let error = train(&sample()[..3], "test-v1", &recipe(), |_| ()).unwrap_err().to_string();
        assert!(error.contains("received 3 pairs"), "{error}");
    }
}
