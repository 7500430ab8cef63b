//! In which documents a term is, and how often: the bytes of it.
//!
//! The postings of a term that is in less than 128 documents are a run of variable-length numbers. Of any other they
//! are *pieces*, each within a page; a piece is a directory and then blocks of 128, bit-packed, and at the end of the last
//! piece a run of what is left. The directory has for each block its last document, its size, and [`Bound`]s, so that
//! blocks that cannot matter to a search are not decoded.

use crate::bytes::{Reader, put};
use crate::error::Damage;
use crate::pack::{BLOCK, pack, unpack};
use crate::score::{FIELDS, Scorer};

/// A term in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    /// The number of the document in its segment.
    pub(crate) doc: u32,
    /// How often it is in each field; in one of them it is.
    pub(crate) tf: [u16; FIELDS],
}

/// Just once in the body, as most are.
const ONCE_IN_BODY: [u16; FIELDS] = [0, 0, 0, 1];

/// The low bits of the byte of frequencies: the fields that the term is in.
const MASK: u8 = 0b1111;
/// What its high bits are for a term in one field if the number is too large for them.
const LARGE: u8 = 15;

/// Appends a run; `after` is the number below which no document is.
pub(crate) fn put_run(out: &mut Vec<u8>, postings: &[Posting], mut after: u32) {
    for posting in postings {
        let delta = u64::from(posting.doc - after);
        after = posting.doc + 1;
        let once = posting.tf == ONCE_IN_BODY;
        put(out, delta << 1 | u64::from(!once));
        if once {
            continue;
        }
        let fields = (0..FIELDS).filter(|&field| posting.tf[field] > 0);
        let mask = fields.clone().fold(0, |mask, field| mask | 1_u8 << field);
        let more = |field: usize| posting.tf[field] - 1;
        if mask.count_ones() == 1 {
            let high = fields.clone().map(more).sum::<u16>();
            out.push(mask | high.min(u16::from(LARGE)).to_le_bytes()[0] << 4);
            if high >= u16::from(LARGE) {
                put(out, u64::from(high - u16::from(LARGE)));
            }
        } else {
            let all_once = fields.clone().all(|field| more(field) == 0);
            out.push(mask | u8::from(!all_once) << 4);
            if !all_once {
                fields.for_each(|field| put(out, u64::from(more(field))));
            }
        }
    }
}

/// Reads a run of so many postings of documents in `after..limit`.
pub(crate) fn read_run(
    reader: &mut Reader<'_>,
    count: usize,
    after: u32,
    limit: u32,
    mut emit: impl FnMut(Posting),
) -> Result<(), Damage> {
    let mut next = u64::from(after);
    for _ in 0..count {
        let delta = reader.u64()?;
        let doc = next.saturating_add(delta >> 1);
        if doc >= u64::from(limit) {
            return Err(Damage("a posting is of no document"));
        }
        next = doc + 1;
        let mut tf = ONCE_IN_BODY;
        if delta & 1 != 0 {
            let byte = reader.byte()?;
            let (mask, high) = (byte & MASK, byte >> 4);
            let mut number = || {
                let more = if mask.count_ones() == 1 {
                    u64::from(high) + if high == LARGE { reader.u64()? } else { 0 }
                } else if high == 0 {
                    0
                } else {
                    reader.u64()?
                };
                u16::try_from(more.saturating_add(1)).map_err(|_| Damage("a frequency is too large"))
            };
            tf = [0; FIELDS];
            for (field, tf) in tf.iter_mut().enumerate() {
                if mask >> field & 1 != 0 {
                    *tf = number()?;
                }
            }
        }
        emit(Posting { doc: doc as u32, tf });
    }
    Ok(())
}

/// Appends a block.
pub(crate) fn put_block(out: &mut Vec<u8>, postings: &[Posting; BLOCK], mut after: u32) {
    let mask = postings.iter().fold(0, |mask, posting| {
        (0..FIELDS).fold(mask, |mask, field| mask | u8::from(posting.tf[field] > 0) << field)
    });
    out.push(mask);
    let deltas = postings.map(|posting| {
        let delta = posting.doc - after;
        after = posting.doc + 1;
        delta
    });
    pack(&deltas, out);
    for field in (0..FIELDS).filter(|field| mask >> field & 1 != 0) {
        pack(&postings.map(|posting| u32::from(posting.tf[field])), out);
    }
}

/// The postings of a block, decoded: the documents at once, the frequencies when they are asked for.
#[derive(Debug)]
pub(crate) struct Block {
    docs: [u32; BLOCK],
    count: usize,
    tf: [[u32; BLOCK]; FIELDS],
    /// The fields in it, a bit each.
    fields: u8,
    /// Where in the page its frequencies are, if they are not decoded yet.
    packed: Option<usize>,
}

