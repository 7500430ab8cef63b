//! Where terms are, in all segments.

use crate::LexicalError;
use crate::cache::{Content, Expected, Held, PageCache};
use crate::dictionary::{Entry, Terms};
use crate::documents::Dead;
use crate::error::Damage;
use crate::manifest::{Manifest, Segment};
use crate::page::PageId;
use crate::postings::{Block, BlockPlace, Posting, read_piece, read_run};
use crate::root::Root;
use std::sync::Arc;

/// The postings of a term in a segment.
#[derive(Debug)]
pub(crate) struct Found {
    /// In how many documents the term is, those that are gone included.
    pub(crate) documents: u32,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) enum Place {
    Run(Vec<Posting>),
    /// The page and the offset of each piece.
    Pieces(Vec<(PageId, u32)>),
}

impl Found {
    /// The entry of a term in a page of terms.
    pub(crate) fn read(segment: &Segment, entry: &Entry<'_>) -> Result<Self, Damage> {
        let place = match entry.run() {
            Some(mut run) => {
                let mut postings = Vec::with_capacity(entry.documents as usize);
                let limit = segment.documents;
                read_run(&mut run, entry.documents as usize, 0, limit, |posting| postings.push(posting))?;
                Place::Run(postings)
            }
            None => Place::Pieces(
                entry
                    .pieces()?
                    .iter()
                    .map(|piece| (PageId::new(segment.id, piece.page), piece.offset))
                    .collect(),
            ),
        };
        Ok(Self { documents: entry.documents, place })
    }

    /// The pages that its pieces are in.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (PageId, Expected)> {
        let pieces = match &self.place {
            Place::Run(_) => &[][..],
            Place::Pieces(pieces) => pieces,
        };
        pieces.iter().map(|(page, _)| (*page, Expected::Postings))
    }

    /// In how many documents the term is that are not gone.
    pub(crate) fn count_live(&self, held: &Held<'_>, limit: u32, dead: &Dead) -> Result<u64, LexicalError> {
        let mut gone = 0_u64;
        match &self.place {
            Place::Run(postings) => {
                gone = postings.iter().filter(|posting| dead.contains(posting.doc)).count() as u64;
            }
            Place::Pieces(pieces) => {
                let mut block = Block::default();
                let mut after = 0;
                for (id, offset) in pieces {
                    let damaged = |damage: Damage| damage.of(*id);
                    let page = held.get(*id)?.postings().map_err(damaged)?;
                    let mut places = Vec::new();
                    let emit = |place: BlockPlace, _| {
                        if dead.any(place.after, place.last) {
                            places.push(place);
                        }
                    };
                    after = read_piece(page, *offset as usize, after, limit, emit).map_err(damaged)?;
                    for place in places {
                        block.read(page, &place).map_err(damaged)?;
                        gone += block.docs().iter().filter(|&&doc| dead.contains(doc)).count() as u64;
                    }
                }
            }
        }
        Ok(u64::from(self.documents).saturating_sub(gone))
    }
}

/// Finds terms in all segments.
#[derive(Debug)]
pub(crate) struct Lookup<'c> {
    pub(crate) held: Held<'c>,
    pub(crate) segments: Vec<Segment>,
    terms: Vec<Vec<u8>>,
    /// Whether the postings are wanted of all segments, or of those only where some documents are gone.
    all_postings: bool,
    stage: Stage,
    /// Segment by segment, term by term.
    pub(crate) found: Vec<Vec<Option<Found>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Roots,
    Terms,
    Postings,
    Done,
}

impl<'c> Lookup<'c> {
    pub(crate) fn new(
        manifest: &Manifest,
        terms: Vec<Vec<u8>>,
        all_postings: bool,
        cache: &'c PageCache,
    ) -> Result<Self, LexicalError> {
        let mut held = Held::new(cache);
        let segments = if terms.is_empty() { Vec::new() } else { manifest.segments.clone() };
        want_roots(&mut held, &segments);
        let mut lookup = Self { held, segments, terms, all_postings, stage: Stage::Roots, found: Vec::new() };
        lookup.advance()?;
        Ok(lookup)
    }

