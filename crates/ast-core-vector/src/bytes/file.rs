//! Vectors that are bytes in a file: written as they come, and searched where they lie.

use std::path::Path;

use super::{
    ByteIndex, inverse_length, lines,
    sketch::{words, write_sketch},
    write_row,
};
use crate::{
    Expected, Header, Kind, Metric, SaveOptions, Storage, VectorError, VectorIndex,
    bits::Bits,
    file::{Part, Reader, RowsSection, State, Writer},
    kernel::{
        code::{ZERO, joined},
        lines::CodeLine,
    },
    keys::Keys,
    rows::Rows,
    space::Space,
};

/// A [`ByteIndex`] that is written to a file as its vectors come, to be opened by [`ByteIndex::open`].
///
/// In memory are a block of vectors, 1 to 16 MiB, and of each vector its key and its length, 12 bytes, and its sketch, a bit a
/// value. The file takes its name
/// when it is complete and on the disk: until then, and if this is dropped before, whatever has that name stays.
pub struct ByteWriter {
    file: Writer<'static>,
    space: Space,
    generation: u64,
    model: String,
    keys: Vec<u64>,
    inverse_lengths: Rows<f32>,
    sketches: Rows<u64>,
    codes: RowsSection,
    /// Rows that are not written yet, up to a block.
    block: Vec<CodeLine>,
    /// Lines of a block.
    full: usize,
    /// The binary logarithm of its rows.
    shift: u32,
}

impl ByteWriter {
    /// Begins a file that is to be at `path`, for vectors of `dimension` values, 1 to
    /// [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension), [`InvalidConfig`](VectorError::InvalidConfig) if the name of
    /// the model is too long, [`Io`](VectorError::Io).
    pub fn create(
        path: impl AsRef<Path>,
        dimension: usize,
        options: &SaveOptions<'_>,
    ) -> Result<Self, VectorError> {
        let space = Space::new(dimension, Metric::Cosine)?;
        let mut file = Writer::new(path.as_ref(), options, None)?;
        let codes = file.begin_rows();
        let stride = lines(dimension);
        let shift = Rows::new(stride, CodeLine([ZERO; CodeLine::VALUES])).shift();
        let full = stride << shift;
        Ok(Self {
            file,
            space,
            generation: options.generation,
            model: options.model.to_owned(),
            keys: Vec::new(),
            inverse_lengths: Rows::new(1, 0.0),
            sketches: Rows::new(words(dimension), 0),
            codes,
            block: Vec::with_capacity(full),
            full,
            shift,
        })
    }

    /// Adds a vector under a key that has none yet.
    ///
    /// # Errors
    ///
    /// [`ZeroVector`](VectorError::ZeroVector), [`DimensionMismatch`](VectorError::DimensionMismatch),
    /// [`Capacity`](VectorError::Capacity), and then it is not added; [`Io`](VectorError::Io), after which the file cannot
    /// be finished.
    pub fn push(&mut self, key: u64, codes: &[i8]) -> Result<(), VectorError> {
        let (expected, received) = (self.space.dimension(), codes.len());
        if received != expected {
            return Err(VectorError::DimensionMismatch { key: Some(key), expected, received });
        }
        if codes.iter().all(|code| *code == 0) {
            return Err(VectorError::ZeroVector { key: Some(key) });
        }
        if self.keys.len() >= Keys::MAX {
            let vectors = self.keys.len().saturating_add(1);
            return Err(VectorError::Capacity { vectors, dimension: expected });
        }
        let start = self.block.len();
        self.block.resize(start + lines(codes.len()), CodeLine([ZERO; CodeLine::VALUES]));
        write_row(codes, &mut self.block[start..]);
        self.keys.push(key);
        let slot = self.inverse_lengths.push();
        self.inverse_lengths.row_mut(slot)[0] = inverse_length(codes);
        let slot = self.sketches.push();
        write_sketch(codes, self.sketches.row_mut(slot));
        if self.block.len() == self.full { self.write_block() } else { Ok(()) }
    }

