//! The encoder of BERT, for one text at a time, on one thread.

use super::files::{Shape, Tensors};
use crate::EmbedError;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

/// Its weights.
pub(super) struct Bert {
    words: Array2<f32>,
    /// Of each position, with the type of a first sentence added: there is no second.
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    norm: Norm,
    heads: usize,
}

/// A matrix, of a row an output, and what is added.
struct Linear {
    weight: Array2<f32>,
    bias: Array1<f32>,
}

/// Brings each row to mean 0 and variance 1, and scales it (Ba, Kiros and Hinton, "Layer Normalization", 2016).
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl Bert {
    pub(super) fn new(shape: &Shape, mut tensors: Tensors<'_>) -> Result<Self, EmbedError> {
        let hidden = shape.hidden_size;
        let words = tensors.matrix("embeddings.word_embeddings.weight", [shape.vocab_size, hidden])?;
        let mut positions = tensors
            .matrix("embeddings.position_embeddings.weight", [shape.max_position_embeddings, hidden])?;
        let types =
            tensors.matrix("embeddings.token_type_embeddings.weight", [shape.type_vocab_size, hidden])?;
        positions += &types.row(0);
        let norm = Norm::new("embeddings.LayerNorm", shape, &mut tensors)?;
        let layers = (0..shape.num_hidden_layers).map(|number| Layer::new(number, shape, &mut tensors));
        Ok(Self { words, positions, norm, layers: layers.collect::<Result<_, _>>()? })
    }

    /// The mean of the last layer over the tokens; `None` if there are none, more than positions, or others than words.
    pub(super) fn mean(&self, tokens: &[u32]) -> Option<Vec<f32>> {
        let places: Vec<usize> = tokens.iter().map(|token| *token as usize).collect();
        let is_known = places.iter().all(|place| *place < self.words.nrows());
        if places.is_empty() || places.len() > self.positions.nrows() || !is_known {
            return None;
        }
        let mut hidden = self.words.select(Axis(0), &places);
        hidden += &self.positions.slice(s![..places.len(), ..]);
        self.norm.apply(&mut hidden);
        for layer in &self.layers {
            hidden = layer.forward(hidden);
        }
        hidden.mean_axis(Axis(0)).map(|mean| mean.to_vec())
    }
}

impl Layer {
    fn new(number: usize, shape: &Shape, tensors: &mut Tensors<'_>) -> Result<Self, EmbedError> {
        let (hidden, wide) = (shape.hidden_size, shape.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let mut linear = |part: &str, to: usize, from: usize| Linear::new(&name(part), to, from, tensors);
        Ok(Self {
            query: linear("attention.self.query", hidden, hidden)?,
            key: linear("attention.self.key", hidden, hidden)?,
            value: linear("attention.self.value", hidden, hidden)?,
            attended: linear("attention.output.dense", hidden, hidden)?,
            wide: linear("intermediate.dense", wide, hidden)?,
            narrow: linear("output.dense", hidden, wide)?,
            attended_norm: Norm::new(&name("attention.output.LayerNorm"), shape, tensors)?,
            norm: Norm::new(&name("output.LayerNorm"), shape, tensors)?,
            heads: shape.num_attention_heads,
        })
    }

    /// Tokens in rows.
    fn forward(&self, hidden: Array2<f32>) -> Array2<f32> {
        let mut query = self.query.forward(&hidden);
        let (key, value) = (self.key.forward(&hidden), self.value.forward(&hidden));
        let of_head = hidden.ncols() / self.heads;
        query *= 1.0 / (of_head as f32).sqrt();
        let mut attended = Array2::zeros(hidden.raw_dim());
        for head in 0..self.heads {
            let part = s![.., head * of_head..(head + 1) * of_head];
            let mut weights = query.slice(part).dot(&key.slice(part).t());
            softmax(&mut weights);
            attended.slice_mut(part).assign(&weights.dot(&value.slice(part)));
        }
        let mut attended = self.attended.forward(&attended) + hidden;
        self.attended_norm.apply(&mut attended);
        let mut wide = self.wide.forward(&attended);
        wide.iter_mut().for_each(|value| *value = gelu(*value));
        let mut hidden = self.narrow.forward(&wide) + attended;
        self.norm.apply(&mut hidden);
        hidden
    }
}

impl Linear {
    fn new(name: &str, to: usize, from: usize, tensors: &mut Tensors<'_>) -> Result<Self, EmbedError> {
        let weight = tensors.matrix(&format!("{name}.weight"), [to, from])?;
        Ok(Self { weight, bias: tensors.vector(&format!("{name}.bias"), to)? })
    }

