//! Indexes in files: what is said when one is saved or opened, and what a file says of itself.
//!
//! [`format`](mod@format) has the header and the table of sections, [`writer`] and [`reader`] what goes behind them.
//! What of an index goes into which section is the matter of the index.

mod format;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;

pub use self::format::Kind;
pub(crate) use self::{
    format::{Part, State},
    reader::{IndexFile, Reader},
    writer::{RowsSection, Writer},
};
use crate::{HnswConfig, Metric, Storage, VectorError};

/// What a file says of the index in it besides what the index knows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveOptions<'a> {
    /// The state of the data that the index was made from, by a number of the caller: whoever opens the file compares
    /// it with the state that the data have by then. Nothing here depends on it.
    pub generation: u64,
    /// The embedding model that the vectors are of, at most 1024 bytes. Whoever opens the file has to name the same.
    pub model: &'a str,
}

/// The vectors that an index to be opened must be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The number of values in every vector.
    pub dimension: usize,
    /// How vectors are compared.
    pub metric: Metric,
    /// The embedding model: [`SaveOptions::model`].
    pub model: &'a str,
}

/// What a file says of the index in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format.
    pub version: u32,
    /// Which index it is.
    pub kind: Kind,
    /// The number of values in every vector.
    pub dimension: usize,
    /// How vectors are compared.
    pub metric: Metric,
    /// What is kept of each vector.
    pub storage: Storage,
    /// The number of keys.
    pub len: usize,
    /// [`SaveOptions::generation`].
    pub generation: u64,
    /// [`SaveOptions::model`].
    pub model: String,
    /// The settings of the graph, if there can be one.
    pub config: Option<HnswConfig>,
}

/// Reads what a file says of the index in it, and nothing else.
///
/// ```
/// use ast_core_vector::{FlatIndex, Metric, SaveOptions, VectorIndex, inspect};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("vectors");
/// let mut index = FlatIndex::new(2, Metric::Dot)?;
/// index.insert(1, &[0.5, 2.0])?;
/// index.save(&path, &SaveOptions { generation: 17, model: "minilm" })?;
///
/// let header = inspect(&path)?;
/// assert_eq!((header.generation, header.model.as_str(), header.len), (17, "minilm", 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Io`](VectorError::Io), [`UnknownFormat`](VectorError::UnknownFormat), or [`Damaged`](VectorError::Damaged) if the
/// header is, or the file has not the length that it should have.
pub fn inspect(path: impl AsRef<Path>) -> Result<Header, VectorError> {
    reader::read_header(path.as_ref()).map(|(_, header)| header.public)
}
