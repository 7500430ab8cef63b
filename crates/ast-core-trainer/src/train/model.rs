//! What is learned, and one step of learning it.

use ast_core_embed::EmbedError;
use ast_core_embed::table::TableParts;
use ast_core_embed::words::Field;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

use crate::random::Random;

/// How many fields there are.
pub(crate) const FIELDS: usize = Field::ALL.len();

/// A row that a text has, with its field, and what it counts for before what is learned of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// The row times the number of fields, plus the field.
    pub place: u32,
    /// The weight.
    pub weight: f32,
}

/// Texts that are learned from in one step: each question belongs to the code at its place, and to no other.
#[derive(Debug, Default)]
pub struct Batch {
    /// What the questions are made of.
    pub questions: Vec<Vec<Feature>>,
    /// What the code is made of.
    pub codes: Vec<Vec<Feature>>,
    /// Equal numbers are equal questions, which are not held against each other.
    pub groups: Vec<u64>,
}

/// How strongly a step changes what is learned.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// The step in each value.
    pub step: f32,
    /// What similarities are divided by: the smaller, the more the nearest wrong answers count.
    pub temperature: f32,
}

/// The rows, what each counts for in each field, and what the optimiser remembers of them.
#[derive(Debug)]
pub struct Model {
    dimension: usize,
    rows: Vec<Row>,
    steps: i32,
}

/// What is learned of one word or bucket.
#[derive(Debug, Clone)]
struct Row {
    values: Box<[f32]>,
    /// Logarithms of what it counts for in each field.
    gains: [f32; FIELDS],
    moments: Box<[[f32; 2]]>,
    gain_moments: [[f32; 2]; FIELDS],
}

/// Adam (Kingma and Ba, 2015): how long the means of gradients and of their squares last.
const DECAY: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;
/// Questions of which the products with all code are made at a time.
const BLOCK: usize = 128;

impl Model {
    /// A model whose rows are random, with a length of their rarity, and which weighs fields as given.
    pub fn new(rarity: &[f32], dimension: usize, fields: [f32; FIELDS], seed: u64) -> Self {
        let row = |(number, rarity): (usize, &f32)| {
            let mut random = Random::new(&[seed, number as u64]);
            let scale = rarity / (dimension as f32).sqrt();
            Row {
                values: (0..dimension).map(|_| scale * random.normal()).collect(),
                gains: fields.map(f32::ln),
                moments: vec![[0.0; 2]; dimension].into(),
                gain_moments: [[0.0; 2]; FIELDS],
            }
        };
        Self { dimension, rows: rarity.par_iter().enumerate().map(row).collect(), steps: 0 }
    }

    /// The sums of the texts, before they are brought to length 1.
    fn sums(&self, texts: &[Vec<Feature>]) -> Vec<f32> {
        let mut sums = vec![0.0; texts.len() * self.dimension];
        sums.par_chunks_mut(self.dimension).zip(texts).for_each(|(sum, features)| {
            for feature in features {
                let row = &self.rows[feature.place as usize / FIELDS];
                let factor = feature.weight * row.gains[feature.place as usize % FIELDS].exp();
                sum.iter_mut().zip(row.values.iter()).for_each(|(sum, value)| *sum += factor * value);
            }
        });
        sums
    }

