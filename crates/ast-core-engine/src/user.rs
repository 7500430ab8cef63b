//! What users add themselves: vectors of their own, which are searched as those of the index are, and metadata of files.
//!
//! All of it is in a [`UserStore`], a file beside the index. What is here is made from that: of each collection that is
//! searched, an index in memory, which is brought up before each search, whoever has written meanwhile.

use crate::engine::blocking;
use crate::{Access, Engine, EngineConfig, EngineError, StoreError};
use ast_core_model::RepoPath;
use ast_core_storage::{FileMetadata, SeenVectors, UserCollection, UserStore, UserVector};
use ast_core_vector::{AutoIndex, HnswConfig, Metric, SearchOptions, Shared, VectorIndex};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A user's vector that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UserHit {
    /// What its user calls it.
    pub name: String,
    /// Its cosine with the vector that was looked for, from -1 to 1.
    pub score: f64,
    /// What its user noted with it, as JSON.
    pub metadata: Option<String>,
}

/// What users added, and what is made of it.
pub(crate) struct UserData {
    path: PathBuf,
    access: Access,
    /// `None` until it is needed, and while there is none to be read.
    store: Mutex<Option<Arc<UserStore>>>,
    collections: Mutex<HashMap<String, Arc<Collection>>>,
}

/// A collection in memory.
#[derive(Default)]
struct Collection {
    /// What of the store is in the index; held by who brings it up.
    seen: Mutex<Option<SeenVectors>>,
    index: Mutex<Option<Arc<Shared<AutoIndex>>>>,
}

impl UserData {
    pub(crate) fn of(config: &EngineConfig) -> Self {
        let mut path = config.database.as_os_str().to_owned();
        path.push(".user");
        Self {
            path: path.into(),
            access: config.access,
            store: Mutex::default(),
            collections: Mutex::default(),
        }
    }

    fn store(&self) -> Result<Option<Arc<UserStore>>, StoreError> {
        let mut store = lock(&self.store);
        if store.is_none() {
            *store = UserStore::open(&self.path, self.access)?.map(Arc::new);
        }
        Ok(store.clone())
    }

    fn writable(&self) -> Result<Arc<UserStore>, StoreError> {
        let read_only = || StoreError::ReadOnly { path: self.path.clone() };
        match self.access {
            Access::Read => Err(read_only()),
            Access::Write => self.store()?.ok_or_else(read_only),
        }
    }

    /// The index of a collection as it is in the store now; `None` if there is none.
    fn index(&self, store: &UserStore, name: &str) -> Result<Option<Arc<AutoIndex>>, EngineError> {
        let collection = lock(&self.collections).entry(name.to_owned()).or_default().clone();
        let mut seen = lock(&collection.seen);
        let Some(changes) = store.changes(name, *seen)? else {
            lock(&self.collections).remove(name);
            return Ok(None);
        };
        let known = lock(&collection.index).clone().filter(|_| !changes.is_all);
        let index = match known {
            Some(index) => index,
            None => {
                let index = AutoIndex::new(changes.dimension, Metric::Cosine, HnswConfig::default())?;
                Arc::new(Shared::new(index))
            }
        };
        if !(changes.removed.is_empty() && changes.added.is_empty()) {
            index.update(|index| {
                for number in &changes.removed {
                    index.remove(*number)?;
                }
                index.insert_many(&changes.added, &changes.vectors)
            })?;
        }
        *lock(&collection.index) = Some(index.clone());
        *seen = Some(changes.seen);
        Ok(Some(index.snapshot()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Keeps vectors of a user's own in a collection, which is made with the first; each takes the place of the one of its
    /// name. All are kept, or none. They are beside the index and outlive it.
    ///
    /// # Errors
    /// [`EngineError::UserVector`] if one has no direction or a value that is no finite number; [`EngineError::Dimension`]
    /// if one has another number of values than those of the collection; [`EngineError::Store`].
    pub async fn put_vectors(&self, collection: &str, vectors: Vec<UserVector>) -> Result<(), EngineError> {
        for vector in &vectors {
            check(vector)?;
        }
        let name = collection.to_owned();
        self.with_user_data(move |user| Ok(user.writable()?.put_vectors(&name, &vectors)?)).await
    }

    /// Removes vectors from a collection by their names; how many there were.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn delete_vectors(&self, collection: &str, names: Vec<String>) -> Result<u64, EngineError> {
        let name = collection.to_owned();
        self.with_user_data(move |user| Ok(user.writable()?.delete_vectors(&name, &names)?)).await
    }

    /// Removes a collection with all that is in it; whether there was one.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn delete_collection(&self, collection: &str) -> Result<bool, EngineError> {
        let name = collection.to_owned();
        self.with_user_data(move |user| Ok(user.writable()?.delete_collection(&name)?)).await
    }

    /// The collections of users' vectors, in order of their names.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn collections(&self) -> Result<Vec<UserCollection>, EngineError> {
        self.with_user_data(|user| match user.store()? {
            Some(store) => Ok(store.collections()?),
            None => Ok(Vec::new()),
        })
        .await
    }

