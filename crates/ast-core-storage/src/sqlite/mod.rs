//! The store in SQLite: one file, one repository. The only place that knows SQL.

mod checksum;
mod commit;
mod config;
mod connection;
mod direct;
mod embedding_cache;
mod error;
mod fence;
mod files;
mod jobs;
mod lexical;
mod lock;
mod names;
mod pages;
#[cfg(test)]
mod plans;
mod readers;
mod repair;
mod schema;
mod signatures;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod user_store;
mod vectors;
mod verify;

pub use config::StoreConfig;
pub use embedding_cache::EmbeddingCache;
pub use store::SqliteStore;
pub use user_store::{FileMetadata, SeenVectors, UserCollection, UserStore, UserVector, UserVectorChanges};
