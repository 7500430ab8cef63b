//! Version 3 of the format: everything before the sections.
//!
//! Numbers are little-endian. A file begins with the header, and behind that are sections: those of rows at multiples of
//! 4096 bytes, the others at multiples of 64. What is between them is zeros.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `89 41 53 54 56 45 43 0A` |
//! | 8 | 4 | version |
//! | 12 | 4 | length of the header, the table and the model in it |
//! | 16 | 8 | checksum of the header from offset 24 on |
//! | 24 | 8 | length of the file |
//! | 32 | 152 | kind, metric, storage, dimension, generation, counts, settings: [`Fields`] in its order |
//! | 184 | 40 each | the table of sections |
//! | | | the id of the model, in UTF-8 |
//!
//! Checksums are XXH3 of 64 bits. A section of rows is cut into blocks of a power of two of rows; the checksums of
//! those are a section of their own, the last in the file, and the section's checksum is that of its list of them.
//!
//! Version 1 differs in codes of more than one line: their bytes are in the order of the values, where now they are
//! split in halves. It is read, but such codes are copied to memory when the file is opened. Version 2 has no sketches, which
//! are made in memory then.

use std::path::Path;

use twox_hash::XxHash3_64;

use super::Header;
use crate::{HnswConfig, Metric, Storage, VectorError, keys::Keys};

/// The first bytes of every file. The first is no text, and the last is changed by programs that take it for some.
const MAGIC: [u8; 8] = *b"\x89ASTVEC\n";

/// The version that is written. Those before are read.
pub(super) const VERSION: u32 = 3;

/// Sections begin at multiples of this many bytes: those of rows at those of a page.
pub(super) const ALIGNMENT: u64 = 64;
pub(super) const ROWS_ALIGNMENT: u64 = 4096;

/// Bytes that the first reading of a file has to give: all before what the checksum is of.
pub(super) const PREFIX: usize = 24;

/// Bytes of the header without table and model.
const FIXED: usize = 184;

/// Bytes of a line of the table.
const ENTRY: usize = 40;

/// Longest model id.
const MODEL: usize = 1024;

/// Longest header.
pub(super) const LONGEST: usize = FIXED + ENTRY * Part::ALL.len() + MODEL;

/// In place of a slot or node that there is not.
const NONE: u32 = u32::MAX;

/// Which index a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A [`FlatIndex`](crate::FlatIndex).
    Flat,
    /// An [`Hnsw`](crate::Hnsw).
    Graph,
    /// An [`AutoIndex`](crate::AutoIndex).
    Auto,
    /// A [`ByteIndex`](crate::ByteIndex).
    Bytes,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Flat => "FlatIndex",
            Self::Graph => "Hnsw",
            Self::Auto => "AutoIndex",
            Self::Bytes => "ByteIndex",
        }
    }
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The key of each slot, u64.
    Keys = 1,
    /// Slots that have a key, and those that the graph has: bits in u64.
    Live = 2,
    Linked = 3,
    /// Slots without a key that no link leads to, u32.
    Free = 4,
    /// Slots without a key that the next sweep takes out, and that this one does, u32.
    Dead = 5,
    Leaving = 6,
    /// Rows of `Upper` that stand for nothing, u32.
    FreeUpper = 7,
    /// What codes are relative to, f32.
    Centre = 8,
    /// Rows in the order of slots: vectors as f32 or f16, codes as [`split`](crate::kernel::code::split) orders them,
    /// halves of their squared lengths (i32), lengths of
    /// vectors (f32), each padded to 64 bytes but the last two.
    Floats = 9,
    Halves = 10,
    Codes = 11,
    HalfNorms = 12,
    Lengths = 13,
    /// Links on the lowest layer, in the order of slots, and above it; u32.
    Base = 14,
    Upper = 15,
    /// Checksums of blocks, u64.
    Checksums = 16,
    /// 1 by the length of each vector, f32.
    InverseLengths = 17,
    /// What the caller keeps beside the vectors, bytes.
    Payload = 18,
    /// The signs of the values of each vector, a bit each in u64, ones for negative ones.
    Sketches = 19,
}

