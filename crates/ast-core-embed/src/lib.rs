//! Texts of code to vectors.
//!
//! An [`Embedder`] turns a piece of code, or a question, into a vector; texts that are alike get vectors that are
//! near each other by cosine. [`FeatureHashEmbedder`] is the one that is always there: it needs no model and no
//! network, and finds texts that share words.
//!
//! ```
//! use ast_core_embed::{EmbedInput, Embedder, FeatureHashEmbedder};
//!
//! let embedder = FeatureHashEmbedder::default();
//! let code = [
//!     EmbedInput { name: "parseHeader", code: "function parseHeader(line) { return line.split(':') }", ..Default::default() },
//!     EmbedInput { name: "area", code: "function area(circle) { return circle.r ** 2 * Math.PI }", ..Default::default() },
//! ];
//! let mut vectors = Vec::new();
//! embedder.embed(&code, &mut vectors)?;
//!
//! let question = embedder.embed_query("where is a header line parsed")?;
//! let near = |at: usize| vectors[256 * at..][..256].iter().zip(&question).map(|(a, b)| a * b).sum::<f32>();
//! assert!(near(0) > near(1));
//! # Ok::<(), ast_core_embed::EmbedError>(())
//! ```
#![deny(missing_docs)]

mod embedder;
mod error;
mod feature_hash;

pub use embedder::{EmbedInput, Embedder, ModelInfo};
pub use error::EmbedError;
pub use feature_hash::FeatureHashEmbedder;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
