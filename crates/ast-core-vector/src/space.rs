//! The vector space of an index: what a vector must be to live in it, and how two of its vectors compare.

use crate::{Metric, Storage, VectorError, half, kernel::Kernel};

/// The largest dimension of an index. Embedding models in use stay below 10,000.
pub const MAX_DIMENSION: usize = 65_536;

/// The largest magnitude of a value under [`Metric::Dot`] and [`Metric::Euclidean`]: 2^54.
///
/// With it the square of a difference is at most 2^110 and the sum of [`MAX_DIMENSION`] of them at most 2^126, which
/// an `f32` still holds: no score can overflow, and so none can become infinite or NaN.
pub const MAX_MAGNITUDE: f32 = (1_u64 << 54) as f32;

/// Rows are padded with zeros to a multiple of this many values: a cache line, and the widest register.
pub(crate) const ROW_ALIGNMENT: usize = 16;

/// Dimension, metric and kernel. Vectors enter the space through [`Space::check`] and [`Space::write`]; what has
/// passed is a *row*: finite, normalised if the metric is cosine, and [`Space::stride`] values long.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    dimension: usize,
    metric: Metric,
    kernel: &'static Kernel,
    /// The largest magnitude of a value.
    limit: f32,
}

impl Space {
    pub(crate) fn new(dimension: usize, metric: Metric) -> Result<Self, VectorError> {
        if !(1..=MAX_DIMENSION).contains(&dimension) {
            return Err(VectorError::InvalidDimension { received: dimension });
        }
        let limit = if metric == Metric::Cosine { f32::MAX } else { MAX_MAGNITUDE };
        Ok(Self { dimension, metric, kernel: Kernel::detected(), limit })
    }

    /// The space without what a storage cannot hold.
    pub(crate) fn for_storage(mut self, storage: Storage) -> Self {
        if storage == Storage::CodeAndHalf && self.metric != Metric::Cosine {
            self.limit = half::LARGEST;
        }
        self
    }

    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// The largest magnitude of a value of a row.
    pub(crate) fn row_limit(&self) -> f32 {
        // Rounding can leave the values of a unit vector slightly above 1.
        if self.metric == Metric::Cosine { 1.001 } else { self.limit }
    }

    /// Values in a row: the dimension, padded.
    pub(crate) fn stride(&self) -> usize {
        self.dimension.next_multiple_of(ROW_ALIGNMENT)
    }

    /// Refuses what cannot be compared. `key` is for the message; a query has none.
    pub(crate) fn check(&self, key: Option<u64>, vector: &[f32]) -> Result<(), VectorError> {
        if vector.len() != self.dimension {
            let (expected, received) = (self.dimension, vector.len());
            return Err(VectorError::DimensionMismatch { key, expected, received });
        }
        let limit = self.limit;
        // One pass without an early exit, which compiles to vector instructions; a NaN fails the comparison too.
        let (valid, zero) = vector.iter().fold((true, true), |(valid, zero), value| {
            (valid & (value.abs() <= limit), zero & (*value == 0.0))
        });
        if !valid {
            for (position, &received) in vector.iter().enumerate() {
                if !received.is_finite() {
                    return Err(VectorError::NonFinite { key, position });
                }
                if received.abs() > limit {
                    return Err(VectorError::OutOfRange { key, position, received, limit });
                }
            }
        }
        if zero && self.metric == Metric::Cosine {
            return Err(VectorError::ZeroVector { key });
        }
        Ok(())
    }

    /// Refuses many vectors if one of them cannot be compared, or if they are not one a key.
    pub(crate) fn check_many(&self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        let dimension = self.dimension;
        if keys.len().checked_mul(dimension) != Some(vectors.len()) {
            let (keys, received) = (keys.len(), vectors.len());
            return Err(VectorError::BatchLength { keys, dimension, received });
        }
        for (&key, vector) in keys.iter().zip(vectors.chunks_exact(dimension)) {
            self.check(Some(key), vector)?;
        }
        Ok(())
    }

    /// Writes a vector that passed [`Space::check`] as a row.
    pub(crate) fn write(&self, vector: &[f32], row: &mut [f32]) {
        let (values, padding) = row.split_at_mut(self.dimension);
        values.copy_from_slice(vector);
        padding.fill(0.0);
        if self.metric == Metric::Cosine {
            self.kernel.normalize(values);
        }
    }

    /// Checks a query and makes a row of it.
    #[cfg(feature = "hnsw-rs")]
    pub(crate) fn query(&self, query: &[f32]) -> Result<Vec<f32>, VectorError> {
        self.check(None, query)?;
        let mut row = vec![0.0; self.stride()];
        self.write(query, &mut row);
        Ok(row)
    }

    /// The score of a row for a query.
    pub(crate) fn score(&self, query: &[f32], row: &[f32]) -> f32 {
        self.score_of(match self.metric {
            Metric::Cosine | Metric::Dot => self.kernel.dot(query, row),
            Metric::Euclidean => self.kernel.squared_euclidean(query, row),
        })
    }

    /// The squared Euclidean distance of two rows, whatever the metric.
    pub(crate) fn squared_distance(&self, a: &[f32], b: &[f32]) -> f32 {
        self.kernel.squared_euclidean(a, b)
    }

    /// The scores of rows that lie behind each other, bit for bit as [`Space::score`] gives them.
    pub(crate) fn scores(&self, query: &[f32], rows: &[f32], scores: &mut [f32]) {
        match self.metric {
            Metric::Cosine | Metric::Dot => self.kernel.dot_rows(query, rows, scores),
            Metric::Euclidean => self.kernel.squared_euclidean_rows(query, rows, scores),
        }
        for score in scores {
            *score = self.score_of(*score);
        }
    }

    /// The score of what the kernel computed. It is never a negative zero, which would sort below its equal.
    #[inline]
    fn score_of(&self, value: f32) -> f32 {
        match self.metric {
            // Rounding can leave the dot product of unit vectors slightly outside.
            Metric::Cosine => value.clamp(-1.0, 1.0) + 0.0,
            Metric::Dot => value + 0.0,
            Metric::Euclidean => 0.0 - value,
        }
    }
}