    /// Brings each question nearer to its code than to all other code of the batch, and the other way round: InfoNCE (van
    /// den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018) over cosines, in both
    /// directions. Returns the mean loss.
    pub fn step(&mut self, batch: &Batch, rate: Rate) -> f32 {
        let (count, dimension) = (batch.questions.len(), self.dimension);
        let mut questions = self.sums(&batch.questions);
        let mut codes = self.sums(&batch.codes);
        let question_norms = normalize(&mut questions, dimension);
        let code_norms = normalize(&mut codes, dimension);

        // exp((cosine - 1) / temperature): at most 1, and far above the least float.
        let mut near = vec![0.0_f32; count * count];
        let mut column_sums = vec![0.0_f32; count];
        let sums: Vec<(Vec<f32>, Vec<f32>)> = near
            .par_chunks_mut(BLOCK * count)
            .zip(questions.par_chunks(BLOCK * dimension))
            .enumerate()
            .map(|(block, (near, questions))| {
                let (some, codes) = (questions.len() / dimension, view(&codes, count, dimension));
                multiply(view(questions, some, dimension), codes.t(), near, some, count);
                let mut of_columns = vec![0.0_f32; count];
                let of_rows = (near.chunks_mut(count).enumerate())
                    .map(|(at, near)| {
                        let own = block * BLOCK + at;
                        let mut sum = 0.0_f32;
                        for (other, value) in near.iter_mut().enumerate() {
                            let is_same = batch.groups[other] == batch.groups[own] && other != own;
                            *value = if is_same { 0.0 } else { ((*value - 1.0) / rate.temperature).exp() };
                            sum += *value;
                            of_columns[other] += *value;
                        }
                        sum
                    })
                    .collect();
                (of_rows, of_columns)
            })
            .collect();
        let mut row_sums = Vec::with_capacity(count);
        for (of_rows, of_columns) in sums {
            row_sums.extend(of_rows);
            column_sums.iter_mut().zip(of_columns).for_each(|(sum, part)| *sum += part);
        }
        let loss: f32 = (0..count)
            .map(|at| {
                let own = near[at * count + at].max(f32::MIN_POSITIVE);
                -0.5 * ((own / row_sums[at]).ln() + (own / column_sums[at]).ln())
            })
            .sum();

        // From here on: what the loss changes by with each cosine.
        let scale = 1.0 / (rate.temperature * count as f32);
        near.par_chunks_mut(count).enumerate().for_each(|(own, row)| {
            let by_row = 0.5 * scale / row_sums[own];
            for (other, value) in row.iter_mut().enumerate() {
                *value *= by_row + 0.5 * scale / column_sums[other];
            }
            row[own] -= scale;
        });
        let mut question_changes = vec![0.0; count * dimension];
        question_changes.par_chunks_mut(BLOCK * dimension).zip(near.par_chunks(BLOCK * count)).for_each(
            |(changes, near)| {
                let some = near.len() / count;
                multiply(view(near, some, count), view(&codes, count, dimension), changes, some, dimension);
            },
        );
        let mut code_changes = vec![0.0; count * dimension];
        let by_code = view(&near, count, count);
        code_changes.par_chunks_mut(BLOCK * dimension).enumerate().for_each(|(block, changes)| {
            let some = changes.len() / dimension;
            let near = by_code.slice(ndarray::s![.., block * BLOCK..block * BLOCK + some]);
            multiply(near.t(), view(&questions, count, dimension), changes, some, dimension);
        });
        through_norm(&mut question_changes, &questions, &question_norms, dimension);
        through_norm(&mut code_changes, &codes, &code_norms, dimension);

        question_changes.extend(code_changes);
        self.apply(batch, &question_changes, rate.step);
        loss / count as f32
    }

    /// Changes the rows of the batch by the changes of the texts that they are in.
    fn apply(&mut self, batch: &Batch, changes: &[f32], step: f32) {
        self.steps += 1;
        let dimension = self.dimension;
        // By rows: where each is, in order of the texts, so that sums do not depend on threads.
        let texts = || batch.questions.iter().chain(&batch.codes).enumerate();
        let mut starts = vec![0_u32; self.rows.len() + 1];
        for (_, features) in texts() {
            features.iter().for_each(|feature| starts[feature.place as usize / FIELDS + 1] += 1);
        }
        for row in 1..starts.len() {
            starts[row] += starts[row - 1];
        }
        let mut next = starts.clone();
        let mut uses = vec![(0_u32, Feature { place: 0, weight: 0.0 }); starts[self.rows.len()] as usize];
        for (text, features) in texts() {
            for feature in features {
                let at = &mut next[feature.place as usize / FIELDS];
                uses[*at as usize] = (text as u32, *feature);
                *at += 1;
            }
        }
        let correction = DECAY.map(|decay| 1.0 - decay.powi(self.steps));
        let adapted = |value: &mut f32, moments: &mut [f32; 2], change: f32| {
            moments[0] += (1.0 - DECAY[0]) * (change - moments[0]);
            moments[1] += (1.0 - DECAY[1]) * (change * change - moments[1]);
            *value -= step * (moments[0] / correction[0]) / ((moments[1] / correction[1]).sqrt() + EPSILON);
        };
        let change_row = |(number, row): (usize, &mut Row), sum: &mut Vec<f32>| {
            let uses = &uses[starts[number] as usize..starts[number + 1] as usize];
            if uses.is_empty() {
                return;
            }
            sum.clear();
            sum.resize(dimension, 0.0);
            let mut of_gains = [0.0; FIELDS];
            for (text, feature) in uses {
                let change = &changes[*text as usize * dimension..][..dimension];
                let field = feature.place as usize % FIELDS;
                let factor = feature.weight * row.gains[field].exp();
                sum.iter_mut().zip(change).for_each(|(sum, change)| *sum += factor * change);
                of_gains[field] += factor * dot(&row.values, change);
            }
            for (field, change) in of_gains.into_iter().enumerate().filter(|(_, change)| *change != 0.0) {
                adapted(&mut row.gains[field], &mut row.gain_moments[field], change);
            }
            for ((value, moments), change) in
                row.values.iter_mut().zip(row.moments.iter_mut()).zip(sum.iter())
            {
                adapted(value, moments, *change);
            }
        };
        self.rows
            .par_iter_mut()
            .enumerate()
            .with_min_len(64)
            .for_each_init(Vec::new, |sum, row| change_row(row, sum));
    }