impl Part {
    const ALL: [Self; 19] = [
        Self::Keys,
        Self::Live,
        Self::Linked,
        Self::Free,
        Self::Dead,
        Self::Leaving,
        Self::FreeUpper,
        Self::Centre,
        Self::Floats,
        Self::Halves,
        Self::Codes,
        Self::HalfNorms,
        Self::Lengths,
        Self::Base,
        Self::Upper,
        Self::Checksums,
        Self::InverseLengths,
        Self::Payload,
        Self::Sketches,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keys => "the keys",
            Self::Live => "the set of slots",
            Self::Linked => "the set of linked slots",
            Self::Free => "the free slots",
            Self::Dead | Self::Leaving => "the removed slots",
            Self::FreeUpper => "the free nodes",
            Self::Centre => "the center of the codes",
            Self::Floats | Self::Halves => "the vectors",
            Self::Codes => "the codes",
            Self::HalfNorms => "the lengths of the codes",
            Self::Lengths | Self::InverseLengths => "the lengths of the vectors",
            Self::Base => "the links",
            Self::Upper => "the links above the lowest layer",
            Self::Checksums => "the checksums",
            Self::Payload => "what is kept beside the vectors",
            Self::Sketches => "the sketches of the vectors",
        }
    }
}

/// A line of the table of sections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) part: Part,
    /// The binary logarithm of the rows in a block; 0 for what is no rows.
    pub(super) shift: u32,
    pub(super) offset: u64,
    /// Bytes.
    pub(super) length: u64,
    pub(super) checksum: u64,
    /// Which of all the checksums of blocks is that of the first block.
    pub(super) first: u64,
}

/// What an index needs to know to go on where it was, beyond what is in sections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    /// Slots, with a key or without.
    pub(crate) slots: usize,
    /// Of the codes: the difference between neighboring ones, how many rows there were when that was chosen, and the
    /// values written and clipped since.
    pub(crate) step: f32,
    pub(crate) trained: usize,
    pub(crate) written: usize,
    pub(crate) clipped: usize,
    /// Of the lengths of vectors: the longest, the sum of all that were written, and how many those were.
    pub(crate) longest: f32,
    pub(crate) sum: f64,
    pub(crate) lengths: usize,
    /// Nodes above the lowest layer, and the node that searches begin at: node, slot and level.
    pub(crate) upper: usize,
    pub(crate) entry: Option<(u32, u32, usize)>,
    /// How far the graph is swept.
    pub(crate) next: usize,
    pub(crate) next_upper: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            slots: 0,
            step: 1.0,
            trained: 0,
            written: 0,
            clipped: 0,
            longest: 0.0,
            sum: 0.0,
            lengths: 0,
            upper: 0,
            entry: None,
            next: 0,
            next_upper: 0,
        }
    }
}

/// All of the header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fields {
    pub(super) public: Header,
    pub(super) state: State,
    pub(super) file_length: u64,
    pub(super) table: Vec<Entry>,
}

pub(super) fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The error of a part that is not as it should be.
pub(super) fn damaged(
    path: &Path,
    part: &'static str,
    expected: impl Into<String>,
    received: impl Into<String>,
) -> VectorError {
    VectorError::Damaged { path: path.to_owned(), part, expected: expected.into(), received: received.into() }
}

/// Refuses a model id that is too long for a header.
pub(super) fn check_model(model: &str) -> Result<(), VectorError> {
    if model.len() <= MODEL {
        return Ok(());
    }
    let received = format!("of {} bytes", model.len());
    Err(VectorError::InvalidConfig { setting: "model", expected: "at most 1024 bytes", received })
}

/// Bytes of a header with a model of this length and as many sections as there can be.
pub(super) fn reserved(model: &str) -> u64 {
    (FIXED + ENTRY * Part::ALL.len() + model.len()) as u64
}

const METRICS: [(u8, Metric); 3] = [(1, Metric::Cosine), (2, Metric::Dot), (3, Metric::Euclidean)];
const STORAGES: [(u8, Storage); 4] =
    [(1, Storage::Float), (2, Storage::CodeAndFloat), (3, Storage::CodeAndHalf), (4, Storage::Code)];
const KINDS: [(u8, Kind); 4] = [(1, Kind::Flat), (2, Kind::Graph), (3, Kind::Auto), (4, Kind::Bytes)];

fn number_of<T: PartialEq>(numbers: &[(u8, T)], value: T) -> u8 {
    numbers.iter().find(|(_, other)| *other == value).map_or(0, |(number, _)| *number)
}

fn of_number<T: Copy>(numbers: &[(u8, T)], number: u8) -> Option<T> {
    numbers.iter().find(|(other, _)| *other == number).map(|(_, value)| *value)
}

