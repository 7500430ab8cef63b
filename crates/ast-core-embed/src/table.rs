//! The file of a static embedder: a vocabulary, a row of numbers a word, and rows for pieces of unknown words.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `ACEtable` |
//! | 8 | checksum of all that follows |
//! | 4 | version of this format: 1 |
//! | 4 | values in a row |
//! | 4 | words |
//! | 4 | buckets of pieces |
//! | 4 | noise floor |
//! | 4, n | length of the model's name, the name |
//! | words | length of each word |
//! | n | the words, without anything between them |
//! | 12 x rows | for each row, words first, what it counts for in each [`Field`]: the upper halves of floats |
//! | rows x values | the rows, words first, in signed bytes |
//!
//! Numbers are little-endian.

use crate::EmbedError;
use crate::hashing::{checksum, hash};
use crate::words::Field;
use std::borrow::Cow;

const MAGIC: &[u8; 8] = b"ACEtable";
const FORMAT: u32 = 1;
const FIELDS: usize = Field::ALL.len();

/// The largest possible numbers of values, words and buckets: none that is useful comes near.
const MAX_DIMENSION: u32 = 4096;
const MAX_ROWS: u32 = 1 << 23;

/// What a table is made of: the result of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TableParts {
    /// Name and version of the model, such as `words-256-v1`: at most 255 bytes.
    pub name: String,
    /// Values in a row: 1 to 4096.
    pub dimension: usize,
    /// The vocabulary, each word of 1 to 255 bytes, without duplicates; at most 2^23.
    pub words: Vec<String>,
    /// Rows for pieces of words that are not in the vocabulary: at most 2^23.
    pub buckets: usize,
    /// The cosine up to which texts may be alike by chance: 0 to 1.
    pub noise_floor: f32,
    /// For each row, words first, what it counts for in each field, in the order of [`Field::ALL`]; not negative. They are
    /// kept with 8 bits of precision.
    pub scales: Vec<[f32; FIELDS]>,
    /// The rows, words first.
    pub rows: Vec<i8>,
}

impl TableParts {
    /// The file.
    ///
    /// # Errors
    /// [`EmbedError::Table`] if the parts do not fit each other.
    pub fn encode(&self) -> Result<Vec<u8>, EmbedError> {
        let rows = self.words.len() + self.buckets;
        check("values of rows", rows * self.dimension, self.rows.len())?;
        check("scales", rows, self.scales.len())?;
        let mut body = Vec::with_capacity(self.rows.len() + rows * (2 * FIELDS + 16) + 64);
        for number in [FORMAT, self.dimension as u32, self.words.len() as u32, self.buckets as u32] {
            body.extend(number.to_le_bytes());
        }
        body.extend(self.noise_floor.to_le_bytes());
        body.extend((self.name.len() as u32).to_le_bytes());
        body.extend(self.name.as_bytes());
        body.extend(self.words.iter().map(|word| word.len() as u8));
        body.extend(self.words.iter().flat_map(|word| word.bytes()));
        body.extend(self.scales.iter().flatten().flat_map(|&scale| upper_half(scale).to_le_bytes()));
        body.extend(self.rows.iter().map(|&value| value as u8));
        let mut file = MAGIC.to_vec();
        file.extend(checksum(&body).to_le_bytes());
        file.extend(body);
        // What cannot be read again is not written.
        Table::read(Cow::Borrowed(&file))?;
        Ok(file)
    }
}

/// The nearest float of which the lower 16 bits are zero, without them.
fn upper_half(value: f32) -> u16 {
    (value.to_bits().saturating_add(0x8000) >> 16) as u16
}

fn check(what: &'static str, expected: usize, received: usize) -> Result<(), EmbedError> {
    if expected == received {
        return Ok(());
    }
    Err(EmbedError::Table { reason: format!("{what}: expected {expected}, received {received}") })
}

