//! The sentence transformer all-MiniLM-L6-v2, run on this machine.

mod bert;
mod files;

use crate::text::{key_of, text_of};
use crate::{EmbedError, EmbedInput, Embedder, ModelInfo};
use ast_core_model::ContentHash;
use bert::Bert;
use files::ModelFiles;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use tokenizers::Tokenizer;

/// Tokens of a text that are read; the model was trained on no more.
const MAX_TOKENS: usize = 256;

/// Where the files of a model are, and how many threads it may take.
#[derive(Debug, Clone)]
pub struct MiniLmConfig {
    /// The folder with `config.json`, `tokenizer.json` and `model.safetensors`.
    pub folder: PathBuf,
    /// Threads that it computes on, however many call it. Default: `None`, one a processor.
    pub threads: Option<NonZeroUsize>,
}

impl MiniLmConfig {
    /// The model in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), threads: None }
    }
}

/// Embeds texts with all-MiniLM-L6-v2, or another model of its architecture: BERT (Devlin et al., "BERT: Pre-training of Deep
/// Bidirectional Transformers for Language Understanding", 2019), whose last layer is averaged over the tokens of a text and
/// brought to length 1 (Reimers and Gurevych, "Sentence-BERT", 2019; Wang et al., "MiniLM", 2020). Of a text longer than 256
/// tokens the beginning is read.
///
/// Weights are read from a folder and never fetched. The id has a hash of them, so that vectors of two models never mix. Each
/// text is computed by itself, so its vector does not depend on what is embedded with it.
pub struct MiniLmEmbedder {
    model: ModelInfo,
    bert: Bert,
    tokenizer: Tokenizer,
    threads: ThreadPool,
}

impl MiniLmEmbedder {
    /// Reads the model: some 90 MB, in a fraction of a second.
    ///
    /// # Errors
    /// [`EmbedError::ModelFile`] for a file that is missing, damaged, or not of such a model; [`EmbedError::Unavailable`] if
    /// there are no threads to be had.
    pub fn open(config: &MiniLmConfig) -> Result<Self, EmbedError> {
        let ModelFiles { hash, shape, tokenizer, bert } = ModelFiles::read(&config.folder, MAX_TOKENS)?;
        let hash = hash.to_string();
        let model = ModelInfo {
            id: format!("minilm-{}-{}", shape.hidden_size, hash.get(..16).unwrap_or(&hash)),
            dimension: shape.hidden_size,
            description: "sentence transformer, mean of its tokens".to_owned(),
        };
        let threads = ThreadPoolBuilder::new()
            .num_threads(config.threads.map_or(0, NonZeroUsize::get))
            .thread_name(|number| format!("minilm-{number}"))
            .build()
            .map_err(|error| EmbedError::Unavailable {
                model: model.id.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self { model, bert, tokenizer, threads })
    }

    fn failed(&self, reason: impl fmt::Display) -> EmbedError {
        EmbedError::Model { model: self.model.id.clone(), reason: reason.to_string() }
    }

    fn vector(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let tokens = self.tokenizer.encode_fast(text, true).map_err(|error| self.failed(error))?;
        if tokens.get_ids().is_empty() {
            return Ok(vec![0.0; self.model.dimension]);
        }
        let mean = self.bert.mean(tokens.get_ids());
        let mut vector = mean.ok_or_else(|| self.failed("its tokenizer gives what it has no weights for"))?;
        crate::feature_hash::normalize(&mut vector);
        Ok(vector)
    }
}

impl fmt::Debug for MiniLmEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniLmEmbedder").field("model", &self.model).finish_non_exhaustive()
    }
}

impl Embedder for MiniLmEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn noise_floor(&self) -> f32 {
        0.0
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let made: Result<Vec<Vec<f32>>, EmbedError> = self.threads.install(|| {
            let texts = inputs.par_iter().with_max_len(1);
            texts.map(|input| self.vector(&text_of(input))).collect()
        });
        vectors.extend(made?.into_iter().flatten());
        Ok(())
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn cache_key(&self, input: &EmbedInput<'_>) -> ContentHash {
        key_of(input)
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        self.threads.install(|| self.vector(query))
    }
}
