//! Reads all of an index and says what is wrong with it.

use crate::dictionary::{Entry, Terms};
use crate::documents::{Dead, Documents};
use crate::error::Damage;
use crate::fingerprint;
use crate::manifest::{Manifest, Segment};
use crate::page::{Kind, PageId};
use crate::postings::{Block, BlockPlace, Bound, Posting, read_piece, read_run};
use crate::root::Root;
use crate::score::{FIELDS, Totals};
use crate::task::unfinished;
use crate::{LexicalError, Page, Task};
use ast_core_model::ChunkId;
use std::collections::BTreeMap;

/// Pages that are asked for at once.
const BATCH: u32 = 32;

/// What an index holds, and what is wrong with its pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verified {
    /// The first fault of each segment that has one: [`LexicalError::Damaged`] or [`LexicalError::Missing`]. What such a
    /// segment holds is not known.
    pub faults: Vec<LexicalError>,
    /// The documents of the sound segments that are not gone, in order of ids, each with the fingerprint of its terms:
    /// that of [`FileTerms::fingerprints`](crate::FileTerms::fingerprints). One that is here twice is in two segments.
    pub documents: Vec<(ChunkId, u64)>,
    /// How many pages were read.
    pub pages: u64,
}

/// Reads every page of an index, and checks all that they say against each other: the manifest's totals, which documents
/// there are, that terms are in order and found where the root says, that postings are of documents, and that the
/// bounds of blocks are those of their postings.
///
/// It fails at no damage: that is what it is to find. Pages that are there and not the index's are found by
/// [`Manifest::names`]. In memory it has one segment's documents, about 60 bytes each, and some of its pages.
#[derive(Debug)]
pub struct Verify {
    /// In the reverse order.
    segments: Vec<Segment>,
    reading: Option<Reading>,
    wanted: Vec<PageId>,
    verified: Verified,
}

impl Verify {
    /// Begins to read the index of this manifest.
    pub fn new(manifest: &Manifest) -> Self {
        let segments = manifest.segments.iter().rev().copied().collect();
        let mut verify = Self { segments, reading: None, wanted: Vec::new(), verified: Verified::default() };
        verify.advance();
        verify
    }

    /// Goes on to the next pages, or to the next segment, as far as there are some.
    fn advance(&mut self) {
        while self.wanted.is_empty() {
            let Some(reading) = &mut self.reading else {
                let Some(segment) = self.segments.pop() else { return };
                self.reading = Some(Reading::new(segment));
                continue;
            };
            self.wanted = reading.want();
            if self.wanted.is_empty()
                && let Some(reading) = self.reading.take()
            {
                match reading.finish() {
                    Ok(documents) => self.verified.documents.extend(documents),
                    Err(fault) => self.verified.faults.push(fault),
                }
            }
        }
    }
}

impl Task for Verify {
    type Output = Verified;

    fn wanted(&self) -> &[PageId] {
        &self.wanted
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        let mut pages: BTreeMap<PageId, Page> = pages.into_iter().map(|page| (page.id, page)).collect();
        for id in std::mem::take(&mut self.wanted) {
            let Some(reading) = &mut self.reading else { break };
            let taken = match pages.remove(&id) {
                Some(page) => {
                    self.verified.pages += 1;
                    reading.take(page)
                }
                None => Err(LexicalError::Missing { page: id }),
            };
            if let Err(fault) = taken {
                self.verified.faults.push(fault);
                self.reading = None;
            }
        }
        self.advance();
        Ok(())
    }

    fn finish(mut self) -> Result<Verified, LexicalError> {
        unfinished(&self.wanted)?;
        self.verified.documents.sort_unstable();
        Ok(self.verified)
    }
}

/// A segment that is read from its begin to its end.
#[derive(Debug)]
struct Reading {
    segment: Segment,
    root: Option<Root>,
    dead: Dead,
    /// The next page that was not asked for; the root comes first, by itself.
    next: u32,
    bytes: u64,
    live: Totals,
    chunks: Vec<ChunkId>,
    lengths: Vec<[u32; FIELDS]>,
    fingerprints: Vec<u64>,
    /// Pages of postings that terms may still name, and whether one did.
    postings: BTreeMap<u32, (Vec<u8>, bool)>,
    /// How many pages of terms were read.
    terms_pages: usize,
    /// The term that was read last; no term is empty.
    term: Vec<u8>,
}

