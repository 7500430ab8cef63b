//! Pages that were read, kept and read again.

use crate::documents::{DOCS, Dead, Documents};
use crate::error::Damage;
use crate::page::Kind;
use crate::root::Root;
use crate::score::FIELDS;
use crate::{LexicalError, Page, PageId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A page, verified and taken apart as far as it pays.
#[derive(Debug)]
pub(crate) enum Content {
    Root(Root),
    Documents(Documents),
    Terms(Vec<u8>),
    Postings(Vec<u8>),
    Dead(Dead),
}

/// What a page is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Root,
    Documents,
    Terms,
    Postings,
    /// Of a segment of so many documents.
    Dead(u32),
}

impl Content {
    pub(crate) fn read(page: Page, expected: Expected) -> Result<Self, LexicalError> {
        Ok(match expected {
            Expected::Root => Self::Root(Root::read(&page)?),
            Expected::Documents => Self::Documents(Documents::read(&page)?),
            Expected::Terms => Self::Terms(page.into_content(Kind::Terms)?),
            Expected::Postings => Self::Postings(page.into_content(Kind::Postings)?),
            Expected::Dead(documents) => Self::Dead(Dead::read(&page, documents)?),
        })
    }

    /// About how many bytes of memory it takes.
    fn memory(&self) -> usize {
        const OVERHEAD: usize = 128;
        OVERHEAD
            + match self {
                Self::Root(root) => root.memory(),
                Self::Documents(documents) => {
                    DOCS * size_of::<[u32; FIELDS]>() + size_of_val(documents.runs.as_slice())
                }
                Self::Terms(bytes) | Self::Postings(bytes) => bytes.capacity(),
                Self::Dead(dead) => dead.memory(),
            }
    }

    pub(crate) fn root(&self) -> Result<&Root, Damage> {
        if let Self::Root(root) = self { Ok(root) } else { Err(OTHER) }
    }

    pub(crate) fn documents(&self) -> Result<&Documents, Damage> {
        if let Self::Documents(documents) = self { Ok(documents) } else { Err(OTHER) }
    }

    pub(crate) fn terms(&self) -> Result<&[u8], Damage> {
        if let Self::Terms(terms) = self { Ok(terms) } else { Err(OTHER) }
    }

    pub(crate) fn postings(&self) -> Result<&[u8], Damage> {
        if let Self::Postings(postings) = self { Ok(postings) } else { Err(OTHER) }
    }

    pub(crate) fn dead(&self) -> Result<&Dead, Damage> {
        if let Self::Dead(dead) = self { Ok(dead) } else { Err(OTHER) }
    }
}

const OTHER: Damage = Damage("it is of another kind");

/// Pages in memory, shared by the searches of one index. As the pages of a name never change it is never stale; those
/// of segments that are gone make room for others in time.
#[derive(Debug)]
pub struct PageCache {
    capacity: usize,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    by_id: HashMap<PageId, (Arc<Content>, u64)>,
    memory: usize,
    /// Goes up with every use.
    clock: u64,
}

impl PageCache {
    /// An empty cache that takes up to about so many bytes of memory.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, pages: Mutex::default() }
    }

    /// About how many bytes of memory its pages take.
    pub fn memory(&self) -> usize {
        self.lock().memory
    }

    /// Forgets all pages: for an index that is made anew under the same names.
    pub fn clear(&self) {
        *self.lock() = Pages::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pages> {
        // A panic leaves no more behind than a wrong sum.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the wanted pages that are here.
    fn get(&self, wanted: &[(PageId, Expected)], mut emit: impl FnMut(PageId, Arc<Content>)) {
        let mut pages = self.lock();
        pages.clock += 1;
        let clock = pages.clock;
        for (id, _) in wanted {
            if let Some((content, used)) = pages.by_id.get_mut(id) {
                *used = clock;
                emit(*id, content.clone());
            }
        }
    }

    fn insert(&self, new: &[(PageId, Arc<Content>)]) {
        let mut pages = self.lock();
        pages.clock += 1;
        let clock = pages.clock;
        for (id, content) in new {
            let memory = content.memory();
            if memory <= self.capacity && pages.by_id.insert(*id, (content.clone(), clock)).is_none() {
                pages.memory += memory;
            }
        }
        if pages.memory > self.capacity {
            pages.shrink(self.capacity / 4 * 3);
        }
    }
}

impl Pages {
    /// Lets go of what was not used for the longest time.
    fn shrink(&mut self, goal: usize) {
        let mut by_use: Vec<(u64, PageId)> = self.by_id.iter().map(|(id, (_, used))| (*used, *id)).collect();
        by_use.sort_unstable();
        for (_, id) in by_use {
            if self.memory <= goal {
                break;
            }
            if let Some((content, _)) = self.by_id.remove(&id) {
                self.memory = self.memory.saturating_sub(content.memory());
            }
        }
    }
}

/// The pages that a task has and wants.
#[derive(Debug)]
pub(crate) struct Held<'c> {
    cache: &'c PageCache,
    pages: HashMap<PageId, Arc<Content>>,
    expected: Vec<(PageId, Expected)>,
    wanted: Vec<PageId>,
}

impl<'c> Held<'c> {
    pub(crate) fn new(cache: &'c PageCache) -> Self {
        Self { cache, pages: HashMap::new(), expected: Vec::new(), wanted: Vec::new() }
    }

    pub(crate) fn wanted(&self) -> &[PageId] {
        &self.wanted
    }

    /// Asks for pages; those that are in the cache are there at once.
    pub(crate) fn want(&mut self, pages: impl IntoIterator<Item = (PageId, Expected)>) {
        self.expected.extend(pages);
        self.expected.sort_unstable_by_key(|(id, _)| *id);
        self.expected.dedup_by_key(|(id, _)| *id);
        self.expected.retain(|(id, _)| !self.pages.contains_key(id));
        self.cache.get(&self.expected, |id, content| {
            self.pages.insert(id, content);
        });
        self.expected.retain(|(id, _)| !self.pages.contains_key(id));
        self.wanted.extend(self.expected.iter().map(|(id, _)| *id));
    }

    pub(crate) fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        let mut new = Vec::with_capacity(self.expected.len());
        for page in pages {
            if let Ok(at) = self.expected.binary_search_by_key(&page.id, |(id, _)| *id) {
                new.push((page.id, Arc::new(Content::read(page, self.expected[at].1)?)));
            }
        }
        self.pages.extend(new.iter().cloned());
        self.cache.insert(&new);
        self.wanted.clear();
        match std::mem::take(&mut self.expected).iter().find(|(id, _)| !self.pages.contains_key(id)) {
            Some(&(page, _)) => Err(LexicalError::Missing { page }),
            None => Ok(()),
        }
    }

    /// A page that was asked for before.
    pub(crate) fn get(&self, page: PageId) -> Result<&Arc<Content>, LexicalError> {
        self.pages.get(&page).ok_or(LexicalError::Missing { page })
    }
}