    fn write_block(&mut self) -> Result<(), VectorError> {
        self.file.block(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Writes the rest and puts the file in its place, with some bytes of the caller that [`ByteIndex::open`] gives back.
    ///
    /// # Errors
    ///
    /// [`Io`](VectorError::Io).
    pub fn finish(mut self, payload: &[u8]) -> Result<(), VectorError> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        let Self {
            mut file, space, generation, model, keys, inverse_lengths, sketches, codes, shift, ..
        } = self;
        file.end_rows(Part::Codes, shift, codes);
        file.rows(Part::InverseLengths, &inverse_lengths, usize::MAX)?;
        file.rows(Part::Sketches, &sketches, usize::MAX)?;
        file.list(Part::Keys, &keys)?;
        file.list(Part::Payload, payload)?;
        let options = SaveOptions { generation, model: &model };
        let index = (Kind::Bytes, space.dimension(), Metric::Cosine, Storage::Code, keys.len());
        file.finish(&options, index, None, State { slots: keys.len(), ..State::default() })
    }
}

impl std::fmt::Debug for ByteWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (dimension, len) = (self.space.dimension(), self.keys.len());
        f.debug_struct("ByteWriter").field("dimension", &dimension).field("len", &len).finish()
    }
}

impl ByteIndex {
    /// Opens an index that a [`ByteWriter`] wrote, and gives the bytes that came with it. It is searched where it lies in
    /// the file, and can be changed like any other: what comes in is in memory, a vector of the file that is removed is
    /// passed over, and the file stays as it is.
    ///
    /// The header, the keys and the bytes of the caller are checked now, the vectors block by block when they are
    /// needed for the first time, or by [`verify`](Self::verify).
    ///
    /// ```
    /// use ast_core_vector::{ByteIndex, ByteWriter, Expected, Metric, SaveOptions, SearchOptions, VectorIndex};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("vectors");
    /// let mut file = ByteWriter::create(&path, 3, &SaveOptions { generation: 4, model: "hash" })?;
    /// file.push(10, &[127, 0, 0])?;
    /// file.push(11, &[0, 0, -90])?;
    /// file.finish(b"of two files")?;
    ///
    /// let expected = Expected { dimension: 3, metric: Metric::Cosine, model: "hash" };
    /// let (index, header, payload) = ByteIndex::open(&path, &expected)?;
    /// assert_eq!((header.generation, index.len(), &payload[..]), (4, 2, &b"of two files"[..]));
    /// assert_eq!(index.search(&[0.9, 0.1, 0.0], &SearchOptions::new(1))?[0].key, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](VectorError::Io), [`UnknownFormat`](VectorError::UnknownFormat), [`Damaged`](VectorError::Damaged), or
    /// [`OtherIndex`](VectorError::OtherIndex) if it is not the index that is expected. All but the first mean that the
    /// file has to be written anew.
    pub fn open(
        path: impl AsRef<Path>,
        expected: &Expected<'_>,
    ) -> Result<(Self, Header, Vec<u8>), VectorError> {
        let file = Reader::open(path.as_ref(), Kind::Bytes, expected, Storage::Code, None)?;
        let slots = file.state().slots;
        let keys: Vec<u64> = file.list(Part::Keys)?;
        if keys.len() != slots {
            return Err(file.mismatch(Part::Keys));
        }
        let empty = Self::new(expected.dimension)?;
        let blank = CodeLine([ZERO; CodeLine::VALUES]);
        let rows = file.rows(Part::Codes, (lines(expected.dimension), slots), blank, |_| true)?;
        // No vector of whole numbers is shorter than 1 but that of zeros, which there is not.
        let is_length = |length: &f32| *length > 0.0 && *length <= 1.0;
        let are_lengths = move |rows: &[f32]| rows.iter().all(is_length);
        let inverse_lengths = file.rows(Part::InverseLengths, (1, slots), 0.0, are_lengths)?;
        let sketches = match file.has_sketches() {
            true => file.rows(Part::Sketches, (words(expected.dimension), slots), 0, |_| true)?,
            false => sketches_of(&rows, expected.dimension),
        };
        let index = Self {
            keys: Keys::of_slots(keys, None),
            rows,
            inverse_lengths,
            sketches,
            dead: Bits::default(),
            file: Some(file.file()),
            ..empty
        };
        Ok((index, file.header().clone(), file.list(Part::Payload)?))
    }