impl Reading {
    fn new(segment: Segment) -> Self {
        Self {
            segment,
            root: None,
            dead: Dead::none(segment.documents),
            next: 0,
            bytes: 0,
            live: Totals::default(),
            chunks: Vec::new(),
            lengths: Vec::new(),
            fingerprints: Vec::new(),
            postings: BTreeMap::new(),
            terms_pages: 0,
            term: Vec::new(),
        }
    }

    /// The pages to be taken next, none at the end.
    fn want(&mut self) -> Vec<PageId> {
        let id = self.segment.id;
        if self.next == 0 {
            self.next = 1;
            return [Some(PageId::root(id)), self.segment.dead_page()].into_iter().flatten().collect();
        }
        let begin = self.next;
        self.next = self.segment.pages.max(begin).min(begin.saturating_add(BATCH));
        (begin..self.next).map(|number| PageId::new(id, number)).collect()
    }

    fn take(&mut self, page: Page) -> Result<(), LexicalError> {
        let id = page.id;
        if Some(id) == self.segment.dead_page() {
            self.dead = Dead::read(&page, self.segment.documents)?;
            return Ok(());
        }
        self.bytes += page.data.len() as u64;
        let Some(root) = &self.root else {
            let root = Root::read(&page)?;
            if root.documents != self.segment.documents {
                return Err(Damage("it has other documents than the manifest says").of(id));
            }
            self.root = Some(root);
            return Ok(());
        };
        if (id.number() as usize) <= root.first_files.len() {
            return self.take_documents(&page);
        }
        if self.lengths.len() != self.segment.documents as usize {
            return Err(
                Damage("it has other documents than the manifest says").of(PageId::root(self.segment.id))
            );
        }
        match page.into_terms_or_postings()? {
            (Kind::Terms, content) => self.take_terms(id, &content),
            (_, content) => {
                self.postings.insert(id.number(), (content, false));
                Ok(())
            }
        }
    }

    fn take_documents(&mut self, page: &Page) -> Result<(), LexicalError> {
        let damaged = |reason| Err(Damage(reason).of(page.id));
        let documents = Documents::read(page)?;
        let first = documents.runs.first().map(|run| run.file);
        let place = page.id.number() as usize - 1;
        if self.root.as_ref().and_then(|root| root.first_files.get(place)).copied() != first {
            return damaged("it begins with another file than the root says");
        }
        for run in &documents.runs {
            if !self.segment.may_have(run.file) {
                return damaged("it has a file that the segment does not");
            }
            for ordinal in run.ordinal..run.ordinal + run.count {
                let Some(chunk) = ChunkId::in_file(run.file, ordinal) else {
                    return damaged("it names no chunk");
                };
                if self.chunks.last().is_some_and(|last| *last >= chunk) {
                    return damaged("its documents are not in order");
                }
                self.chunks.push(chunk);
            }
        }
        for &lengths in &documents.lengths[..documents.count] {
            if !self.dead.contains(self.lengths.len() as u32) {
                self.live.add_document(lengths);
            }
            self.lengths.push(lengths);
            self.fingerprints.push(fingerprint::of_lengths(lengths));
        }
        Ok(())
    }

    fn take_terms(&mut self, id: PageId, content: &[u8]) -> Result<(), LexicalError> {
        let named = self.root.as_ref().and_then(|root| {
            let page = root.terms_page(self.terms_pages)?;
            (page == id.number()).then(|| root.first_term(self.terms_pages).to_vec())
        });
        let Some(first) = named else {
            return Err(Damage("the root does not name it").of(id));
        };
        self.terms_pages += 1;
        let mut terms = Terms::new(content);
        let mut is_first = true;
        while let Some(entry) = terms.next().map_err(|damage| damage.of(id))? {
            let term = terms.term();
            if std::mem::take(&mut is_first) && term != first {
                return Err(Damage("it begins with another term than the root says").of(id));
            }
            if term <= self.term.as_slice() {
                return Err(Damage("its terms are not in order").of(id));
            }
            self.term.clear();
            self.term.extend(term);
            self.take_entry(&entry, id)?;
        }
        if is_first { Err(Damage("it has no terms").of(id)) } else { Ok(()) }
    }