impl Fields {
    pub(super) fn encode(&self) -> Vec<u8> {
        let (header, state) = (&self.public, &self.state);
        let config = header.config.clone().unwrap_or_default();
        let (node, slot, level) = state.entry.unwrap_or((NONE, NONE, 0));
        let mut out = Out(Vec::new());
        out.bytes(&MAGIC).u32(header.version).u32(0).u64(0).u64(self.file_length);
        out.bytes(&[
            number_of(&KINDS, header.kind),
            number_of(&METRICS, header.metric),
            number_of(&STORAGES, header.storage),
            0,
        ]);
        out.u32(header.dimension as u32).u64(header.generation);
        out.u64(state.slots as u64).u64(header.len as u64);
        out.u64(config.seed).u32(config.m as u32).u32(config.ef_construction as u32);
        out.u64(config.ef_search as u64);
        out.u64(state.trained as u64).u64(state.written as u64).u64(state.clipped as u64);
        out.u32(state.step.to_bits()).u32(state.longest.to_bits());
        out.u64(state.sum.to_bits()).u64(state.lengths as u64);
        out.u64(state.upper as u64).u32(node).u32(slot).u32(level as u32).u32(0);
        out.u64(state.next as u64).u64(state.next_upper as u64);
        out.u32(header.model.len() as u32).u32(self.table.len() as u32);
        debug_assert_eq!(out.0.len(), FIXED);
        for entry in &self.table {
            out.u32(entry.part as u32).u32(entry.shift).u64(entry.offset).u64(entry.length);
            out.u64(entry.checksum).u64(entry.first);
        }
        out.bytes(header.model.as_bytes());
        let mut bytes = out.0;
        let length = bytes.len() as u32;
        bytes[12..16].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&bytes[PREFIX..]);
        bytes[16..24].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The length of the header that begins in this way.
    pub(super) fn length(path: &Path, prefix: &[u8]) -> Result<usize, VectorError> {
        let unknown = |expected: &str, received: String| VectorError::UnknownFormat {
            path: path.to_owned(),
            expected: expected.to_owned(),
            received,
        };
        if prefix.len() < PREFIX || prefix[..8] != MAGIC {
            let start: Vec<String> = prefix.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let received = if start.is_empty() { "an empty file".to_owned() } else { start.join(" ") };
            return Err(unknown("a file that begins with 89 41 53 54 56 45 43 0a", received));
        }
        let mut fields = In(&prefix[8..]);
        let (version, length) = (fields.u32(), fields.u32());
        if !version.is_some_and(|version| (1..=VERSION).contains(&version)) {
            let expected = format!("version 1 to {VERSION}");
            return Err(unknown(&expected, format!("version {}", version.unwrap_or(0))));
        }
        match length {
            Some(length) if (FIXED..=LONGEST).contains(&(length as usize)) => Ok(length as usize),
            length => {
                let expected = format!("a length of {FIXED} to {LONGEST}");
                Err(damaged(path, "the header", expected, length.unwrap_or(0).to_string()))
            }
        }
    }

    /// Reads a header of that length.
    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, VectorError> {
        let sum = checksum(bytes.get(PREFIX..).unwrap_or(&[]));
        let stored = bytes.get(16..).and_then(|bytes| In(bytes).u64()).unwrap_or(0);
        if sum != stored {
            let (expected, received) = (format!("checksum {stored:016x}"), format!("{sum:016x}"));
            return Err(damaged(path, "the header", expected, received));
        }
        let version = bytes.get(8..).and_then(|bytes| In(bytes).u32()).unwrap_or(0);
        Self::read(version, &mut In(&bytes[PREFIX..]))
            .ok_or_else(|| damaged(path, "the header", "values in their ranges", "others"))
    }

