//! Exact search among vectors whose values are bytes.

mod file;
mod sketch;

use std::{fmt, ops::Range, sync::Arc};

use rayon::prelude::*;

pub use self::file::ByteWriter;
use crate::{
    FlatIndex, Metric, Neighbor, SearchOptions, VectorError, VectorIndex,
    bits::Bits,
    file::IndexFile,
    kernel::{
        code::{CodeKernel, SignedCode, ZERO, split},
        lines::CodeLine,
    },
    keys::Keys,
    rows::Rows,
    space::Space,
    top_k::TopK,
};

/// Nearest neighbors by the cosine among vectors that come as bytes: for who keeps vectors so, and does not want them in floats
/// in memory as well.
///
/// A search compares the query with all of them, and is exact, unless it names [`ef`](SearchOptions::ef). Then it compares it
/// with about that many, those that are nearest by the signs of their values alone, which it reads in an eighth of the bytes:
/// of embeddings a few thousand have nearly all of the nearest hundreds, and the scores are as exact. (Few vectors, or few that
/// a filter lets pass, are all compared.) What it finds depends on what is held and on nothing else. The sketches are those of
/// sign random projection (Charikar, "Similarity estimation techniques from rounding algorithms", 2002) along the axes, and
/// queries keep four bits a value as in RaBitQ (Gao and Long, 2024), without the rotation.
///
/// A value is one of -128 to 127, and each vector has a scale of its own, which the cosine does not see. A query is taken
/// as floats, rounded to 16 bits a value: a score is off by less than `sqrt(dimension) / 65_000`, and does not depend on
/// the machine, the threads, or what else is held. Vectors that come as floats are rounded to 255 steps of their largest
/// value.
///
/// A search reads `len() * dimension()` bytes, from [`FlatIndex::PARALLEL_BYTES`] on on all threads of the rayon pool that the
/// caller is in. A vector takes its dimension rounded up to 64 bytes, an eighth of that for its sketch, 4 for its length, and 14
/// to 20 for its key. A clone
/// shares the vectors until one of the two is changed, and then copies what is changed by the megabyte.
///
/// A [`ByteWriter`] writes one to a file, from which [`open`](Self::open) has it in no time, however large it is.
#[derive(Clone)]
pub struct ByteIndex {
    space: Space,
    kernel: &'static CodeKernel,
    keys: Keys,
    rows: Rows<CodeLine>,
    inverse_lengths: Rows<f32>,
    sketches: Rows<u64>,
    /// Slots whose keys were taken: of rows in a file, which cannot be filled by others without copying their blocks.
    dead: Bits,
    /// The file that the rows were opened from.
    file: Option<Arc<IndexFile>>,
}

/// A query as two bytes a value, high and low.
struct Query {
    high: SignedCode,
    low: SignedCode,
    /// What turns the dot product of the bytes, divided by the length of a row, into the cosine.
    factor: f32,
    /// The most that the low bytes can add to a cosine: their length by that of the query, by the Cauchy-Schwarz
    /// inequality, and what rounding of floats may add.
    low_most: f32,
}

impl Query {
    /// The cosine of which the two dot products and the length of the row tell.
    fn score(&self, high: i32, low: i32, inverse_length: f32) -> f32 {
        (i64::from(high) * HIGH + i64::from(low)) as f32 * self.factor * inverse_length
    }

    fn neighbor(&self, key: u64, high: i32, low: i32, inverse_length: f32) -> Neighbor {
        // Rounding can leave it slightly outside.
        Neighbor { key, score: self.score(high, low, inverse_length).clamp(-1.0, 1.0) }
    }
}

/// What a low byte counts less than a high one.
const HIGH: i64 = 256;

/// The largest value of a query in two bytes, so that the high one is at most 127.
const LARGEST: f32 = 32_512.0;

/// More than the roundings of a score come to: four of floats, of numbers of at most 1.
const ROUNDING: f32 = 1e-6;

/// Rows that are scored before their scores are looked at.
const TILE: usize = Rows::<u32>::GROUP;