    /// Takes the postings of the last term.
    fn take_entry(&mut self, entry: &Entry<'_>, id: PageId) -> Result<(), LexicalError> {
        let limit = self.segment.documents;
        if let Some(mut run) = entry.run() {
            let mut postings = Vec::with_capacity(entry.documents as usize);
            let read =
                read_run(&mut run, entry.documents as usize, 0, limit, |posting| postings.push(posting));
            read.map_err(|damage| damage.of(id))?;
            if postings.is_empty() || !run.is_empty() {
                return Err(Damage("a term has other postings than it says").of(id));
            }
            return self.count(&postings).map_err(|damage| damage.of(id));
        }
        let pieces = entry.pieces().map_err(|damage| damage.of(id))?;
        let (mut after, mut documents) = (0, 0);
        let mut block = Block::default();
        for piece in &pieces {
            let at = PageId::new(self.segment.id, piece.page);
            // Terms name pages before their own, in order.
            let Some((page, is_named)) = self.postings.get_mut(&piece.page) else {
                return Err(Damage("a term is in a page that is not of postings").of(id));
            };
            *is_named = true;
            let page = std::mem::take(page);
            let mut blocks: Vec<(BlockPlace, Bound)> = Vec::new();
            let read = read_piece(&page, piece.offset as usize, after, limit, |place, bound| {
                blocks.push((place, bound));
            });
            after = read.map_err(|damage| damage.of(at))?;
            for (place, bound) in &blocks {
                let read = self.take_block(&mut block, &page, place, bound);
                documents += read.map_err(|damage| damage.of(at))?;
            }
            self.postings.insert(piece.page, (page, true));
        }
        if documents != u64::from(entry.documents) {
            return Err(Damage("a term has other postings than it says").of(id));
        }
        let first = pieces.first().map_or(0, |piece| piece.page);
        while let Some(page) = self.postings.first_entry().filter(|page| *page.key() < first) {
            if !page.get().1 {
                return Err(Damage("no term names it").of(PageId::new(self.segment.id, *page.key())));
            }
            page.remove();
        }
        Ok(())
    }

    /// How many postings it has.
    fn take_block(
        &mut self,
        block: &mut Block,
        page: &[u8],
        place: &BlockPlace,
        bound: &Bound,
    ) -> Result<u64, Damage> {
        block.read(page, place)?;
        block.read_frequencies(page)?;
        let posting = |(at, &doc): (usize, &u32)| Posting {
            doc,
            tf: block.posting(at).map(|tf| u16::try_from(tf).unwrap_or(u16::MAX)),
        };
        let postings: Vec<Posting> = block.docs().iter().enumerate().map(posting).collect();
        if postings.last().map(|posting| posting.doc) != Some(place.last) {
            return Err(Damage("a block is of other documents"));
        }
        self.count(&postings)?;
        match Bound::of(&postings, &self.lengths) == *bound {
            true => Ok(postings.len() as u64),
            false => Err(Damage("a block has another bound than its postings")),
        }
    }

    /// Adds the last term to the fingerprints of documents.
    fn count(&mut self, postings: &[Posting]) -> Result<(), Damage> {
        for posting in postings {
            let sum = self.fingerprints.get_mut(posting.doc as usize);
            let sum = sum.ok_or(Damage("a posting is of no document"))?;
            if posting.tf == [0; FIELDS] {
                return Err(Damage("a posting is of no field"));
            }
            *sum = sum.wrapping_add(fingerprint::of_posting(&self.term, posting.tf));
        }
        Ok(())
    }

    /// The documents that are not gone.
    fn finish(self) -> Result<impl Iterator<Item = (ChunkId, u64)>, LexicalError> {
        let Self { segment, root, dead, bytes, live, chunks, lengths, fingerprints, postings, .. } = self;
        let damaged = |page, reason| Err(Damage(reason).of(page));
        let at_root = PageId::root(segment.id);
        if lengths.len() != segment.documents as usize {
            return damaged(at_root, "it has other documents than the manifest says");
        }
        if root.is_some_and(|root| root.terms_page(self.terms_pages).is_some()) {
            return damaged(at_root, "it names a page of terms that is not there");
        }
        if let Some((&number, _)) = postings.iter().find(|(_, (_, is_named))| !is_named) {
            return damaged(PageId::new(segment.id, number), "no term names it");
        }
        let files = chunks.first().zip(chunks.last()).map(|(first, last)| (first.file(), last.file()));
        if files != Some((segment.first_file, segment.last_file)) || bytes != segment.bytes {
            return damaged(PageId::MANIFEST, "it says other of a segment than its pages do");
        }
        if live != segment.live {
            return damaged(PageId::MANIFEST, "it counts other documents than there are");
        }
        let documents = (0_u32..).zip(chunks.into_iter().zip(fingerprints));
        Ok(documents.filter(move |(doc, _)| !dead.contains(*doc)).map(|(_, document)| document))
    }
}
