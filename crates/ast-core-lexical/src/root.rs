//! The first page of a segment: where its other pages are.

use crate::LexicalError;
use crate::bytes::{Reader, put};
use crate::error::Damage;
use crate::page::{Kind, Page, PageId};
use ast_core_model::FileId;

/// What a segment is made of.
#[derive(Debug, Default)]
pub(crate) struct Root {
    /// How many documents it has.
    pub(crate) documents: u32,
    /// The file of the first document of each page of documents; those are the pages from 1 on.
    pub(crate) first_files: Vec<FileId>,
    /// The bytes of the first terms of the pages of terms, one after the other.
    terms: Vec<u8>,
    /// Where each of these ends, and the number of the page.
    pages: Vec<(u32, u32)>,
}

impl Root {
    pub(crate) fn new(documents: u32) -> Self {
        Self { documents, ..Self::default() }
    }

    pub(crate) fn push_terms(&mut self, first: &[u8], page: u32) {
        self.terms.extend(first);
        self.pages.push((self.terms.len() as u32, page));
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        self.terms.len() + size_of_val(self.first_files.as_slice()) + size_of_val(self.pages.as_slice())
    }

    /// The number of a page of documents.
    pub(crate) fn documents_page(page: usize) -> u32 {
        page as u32 + 1
    }

    /// The number of a page of terms.
    pub(crate) fn terms_page(&self, index: usize) -> Option<u32> {
        self.pages.get(index).map(|page| page.1)
    }

    /// The first term of a page of terms.
    pub(crate) fn first_term(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.pages[before].0 as usize);
        &self.terms[begin..self.pages[index].0 as usize]
    }

    /// Which page of terms has a term, if any has.
    pub(crate) fn find(&self, term: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.pages.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.first_term(middle) <= term { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    /// The pages of terms that may have terms that begin with this.
    pub(crate) fn find_prefix(&self, prefix: &[u8]) -> std::ops::Range<usize> {
        let begin = self.find(prefix).unwrap_or(0);
        let beyond = |&index: &usize| {
            let first = self.first_term(index);
            first > prefix && !first.starts_with(prefix)
        };
        begin..(begin..self.pages.len()).find(beyond).unwrap_or(self.pages.len())
    }

    /// The pages of documents that may have chunks of a file.
    pub(crate) fn find_file(&self, file: FileId) -> std::ops::Range<usize> {
        let begin = self.first_files.partition_point(|&first| first < file).saturating_sub(1);
        begin..self.first_files.partition_point(|&first| first <= file)
    }

    pub(crate) fn write(&self, segment: u32) -> Page {
        let mut out = Vec::new();
        put(&mut out, u64::from(self.documents));
        put(&mut out, self.first_files.len() as u64);
        let mut last = 0;
        for file in &self.first_files {
            put(&mut out, file.get() - last);
            last = file.get();
        }
        put(&mut out, self.pages.len() as u64);
        let (mut page, mut before): (u32, &[u8]) = (0, &[]);
        for index in 0..self.pages.len() {
            let term = self.first_term(index);
            let shared = before.iter().zip(term).take_while(|(a, b)| a == b).count();
            put(&mut out, shared as u64);
            put(&mut out, (term.len() - shared) as u64);
            out.extend(&term[shared..]);
            put(&mut out, u64::from(self.pages[index].1 - page));
            (page, before) = (self.pages[index].1, term);
        }
        Page::seal(PageId::root(segment), Kind::Root, out)
    }

    pub(crate) fn read(page: &Page) -> Result<Self, LexicalError> {
        let content = page.open(Kind::Root)?;
        Self::parse(&mut Reader::new(content)).map_err(|damage| damage.of(page.id))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let mut root = Self { documents: reader.u32()?, ..Self::default() };
        let files = reader.count()?;
        root.first_files.reserve(files);
        let mut file = 0_u64;
        for _ in 0..files {
            file = file.saturating_add(reader.u64()?);
            root.first_files.push(FileId::new(file).ok_or(Damage("it names no file"))?);
        }
        let pages = reader.count()?;
        root.pages.reserve(pages);
        let (mut term, mut page) = (Vec::new(), 0_u32);
        for _ in 0..pages {
            let (shared, rest) = (reader.u32()? as usize, reader.count()?);
            if shared > term.len() {
                return Err(Damage("a term begins like none"));
            }
            term.truncate(shared);
            term.extend(reader.take(rest)?);
            page = page.checked_add(reader.u32()?).ok_or(Damage("it names no page"))?;
            if root.terms.len() + term.len() > u32::MAX as usize {
                return Err(Damage("its terms are too long"));
            }
            root.push_terms(&term, page);
        }
        Ok(root)
    }
}
