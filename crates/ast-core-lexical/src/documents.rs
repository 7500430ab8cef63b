//! Which documents a segment has, and how long their fields are.

use crate::LexicalError;
use crate::bytes::{Reader, put};
use crate::error::Damage;
use crate::pack::{BLOCK, pack, unpack};
use crate::page::{Kind, Page};
use crate::score::FIELDS;
use ast_core_model::{ChunkId, FileId};

/// Documents in a page; the last page of a segment may have less.
pub(crate) const DOCS: usize = 1024;

/// Documents of one file that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) file: FileId,
    /// The ordinal of the first.
    pub(crate) ordinal: u32,
    pub(crate) count: u32,
}

/// A page of documents.
#[derive(Debug)]
pub(crate) struct Documents {
    /// In the order of their ids.
    pub(crate) runs: Vec<Run>,
    /// How many there are.
    pub(crate) count: usize,
    /// How long the fields of each are.
    pub(crate) lengths: Box<[[u32; FIELDS]; DOCS]>,
}

impl Documents {
    pub(crate) fn write(id: crate::PageId, runs: &[Run], lengths: &[[u32; FIELDS]]) -> Page {
        let mut out = Vec::new();
        put(&mut out, runs.len() as u64);
        let mut last = 0;
        for run in runs {
            put(&mut out, run.file.get() - last);
            put(&mut out, u64::from(run.ordinal));
            put(&mut out, u64::from(run.count));
            last = run.file.get();
        }
        for block in lengths.chunks(BLOCK) {
            for field in 0..FIELDS {
                let mut column = [0; BLOCK];
                for (value, lengths) in column.iter_mut().zip(block) {
                    *value = lengths[field];
                }
                pack(&column, &mut out);
            }
        }
        Page::seal(id, Kind::Documents, out)
    }

    pub(crate) fn read(page: &Page) -> Result<Self, LexicalError> {
        let content = page.open(Kind::Documents)?;
        Self::parse(&mut Reader::new(content)).map_err(|damage| damage.of(page.id))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let files = reader.count()?;
        let mut runs = Vec::with_capacity(files.min(DOCS));
        let (mut last, mut count) = (0_u64, 0);
        for _ in 0..files {
            last = last.saturating_add(reader.u64()?);
            let file = FileId::new(last).ok_or(Damage("it names no file"))?;
            let (ordinal, chunks) = (reader.u32()?, reader.u32()?);
            count += chunks as usize;
            let end =
                ordinal.checked_add(chunks).filter(|&end| chunks > 0 && end <= ChunkId::MAX_ORDINAL + 1);
            if end.is_none() || count > DOCS {
                return Err(Damage("a file has too many chunks"));
            }
            runs.push(Run { file, ordinal, count: chunks });
        }
        let mut lengths = Box::new([[0; FIELDS]; DOCS]);
        for block in lengths.chunks_mut(BLOCK).take(count.div_ceil(BLOCK)) {
            for field in 0..FIELDS {
                let mut column = [0; BLOCK];
                unpack(reader, &mut column)?;
                for (lengths, value) in block.iter_mut().zip(column) {
                    lengths[field] = value;
                }
            }
        }
        if reader.is_empty() { Ok(Self { runs, count, lengths }) } else { Err(Damage("it goes on")) }
    }

    /// The chunk of the document at this place of the page.
    pub(crate) fn chunk(&self, place: usize) -> Option<ChunkId> {
        let mut first = 0;
        for run in &self.runs {
            let within = place - first;
            if within < run.count as usize {
                return ChunkId::in_file(run.file, run.ordinal + within as u32);
            }
            first += run.count as usize;
        }
        None
    }

    /// The runs, each with the place of its first document.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (usize, Run)> {
        let mut next = 0;
        self.runs.iter().map(move |&run| {
            let place = next;
            next += run.count as usize;
            (place, run)
        })
    }
}

/// Which documents of a segment are gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dead {
    words: Vec<u64>,
}

/// Words of 64 documents in a page of documents.
pub(crate) const WORDS: usize = DOCS / 64;

impl Dead {
    pub(crate) fn none(documents: u32) -> Self {
        Self { words: vec![0; (documents as usize).div_ceil(DOCS) * WORDS] }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    pub(crate) fn contains(&self, doc: u32) -> bool {
        self.words.get(doc as usize / 64).is_some_and(|word| word >> (doc % 64) & 1 != 0)
    }

    /// The documents of a page, a bit each.
    pub(crate) fn page(&self, page: usize) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        if let Some(page) = self.words.get(page * WORDS..(page + 1) * WORDS) {
            words.copy_from_slice(page);
        }
        words
    }

    /// Whether there is one in `first..=last`.
    pub(crate) fn any(&self, first: u32, last: u32) -> bool {
        let (from, to) = (first as usize / 64, last as usize / 64);
        let Some(words) = self.words.get(from..=to) else { return false };
        words.iter().enumerate().any(|(index, &word)| {
            let mut word = word;
            if index == 0 {
                word &= u64::MAX << (first % 64);
            }
            if index == to - from {
                word &= u64::MAX >> (63 - last % 64);
            }
            word != 0
        })
    }

    /// Adds a document of the segment.
    pub(crate) fn insert(&mut self, doc: u32) {
        if let Some(word) = self.words.get_mut(doc as usize / 64) {
            *word |= 1 << (doc % 64);
        }
    }

    pub(crate) fn write(&self, id: crate::PageId) -> Page {
        let mut out = Vec::new();
        let (mut last, mut doc) = (0, 0);
        let end = (self.words.len() * 64) as u32;
        while doc < end {
            if !self.contains(doc) {
                // Whole words without any are the rule.
                doc += if doc % 64 == 0 && self.words[doc as usize / 64] == 0 { 64 } else { 1 };
                continue;
            }
            let first = doc;
            while doc < end && self.contains(doc) {
                doc += 1;
            }
            put(&mut out, u64::from(first - last));
            put(&mut out, u64::from(doc - first));
            last = doc;
        }
        Page::seal(id, Kind::Dead, out)
    }

    pub(crate) fn read(page: &Page, documents: u32) -> Result<Self, LexicalError> {
        let mut reader = Reader::new(page.open(Kind::Dead)?);
        let mut dead = Self::none(documents);
        let mut next = 0_u64;
        while !reader.is_empty() {
            let mut number = || reader.u64().map_err(|damage| damage.of(page.id));
            let first = next.saturating_add(number()?);
            next = first.saturating_add(number()?);
            if next > u64::from(documents) {
                return Err(Damage("it names no document").of(page.id));
            }
            (first..next).for_each(|doc| dead.insert(doc as u32));
        }
        Ok(dead)
    }
}
