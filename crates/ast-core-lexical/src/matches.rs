//! The documents that hold a term, all of them and in order: what a search for a name asks, where ranking has no say.

use crate::cache::{Expected, Held, PageCache};
use crate::dictionary::Terms;
use crate::documents::DOCS;
use crate::error::Damage;
use crate::lookup::{Found, Place, dead, documents_page, root, want_roots};
use crate::manifest::{Manifest, Segment};
use crate::page::PageId;
use crate::postings::{Block, Posting, read_piece};
use crate::root::Root;
use crate::score::FIELDS;
use crate::task::unfinished;
use crate::{LexicalError, Page, Task};
use ast_core_model::ChunkId;

/// Which terms are looked for. Bytes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermMatch<'t> {
    /// This one.
    Equal(&'t str),
    /// All that begin so.
    Prefix(&'t str),
    /// All that it is part of. The terms of the whole index are read.
    Substring(&'t str),
}

impl TermMatch<'_> {
    fn bytes(&self) -> &[u8] {
        let (Self::Equal(text) | Self::Prefix(text) | Self::Substring(text)) = self;
        text.as_bytes()
    }

    fn takes(&self, term: &[u8]) -> bool {
        match self {
            Self::Equal(text) => term == text.as_bytes(),
            Self::Prefix(text) => term.starts_with(text.as_bytes()),
            Self::Substring(text) => memchr::memmem::find(term, text.as_bytes()).is_some(),
        }
    }

    /// The pages of terms that may have such.
    fn pages(&self, root: &Root) -> std::ops::Range<usize> {
        match self {
            Self::Equal(text) => root.find(text.as_bytes()).map_or(0..0, |index| index..index + 1),
            Self::Prefix(text) => root.find_prefix(text.as_bytes()),
            Self::Substring(_) => root.find_prefix(b""),
        }
    }
}

/// A document that holds some of the terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The document.
    pub chunk: ChunkId,
    /// How often it holds them, field by field; no more than 65,535 times of each term.
    pub frequencies: [u32; FIELDS],
}

/// Finds the documents that hold terms that match, each once, in order of their ids.
#[derive(Debug)]
pub struct Matches<'a> {
    held: Held<'a>,
    segments: Vec<Segment>,
    terms: TermMatch<'a>,
    stage: Stage,
    /// Segment by segment, the postings of each term that matches.
    found: Vec<Vec<Found>>,
    /// Segment by segment, the documents and what they hold, in order.
    documents: Vec<Vec<(u32, [u32; FIELDS])>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Roots,
    Terms,
    Postings,
    Documents,
}

impl<'a> Matches<'a> {
    /// Begins to look.
    ///
    /// # Errors
    /// [`LexicalError::Damaged`].
    pub fn new(
        manifest: &Manifest,
        terms: TermMatch<'a>,
        cache: &'a PageCache,
    ) -> Result<Self, LexicalError> {
        let mut held = Held::new(cache);
        want_roots(&mut held, &manifest.segments);
        let segments = manifest.segments.clone();
        let (found, documents) = (Vec::new(), Vec::new());
        let mut matches = Self { held, segments, terms, stage: Stage::Roots, found, documents };
        matches.advance()?;
        Ok(matches)
    }

    fn advance(&mut self) -> Result<(), LexicalError> {
        while self.held.wanted().is_empty() && self.stage != Stage::Documents {
            let wanted = match self.stage {
                Stage::Roots => {
                    self.stage = Stage::Terms;
                    self.terms_pages()?.into_iter().flatten().map(|page| (page, Expected::Terms)).collect()
                }
                Stage::Terms => {
                    self.stage = Stage::Postings;
                    self.find()?
                }
                Stage::Postings | Stage::Documents => {
                    self.stage = Stage::Documents;
                    self.collect()?
                }
            };
            self.held.want(wanted);
        }
        Ok(())
    }

    /// Segment by segment, the pages of terms that may have such.
    fn terms_pages(&self) -> Result<Vec<Vec<PageId>>, LexicalError> {
        let pages = |segment: &Segment| {
            let root = root(&self.held, segment)?;
            let numbers = self.terms.pages(root).filter_map(|index| root.terms_page(index));
            Ok(numbers.map(|number| PageId::new(segment.id, number)).collect())
        };
        self.segments.iter().map(pages).collect()
    }

    /// Finds the terms; the pages of their postings.
    fn find(&mut self) -> Result<Vec<(PageId, Expected)>, LexicalError> {
        let mut wanted = Vec::new();
        for (segment, pages) in self.segments.iter().zip(self.terms_pages()?) {
            let mut found = Vec::new();
            for id in pages {
                let page = self.held.get(id)?.terms().map_err(|damage| damage.of(id))?;
                self.read(segment, page, &mut found).map_err(|damage| damage.of(id))?;
            }
            wanted.extend(found.iter().flat_map(Found::pages));
            self.found.push(found);
        }
        Ok(wanted)
    }

