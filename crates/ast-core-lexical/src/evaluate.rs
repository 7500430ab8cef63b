//! The best documents of a segment.
//!
//! Documents are looked at in windows, one page of documents each. What each term can add in a window is known from the bounds
//! of its blocks; the terms that, all together, cannot lift a document to where it matters are not essential there
//! (MaxScore: Turtle and Flood, "Query evaluation: strategies and optimizations", 1995, over the block maxima of Ding
//! and Suel, "Faster top-k document retrieval using block-max indexes", SIGIR 2011). The essential terms are scored
//! into an array of the window; of the others only those documents are looked up that may still matter.

use crate::LexicalError;
use crate::cache::Held;
use crate::documents::{DOCS, Documents, WORDS};
use crate::error::Damage;
use crate::lookup::{Found, Place};
use crate::page::PageId;
use crate::postings::{Block, BlockPlace, Posting, read_piece};
use crate::score::{FIELDS, Scorer};
use ast_core_model::ChunkId;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Sums in another order, and saturation, may differ in the last bits: bounds are this much larger.
const MARGIN: f64 = 1.0 + 1e-9;

/// A chunk that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its score: more than 0, and more is better.
    pub score: f64,
}

/// A hit in a heap whose greatest is the worst.
#[derive(Debug, PartialEq)]
struct Worst(Hit);

impl Eq for Worst {}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.score.total_cmp(&self.0.score).then(self.0.chunk.cmp(&other.0.chunk))
    }
}

/// The best hits so far.
#[derive(Debug)]
pub(crate) struct Best {
    heap: BinaryHeap<Worst>,
    limit: usize,
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { heap: BinaryHeap::new(), limit }
    }

    /// What a document must score at least to be among them.
    fn threshold(&self) -> f64 {
        if self.heap.len() < self.limit {
            0.0
        } else {
            self.heap.peek().map_or(f64::INFINITY, |worst| worst.0.score)
        }
    }

    fn push(&mut self, hit: Hit) {
        if self.heap.len() < self.limit {
            self.heap.push(Worst(hit));
        } else if let Some(mut worst) = self.heap.peek_mut() {
            let hit = Worst(hit);
            if hit < *worst {
                *worst = hit;
            }
        }
    }

    /// Best first.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.heap.into_sorted_vec().into_iter().map(|worst| worst.0).collect()
    }
}

/// The postings of a term in a segment, read block by block.
#[derive(Debug)]
pub(crate) struct List<'h> {
    blocks: Vec<ScoredBlock<'h>>,
    run: &'h [Posting],
    idf: f64,
    /// The first block that may have documents of the window.
    at: usize,
    /// Which block is decoded.
    decoded: Option<usize>,
    block: Box<Block>,
}

#[derive(Debug)]
struct ScoredBlock<'h> {
    place: BlockPlace,
    id: PageId,
    /// Nothing if the postings are the run.
    page: &'h [u8],
    /// What no posting of it scores more than.
    bound: f64,
}

impl<'h> List<'h> {
    pub(crate) fn new(
        found: &'h Found,
        held: &'h Held<'_>,
        documents: u32,
        scorer: &Scorer,
        idf: f64,
    ) -> Result<Self, LexicalError> {
        let mut blocks = Vec::new();
        let mut run = &[][..];
        match &found.place {
            Place::Run(postings) => {
                run = postings;
                if let (Some(first), Some(last)) = (postings.first(), postings.last()) {
                    let place = BlockPlace {
                        count: postings.len() as u32,
                        after: first.doc,
                        last: last.doc,
                        begin: 0,
                        end: 0,
                    };
                    // The score grows to `idf` and never reaches it.
                    blocks.push(ScoredBlock { place, id: PageId::MANIFEST, page: &[], bound: idf * MARGIN });
                }
            }
            Place::Pieces(pieces) => {
                blocks.reserve(found.documents as usize / crate::pack::BLOCK + 1);
                let mut after = 0;
                for &(id, offset) in pieces {
                    let damaged = |damage: Damage| damage.of(id);
                    let page = held.get(id)?.postings().map_err(damaged)?;
                    let emit = |place, bound: crate::postings::Bound| {
                        blocks.push(ScoredBlock { place, id, page, bound: bound.score(scorer, idf) });
                    };
                    after = read_piece(page, offset as usize, after, documents, emit).map_err(damaged)?;
                }
            }
        }
        Ok(Self { blocks, run, idf, at: 0, decoded: None, block: Box::default() })
    }

