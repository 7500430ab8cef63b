//! Search by words: the pages of the lexical index, in the same transactions as the files that they are of.

use crate::direct;
use crate::finding::Part;
use crate::step::reach;
use crate::{Store, StoreError};
use ast_core_lexical::{
    Bm25f, Changes, FileTerms, Filter, Frequencies, Hit, MAX_QUERY_TERMS, Manifest, Merge, Page, PageCache,
    PageId, Query, Search, Task, Update, plan_merges, run,
};
use ast_core_model::{ChunkId, FileId};
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Which chunks a search by words may find.
#[derive(Clone, Default)]
pub enum ChunkFilter {
    /// All of them.
    #[default]
    All,
    /// Those of these files.
    Files(Vec<FileId>),
    /// Those that a function takes; it is asked only of chunks that score high enough.
    Chunks(Arc<dyn Fn(ChunkId) -> bool + Send + Sync>),
}

impl fmt::Debug for ChunkFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("All"),
            Self::Files(files) => f.debug_tuple("Files").field(files).finish(),
            Self::Chunks(_) => f.write_str("Chunks"),
        }
    }
}

/// A commit may make one segment of some that have up to so many bytes for each byte that it adds, and up to the first
/// number in any case: what a commit costs stays in proportion to what it brings.
const MERGED_BYTES: u64 = 1 << 20;
const MERGED_FOR_ADDED: u64 = 8;

pub(crate) const PAGE: &str = "SELECT data FROM lexical_pages WHERE id = ?";
const PUT: &str = "INSERT OR REPLACE INTO lexical_pages (id, data) VALUES (?, ?)";
pub(crate) const DELETE: &str = "DELETE FROM lexical_pages WHERE id BETWEEN ? AND ?";

/// A table of pages, and the statements on it.
#[derive(Debug)]
pub(crate) struct PageTable {
    /// What is kept there.
    pub(crate) part: Part,
    page: &'static str,
    put: &'static str,
    delete: &'static str,
    names: &'static str,
}

impl PageTable {
    /// The pages of the index of words.
    pub(crate) const LEXICAL: Self = Self {
        part: Part::Lexical,
        page: PAGE,
        put: PUT,
        delete: DELETE,
        names: "SELECT id FROM lexical_pages ORDER BY id",
    };

    pub(crate) fn pages<'c>(&'static self, connection: &'c Connection) -> rusqlite::Result<Pages<'c>> {
        Ok(Pages { table: self, connection, page: connection.prepare(self.page)? })
    }
}

/// The pages in the store, as one transaction sees them.
pub(crate) struct Pages<'c> {
    table: &'static PageTable,
    connection: &'c Connection,
    page: Statement<'c>,
}

impl Pages<'_> {
    pub(crate) fn get(&mut self, id: PageId) -> rusqlite::Result<Option<Vec<u8>>> {
        self.page.query_row([id.get().cast_signed()], |row| row.get(0)).optional()
    }

    /// The names of all pages there are, in order; `None` for a key that is none.
    pub(crate) fn names(&self) -> rusqlite::Result<Vec<Option<PageId>>> {
        let mut names = self.connection.prepare(self.table.names)?;
        let name = |row: &rusqlite::Row<'_>| Ok(PageId::from_raw(row.get::<_, i64>(0)?.cast_unsigned()));
        names.query_map([], name)?.collect()
    }

    /// Takes everything out, damaged or not. What comes then has names that no page had before, as far as can be told:
    /// a commit makes one segment, and less than one more by merging.
    pub(crate) fn begin_anew(&mut self, generation: u64) -> Result<(), Failed> {
        let manifest = match self.get(PageId::MANIFEST)?.map(|page| Manifest::read(Some(page))) {
            Some(Ok(manifest)) => manifest,
            _ => Manifest::default(),
        };
        let last = self.names()?.into_iter().flatten().max();
        let made = PageId::from_raw(generation.saturating_mul(2).min(u64::from(u32::MAX >> 2)) << 32);
        let beyond = last.max(made).unwrap_or(PageId::MANIFEST);
        self.connection.execute(self.table.delete, [i64::MIN, i64::MAX])?;
        self.apply(manifest.begin_anew(beyond))?;
        Ok(())
    }

    fn manifest(&mut self) -> Result<Manifest, Failed> {
        Ok(Manifest::read(self.get(PageId::MANIFEST)?)?)
    }

    /// A page that is not there is found to be missing by who wants it.
    pub(crate) fn run<T: Task>(&mut self, task: T) -> Result<T::Output, Failed> {
        run(task, |wanted| self.fetch(wanted))
    }

    fn fetch(&mut self, wanted: &[PageId]) -> Result<Vec<Page>, Failed> {
        let mut pages = Vec::with_capacity(wanted.len());
        for &id in wanted {
            pages.extend(self.get(id)?.map(|data| Page { id, data }));
        }
        Ok(pages)
    }

    fn apply(&self, changes: Changes) -> rusqlite::Result<Manifest> {
        let mut delete = self.connection.prepare(self.table.delete)?;
        for range in changes.delete {
            delete.execute([range.start().get().cast_signed(), range.end().get().cast_signed()])?;
        }
        self.put(&changes.put)?;
        Ok(changes.manifest)
    }

    fn put(&self, pages: &[Page]) -> rusqlite::Result<()> {
        let mut put = self.connection.prepare(self.table.put)?;
        pages
            .iter()
            .try_for_each(|page| put.execute(params![page.id.get().cast_signed(), page.data]).map(drop))
    }
}

