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
    /// The model behind the embedder cannot be asked at all, or not now: this text is not at fault, and others would fare
    /// no better.
    #[error("the embedder {model} cannot be asked: {reason}")]
    Unavailable {
        /// Its id.
        model: String,
        /// What was tried, and what came of it.
        reason: String,
    },
    /// A setting of an embedder that it cannot have.
    #[error("{setting} {received:?} is not possible; expected {expected}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// As received, but for keys and passwords.
        received: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A file of a model that is missing, damaged or of another model.
    #[error("{} is not a file of this model: {received}; expected {expected}", path.display())]
    ModelFile {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        received: String,
        /// What should be in it.
        expected: String,
    },
}
