//! The terms of a segment, in order, and where their postings are.
//!
//! A page of terms is entries: how many bytes are those of the term before, the bytes that differ, in how many documents
//! the term is, and the size of what follows, which is the postings, if there are less than 128, else the pages
//! and offsets of their pieces.

use crate::bytes::{Reader, put};
use crate::error::Damage;
use crate::pack::BLOCK;

/// Where a piece of postings is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PieceRef {
    /// The number of its page in the segment.
    pub(crate) page: u32,
    /// Where it begins there.
    pub(crate) offset: u32,
}

/// A term's entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// In how many documents the term is, those that are gone included.
    pub(crate) documents: u32,
    payload: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The postings, if they are here.
    pub(crate) fn run(&self) -> Option<Reader<'a>> {
        ((self.documents as usize) < BLOCK).then(|| Reader::new(self.payload))
    }

    /// Where the postings are, if they are not here.
    pub(crate) fn pieces(&self) -> Result<Vec<PieceRef>, Damage> {
        let mut reader = Reader::new(self.payload);
        let count = reader.count()?;
        let mut pieces = Vec::with_capacity(count);
        let mut page = 0_u32;
        for _ in 0..count {
            page = page.checked_add(reader.u32()?).ok_or(Damage("a piece is in no page"))?;
            pieces.push(PieceRef { page, offset: reader.u32()? });
        }
        Ok(pieces)
    }
}

/// Writes a page of terms.
#[derive(Debug, Default)]
pub(crate) struct TermsWriter {
    pub(crate) bytes: Vec<u8>,
    last: Vec<u8>,
}

impl TermsWriter {
    fn push(&mut self, term: &[u8], documents: u32, payload: &[u8]) {
        let shared = self.last.iter().zip(term).take_while(|(a, b)| a == b).count();
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, (term.len() - shared) as u64);
        self.bytes.extend(&term[shared..]);
        put(&mut self.bytes, u64::from(documents));
        put(&mut self.bytes, payload.len() as u64);
        self.bytes.extend(payload);
        self.last.truncate(shared);
        self.last.extend(&term[shared..]);
    }

    /// Appends a term and its run of less than 128 postings.
    pub(crate) fn push_run(&mut self, term: &[u8], documents: u32, run: &[u8]) {
        self.push(term, documents, run);
    }

    /// Appends a term and where its postings are.
    pub(crate) fn push_pieces(&mut self, term: &[u8], documents: u32, pieces: &[PieceRef]) {
        let mut payload = Vec::new();
        put(&mut payload, pieces.len() as u64);
        let mut last = 0;
        for piece in pieces {
            put(&mut payload, u64::from(piece.page - last));
            put(&mut payload, u64::from(piece.offset));
            last = piece.page;
        }
        self.push(term, documents, &payload);
    }
}

/// Reads the terms of a page in their order.
#[derive(Debug)]
pub(crate) struct Terms<'a> {
    reader: Reader<'a>,
    term: Vec<u8>,
}

impl<'a> Terms<'a> {
    pub(crate) fn new(page: &'a [u8]) -> Self {
        Self { reader: Reader::new(page), term: Vec::new() }
    }

    /// Goes on after an entry: `at` and `term` are those of it.
    pub(crate) fn resume(page: &'a [u8], at: usize, term: Vec<u8>) -> Self {
        Self { reader: Reader::from(page, at), term }
    }

    /// How much has been read.
    pub(crate) fn at(&self) -> usize {
        self.reader.at()
    }

    /// The term of the entry that was read last.
    pub(crate) fn term(&self) -> &[u8] {
        &self.term
    }

    pub(crate) fn into_term(self) -> Vec<u8> {
        self.term
    }

    /// The next entry.
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'a>>, Damage> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let (shared, rest) = (self.reader.u32()? as usize, self.reader.count()?);
        if shared > self.term.len() {
            return Err(Damage("a term begins like none"));
        }
        self.term.truncate(shared);
        self.term.extend(self.reader.take(rest)?);
        let documents = self.reader.u32()?;
        let size = self.reader.count()?;
        Ok(Some(Entry { documents, payload: self.reader.take(size)? }))
    }

    /// The entry of a term, if the page has it.
    pub(crate) fn find(mut self, wanted: &[u8]) -> Result<Option<Entry<'a>>, Damage> {
        while let Some(entry) = self.next()? {
            match self.term.as_slice().cmp(wanted) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(Some(entry)),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(None)
    }
}
