//! Vectors and metadata that users add.

use crate::call::{Cancellation, promise, until};
use crate::columns::vectors;
use crate::convert::{convert_all, number};
use crate::engine::{Engine, Lease};
use crate::error::Failure;
use crate::types::{Collection, NotedFile, VectorHit};
use ast_core_engine::{self as core, RepoPath, UserVector};
use napi::Env;
use napi::bindgen_prelude::{AsyncBlock, Float32Array};
use napi_derive::napi;
use std::path::{Path, PathBuf};

/// A user's vector.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct KeptVector {
    pub vector: Float32Array,
    pub metadata: Option<String>,
}

#[napi]
impl Engine {
    /// Keeps vectors, which lie behind each other, by their names.
    #[napi]
    pub fn put_vectors(
        &self,
        env: &Env,
        collection: String,
        names: Vec<String>,
        values: Float32Array,
        metadata: Vec<Option<String>>,
    ) -> napi::Result<AsyncBlock<()>> {
        let engine = self.lease();
        let values = values.to_vec();
        promise(env, async move {
            let dimension = values.len().checked_div(names.len()).unwrap_or(0);
            let rows = values.chunks(dimension.max(1)).zip(names).zip(metadata);
            let vectors =
                rows.map(|((vector, name), metadata)| UserVector { name, vector: vector.to_vec(), metadata });
            Ok(engine?.put_vectors(&collection, vectors.collect()).await?)
        })
    }

    /// Removes vectors; how many there were.
    #[napi]
    pub fn delete_vectors(
        &self,
        env: &Env,
        collection: String,
        names: Vec<String>,
    ) -> napi::Result<AsyncBlock<f64>> {
        let engine = self.lease();
        promise(env, async move { Ok(number(engine?.delete_vectors(&collection, names).await?)) })
    }

    /// Removes a collection; whether there was one.
    #[napi]
    pub fn delete_collection(&self, env: &Env, collection: String) -> napi::Result<AsyncBlock<bool>> {
        let engine = self.lease();
        promise(env, async move { Ok(engine?.delete_collection(&collection).await?) })
    }

    /// All collections.
    #[napi]
    pub fn collections(&self, env: &Env) -> napi::Result<AsyncBlock<Vec<Collection>>> {
        let engine = self.lease();
        promise(env, async move { Ok(convert_all(engine?.collections().await?)) })
    }

    /// A vector by its name.
    #[napi]
    pub fn user_vector(
        &self,
        env: &Env,
        collection: String,
        name: String,
    ) -> napi::Result<AsyncBlock<Option<KeptVector>>> {
        let engine = self.lease();
        promise(env, async move {
            let found = engine?.user_vector(&collection, &name).await?;
            Ok(found.map(|found| KeptVector { vector: vectors(found.vector), metadata: found.metadata }))
        })
    }

    /// The nearest vectors of a collection.
    #[napi]
    pub fn search_collection(
        &self,
        env: &Env,
        collection: String,
        vector: Float32Array,
        limit: u32,
        threshold: f64,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Vec<VectorHit>>> {
        let engine = self.lease();
        let vector = vector.to_vec();
        let call = async move {
            let found = engine?.search_collection(&collection, vector, limit as usize, threshold).await?;
            Ok(convert_all(found))
        };
        promise(env, until(cancellation, call))
    }

    /// Notes something of a file; its path in the tree.
    #[napi]
    pub fn put_file_metadata(
        &self,
        env: &Env,
        path: String,
        metadata: String,
    ) -> napi::Result<AsyncBlock<String>> {
        let (engine, named) = (self.lease(), self.named_root());
        promise(env, async move {
            let engine = engine?;
            let path = in_tree(&engine, named, &path).await?;
            engine.put_file_metadata(&path, metadata).await?;
            Ok(path.to_string())
        })
    }

    /// What was noted of a file.
    #[napi]
    pub fn file_metadata(&self, env: &Env, path: String) -> napi::Result<AsyncBlock<Option<NotedFile>>> {
        let (engine, named) = (self.lease(), self.named_root());
        promise(env, async move {
            let engine = engine?;
            let path = in_tree(&engine, named, &path).await?;
            Ok(engine.file_metadata(&path).await?.map(NotedFile::from))
        })
    }

    /// Forgets what was noted of a file; whether there was something.
    #[napi]
    pub fn delete_file_metadata(&self, env: &Env, path: String) -> napi::Result<AsyncBlock<bool>> {
        let (engine, named) = (self.lease(), self.named_root());
        promise(env, async move {
            let engine = engine?;
            let path = in_tree(&engine, named, &path).await?;
            Ok(engine.delete_file_metadata(&path).await?)
        })
    }

    /// What was noted of files.
    #[napi]
    pub fn list_file_metadata(
        &self,
        env: &Env,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> napi::Result<AsyncBlock<Vec<NotedFile>>> {
        let engine = self.lease();
        promise(env, async move {
            let listed = engine?.list_file_metadata(&prefix, after.as_deref(), limit as usize).await?;
            Ok(convert_all(listed))
        })
    }
}

async fn in_tree(engine: &Lease, named: Option<PathBuf>, path: &str) -> Result<RepoPath, Failure> {
    let path = Path::new(path);
    let root = match named {
        Some(root) => root,
        None if path.is_absolute() => engine.tree_of(&[path.to_owned()]).await?,
        None => engine.tree_of(&[]).await?,
    };
    Ok(engine.path_in_tree(&root, path).await?)
}

impl From<core::UserCollection> for Collection {
    fn from(collection: core::UserCollection) -> Self {
        let core::UserCollection { name, dimension, vectors } = collection;
        Self { name, dimension: dimension as f64, vectors: number(vectors) }
    }
}

impl From<core::UserHit> for VectorHit {
    fn from(hit: core::UserHit) -> Self {
        Self { id: hit.name, score: hit.score, metadata: hit.metadata }
    }
}

impl From<core::FileMetadata> for NotedFile {
    fn from(noted: core::FileMetadata) -> Self {
        Self { path: noted.path, metadata: noted.metadata, updated_ms: noted.changed_ns as f64 / 1e6 }
    }
}
