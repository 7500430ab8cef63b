//! Files come and go.

use crate::build::{FileTerms, build};
use crate::cache::{Expected, Held, PageCache};
use crate::documents::Dead;
use crate::lookup::{dead, root, want_roots};
use crate::manifest::{Manifest, Segment};
use crate::page::{MAX_NUMBER, Page, PageId};
use crate::root::Root;
use crate::score::Totals;
use crate::task::unfinished;
use crate::{LexicalError, Task};
use ast_core_model::FileId;
use std::ops::RangeInclusive;

/// What is to be done to the pages, in one transaction: first delete, then put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The index as it is then.
    pub manifest: Manifest,
    /// Pages to be deleted: all names in these ranges.
    pub delete: Vec<RangeInclusive<PageId>>,
    /// Pages to be put, the manifest among them; it may take the place of one that is there.
    pub put: Vec<Page>,
}

/// Takes files out and puts others in.
///
/// What is removed stays in the pages and is counted out by searches, until a [`Merge`](crate::Merge) leaves it out.
#[derive(Debug)]
pub struct Update<'a> {
    manifest: Manifest,
    /// In order, each once.
    removed: Vec<FileId>,
    added: Vec<(FileId, FileTerms)>,
    held: Held<'a>,
    /// The segments that may have removed files.
    touched: Vec<Segment>,
    has_roots: bool,
}

impl<'a> Update<'a> {
    /// Begins a change. A removed file that is not there is gone already. The id of an added file is new to the index.
    ///
    /// # Errors
    /// [`LexicalError::Damaged`].
    pub fn new(
        manifest: Manifest,
        mut removed: Vec<FileId>,
        added: Vec<(FileId, FileTerms)>,
        cache: &'a PageCache,
    ) -> Result<Self, LexicalError> {
        removed.sort_unstable();
        removed.dedup();
        let has_removed = |segment: &&Segment| removed.iter().any(|&file| segment.may_have(file));
        let touched: Vec<Segment> = manifest.segments.iter().filter(has_removed).copied().collect();
        let mut held = Held::new(cache);
        want_roots(&mut held, &touched);
        let mut update = Self { manifest, removed, added, held, touched, has_roots: false };
        update.advance()?;
        Ok(update)
    }

    fn advance(&mut self) -> Result<(), LexicalError> {
        if self.held.wanted().is_empty() && !self.has_roots {
            self.has_roots = true;
            let mut wanted = Vec::new();
            for segment in &self.touched {
                wanted.extend(self.pages(segment)?.map(|(id, _)| (id, Expected::Documents)));
            }
            self.held.want(wanted);
        }
        Ok(())
    }

    /// The pages of documents that may have removed files, and their places in the segment.
    fn pages(
        &self,
        segment: &Segment,
    ) -> Result<impl Iterator<Item = (PageId, usize)> + use<>, LexicalError> {
        let root = root(&self.held, segment)?;
        let mut pages = Vec::new();
        for &file in self.removed.iter().filter(|&&file| segment.may_have(file)) {
            pages.extend(root.find_file(file));
        }
        pages.sort_unstable();
        pages.dedup();
        let id = segment.id;
        Ok(pages.into_iter().map(move |page| (PageId::new(id, Root::documents_page(page)), page)))
    }

    /// Marks the removed documents of a segment; what they sum up to.
    fn remove(&self, segment: &Segment) -> Result<(Dead, Totals), LexicalError> {
        let mut gone = Totals::default();
        let mut now = dead(&self.held, segment)?.cloned().unwrap_or_else(|| Dead::none(segment.documents));
        for (id, page) in self.pages(segment)? {
            let documents = self.held.get(id)?.documents().map_err(|damage| damage.of(id))?;
            for (place, run) in documents.placed() {
                if self.removed.binary_search(&run.file).is_err() {
                    continue;
                }
                for place in place..place + run.count as usize {
                    let doc = (page * crate::documents::DOCS + place) as u32;
                    if !now.contains(doc) {
                        now.insert(doc);
                        gone.add_document(documents.lengths[place]);
                    }
                }
            }
        }
        Ok((now, gone))
    }
}

impl Task for Update<'_> {
    type Output = Changes;

    fn wanted(&self) -> &[PageId] {
        self.held.wanted()
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        self.held.supply(pages)?;
        self.advance()
    }

    fn finish(self) -> Result<Changes, LexicalError> {
        unfinished(self.wanted())?;
        let mut manifest = self.manifest.clone();
        let (mut put, mut delete) = (Vec::new(), Vec::new());
        for segment in &self.touched {
            let (dead, gone) = self.remove(segment)?;
            if gone.documents == 0 {
                continue;
            }
            let Some(at) = manifest.segments.iter().position(|other| other.id == segment.id) else {
                continue;
            };
            let live = segment.live.checked_sub(&gone).ok_or(LexicalError::Damaged {
                page: PageId::MANIFEST,
                reason: "it counts less documents than there are",
            })?;
            if live.documents == 0 {
                manifest.segments.remove(at);
                delete.push(PageId::all_of(segment.id));
                continue;
            }
            delete.extend(segment.dead_page().map(|page| page..=page));
            if segment.dead_version == MAX_NUMBER {
                return Err(LexicalError::Overflow {
                    what: "the number of removals from a segment",
                    limit: MAX_NUMBER.into(),
                });
            }
            let now = &mut manifest.segments[at];
            now.live = live;
            now.dead_version += 1;
            put.push(dead.write(PageId::dead(now.id, now.dead_version)));
        }
        if self.added.iter().any(|(_, terms)| !terms.is_empty()) {
            let id = manifest.new_segment()?;
            if let Some((segment, pages)) = build(id, &self.added)? {
                manifest.segments.push(segment);
                put.extend(pages);
            }
        }
        if manifest != self.manifest {
            put.push(manifest.write());
        }
        Ok(Changes { manifest, delete, put })
    }
}
