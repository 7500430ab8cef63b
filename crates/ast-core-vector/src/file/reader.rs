//! Opening a file: what is small is read and checked at once, what is large is mapped and checked block by block when it
//! is needed.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{
    Expected, Header,
    format::{Entry, Fields, Kind, LONGEST, PREFIX, Part, State, check_expected, checksum, damaged},
    writer::io_error,
};
use crate::{
    HnswConfig, Storage, VectorError,
    bits::Bits,
    kernel::{
        block::{Block, Check},
        lines::{Plain, bytes},
        map::{Map, View},
    },
    rows::Rows,
};

/// A file that an index was opened from, and what was found to be wrong with it.
pub(crate) struct IndexFile {
    path: PathBuf,
    damage: OnceLock<VectorError>,
}

impl IndexFile {
    /// Refuses to go on with a file that was found to be damaged.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), VectorError> {
        match self.damage.get() {
            None => Ok(()),
            Some(damage) => Err(damage.clone()),
        }
    }

    /// Remembers the first damage that was found.
    fn tell(&self, part: Part, expected: String, received: String) {
        _ = self.damage.set(damaged(&self.path, part.name(), expected, received));
    }
}

/// An open file, to make an index of.
pub(crate) struct Reader {
    file: Arc<IndexFile>,
    map: Arc<Map>,
    fields: Fields,
    /// Of all blocks.
    checksums: Vec<u64>,
}