    /// The vector of a name in a collection, if there is one.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn user_vector(&self, collection: &str, name: &str) -> Result<Option<UserVector>, EngineError> {
        let (collection, name) = (collection.to_owned(), name.to_owned());
        self.with_user_data(move |user| match user.store()? {
            Some(store) => Ok(store.vector(&collection, &name)?),
            None => Ok(None),
        })
        .await
    }

    /// The vectors of a collection that are nearest to this one, best first, and no more than `limit`: those whose cosine
    /// with it is at least `threshold`. None if there is no such collection. From some eight thousand vectors on, a graph
    /// finds them, which may miss some.
    ///
    /// # Errors
    /// [`EngineError::Dimension`] and [`EngineError::Vector`] if it cannot be compared with those of the collection;
    /// [`EngineError::Store`].
    pub async fn search_collection(
        &self,
        collection: &str,
        vector: Vec<f32>,
        limit: usize,
        threshold: f64,
    ) -> Result<Vec<UserHit>, EngineError> {
        let (name, pool) = (collection.to_owned(), self.search_pool.clone());
        self.with_user_data(move |user| {
            let Some(store) = user.store()? else { return Ok(Vec::new()) };
            let Some(index) = pool.install(|| user.index(&store, &name))? else { return Ok(Vec::new()) };
            if vector.len() != index.dimension() {
                let (of, received) = (format!("the collection {name:?}"), vector.len());
                return Err(EngineError::Dimension { of, expected: index.dimension(), received });
            }
            let options = SearchOptions::new(limit).with_threshold(threshold as f32);
            let found = pool.install(|| index.search(&vector, &options))?;
            let numbers: Vec<u64> = found.iter().map(|found| found.key).collect();
            // What was removed a moment ago has no name any more.
            let mut names: HashMap<u64, (String, Option<String>)> = HashMap::with_capacity(numbers.len());
            names.extend(
                store.names(&numbers)?.into_iter().map(|(number, name, noted)| (number, (name, noted))),
            );
            let hit = |found: ast_core_vector::Neighbor| {
                let (name, metadata) = names.remove(&found.key)?;
                Some(UserHit { name, score: f64::from(found.score), metadata })
            };
            Ok(found.into_iter().filter_map(hit).collect())
        })
        .await
    }

    /// Notes something of a file, as JSON, in place of what was noted before. The file need not be in the index, nor on
    /// disk; what was noted stays until it is deleted.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn put_file_metadata(&self, path: &RepoPath, metadata: String) -> Result<(), EngineError> {
        let path = path.to_string();
        self.with_user_data(move |user| Ok(user.writable()?.put_file_metadata(&path, &metadata)?)).await
    }

    /// What was noted of a file, if anything was.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn file_metadata(&self, path: &RepoPath) -> Result<Option<FileMetadata>, EngineError> {
        let path = path.to_string();
        self.with_user_data(move |user| match user.store()? {
            Some(store) => Ok(store.file_metadata(&path)?),
            None => Ok(None),
        })
        .await
    }

    /// Forgets what was noted of a file; whether there was something.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn delete_file_metadata(&self, path: &RepoPath) -> Result<bool, EngineError> {
        let path = path.to_string();
        self.with_user_data(move |user| Ok(user.writable()?.delete_file_metadata(&path)?)).await
    }

    /// What was noted of files whose paths begin with this, in order of their paths: those behind `after`, and no more than
    /// `limit`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn list_file_metadata(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FileMetadata>, EngineError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.with_user_data(move |user| match user.store()? {
            Some(store) => Ok(store.list_file_metadata(&prefix, after.as_deref(), limit)?),
            None => Ok(Vec::new()),
        })
        .await
    }

    /// The path in the tree of a file that is named by any path; it need not be there. A relative one is relative to the
    /// tree.
    ///
    /// # Errors
    /// [`EngineError::OutsideTree`].
    pub async fn path_in_tree(&self, root: &Path, file: &Path) -> Result<RepoPath, EngineError> {
        let (root, file) = (root.to_owned(), file.to_owned());
        blocking(move || {
            let root = root.canonicalize().unwrap_or(root);
            crate::jobs::path_in(&root, &file)
        })
        .await?
    }

    async fn with_user_data<T: Send + 'static>(
        &self,
        work: impl FnOnce(&UserData) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let user = self.user.clone();
        blocking(move || work(&user)).await?
    }
}