    /// Calls with each page of documents that may have some of it; some pages are named more than once.
    pub(crate) fn windows(&self, mut emit: impl FnMut(usize)) {
        if !self.run.is_empty() {
            self.run.iter().for_each(|posting| emit(posting.doc as usize / DOCS));
            return;
        }
        for block in &self.blocks {
            (block.place.after as usize / DOCS..=block.place.last as usize / DOCS).for_each(&mut emit);
        }
    }

    /// Moves to a window; what no document of it gets more than from this term.
    fn enter(&mut self, window: &Window) -> f64 {
        while self.blocks.get(self.at).is_some_and(|block| block.place.last < window.first) {
            self.at += 1;
        }
        self.within(window).map(|at| self.blocks[at].bound).fold(0.0, f64::max)
    }

    /// The blocks that may have documents of the window.
    fn within(&self, window: &Window) -> std::ops::Range<usize> {
        let behind = self.blocks[self.at..].iter().take_while(|block| block.place.after < window.end).count();
        self.at..self.at + behind
    }

    fn decode(&mut self, at: usize) -> Result<(), LexicalError> {
        if self.decoded == Some(at) {
            return Ok(());
        }
        self.decoded = None;
        let block = &self.blocks[at];
        if self.run.is_empty() {
            self.block.read(block.page, &block.place).map_err(|damage| damage.of(block.id))?;
        } else {
            self.block.set(self.run);
        }
        self.decoded = Some(at);
        Ok(())
    }

    fn read_frequencies(&mut self, at: usize) -> Result<(), LexicalError> {
        let block = &self.blocks[at];
        self.block.read_frequencies(block.page).map_err(|damage| damage.of(block.id))
    }
}

/// Some documents that are looked at together: a page of them.
struct Window {
    first: u32,
    /// The document behind the last.
    end: u32,
}

/// What documents of a window score so far.
pub(crate) struct Scratch {
    scorer: Scorer,
    /// Of each document, the sum of what terms added, in the order in which they were looked at.
    sums: Box<[f64; DOCS]>,
    /// Of each document, which terms were found in it.
    found: Box<[u64; DOCS]>,
    /// Term by term, what it adds to each document that it was found in.
    added: Vec<[f64; DOCS]>,
    /// Documents in which anything was found.
    touched: [u64; WORDS],
    candidates: Vec<u32>,
}

impl Scratch {
    pub(crate) fn new(scorer: Scorer, terms: usize) -> Self {
        Self {
            scorer,
            sums: Box::new([0.0; DOCS]),
            found: Box::new([0; DOCS]),
            added: vec![[0.0; DOCS]; terms],
            touched: [0; WORDS],
            candidates: Vec::new(),
        }
    }

    #[inline]
    fn add(&mut self, term: usize, place: usize, score: f64) {
        self.sums[place] += score;
        self.found[place] |= 1 << term;
        self.added[term][place] = score;
    }

    fn clear(&mut self) {
        for (word, bits) in self.touched.iter_mut().enumerate() {
            for bit in ones(std::mem::take(bits)) {
                self.sums[word * 64 + bit] = 0.0;
                self.found[word * 64 + bit] = 0;
            }
        }
    }
}

/// The places of the bits that are set.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            bit
        })
    })
}

/// A term's list, by the place of the term in the query.
pub(crate) type TermList<'h> = (usize, List<'h>);

