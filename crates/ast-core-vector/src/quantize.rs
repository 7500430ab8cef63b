//! Codes: rows as 8-bit integers, a quarter of their size, to find candidates by.

use crate::kernel::{
    code::{SignedCode, ZERO, joined, rounded, split},
    lines::CodeLine,
};

/// Turns rows into codes and back.
///
/// One step for all dimensions and all rows, so that the dot product of two codes orders as that of their rows does
/// without any factor beside it. From each dimension its median is taken off first: embeddings share a common
/// direction, on which bits would be wasted.
pub(crate) struct Quantizer {
    /// Of each dimension, padding included.
    centre: Vec<f32>,
    /// The difference between neighboring codes.
    step: f32,
    /// The largest code.
    most: f32,
}

/// What became of a row.
pub(crate) struct Encoded {
    /// Half the sum of the squares of the codes.
    pub(crate) half_norm: i32,
    /// How many values were beyond the largest code.
    pub(crate) clipped: usize,
}

impl Quantizer {
    /// Rows of a sample, at most.
    pub(crate) const SAMPLE: usize = 4096;

    /// The share of values that may lie beyond the largest code: so rare that they cost nothing, and left out because
    /// a single one would make all others coarse.
    const CLIPPED: f64 = 1e-4;

    /// Rows so many times as far out as the median are left out, if they are no more than one in [`Self::FAR_SHARE`].
    const FAR: f32 = 16.0;
    const FAR_SHARE: usize = 100;

    /// Dimension up to which codes take all of 8 bits. Beyond, sums of their squares would not fit 32.
    const FULL_RANGE: usize = 16_384;

    /// A quantizer for rows like these, of `stride` values each.
    pub(crate) fn train(sample: &[f32], stride: usize, dimension: usize) -> Self {
        let most = Self::most(stride);
        let rows = sample.len() / stride;
        // Medians, because a single far row would move means away from all the others.
        let mut column = vec![0.0; rows];
        let mut centre = vec![0.0; stride];
        for (dimension, centre) in centre.iter_mut().enumerate().take(if rows > 0 { dimension } else { 0 }) {
            for (value, row) in column.iter_mut().zip(sample.chunks_exact(stride)) {
                *value = row[dimension];
            }
            *centre = *column.select_nth_unstable_by(rows / 2, f32::total_cmp).1;
        }
        let deviation = |row: &[f32]| {
            let deviations = row.iter().zip(&centre).map(|(value, centre)| (value - centre).abs());
            deviations.fold(0.0, f32::max)
        };
        let mut reaches: Vec<f32> = sample.chunks_exact(stride).map(deviation).collect();
        let far = if rows > 0 {
            Self::FAR * *reaches.select_nth_unstable_by(rows / 2, f32::total_cmp).1
        } else {
            f32::INFINITY
        };
        let far_rows = reaches.iter().filter(|&&reach| reach > far).count();
        let far = if far_rows * Self::FAR_SHARE <= rows { far } else { f32::INFINITY };
        let mut deviations: Vec<f32> = sample
            .chunks_exact(stride)
            .flat_map(|row| {
                row.iter().zip(&centre).take(dimension).map(|(value, centre)| (value - centre).abs())
            })
            .filter(|&deviation| deviation <= far)
            .collect();
        let mut largest = 0.0;
        if !deviations.is_empty() {
            let beyond = (deviations.len() as f64 * Self::CLIPPED) as usize;
            let at = deviations.len() - 1 - beyond;
            largest = *deviations.select_nth_unstable_by(at, f32::total_cmp).1;
        }
        // Rows that are all alike have no deviation, and any step will do.
        let step = if largest > 0.0 { largest / most } else { 1.0 };
        Self { centre, step: step.max(f32::MIN_POSITIVE), most }
    }

    /// A quantizer as it was kept: what it takes off each dimension, and the difference between neighboring codes.
    /// `None` if they are none of rows with values up to `limit`.
    pub(crate) fn of_parts(centre: Vec<f32>, step: f32, limit: f32) -> Option<Self> {
        let most = Self::most(centre.len());
        let steps = f32::MIN_POSITIVE..=(2.01 * limit / most).max(1.0);
        let valid = steps.contains(&step) && centre.iter().all(|value| value.abs() <= limit);
        valid.then_some(Self { centre, step, most })
    }

    fn most(stride: usize) -> f32 {
        if stride > Self::FULL_RANGE { 63.0 } else { 127.0 }
    }

    /// What it takes off each dimension.
    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    /// No half of a squared length of a code of so many lines is larger.
    pub(crate) fn longest_half_norm(&self, lines: usize) -> i32 {
        (self.longest_square(lines) / 2.0) as i32
    }

