//! Nearest neighbors over `u64` keys.
//!
//! An index holds vectors of one dimension, each under a key that means something to the caller, and answers which
//! keys are nearest to a query. What *near* means is the [`Metric`]; whatever it is, a higher score is nearer. This
//! crate knows nothing of text, files or models.
//!
//! # Example
//!
//! ```
//! use ast_core_vector::{AutoIndex, HnswConfig, Metric, SearchOptions, VectorIndex};
//!
//! let mut index = AutoIndex::new(3, Metric::Cosine, HnswConfig::default())?;
//! index.insert(10, &[1.0, 0.0, 0.0])?;
//! index.insert(11, &[0.9, 0.1, 0.0])?;
//! index.insert(12, &[0.0, 0.0, 2.0])?;
//!
//! let nearest = index.search(&[5.0, 0.0, 0.0], &SearchOptions::new(2))?;
//! assert_eq!(nearest.iter().map(|neighbor| neighbor.key).collect::<Vec<_>>(), [10, 11]);
//! assert_eq!(nearest[0].score, 1.0);
//!
//! // The nearest of those that a filter lets pass.
//! let not_ten = |key| key != 10;
//! let nearest = index.search(&[5.0, 0.0, 0.0], &SearchOptions::new(1).with_filter(&not_ten))?;
//! assert_eq!(nearest[0].key, 11);
//!
//! index.remove(11)?;
//! assert!(!index.contains(11));
//! # Ok::<(), ast_core_vector::VectorError>(())
//! ```
//!
//! # The tour
//!
//! [`VectorIndex`] is what every index can do: [`insert`](VectorIndex::insert) and
//! [`insert_many`](VectorIndex::insert_many), [`remove`](VectorIndex::remove), and
//! [`search`](VectorIndex::search) with [`SearchOptions`], which returns [`Neighbor`]s. It can be made into an object.
//!
//! - [`AutoIndex`] is the one to take: it scans while there are few vectors and grows a graph when there are many.
//! - [`Hnsw`] is that graph: approximate, over codes of a byte a value, with removal, replacement and filters.
//! - [`FlatIndex`] scans all vectors at the speed of memory, on all threads of the current rayon pool once there is
//!   enough to scan. It is exact and the yardstick for everything that is not; with codes it is faster and nearly so.
//! - [`ByteIndex`] scans vectors that come as bytes, exactly, and is written to a file as they come by a [`ByteWriter`].
//! - `HnswRsIndex` (feature `hnsw-rs`, on by default) is approximate: the graph of the crate `hnsw_rs`, made safe to
//!   use, as an independent reference.
//!
//! What is kept of each vector is its [`Storage`]: floats, codes, or both. The first three are cloned in next to no time
//! and share what stays: [`Shared`] makes of that an index that many search while one writes.
//!
//! They are also kept in files: `save` writes one, `open` opens it in milliseconds to be searched where it lies and
//! changed in memory, and [`inspect`] reads what it says of itself. [`Hnsw::save`] and [`Hnsw::open`] have the details.
//!
//! What can be wrong is a [`VectorError`]. Vectors are checked when they come in: NaN, infinities, magnitudes whose
//! products overflow, and zeros where a direction is needed are refused, and therefore no score is ever NaN or
//! infinite and no comparison undefined.
//!
//! The inner loops are written for AVX-512, AVX2, NEON and plain Rust, those over codes for VNNI as well; the fastest
//! that the processor has is chosen at run time, and [`kernel_name`] and [`code_kernel_name`] tell which. Results are the same for any number of threads; between processors with
//! different instruction sets the last bits of a score may differ.
//!
//! # Features
//!
//! - `hnsw-rs` (default): `HnswRsIndex`, and with it the crate `hnsw_rs`.
#![deny(missing_docs)]

mod auto;
mod bits;
mod bytes;
mod config;
mod error;
mod file;
mod flat;
mod frontier;
mod half;
mod hnsw;
mod index;
mod kernel;
mod keys;
mod metric;
mod quantize;
#[cfg(feature = "hnsw-rs")]
mod reference;
mod rows;
mod shared;
mod space;
mod step;
mod store;
mod top_k;

#[cfg(feature = "hnsw-rs")]
pub use reference::{HnswRsConfig, HnswRsIndex};
pub use {
    auto::AutoIndex,
    bytes::{ByteIndex, ByteWriter},
    config::{Memory, Storage},
    error::VectorError,
    file::{Expected, Header, Kind, SaveOptions, inspect},
    flat::FlatIndex,
    hnsw::{Hnsw, HnswConfig},
    index::{Filter, Neighbor, SearchOptions, VectorIndex},
    kernel::{code::code_kernel_name, kernel_name},
    metric::Metric,
    shared::Shared,
    space::{MAX_DIMENSION, MAX_MAGNITUDE},
};

/// The example of the README is tested as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