/// Why work on pages failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Lexical(#[from] ast_core_lexical::LexicalError),
}

impl Failed {
    pub(crate) fn into_store_error(self, path: &std::path::Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::from_rusqlite(path, error),
            Self::Lexical(error) => StoreError::from_lexical(path, error),
        }
    }
}

/// Takes the terms of some files out of the index, and puts those of others in.
pub(crate) fn update(
    connection: &Connection,
    path: &std::path::Path,
    removed: Vec<FileId>,
    added: Vec<(FileId, FileTerms)>,
    cache: &PageCache,
) -> Result<(), StoreError> {
    let work = || -> Result<(), Failed> {
        let mut pages = PageTable::LEXICAL.pages(connection)?;
        let before = pages.manifest()?;
        let bytes = before.bytes();
        let changes = pages.run(Update::new(before, removed, added, cache)?)?;
        let mut manifest = pages.apply(changes)?;
        reach("lexical/updated")?;
        let added = manifest.bytes().saturating_sub(bytes);
        let budget = MERGED_BYTES.max(added.saturating_mul(MERGED_FOR_ADDED));
        loop {
            let plan = plan_merges(&manifest, budget);
            if plan.is_empty() {
                return Ok(());
            }
            for segments in plan {
                let mut merge = Merge::new(manifest, &segments);
                while !merge.wanted().is_empty() {
                    let wanted = pages.fetch(merge.wanted())?;
                    merge.supply(wanted)?;
                    pages.put(&merge.take_pages())?;
                    reach("lexical/merging")?;
                }
                manifest = pages.apply(merge.finish()?)?;
                reach("lexical/merged")?;
            }
        }
    };
    work().map_err(|error| error.into_store_error(path))
}

impl Store {
    /// The chunks that hold any of the terms, best first by BM25F, ties by id.
    ///
    /// Terms must be cut as those of the index were; any text is safe, and what is no term is looked for in its parts.
    /// Of very many terms the rarest are looked for.
    pub async fn lexical_search(
        &self,
        terms: &[&str],
        ranking: Bm25f,
        filter: ChunkFilter,
        limit: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        let mut seen = HashSet::new();
        let is_separator = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
        let words = terms.iter().flat_map(|term| term.split(is_separator)).filter(|word| !word.is_empty());
        let words = words.map(str::to_ascii_lowercase).filter(|word| seen.insert(word.clone()));
        let words: Vec<String> = words.collect();
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let cache = self.lexical_cache.clone();
        let path = self.path().to_owned();
        let connection = self.reader().await?;
        direct::read(connection, path, move |connection, path| {
            let mut search = || -> Result<Vec<Hit>, Failed> {
                // All pages are of one generation.
                let transaction = connection.transaction()?;
                let mut pages = PageTable::LEXICAL.pages(&transaction)?;
                let manifest = pages.manifest()?;
                let mut terms: Vec<&str> = words.iter().map(String::as_str).collect();
                if terms.len() > MAX_QUERY_TERMS {
                    let frequencies = pages.run(Frequencies::new(&manifest, &terms, &cache)?)?;
                    let mut rarest: Vec<(u64, &str)> = frequencies.into_iter().zip(terms).collect();
                    rarest.retain(|(frequency, _)| *frequency > 0);
                    rarest.sort_unstable();
                    terms = rarest.into_iter().map(|(_, term)| term).take(MAX_QUERY_TERMS).collect();
                }
                let files = match &filter {
                    ChunkFilter::Files(files) => {
                        let mut files = files.clone();
                        files.sort_unstable();
                        files.dedup();
                        files
                    }
                    _ => Vec::new(),
                };
                let filter = match &filter {
                    ChunkFilter::All => Filter::All,
                    ChunkFilter::Files(_) => Filter::Files(&files),
                    ChunkFilter::Chunks(takes) => Filter::Chunks(&**takes),
                };
                let query = Query { terms: &terms, ranking, limit };
                pages.run(Search::new(&manifest, &query, filter, &cache)?)
            };
            search().map_err(|error| error.into_store_error(path))
        })
        .await
    }
}
