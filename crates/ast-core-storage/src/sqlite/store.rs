//! The store: opening it, and what it says of itself.

use super::connection::{Identity, Writer, resolve};
use super::direct;
use super::fence::{REPOSITORY, value};
use super::pages::PageTable;
use super::readers::{Lent, Readers};
use super::step::reach;
use super::{StoreConfig, schema};
use crate::document::Wanted;
use crate::{
    Access, ChunkFilter, Committed, Derive, Document, FileRecord, FileVectors, FileVersion, JobRecord,
    NameMatch, NamingFile, Repair, RepositoryId, Store, StoreCounts, StoreError, StoreFuture, StoredDocument,
    Verification, WriteBatch,
};
use ast_core_lexical::{Bm25f, Hit, PageCache, TrigramQuery};
use ast_core_model::{FileId, LanguageName, RepoPath};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The key of the number of the last commit.
pub(crate) const GENERATION: &str = "generation";

pub(crate) const META: &str = "SELECT value FROM meta WHERE key = ?";

const HAS_FILES: &str = "SELECT EXISTS (SELECT 1 FROM files)";

/// The index of one tree, in a SQLite database.
///
/// Reads go through a pool and never wait for a writer; all writes go through one connection, one transaction after the
/// other. A lock of the operating system keeps other writers out.
pub struct SqliteStore {
    pub(crate) path: PathBuf,
    identity: Identity,
    /// Empty where the database does not say, for it is damaged.
    repository: Arc<OnceLock<RepositoryId>>,
    readers: Readers,
    pub(crate) caches: Caches,
    /// `None` if the store was opened for reading.
    pub(crate) writer: Option<Arc<Mutex<Writer>>>,
}

/// Pages of the indexes of terms that were read, in memory.
#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) words: Arc<PageCache>,
    pub(crate) names: Arc<PageCache>,
}

impl Caches {
    pub(crate) fn of(&self, table: PageTable) -> &PageCache {
        match table {
            PageTable::Words => &self.words,
            PageTable::Names => &self.names,
        }
    }
}

impl SqliteStore {
    /// The version of the tables that this program writes.
    pub const SCHEMA_VERSION: u32 = schema::VERSION;

    /// Opens the store at this path. Needs a Tokio runtime with timers.
    ///
    /// A store in a directory that cannot be written is read as well, as long as nothing is left to recover from its
    /// last writer; when somebody who can does write to it, it has to be opened again. So it has when the file is removed
    /// or replaced: whatever is asked then is refused with [`StoreError::Replaced`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none and `access` is [`Access::Read`]; [`StoreError::Locked`] if another
    /// process writes and `access` is [`Access::Write`]; [`StoreError::NotADatabase`], [`StoreError::Foreign`],
    /// [`StoreError::NewerSchema`] and [`StoreError::Corrupt`] if the file is not what it should be, and then it is
    /// left as it is; [`StoreError::ReadOnly`], [`StoreError::DiskFull`] and [`StoreError::Open`] if the system does not
    /// let.
    pub async fn open(path: &Path, access: Access, config: &StoreConfig) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing { path: path.to_owned() };
        let exists = match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return Err(StoreError::Open { path: path.to_owned(), reason: "it is a directory".into() });
            }
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => {
                return Err(StoreError::Open { path: path.to_owned(), reason: error.to_string() });
            }
        };
        if !exists && access == Access::Read {
            return Err(missing());
        }
        let file = resolve(path)?;
        if exists {
            schema::check_untouched(path, &file).await?;
        }
        let repository = Arc::<OnceLock<RepositoryId>>::default();
        let writer = match access {
            Access::Read => None,
            Access::Write => {
                Some(Arc::new(Mutex::new(Writer::open(path, &file, config, repository.clone()).await?)))
            }
        };
        let identity = Identity::of(&file);
        let readers = Readers::open(path, &file, config).await?;
        let cache =
            |share: usize| Arc::new(PageCache::new(config.lexical_cache_kib as usize * 1024 / 4 * share));
        let caches = Caches { words: cache(3), names: cache(1) };
        let store = Self { path: path.to_owned(), identity, repository, readers, caches, writer };
        if access == Access::Read {
            let version = direct::read(store.reader().await?, path.to_owned(), |connection, path| {
                schema::check(connection, path)
            });
            if version.await? < schema::VERSION {
                // An older store is brought up by the next writer; its tables may not be what is asked for.
                return Err(missing());
            }
        }
        if let Some(Ok(id)) = store.meta(REPOSITORY).await?.map(|text| text.parse()) {
            // It was empty.
            let _ = store.repository.set(id);
        }
        Ok(store)
    }

    /// Closes all connections. Dropping the store does so too, but does not wait.
    pub async fn close(self) {
        self.readers.close().await;
        if let Some(writer) = self.writer {
            // A commit that nobody waits for any more comes to its end first.
            drop(writer.lock().await);
            if let Some(writer) = Arc::into_inner(writer) {
                // What is committed is safe whatever closing says.
                let _ = writer.into_inner().close().await;
            }
        }
    }

    pub(crate) async fn generation(&self) -> Result<u64, StoreError> {
        let noted = direct::look(self.reader().await?, self.path.clone(), |connection| {
            let noted = value(connection, GENERATION)?;
            // Whatever brought a file in has noted one.
            let has_files = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
            let is_lost = noted.is_none() && connection.query_row(HAS_FILES, [], has_files)?;
            Ok((noted, is_lost))
        });
        match noted.await? {
            (Some(text), _) => text.parse().map_err(|_| self.corrupt(format!("generation {text:?}"))),
            (None, true) => Err(self.corrupt("it has files, and does not say of which generation they are")),
            (None, false) => Ok(0),
        }
    }

    pub(crate) async fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        direct::look(self.reader().await?, self.path.clone(), move |connection| value(connection, &key)).await
    }

    /// Lets the write-ahead log flow back into the database. Until then, what was committed survives only the end of the
    /// process.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        let Some(writer) = &self.writer else { return Ok(()) };
        self.identity.check(&self.path)?;
        let mut writer = writer.lock().await;
        let failed = |error| self.failed(error);
        let connection = writer.ready().await.map_err(failed)?;
        reach("settle").map_err(|error| StoreError::from_rusqlite(&self.path, error))?;
        // No statistics are gathered: queries go by keys, and are to go on doing so.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await.map(drop).map_err(failed)
    }

    pub(crate) async fn reader(&self) -> Result<Lent, StoreError> {
        self.identity.check(&self.path)?;
        self.readers.acquire(&self.path).await
    }

    /// The connection that writes, for whoever gets it next.
    pub(crate) async fn writer(&self) -> Result<OwnedMutexGuard<Writer>, StoreError> {
        let read_only = || StoreError::ReadOnly { path: self.path.clone() };
        self.identity.check(&self.path)?;
        Ok(self.writer.clone().ok_or_else(read_only)?.lock_owned().await)
    }

    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, error)
    }

    pub(crate) fn corrupt(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), reason: reason.into() }
    }
}

