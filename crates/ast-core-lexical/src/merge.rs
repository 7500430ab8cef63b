//! Segments become one.

use crate::dictionary::{Entry, Terms};
use crate::documents::{Dead, Documents, Run};
use crate::error::Damage;
use crate::manifest::{Manifest, Segment};
use crate::page::{Kind, PageId};
use crate::postings::{Block, BlockPlace, Posting, read_piece, read_run};
use crate::root::Root;
use crate::score::FIELDS;
use crate::task::unfinished;
use crate::writer::SegmentWriter;
use crate::{Changes, LexicalError, Page, Task};
use std::collections::BTreeMap;

/// So many segments of a size become one of the next.
const FACTOR: usize = 8;

/// Segments of up to so many bytes are all of the smallest size.
const SMALLEST: u64 = 64 << 10;

/// A segment of which this share is gone is written anew.
const DEAD_SHARE: u64 = 3;

/// Which segments to make one, by their numbers: one [`Merge`] each, and then ask again, as the result may be one
/// of eight itself. No merge reads more than about `budget` bytes, so that a small commit stays one; without a bound
/// nothing is left to be done, and an index of n bytes has a number of segments that grows as the logarithm of n.
pub fn plan_merges(manifest: &Manifest, budget: u64) -> Vec<Vec<u32>> {
    let mut sizes: BTreeMap<u32, Vec<&Segment>> = BTreeMap::new();
    for segment in &manifest.segments {
        let live = u128::from(segment.bytes) * u128::from(segment.live.documents)
            / u128::from(segment.documents.max(1));
        let live = u64::try_from(live).unwrap_or(u64::MAX);
        sizes.entry((live / SMALLEST).max(1).ilog(FACTOR as u64)).or_default().push(segment);
    }
    let mut plan: Vec<Vec<u32>> = Vec::new();
    for segments in sizes.into_values() {
        for group in segments.chunks(FACTOR) {
            let bytes: u64 = group.iter().map(|segment| segment.bytes).sum();
            if group.len() == FACTOR && bytes <= budget {
                plan.push(group.iter().map(|segment| segment.id).collect());
                continue;
            }
            for segment in group {
                let gone = u64::from(segment.documents).saturating_sub(segment.live.documents);
                if gone * DEAD_SHARE >= u64::from(segment.documents) && segment.bytes <= budget {
                    plan.push(vec![segment.id]);
                }
            }
        }
    }
    plan
}

/// Pages that are asked for at once.
const BATCH: u32 = 32;

/// Makes one segment of some, and leaves out what is gone.
///
/// Its pages come as they are done: [`take_pages`](Self::take_pages) after every [`supply`](Task::supply), and put them
/// where they belong; the rest is in the [`Changes`] at the end. In memory it has about 20 bytes a document, the
/// postings of one term, and some pages of each segment.
pub struct Merge {
    manifest: Manifest,
    inputs: Vec<Input>,
    wanted: Vec<PageId>,
    stage: Stage,
}

enum Stage {
    Roots,
    Documents,
    Terms(Option<Box<SegmentWriter>>),
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments: Vec<u32> = self.inputs.iter().map(|input| input.segment.id).collect();
        f.debug_struct("Merge").field("segments", &segments).finish_non_exhaustive()
    }
}

impl Merge {
    /// Begins to merge segments, by their numbers; those that are not there are left out.
    pub fn new(manifest: Manifest, segments: &[u32]) -> Self {
        let named = manifest.segments.iter().filter(|segment| segments.contains(&segment.id));
        let inputs: Vec<Input> = named.map(|&segment| Input::new(segment)).collect();
        let roots = |input: &Input| [Some(PageId::root(input.segment.id)), input.segment.dead_page()];
        let wanted: Vec<PageId> = inputs.iter().flat_map(roots).flatten().collect();
        Self { manifest, inputs, wanted, stage: Stage::Roots }
    }

    /// The pages that are done since they were last taken.
    pub fn take_pages(&mut self) -> Vec<Page> {
        if let Stage::Terms(Some(writer)) = &mut self.stage { writer.take_done() } else { Vec::new() }
    }

    /// Goes on until pages are missing, or to the end.
    fn advance(&mut self) -> Result<(), LexicalError> {
        if let Stage::Roots = self.stage {
            self.stage = Stage::Documents;
        }
        if let Stage::Documents = self.stage {
            self.wanted.extend(self.inputs.iter_mut().find_map(Input::want_documents).into_iter().flatten());
            if !self.wanted.is_empty() {
                return Ok(());
            }
            let id = self.manifest.new_segment()?;
            self.stage = Stage::Terms(number(&mut self.inputs, id)?.map(Box::new));
        }
        if let Stage::Terms(Some(writer)) = &mut self.stage {
            loop {
                for input in &mut self.inputs {
                    if input.is_waiting()? {
                        self.wanted.extend(input.want_next());
                    }
                }
                if !self.wanted.is_empty() {
                    return Ok(());
                }
                let here = self.inputs.iter().filter(|input| !input.postings.is_empty());
                let Some(term) = here.map(|input| input.term.as_slice()).min() else { return Ok(()) };
                let term = term.to_vec();
                let mut postings = Vec::new();
                for input in self.inputs.iter_mut().filter(|input| !input.postings.is_empty()) {
                    if input.term == term {
                        postings.append(&mut input.postings);
                    }
                }
                // Those of each segment are in order, and those of most segments are apart.
                if !postings.is_sorted_by_key(|posting: &Posting| posting.doc) {
                    postings.sort_by_key(|posting| posting.doc);
                }
                writer.term(&term, &postings)?;
            }
        }
        Ok(())
    }
}

