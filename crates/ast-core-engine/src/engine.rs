//! The engine: what is open, and what is shared by indexing and search.

use crate::config::{EngineConfig, INDEX_FOLDER};
use crate::discover::{Scope, Stamp};
use crate::embeddings::Embeddings;
use crate::jobs::{Jobs, Owner};
use crate::map::DefinitionGraph;
use crate::memory::{parsing, source_in_flight};
use crate::metrics::{Metrics, Stage};
use crate::process::ParsedFiles;
use crate::report::{Change, EmbedderChange, FileCounts, Stale, StatusReport};
use crate::snapshot::{Catalog, Snapshot};
use crate::step::reach;
use crate::user::UserData;
use crate::vector_file::{self, VectorFile};
use crate::{CancelToken, EngineError, Failure, IndexOptions, VectorError, tree_file, vectors};
use ast_core_batch::{BatchConfig, MemoryBudget, WorkerPool};
use ast_core_metrics::ProcessFigures;
use ast_core_model::FileId;
use ast_core_storage::{Access, FileStatus, FileVersion, SqliteStore, Store, StoreConfig, StoreError};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Instant;

/// Keys of what the engine notes in the store beside the rows.
pub(crate) mod meta_key {
    /// The tree.
    pub(crate) const ROOT: &str = "root";
    /// The settings that the content was made with.
    pub(crate) const PIPELINE: &str = "pipeline";
    pub(crate) const EMBEDDER: &str = "embedder";
    pub(crate) const DIMENSION: &str = "dimension";
    /// The first file id that was never given.
    pub(crate) const NEXT_FILE_ID: &str = "next_file_id";
    /// When the last run that came to its end began, in nanoseconds since 1970.
    pub(crate) const LAST_RUN: &str = "last_run_ns";
    /// The last generation whose files are to be parsed again in any case, because of a run that was to do so and did not
    /// come to its end; 0 if there is none.
    pub(crate) const OUTDATED: &str = "outdated_until";
    /// The last generation of which there may be files whose vectors are of the embedder before this one, as the run that
    /// makes them anew has not come to its end; 0 if there is none.
    pub(crate) const FOREIGN: &str = "other_embedder_until";
    /// Since the last run that came to its end: the generation before the first commit of the first run that did not, and
    /// when that began, in nanoseconds since 1970.
    pub(crate) const UNFINISHED: &str = "unfinished_since";
    /// Whether the last run came to its end.
    pub(crate) const COMPLETE: &str = "complete";
    pub(crate) const IGNORED: &str = "ignored";
    pub(crate) const UNSUPPORTED: &str = "unsupported";
}

/// An index of a source tree, open for indexing and search.
///
/// It may be used from many tasks at once: searches do not wait for an index run, and see each of its commits as it
/// is made.
pub struct Engine {
    pub(crate) config: Arc<EngineConfig>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index_turn: Arc<tokio::sync::Mutex<()>>,
    pub(crate) index_pool: Arc<Mutex<WorkerPool>>,
    /// For the files that are being parsed.
    pub(crate) parse_memory: MemoryBudget,
    pub(crate) search_pool: Arc<WorkerPool>,
    catalog: Arc<RwLock<Arc<Catalog>>>,
    snapshot: Arc<RwLock<Arc<Snapshot>>>,
    /// The stamp of a vector file that was found to be of no use.
    distrusted: Arc<Mutex<Option<Stamp>>>,
    refresh_turn: Arc<tokio::sync::Mutex<()>>,
    pub(crate) definition_graph: Arc<tokio::sync::Mutex<Arc<DefinitionGraph>>>,
    /// Vectors of what is put in order anew, from the first time on.
    pub(crate) reranking: Arc<OnceLock<Embeddings>>,
    pub(crate) parsed: Arc<Mutex<ParsedFiles>>,
    pub(crate) user: Arc<UserData>,
    /// The tree that was taken for that of the index before there was one.
    pub(crate) assumed_tree: Arc<Mutex<Option<PathBuf>>>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) metrics: Arc<Metrics>,
    /// `None` of what a job holds of the engine.
    owner: Option<Owner>,
}