impl ByteIndex {
    /// An empty index for vectors of `dimension` values, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    ///
    /// # Errors
    ///
    /// [`InvalidDimension`](VectorError::InvalidDimension).
    pub fn new(dimension: usize) -> Result<Self, VectorError> {
        Ok(Self::in_space(Space::new(dimension, Metric::Cosine)?))
    }

    fn in_space(space: Space) -> Self {
        Self {
            space,
            kernel: CodeKernel::detected(),
            keys: Keys::default(),
            rows: Rows::new(lines(space.dimension()), CodeLine([ZERO; CodeLine::VALUES])),
            inverse_lengths: Rows::new(1, 0.0),
            sketches: Rows::new(sketch::words(space.dimension()), 0),
            dead: Bits::default(),
            file: None,
        }
    }

    /// Stores many vectors of bytes, which lie behind each other in `codes` in the order of `keys`. Of a key that occurs
    /// more than once the last vector stays.
    ///
    /// # Errors
    ///
    /// [`ZeroVector`](VectorError::ZeroVector), [`BatchLength`](VectorError::BatchLength) if there is not one vector a key,
    /// [`Capacity`](VectorError::Capacity). After one of them nothing is stored. [`Damaged`](VectorError::Damaged) if the file
    /// that the index was opened from is.
    pub fn insert_codes(&mut self, keys: &[u64], codes: &[i8]) -> Result<(), VectorError> {
        let dimension = self.dimension();
        if keys.len().checked_mul(dimension) != Some(codes.len()) {
            let (keys, received) = (keys.len(), codes.len());
            return Err(VectorError::BatchLength { keys, dimension, received });
        }
        for (&key, codes) in keys.iter().zip(codes.chunks_exact(dimension)) {
            if codes.iter().all(|code| *code == 0) {
                return Err(VectorError::ZeroVector { key: Some(key) });
            }
        }
        self.reserve(keys.len())?;
        for (&key, codes) in keys.iter().zip(codes.chunks_exact(dimension)) {
            self.store(key, codes);
        }
        self.check_file()
    }