/// Refuses what cannot be compared by cosine.
fn check(vector: &UserVector) -> Result<(), EngineError> {
    let wrong = |reason: String| Err(EngineError::UserVector { name: vector.name.clone(), reason });
    if let Some(position) = vector.vector.iter().position(|value| !value.is_finite()) {
        return wrong(format!("has a value at position {position} that is not a finite number"));
    }
    if vector.vector.iter().all(|value| *value == 0.0) {
        return wrong("has no value but zeros, and so no direction to compare by".into());
    }
    if vector.vector.len() > ast_core_vector::MAX_DIMENSION {
        let (received, limit) = (vector.vector.len(), ast_core_vector::MAX_DIMENSION);
        return wrong(format!("has {received} values; expected at most {limit}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(name: &str, values: &[f32]) -> UserVector {
        UserVector { name: name.into(), vector: values.into(), metadata: None }
    }

    async fn open(folder: &tempfile::TempDir) -> Engine {
        Engine::open(EngineConfig::new(folder.path().join("index.db"))).await.unwrap()
    }

    async fn nearest(engine: &Engine, values: &[f32]) -> Vec<String> {
        let hits = engine.search_collection("c", values.to_vec(), 2, 0.0).await.unwrap();
        hits.into_iter().map(|hit| hit.name).collect()
    }

    #[tokio::test]
    async fn a_search_finds_what_was_written_before_it_by_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder).await;
        assert_eq!(nearest(&engine, &[1.0, 0.0]).await, Vec::<String>::new());
        engine.put_vectors("c", vec![vector("x", &[1.0, 0.0]), vector("y", &[0.0, 3.0])]).await.unwrap();
        assert_eq!(nearest(&engine, &[9.0, 1.0]).await, ["x", "y"]);
        let reader =
            Engine::open(EngineConfig::new(folder.path().join("index.db")).read_only()).await.unwrap();
        assert_eq!(nearest(&reader, &[1.0, 9.0]).await, ["y", "x"]);
        engine.put_vectors("c", vec![vector("y", &[1.0, 0.1])]).await.unwrap();
        engine.delete_vectors("c", vec!["x".into()]).await.unwrap();
        for engine in [&engine, &reader] {
            assert_eq!(nearest(engine, &[1.0, 0.0]).await, ["y"]);
        }
        let refused = reader.delete_vectors("c", vec!["y".into()]).await.unwrap_err();
        assert!(matches!(refused, EngineError::Store(StoreError::ReadOnly { .. })));
        // Another of the same name and another dimension.
        engine.delete_collection("c").await.unwrap();
        engine.put_vectors("c", vec![vector("z", &[1.0])]).await.unwrap();
        assert_eq!(nearest(&reader, &[1.0]).await, ["z"]);
        let error = reader.search_collection("c", vec![1.0, 0.0], 2, 0.0).await.unwrap_err();
        assert!(matches!(error, EngineError::Dimension { expected: 1, received: 2, .. }), "{error}");
    }

    #[tokio::test]
    async fn what_users_add_outlives_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder).await;
        let path = RepoPath::new("src/a.rs").unwrap();
        engine.put_vectors("c", vec![vector("x", &[1.0, 0.0])]).await.unwrap();
        engine.put_file_metadata(&path, "{\"owner\":\"us\"}".into()).await.unwrap();
        engine.close().await;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            if !file.to_string_lossy().contains(".user") {
                std::fs::remove_file(file).unwrap();
            }
        }
        let engine = open(&folder).await;
        assert_eq!(nearest(&engine, &[1.0, 0.0]).await, ["x"]);
        assert_eq!(engine.file_metadata(&path).await.unwrap().unwrap().metadata, "{\"owner\":\"us\"}");
    }

    #[tokio::test]
    async fn a_vector_without_direction_is_refused_and_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder).await;
        for wrong in [&[0.0, 0.0][..], &[1.0, f32::NAN], &[f32::INFINITY, 0.0], &[]] {
            let vectors = vec![vector("good", &[1.0, 0.0]), vector("bad", wrong)];
            let error = engine.put_vectors("c", vectors).await.unwrap_err();
            assert!(matches!(&error, EngineError::UserVector { name, .. } if name == "bad"), "{error}");
        }
        assert_eq!(engine.collections().await.unwrap(), []);
    }
}
