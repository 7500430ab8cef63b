//! The files of a model: read, and held to what they should have.

use super::bert::Bert;
use crate::EmbedError;
use ast_core_model::ContentHash;
use ndarray::{Array1, Array2};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use tokenizers::{Tokenizer, TruncationParams};

/// The most of any one size of a model: no sentence transformer has more.
const MAX_SIZE: usize = 1 << 20;

/// What `config.json` says of the shape of a model.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shape {
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    hidden_act: Option<String>,
    #[serde(default)]
    position_embedding_type: Option<String>,
    pub(super) vocab_size: usize,
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) intermediate_size: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) type_vocab_size: usize,
    pub(super) layer_norm_eps: f64,
}

impl Shape {
    /// What it should be, if it is not.
    fn wrong(&self) -> Option<String> {
        let is_not =
            |value: &Option<String>, expected: &str| value.as_ref().is_some_and(|value| value != expected);
        if is_not(&self.model_type, "bert") {
            return Some("model_type \"bert\"".into());
        }
        if is_not(&self.hidden_act, "gelu") {
            return Some("hidden_act \"gelu\"".into());
        }
        if is_not(&self.position_embedding_type, "absolute") {
            return Some("position_embedding_type \"absolute\"".into());
        }
        let sizes = [
            self.vocab_size,
            self.hidden_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.intermediate_size,
            self.max_position_embeddings,
            self.type_vocab_size,
        ];
        if sizes.iter().any(|size| !(1..=MAX_SIZE).contains(size)) {
            return Some(format!("sizes from 1 to {MAX_SIZE}"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Some("a hidden_size that num_attention_heads divides".into());
        }
        let is_small = self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0;
        (!is_small).then(|| "a layer_norm_eps between 0 and 1".into())
    }
}

/// Those of a folder.
pub(super) struct ModelFiles {
    /// Of all of them.
    pub(super) hash: ContentHash,
    pub(super) shape: Shape,
    pub(super) tokenizer: Tokenizer,
    pub(super) bert: Bert,
}

/// The tensors of a file, by name.
pub(super) struct Tensors<'a> {
    path: &'a Path,
    /// What is before each name, in files of a model with a head.
    prefix: &'static str,
    header: HashMap<String, Entry>,
    numbers: &'a [u8],
}

/// What the header of a file says of a tensor.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl ModelFiles {
    /// Reads a folder. Texts will be cut at `max_tokens`, or where the model has no more positions.
    pub(super) fn read(folder: &Path, max_tokens: usize) -> Result<Self, EmbedError> {
        let [config, words, weights] =
            ["config.json", "tokenizer.json", "model.safetensors"].map(|name| folder.join(name));
        let (of_config, config_bytes) = (&config, read(&config, "the shape of a model of the type bert")?);
        let words_bytes = read(&words, "a tokenizer as the library tokenizers writes it")?;
        let weight_bytes = read(&weights, "weights as safetensors")?;

        let shape: Shape = serde_json::from_slice(&config_bytes)
            .map_err(|error| wrong(of_config, error, "the shape of a model of the type bert"))?;
        if let Some(expected) = shape.wrong() {
            return Err(wrong(of_config, "it is of another model", expected));
        }
        let mut tokenizer = Tokenizer::from_bytes(&words_bytes)
            .map_err(|error| wrong(&words, error, "a tokenizer as the library tokenizers writes it"))?;
        let tokens = tokenizer.get_vocab_size(true);
        if tokens > shape.vocab_size {
            let expected = format!("at most {}, as config.json has it", shape.vocab_size);
            return Err(wrong(&words, format!("{tokens} tokens"), expected));
        }
        let max_length = max_tokens.min(shape.max_position_embeddings);
        tokenizer
            .with_truncation(Some(TruncationParams { max_length, ..TruncationParams::default() }))
            .map_err(|error| wrong(&words, error, "a tokenizer that can cut texts"))?;
        tokenizer.with_padding(None);

        let bert = Bert::new(&shape, Tensors::read(&weights, &weight_bytes)?)?;
        let hashes = [&config_bytes, &words_bytes, &weight_bytes].map(|bytes| ContentHash::of(bytes));
        let all: Vec<u8> = hashes.iter().flat_map(|hash| hash.as_bytes().iter().copied()).collect();
        Ok(Self { hash: ContentHash::of(&all), shape, tokenizer, bert })
    }
}

impl<'a> Tensors<'a> {
    /// The format safetensors: the length of a JSON header in 8 bytes, the header, and numbers in little-endian order.
    fn read(path: &'a Path, bytes: &'a [u8]) -> Result<Self, EmbedError> {
        const EXPECTED: &str = "weights as safetensors";
        let cut = || wrong(path, "it is cut short", EXPECTED);
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (header, numbers) = rest.split_at_checked(length).ok_or_else(cut)?;
        let mut header: HashMap<String, serde_json::Value> =
            serde_json::from_slice(header).map_err(|error| wrong(path, error, EXPECTED))?;
        header.remove("__metadata__");
        let entry = |(name, value): (String, serde_json::Value)| Ok((name, serde_json::from_value(value)?));
        let header: Result<HashMap<String, Entry>, serde_json::Error> =
            header.into_iter().map(entry).collect();
        let header = header.map_err(|error| wrong(path, error, EXPECTED))?;
        if header.values().any(|entry| entry.data_offsets[1] > numbers.len()) {
            return Err(cut());
        }
        let has_prefix = header.contains_key("bert.embeddings.word_embeddings.weight");
        Ok(Self { path, prefix: if has_prefix { "bert." } else { "" }, header, numbers })
    }

    /// The matrix of a name, if it is of this many rows and columns.
    pub(super) fn matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<Array2<f32>, EmbedError> {
        let numbers = self.take(name, &shape)?;
        Array2::from_shape_vec(shape, numbers).map_err(|error| wrong(self.path, error, format!("{shape:?}")))
    }

    /// The vector of a name, if it is of this size.
    pub(super) fn vector(&mut self, name: &str, size: usize) -> Result<Array1<f32>, EmbedError> {
        Ok(self.take(name, &[size])?.into())
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbedError> {
        let name = format!("{}{name}", self.prefix);
        let expected = || format!("a tensor {name} of {shape:?} numbers of the type F32");
        let Some(entry) = self.header.remove(&name) else {
            return Err(wrong(self.path, "there is none of that name", expected()));
        };
        let [begin, end] = entry.data_offsets;
        let bytes = self.numbers.get(begin..end).unwrap_or_default();
        // No more than the bytes that there are.
        let needed = shape.iter().try_fold(4_usize, |bytes, size| bytes.checked_mul(*size));
        if entry.shape != shape || entry.dtype != "F32" || needed != Some(bytes.len()) {
            let received =
                format!("it is of {:?} of the type {} in {} bytes", entry.shape, entry.dtype, bytes.len());
            return Err(wrong(self.path, received, expected()));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }
}

fn read(path: &Path, expected: &str) -> Result<Vec<u8>, EmbedError> {
    std::fs::read(path).map_err(|error| wrong(path, error, expected))
}

fn wrong(path: &Path, received: impl std::fmt::Display, expected: impl Into<String>) -> EmbedError {
    EmbedError::ModelFile { path: path.to_owned(), received: received.to_string(), expected: expected.into() }
}