    /// Whether codes of the other would be noticeably finer or clipped less.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        let shift = self.centre.iter().zip(&other.centre).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        !(0.9..1.1).contains(&(self.step / other.step)) || shift > 8.0 * other.step
    }

    /// Writes the code of a row.
    pub(crate) fn encode(&self, row: &[f32], code: &mut [CodeLine]) -> Encoded {
        let inverse = 1.0 / self.step;
        let (mut squares, mut clipped) = (0_i32, 0);
        let mut pairs = row.iter().zip(&self.centre);
        let mut bytes = vec![CodeLine([ZERO; CodeLine::VALUES]); code.len()];
        for line in &mut bytes {
            for (byte, (value, centre)) in line.0.iter_mut().zip(&mut pairs) {
                let scaled = (value - centre) * inverse;
                let value = rounded(scaled.clamp(-self.most, self.most));
                squares += value * value;
                clipped += usize::from(scaled.abs() > self.most + 0.5);
                *byte = (value + i32::from(ZERO)) as u8;
            }
        }
        split(&bytes, code);
        Encoded { half_norm: squares / 2, clipped }
    }

    /// Writes the row that a code stands for.
    pub(crate) fn decode(&self, code: &[CodeLine], row: &mut [f32]) {
        let mut bytes = code.to_vec();
        joined(code, &mut bytes);
        let bytes = bytes.iter().flat_map(|line| &line.0);
        for ((value, byte), centre) in row.iter_mut().zip(bytes).zip(&self.centre) {
            *value = (f32::from(*byte) - f32::from(ZERO)) * self.step + centre;
        }
    }

    /// A query whose dot products with codes order as those with the rows: what was taken off the rows adds the same to
    /// each.
    pub(crate) fn inner_query(&self, row: &[f32], lines: usize, code: &mut SignedCode) {
        self.scaled_query(row, lines, code);
    }

    /// A query to be compared by distance, and what its dot products with codes are to be multiplied by.
    pub(crate) fn distance_query(&self, row: &[f32], lines: usize, code: &mut SignedCode) -> f32 {
        let centred: Vec<f32> = row.iter().zip(&self.centre).map(|(value, centre)| value - centre).collect();
        self.scaled_query(&centred, lines, code) / self.step
    }

    /// Scales a query to the whole range of codes and returns its step.
    fn scaled_query(&self, row: &[f32], lines: usize, code: &mut SignedCode) -> f32 {
        let largest = largest(row);
        let step = if largest > 0.0 { largest / self.most } else { 1.0 };
        let inverse = 1.0 / step.max(f32::MIN_POSITIVE);
        code.set_scaled(row, lines, inverse, self.most);
        step
    }

    /// The difference between neighboring codes.
    pub(crate) fn step(&self) -> f32 {
        self.step
    }

    /// No dot product of codes of so many lines is larger.
    pub(crate) fn longest_square(&self, lines: usize) -> f32 {
        self.most * self.most * (lines * CodeLine::VALUES) as f32
    }

    /// The length of the longest vector that codes of this dimension stand for.
    pub(crate) fn reach(&self, dimension: usize) -> f32 {
        self.most * self.step * (dimension as f32).sqrt()
    }
}

/// The largest magnitude of a value.
fn largest(row: &[f32]) -> f32 {
    // Several at a time, of which none waits for the one before.
    const LANES: usize = 16;
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut most = [0.0_f32; LANES];
    for block in blocks {
        for (most, value) in most.iter_mut().zip(block) {
            *most = if value.abs() > *most { value.abs() } else { *most };
        }
    }
    most.iter().chain(rest).fold(0.0, |most, value| most.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIDE: usize = 192;

    fn codes() -> Vec<CodeLine> {
        vec![CodeLine([0; CodeLine::VALUES]); STRIDE / CodeLine::VALUES]
    }

    proptest! {
        /// Without outliers every value comes back within half a step, and a step is a 127th of the range.
        #[test]
        fn a_code_is_within_half_a_step_of_its_row(
            rows in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, STRIDE), 1..20),
            scale in -60_i32..50,
            offset in -10.0_f32..10.0,
        ) {
            let scale = 2.0_f32.powi(scale);
            let rows: Vec<f32> = rows.concat().iter().map(|value| (value + offset) * scale).collect();
            let quantizer = Quantizer::train(&rows, STRIDE, STRIDE);
            // Of rows that are all alike, it can be any.
            prop_assert!(quantizer.step() <= 2.0 / 127.0 * scale * 1.001 || quantizer.step() == 1.0);
            let (mut code, mut back) = (codes(), vec![0.0; STRIDE]);
            for row in rows.chunks(STRIDE) {
                let encoded = quantizer.encode(row, &mut code);
                prop_assert_eq!(encoded.clipped, 0);
                let mut bytes = codes();
                joined(&code, &mut bytes);
                let bytes = bytes.iter().flat_map(|line| &line.0);
                let squares: i32 = bytes.map(|&byte| (i32::from(byte) - 128).pow(2)).sum();
                prop_assert_eq!(encoded.half_norm, squares / 2);
                quantizer.decode(&code, &mut back);
                for (value, back) in row.iter().zip(&back) {
                    let rounding = (value.abs() + back.abs()) * f32::EPSILON * 4.0;
                    prop_assert!((value - back).abs() <= quantizer.step() * 0.501 + rounding, "{value} became {back}");
                }
            }
        }
    }

    #[test]
    fn a_rare_outlier_is_clipped_and_spoils_no_step() {
        let mut rows: Vec<f32> = (0..1000 * STRIDE).map(|i| (i as f32 * 0.7).sin()).collect();
        rows[STRIDE * 500] = 1e6;
        let quantizer = Quantizer::train(&rows, STRIDE, STRIDE);
        assert!(quantizer.step() < 0.02);
        let mut code = codes();
        assert_eq!(quantizer.encode(&rows[STRIDE * 500..][..STRIDE], &mut code).clipped, 1);
        let mut bytes = codes();
        joined(&code, &mut bytes);
        assert_eq!(bytes[0].0[0], 255);
    }

    #[test]
    fn rows_that_are_all_alike_come_back() {
        let quantizer = Quantizer::train(&[3.0; 5 * STRIDE], STRIDE, STRIDE);
        let (mut code, mut back) = (codes(), [0.0; STRIDE]);
        quantizer.encode(&[3.0; STRIDE], &mut code);
        quantizer.decode(&code, &mut back);
        assert_eq!(back, [3.0; STRIDE]);
    }
}