    fn forward(&self, rows: &Array2<f32>) -> Array2<f32> {
        let weight: ArrayView2<'_, f32> = self.weight.t();
        rows.dot(&weight) + &self.bias
    }
}

impl Norm {
    fn new(name: &str, shape: &Shape, tensors: &mut Tensors<'_>) -> Result<Self, EmbedError> {
        let weight = tensors.vector(&format!("{name}.weight"), shape.hidden_size)?;
        let bias = tensors.vector(&format!("{name}.bias"), shape.hidden_size)?;
        Ok(Self { weight, bias, epsilon: shape.layer_norm_eps as f32 })
    }

    fn apply(&self, rows: &mut Array2<f32>) {
        let size = rows.ncols() as f32;
        for mut row in rows.rows_mut() {
            let mean = row.sum() / size;
            row -= mean;
            let variance = row.dot(&row) / size;
            row *= 1.0 / (variance + self.epsilon).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

/// Makes shares of each row.
fn softmax(rows: &mut Array2<f32>) {
    for mut row in rows.rows_mut() {
        let most = row.fold(f32::NEG_INFINITY, |most, value| most.max(*value));
        row.iter_mut().for_each(|value| *value = exp(*value - most));
        let sum = row.sum();
        row /= sum;
    }
}

/// `x` times the share of the normal distribution below it (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
///
/// The error function is by formula 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), and off by
/// 1.5e-7 at most.
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let sum =
        t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let erf = (1.0 - sum * exp(-z * z)).copysign(x);
    0.5 * x * (1.0 + erf)
}

/// e to the power of a number up to 88, to 2e-7 of it; without a call or a branch, so that several are done at a time.
///
/// The number is split into a whole power of 2 and a rest of at most ln 2 / 2, of which the series is taken.
fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves no room for a fraction.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let power = x * std::f32::consts::LOG2_E + ROUND - ROUND;
    // ln 2 in two parts, of which the first has few enough bits for an exact product.
    let rest = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let series = 1.0 / 120.0 + rest * (1.0 / 720.0 + rest * (1.0 / 5040.0));
    let series = 0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * series));
    let of_rest = 1.0 + rest * (1.0 + rest * series);
    of_rest * f32::from_bits(((power as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The share of the normal distribution between 0 and `x`, by its Taylor series.
    fn share(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200_u32 {
            term *= -x * x / 2.0 / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    proptest! {
        #[test]
        fn powers_are_those_of_the_library(x in -87.0f32..88.0) {
            let expected = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) / expected - 1.0).abs() < 3e-7, "{} {}", exp(x), expected);
        }

        #[test]
        fn gelu_is_that_of_the_definition(x in -5.0f32..5.0) {
            let expected = f64::from(x) * (0.5 + share(f64::from(x)));
            prop_assert!((f64::from(gelu(x)) - expected).abs() < 2e-6, "{} {}", gelu(x), expected);
        }

        #[test]
        fn shares_add_up(values in proptest::collection::vec(-1e3f32..1e3, 1..40)) {
            let mut rows = Array2::from_shape_vec((1, values.len()), values).unwrap();
            softmax(&mut rows);
            prop_assert!((rows.sum() - 1.0).abs() < 1e-5 && rows.iter().all(|value| *value >= 0.0));
        }
    }

    #[test]
    fn far_out_it_is_the_number_or_nothing() {
        assert_eq!((gelu(0.0), gelu(40.0)), (0.0, 40.0));
        assert!(gelu(-40.0).abs() < 1e-6);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e30) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37);
    }
}
