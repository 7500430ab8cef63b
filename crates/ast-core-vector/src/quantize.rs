//! Codes: rows as 8-bit integers, a quarter of their size, to find candidates by.

use crate::kernel::{
    code::{SignedCode, ZERO},
    lines::CodeLine,
};

/// Turns rows into codes and back.
///
/// One step for all dimensions and all rows, so that the dot product of two codes orders as that of their rows does
/// without any factor beside it. From each dimension its mean is taken off first: embeddings share a common
/// direction, on which bits would be wasted.
pub(crate) struct Quantizer {
    /// Of each dimension, padding included.
    mean: Vec<f32>,
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

    /// Dimension up to which codes take all of 8 bits. Beyond, sums of their squares would not fit 32.
    const FULL_RANGE: usize = 16_384;

    /// A quantizer for rows like these, of `stride` values each.
    pub(crate) fn train(sample: &[f32], stride: usize, dimension: usize) -> Self {
        let most = if stride > Self::FULL_RANGE { 63.0 } else { 127.0 };
        let rows = sample.len() / stride;
        let mut sums = vec![0.0_f64; stride];
        for row in sample.chunks_exact(stride) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / rows.max(1) as f64) as f32).collect();
        let mut deviations: Vec<f32> = sample
            .chunks_exact(stride)
            .flat_map(|row| row.iter().zip(&mean).take(dimension).map(|(value, mean)| (value - mean).abs()))
            .collect();
        let mut largest = 0.0;
        if !deviations.is_empty() {
            let beyond = (deviations.len() as f64 * Self::CLIPPED) as usize;
            let at = deviations.len() - 1 - beyond;
            largest = *deviations.select_nth_unstable_by(at, f32::total_cmp).1;
        }
        // Rows that are all alike have no deviation, and any step will do.
        let step = if largest > 0.0 { largest / most } else { 1.0 };
        Self { mean, step: step.max(f32::MIN_POSITIVE), most }
    }

    /// Whether codes of the other would be noticeably finer or clipped less.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        let shift = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        !(0.9..1.1).contains(&(self.step / other.step)) || shift > 8.0 * other.step
    }

    /// Writes the code of a row.
    pub(crate) fn encode(&self, row: &[f32], code: &mut [CodeLine]) -> Encoded {
        let inverse = 1.0 / self.step;
        let (mut squares, mut clipped) = (0_i32, 0);
        let mut pairs = row.iter().zip(&self.mean);
        for line in code {
            let mut bytes = [ZERO; CodeLine::VALUES];
            for (byte, (value, mean)) in bytes.iter_mut().zip(&mut pairs) {
                let scaled = (value - mean) * inverse;
                let value = rounded(scaled.clamp(-self.most, self.most));
                squares += value * value;
                clipped += usize::from(scaled.abs() > self.most + 0.5);
                *byte = (value + i32::from(ZERO)) as u8;
            }
            *line = CodeLine(bytes);
        }
        Encoded { half_norm: squares / 2, clipped }
    }

    /// Writes the row that a code stands for.
    pub(crate) fn decode(&self, code: &[CodeLine], row: &mut [f32]) {
        let bytes = code.iter().flat_map(|line| &line.0);
        for ((value, byte), mean) in row.iter_mut().zip(bytes).zip(&self.mean) {
            *value = (f32::from(*byte) - f32::from(ZERO)) * self.step + mean;
        }
    }

    /// A query whose dot products with codes order as those with the rows: the mean of the rows adds the same to
    /// each.
    pub(crate) fn inner_query(&self, row: &[f32], lines: usize, code: &mut SignedCode) {
        self.scaled_query(row.iter().copied(), lines, code);
    }

    /// A query to be compared by distance, and what its dot products with codes are to be multiplied by.
    pub(crate) fn distance_query(&self, row: &[f32], lines: usize, code: &mut SignedCode) -> f32 {
        let centred = row.iter().zip(&self.mean).map(|(value, mean)| value - mean);
        self.scaled_query(centred, lines, code) / self.step
    }

    /// Scales a query to the whole range of codes and returns its step.
    fn scaled_query(&self, row: impl Iterator<Item = f32> + Clone, lines: usize, code: &mut SignedCode) -> f32 {
        let largest = row.clone().map(f32::abs).fold(0.0, f32::max);
        let step = if largest > 0.0 { largest / self.most } else { 1.0 };
        let inverse = 1.0 / step.max(f32::MIN_POSITIVE);
        let values = row.map(|value| rounded((value * inverse).clamp(-self.most, self.most)) as i8);
        code.set_values(values, lines);
        step
    }

    /// The difference between neighboring codes.
    pub(crate) fn step(&self) -> f32 {
        self.step
    }

    /// The length of the longest vector that codes of this dimension stand for.
    pub(crate) fn reach(&self, dimension: usize) -> f32 {
        self.most * self.step * (dimension as f32).sqrt()
    }
}

/// The nearest integer of a number of at most 2^22, without the call that rounding is on processors as old as the
/// build target's: adding 1.5 * 2^23 leaves no bits for the fraction.
#[inline(always)]
fn rounded(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32
}