/// Reads the header of a file.
pub(super) fn read_header(path: &Path) -> Result<(File, Fields), VectorError> {
    let failed = |error: io::Error| io_error(path, "read", &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(LONGEST);
    (&mut file).take(LONGEST as u64).read_to_end(&mut bytes).map_err(failed)?;
    let length = Fields::length(path, &bytes[..bytes.len().min(PREFIX)])?;
    let Some(header) = bytes.get(..length) else {
        let (expected, received) = (format!("{length} bytes"), bytes.len().to_string());
        return Err(damaged(path, "the header", expected, received));
    };
    let fields = Fields::decode(path, header)?;
    let received = file.metadata().map_err(failed)?.len();
    if received != fields.file_length {
        let expected = format!("{} bytes", fields.file_length);
        return Err(damaged(path, "its length", expected, received.to_string()));
    }
    Ok((file, fields))
}

impl Reader {
    /// Opens a file that must hold the index that is expected.
    pub(crate) fn open(
        path: &Path,
        kind: Kind,
        expected: &Expected<'_>,
        storage: Storage,
        config: Option<&HnswConfig>,
    ) -> Result<Self, VectorError> {
        let (file, fields) = read_header(path)?;
        check_expected(path, &fields.public, kind, expected, storage, config)?;
        let map = Map::open(&file).map_err(|error| io_error(path, "map", &error))?;
        let index_file = IndexFile { path: path.to_owned(), damage: OnceLock::new() };
        let mut reader = Self { file: Arc::new(index_file), map, fields, checksums: Vec::new() };
        reader.checksums = reader.list(Part::Checksums)?;
        Ok(reader)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.fields.public
    }

    pub(crate) fn state(&self) -> &State {
        &self.fields.state
    }

    /// Whether its codes are bytes in order, as version 1 has them, and not by halves.
    pub(crate) fn has_whole_codes(&self) -> bool {
        self.fields.public.version == 1
    }

    /// Whether sketches are in it, which versions 1 and 2 have not.
    pub(crate) fn has_sketches(&self) -> bool {
        self.fields.public.version >= 3
    }

    /// The file, to be asked whether it was found to be damaged.
    pub(crate) fn file(&self) -> Arc<IndexFile> {
        Arc::clone(&self.file)
    }

    /// The error of a part that does not fit the others.
    pub(crate) fn mismatch(&self, part: Part) -> VectorError {
        damaged(&self.file.path, part.name(), "what fits the other parts", "something else")
    }

    fn entry(&self, part: Part) -> Result<&Entry, VectorError> {
        let entry = self.fields.table.iter().find(|entry| entry.part == part);
        entry.ok_or_else(|| damaged(&self.file.path, part.name(), "a section", "none"))
    }

    fn view<T: Plain>(&self, entry: &Entry, at: usize, len: usize) -> Result<View<T>, VectorError> {
        let offset = usize::try_from(entry.offset).ok().and_then(|offset| offset.checked_add(at));
        offset.and_then(|offset| View::new(&self.map, offset, len)).ok_or_else(|| self.mismatch(entry.part))
    }

    /// A section that is read at once.
    pub(crate) fn list<T: Plain>(&self, part: Part) -> Result<Vec<T>, VectorError> {
        let entry = self.entry(part)?;
        let length = entry.length as usize / size_of::<T>();
        if !(entry.length as usize).is_multiple_of(size_of::<T>()) {
            return Err(self.mismatch(part));
        }
        let elements = self.view::<T>(entry, 0, length)?.as_slice().to_vec();
        let received = checksum(bytes(&elements));
        if received != entry.checksum {
            let expected = format!("checksum {:016x}", entry.checksum);
            return Err(damaged(&self.file.path, part.name(), expected, format!("{received:016x}")));
        }
        Ok(elements)
    }

    /// A section of slots, none of them twice and all in or all out of a set.
    pub(crate) fn slots(&self, part: Part, set: &Bits, is_in: bool) -> Result<Vec<u32>, VectorError> {
        let list: Vec<u32> = self.list(part)?;
        let mut seen = Bits::default();
        for &slot in &list {
            if slot as usize >= self.state().slots || set.contains(slot) != is_in || seen.contains(slot) {
                return Err(self.mismatch(part));
            }
            seen.insert(slot);
        }
        Ok(list)
    }

    /// A section that is a set of slots.
    pub(crate) fn bits(&self, part: Part) -> Result<Bits, VectorError> {
        Bits::from_words(self.list(part)?, self.state().slots).ok_or_else(|| self.mismatch(part))
    }

    /// A section that is read where it lies, block by block, each of which is checked when it is needed: its checksum,
    /// and whether its rows are valid. `blank` is what a row is taken for that is not.
    pub(crate) fn rows<T: Plain>(
        &self,
        part: Part,
        (stride, len): (usize, usize),
        blank: T,
        is_valid: impl Fn(&[T]) -> bool + Send + Sync + 'static,
    ) -> Result<Rows<T>, VectorError> {
        let entry = self.entry(part)?;
        let mismatch = || self.mismatch(part);
        let length = len.checked_mul(stride * size_of::<T>()).ok_or_else(mismatch)?;
        if entry.length != length as u64 || entry.shift >= usize::BITS / 2 {
            return Err(mismatch());
        }
        let blocks = len.div_ceil(1 << entry.shift);
        let first = usize::try_from(entry.first).map_err(|_| mismatch())?;
        let end = first.checked_add(blocks).ok_or_else(mismatch)?;
        let checksums = self.checksums.get(first..end).ok_or_else(mismatch)?;
        if checksum(bytes(checksums)) != entry.checksum {
            return Err(mismatch());
        }

        let (file, checksums) = (self.file(), checksums.to_vec());
        let check: Arc<Check<T>> = Arc::new(move |number, elements: &[T]| {
            let received = checksum(bytes(elements));
            if received != checksums[number] {
                file.tell(part, format!("checksum {:016x}", checksums[number]), format!("{received:016x}"));
                return false;
            }
            let valid = is_valid(elements);
            if !valid {
                file.tell(part, "what fits the other parts".to_owned(), "something else".to_owned());
            }
            valid
        });
        let rows = Rows::of_segments((stride, entry.shift, len), blank, |number, elements| {
            let at = (number << entry.shift) * stride * size_of::<T>();
            let view = self.view(entry, at, elements).ok()?;
            Some(Block::mapped(view, number, Arc::clone(&check)))
        });
        rows.ok_or_else(mismatch)
    }
}
