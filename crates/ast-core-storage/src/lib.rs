//! The store of a code index: files with their symbols, references, chunks and vectors, and the indexes of words and names.
//!
//! A [`Store`] is the truth of an index: everything else (vectors in memory, caches) is made from it. All changes come as
//! a [`WriteBatch`] through [`Store::commit`], one transaction each, so a reader sees a file wholly or not at all.
//! [`SqliteStore`] keeps it in one database file. This is the only crate that knows SQL.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use ast_core_model::{FileId, RepoPath};
//! use ast_core_storage::{
//!     Access, FileRecord, FileStatus, IndexedFile, SqliteStore, Store, StoreConfig, WriteBatch,
//! };
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("index.db");
//! let store = SqliteStore::open(&path, Access::Write, &StoreConfig::default()).await?;
//! let record = FileRecord {
//!     id: FileId::new(1).expect("1 is in range"),
//!     path: RepoPath::new("assets/logo.png")?,
//!     language: None,
//!     status: FileStatus::Binary,
//!     detail: Some("a NUL byte at offset 8".into()),
//!     size: 1_024,
//!     modified_ns: 0,
//!     content_hash: None,
//!     lines: 0,
//!     syntax_errors: 0,
//! };
//! let files = vec![IndexedFile::left_out(record)];
//! let committed = store.commit(WriteBatch { files, ..WriteBatch::default() }).await?;
//! assert_eq!(committed.generation, 1);
//! assert_eq!(store.files().await?[0].status, FileStatus::Binary);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod codec;
#[cfg(any(test, feature = "contract-tests"))]
pub mod contract;
mod document;
mod error;
mod files;
mod finding;
mod jobs;
mod lexical;
mod names;
mod repository;
mod signatures;
mod sqlite;
mod store;
mod symbols;
mod vectors;
mod verification;
mod write_batch;

pub use ast_core_lexical::{
    Bm25f, Hit as LexicalHit, LexicalError, Signature, SignatureMaker, TrigramQuery, folded,
};
pub use document::{Document, StoredDocument, StoredSource};
pub use error::StoreError;
pub use files::{FileRecord, FileStatus, FileVersion};
pub use finding::{Finding, Part, Remedy};
pub use jobs::{JobProgress, JobRecord, JobState};
pub use lexical::{ChunkFilter, query_words};
pub use names::{NameMatch, NamingFile, name_term};
pub use repository::RepositoryId;
pub use sqlite::{
    EmbeddingCache, FileMetadata, SeenVectors, SqliteStore, StoreConfig, UserCollection, UserStore,
    UserVector, UserVectorChanges,
};
pub use store::{Access, Store, StoreCounts, StoreFuture};
pub use symbols::{SymbolQuery, SymbolRecord};
pub use vectors::FileVectors;
pub use verification::{Derive, Derived, Repair, Verification};
pub use write_batch::{Committed, FileContent, IndexedFile, WriteBatch};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