impl Task for Merge {
    type Output = Changes;

    fn wanted(&self) -> &[PageId] {
        &self.wanted
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        let mut pages: BTreeMap<PageId, Page> = pages.into_iter().map(|page| (page.id, page)).collect();
        for id in std::mem::take(&mut self.wanted) {
            let page = pages.remove(&id).ok_or(LexicalError::Missing { page: id })?;
            for input in self.inputs.iter_mut().filter(|input| input.has(id)) {
                match self.stage {
                    Stage::Roots => input.take_root(&page)?,
                    Stage::Documents => input.take_documents(&page)?,
                    Stage::Terms(_) => input.take_page(page.clone())?,
                }
            }
        }
        self.advance()
    }

    fn finish(mut self) -> Result<Changes, LexicalError> {
        unfinished(&self.wanted)?;
        let mut put = Vec::new();
        let mut delete = Vec::new();
        if self.inputs.is_empty() {
            return Ok(Changes { manifest: self.manifest, delete, put });
        }
        for input in &self.inputs {
            self.manifest.segments.retain(|segment| segment.id != input.segment.id);
            delete.push(PageId::all_of(input.segment.id));
        }
        if let Stage::Terms(Some(writer)) = self.stage {
            let (segment, pages) = writer.finish()?;
            self.manifest.segments.push(segment);
            put = pages;
        }
        put.push(self.manifest.write());
        Ok(Changes { manifest: self.manifest, delete, put })
    }
}

/// A segment that is read from its begin to its end.
struct Input {
    segment: Segment,
    root: Root,
    dead: Dead,
    /// Documents that live: runs, and the first document of each in the segment.
    runs: Vec<(Run, u32)>,
    lengths: Vec<[u32; FIELDS]>,
    /// The numbers of the documents in the new segment; [`GONE`] for those that are gone.
    numbers: Vec<u32>,
    /// The next page that was not asked for.
    next: u32,
    /// Pages of terms and of postings that may be needed.
    pages: BTreeMap<u32, (Kind, Vec<u8>)>,
    /// The first page that is still needed.
    first: u32,
    /// Which page of terms is read, and how far.
    at: usize,
    offset: usize,
    /// The term that is next, and its postings in the new segment; at the end there are none.
    term: Vec<u8>,
    postings: Vec<Posting>,
}

const GONE: u32 = u32::MAX;

impl Input {
    fn new(segment: Segment) -> Self {
        Self {
            segment,
            root: Root::default(),
            dead: Dead::default(),
            runs: Vec::new(),
            lengths: Vec::new(),
            numbers: Vec::new(),
            next: 1,
            pages: BTreeMap::new(),
            first: 0,
            at: 0,
            offset: 0,
            term: Vec::new(),
            postings: Vec::new(),
        }
    }

    fn has(&self, page: PageId) -> bool {
        PageId::all_of(self.segment.id).contains(&page)
    }

    fn take_root(&mut self, page: &Page) -> Result<(), LexicalError> {
        if page.id == PageId::root(self.segment.id) {
            self.root = Root::read(page)?;
        } else {
            self.dead = Dead::read(page, self.segment.documents)?;
        }
        Ok(())
    }

    /// The next pages of documents, if there are more.
    fn want_documents(&mut self) -> Option<Vec<PageId>> {
        let end = Root::documents_page(self.root.first_files.len());
        let begin = self.next;
        self.next = end.min(begin.saturating_add(BATCH * 8));
        let id = self.segment.id;
        (begin < end).then(|| (begin..self.next).map(|number| PageId::new(id, number)).collect())
    }

    fn take_documents(&mut self, page: &Page) -> Result<(), LexicalError> {
        let documents = Documents::read(page)?;
        let first = self.lengths.len() as u32;
        self.runs.extend(documents.placed().map(|(place, run)| (run, first + place as u32)));
        self.lengths.extend(&documents.lengths[..documents.count]);
        Ok(())
    }

    /// The next pages of terms and postings.
    fn want_next(&mut self) -> Vec<PageId> {
        let begin = self.next;
        self.next = self.segment.pages.min(begin.saturating_add(BATCH));
        let id = self.segment.id;
        (begin..self.next).map(|number| PageId::new(id, number)).collect()
    }