    /// Goes on as far as the pages reach; whether it has come to the end.
    pub(crate) fn advance(&mut self) -> Result<bool, LexicalError> {
        while self.held.wanted().is_empty() && self.stage != Stage::Done {
            self.stage = match self.stage {
                Stage::Roots => self.want_terms()?,
                Stage::Terms => self.want_postings()?,
                Stage::Postings | Stage::Done => Stage::Done,
            };
        }
        Ok(self.stage == Stage::Done)
    }

    /// The page of terms that has the term if the segment has it.
    fn terms_page(&self, segment: &Segment, term: &[u8]) -> Result<Option<PageId>, LexicalError> {
        let root = root(&self.held, segment)?;
        let page = root.find(term).and_then(|index| root.terms_page(index));
        Ok(page.map(|page| PageId::new(segment.id, page)))
    }

    fn want_terms(&mut self) -> Result<Stage, LexicalError> {
        let mut wanted = Vec::new();
        for segment in &self.segments {
            for term in &self.terms {
                let page = self.terms_page(segment, term)?;
                wanted.extend(page.map(|page| (page, Expected::Terms)));
            }
        }
        self.held.want(wanted);
        Ok(Stage::Terms)
    }

    fn want_postings(&mut self) -> Result<Stage, LexicalError> {
        let mut wanted = Vec::new();
        for segment in &self.segments {
            let mut found = Vec::with_capacity(self.terms.len());
            for term in &self.terms {
                let Some(id) = self.terms_page(segment, term)? else {
                    found.push(None);
                    continue;
                };
                let read = || {
                    let entry = Terms::new(self.held.get(id)?.terms().map_err(|damage| damage.of(id))?)
                        .find(term)
                        .map_err(|damage| damage.of(id))?;
                    entry
                        .map(|entry| Found::read(segment, &entry))
                        .transpose()
                        .map_err(|damage| damage.of(id))
                };
                let entry = read()?;
                if self.all_postings || segment.dead_version > 0 {
                    wanted.extend(entry.iter().flat_map(Found::pages));
                }
                found.push(entry);
            }
            self.found.push(found);
        }
        self.held.want(wanted);
        Ok(Stage::Postings)
    }

    /// In how many documents each term is.
    pub(crate) fn frequencies(&self) -> Result<Vec<u64>, LexicalError> {
        let mut frequencies = vec![0_u64; self.terms.len()];
        for (segment, found) in self.segments.iter().zip(&self.found) {
            let dead = dead(&self.held, segment)?;
            for (sum, found) in frequencies.iter_mut().zip(found) {
                let Some(found) = found else { continue };
                *sum += match &dead {
                    Some(dead) => found.count_live(&self.held, segment.documents, dead)?,
                    None => u64::from(found.documents),
                };
            }
        }
        Ok(frequencies)
    }
}

/// Asks for the roots of segments, and for their dead.
pub(crate) fn want_roots(held: &mut Held<'_>, segments: &[Segment]) {
    held.want(segments.iter().flat_map(|segment| {
        let dead = segment.dead_page().map(|page| (page, Expected::Dead(segment.documents)));
        [(PageId::root(segment.id), Expected::Root)].into_iter().chain(dead)
    }));
}

pub(crate) fn root<'h>(held: &'h Held<'_>, segment: &Segment) -> Result<&'h Root, LexicalError> {
    let id = PageId::root(segment.id);
    let root = held.get(id)?.root().map_err(|damage| damage.of(id))?;
    if root.documents != segment.documents {
        return Err(Damage("it has other documents than the manifest says").of(id));
    }
    Ok(root)
}

/// The page of documents at this place of a segment.
pub(crate) fn documents_page(segment: &Segment, page: usize) -> PageId {
    PageId::new(segment.id, Root::documents_page(page))
}

pub(crate) fn dead<'h>(held: &'h Held<'_>, segment: &Segment) -> Result<Option<&'h Dead>, LexicalError> {
    let dead = |id| Content::dead(Arc::as_ref(held.get(id)?)).map_err(|damage| damage.of(id));
    segment.dead_page().map(dead).transpose()
}