    /// The table: each row in signed bytes of its own scale.
    ///
    /// # Errors
    /// Words that do not fit the rows.
    pub fn table(
        &self,
        name: &str,
        vocabulary: &[String],
        noise_floor: f32,
    ) -> Result<TableParts, EmbedError> {
        let mut scales = Vec::with_capacity(self.rows.len());
        let mut rows = Vec::with_capacity(self.rows.len() * self.dimension);
        for row in &self.rows {
            let largest = row.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let unit = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            rows.extend(row.values.iter().map(|value| (value / unit).round() as i8));
            scales.push(row.gains.map(|gain| gain.exp() * unit));
        }
        Ok(TableParts {
            name: name.to_owned(),
            dimension: self.dimension,
            words: vocabulary.to_vec(),
            buckets: self.rows.len() - vocabulary.len(),
            noise_floor,
            scales,
            rows,
        })
    }
}

fn view(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("the caller says how many there are")
}

fn multiply(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, into: &mut [f32], rows: usize, columns: usize) {
    let mut into =
        ArrayViewMut2::from_shape((rows, columns), into).expect("the caller says how many there are");
    general_mat_mul(1.0, &a, &b, 0.0, &mut into);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums, which the compiler does at once.
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Brings each vector to length 1, and returns the lengths that they had.
fn normalize(vectors: &mut [f32], dimension: usize) -> Vec<f32> {
    let bring = |vector: &mut [f32]| {
        let norm = dot(vector, vector).sqrt().max(1e-12);
        vector.iter_mut().for_each(|value| *value /= norm);
        norm
    };
    vectors.par_chunks_mut(dimension).map(bring).collect()
}

/// From changes of vectors of length 1 to those of the vectors that they were made of.
fn through_norm(changes: &mut [f32], vectors: &[f32], norms: &[f32], dimension: usize) {
    let vectors = vectors.par_chunks(dimension);
    changes.par_chunks_mut(dimension).zip(vectors).zip(norms).for_each(|((change, vector), norm)| {
        let along = dot(change, vector);
        change.iter_mut().zip(vector).for_each(|(change, value)| *change = (*change - along * value) / norm);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let text = |places: &[(u32, f32)]| {
            places.iter().map(|&(place, weight)| Feature { place, weight }).collect::<Vec<_>>()
        };
        Batch {
            questions: vec![text(&[(0, 1.0), (6, 0.5)]), text(&[(12, 1.0)]), text(&[(18, 2.0), (6, 1.0)])],
            codes: vec![text(&[(25, 1.0), (7, 1.5)]), text(&[(13, 1.0), (2, 0.3)]), text(&[(19, 1.0)])],
            groups: vec![1, 2, 3],
        }
    }

    /// The loss, computed as plainly as it is defined.
    fn plain_loss(model: &Model, batch: &Batch, temperature: f64) -> f64 {
        let vector = |features: &[Feature]| -> Vec<f64> {
            let mut sum = vec![0.0; model.dimension];
            for feature in features {
                let row = &model.rows[feature.place as usize / FIELDS];
                let factor =
                    f64::from(feature.weight) * f64::from(row.gains[feature.place as usize % FIELDS]).exp();
                sum.iter_mut().zip(&row.values).for_each(|(sum, value)| *sum += factor * f64::from(*value));
            }
            let norm = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
            sum.into_iter().map(|value| value / norm).collect()
        };
        let questions: Vec<_> = batch.questions.iter().map(|text| vector(text)).collect();
        let codes: Vec<_> = batch.codes.iter().map(|text| vector(text)).collect();
        let near = |a: usize, b: usize| {
            (questions[a].iter().zip(&codes[b]).map(|(a, b)| a * b).sum::<f64>() / temperature).exp()
        };
        let count = questions.len();
        let of = |at: usize| {
            let by_question: f64 = (0..count).map(|other| near(at, other)).sum();
            let by_code: f64 = (0..count).map(|other| near(other, at)).sum();
            -0.5 * ((near(at, at) / by_question).ln() + (near(at, at) / by_code).ln())
        };
        (0..count).map(of).sum::<f64>() / count as f64
    }

    #[test]
    fn the_first_step_goes_against_the_slope_of_the_plain_loss() {
        let new = || Model::new(&[1.0; 5], 8, [1.0, 1.0, 3.0, 1.0, 2.0, 1.0], 1);
        let rate = Rate { step: 1e-3, temperature: 0.1 };
        let (mut stepped, batch) = (new(), batch());
        let loss = stepped.step(&batch, rate);
        let start = new();
        assert!((f64::from(loss) - plain_loss(&start, &batch, 0.1)).abs() < 1e-4);
        // Adam's first step is of one size in each value, against the sign of its slope.
        let mut looked_at = 0;
        for row in 0..5 {
            for at in 0..8 + FIELDS {
                let change = |by: f32| {
                    let mut moved = new();
                    let row = &mut moved.rows[row];
                    if at < 8 {
                        row.values[at] += by
                    } else {
                        row.gains[at - 8] += by
                    }
                    plain_loss(&moved, &batch, 0.1)
                };
                let slope = (change(1e-2) - change(-1e-2)) / 2e-2;
                let (before, after) = (&start.rows[row], &stepped.rows[row]);
                let moved = if at < 8 {
                    after.values[at] - before.values[at]
                } else {
                    after.gains[at - 8] - before.gains[at - 8]
                };
                if slope.abs() > 1e-3 {
                    looked_at += 1;
                    assert!(
                        (f64::from(moved) + 1e-3 * slope.signum()).abs() < 1e-4,
                        "{row} {at}: {slope} {moved}"
                    );
                }
            }
        }
        assert!(looked_at > 20, "{looked_at}");
    }

    #[test]
    fn steps_bring_what_belongs_together() {
        let mut model = Model::new(&[1.0; 5], 8, [1.0; FIELDS], 1);
        let rate = Rate { step: 0.02, temperature: 0.1 };
        let first = model.step(&batch(), rate);
        let last = (0..50).map(|_| model.step(&batch(), rate)).last().unwrap();
        assert!(last < 0.1 * first, "{first} {last}");
    }

    #[test]
    fn equal_questions_are_not_held_against_each_other() {
        let mut batch = batch();
        batch.questions[1] = batch.questions[0].clone();
        let loss = |groups: Vec<u64>, batch: Batch| {
            let rate = Rate { step: 0.0, temperature: 0.1 };
            Model::new(&[1.0; 5], 8, [1.0; FIELDS], 1).step(&Batch { groups, ..batch }, rate)
        };
        let again =
            Batch { questions: batch.questions.clone(), codes: batch.codes.clone(), groups: Vec::new() };
        assert!(loss(vec![1, 1, 3], batch) < loss(vec![1, 2, 3], again));
    }

    #[test]
    fn a_table_is_the_model_in_bytes() {
        let model = Model::new(&[1.0, 2.0, 3.0], 8, [1.0, 1.0, 3.0, 1.0, 2.0, 1.0], 1);
        let words = ["a", "b"].map(str::to_owned);
        let parts = model.table("test", &words, 0.1).unwrap();
        assert_eq!((parts.buckets, parts.rows.len(), parts.scales.len()), (1, 24, 3));
        for (at, row) in model.rows.iter().enumerate() {
            for (value, byte) in row.values.iter().zip(&parts.rows[at * 8..]) {
                assert!((value - f32::from(*byte) * parts.scales[at][0]).abs() <= 0.51 * parts.scales[at][0]);
            }
            assert!((parts.scales[at][2] / parts.scales[at][0] - 3.0).abs() < 1e-4);
        }
    }
}