    fn read(version: u32, fields: &mut In<'_>) -> Option<Self> {
        /// Beyond all counts of values that were written.
        const MANY: u64 = 1 << 60;
        let file_length = fields.u64()?;
        let numbers = fields.take(4)?;
        let kind = of_number(&KINDS, numbers[0])?;
        let metric = of_number(&METRICS, numbers[1])?;
        let storage = of_number(&STORAGES, numbers[2])?;
        let dimension = fields.u32()? as usize;
        let generation = fields.u64()?;
        let slots = fields.count(Keys::MAX as u64)?;
        let len = fields.count(slots as u64)?;
        let seed = fields.u64()?;
        let (m, ef_construction) = (fields.u32()? as usize, fields.u32()? as usize);
        let ef_search = usize::try_from(fields.u64()?).unwrap_or(usize::MAX);
        let (trained, written, clipped) = (fields.count(MANY)?, fields.count(MANY)?, fields.count(MANY)?);
        let (step, longest) = (f32::from_bits(fields.u32()?), f32::from_bits(fields.u32()?));
        let (sum, lengths) = (f64::from_bits(fields.u64()?), fields.count(MANY)?);
        let upper = fields.count(Keys::MAX as u64)?;
        let (node, slot, level) = (fields.u32()?, fields.u32()?, fields.u32()? as usize);
        fields.u32()?;
        let next = fields.count(slots as u64)?;
        let next_upper = fields.count(upper as u64)?;
        let (model, sections) = (fields.u32()? as usize, fields.u32()? as usize);
        let config = HnswConfig { m, ef_construction, ef_search, storage, seed };
        config.check().ok()?;
        let entry = (node != NONE).then_some((node, slot, level));
        let nodes = if level == 0 { slots } else { upper };
        let entry_fits = entry.is_none_or(|(node, slot, level)| {
            (node as usize) < nodes && (slot as usize) < slots && level <= crate::hnsw::HIGHEST_LEVEL
        });
        let finite = longest.is_finite() && longest >= 0.0 && sum.is_finite() && sum >= 0.0;
        let can_have_graph = matches!(kind, Kind::Graph | Kind::Auto);
        if !entry_fits || !finite || (!can_have_graph && len != slots) {
            return None;
        }
        let table: Vec<Entry> = (0..sections.min(Part::ALL.len() + 1))
            .map(|_| {
                let part = fields.u32()?;
                let part = Part::ALL.into_iter().find(|other| *other as u32 == part)?;
                let (shift, offset, length) = (fields.u32()?, fields.u64()?, fields.u64()?);
                let (checksum, first) = (fields.u64()?, fields.u64()?);
                let end = offset.checked_add(length)?;
                let is_within = offset % ALIGNMENT == 0 && end <= file_length;
                is_within.then_some(Entry { part, shift, offset, length, checksum, first })
            })
            .collect::<Option<_>>()?;
        let model = String::from_utf8(fields.take(model)?.to_vec()).ok()?;
        if table.len() != sections || !fields.0.is_empty() {
            return None;
        }
        let config = can_have_graph.then_some(config);
        Some(Self {
            public: Header { version, kind, dimension, metric, storage, len, generation, model, config },
            state: State {
                slots,
                step,
                trained,
                written,
                clipped,
                longest,
                sum,
                lengths,
                upper,
                entry,
                next,
                next_upper,
            },
            file_length,
            table,
        })
    }
}

/// Refuses an index that is not the one asked for.
pub(super) fn check_expected(
    path: &Path,
    header: &Header,
    kind: Kind,
    expected: &super::Expected<'_>,
    storage: Storage,
    config: Option<&HnswConfig>,
) -> Result<(), VectorError> {
    let check = |setting, expected: String, received: String| {
        if expected == received {
            return Ok(());
        }
        Err(VectorError::OtherIndex { path: path.to_owned(), setting, expected, received })
    };
    check("kind", kind.name().to_owned(), header.kind.name().to_owned())?;
    check("model", expected.model.to_owned(), header.model.clone())?;
    check("dimension", expected.dimension.to_string(), header.dimension.to_string())?;
    check("metric", expected.metric.to_string(), header.metric.to_string())?;
    check("storage", format!("{storage:?}"), format!("{:?}", header.storage))?;
    if let (Some(expected), Some(received)) = (config, &header.config) {
        check("m", expected.m.to_string(), received.m.to_string())?;
        let (wanted, had) = (expected.ef_construction, received.ef_construction);
        check("ef_construction", wanted.to_string(), had.to_string())?;
        check("seed", expected.seed.to_string(), received.seed.to_string())?;
    }
    Ok(())
}

/// Numbers to be written.
struct Out(Vec<u8>);

impl Out {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
}

/// Numbers to be read, while there are any.
struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
    }

    /// A number of things, of which there cannot be more than `most`.
    fn count(&mut self, most: u64) -> Option<usize> {
        self.u64().filter(|&count| count <= most).and_then(|count| usize::try_from(count).ok())
    }
}
