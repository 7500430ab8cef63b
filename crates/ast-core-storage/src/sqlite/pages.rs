//! The pages of an index of terms, in a table, as one transaction sees them.

use super::step::reach;
use crate::{Part, StoreError};
use ast_core_lexical::{
    Changes, FileTerms, LexicalError, Manifest, Merge, Page, PageCache, PageId, Task, Update, plan_merges,
    run,
};
use ast_core_model::FileId;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::path::Path;

/// A table of pages. Each is an index of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PageTable {
    /// The words of chunks.
    Words,
    /// The names in files.
    Names,
}

impl PageTable {
    pub(crate) const ALL: [Self; 2] = [Self::Words, Self::Names];

    /// One page.
    pub(crate) const fn get(self) -> &'static str {
        match self {
            Self::Words => "SELECT data FROM lexical_pages WHERE id = ?",
            Self::Names => "SELECT data FROM name_pages WHERE id = ?",
        }
    }

    /// Whether there is something to be found there.
    const fn has_any(self) -> &'static str {
        match self {
            Self::Words => "SELECT EXISTS (SELECT 1 FROM files WHERE chunks > 0)",
            Self::Names => "SELECT EXISTS (SELECT 1 FROM files WHERE symbols > 0)",
        }
    }

    /// What is kept there.
    pub(crate) const fn part(self) -> Part {
        match self {
            Self::Words => Part::Lexical,
            Self::Names => Part::Names,
        }
    }

    /// The names of all pages.
    const fn names(self) -> &'static str {
        match self {
            Self::Words => "SELECT id FROM lexical_pages ORDER BY id",
            Self::Names => "SELECT id FROM name_pages ORDER BY id",
        }
    }

    const fn put(self) -> &'static str {
        match self {
            Self::Words => "INSERT OR REPLACE INTO lexical_pages (id, data) VALUES (?, ?)",
            Self::Names => "INSERT OR REPLACE INTO name_pages (id, data) VALUES (?, ?)",
        }
    }

    pub(crate) const fn delete(self) -> &'static str {
        match self {
            Self::Words => "DELETE FROM lexical_pages WHERE id BETWEEN ? AND ?",
            Self::Names => "DELETE FROM name_pages WHERE id BETWEEN ? AND ?",
        }
    }
}

/// The pages of a table.
pub(crate) struct Pages<'c> {
    connection: &'c Connection,
    table: PageTable,
    get: Statement<'c>,
}

impl<'c> Pages<'c> {
    pub(crate) fn of(connection: &'c Connection, table: PageTable) -> rusqlite::Result<Self> {
        Ok(Self { connection, table, get: connection.prepare(table.get())? })
    }

    pub(crate) fn get(&mut self, id: PageId) -> rusqlite::Result<Option<Vec<u8>>> {
        self.get.query_row([id.get().cast_signed()], |row| row.get(0)).optional()
    }

    /// The names of all pages there are, in order; `None` for a key that is none.
    pub(crate) fn names(&self) -> rusqlite::Result<Vec<Option<PageId>>> {
        let mut names = self.connection.prepare(self.table.names())?;
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
        self.connection.execute(self.table.delete(), [i64::MIN, i64::MAX])?;
        self.apply(manifest.begin_anew(beyond))?;
        Ok(())
    }

    pub(crate) fn manifest(&mut self) -> Result<Manifest, Failed> {
        Ok(Manifest::read(self.get(PageId::MANIFEST)?)?)
    }

    /// The same for a search: that there is none is damage if there is something to be found.
    pub(crate) fn searched(&mut self) -> Result<Manifest, Failed> {
        let page = self.get(PageId::MANIFEST)?;
        if page.is_none() && self.connection.query_row(self.table.has_any(), [], |row| row.get(0))? {
            return Err(LexicalError::Missing { page: PageId::MANIFEST }.into());
        }
        Ok(Manifest::read(page)?)
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
        let mut delete = self.connection.prepare(self.table.delete())?;
        for range in changes.delete {
            delete.execute([range.start().get().cast_signed(), range.end().get().cast_signed()])?;
        }
        self.put(&changes.put)?;
        Ok(changes.manifest)
    }

    fn put(&self, pages: &[Page]) -> rusqlite::Result<()> {
        let mut put = self.connection.prepare(self.table.put())?;
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
    Lexical(#[from] LexicalError),
}

impl Failed {
    pub(crate) fn into_store_error(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::from_rusqlite(path, error),
            Self::Lexical(error) => StoreError::from_lexical(path, error),
        }
    }
}

/// A commit may make one segment of some that have up to so many bytes for each byte that it adds, and up to the first
/// number in any case: what a commit costs stays in proportion to what it brings.
const MERGED_BYTES: u64 = 1 << 20;
const MERGED_FOR_ADDED: u64 = 8;

/// Takes the terms of some files out of the index, and puts those of others in.
pub(crate) fn update(
    connection: &Connection,
    table: PageTable,
    removed: Vec<FileId>,
    added: Vec<(FileId, FileTerms)>,
    cache: &PageCache,
) -> Result<(), Failed> {
    let mut pages = Pages::of(connection, table)?;
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
}