    /// The keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        let slots = self.keys.as_slice().iter().zip(0_u32..);
        slots.filter(|(_, slot)| !self.dead.contains(*slot)).map(|(key, _)| *key)
    }

    /// The bytes that vectors take now, in memory or in a file, keys aside.
    pub fn memory(&self) -> usize {
        self.rows.memory().0 + self.inverse_lengths.memory().0 + self.sketches.memory().0
    }

    /// Stores a vector that is not zero, for whose key there is room.
    fn store(&mut self, key: u64, codes: &[i8]) {
        let slot = match self.keys.slot(key) {
            Some(slot) if !self.rows.is_mapped(slot) => slot,
            held => {
                if held.is_some() {
                    self.take(key);
                }
                self.keys.push(key);
                self.inverse_lengths.push();
                self.sketches.push();
                self.rows.push()
            }
        };
        write_row(codes, self.rows.row_mut(slot));
        self.inverse_lengths.row_mut(slot)[0] = inverse_length(codes);
        sketch::write_sketch(codes, self.sketches.row_mut(slot));
    }

    /// Takes a key out; whether it was held.
    fn take(&mut self, key: u64) -> bool {
        let Some(slot) = self.keys.slot(key) else { return false };
        if self.rows.is_mapped(slot) {
            self.keys.take(key);
            self.dead.insert(slot as u32);
            return true;
        }
        let last = self.rows.len() - 1;
        self.keys.swap_remove(key);
        self.rows.swap_remove(slot);
        self.inverse_lengths.swap_remove(slot);
        self.sketches.swap_remove(slot);
        if self.dead.contains(last as u32) {
            // One that was in a file when its key was taken.
            self.dead.remove(last as u32);
            self.dead.insert(slot as u32);
        }
        true
    }

    fn query(&self, query: &[f32]) -> Query {
        let largest = query.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        // In `f64`, in which neither the smallest nor the largest of floats is too small or too large.
        let scale = f64::from(LARGEST) / f64::from(largest);
        // Whole numbers, which floats of this size hold.
        let rounded: Vec<f32> =
            query.iter().map(|value| (f64::from(*value) * scale).round() as f32).collect();
        let square: i64 = rounded.iter().map(|value| (*value as i64).pow(2)).sum();
        // The low byte has a sign, so that both fit.
        let low = |value: f32| value as i32 as i8;
        let high = |value: f32| ((value as i32 - i32::from(low(value))) / HIGH as i32) as i8;
        let lines = lines(query.len());
        let low_square: i64 = rounded.iter().map(|value| i64::from(low(*value)).pow(2)).sum();
        let mut parts = Query {
            high: SignedCode::default(),
            low: SignedCode::default(),
            factor: (1.0 / (square as f64).sqrt()) as f32,
            low_most: (low_square as f64 / square as f64).sqrt() as f32 + ROUNDING,
        };
        parts.high.set_values(&rounded, lines, high);
        parts.low.set_values(&rounded, lines, low);
        parts
    }

    /// Offers the rows of slots that follow each other, a tile at most.
    ///
    /// High bytes alone tell of nearly all that they cannot get in, and only of the others the low bytes are asked.
    fn offer(&self, query: &Query, slots: Range<usize>, top: &mut TopK) {
        let (mut high, mut low) = ([0; TILE], [0; TILE]);
        let (high, low) = (&mut high[..slots.len()], &mut low[..slots.len()]);
        let rows = self.rows.rows(slots.clone());
        self.kernel.dot_rows(&query.high, rows, high);
        let lengths = self.inverse_lengths.rows(slots.clone());
        let mut can_get_in = [false; TILE];
        let mut count = 0;
        for ((can, high), length) in can_get_in.iter_mut().zip(&*high).zip(lengths) {
            *can = top.admits(query.score(*high, 0, *length) + query.low_most);
            count += usize::from(*can);
        }
        // Four rows at once take little longer than one.
        if count * 4 > slots.len() {
            self.kernel.dot_rows(&query.low, rows, low);
        } else if count > 0 {
            let stride = self.rows.stride();
            for ((row, low), _) in
                rows.chunks_exact(stride).zip(&mut *low).zip(can_get_in).filter(|(_, can)| *can)
            {
                self.kernel.dot_rows(&query.low, row, std::slice::from_mut(low));
            }
        }
        let keys = &self.keys.as_slice()[slots];
        let dots = high.iter().zip(&*low);
        for ((((high, low), length), &key), _) in
            dots.zip(lengths).zip(keys).zip(can_get_in).filter(|(_, can)| *can)
        {
            top.push(query.neighbor(key, *high, *low, *length));
        }
    }

    /// The best of a range of slots.
    fn scan(&self, query: &Query, slots: Range<usize>, k: usize, options: &SearchOptions<'_>) -> TopK {
        let mut top = TopK::new(k.min(slots.len()), options.threshold);
        for start in slots.clone().step_by(TILE) {
            let tile = start..(start + TILE).min(slots.end);
            let has_dead = self.has_dead(&tile);
            if options.filter.is_none() && !has_dead {
                self.offer(query, tile, &mut top);
                continue;
            }
            let passes = |(key, slot): (&u64, u32)| {
                !(has_dead && self.dead.contains(slot)) && options.filter.is_none_or(|filter| filter(*key))
            };
            // Neighbors that pass are read as one.
            let keys = &self.keys.as_slice()[tile];
            let mut passing = keys.iter().zip(start as u32..).map(passes).enumerate().peekable();
            while let Some((first, passes)) = passing.next() {
                if !passes {
                    continue;
                }
                let mut last = first;
                while passing.next_if(|(_, passes)| *passes).is_some() {
                    last += 1;
                }
                self.offer(query, start + first..start + last + 1, &mut top);
            }
        }
        top
    }

    /// Whether one of these slots, a tile at most, has lost its key.
    #[inline]
    fn has_dead(&self, slots: &Range<usize>) -> bool {
        self.dead.count() > 0
            && (slots.start / 64..slots.end.div_ceil(64)).any(|word| self.dead.word(word) != 0)
    }
}

/// Lines that a vector takes.
fn lines(dimension: usize) -> usize {
    dimension.div_ceil(CodeLine::VALUES)
}

/// Writes a vector into its row.
fn write_row(codes: &[i8], row: &mut [CodeLine]) {
    let mut bytes = vec![CodeLine([ZERO; CodeLine::VALUES]); row.len()];
    for (byte, code) in bytes.iter_mut().flat_map(|line| &mut line.0).zip(codes) {
        *byte = code.cast_unsigned() ^ ZERO;
    }
    split(&bytes, row);
}

