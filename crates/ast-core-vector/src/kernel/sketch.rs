//! How far sketches, a bit a value, are from a query of four bits a value.
//!
//! It is the same few lines of counting for every instruction set: what differs is how the compiler counts bits.

use std::sync::OnceLock;

/// Bits of a value of a query: as many words of it go with a word of a sketch.
pub(crate) const PLANES: usize = 4;

/// The most that a value can add to a distance.
pub(crate) const MOST: u16 = (1 << PLANES) - 1;

/// A function of the planes of a query, sketches of their length that follow each other, and one output a sketch.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type DistancesFn = unsafe fn(&[&[u64]; PLANES], &[u64], &mut [u16]);

/// The distances of one instruction set. A value exists only for those that the running processor has.
pub(crate) struct SketchKernel {
    distances: DistancesFn,
}

impl SketchKernel {
    /// The fastest kernel of this processor, detected at the first call.
    pub(crate) fn detected() -> &'static Self {
        static DETECTED: OnceLock<&'static SketchKernel> = OnceLock::new();
        DETECTED.get_or_init(|| available().next().unwrap_or(&BASE))
    }

    /// Writes of each of the sketches that lie behind each other in `rows` the number of bits in which it differs from each
    /// plane, times 1, 2, 4 and 8. Nothing if the planes have no words.
    pub(crate) fn distances(&self, planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
        let words = planes[0].len();
        assert!(
            planes.iter().all(|plane| plane.len() == words)
                && words.checked_mul(out.len()) == Some(rows.len()),
            "a kernel takes planes of one length and sketches of the same, one output each"
        );
        // SAFETY: a `SketchKernel` exists only where its instruction set was detected.
        unsafe { (self.distances)(planes, rows, out) }
    }
}

const BASE: SketchKernel = SketchKernel { distances: base };

/// The kernels that this processor can run, the fastest first.
fn available() -> impl Iterator<Item = &'static SketchKernel> {
    #[cfg(target_arch = "x86_64")]
    let more = {
        const AVX512: SketchKernel = SketchKernel { distances: avx512 };
        const AVX2: SketchKernel = SketchKernel { distances: avx2 };
        let has_avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vpopcntdq");
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
        [has_avx512.then_some(&AVX512), has_avx2.then_some(&AVX2)]
    };
    // That of 64-bit ARM counts bits of whole registers anyway.
    #[cfg(not(target_arch = "x86_64"))]
    let more: [Option<&'static SketchKernel>; 0] = [];
    more.into_iter().flatten().chain([&BASE])
}

fn base(planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
    all(planes, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn avx2(planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
    all(planes, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512vpopcntdq,avx2,popcnt")]
fn avx512(planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
    all(planes, rows, out);
}

#[inline(always)]
fn all(planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
    // Of the usual dimensions the compiler knows the number of words, and keeps a query in registers.
    match planes[0].len() {
        0 => {}
        4 => of_words::<4>(planes, rows, out),
        6 => of_words::<6>(planes, rows, out),
        8 => of_words::<8>(planes, rows, out),
        12 => of_words::<12>(planes, rows, out),
        words => {
            for (row, out) in rows.chunks_exact(words).zip(out) {
                *out = distance(row, |plane, word| planes[plane][word]);
            }
        }
    }
}

#[inline(always)]
fn of_words<const WORDS: usize>(planes: &[&[u64]; PLANES], rows: &[u64], out: &mut [u16]) {
    let planes: [[u64; WORDS]; PLANES] = planes.map(|plane| std::array::from_fn(|word| plane[word]));
    for (row, out) in rows.as_chunks::<WORDS>().0.iter().zip(out) {
        *out = distance(row, |plane, word| planes[plane][word]);
    }
}

#[inline(always)]
fn distance(row: &[u64], plane: impl Fn(usize, usize) -> u64) -> u16 {
    let mut sum = 0;
    for (word, bits) in row.iter().enumerate() {
        for number in 0..PLANES {
            sum += u64::from((bits ^ plane(number, word)).count_ones()) << number;
        }
    }
    // At most 15 times the values of a sketch.
    sum as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every kernel counts as one would by hand.
        #[test]
        fn a_distance_is_the_bits_that_differ(
            words in 1_usize..14,
            rows in 0_usize..40,
            seed in any::<u64>(),
        ) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state ^ state >> 31
            };
            let planes: Vec<Vec<u64>> = (0..PLANES).map(|_| (0..words).map(|_| next()).collect()).collect();
            let rows: Vec<u64> = (0..rows * words).map(|_| next()).collect();
            let bit = |words: &[u64], at: usize| u16::from(words[at / 64] >> (at % 64) & 1 == 1);
            let expected: Vec<u16> = rows
                .chunks(words)
                .map(|row| {
                    let value = |at| (0..PLANES).map(|plane| bit(&planes[plane], at) << plane).sum::<u16>();
                    (0..64 * words).map(|at| if bit(row, at) == 1 { MOST - value(at) } else { value(at) }).sum()
                })
                .collect();
            let planes: [&[u64]; PLANES] = std::array::from_fn(|plane| planes[plane].as_slice());
            for (number, kernel) in available().enumerate() {
                let mut out = vec![7; expected.len()];
                kernel.distances(&planes, &rows, &mut out);
                prop_assert_eq!(&out, &expected, "kernel {} of those available", number);
            }
        }
    }
}