    fn read(&self, segment: &Segment, page: &[u8], found: &mut Vec<Found>) -> Result<(), Damage> {
        let is_ordered = !matches!(self.terms, TermMatch::Substring(_));
        let mut terms = Terms::new(page);
        while let Some(entry) = terms.next()? {
            if self.terms.takes(terms.term()) {
                found.push(Found::read(segment, &entry)?);
            } else if is_ordered && terms.term() > self.terms.bytes() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the postings; the pages of the documents that they are of.
    fn collect(&mut self) -> Result<Vec<(PageId, Expected)>, LexicalError> {
        let mut wanted = Vec::new();
        for (segment, found) in self.segments.iter().zip(&self.found) {
            let dead = dead(&self.held, segment)?;
            let mut documents = Vec::new();
            for found in found {
                self.postings(segment, found, |posting| {
                    if dead.is_none_or(|dead| !dead.contains(posting.doc)) {
                        documents.push((posting.doc, posting.tf.map(u32::from)));
                    }
                })?;
            }
            if self.found.len() > 1 || found.len() > 1 {
                documents.sort_unstable_by_key(|(doc, _)| *doc);
                documents.dedup_by(|(doc, tf), (kept, sum)| {
                    let is_same = doc == kept;
                    if is_same {
                        sum.iter_mut().zip(tf).for_each(|(sum, tf)| *sum = sum.saturating_add(*tf));
                    }
                    is_same
                });
            }
            let mut pages: Vec<usize> = documents.iter().map(|(doc, _)| *doc as usize / DOCS).collect();
            pages.dedup();
            wanted.extend(pages.into_iter().map(|page| (documents_page(segment, page), Expected::Documents)));
            self.documents.push(documents);
        }
        Ok(wanted)
    }

    fn postings(
        &self,
        segment: &Segment,
        found: &Found,
        mut emit: impl FnMut(Posting),
    ) -> Result<(), LexicalError> {
        let pieces = match &found.place {
            Place::Run(postings) => {
                postings.iter().copied().for_each(emit);
                return Ok(());
            }
            Place::Pieces(pieces) => pieces,
        };
        let mut block = Block::default();
        let mut after = 0;
        for (id, offset) in pieces {
            let damaged = |damage: Damage| damage.of(*id);
            let page = self.held.get(*id)?.postings().map_err(damaged)?;
            let mut places = Vec::new();
            let limit = segment.documents;
            after = read_piece(page, *offset as usize, after, limit, |place, _| places.push(place))
                .map_err(damaged)?;
            for place in places {
                block.read(page, &place).map_err(damaged)?;
                block.read_frequencies(page).map_err(damaged)?;
                for at in 0..block.docs().len() {
                    // No more than 65,535 are written.
                    let tf = block.posting(at).map(|tf| u16::try_from(tf).unwrap_or(u16::MAX));
                    emit(Posting { doc: block.docs()[at], tf });
                }
            }
        }
        Ok(())
    }
}

impl Task for Matches<'_> {
    type Output = Vec<Match>;

    fn wanted(&self) -> &[PageId] {
        self.held.wanted()
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        self.held.supply(pages)?;
        self.advance()
    }

    fn finish(self) -> Result<Vec<Match>, LexicalError> {
        unfinished(self.wanted())?;
        let mut matches = Vec::with_capacity(self.documents.iter().map(Vec::len).sum());
        for (segment, documents) in self.segments.iter().zip(&self.documents) {
            for of_page in documents.chunk_by(|(a, _), (b, _)| *a as usize / DOCS == *b as usize / DOCS) {
                let page = of_page[0].0 as usize / DOCS;
                let id = documents_page(segment, page);
                let read = self.held.get(id)?.documents().map_err(|damage| damage.of(id))?;
                let mut runs = read.placed().peekable();
                for &(doc, frequencies) in of_page {
                    let place = doc as usize % DOCS;
                    while runs.next_if(|(first, run)| first + run.count as usize <= place).is_some() {}
                    let chunk = runs.peek().and_then(|(first, run)| {
                        ChunkId::in_file(run.file, run.ordinal + place.checked_sub(*first)? as u32)
                    });
                    let chunk = chunk.ok_or_else(|| Damage("a posting is of no document").of(id))?;
                    matches.push(Match { chunk, frequencies });
                }
            }
        }
        // Segments may have files from before and after those of another.
        matches.sort_unstable_by_key(|found| found.chunk);
        Ok(matches)
    }
}
