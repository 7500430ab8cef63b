//! The encoder of BERT, for one text at a time.

use super::files::{Shape, Tensors};
use crate::EmbedError;
use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use candle_nn::{LayerNorm, Linear, Module};

/// Its weights.
pub(super) struct Bert {
    words: Tensor,
    /// Of each position, with the type of a first sentence added: there is no second.
    positions: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    wide: Linear,
    narrow: Linear,
    norm: LayerNorm,
    heads: usize,
}

impl Bert {
    pub(super) fn new(shape: &Shape, mut tensors: Tensors) -> std::result::Result<Self, EmbedError> {
        let hidden = shape.hidden_size;
        let words = tensors.take("embeddings.word_embeddings.weight", &[shape.vocab_size, hidden])?;
        let positions = tensors
            .take("embeddings.position_embeddings.weight", &[shape.max_position_embeddings, hidden])?;
        let types =
            tensors.take("embeddings.token_type_embeddings.weight", &[shape.type_vocab_size, hidden])?;
        let positions = types.narrow(0, 0, 1).and_then(|first| positions.broadcast_add(&first));
        let positions = positions
            .map_err(|error| EmbedError::Model { model: "minilm".to_owned(), reason: error.to_string() })?;
        let norm = norm(&mut tensors, "embeddings.LayerNorm", shape)?;
        let layers = (0..shape.num_hidden_layers).map(|number| Layer::new(number, shape, &mut tensors));
        Ok(Self { words, positions, norm, layers: layers.collect::<std::result::Result<_, _>>()? })
    }

    /// The mean of the last layer over the tokens, of which there is at least one and no more than positions.
    pub(super) fn mean(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        let count = tokens.len();
        let tokens = Tensor::from_slice(tokens, count, &Device::Cpu)?;
        let words = self.words.index_select(&tokens, 0)?;
        let mut hidden = self.norm.forward(&(words + self.positions.narrow(0, 0, count)?)?)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden)?;
        }
        hidden.mean(0)?.to_vec1()
    }
}

impl Layer {
    fn new(number: usize, shape: &Shape, tensors: &mut Tensors) -> std::result::Result<Self, EmbedError> {
        let (hidden, wide) = (shape.hidden_size, shape.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let mut linear = |part: &str, to: usize, from: usize| {
            let weight = tensors.take(&format!("{}.weight", name(part)), &[to, from])?;
            let bias = tensors.take(&format!("{}.bias", name(part)), &[to])?;
            Ok::<_, EmbedError>(Linear::new(weight, Some(bias)))
        };
        let query = linear("attention.self.query", hidden, hidden)?;
        let key = linear("attention.self.key", hidden, hidden)?;
        let value = linear("attention.self.value", hidden, hidden)?;
        let attended = linear("attention.output.dense", hidden, hidden)?;
        let widening = linear("intermediate.dense", wide, hidden)?;
        let narrow = linear("output.dense", hidden, wide)?;
        Ok(Self {
            query,
            key,
            value,
            attended,
            attended_norm: norm(tensors, &name("attention.output.LayerNorm"), shape)?,
            wide: widening,
            narrow,
            norm: norm(tensors, &name("output.LayerNorm"), shape)?,
            heads: shape.num_attention_heads,
        })
    }

    /// Tokens in rows.
    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        let (count, size) = hidden.dims2()?;
        let of_head = size / self.heads;
        let by_head = |linear: &Linear| {
            linear.forward(hidden)?.reshape((count, self.heads, of_head))?.transpose(0, 1)?.contiguous()
        };
        let scale = 1.0 / (of_head as f64).sqrt();
        let query = (by_head(&self.query)? * scale)?;
        let weights =
            softmax_last_dim(&query.matmul(&by_head(&self.key)?.transpose(D::Minus1, D::Minus2)?)?)?;
        let attended = weights.matmul(&by_head(&self.value)?)?;
        let attended = attended.transpose(0, 1)?.contiguous()?.reshape((count, size))?;
        let attended = self.attended_norm.forward(&(self.attended.forward(&attended)? + hidden)?)?;
        let wide = self.wide.forward(&attended)?.gelu_erf()?;
        self.norm.forward(&(self.narrow.forward(&wide)? + attended)?)
    }
}

fn norm(tensors: &mut Tensors, name: &str, shape: &Shape) -> std::result::Result<LayerNorm, EmbedError> {
    let weight = tensors.take(&format!("{name}.weight"), &[shape.hidden_size])?;
    let bias = tensors.take(&format!("{name}.bias"), &[shape.hidden_size])?;
    Ok(LayerNorm::new(weight, bias, shape.layer_norm_eps))
}
