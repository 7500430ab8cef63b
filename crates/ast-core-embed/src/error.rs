//! What can go wrong with an embedder.

/// Why texts could not be embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A dimension that an embedder cannot have.
    #[error("a dimension of {received} is not possible; expected {minimum} to {maximum}")]
    Dimension {
        /// As received.
        received: usize,
        /// The smallest possible.
        minimum: usize,
        /// The largest possible.
        maximum: usize,
    },
    /// The file of a static embedder that is none, or is damaged.
    #[error("this is not the table of a static embedder: {reason}; train it anew or take another copy")]
    Table {
        /// What is wrong with it.
        reason: String,
    },
    /// The model behind the embedder failed.
    #[error("the embedder {model} failed: {reason}")]
    Model {
        /// Its id.
        model: String,
        /// What it says.
        reason: String,
    },
}
