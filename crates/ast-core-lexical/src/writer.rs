//! Writes a segment, term by term.

use crate::LexicalError;
use crate::dictionary::{PieceRef, TermsWriter};
use crate::documents::{DOCS, Documents, Run};
use crate::manifest::Segment;
use crate::pack::BLOCK;
use crate::page::{Kind, MAX_NUMBER, Page, PageId};
use crate::postings::{PieceWriter, Posting, put_run};
use crate::root::Root;
use crate::score::{FIELDS, Totals};

/// A page of terms is closed when it has this many bytes. What a search reads of each segment and term is one of them.
const TERMS_PAGE: usize = 8 << 10;

/// A page of postings is closed when it has about this many bytes.
const POSTINGS_PAGE: usize = 16 << 10;

/// Writes the pages of a segment.
pub(crate) struct SegmentWriter {
    segment: Segment,
    lengths: Vec<[u32; FIELDS]>,
    root: Root,
    terms: TermsWriter,
    first_term: Vec<u8>,
    /// A page of postings that is not full, and its number.
    postings: Option<(u32, Vec<u8>)>,
    run: Vec<u8>,
    next: u32,
    done: Vec<Page>,
}

impl SegmentWriter {
    /// Begins a segment of these documents, which are in the order of their ids. `None` if there are no documents.
    pub(crate) fn new(
        id: u32,
        runs: &[Run],
        lengths: Vec<[u32; FIELDS]>,
    ) -> Result<Option<Self>, LexicalError> {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(None) };
        let documents = u32::try_from(lengths.len()).ok().filter(|&documents| documents <= MAX_NUMBER);
        let documents = documents.ok_or(LexicalError::Overflow {
            what: "the number of chunks in a segment",
            limit: MAX_NUMBER.into(),
        })?;
        let mut live = Totals::default();
        lengths.iter().for_each(|&lengths| live.add_document(lengths));
        let segment = Segment {
            id,
            documents,
            pages: 0,
            bytes: 0,
            first_file: first.file,
            last_file: last.file,
            dead_version: 0,
            live,
        };
        let mut writer = Self {
            segment,
            lengths,
            root: Root::new(documents),
            terms: TermsWriter::default(),
            first_term: Vec::new(),
            postings: None,
            run: Vec::new(),
            next: 1,
            done: Vec::new(),
        };
        writer.documents(runs)?;
        Ok(Some(writer))
    }

    fn documents(&mut self, runs: &[Run]) -> Result<(), LexicalError> {
        let mut runs = runs.iter().copied();
        let mut rest = None;
        let mut begin = 0;
        while begin < self.lengths.len() {
            let end = (begin + DOCS).min(self.lengths.len());
            let mut room = (end - begin) as u32;
            let mut within = Vec::new();
            while room > 0 {
                let Some(run) = rest.take().or_else(|| runs.next()) else { break };
                let Run { file, ordinal, count } = run;
                let taken = count.min(room);
                within.push(Run { file, ordinal, count: taken });
                room -= taken;
                if taken < count {
                    rest = Some(Run { file, ordinal: ordinal + taken, count: count - taken });
                }
            }
            self.root.first_files.extend(within.first().map(|run| run.file));
            let id = PageId::new(self.segment.id, self.number()?);
            let page = Documents::write(id, &within, &self.lengths[begin..end]);
            self.close(page);
            begin = end;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<u32, LexicalError> {
        let number = self.next;
        if number > MAX_NUMBER {
            return Err(LexicalError::Overflow {
                what: "the number of pages of a segment",
                limit: MAX_NUMBER.into(),
            });
        }
        self.next += 1;
        Ok(number)
    }

    fn close(&mut self, page: Page) {
        self.segment.bytes += page.data.len() as u64;
        self.done.push(page);
    }

    /// Appends a term, which is behind all before it, and its postings in the order of documents.
    pub(crate) fn term(&mut self, term: &[u8], postings: &[Posting]) -> Result<(), LexicalError> {
        if postings.is_empty() {
            return Ok(());
        }
        if self.terms.bytes.is_empty() {
            self.first_term.clear();
            self.first_term.extend(term);
        }
        let documents = postings.len() as u32;
        if postings.len() < BLOCK {
            self.run.clear();
            put_run(&mut self.run, postings, 0);
            self.terms.push_run(term, documents, &self.run);
        } else {
            let pieces = self.pieces(postings)?;
            self.terms.push_pieces(term, documents, &pieces);
        }
        if self.terms.bytes.len() >= TERMS_PAGE { self.close_terms() } else { Ok(()) }
    }

    fn pieces(&mut self, postings: &[Posting]) -> Result<Vec<PieceRef>, LexicalError> {
        let mut pieces = Vec::new();
        let mut piece = PieceWriter::default();
        for block in postings.chunks(BLOCK) {
            piece.push(block, &self.lengths);
            let used = self.postings.as_ref().map_or(0, |(_, page)| page.len());
            if used + piece.size() >= POSTINGS_PAGE {
                let after = piece.after();
                pieces.push(self.close_piece(piece)?);
                piece = PieceWriter::new(after);
            }
        }
        if !piece.is_empty() {
            pieces.push(self.close_piece(piece)?);
        }
        Ok(pieces)
    }

    fn close_piece(&mut self, piece: PieceWriter) -> Result<PieceRef, LexicalError> {
        let (page, mut bytes) = match self.postings.take() {
            Some(open) => open,
            None => (self.number()?, Vec::new()),
        };
        let offset = bytes.len() as u32;
        piece.finish(&mut bytes);
        if bytes.len() >= POSTINGS_PAGE {
            self.close_postings(page, bytes);
        } else {
            self.postings = Some((page, bytes));
        }
        Ok(PieceRef { page, offset })
    }

    fn close_postings(&mut self, page: u32, bytes: Vec<u8>) {
        self.close(Page::seal(PageId::new(self.segment.id, page), Kind::Postings, bytes));
    }

    fn close_terms(&mut self) -> Result<(), LexicalError> {
        let number = self.number()?;
        self.root.push_terms(&self.first_term, number);
        let bytes = std::mem::take(&mut self.terms).bytes;
        self.close(Page::seal(PageId::new(self.segment.id, number), Kind::Terms, bytes));
        Ok(())
    }

    /// The pages that are done since they were last taken.
    pub(crate) fn take_done(&mut self) -> Vec<Page> {
        std::mem::take(&mut self.done)
    }

    /// Ends the segment, with the pages that were not taken yet.
    pub(crate) fn finish(mut self) -> Result<(Segment, Vec<Page>), LexicalError> {
        if !self.terms.bytes.is_empty() {
            self.close_terms()?;
        }
        if let Some((page, bytes)) = self.postings.take() {
            self.close_postings(page, bytes);
        }
        let root = self.root.write(self.segment.id);
        self.close(root);
        self.segment.pages = self.next;
        Ok((self.segment, self.done))
    }
}
