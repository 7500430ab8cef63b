//! Columns of 128 numbers, bit-packed, with those that would widen all of them kept apart.
//!
//! Four numbers lie side by side in each row of four 32-bit words, so that a compiler turns the loops into vector
//! instructions (Lemire and Boytsov, "Decoding billions of integers per second through vectorization", 2015). Of the
//! numbers that are wider than the column, the high bits follow as exceptions (PFOR: Zukowski et al., "Super-scalar
//! RAM-CPU cache compression", ICDE 2006).

use crate::bytes::{Reader, put, size};
use crate::error::Damage;

/// Numbers in a column.
pub(crate) const BLOCK: usize = 128;

const LANES: usize = 4;
const WIDTH: u8 = 0b0011_1111;
/// In the first byte: exceptions follow.
const EXCEPTIONS: u8 = 0b0100_0000;
/// In the first byte: each number is one more than what is stored.
const PLUS_ONE: u8 = 0b1000_0000;

/// Appends a column.
pub(crate) fn pack(values: &[u32; BLOCK], out: &mut Vec<u8>) {
    let plus_one = values.iter().all(|&value| value > 0);
    let less = u32::from(plus_one);
    let mut lengths = [0_usize; 33];
    for value in values {
        lengths[bits(value - less)] += 1;
    }
    let width = best_width(&lengths);
    let exceptions: usize = lengths[width + 1..].iter().sum();
    let first = width as u8;
    out.push(first | if exceptions > 0 { EXCEPTIONS } else { 0 } | if plus_one { PLUS_ONE } else { 0 });
    let mut words = [0_u32; BLOCK];
    if width > 0 {
        for (index, value) in values.iter().enumerate() {
            let value = u64::from(value - less) & ((1 << width) - 1);
            let (lane, bit) = (index % LANES, index / LANES * width);
            let wide = value << (bit % 32);
            words[bit / 32 * LANES + lane] |= wide as u32;
            if wide >> 32 != 0 {
                words[(bit / 32 + 1) * LANES + lane] |= (wide >> 32) as u32;
            }
        }
    }
    out.extend(words[..width * LANES].iter().flat_map(|word| word.to_le_bytes()));
    if exceptions > 0 {
        out.push(exceptions as u8);
        for (index, value) in values.iter().enumerate().filter(|(_, value)| bits(**value - less) > width) {
            out.push(index as u8);
            put(out, u64::from(value - less) >> width);
        }
    }
}

fn bits(value: u32) -> usize {
    32 - value.leading_zeros() as usize
}

/// The width that makes the column shortest.
fn best_width(lengths: &[usize; 33]) -> usize {
    let widest = lengths.iter().rposition(|&count| count > 0).unwrap_or(0);
    let cost = |width: usize| {
        let apart =
            (width + 1..=widest).map(|length| lengths[length] * (1 + size(1 << (length - width - 1))));
        16 * width + apart.sum::<usize>()
    };
    (0..=widest).min_by_key(|&width| (cost(width), width)).unwrap_or(0)
}

/// Reads a column.
#[inline]
pub(crate) fn unpack(reader: &mut Reader<'_>, out: &mut [u32; BLOCK]) -> Result<(), Damage> {
    let first = reader.byte()?;
    let plus_one = u32::from(first & PLUS_ONE != 0);
    let width = usize::from(first & WIDTH);
    let unpack = UNPACK.get(width).ok_or(Damage("a column is too wide"))?;
    unpack(reader.take(width * LANES * size_of::<u32>())?, plus_one, out);
    if first & EXCEPTIONS != 0 {
        for _ in 0..reader.byte()? {
            let value = out.get_mut(usize::from(reader.byte()?)).ok_or(Damage("an exception is nowhere"))?;
            let high = reader.u64()?.checked_shl(width as u32).and_then(|high| u32::try_from(high).ok());
            *value =
                high.and_then(|high| value.checked_add(high)).ok_or(Damage("an exception is too large"))?;
        }
    }
    Ok(())
}

/// Reads the words of a column of `W` bits a number.
fn unpack_words<const W: usize>(bytes: &[u8], plus_one: u32, out: &mut [u32; BLOCK]) {
    let mut words = [[0_u32; LANES]; 33];
    for (row, bytes) in words.iter_mut().zip(bytes.as_chunks::<{ LANES * size_of::<u32>() }>().0) {
        for (word, bytes) in row.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
    }
    let mask = if W == 32 { u32::MAX } else { (1 << W) - 1 };
    for (index, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let (row, shift) = (index * W / 32, (index * W % 32) as u32);
        let (low, high) = (words[row], words[row + 1]);
        for lane in 0..LANES {
            // Two shifts, as a shift by 32 is none.
            let value = low[lane] >> shift | high[lane] << 1 << (31 - shift);
            out[lane] = (value & mask).wrapping_add(plus_one);
        }
    }
}

macro_rules! widths {
    ($($width:literal)*) => { [$(unpack_words::<$width>),*] };
}

/// Reads the words of a column; to each number the second argument is added.
type Unpack = fn(&[u8], u32, &mut [u32; BLOCK]);

static UNPACK: [Unpack; 33] =
    widths!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column() -> impl Strategy<Value = [u32; BLOCK]> {
        let value = (any::<u32>(), 0..32_u32, 0..8_u32);
        (prop::collection::vec(value, BLOCK), 0..32_u32).prop_map(|(values, narrow)| {
            let mut column = [0; BLOCK];
            for (out, (value, shift, odds)) in column.iter_mut().zip(values) {
                *out = value >> if odds == 0 { shift } else { narrow };
            }
            column
        })
    }

    proptest! {
        #[test]
        fn columns_come_back(column in column()) {
            let mut bytes = Vec::new();
            pack(&column, &mut bytes);
            let mut reader = Reader::new(&bytes);
            let mut out = [7; BLOCK];
            prop_assert_eq!(unpack(&mut reader, &mut out), Ok(()));
            prop_assert_eq!(out, column);
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_a_column_or_damage(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = unpack(&mut Reader::new(&bytes), &mut [0; BLOCK]);
        }
    }

    #[test]
    fn one_large_number_does_not_widen_the_others() {
        let mut column = [1; BLOCK];
        column[77] = 1 << 30;
        let mut bytes = Vec::new();
        pack(&column, &mut bytes);
        assert!(bytes.len() < 10, "{}", bytes.len());
    }
}