impl Engine {
    /// Opens the index of the configuration. It is made if it is missing and the configuration is for writing.
    ///
    /// Must be called, and the engine used, inside of a tokio runtime with its timer enabled.
    ///
    /// # Errors
    /// [`EngineError::Store`] if it cannot be opened; [`EngineError::Pool`] if there are no threads to be had.
    pub async fn open(config: EngineConfig) -> Result<Self, EngineError> {
        if config.access == Access::Write {
            make_index_folder(&config.database)?;
        }
        let store = SqliteStore::open(&config.database, config.access, &config.store).await?;
        Self::open_with_store(Arc::new(store), config).await
    }

    /// Opens an index that is kept in a store of one's own. What the configuration says of where and how to open it,
    /// `database` and `access`, is taken from the store; `store` does not matter.
    ///
    /// An engine over a store that writes has to be the only one: jobs that are not over are taken for interrupted. A costly
    /// embedder's cache is beside the store unless it has a path of its own, which it needs where the store is no file.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub async fn open_with_store(store: Arc<dyn Store>, config: EngineConfig) -> Result<Self, EngineError> {
        let config = EngineConfig { database: store.path().to_owned(), access: store.access(), ..config };
        if config.access == Access::Write {
            store.interrupt_jobs().await?;
        }
        let dimension = config.embedder.model().dimension;
        let snapshot = Snapshot::empty(dimension, config.vectors)?;
        let jobs = Arc::<Jobs>::default();
        Ok(Self {
            index_pool: Arc::new(Mutex::new(WorkerPool::new(index_batch(&config))?)),
            parse_memory: MemoryBudget::new(parsing(config.batch.memory_budget)),
            search_pool: Arc::new(WorkerPool::new(BatchConfig {
                workers: config.batch.workers,
                ..BatchConfig::default()
            })?),
            store,
            index_turn: Arc::default(),
            catalog: Arc::default(),
            snapshot: Arc::new(RwLock::new(Arc::new(snapshot))),
            distrusted: Arc::default(),
            refresh_turn: Arc::default(),
            definition_graph: Arc::default(),
            reranking: Arc::default(),
            parsed: Arc::default(),
            user: Arc::new(UserData::of(&config)),
            assumed_tree: Arc::default(),
            metrics: Arc::new(Metrics::new(config.metrics)?),
            owner: Some(Owner::of(&jobs)),
            jobs,
            config: Arc::new(config),
        })
    }

    /// The same for a job: it does not keep the engine open.
    pub(crate) fn share(&self) -> Self {
        Self {
            config: self.config.clone(),
            store: self.store.clone(),
            index_turn: self.index_turn.clone(),
            index_pool: self.index_pool.clone(),
            parse_memory: self.parse_memory.clone(),
            search_pool: self.search_pool.clone(),
            catalog: self.catalog.clone(),
            snapshot: self.snapshot.clone(),
            distrusted: self.distrusted.clone(),
            refresh_turn: self.refresh_turn.clone(),
            definition_graph: self.definition_graph.clone(),
            reranking: self.reranking.clone(),
            parsed: self.parsed.clone(),
            user: self.user.clone(),
            assumed_tree: self.assumed_tree.clone(),
            jobs: self.jobs.clone(),
            metrics: self.metrics.clone(),
            owner: None,
        }
    }

    /// The settings it was opened with.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// Closes the index. Jobs that are under way are interrupted first, and may be [resumed](Self::resume) when it is
    /// opened again. Dropping the engine does so too, but does not wait.
    pub async fn close(self) {
        let Self { store, jobs, owner, .. } = self;
        drop(owner);
        jobs.rest().await;
        store.close().await;
    }

    /// What the index holds, what it left out and why, and how the tree differs from it.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn status(&self) -> Result<StatusReport, EngineError> {
        let begin = Instant::now();
        self.store.repository()?;
        let mut files = FileCounts {
            ignored: self.meta_number(meta_key::IGNORED).await?,
            unsupported: self.meta_number(meta_key::UNSUPPORTED).await?,
            ..FileCounts::default()
        };
        let mut failures = Vec::new();
        for record in self.store.files().await? {
            files.count_new(record.status);
            if record.status != FileStatus::Indexed {
                let reason = record.detail.unwrap_or_else(|| record.status.to_string());
                failures.push(Failure { path: record.path.to_string(), reason });
            }
        }
        let counts = self.store.counts().await?;
        let root = self.indexed_root().await?;
        let embedder = match self.store.meta(meta_key::EMBEDDER).await? {
            Some(id) => Some((id, self.meta_number(meta_key::DIMENSION).await? as usize)),
            None => None,
        };
        let versions = self.store.searchable_versions().await?;
        let foreign = foreign_files(&*self.store, &self.config).await?;
        let foreign = versions.iter().filter(|version| foreign.has(version.id)).count() as u64;
        Ok(StatusReport {
            files,
            bytes: counts.bytes,
            lines: counts.lines,
            symbols: counts.symbols,
            chunks: counts.chunks,
            generation: self.store.generation().await?,
            failures,
            stale: self.stale().await?,
            root,
            complete: self.is_complete().await?,
            embedder,
            configured_embedder: self.config.embedder.model().id.clone(),
            foreign_files: foreign,
            elapsed: begin.elapsed(),
            peak_rss_bytes: ProcessFigures::read().peak_rss_bytes,
            schema_version: self.store.schema_version(),
            format_version: crate::FORMAT_VERSION,
            vector_file: vector_file::report(&*self.store, &self.config).await?,
        })
    }

    /// How the tree differs from the index, in order of paths; `None` if it cannot be looked at. The tree is walked, and
    /// what seems to have changed is read.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn stale(&self) -> Result<Option<Vec<Stale>>, EngineError> {
        match self.indexed_root().await? {
            Some(root) => Ok(self.differences(&root).await),
            None => Ok(None),
        }
    }

    async fn differences(&self, root: &Path) -> Option<Vec<Stale>> {
        let plan = self.plan_run(root, &IndexOptions::default(), &Scope::Tree).await.ok()?.plan;
        let removed = plan.removed.iter().map(|record| (record.path.to_string(), Change::Removed));
        let mut stale: Vec<Stale> = removed.map(|(path, change)| Stale { path, change }).collect();
        let most = self.config.limits.max_bytes as u64;
        let read = blocking(move || {
            let mut stale = Vec::new();
            for file in plan.read {
                let path = file.source.path.to_string();
                match file.before {
                    None => stale.push(Stale { path, change: Change::New }),
                    Some(before) => {
                        let content = tree_file::read(&file.source.root, &file.source.path, most);
                        let hash = content.map(|bytes| ast_core_model::ContentHash::of(&bytes));
                        let same_size = file.source.stamp.size == before.size;
                        let is_same = match before.content_hash {
                            Some(before) => hash.is_ok_and(|hash| hash == before),
                            // It was never read: too large, or not readable.
                            None => {
                                let may_be_read =
                                    before.status == FileStatus::TooLarge && before.size <= most;
                                same_size && before.status != FileStatus::Indexed && !may_be_read
                            }
                        };
                        if !is_same {
                            stale.push(Stale { path, change: Change::Changed });
                        }
                    }
                }
            }
            stale
        });
        stale.extend(read.await.ok()?);
        stale.sort_unstable();
        Some(stale)
    }

    /// The tree that the index is of: that of its folder, or what the last run noted.
    pub(crate) async fn indexed_root(&self) -> Result<Option<PathBuf>, EngineError> {
        let noted = self.store.meta(meta_key::ROOT).await?.map(PathBuf::from);
        let folder = self.config.database.parent().filter(|folder| folder.ends_with(INDEX_FOLDER));
        let tree = folder
            .and_then(Path::parent)
            .map(|tree| if tree.as_os_str().is_empty() { Path::new(".") } else { tree });
        // An index that moved with its tree is the index of the tree where it is now.
        Ok(match (noted, tree.and_then(|tree| tree.canonicalize().ok())) {
            (None, _) => None,
            (Some(_), Some(tree)) => Some(tree),
            (noted, None) => noted,
        })
    }

    /// The tree, if it is there.
    pub(crate) async fn tree(&self) -> Result<Option<PathBuf>, EngineError> {
        Ok(self.indexed_root().await?.filter(|root| root.is_dir()))
    }

    /// The files that can be found, of this generation or a later one.
    pub(crate) async fn catalog(&self, generation: u64) -> Result<Arc<Catalog>, EngineError> {
        let known = self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.generation == generation {
            return Ok(known);
        }
        let catalog = Arc::new(Catalog::read(&*self.store, generation).await?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = catalog.clone();
        Ok(catalog)
    }

    /// The vectors of this generation or a later one, from the vector file if there is a newer one than they are from, and
    /// brought up from the store.
    pub(crate) async fn vectors(&self, generation: u64) -> Result<Arc<Snapshot>, EngineError> {
        let known = || self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known().generation == generation {
            return Ok(known());
        }
        // One brings it up, the others find it done.
        let _turn = self.refresh_turn.lock().await;
        let before = known();
        if before.generation == generation {
            return Ok(before);
        }
        // What is waited for is not part of it.
        let work = self.refresh(before, generation);
        self.metrics.time(Stage::Refresh, work, |(_, files)| *files).await.map(|(next, _)| next)
    }

    /// Brings the snapshot up; also how many files it has.
    async fn refresh(
        &self,
        before: Arc<Snapshot>,
        generation: u64,
    ) -> Result<(Arc<Snapshot>, usize), EngineError> {
        reach("snapshot/read")?;
        // Half of a generation is none: this one stays as it is until the next is whole.
        // That of another embedder is of no use, and not to be warned of.
        let file = match self.embedder_change().await? {
            Some(_) => None,
            None => self.newer_vector_file(&before).await?,
        };
        let next = match file {
            Some(file) => Snapshot::of_file(file),
            None => Snapshot::clone(&before),
        };
        drop(before);
        // They are not of an earlier generation than is asked for, nor than the file: what a commit adds meanwhile is read
        // again next time, not missed.
        let versions: Arc<[FileVersion]> = self.store.searchable_versions().await?.into();
        let foreign = Arc::new(foreign_files(&*self.store, &self.config).await?);
        let stamp = next.stamp();
        let files = versions.len();
        let next = match self.bring_up(next, generation, versions.clone(), foreign.clone()).await {
            Err(EngineError::Vector(error @ VectorError::Damaged { .. })) => {
                self.distrust(stamp, &error)?;
                self.bring_up(self.no_vectors()?, generation, versions, foreign).await?
            }
            brought_up => brought_up?,
        };
        let next = Arc::new(next);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = next.clone();
        Ok((next, files))
    }

    fn no_vectors(&self) -> Result<Snapshot, EngineError> {
        Snapshot::empty(self.config.embedder.model().dimension, self.config.vectors)
    }

    async fn bring_up(
        &self,
        mut next: Snapshot,
        generation: u64,
        versions: Arc<[FileVersion]>,
        foreign: Arc<Foreign>,
    ) -> Result<Snapshot, EngineError> {
        let turn = {
            let versions = versions.clone();
            move || next.turn_to(generation, &versions).map(|missing| (next, missing))
        };
        let (mut next, missing) = blocking(turn).await??;
        for files in vectors::batches(&missing, &versions, vectors::bytes_at_a_time(&self.config)) {
            let (others, own): (Vec<FileId>, Vec<FileId>) =
                files.iter().partition(|file| foreign.has(**file));
            let mut read = vectors::of_files(&*self.store, &self.config, &self.metrics, &own).await?;
            if !others.is_empty() {
                read.extend(self.store.vectors(&others).await?);
            }
            let (files, path, foreign) = (files.to_vec(), self.store.path().to_owned(), foreign.clone());
            let metrics = self.metrics.clone();
            next = blocking(move || {
                let mut timing = metrics.start(Stage::VectorInsert);
                let (vectors, bytes) = vectors::extent_of(&read);
                next.add(&files, read, &foreign, &path)?;
                timing.count(vectors, bytes);
                Ok::<_, EngineError>(next)
            })
            .await??;
        }
        Ok(next)
    }

    /// The vector file, if another is there than the snapshot was made from and than was found to be of no use.
    async fn newer_vector_file(&self, before: &Snapshot) -> Result<Option<VectorFile>, EngineError> {
        let stamp = vector_file::stamp_of(&vector_file::path_of(&self.config.database));
        if stamp.is_none() || stamp == before.stamp() || stamp == self.distrusted() {
            return Ok(None);
        }
        match VectorFile::open(&*self.store, &self.config).await {
            Err(EngineError::Vector(error)) => {
                self.distrust(stamp, &error)?;
                Ok(None)
            }
            opened => opened,
        }
    }

    fn distrusted(&self) -> Option<Stamp> {
        *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does without the vector file with this stamp from now on.
    pub(crate) fn distrust(&self, stamp: Option<Stamp>, error: &VectorError) -> Result<(), EngineError> {
        tracing::warn!(%error, "the vector file cannot be used; vectors are had from the store");
        *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && snapshot.stamp() == stamp {
            *snapshot = Arc::new(self.no_vectors()?);
        }
        Ok(())
    }

    /// Writes the vector file anew if that is worth it.
    pub(crate) async fn keep_vector_file(&self, cancel: &CancelToken) {
        vector_file::keep_up(&*self.store, &self.config, &self.metrics, self.distrusted(), cancel).await;
    }

    /// Refuses to work on what was made by another embedder or other settings.
    pub(crate) async fn check_pipeline(&self) -> Result<(), EngineError> {
        match self.other_embedder().await? {
            Some(indexed) => Err(self.other_pipeline(indexed)),
            None => Ok(()),
        }
    }

    /// The embedder of the index, if it is another than that of the configuration and all else is the same: then there are
    /// words to search by. An error for what does not say what it is: where that cannot be read, nor can what was noted
    /// beside it.
    pub(crate) async fn other_embedder(&self) -> Result<Option<String>, EngineError> {
        self.store.repository()?;
        let (current, of_rest) = (self.config.pipeline(), self.config.pipeline_of(""));
        match self.store.meta(meta_key::PIPELINE).await? {
            Some(indexed) if indexed != current => match indexed.strip_prefix(&of_rest) {
                Some(embedder) => Ok(Some(embedder.to_owned())),
                None => Err(self.other_pipeline(indexed)),
            },
            _ => Ok(None),
        }
    }

    pub(crate) fn other_pipeline(&self, indexed: String) -> EngineError {
        let (database, current) = (self.config.database.clone(), self.config.pipeline());
        EngineError::OtherPipeline { database, indexed, current }
    }

    /// What the next index run embeds anew because the index was made with another embedder; `None` if it was not.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn embedder_change(&self) -> Result<Option<EmbedderChange>, EngineError> {
        let now = &self.config.embedder.model().id;
        let before = self.store.meta(meta_key::EMBEDDER).await?.filter(|before| before != now);
        Ok(before.map(|before| EmbedderChange { before, now: now.clone() }))
    }

    /// Whether the last index run came to its end.
    pub(crate) async fn is_complete(&self) -> Result<bool, EngineError> {
        Ok(self.store.meta(meta_key::COMPLETE).await?.as_deref() == Some("true"))
    }

    pub(crate) async fn meta_number(&self, key: &str) -> Result<u64, EngineError> {
        Ok(self.store.meta(key).await?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

/// The embedder that made the vectors of the index at this path, and their dimension, without opening it for more. `None` if
/// there is no index, or it does not say: whoever opens it is told what is wrong with it.
pub async fn indexed_embedder(database: &Path) -> Option<(String, usize)> {
    let store = SqliteStore::open(database, Access::Read, &StoreConfig::default()).await.ok()?;
    let noted = (store.meta(meta_key::EMBEDDER).await, store.meta(meta_key::DIMENSION).await);
    store.close().await;
    Some((noted.0.ok()??, noted.1.ok()??.parse().ok()?))
}

/// The tree that an index is of, as its last run noted it; `None` if it cannot be read, or there was no run yet.
pub async fn indexed_root(database: &Path) -> Option<PathBuf> {
    let store = SqliteStore::open(database, Access::Read, &StoreConfig::default()).await.ok()?;
    let noted = store.meta(meta_key::ROOT).await;
    store.close().await;
    noted.ok()?.map(PathBuf::from)
}

/// Files whose vectors are of another embedder than that of the configuration, so that they are not to be searched by it.
pub(crate) enum Foreign {
    All,
    These(HashSet<FileId>),
}

impl Foreign {
    pub(crate) fn has(&self, file: FileId) -> bool {
        match self {
            Self::All => true,
            Self::These(files) => files.contains(&file),
        }
    }
}

/// The foreign files of a store. To be asked for after their versions: what a run makes anew meanwhile is gone by then.
pub(crate) async fn foreign_files(store: &dyn Store, config: &EngineConfig) -> Result<Foreign, EngineError> {
    let embedder = store.meta(meta_key::EMBEDDER).await?;
    if embedder.is_some_and(|embedder| embedder != config.embedder.model().id) {
        return Ok(Foreign::All);
    }
    let until = store.meta(meta_key::FOREIGN).await?.and_then(|until| until.parse().ok()).unwrap_or(0);
    Ok(Foreign::These(match until {
        0 => HashSet::new(),
        until => store.files_until(until).await?,
    }))
}

/// The bounds of an index run.
pub(crate) fn index_batch(config: &EngineConfig) -> BatchConfig {
    // One that waits for somebody else leaves the processors to others meanwhile.
    let calls = NonZeroUsize::new(config.embedder.parallel_calls()).unwrap_or(NonZeroUsize::MIN);
    BatchConfig {
        workers: config.batch.workers.max(calls),
        memory_budget: source_in_flight(config.batch.memory_budget),
        ..config.batch.clone()
    }
}

/// What git sees of the folder of an index: the settings of the tree, and nothing else.
const RULES: &str = "*\n!config.toml\n";

/// Makes the folder of an index that is in its tree, and keeps it out of the tree's repository.
fn make_index_folder(database: &Path) -> Result<(), EngineError> {
    let Some(folder) = database.parent().filter(|folder| folder.ends_with(INDEX_FOLDER)) else {
        return Ok(());
    };
    let failed = |error: std::io::Error| {
        let path = database.to_owned();
        EngineError::Store(match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path }
            }
            _ => StoreError::Open { path, reason: crate::discover::io_reason(&error) },
        })
    };
    match std::fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let rules = folder.join(".gitignore");
    if !rules.exists() {
        std::fs::write(rules, RULES).map_err(failed)?;
    }
    Ok(())
}

