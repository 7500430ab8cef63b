//! The terms that begin with a word that is not typed to its end.

use crate::cache::{Expected, Held, PageCache};
use crate::dictionary::Terms;
use crate::error::Damage;
use crate::lookup::{Found, dead, root, want_roots};
use crate::manifest::{Manifest, Segment};
use crate::page::PageId;
use crate::task::unfinished;
use crate::{LexicalError, Page, Task};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A term, and in how many documents it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermCount {
    /// The term.
    pub term: String,
    /// In how many documents it is, one at least.
    pub documents: u64,
}

/// The terms that begin with some text and are in the most documents, in that order, equals in the order of their
/// bytes. All terms that begin so are read: with a short prefix that is a great part of the index.
#[derive(Debug)]
pub struct Expand<'a> {
    held: Held<'a>,
    segments: Vec<Segment>,
    prefix: Vec<u8>,
    limit: usize,
    stage: Stage,
    /// Segment by segment, the terms that begin so.
    found: Vec<Vec<(Vec<u8>, Found)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Roots,
    Terms,
    Postings,
}

impl<'a> Expand<'a> {
    /// Begins to look for at most so many terms.
    ///
    /// # Errors
    /// [`LexicalError::Damaged`].
    pub fn new(
        manifest: &Manifest,
        prefix: &str,
        limit: usize,
        cache: &'a PageCache,
    ) -> Result<Self, LexicalError> {
        let mut held = Held::new(cache);
        want_roots(&mut held, &manifest.segments);
        let mut expand = Self {
            held,
            segments: manifest.segments.clone(),
            prefix: prefix.as_bytes().to_vec(),
            limit,
            stage: Stage::Roots,
            found: Vec::new(),
        };
        expand.advance()?;
        Ok(expand)
    }

    fn advance(&mut self) -> Result<(), LexicalError> {
        while self.held.wanted().is_empty() && self.stage != Stage::Postings {
            let mut wanted = Vec::new();
            if self.stage == Stage::Roots {
                for segment in &self.segments {
                    wanted.extend(self.terms_pages(segment)?.map(|page| (page, Expected::Terms)));
                }
                self.stage = Stage::Terms;
            } else {
                for segment in &self.segments {
                    let mut found = Vec::new();
                    for id in self.terms_pages(segment)? {
                        let page = self.held.get(id)?.terms().map_err(|damage| damage.of(id))?;
                        self.read(segment, page, &mut found).map_err(|damage| damage.of(id))?;
                    }
                    if segment.dead_version > 0 {
                        wanted.extend(found.iter().flat_map(|(_, found)| found.pages()));
                    }
                    self.found.push(found);
                }
                self.stage = Stage::Postings;
            }
            self.held.want(wanted);
        }
        Ok(())
    }

    fn terms_pages(&self, segment: &Segment) -> Result<impl Iterator<Item = PageId> + use<>, LexicalError> {
        let root = root(&self.held, segment)?;
        let pages: Vec<u32> =
            root.find_prefix(&self.prefix).filter_map(|index| root.terms_page(index)).collect();
        let id = segment.id;
        Ok(pages.into_iter().map(move |page| PageId::new(id, page)))
    }

    fn read(&self, segment: &Segment, page: &[u8], found: &mut Vec<(Vec<u8>, Found)>) -> Result<(), Damage> {
        let mut terms = Terms::new(page);
        while let Some(entry) = terms.next()? {
            if terms.term().starts_with(&self.prefix) {
                found.push((terms.term().to_vec(), Found::read(segment, &entry)?));
            } else if terms.term() > self.prefix.as_slice() {
                break;
            }
        }
        Ok(())
    }
}

impl Task for Expand<'_> {
    type Output = Vec<TermCount>;

    fn wanted(&self) -> &[PageId] {
        self.held.wanted()
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        self.held.supply(pages)?;
        self.advance()
    }

    fn finish(self) -> Result<Vec<TermCount>, LexicalError> {
        unfinished(self.wanted())?;
        let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for (segment, found) in self.segments.iter().zip(self.found) {
            let dead = dead(&self.held, segment)?;
            for (term, found) in found {
                let documents = match dead {
                    Some(dead) => found.count_live(&self.held, segment.documents, dead)?,
                    None => u64::from(found.documents),
                };
                if documents > 0 {
                    *counts.entry(term).or_default() += documents;
                }
            }
        }
        let mut terms = Vec::with_capacity(counts.len());
        for (term, documents) in counts {
            let term = String::from_utf8(term)
                .map_err(|_| Damage("it has a term that is no text").of(PageId::MANIFEST))?;
            terms.push(TermCount { term, documents });
        }
        terms.sort_by_key(|count| Reverse(count.documents));
        terms.truncate(self.limit);
        Ok(terms)
    }
}
