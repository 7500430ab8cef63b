//! Settings of an engine.

use crate::FileSelection;
use ast_core_batch::{BatchConfig, Retry};
use ast_core_embed::{Embedder, StaticEmbedder};
use ast_core_parse::{ChunkingConfig, ParseLimits};
use ast_core_search::{LikenessWeights, RankingWeights};
use ast_core_storage::{Access, StoreConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The folder that holds a tree's index, in the tree.
pub(crate) const INDEX_FOLDER: &str = ".ast-core";
const DATABASE_NAME: &str = "index.db";

/// Settings of an engine.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where the index is. Its folder must exist, but for one named `.ast-core`, which is made. Beside it, under its name with
    /// something behind, are the logs of SQLite, the lock of who writes, and a copy of the vectors that may be deleted.
    pub database: PathBuf,
    /// Whether it is opened for writing, which one process can at a time, or only for search. Default: writing.
    pub access: Access,
    /// Threads and queue of an index run, and the memory that the files in flight may take, by estimates. Default: all
    /// cores, 192 MiB. To bound the memory of the process, see [`with_max_memory`](Self::with_max_memory).
    pub batch: BatchConfig,
    /// Which files of a tree are indexed. Default: all that its ignore rules let through.
    pub selection: FileSelection,
    /// What one file may cost.
    pub limits: ParseLimits,
    /// The most memory that parsing one file may take, in bytes, by an estimate from its text: one that would take more is
    /// indexed as text, without symbols. Default: `None`, and a file that takes more than its share of
    /// `batch.memory_budget` is parsed while no other is.
    pub max_file_memory: Option<u64>,
    /// How long one file may take by the clock, with waiting for the disk and for the embedder. It is looked at between
    /// reading, parsing and embedding: what never returns from one of them is not stopped. Default: 60 s.
    pub file_time_limit: Duration,
    /// How often and when a file is read again that could not be for a reason that may pass, such as that another program
    /// holds it.
    pub retry: Retry,
    /// How large chunks are.
    pub chunking: ChunkingConfig,
    /// What turns text into vectors. Default: [`StaticEmbedder`], the built-in model.
    pub embedder: Arc<dyn Embedder>,
    /// Where vectors are kept by what they were made of, if the embedder is
    /// [costly](Embedder::is_costly). `None` keeps none. Default: beside the index.
    pub embedding_cache: Option<EmbeddingCacheConfig>,
    /// What puts the first hits of a search in order anew, if the query asks for it. Default: nothing.
    pub reranking: Option<RerankConfig>,
    /// What searches the vectors.
    pub vectors: VectorBackend,
    /// What the rules count for that put hits in order.
    pub ranking: RankingWeights,
    /// How code is compared that is looked for by [`Engine::similar`](crate::Engine::similar).
    pub likeness: LikenessWeights,
    /// Connections and caches of the store.
    pub store: StoreConfig,
    /// Whether the engine measures its stages, for [`Engine::metrics`](crate::Engine::metrics). Default: yes;
    /// docs/performance.md has what it costs.
    pub metrics: bool,
}

/// The cache of what a costly embedder made: see [`EmbeddingCache`](ast_core_storage::EmbeddingCache).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingCacheConfig {
    /// Its file, whose folder must exist. Engines of several trees may share one: then what is the same in them, as in two
    /// work trees of a repository, is embedded once. Default: `None`, beside the index, with `.embeddings` at the end
    /// of the index's name.
    pub path: Option<PathBuf>,
    /// When it is larger as an index run begins, in bytes, what was not used for longest is dropped. Default: 1 GiB, some
    /// three million vectors of 256 dimensions.
    pub max_bytes: u64,
}

impl Default for EmbeddingCacheConfig {
    fn default() -> Self {
        Self { path: None, max_bytes: 1 << 30 }
    }
}

impl EmbeddingCacheConfig {
    pub(crate) fn path_beside(&self, database: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| {
            let mut name = database.as_os_str().to_owned();
            name.push(".embeddings");
            name.into()
        })
    }
}

