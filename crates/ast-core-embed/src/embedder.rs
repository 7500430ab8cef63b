//! The trait.

use crate::EmbedError;
use ast_core_model::ContentHash;

/// What an embedder is; a store keeps it and refuses vectors of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Names the model and its version: two embedders of the same id give the same vectors for the same text.
    pub id: String,
    /// The number of values of a vector.
    pub dimension: usize,
    /// What it is, in one line for people.
    pub description: String,
}

/// A piece of code to be embedded.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbedInput<'a> {
    /// The names it defines, separated by spaces.
    pub name: &'a str,
    /// Where it is: the path of its file and the names round it, separated by spaces.
    pub path: &'a str,
    /// Its documentation, if that is not in `code`.
    pub doc: &'a str,
    /// Its text.
    pub code: &'a str,
}

/// Turns text into vectors that are near each other where the texts are alike.
///
/// Vectors are of length 1, to be compared by cosine, but for a text that the embedder finds nothing in: its vector
/// is all zeros. The same input gives the same vector, on any thread.
pub trait Embedder: Send + Sync {
    /// What it is.
    fn model(&self) -> &ModelInfo;

    /// The cosine up to which two vectors may be alike by chance, among millions: a match below it says nothing.
    fn noise_floor(&self) -> f32;

    /// Appends the vectors of the inputs to `vectors`, one after the other: inputs x dimension values.
    ///
    /// # Errors
    /// [`EmbedError::Model`] if it is about these inputs, [`EmbedError::Unavailable`] if others would fare no better;
    /// `vectors` is as it was then.
    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError>;

    /// Whether a vector takes so long that it is worth keeping for the next time: longer than looking it up, which takes
    /// some 20 us. The vectors of one that is not costly are made again where they are needed. Default: no.
    fn is_costly(&self) -> bool {
        false
    }

    /// Names what the vector of an input is made of: inputs of one key have the same vector, whatever file, branch or
    /// tree they are in. Only asked of one that [is costly](Self::is_costly). Default: the hash of all of the input. An
    /// embedder that does not read the path should leave it out, and then code that moves is not embedded again.
    fn cache_key(&self, input: &EmbedInput<'_>) -> ContentHash {
        let EmbedInput { name, path, doc, code } = input;
        let mut all = Vec::with_capacity(name.len() + path.len() + doc.len() + code.len() + 32);
        for part in [name, path, doc, code] {
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part.as_bytes());
        }
        ContentHash::of(&all)
    }

    /// How many calls are worth having under way at a time, if that is more than there are processors: of one that waits
    /// for somebody else. Default: 1.
    fn parallel_calls(&self) -> usize {
        1
    }

    /// The vector of what somebody is looking for.
    ///
    /// # Errors
    /// As of [`embed`](Self::embed).
    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError>;
}
