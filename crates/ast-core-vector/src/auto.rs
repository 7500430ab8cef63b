//! The index that chooses between a scan and a graph.

use std::path::Path;

use crate::{
    Expected, Header, Hnsw, HnswConfig, Kind, Memory, Metric, Neighbor, SaveOptions, SearchOptions,
    VectorError, VectorIndex,
};

/// Nearest neighbors at any size: a scan while there are few vectors, a graph when there are many.
///
/// It is an [`Hnsw`] that does without links while it has fewer than [`AutoIndex::GRAPH_FROM`] vectors. From then on
/// every insertion links a few of those that are there besides its own, and searches scan until all are linked: no
/// call takes much longer than others, and no answer is worse. Below half of that number the links are dropped.
#[derive(Clone, Debug)]
pub struct AutoIndex {
    index: Hnsw,
}

impl AutoIndex {
    /// The number of vectors from which there is a graph. With 384 dimensions and 64 candidates it answers as fast as a
    /// scan with half as many and more than three times as fast with so many, where a scan takes a tenth of a
    /// millisecond; but a scan misses nothing and costs nothing to keep.
    pub const GRAPH_FROM: usize = 8192;

    /// An empty index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension), or [`InvalidConfig`](VectorError::InvalidConfig) if a
    /// setting is out of its range.
    pub fn new(dimension: usize, metric: Metric, config: HnswConfig) -> Result<Self, VectorError> {
        Ok(Self { index: Hnsw::new(dimension, metric, config)?.flat_below(Self::GRAPH_FROM) })
    }

    /// Saves the index in a file; see [`Hnsw::save`].
    ///
    /// ```
    /// use ast_core_vector::{AutoIndex, Expected, HnswConfig, Metric, SaveOptions, VectorIndex};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("vectors");
    /// let mut index = AutoIndex::new(3, Metric::Cosine, HnswConfig::default())?;
    /// index.insert(10, &[1.0, 0.0, 0.0])?;
    /// index.save(&path, &SaveOptions { generation: 4, model: "minilm" })?;
    ///
    /// let expected = Expected { dimension: 3, metric: Metric::Cosine, model: "minilm" };
    /// let (mut index, header) = AutoIndex::open(&path, &expected, HnswConfig::default())?;
    /// assert_eq!((header.generation, index.len()), (4, 1));
    /// index.insert(11, &[0.0, 1.0, 0.0])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<(), VectorError> {
        self.index.save_as(Kind::Auto, path.as_ref(), options)
    }

    /// Opens an index that was saved; see [`Hnsw::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open(
        path: impl AsRef<Path>,
        expected: &Expected<'_>,
        config: HnswConfig,
    ) -> Result<(Self, Header), VectorError> {
        let (index, header) = Hnsw::open_as(Kind::Auto, path.as_ref(), expected, config)?;
        Ok((Self { index: index.flat_below(Self::GRAPH_FROM) }, header))
    }

    /// Checks what was not needed yet of the file that the index was opened from; see [`Hnsw::verify`].
    ///
    /// # Errors
    ///
    /// [`Damaged`](VectorError::Damaged).
    pub fn verify(&self) -> Result<(), VectorError> {
        self.index.verify()
    }

    /// The bytes that vectors and links take now.
    pub fn memory(&self) -> Memory {
        self.index.memory()
    }

    /// The keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.index.keys()
    }

    /// Frees the places of removed keys now; see [`Hnsw::compact`].
    pub fn compact(&mut self) {
        self.index.compact();
    }

    /// Whether searches go by the graph now.
    pub fn has_graph(&self) -> bool {
        self.index.is_linked()
    }
}

impl VectorIndex for AutoIndex {
    fn dimension(&self) -> usize {
        self.index.dimension()
    }

    fn metric(&self) -> Metric {
        self.index.metric()
    }

    fn len(&self) -> usize {
        self.index.len()
    }

    fn contains(&self, key: u64) -> bool {
        self.index.contains(key)
    }

    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        self.index.insert(key, vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        self.index.insert_many(keys, vectors)
    }

    fn reserve(&mut self, additional: usize) -> Result<(), VectorError> {
        self.index.reserve(additional)
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        self.index.remove(key)
    }

    fn clear(&mut self) {
        self.index.clear();
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        self.index.search(query, options)
    }
}
