//! What an index is kept in, whoever keeps it.

use crate::files::versions_of_files;
use crate::symbols::symbols_of_documents;
use crate::{
    ChunkFilter, Committed, Derive, Document, FileRecord, FileVectors, FileVersion, JobRecord, NameMatch,
    NamingFile, Repair, RepositoryId, StoreError, StoredDocument, SymbolQuery, SymbolRecord, Verification,
    WriteBatch,
};
use ast_core_lexical::{Bm25f, Hit, TrigramQuery};
use ast_core_model::{FileId, LanguageName, RepoPath};
use std::collections::HashSet;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

/// What a store is at, for as long as it takes.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To search it. Any number can at the same time, also while another writes.
    Read,
    /// To change it; it is made if it is missing. One can at a time.
    Write,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreCounts {
    /// Bytes of the files that are searchable.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Symbols.
    pub symbols: u64,
    /// Chunks.
    pub chunks: u64,
}

/// The index of one tree. [`SqliteStore`](crate::SqliteStore) keeps it in a file; what another keeps it in has to pass
/// the tests of `contract`.
///
/// # One repository
/// A store is bound to one [repository](Self::repository), and nothing that is asked of it names one. Where several are
/// kept in one place, the id of the repository is the first part of every key.
///
/// # Generations
/// Each commit that changes the index makes the next [generation](Self::generation). An answer is of one generation. Who
/// needs several answers of the same one goes by ids: a [`FileId`] names one version of a file and is never given again,
/// so what is read of it is of that version, or it is gone.
///
/// # Writers
/// One writes at a time. A backend keeps a second writer out as well as it can, and where that fails it fences off the
/// first: opening for writing raises the number of the writer, and whatever writes compares its own with it in its own
/// transaction. A writer that is not the last any more changes nothing, and is told [`StoreError::Fenced`].
///
/// # Errors
/// All but [`path`](Self::path), [`access`](Self::access) and [`schema_version`](Self::schema_version) may fail with
/// [`StoreError::Corrupt`] where what is kept cannot have been written; with [`StoreError::Replaced`] where it was put in
/// the place of what was opened; and with [`StoreError::Database`] and [`StoreError::Open`] where the backend does not
/// answer. Whatever writes, furthermore, with [`StoreError::ReadOnly`] if the store was opened for reading or cannot be
/// written; with [`StoreError::Fenced`]; with [`StoreError::Locked`] if another holds a lock for too long; and with
/// [`StoreError::DiskFull`].
pub trait Store: Send + Sync + 'static {
    /// Where it is: the path of its file, or what else names it to a user. What goes wrong with it is said of this.
    fn path(&self) -> &Path;

    /// What it was opened for.
    fn access(&self) -> Access;

    /// The version of the form in which its backend keeps an index.
    fn schema_version(&self) -> u32;

    /// The repository that it is of.
    fn repository(&self) -> Result<RepositoryId, StoreError>;

    /// The number of the last commit that changed something; 0 before the first.
    fn generation(&self) -> StoreFuture<'_, u64>;

    /// The value of a key, if it is set.
    fn meta<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<String>>;

    /// How much it holds.
    fn counts(&self) -> StoreFuture<'_, StoreCounts>;

    /// Every file that it knows of, in order of paths.
    fn files(&self) -> StoreFuture<'_, Vec<FileRecord>>;

    /// The files that came in with this generation or one before.
    fn files_until(&self, generation: u64) -> StoreFuture<'_, HashSet<FileId>>;

    /// The paths and languages of all searchable files, in order of ids.
    fn searchable_files(&self) -> StoreFuture<'_, Vec<(FileId, RepoPath, LanguageName)>>;

    /// The versions of all searchable files, in order of ids: what there is to tell whether something that was made from
    /// the store is still of it.
    ///
    /// A backend that has checksums of its rows answers with those, and sooner than [`files`](Self::files).
    fn searchable_versions(&self) -> StoreFuture<'_, Vec<FileVersion>> {
        Box::pin(versions_of_files(self))
    }

    /// The paths and languages of these files, in order of ids, each once; a file that is gone, or that is not
    /// searchable, is left out.
    fn paths<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileId, RepoPath, LanguageName)>>;

    /// These files and what was found in them, in order of ids, each once; a file that is gone, or of which nothing is
    /// kept, is left out.
    fn documents<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileRecord, Document)>>;

    /// The same without what takes longest to be read of a large file beside its text, for who needs neither:
    /// [`Document::references`] are empty, and the [hashes](ast_core_model::Chunk::hash) of chunks zero.
    fn outlines<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<(FileRecord, Document)>> {
        Box::pin(async move {
            let documents = self.documents(files).await?.into_iter();
            Ok(documents.map(|(record, document)| (record, document.into_outline())).collect())
        })
    }

    /// The same files with their documents as they are kept, to be read where and as far as they are wanted.
    fn stored_documents<'a>(
        &'a self,
        files: &'a [FileId],
    ) -> StoreFuture<'a, Vec<(FileRecord, StoredDocument)>>;

    /// The searchable files whose sources may have what a query of trigrams asks for, in order of ids: all that have, and few
    /// others. Of one whose source is in UTF-16 nothing can be told, so it is among them.
    ///
    /// A backend that keeps no signatures gives all.
    fn files_with<'a>(&'a self, query: &'a TrigramQuery) -> StoreFuture<'a, Vec<FileVersion>> {
        let _ = query;
        self.searchable_versions()
    }

    /// The vectors of these files, in order of ids, each once; a file that is gone, or has no chunks, is left out. Of one
    /// that was stored without vectors there are none, but the kinds of its chunks.
    fn vectors<'a>(&'a self, files: &'a [FileId]) -> StoreFuture<'a, Vec<FileVectors>>;

    /// The files that have a name, each once, in order of ids.
    ///
    /// It may be more than those: [`NameMatch::Exact`] finds what [`NameMatch::IgnoreCase`] does, and names that are
    /// alike in their first 128 bytes are not told apart. The document tells.
    fn files_naming<'a>(&'a self, name: &'a str, matching: NameMatch) -> StoreFuture<'a, Vec<NamingFile>>;

    /// The definitions whose names match, in order of ids. The next page begins after the last of them.
    fn symbols<'a>(&'a self, query: &'a SymbolQuery) -> StoreFuture<'a, Vec<SymbolRecord>> {
        Box::pin(symbols_of_documents(self, query))
    }

    /// The chunks that hold any of the terms, best first by BM25F, ties by id; at most `limit`.
    ///
    /// Terms must be cut as those of the index were; any text is safe, and what is no term is looked for in its parts.
    /// Of very many terms the rarest are looked for.
    ///
    /// # Errors
    /// [`StoreError::Lexical`] if the ranking makes no sense.
    fn lexical_search<'a>(
        &'a self,
        terms: &'a [&'a str],
        ranking: Bm25f,
        filter: ChunkFilter,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Hit>>;

    /// Applies a batch in one transaction. A file takes the place of what is at its path.
    ///
    /// If that changes the index, it is a new generation. A file that is there already, in this very version, is left as
    /// it is: a batch may be committed again by who was not told whether it had been, and then changes nothing. So does a
    /// batch that says what the store knows, and how far a job is makes no generation either.
    ///
    /// Once it returns, the batch survives the end of the process however it comes; see [`settle`](Self::settle) for the
    /// end of the machine. After an error nothing of the batch is applied, and the store is as good as before. If it is
    /// dropped before it returns, all of the batch is applied, or nothing.
    ///
    /// # Errors
    /// [`StoreError::InvalidFile`] if the id of a file names another version of a file, or a path is there twice;
    /// [`StoreError::OutOfRange`] if a number is too large to be kept.
    fn commit(&self, batch: WriteBatch) -> StoreFuture<'_, Committed>;

    /// Makes what was committed survive a power loss, as far as the device keeps its word; best done after a large change.
    fn settle(&self) -> StoreFuture<'_, ()>;

    /// Notes a new job, whose `id` is ignored, and gives the id that it has from now on. Of those that are over, and of
    /// them only, the oldest are dropped, so that a hundred are kept.
    fn add_job<'a>(&'a self, job: &'a JobRecord) -> StoreFuture<'a, u64>;

    /// Notes where a job stands: its state, times, error and progress. One that is gone stays so.
    fn put_job<'a>(&'a self, job: &'a JobRecord) -> StoreFuture<'a, ()>;

    /// Notes that the jobs that are not over have been interrupted. True of all of them when a store was just opened for
    /// writing: nobody else can be running one.
    fn interrupt_jobs(&self) -> StoreFuture<'_, ()>;

    /// The job with this number, if there is one.
    fn job(&self, id: u64) -> StoreFuture<'_, Option<JobRecord>>;

    /// All jobs, the newest first.
    fn jobs(&self) -> StoreFuture<'_, Vec<JobRecord>>;

    /// Reads everything and says what is wrong: what the backend finds, then each row, each document and what follows from
    /// it, the indexes of words and of names, and what of all this is not the others'. A store that is written meanwhile is
    /// seen as it was at the beginning. Damage is no error.
    ///
    /// It takes about as long as making all that `derive` makes.
    fn verify(&self, derive: Box<dyn Derive>) -> StoreFuture<'_, Verification>;

    /// Verifies the store and mends what is wrong, in one transaction: what follows from documents is made anew, and a
    /// file whose document is damaged is taken out, so that the next index run reads it again.
    ///
    /// What only setting the whole store aside mends is left as it is, and all the rest with it.
    fn repair(&self, derive: Box<dyn Derive>) -> StoreFuture<'_, Repair>;

    /// Closes it, if nobody else has it. Dropping the last of it does so too, but does not wait. A commit that nobody waits
    /// for any more comes to its end first.
    fn close(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