/// Scores the documents of one page of a segment; those that `allowed` has a bit for, and `accept` takes.
pub(crate) fn score_window(
    page: usize,
    documents: &Documents,
    lists: &mut [TermList<'_>],
    allowed: &[u64; WORDS],
    accept: &dyn Fn(ChunkId) -> bool,
    scratch: &mut Scratch,
    best: &mut Best,
) -> Result<(), LexicalError> {
    let first = (page * DOCS) as u32;
    let window = Window { first, end: first + documents.count as u32 };
    let threshold = best.threshold();
    // Terms by what they can add, the least first.
    let mut order: Vec<(f64, usize)> =
        lists.iter_mut().enumerate().map(|(at, (_, list))| (list.enter(&window), at)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = order.iter().map(|term| term.0).sum();
    let mut rest = 0.0;
    let mut essential = order.as_slice();
    while let Some((&(bound, _), more)) = essential.split_first() {
        if (rest + bound) * MARGIN >= threshold && bound > 0.0 {
            break;
        }
        rest += bound;
        essential = more;
    }
    let others = &order[..order.len() - essential.len()];
    for &(bound, at) in essential {
        let (term, list) = &mut lists[at];
        score_list(*term, list, &window, documents, all - bound, threshold, scratch)?;
    }
    let mut candidates = std::mem::take(&mut scratch.candidates);
    candidates.clear();
    for (word, (touched, allowed)) in scratch.touched.iter().zip(allowed).enumerate() {
        for bit in ones(touched & allowed) {
            let place = word * 64 + bit;
            if (scratch.sums[place] + rest) * MARGIN >= threshold {
                candidates.push(first + place as u32);
            }
        }
    }
    for &(bound, at) in others.iter().rev() {
        if candidates.is_empty() || bound == 0.0 {
            break;
        }
        let (term, list) = &mut lists[at];
        look_up(*term, list, &window, documents, &candidates, scratch)?;
        rest -= bound;
        candidates
            .retain(|&doc| (scratch.sums[(doc - first) as usize] + rest.max(0.0)) * MARGIN >= threshold);
    }
    for &doc in &candidates {
        let place = (doc - first) as usize;
        // The order of terms, whatever the order in which they were looked at.
        let score: f64 = ones(scratch.found[place]).map(|term| scratch.added[term][place]).sum();
        if score <= 0.0 || score < best.threshold() {
            continue;
        }
        if let Some(chunk) = documents.chunk(place).filter(|&chunk| accept(chunk)) {
            best.push(Hit { chunk, score });
        }
    }
    scratch.candidates = candidates;
    scratch.clear();
    Ok(())
}

/// Scores a term in all documents of a window, but for blocks of which none can matter; `others` is what all other
/// terms can add.
fn score_list(
    term: usize,
    list: &mut List<'_>,
    window: &Window,
    documents: &Documents,
    others: f64,
    threshold: f64,
    scratch: &mut Scratch,
) -> Result<(), LexicalError> {
    for at in list.within(window) {
        if (list.blocks[at].bound + others.max(0.0)) * MARGIN < threshold {
            continue;
        }
        list.decode(at)?;
        let docs = list.block.docs();
        let begin = docs.partition_point(|&doc| doc < window.first);
        let end = begin + docs[begin..].partition_point(|&doc| doc < window.end);
        if begin == end {
            continue;
        }
        list.read_frequencies(at)?;
        let block = &*list.block;
        for (index, &doc) in block.docs().iter().enumerate().take(end).skip(begin) {
            let place = (doc - window.first) as usize % DOCS;
            let score = scratch.scorer.score(list.idf, &block.posting(index), &documents.lengths[place]);
            scratch.touched[place / 64] |= 1 << (place % 64);
            scratch.add(term, place, score);
        }
    }
    Ok(())
}

/// Scores a term in some documents of a window.
fn look_up(
    term: usize,
    list: &mut List<'_>,
    window: &Window,
    documents: &Documents,
    mut wanted: &[u32],
    scratch: &mut Scratch,
) -> Result<(), LexicalError> {
    for at in list.within(window) {
        let place = list.blocks[at].place;
        wanted = &wanted[wanted.partition_point(|&doc| doc < place.after)..];
        let (here, behind) = wanted.split_at(wanted.partition_point(|&doc| doc <= place.last));
        wanted = behind;
        if here.is_empty() {
            continue;
        }
        list.decode(at)?;
        let mut from = 0;
        for &doc in here {
            let docs = list.block.docs();
            from += docs[from..].partition_point(|&other| other < doc);
            if docs.get(from) != Some(&doc) {
                continue;
            }
            list.read_frequencies(at)?;
            let place = (doc - window.first) as usize % DOCS;
            let score = scratch.scorer.score(list.idf, &list.block.posting(from), &documents.lengths[place]);
            scratch.add(term, place, score);
        }
    }
    Ok(())
}

/// The number of fields is a power of two, so that a document's lengths are one load.
const _: () = assert!(FIELDS == 4);
