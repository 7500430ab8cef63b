//! What an index is made of.

use crate::bytes::{Reader, put};
use crate::error::Damage;
use crate::page::{Kind, MAX_SEGMENT, Page, PageId};
use crate::score::{FIELDS, Totals};
use crate::{Changes, LexicalError};
use ast_core_model::FileId;

/// Goes up with every change of the bytes of pages.
const FORMAT: u8 = 1;

/// The segments of an index, and what their live documents sum up to. [`Default`] is that of an empty index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The number of the last segment that was made; 0 if there was none.
    last_segment: u32,
    pub(crate) segments: Vec<Segment>,
}

/// A segment as the manifest knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its number.
    pub(crate) id: u32,
    /// How many documents it has, those that are gone included.
    pub(crate) documents: u32,
    /// How many pages it has; they are numbered from 0.
    pub(crate) pages: u32,
    /// How many bytes they are.
    pub(crate) bytes: u64,
    /// Its files are in this range.
    pub(crate) first_file: FileId,
    pub(crate) last_file: FileId,
    /// How often documents of it were removed; the page of the dead is of that version, and there is none at 0.
    pub(crate) dead_version: u32,
    /// Of the documents that live.
    pub(crate) live: Totals,
}

impl Segment {
    /// How many documents it has, those that are gone included.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// How many of its documents are there still.
    pub fn live_documents(&self) -> u64 {
        self.live.documents
    }

    /// How many bytes its pages are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn dead_page(&self) -> Option<PageId> {
        (self.dead_version > 0).then(|| PageId::dead(self.id, self.dead_version))
    }

    pub(crate) fn may_have(&self, file: FileId) -> bool {
        (self.first_file..=self.last_file).contains(&file)
    }
}

impl Manifest {
    /// Reads the page [`PageId::MANIFEST`]; an index without one is empty.
    ///
    /// # Errors
    /// [`LexicalError::Damaged`]; [`LexicalError::NewerFormat`].
    pub fn read(bytes: Option<Vec<u8>>) -> Result<Self, LexicalError> {
        let Some(data) = bytes else { return Ok(Self::default()) };
        let page = Page { id: PageId::MANIFEST, data };
        let content = page.open(Kind::Manifest)?;
        match content.first() {
            Some(&FORMAT) => {}
            Some(&found) if found > FORMAT => {
                return Err(LexicalError::NewerFormat { found, supported: FORMAT });
            }
            _ => return Err(Damage("it has no format").of(page.id)),
        }
        Self::parse(&mut Reader::from(content, 1)).map_err(|damage| damage.of(page.id))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let mut manifest = Self { last_segment: reader.u32()?, segments: Vec::new() };
        for _ in 0..reader.count()? {
            let mut file = || FileId::new(reader.u64()?).ok_or(Damage("it names no file"));
            let (first_file, last_file) = (file()?, file()?);
            let segment = Segment {
                id: reader.u32()?,
                documents: reader.u32()?,
                pages: reader.u32()?,
                bytes: reader.u64()?,
                first_file,
                last_file,
                dead_version: reader.u32()?,
                live: Totals {
                    documents: reader.u64()?,
                    lengths: [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?],
                },
            };
            if segment.id == 0 || segment.id > manifest.last_segment {
                return Err(Damage("it names no segment"));
            }
            manifest.segments.push(segment);
        }
        Ok(manifest)
    }

    pub(crate) fn write(&self) -> Page {
        let mut out = vec![FORMAT];
        put(&mut out, u64::from(self.last_segment));
        put(&mut out, self.segments.len() as u64);
        for segment in &self.segments {
            let numbers = [
                segment.first_file.get(),
                segment.last_file.get(),
                u64::from(segment.id),
                u64::from(segment.documents),
                u64::from(segment.pages),
                segment.bytes,
                u64::from(segment.dead_version),
                segment.live.documents,
            ];
            numbers.into_iter().chain(segment.live.lengths).for_each(|number| put(&mut out, number));
        }
        Page::seal(PageId::MANIFEST, Kind::Manifest, out)
    }

    /// The number of a new segment; none is given twice.
    pub(crate) fn new_segment(&mut self) -> Result<u32, LexicalError> {
        if self.last_segment == MAX_SEGMENT {
            return Err(LexicalError::Overflow {
                what: "the number of segments ever made",
                limit: MAX_SEGMENT.into(),
            });
        }
        self.last_segment += 1;
        Ok(self.last_segment)
    }

    /// Takes everything out, and numbers segments from beyond this index's and beyond those that have such pages: what was
    /// read of a page before is not taken for a new one. For an index whose pages are damaged.
    pub fn begin_anew(&self, beyond: PageId) -> Changes {
        let last_segment = self.last_segment.max(beyond.segment());
        let manifest = Self { last_segment, segments: Vec::new() };
        let put = vec![manifest.write()];
        Changes { manifest, delete: vec![PageId::MANIFEST..=PageId::LAST], put }
    }

    /// Whether the index has a page of this name.
    pub fn names(&self, page: PageId) -> bool {
        let is_of = |segment: &Segment| {
            segment.id == page.segment()
                && (page.number() < segment.pages || segment.dead_page() == Some(page))
        };
        page == PageId::MANIFEST || self.segments.iter().any(is_of)
    }

    /// The segments, in the order in which they were made.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How many documents are there, and how long their fields are in all.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { documents: 0, lengths: [0; FIELDS] };
        self.segments.iter().for_each(|segment| totals.add(&segment.live));
        totals
    }

    /// How many bytes all pages are, but those that tell which documents are gone.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}