/// 1 by the length of a vector that is not zero.
fn inverse_length(codes: &[i8]) -> f32 {
    let square: u64 = codes.iter().map(|code| u64::from(code.unsigned_abs()).pow(2)).sum();
    (1.0 / (square as f64).sqrt()) as f32
}

/// The direction of a vector to within 255 steps of its largest value.
fn rounded(vector: &[f32]) -> impl Iterator<Item = i8> {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = 127.0 / f64::from(largest);
    vector.iter().map(move |value| (f64::from(*value) * scale).round() as i8)
}

impl VectorIndex for ByteIndex {
    fn dimension(&self) -> usize {
        self.space.dimension()
    }

    fn metric(&self) -> Metric {
        Metric::Cosine
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn contains(&self, key: u64) -> bool {
        self.keys.slot(key).is_some()
    }

    fn insert(&mut self, key: u64, vector: &[f32]) -> Result<(), VectorError> {
        self.space.check(Some(key), vector)?;
        self.insert_many(&[key], vector)
    }

    fn insert_many(&mut self, keys: &[u64], vectors: &[f32]) -> Result<(), VectorError> {
        self.space.check_many(keys, vectors)?;
        // The largest value of each is not rounded to zero.
        let codes: Vec<i8> = vectors.chunks_exact(self.dimension()).flat_map(rounded).collect();
        self.insert_codes(keys, &codes)
    }

    fn reserve(&mut self, additional: usize) -> Result<(), VectorError> {
        if self.keys.reserve(additional) && self.rows.has_room(additional) {
            return Ok(());
        }
        let (vectors, dimension) = (self.len().saturating_add(additional), self.dimension());
        Err(VectorError::Capacity { vectors, dimension })
    }

    fn remove(&mut self, key: u64) -> Result<bool, VectorError> {
        self.check_file()?;
        let was_held = self.take(key);
        self.check_file().map(|()| was_held)
    }

    fn clear(&mut self) {
        *self = Self::in_space(self.space);
    }

    fn search(&self, query: &[f32], options: &SearchOptions<'_>) -> Result<Vec<Neighbor>, VectorError> {
        options.check()?;
        self.space.check(None, query)?;
        let (vector, query) = (query, self.query(query));
        let k = options.k.min(self.len());
        let mut top = TopK::new(k, options.threshold);
        let ef = options.ef.map(|ef| ef.max(k)).filter(|ef| self.has_use_of_sketches(*ef));
        if let Some(keys) = options.keys {
            let mut slots: Vec<usize> = keys.iter().filter_map(|key| self.keys.slot(*key)).collect();
            slots.sort_unstable();
            slots.dedup();
            for slot in slots {
                top.merge(self.scan(&query, slot..slot + 1, k, options));
            }
        } else if let Some(ef) = ef {
            top = self.search_by_sketches(vector, &query, ef, k, options);
        } else {
            let scan = |slots| self.scan(&query, slots, k, options);
            for part in in_parts(self.rows.len(), lines(self.dimension()) * CodeLine::VALUES, scan) {
                top.merge(part);
            }
        }
        self.check_file()?;
        Ok(top.into_sorted())
    }
}

/// What `scan` makes of all slots, in one piece or in several on as many threads as there are.
pub(crate) fn in_parts<T: Send>(
    all: usize,
    row_bytes: usize,
    scan: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    if all * row_bytes < FlatIndex::PARALLEL_BYTES || rayon::current_num_threads() == 1 {
        return vec![scan(0..all)];
    }
    // More pieces than threads, so that one that is held up does not hold up the others; each as large as a whole number
    // of tiles.
    let pieces = rayon::current_num_threads() * 4;
    let piece = all.div_ceil(pieces).next_multiple_of(TILE);
    let slots = |i: usize| (i * piece).min(all)..((i + 1) * piece).min(all);
    (0..pieces).into_par_iter().map(|i| scan(slots(i))).collect()
}

impl fmt::Debug for ByteIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteIndex").field("dimension", &self.dimension()).field("len", &self.len()).finish()
    }
}