/// Runs work that takes long, or waits for the disk, where it does not hold up the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| EngineError::Internal { what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GrepQuery, IndexControl, SearchQuery, SimilarQuery};

    fn is_send<T: Send>(_: &T) {}

    /// A runtime of several threads moves futures about, and so does Node's.
    #[tokio::test]
    async fn what_is_asked_may_be_answered_on_any_thread() {
        let tree = tempfile::tempdir().unwrap();
        let open = Engine::open(EngineConfig::for_tree(tree.path()));
        is_send(&open);
        let engine = open.await.unwrap();
        is_send(&engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()));
        is_send(&engine.plan(tree.path(), &IndexOptions::default()));
        is_send(&engine.search(&SearchQuery::new("x")));
        is_send(&engine.grep(&GrepQuery::new("x")));
        is_send(&engine.similar(&SimilarQuery::of_place("x", 1)));
        is_send(&engine.status());
        is_send(&engine.close());
    }

    #[cfg(feature = "hnsw-rs")]
    #[tokio::test]
    async fn the_reference_index_finds_what_the_exact_one_finds() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::write(tree.path().join("a.py"), "def open_valve(pump):\n    return pump.open()\n").unwrap();
        std::fs::write(tree.path().join("b.py"), "def paint_fence(colour):\n    return colour\n").unwrap();
        let mut answers = Vec::new();
        for vectors in [crate::VectorBackend::Flat, crate::VectorBackend::HnswRs] {
            let engine =
                Engine::open(EngineConfig { vectors, ..EngineConfig::for_tree(tree.path()) }).await.unwrap();
            engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await.unwrap();
            let reply = engine.search(&SearchQuery::new("open the valve of a pump")).await.unwrap();
            answers.push(reply.hits.into_iter().map(|hit| hit.name).collect::<Vec<_>>());
            engine.close().await;
        }
        assert_eq!(answers[0].first(), Some(&Some("open_valve".to_owned())));
        assert_eq!(answers[0], answers[1]);
    }
}