impl Default for Block {
    fn default() -> Self {
        Self { docs: [0; BLOCK], count: 0, tf: [[0; BLOCK]; FIELDS], fields: 0, packed: None }
    }
}

impl Block {
    /// Reads the documents of a block.
    pub(crate) fn read(&mut self, page: &[u8], place: &BlockPlace) -> Result<(), Damage> {
        // After an error it holds nothing.
        self.count = 0;
        let bytes = page.get(..place.end).ok_or(Damage("a block is beyond its page"))?;
        let mut reader = Reader::from(bytes, place.begin);
        if (place.count as usize) < BLOCK {
            let (mut count, mut fields) = (0, 0);
            read_run(&mut reader, place.count as usize, place.after, place.last + 1, |posting| {
                self.docs[count] = posting.doc;
                for field in 0..FIELDS {
                    self.tf[field][count] = u32::from(posting.tf[field]);
                    fields |= u8::from(posting.tf[field] > 0) << field;
                }
                count += 1;
            })?;
            (self.fields, self.packed, self.count) = (fields, None, count);
            return Ok(());
        }
        self.fields = reader.byte()? & MASK;
        unpack(&mut reader, &mut self.docs)?;
        self.packed = Some(reader.at());
        let mut next = place.after;
        let mut sum = u64::from(place.after);
        for doc in &mut self.docs {
            sum += u64::from(*doc) + 1;
            *doc = next.wrapping_add(*doc);
            next = doc.wrapping_add(1);
        }
        // Nothing wrapped if the sum is right.
        if sum != u64::from(place.last) + 1 {
            return Err(Damage("a block is of other documents"));
        }
        self.count = BLOCK;
        Ok(())
    }

    /// Takes a run of less than 128 postings.
    pub(crate) fn set(&mut self, postings: &[Posting]) {
        self.count = 0;
        self.fields = 0;
        self.packed = None;
        for posting in postings.iter().take(BLOCK) {
            self.docs[self.count] = posting.doc;
            for field in 0..FIELDS {
                self.tf[field][self.count] = u32::from(posting.tf[field]);
                self.fields |= u8::from(posting.tf[field] > 0) << field;
            }
            self.count += 1;
        }
    }

    /// The documents, in order.
    pub(crate) fn docs(&self) -> &[u32] {
        &self.docs[..self.count]
    }

    /// Decodes how often the term is in each document; the page is that which the block was read from.
    pub(crate) fn read_frequencies(&mut self, page: &[u8]) -> Result<(), Damage> {
        if let Some(at) = self.packed.take() {
            let mut reader = Reader::from(page, at);
            for (field, tf) in self.tf.iter_mut().enumerate() {
                if self.fields >> field & 1 != 0 {
                    unpack(&mut reader, tf)?;
                }
            }
        }
        Ok(())
    }

    /// How often the term is in the document at this place, field by field, once that is decoded.
    pub(crate) fn posting(&self, place: usize) -> [u32; FIELDS] {
        let mut tf = [0; FIELDS];
        for field in (0..FIELDS).filter(|field| self.fields >> field & 1 != 0) {
            tf[field] = self.tf[field][place];
        }
        tf
    }
}

/// Pairs of a frequency and a length a field.
const PAIRS: usize = 3;

/// What matches can count for at most, whatever the weights: of each field pairs of a frequency and a length so that
/// every posting has, of one of the pairs, at most the frequency and at least the length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    fields: [([(u32, u32); PAIRS], u8); FIELDS],
}

