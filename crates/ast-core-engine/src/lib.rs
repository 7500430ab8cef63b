//! The code-intelligence engine: index a source tree and search it.
//!
//! An [`Engine`] is one index, in one SQLite file with a copy of its vectors beside it, or in a [`Store`] of one's own. [`Engine::index`] brings it up to a tree: it walks the tree as git
//! sees it, parses what is new or changed on all cores, cuts it into chunks along its definitions, embeds those, and
//! commits as it goes. [`Engine::search`] finds chunks by words and by vectors. [`Engine::status`] says what the index
//! holds, what it left out and why, and what has changed since.
//!
//! ```
//! use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let tree = tempfile::tempdir()?;
//! # std::fs::write(tree.path().join("retry.py"), "def retry_request(times):\n    '''Tries again.'''\n    return times\n")?;
//! let engine = Engine::open(EngineConfig::for_tree(tree.path())).await?;
//! let report = engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await?;
//! assert_eq!((report.files.indexed, report.symbols), (1, 1));
//!
//! let reply = engine.search(&SearchQuery::new("how often is a request retried")).await?;
//! assert_eq!(reply.hits[0].name.as_deref(), Some("retry_request"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Jobs
//! An index run that is to go on by itself is a job. It can be asked how far it is, held up and ended, and if the process
//! ends before it does, the next one finds it by its number and goes on where it stopped:
//!
//! ```
//! use ast_core_engine::{Engine, EngineConfig, JobRequest, JobState};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let tree = tempfile::tempdir()?;
//! # std::fs::write(tree.path().join("retry.py"), "def retry_request(times):\n    return times\n")?;
//! let engine = Engine::open(EngineConfig::for_tree(tree.path())).await?;
//! let id = engine.submit(JobRequest::files(tree.path(), ["retry.py"])).await?;
//! engine.pause(id).await.ok();
//! # engine.close().await;
//!
//! # let engine = Engine::open(EngineConfig::for_tree(tree.path())).await?;
//! // This may be another process by now.
//! if engine.job(id).await?.state != JobState::Done {
//!     engine.resume(id).await?;
//! }
//! let mut events = engine.job_events(id).await?;
//! while let Some(status) = events.next().await {
//!     println!("{}: {} files, {:?} left", status.state, status.files_done, status.remaining);
//! }
//! assert_eq!(engine.wait(id).await?.symbols, 1);
//! # engine.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate is the only place where the others meet; what of them is part of its interface is re-exported here.
#![deny(missing_docs)]

mod attempts;
mod commit;
mod config;
mod context;
mod discover;
mod doctor;
mod embeddings;
mod engine;
mod error;
mod file;
mod filter;
mod grep;
mod health;
mod hit;
mod index;
mod jobs;
mod listing;
mod map;
mod memory;
mod metrics;
mod neighbors;
mod outline;
mod plan;
mod prepare;
mod process;
mod query;
mod references;
mod report;
mod rerank;
mod retrieve;
mod selection;
mod similar;
mod snapshot;
mod step;
mod symbols;
mod tokens;
mod tree_file;
mod user;
mod vector_file;
mod vectors;
mod watch;

pub use ast_core_batch::{
    BatchConfig, CancelToken, PoolError, Progress, ProgressObserver, ProgressSnapshot, Retry,
};
#[cfg(feature = "http")]
pub use ast_core_embed::{ApiKey, HttpConfig, HttpEmbedder};
pub use ast_core_embed::{EmbedError, EmbedInput, Embedder, FeatureHashEmbedder, ModelInfo, StaticEmbedder};
#[cfg(feature = "minilm")]
pub use ast_core_embed::{MiniLmConfig, MiniLmEmbedder};
pub use ast_core_metrics::{
    Distribution, HistogramSnapshot, MetricId, ProcessFigures, PrometheusText, Snapshot as MetricValues,
    SystemFigures,
};
pub use ast_core_model::{
    Chunk, ChunkId, ContentHash, FileId, LanguageName, LineRange, ModelError, Reference, ReferenceKind,
    RepoPath, Span, Symbol, SymbolId, SymbolKind, Visibility, scope_of,
};
pub use ast_core_parse::{
    Accent, Annotation, ChunkingConfig, Complexity, Coverage, Edit, EditedText, Encoding, Highlight,
    Language, Modifier, Modifiers, NodeFilter, Nodes, Parameter, ParseError, ParseLimits, ParsedFile, Parser,
    Query, QueryCapture, QueryMatch, QueryResult, SourceText, SyntaxAllocator, SyntaxErrors, Utf16Places,
    set_syntax_allocator,
};
pub use ast_core_search::{
    Likeness, LikenessWeights, ParsedQuery, QueryError, QueryKind, RankingWeights, Rule, SearchMode, Why,
    matched_words,
};
pub use ast_core_storage::{
    Access, FileMetadata, FileStatus, Finding, JobState, NameMatch, Part, Remedy, RepositoryId, SqliteStore,
    Store, StoreConfig, StoreError, UserCollection, UserVector,
};
pub use ast_core_vector::VectorError;
pub use config::{EmbeddingCacheConfig, EngineConfig, RerankConfig, VectorBackend, find_database};
pub use context::{ContextFile, ContextForm, ContextPart, ContextQuery, ContextReply};
pub use discover::Failure;
pub use doctor::{DoctorOptions, DoctorReport};
pub use engine::{Engine, indexed_embedder, indexed_root};
pub use error::{EngineError, FileProblem};
pub use file::FileView;
pub use grep::{GrepDetail, GrepFile, GrepLine, GrepMatch, GrepQuery, GrepReply, GrepSummary};
pub use health::Health;
pub use index::{IndexControl, IndexOptions, plan_without_index};
pub use jobs::{JobEvents, JobId, JobRequest, JobStatus};
pub use listing::{ListedSymbol, SymbolFilter, SymbolPage, SymbolRow, SymbolsRead};
pub use map::{MapDefinition, MapFile, MapQuery, MapReply};
pub use metrics::{IndexMetrics, MetricsSnapshot, SearchMetrics, Stage, StageMetrics, Work};
pub use neighbors::VectorQuery;
pub use outline::{
    FileCapture, FileMatch, FileMatches, Outline, OutlineError, OutlineOptions, outline, query_files,
};
pub use process::{ProcessOptions, ProcessTimings, ProcessedAs, ProcessedFile};
pub use query::{
    SearchHit, SearchNotice, SearchQuery, SearchReply, SimilarPlace, SimilarQuery, SimilarReply, SimilarTo,
};
pub use references::{Callee, CalleeReply, Definition, Evidence, Mention, ReferenceQuery, ReferenceReply};
pub use report::{
    Change, EmbedderChange, FileCounts, IndexReport, PlanReport, Stale, StatusReport, VectorFileReport,
    VectorFileState,
};
pub use selection::FileSelection;
pub use symbols::{FoundSymbol, SymbolLookup, SymbolReply};
pub use tokens::estimated_tokens;
pub use tree_file::read as read_in_tree;
pub use user::UserHit;
pub use watch::{WatchEvent, WatchOptions};

/// The version of what is in an index: how files are parsed, cut and split into terms. An index of another version is
/// made anew by the next run.
pub const FORMAT_VERSION: u32 = 4;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