    fn take_page(&mut self, page: Page) -> Result<(), LexicalError> {
        // Terms refer to pages in order, and to pages before their own.
        while self.pages.first_key_value().is_some_and(|(&number, _)| number < self.first) {
            self.pages.pop_first();
        }
        let number = page.id.number();
        self.pages.insert(number, page.into_terms_or_postings()?);
        Ok(())
    }

    /// Reads the next term if there is none; whether pages are missing for that.
    fn is_waiting(&mut self) -> Result<bool, LexicalError> {
        while self.postings.is_empty() {
            let Some(number) = self.root.terms_page(self.at) else { return Ok(false) };
            let id = PageId::new(self.segment.id, number);
            let damaged = |damage: Damage| damage.of(id);
            let Some((kind, page)) = self.pages.get(&number) else {
                let is_to_come = (self.next..self.segment.pages).contains(&number);
                return if is_to_come { Ok(true) } else { Err(LexicalError::Missing { page: id }) };
            };
            if *kind != Kind::Terms {
                return Err(damaged(Damage("it is of another kind")));
            }
            let mut terms = Terms::resume(page, self.offset, std::mem::take(&mut self.term));
            let entry = terms.next().map_err(damaged)?;
            self.offset = terms.at();
            if let Some(entry) = entry {
                self.term = terms.into_term();
                let (postings, first) = self.read(&entry, id)?;
                self.postings = postings;
                self.first = first.unwrap_or(self.first);
            } else {
                (self.at, self.offset) = (self.at + 1, 0);
                self.pages.remove(&number);
            }
        }
        Ok(false)
    }

    /// The postings of an entry in the new segment, and the first page that some of them are in.
    fn read(&self, entry: &Entry<'_>, id: PageId) -> Result<(Vec<Posting>, Option<u32>), LexicalError> {
        let documents = self.segment.documents;
        let mut postings = Vec::with_capacity((entry.documents as usize).min(documents as usize));
        let mut push = |posting: Posting| {
            if let Some(&doc) = self.numbers.get(posting.doc as usize).filter(|&&doc| doc != GONE) {
                postings.push(Posting { doc, tf: posting.tf });
            }
        };
        if let Some(mut run) = entry.run() {
            read_run(&mut run, entry.documents as usize, 0, documents, push)
                .map_err(|damage| damage.of(id))?;
            return Ok((postings, None));
        }
        let mut first = None;
        let mut after = 0;
        let mut block = Block::default();
        let mut places: Vec<BlockPlace> = Vec::new();
        for piece in entry.pieces().map_err(|damage| damage.of(id))? {
            let id = PageId::new(self.segment.id, piece.page);
            first = first.or(Some(piece.page));
            let damaged = |damage: Damage| damage.of(id);
            let Some((Kind::Postings, page)) = self.pages.get(&piece.page) else {
                return Err(LexicalError::Missing { page: id });
            };
            places.clear();
            after = read_piece(page, piece.offset as usize, after, documents, |place, _| places.push(place))
                .map_err(damaged)?;
            for place in &places {
                block.read(page, place).map_err(damaged)?;
                block.read_frequencies(page).map_err(damaged)?;
                for (index, &doc) in block.docs().iter().enumerate() {
                    // As many as there are of one in a field.
                    let tf = block.posting(index).map(|tf| u16::try_from(tf).unwrap_or(u16::MAX));
                    push(Posting { doc, tf });
                }
            }
        }
        Ok((postings, first))
    }
}

/// Numbers the documents that live, in the order of their ids, and begins their segment.
fn number(inputs: &mut [Input], id: u32) -> Result<Option<SegmentWriter>, LexicalError> {
    let mut order: Vec<(Run, u32, usize)> = Vec::new();
    for (index, input) in inputs.iter_mut().enumerate() {
        if input.lengths.len() != input.segment.documents as usize {
            let page = PageId::root(input.segment.id);
            return Err(Damage("it has other documents than the manifest says").of(page));
        }
        input.numbers = vec![GONE; input.lengths.len()];
        order.extend(std::mem::take(&mut input.runs).into_iter().map(|(run, first)| (run, first, index)));
    }
    order.sort_unstable_by_key(|(run, ..)| (run.file, run.ordinal));
    let mut runs: Vec<Run> = Vec::new();
    let mut lengths = Vec::new();
    for (run, first, index) in order {
        let input = &mut inputs[index];
        for (doc, ordinal) in (first..first + run.count).zip(run.ordinal..) {
            if input.dead.contains(doc) {
                continue;
            }
            input.numbers[doc as usize] = lengths.len() as u32;
            lengths.push(input.lengths[doc as usize]);
            match runs.last_mut() {
                Some(last) if last.file == run.file && last.ordinal + last.count == ordinal => {
                    last.count += 1
                }
                _ => runs.push(Run { file: run.file, ordinal, count: 1 }),
            }
        }
    }
    for input in inputs {
        input.lengths = Vec::new();
    }
    SegmentWriter::new(id, &runs, lengths)
}