impl Bound {
    pub(crate) fn of(postings: &[Posting], lengths: &[[u32; FIELDS]]) -> Self {
        let mut bound = Self::default();
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(postings.len());
        for (field, (kept, count)) in bound.fields.iter_mut().enumerate() {
            pairs.clear();
            pairs.extend(
                postings
                    .iter()
                    .filter(|posting| posting.tf[field] > 0)
                    .map(|posting| (u32::from(posting.tf[field]), lengths[posting.doc as usize][field])),
            );
            // What is no more frequent and no shorter than another cannot count for more.
            pairs.sort_unstable_by_key(|&(tf, length)| (std::cmp::Reverse(tf), length));
            let mut shortest = u32::MAX;
            pairs.retain(|&(_, length)| {
                length < shortest && {
                    shortest = length;
                    true
                }
            });
            // Of groups of neighbours, the most frequent and the shortest there is.
            *count = pairs.len().min(PAIRS) as u8;
            for (index, pair) in kept.iter_mut().take(usize::from(*count)).enumerate() {
                let groups = usize::from(*count);
                let group = &pairs[index * pairs.len() / groups..(index + 1) * pairs.len() / groups];
                if let (Some(first), Some(last)) = (group.first(), group.last()) {
                    *pair = (first.0, last.1);
                }
            }
        }
        bound
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let counts = self.fields.iter().rev().fold(0_u8, |counts, (_, count)| counts << 2 | count);
        out.push(counts);
        for (pairs, count) in &self.fields {
            for &(tf, length) in &pairs[..usize::from(*count)] {
                put(out, u64::from(tf));
                put(out, u64::from(length));
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let counts = reader.byte()?;
        let mut bound = Self::default();
        for (field, (pairs, count)) in bound.fields.iter_mut().enumerate() {
            *count = counts >> (2 * field) & 0b11;
            for pair in &mut pairs[..usize::from(*count)] {
                *pair = (reader.u32()?, reader.u32()?);
            }
        }
        Ok(bound)
    }

    /// What no posting scores more than.
    pub(crate) fn score(&self, scorer: &Scorer, idf: f64) -> f64 {
        let mut frequency = 0.0;
        for (field, (pairs, count)) in self.fields.iter().enumerate() {
            let scores =
                pairs[..usize::from(*count)].iter().map(|&(tf, length)| scorer.field(field, tf, length));
            frequency += scores.fold(0.0, f64::max);
        }
        // Saturation rounds twice, and may by that fall where it should rise.
        scorer.saturate(idf, frequency) * (1.0 + 1e-9)
    }
}

/// Writes a piece.
#[derive(Debug, Default)]
pub(crate) struct PieceWriter {
    directory: Vec<u8>,
    blocks: Vec<u8>,
    count: u32,
    /// The number below which no document of the next block is.
    after: u32,
}

impl PieceWriter {
    pub(crate) fn new(after: u32) -> Self {
        Self { after, ..Self::default() }
    }

    /// About how many bytes it is.
    pub(crate) fn size(&self) -> usize {
        self.directory.len() + self.blocks.len()
    }

    pub(crate) fn after(&self) -> u32 {
        self.after
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Appends a block, or the run that is left at the end.
    pub(crate) fn push(&mut self, postings: &[Posting], lengths: &[[u32; FIELDS]]) {
        let Some(last) = postings.last() else { return };
        let begin = self.blocks.len();
        match postings.as_array::<BLOCK>() {
            Some(block) => put_block(&mut self.blocks, block, self.after),
            None => put_run(&mut self.blocks, postings, self.after),
        }
        put(&mut self.directory, postings.len() as u64);
        put(&mut self.directory, u64::from(last.doc - self.after));
        put(&mut self.directory, (self.blocks.len() - begin) as u64);
        Bound::of(postings, lengths).put(&mut self.directory);
        self.count += 1;
        self.after = last.doc + 1;
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        put(out, u64::from(self.count));
        put(out, self.directory.len() as u64);
        out.extend(self.directory);
        out.extend(self.blocks);
    }
}

/// Where a block is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace {
    /// 128, or less in the run at the end.
    pub(crate) count: u32,
    /// The number below which none of its documents is.
    pub(crate) after: u32,
    /// Its last document.
    pub(crate) last: u32,
    /// Where its bytes are in the page.
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// Reads the directory of the piece at an offset of a page; returns the number below which no document of the next
/// piece is.
pub(crate) fn read_piece(
    page: &[u8],
    offset: usize,
    mut after: u32,
    limit: u32,
    mut emit: impl FnMut(BlockPlace, Bound),
) -> Result<u32, Damage> {
    let mut reader = Reader::from(page, offset);
    let count = reader.count()?;
    let size = reader.count()?;
    let mut begin = reader.at() + size;
    for _ in 0..count {
        let postings = reader.u32()?;
        if postings == 0 || postings as usize > BLOCK {
            return Err(Damage("a block is of too many postings"));
        }
        let last = u64::from(after) + reader.u64()?.min(u64::from(u32::MAX));
        if last >= u64::from(limit) {
            return Err(Damage("a block is of no documents"));
        }
        let end = begin.saturating_add(reader.count()?);
        if end > page.len() {
            return Err(Damage("a block is beyond its page"));
        }
        let bound = Bound::read(&mut reader)?;
        emit(BlockPlace { count: postings, after, last: last as u32, begin, end }, bound);
        begin = end;
        after = last as u32 + 1;
    }
    Ok(after)
}