    /// Checks what was not needed yet of the file that the index was opened from, on all threads of the rayon pool.
    ///
    /// # Errors
    ///
    /// [`Damaged`](VectorError::Damaged).
    pub fn verify(&self) -> Result<(), VectorError> {
        self.rows.verify();
        self.inverse_lengths.verify();
        self.sketches.verify();
        self.check_file()
    }

    /// The vector of a key as it was stored; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Damaged`](VectorError::Damaged).
    pub fn codes(&self, key: u64) -> Result<Option<Vec<i8>>, VectorError> {
        let Some(slot) = self.keys.slot(key) else { return Ok(None) };
        let codes = codes_of(self.rows.row(slot), self.dimension());
        self.check_file().map(|()| Some(codes))
    }

    /// Adds the vectors of keys, as far as there are any, to a sum of as many values, each brought to the length 1. It is
    /// quicker for keys that came one after the other.
    ///
    /// # Errors
    ///
    /// [`DimensionMismatch`](VectorError::DimensionMismatch), [`Damaged`](VectorError::Damaged).
    pub fn add_directions(
        &self,
        keys: impl IntoIterator<Item = u64>,
        sum: &mut [f32],
    ) -> Result<(), VectorError> {
        let (expected, received) = (self.dimension(), sum.len());
        if received != expected {
            return Err(VectorError::DimensionMismatch { key: None, expected, received });
        }
        let mut bytes = vec![CodeLine([ZERO; CodeLine::VALUES]); lines(expected)];
        let mut last: Option<(u64, usize)> = None;
        for key in keys {
            let guess = last.and_then(|(last, slot)| slot.checked_add(key.checked_sub(last)? as usize));
            let is_right = |slot: &usize| {
                self.keys.as_slice().get(*slot) == Some(&key) && !self.dead.contains(*slot as u32)
            };
            let Some(slot) = guess.filter(is_right).or_else(|| self.keys.slot(key)) else { continue };
            last = Some((key, slot));
            joined(self.rows.row(slot), &mut bytes);
            let factor = self.inverse_lengths.row(slot)[0];
            for (sum, byte) in sum.iter_mut().zip(bytes.iter().flat_map(|line| &line.0)) {
                *sum += factor * f32::from((byte ^ ZERO).cast_signed());
            }
        }
        self.check_file()
    }

    /// Refuses to go on if a part of the file that the index was opened from was found to be damaged.
    #[inline]
    pub(super) fn check_file(&self) -> Result<(), VectorError> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }
}

/// The vector in a row.
fn codes_of(row: &[CodeLine], dimension: usize) -> Vec<i8> {
    let mut bytes = row.to_vec();
    joined(row, &mut bytes);
    let bytes = bytes.iter().flat_map(|line| line.0);
    bytes.take(dimension).map(|byte| (byte ^ ZERO).cast_signed()).collect()
}

/// The sketches of vectors in rows.
fn sketches_of(rows: &Rows<CodeLine>, dimension: usize) -> Rows<u64> {
    let mut sketches = Rows::new(words(dimension), 0);
    for slot in 0..rows.len() {
        let sketch = sketches.push();
        write_sketch(&codes_of(rows.row(slot), dimension), sketches.row_mut(sketch));
    }
    sketches
}
