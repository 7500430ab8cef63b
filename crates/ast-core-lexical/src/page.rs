//! Pages: what they are called, and the frame round their bytes.

use crate::LexicalError;
use crate::checksum::xxh64;
use crate::error::Damage;
use std::fmt;
use std::ops::RangeInclusive;

/// The name of a page: a positive `i64`, to be the key of a row. The page of a name never changes, but for the
/// [manifest](Self::MANIFEST).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(u64);

/// Bits of a page's name that number the page in its segment.
const NUMBER_BITS: u32 = 32;

/// The largest number of a segment: names fit in an `i64`.
pub(crate) const MAX_SEGMENT: u32 = u32::MAX >> 1;

/// Pages from this number on tell which documents of the segment are gone.
const FIRST_DEAD: u32 = 1 << 31;

impl PageId {
    /// The page that says what the index is made of; it is the only one that is overwritten.
    pub const MANIFEST: Self = Self(0);

    /// The largest name there can be.
    pub(crate) const LAST: Self = Self(u64::MAX >> 1);

    /// The page of this name, `None` if it is no positive `i64`.
    pub const fn from_raw(raw: u64) -> Option<Self> {
        if raw >> 63 == 0 { Some(Self(raw)) } else { None }
    }

    /// The name: at most 63 bits.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn new(segment: u32, number: u32) -> Self {
        Self(u64::from(segment.min(MAX_SEGMENT)) << NUMBER_BITS | u64::from(number))
    }

    /// The page of the segment's dead documents as they are after so many changes of them.
    pub(crate) fn dead(segment: u32, version: u32) -> Self {
        Self::new(segment, FIRST_DEAD | version)
    }

    pub(crate) fn root(segment: u32) -> Self {
        Self::new(segment, 0)
    }

    /// The number of its segment; 0 of the manifest.
    pub(crate) fn segment(self) -> u32 {
        (self.0 >> NUMBER_BITS) as u32
    }

    /// The number of the page in its segment.
    pub(crate) fn number(self) -> u32 {
        self.0 as u32
    }

    /// All names of a segment.
    pub(crate) fn all_of(segment: u32) -> RangeInclusive<Self> {
        Self::new(segment, 0)..=Self::new(segment, u32::MAX)
    }
}

/// How often the dead documents of a segment can change, and how many other pages it can have.
pub(crate) const MAX_NUMBER: u32 = FIRST_DEAD - 1;

impl fmt::Debug for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 >> NUMBER_BITS, self.0 as u32)
    }
}

/// A page and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name.
    pub id: PageId,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What is in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Manifest = 1,
    Root = 2,
    Documents = 3,
    Terms = 4,
    Postings = 5,
    Dead = 6,
}

const CHECKSUM: usize = size_of::<u64>();

impl Page {
    /// Closes a page: its kind and a checksum over all, and over its name so that no page is taken for another.
    pub(crate) fn seal(id: PageId, kind: Kind, mut data: Vec<u8>) -> Self {
        data.push(kind as u8);
        let checksum = xxh64(&data, id.0);
        data.extend(checksum.to_le_bytes());
        Self { id, data }
    }

    /// What was sealed.
    pub(crate) fn open(&self, kind: Kind) -> Result<&[u8], LexicalError> {
        open(self.id, kind, &self.data)
    }

    /// What was sealed in a page of terms or of postings, and which of them it is.
    pub(crate) fn into_terms_or_postings(self) -> Result<(Kind, Vec<u8>), LexicalError> {
        let kind = match self.data.len().checked_sub(CHECKSUM + 1).map(|at| self.data[at]) {
            Some(kind) if kind == Kind::Terms as u8 => Kind::Terms,
            _ => Kind::Postings,
        };
        Ok((kind, self.into_content(kind)?))
    }

    /// What was sealed, without a copy.
    pub(crate) fn into_content(mut self, kind: Kind) -> Result<Vec<u8>, LexicalError> {
        let length = self.open(kind)?.len();
        self.data.truncate(length);
        Ok(self.data)
    }
}

fn open(id: PageId, kind: Kind, data: &[u8]) -> Result<&[u8], LexicalError> {
    let Some((content, checksum)) = data.split_last_chunk::<CHECKSUM>() else {
        return Err(Damage("it ends early").of(id));
    };
    if xxh64(content, id.0) != u64::from_le_bytes(*checksum) {
        return Err(Damage("its checksum is another").of(id));
    }
    match content.split_last() {
        Some((&found, content)) if found == kind as u8 => Ok(content),
        _ => Err(Damage("it is of another kind").of(id)),
    }
}
