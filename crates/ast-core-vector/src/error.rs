//! What can be wrong with a vector, a query or a configuration.

use std::{io::ErrorKind, path::PathBuf};

use crate::space::MAX_DIMENSION;

/// An error of this crate. Whatever call returns one has changed nothing, unless the variant says otherwise.
///
/// Where a variant names a key, `None` stands for the query of a search.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// A vector has another length than those of the index.
    #[error(
        "{} has dimension {received}, but the index holds vectors of dimension {expected}; \
         both must come from the same embedding model",
        subject(.key)
    )]
    DimensionMismatch {
        /// Key of the vector, or `None` for a query.
        key: Option<u64>,
        /// Dimension of the index.
        expected: usize,
        /// Length of the vector that was given.
        received: usize,
    },

    /// A vector holds a NaN or an infinity.
    #[error("{} holds a value at position {position} that is not a finite number", subject(.key))]
    NonFinite {
        /// Key of the vector, or `None` for a query.
        key: Option<u64>,
        /// Position of the first such value, from 0.
        position: usize,
    },

    /// A vector holds a value so large that a sum of products could overflow. Cosine vectors, which are normalised,
    /// have no such limit.
    #[error(
        "{} holds {received:e} at position {position}, beyond the magnitude of {limit:e} up to which the index can keep \
         and score it; scale the vectors down",
        subject(.key)
    )]
    OutOfRange {
        /// Key of the vector, or `None` for a query.
        key: Option<u64>,
        /// Position of the first such value, from 0.
        position: usize,
        /// The value.
        received: f32,
        /// The largest magnitude: [`MAX_MAGNITUDE`](crate::MAX_MAGNITUDE), or that of floats of 16 bits if the index
        /// keeps those.
        limit: f32,
    },

    /// A vector of zeros was given to an index of the cosine metric, in which it has no direction.
    #[error("{} is all zeros, which has no direction to compare by cosine; leave it out", subject(.key))]
    ZeroVector {
        /// Key of the vector, or `None` for a query.
        key: Option<u64>,
    },

    /// An index cannot have this dimension.
    #[error("an index cannot have dimension {received}; expected 1..={MAX_DIMENSION}")]
    InvalidDimension {
        /// The dimension that was given.
        received: usize,
    },

    /// A setting is out of its range.
    #[error("{setting} is {received}; expected {expected}")]
    InvalidConfig {
        /// Name of the setting.
        setting: &'static str,
        /// The values that it can have.
        expected: &'static str,
        /// The value that was given.
        received: String,
    },

    /// The keys and the values of a bulk load do not fit each other.
    #[error(
        "{keys} vectors of dimension {dimension} are {} values, but received {received}",
        keys.saturating_mul(*.dimension)
    )]
    BatchLength {
        /// Number of keys.
        keys: usize,
        /// Dimension of the index.
        dimension: usize,
        /// Number of values that were given.
        received: usize,
    },

    /// Storage for this many vectors cannot be had.
    #[error("cannot allocate storage for {vectors} vectors of dimension {dimension}; split the index")]
    Capacity {
        /// Number of vectors the index would hold.
        vectors: usize,
        /// Dimension of the index.
        dimension: usize,
    },

    /// A file cannot be read or written.
    #[error("cannot {action} {}: {message}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// What kind of failure it is: [`NotFound`](ErrorKind::NotFound) if there is no such file,
        /// [`StorageFull`](ErrorKind::StorageFull) if there is no room for it.
        kind: ErrorKind,
        /// The error of the operating system.
        message: String,
    },

    /// A file is not an index, or one in a format that this version does not know.
    #[error(
        "{} is not an index that this version can read: expected {expected}, received {received}; build the index \
         anew and save it",
        .path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        received: String,
    },

    /// A file is not as it was saved: cut short, or with other bytes.
    ///
    /// Of a large file that shows when the damaged part is needed. The search or change that needs it, and every one
    /// after it, is then refused, and the index is of no use any more.
    #[error(
        "{} is damaged in {part}: expected {expected}, received {received}; build the index anew and save it",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The part of the file that is damaged.
        part: &'static str,
        /// What should be there.
        expected: String,
        /// What is there.
        received: String,
    },

    /// A file is an index, but not of the vectors, or not with the settings, that were asked for.
    #[error(
        "{} has {setting} {received}, but {expected} was asked for; build the index anew and save it",
        .path.display()
    )]
    OtherIndex {
        /// The file.
        path: PathBuf,
        /// In what it differs.
        setting: &'static str,
        /// What was asked for.
        expected: String,
        /// What the file has.
        received: String,
    },
}

/// Names the vector that an error is about.
fn subject(key: &Option<u64>) -> String {
    match key {
        Some(key) => format!("the vector of key {key}"),
        None => "the query".to_owned(),
    }
}