impl Store for SqliteStore {
    fn path(&self) -> &Path {
        &self.path
    }

    fn access(&self) -> Access {
        if self.writer.is_some() { Access::Write } else { Access::Read }
    }

    fn schema_version(&self) -> u32 {
        Self::SCHEMA_VERSION
    }

    fn repository(&self) -> Result<RepositoryId, StoreError> {
        self.identity.check(&self.path)?;
        self.repository
            .get()
            .copied()
            .ok_or_else(|| self.corrupt("it does not say which repository it is of"))
    }

    fn generation(&self) -> StoreFuture<'_, u64> {
        Box::pin(Self::generation(self))
    }

    fn meta<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<String>> {
        Box::pin(Self::meta(self, key))
    }

    fn counts(&self) -> StoreFuture<'_, StoreCounts> {
        Box::pin(Self::counts(self))
    }

    fn files(&self) -> StoreFuture<'_, Vec<FileRecord>> {
        Box::pin(Self::files(self))
    }

    fn files_until(&self, generation: u64) -> StoreFuture<'_, HashSet<FileId>> {
        Box::pin(Self::files_until(self, generation))
    }

    fn searchable_files(&self) -> StoreFuture<'_, Vec<(FileId, RepoPath, LanguageName)>> {
        Box::pin(Self::searchable_files(self))
    }

    fn searchable_versions(&self) -> StoreFuture<'_, Vec<FileVersion>> {
        Box::pin(Self::searchable_versions(self))
    }

    fn paths<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileId, RepoPath, LanguageName)>> {
        Box::pin(Self::paths(self, files))
    }

    fn documents<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileRecord, Document)>> {
        Box::pin(Self::documents(self, files, Wanted::All))
    }

    fn outlines<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileRecord, Document)>> {
        Box::pin(Self::documents(self, files, Wanted::Outline))
    }

    fn stored_documents<'a>(
        &'a self,
        files: &'a [FileId],
    ) -> StoreFuture<'a, Vec<(FileRecord, StoredDocument)>> {
        Box::pin(Self::stored_documents(self, files))
    }

    fn files_with<'a>(&'a self, query: &'a TrigramQuery) -> StoreFuture<'a, Vec<FileVersion>> {
        Box::pin(Self::files_with(self, query))
    }

    fn vectors<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<FileVectors>> {
        Box::pin(Self::vectors(self, files))
    }

    fn files_naming<'a>(&'a self, name: &'a str, matching: NameMatch) -> StoreFuture<'a, Vec<NamingFile>> {
        Box::pin(Self::files_naming(self, name, matching))
    }

    fn lexical_search<'a>(
        &'a self,
        terms: &'a [&'a str],
        ranking: Bm25f,
        filter: ChunkFilter,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Hit>> {
        Box::pin(Self::lexical_search(self, terms, ranking, filter, limit))
    }

    fn commit(&self, batch: WriteBatch) -> StoreFuture<'_, Committed> {
        Box::pin(Self::commit(self, batch))
    }

    fn settle(&self) -> StoreFuture<'_, ()> {
        Box::pin(Self::settle(self))
    }

    fn add_job<'a>(&'a self, job: &'a JobRecord) -> StoreFuture<'a, u64> {
        Box::pin(Self::add_job(self, job))
    }

    fn put_job<'a>(&'a self, job: &'a JobRecord) -> StoreFuture<'a, ()> {
        Box::pin(Self::put_job(self, job))
    }

    fn interrupt_jobs(&self) -> StoreFuture<'_, ()> {
        Box::pin(Self::interrupt_jobs(self))
    }

    fn job(&self, id: u64) -> StoreFuture<'_, Option<JobRecord>> {
        Box::pin(Self::job(self, id))
    }

    fn jobs(&self) -> StoreFuture<'_, Vec<JobRecord>> {
        Box::pin(Self::jobs(self))
    }

    fn verify(&self, derive: Box<dyn Derive>) -> StoreFuture<'_, Verification> {
        Box::pin(Self::verify(self, derive))
    }

    fn repair(&self, derive: Box<dyn Derive>) -> StoreFuture<'_, Repair> {
        Box::pin(Self::repair(self, derive))
    }

    fn close(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if let Some(store) = Arc::into_inner(self) {
                store.close().await;
            }
        })
    }
}