/// A table that can be asked.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    bytes: Cow<'a, [u8]>,
    /// Name of the model and the beginning of its checksum.
    pub(crate) id: String,
    pub(crate) dimension: usize,
    pub(crate) buckets: u32,
    pub(crate) noise_floor: f32,
    /// Where each word ends, and before them where the first begins.
    bounds: Vec<u32>,
    /// The words by hash, plus one; 0 is free.
    slots: Vec<u32>,
    scales: Vec<[f32; FIELDS]>,
    rows_at: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn read(bytes: Cow<'a, [u8]>) -> Result<Self, EmbedError> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(damaged("it does not begin as a table does"));
        }
        let expected = u64::from_le_bytes(reader.array()?);
        let received = checksum(&reader.bytes[reader.at..]);
        if expected != received {
            return Err(damaged(format!("checksum: expected {expected:016x}, received {received:016x}")));
        }
        let format = reader.number(u32::MAX)?;
        if format != FORMAT {
            return Err(damaged(format!("format: expected {FORMAT}, received {format}")));
        }
        let dimension = reader.number(MAX_DIMENSION)? as usize;
        let words = reader.number(MAX_ROWS)? as usize;
        let buckets = reader.number(MAX_ROWS)?;
        if dimension == 0 {
            return Err(damaged("expected at least one value in a row, received 0"));
        }
        let noise_floor = f32::from_le_bytes(reader.array()?);
        if !(0.0..=1.0).contains(&noise_floor) {
            return Err(damaged(format!("noise floor: expected 0 to 1, received {noise_floor}")));
        }
        let name_length = reader.number(255)? as usize;
        let name = text(reader.take(name_length)?)?;
        let id = format!("{name}-{:08x}", expected >> 32);

        let lengths = reader.take(words)?;
        let first = reader.at as u32;
        let bounds: Vec<u32> = std::iter::once(first)
            .chain(lengths.iter().scan(first, |end, &length| {
                *end += u32::from(length);
                Some(*end)
            }))
            .collect();
        let total = bounds[words] - first;
        text(reader.take(total as usize)?)?;

        let rows = words + buckets as usize;
        let scales = reader.take(rows * 2 * FIELDS)?;
        let float = |half: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*half)) << 16);
        let (halves, _) = scales.as_chunks::<2>();
        let scales: Vec<[f32; FIELDS]> =
            halves.as_chunks::<FIELDS>().0.iter().map(|of_row| of_row.each_ref().map(float)).collect();
        if scales.iter().flatten().any(|scale| !scale.is_finite() || *scale < 0.0) {
            return Err(damaged("expected scales that are finite and not negative"));
        }
        let rows_at = reader.at;
        reader.take(rows * dimension)?;
        check("bytes", reader.at, bytes.len())?;

        let mut table = Self {
            id,
            dimension,
            buckets,
            noise_floor,
            bounds,
            slots: vec![0; (words * 3).next_power_of_two().max(2)],
            scales,
            rows_at,
            bytes,
        };
        for row in 0..words {
            let word = table.word(row);
            let slot = match std::str::from_utf8(word) {
                Ok("") | Err(_) => return Err(damaged(format!("word {row} is not text"))),
                Ok(word) => table.slot(word),
            };
            if table.slots[slot] != 0 {
                return Err(damaged(format!("word {row} is there twice")));
            }
            table.slots[slot] = row as u32 + 1;
        }
        Ok(table)
    }

    fn word(&self, row: usize) -> &[u8] {
        &self.bytes[self.bounds[row] as usize..self.bounds[row + 1] as usize]
    }

    /// Where the word is, or would be. There are more slots than words, so the search ends.
    fn slot(&self, word: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(word) as usize & mask;
        while self.slots[slot] != 0 && self.word(self.slots[slot] as usize - 1) != word.as_bytes() {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// The row of a word of the vocabulary.
    pub(crate) fn row_of(&self, word: &str) -> Option<u32> {
        self.slots[self.slot(word)].checked_sub(1)
    }

    /// The row of a bucket of pieces.
    pub(crate) fn row_of_bucket(&self, bucket: u32) -> u32 {
        (self.bounds.len() - 1) as u32 + bucket
    }

    /// What a row counts for in a field.
    pub(crate) fn scale(&self, row: u32, field: usize) -> f32 {
        self.scales[row as usize][field]
    }

    /// Adds a row, times a factor, to a vector.
    pub(crate) fn add(&self, row: u32, factor: f32, vector: &mut [f32]) {
        let start = self.rows_at + row as usize * self.dimension;
        for (sum, &byte) in vector.iter_mut().zip(&self.bytes[start..start + self.dimension]) {
            *sum += factor * f32::from(byte as i8);
        }
    }
}

fn damaged(reason: impl Into<String>) -> EmbedError {
    EmbedError::Table { reason: reason.into() }
}

fn text(bytes: &[u8]) -> Result<&str, EmbedError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("expected UTF-8 in its words"))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], EmbedError> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or_else(|| {
            damaged(format!(
                "it is cut: expected {count} bytes from {}, received {}",
                self.at,
                self.bytes.len()
            ))
        })?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EmbedError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn number(&mut self, most: u32) -> Result<u32, EmbedError> {
        let number = u32::from_le_bytes(self.array()?);
        if number > most {
            return Err(damaged(format!("expected a number up to {most}, received {number}")));
        }
        Ok(number)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn parts() -> TableParts {
        TableParts {
            name: "test-4-v1".to_owned(),
            dimension: 4,
            words: ["pars", "http", "größe"].map(str::to_owned).to_vec(),
            buckets: 2,
            noise_floor: 0.25,
            scales: vec![[1.0, 0.5, 0.25, 3.0, 2.0, 0.125]; 5],
            rows: (0..20).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let file = parts().encode().unwrap();
        let table = Table::read(Cow::Owned(file)).unwrap();
        assert!(table.id.starts_with("test-4-v1-") && table.id.len() == "test-4-v1-".len() + 8);
        assert_eq!((table.dimension, table.buckets, table.noise_floor), (4, 2, 0.25));
        assert_eq!(
            ["pars", "http", "größe", "other"].map(|word| table.row_of(word)),
            [Some(0), Some(1), Some(2), None]
        );
        assert_eq!(table.row_of_bucket(1), 4);
        let mut vector = [0.0; 4];
        table.add(1, 0.5, &mut vector);
        assert_eq!(vector, [2.0, 2.5, 3.0, 3.5]);
        assert_eq!((table.scale(0, 3), table.scale(4, 5)), (3.0, 0.125));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let wrong: [fn(&mut TableParts); 6] = [
            |parts| parts.rows.push(1),
            |parts| parts.scales.truncate(4),
            |parts| parts.words[1] = "pars".to_owned(),
            |parts| parts.words[1] = String::new(),
            |parts| parts.noise_floor = f32::NAN,
            |parts| parts.scales[0][0] = f32::INFINITY,
        ];
        for change in wrong {
            let mut parts = parts();
            change(&mut parts);
            assert!(matches!(parts.encode(), Err(EmbedError::Table { .. })), "{parts:?}");
        }
    }

    #[test]
    fn any_cut_and_any_changed_byte_is_noticed() {
        let file = parts().encode().unwrap();
        for end in 0..file.len() {
            assert!(Table::read(Cow::Borrowed(&file[..end])).is_err(), "cut at {end}");
        }
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            assert!(Table::read(Cow::Owned(changed)).is_err(), "changed at {at}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_with_a_right_checksum_are_a_panic(
            body in proptest::collection::vec(any::<u8>(), 0..80),
            numbers in proptest::collection::vec(0u32..6, 4),
            keep in 0usize..5,
        ) {
            let mut body = body;
            for (at, number) in numbers.iter().enumerate().take(keep) {
                if body.len() >= 4 * at + 4 {
                    body[4 * at..4 * at + 4].copy_from_slice(&if at == 0 { FORMAT } else { *number }.to_le_bytes());
                }
            }
            let mut file = MAGIC.to_vec();
            file.extend(checksum(&body).to_le_bytes());
            file.extend(body);
            let _ = Table::read(Cow::Owned(file));
        }
    }
}
