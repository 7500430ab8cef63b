//! What every index does: the trait, and what goes into a search and comes out of it.

use std::{cmp::Ordering, fmt};

use rayon::prelude::*;

use crate::{Metric, VectorError};

/// Vectors of one dimension under `u64` keys, and the nearest of them to a query.
///
/// An index is written by one and searched by many: [`search`](Self::search) takes `&self`, whatever changes it takes
/// `&mut self`. A call that returns an error has changed nothing, but for [`Damaged`](VectorError::Damaged), which any
/// call can return for an index that was opened from a file, and after which it is of no use any more. No call panics on what a vector, a key or an option
/// holds, and no score that comes out is NaN or infinite.
pub trait VectorIndex: Send + Sync {
    /// The number of values in every vector.
    fn dimension(&self) -> usize;

    /// How vectors are compared.
    fn metric(&self) -> Metric;

    /// The number of keys.
    fn len(&self) -> usize;

    /// Whether there is no key.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the key is held.
    fn contains(&self, key: u64) -> bool;

    /// Stores a vector under a key, in place of the one that it has.
    ///
    /// # Errors
    ///
    /// [`DimensionMismatch`](VectorError::DimensionMismatch), [`NonFinite`](VectorError::NonFinite),
    /// [`OutOfRange`](VectorError::OutOfRange) or, for cosine, [`ZeroVector`](VectorError::ZeroVector) if the vector
    /// cannot be compared; [`Capacity`](VectorError::Capacity) if there is no room.
    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError>;

    /// Stores many vectors, which lie behind each other in `vectors` in the order of `keys`. Of a key that occurs
    /// more than once the last vector stays.
    ///
    /// All of them are checked before the first is stored.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert), and [`BatchLength`](VectorError::BatchLength) if `vectors` is not one vector a key.
    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError>;

    /// Makes room for `additional` vectors at once, so that storing them moves nothing.
    ///
    /// # Errors
    ///
    /// [`Capacity`](VectorError::Capacity) if there is no room.
    fn reserve(&mut self, additional: usize) -> Result<(), VectorError>;

    /// Removes a key: from now on no search returns it. Says whether it was held.
    ///
    /// # Errors
    ///
    /// Those of a backend that has to reorganise itself. [`FlatIndex`](crate::FlatIndex) in memory has none.
    fn remove(&mut self, key: u64) -> Result<bool, VectorError>;

    /// Removes all keys and gives their memory back.
    fn clear(&mut self);

    /// The nearest neighbors of a query, as [`SearchOptions`] ask for them: the highest score first, and among equal
    /// scores the lowest key.
    ///
    /// An approximate index may miss a near key and return a farther one, but it returns as many as an exact one: `k`
    /// if that many keys pass the filter, less those below the threshold. For the same sequence of calls the result
    /// is the same, however many threads there are.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert) for a query that cannot be compared, and
    /// [`InvalidConfig`](VectorError::InvalidConfig) for a threshold that is NaN.
    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError>;

    /// What [`search`](Self::search) returns for each of many queries, which lie behind each other in `queries`; on all
    /// threads of the rayon pool that the caller is in.
    ///
    /// # Errors
    ///
    /// As `search` for any of the queries; a last one that is too short has another dimension.
    fn search_many(
        &self,
        queries: &[f32],
        options: &SearchOptions<'_>,
    ) -> Result<Vec<Vec<Neighbor>>, VectorError> {
        queries.par_chunks(self.dimension()).map(|query| self.search(query, options)).collect()
    }
}

/// A key that a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// The key that the vector was stored under.
    pub key: u64,
    /// Its score for the query: higher is nearer. What it measures is the [`Metric`]'s matter.
    pub score: f32,
}

impl Neighbor {
    /// The order of results: the higher score, then the lower key, is less.
    pub(crate) fn rank(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.key.cmp(&other.key))
    }
}

/// Which keys a search may return. It must answer the same whenever it is asked about the same key, and may be asked
/// from several threads at once.
pub type Filter<'a> = &'a (dyn Fn(u64) -> bool + Sync);

/// What a search is to return.
///
/// ```
/// use ast_core_vector::SearchOptions;
///
/// let even = |key| key % 2 == 0;
/// let options = SearchOptions::new(5).with_threshold(0.3).with_filter(&even);
/// assert_eq!(options.k, 5);
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SearchOptions<'a> {
    /// The most neighbors to return; 10 by default. 0 returns none, and more than there are returns all.
    pub k: usize,
    /// The lowest score to return, in the terms of the [`Metric`]; by default any.
    pub threshold: Option<f32>,
    /// How many candidates an approximate index looks at: more find more of the true neighbors and take longer.
    /// By default that of the index's configuration. It counts as at least `k`. [`FlatIndex`](crate::FlatIndex) ignores it, and
    /// [`ByteIndex`](crate::ByteIndex) is exact without it.
    pub ef: Option<usize>,
    /// Which keys may be returned; by default all. An index asks as often as it takes to answer: exact indexes once a
    /// key, approximate ones mostly for less than all keys, and for a few of them twice.
    pub filter: Option<Filter<'a>>,
    /// The keys that may be returned, where they are known one by one; those that are not held do no harm. A search
    /// among few keys takes the time of comparing with those alone. With a filter, only what passes both.
    pub keys: Option<&'a [u64]>,
}

impl<'a> SearchOptions<'a> {
    /// The nearest `k`.
    pub fn new(k: usize) -> Self {
        Self { k, ..Self::default() }
    }

    /// Only scores of at least `threshold`.
    pub fn with_threshold(self, threshold: f32) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// With `ef` candidates in an approximate index.
    pub fn with_ef(self, ef: usize) -> Self {
        Self { ef: Some(ef), ..self }
    }

    /// Only keys that pass `filter`.
    pub fn with_filter(self, filter: Filter<'a>) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// Only these keys.
    pub fn with_keys(self, keys: &'a [u64]) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Refuses a threshold that nothing compares to.
    pub(crate) fn check(&self) -> Result<(), VectorError> {
        match self.threshold {
            Some(threshold) if threshold.is_nan() => Err(VectorError::InvalidConfig {
                setting: "threshold",
                expected: "a number",
                received: threshold.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

impl Default for SearchOptions<'_> {
    fn default() -> Self {
        Self { k: 10, threshold: None, ef: None, filter: None, keys: None }
    }
}

impl fmt::Debug for SearchOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchOptions")
            .field("k", &self.k)
            .field("threshold", &self.threshold)
            .field("ef", &self.ef)
            .field("filter", &self.filter.map(|_| "Fn(u64) -> bool"))
            .field("keys", &self.keys.map(<[u64]>::len))
            .finish()
    }
}