/// How the first hits of a search are put in order anew, by [`SearchQuery::rerank`](crate::SearchQuery::rerank).
#[derive(Clone)]
pub struct RerankConfig {
    /// What compares their texts with the query. Its vectors are in the [cache](EngineConfig::embedding_cache) if it is
    /// costly, so that a chunk is embedded for the first search that it comes up in.
    pub embedder: Arc<dyn Embedder>,
    /// What that counts for against the order that they have, from 0 to 1. Default: 0.2; of what was measured
    /// (docs/relevance.md) more costs what stands first.
    pub share: f64,
}

impl RerankConfig {
    /// Reranking by this embedder.
    pub fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self { embedder, share: 0.2 }
    }
}

impl fmt::Debug for RerankConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { embedder, share } = self;
        f.debug_struct("RerankConfig").field("embedder", &embedder.model().id).field("share", share).finish()
    }
}

/// What searches the vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum VectorBackend {
    /// All of them, exactly, where they lie in a file beside the index.
    #[default]
    Flat,
    /// The graph of the crate hnsw_rs: approximate, and built anew whenever an engine is opened.
    #[cfg(feature = "hnsw-rs")]
    HnswRs,
}

impl EngineConfig {
    /// An engine with its index at this path.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            access: Access::Write,
            batch: BatchConfig { memory_budget: 192 << 20, ..BatchConfig::default() },
            selection: FileSelection::default(),
            limits: ParseLimits::default(),
            max_file_memory: None,
            file_time_limit: Duration::from_secs(60),
            retry: Retry::default(),
            chunking: ChunkingConfig::default(),
            embedder: Arc::new(StaticEmbedder::default()),
            embedding_cache: Some(EmbeddingCacheConfig::default()),
            reranking: None,
            vectors: VectorBackend::default(),
            ranking: RankingWeights::default(),
            likeness: LikenessWeights::default(),
            store: StoreConfig::default(),
            metrics: true,
        }
    }

    /// An engine with its index where the command line puts it: `.ast-core/index.db` in the tree.
    pub fn for_tree(root: impl AsRef<Path>) -> Self {
        Self::new(root.as_ref().join(INDEX_FOLDER).join(DATABASE_NAME))
    }

    /// The same, only for search.
    pub fn read_only(self) -> Self {
        Self { access: Access::Read, ..self }
    }

    /// What of the settings is in what is indexed: an index made by others is made anew.
    pub(crate) fn pipeline(&self) -> String {
        self.pipeline_of(&self.embedder.model().id)
    }

    /// The same with another embedder.
    pub(crate) fn pipeline_of(&self, embedder: &str) -> String {
        let ChunkingConfig { max_tokens, solo_tokens } = self.chunking;
        format!("format {}, chunks {max_tokens}/{solo_tokens}, {embedder}", crate::FORMAT_VERSION)
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("database", &self.database)
            .field("access", &self.access)
            .field("batch", &self.batch)
            .field("selection", &self.selection)
            .field("limits", &self.limits)
            .field("max_file_memory", &self.max_file_memory)
            .field("file_time_limit", &self.file_time_limit)
            .field("retry", &self.retry)
            .field("chunking", &self.chunking)
            .field("embedder", &self.embedder.model().id)
            .field("embedding_cache", &self.embedding_cache)
            .field("reranking", &self.reranking)
            .field("vectors", &self.vectors)
            .field("ranking", &self.ranking)
            .field("likeness", &self.likeness)
            .field("store", &self.store)
            .field("metrics", &self.metrics)
            .finish()
    }
}

/// The index that a search from this directory is meant for: that of the directory, or of the nearest one above it
/// that has one, as git finds its repository.
pub fn find_database(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .map(|directory| directory.join(INDEX_FOLDER).join(DATABASE_NAME))
        .find(|path| path.is_file())
}
