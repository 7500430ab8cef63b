//! Storage of rows: one contiguous block of `f32`, each row on a cache line of its own.

use std::ops::Range;

use crate::space::ROW_ALIGNMENT;

/// Bytes that a row is aligned to: [`ROW_ALIGNMENT`] values.
const ALIGNMENT: usize = ROW_ALIGNMENT * size_of::<f32>();

/// Rows of `stride` values, where `stride` is a multiple of [`ROW_ALIGNMENT`].
///
/// The allocator aligns floats to 4 bytes only, and a register load that straddles two cache lines costs twice. So
/// the buffer is a little longer than its rows, which begin at the first aligned place in it.
pub(crate) struct Vectors {
    /// [`Vectors::SLACK`] values more than the rows take.
    buffer: Vec<f32>,
    /// Where the first row begins in the buffer, at most [`Vectors::SLACK`].
    offset: usize,
    stride: usize,
}

impl Vectors {
    const SLACK: usize = ROW_ALIGNMENT - 1;

    pub(crate) fn new(stride: usize) -> Self {
        debug_assert!(stride > 0 && stride.is_multiple_of(ROW_ALIGNMENT));
        Self { buffer: vec![0.0; Self::SLACK], offset: 0, stride }
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len() / self.stride
    }

    pub(crate) fn row(&self, slot: usize) -> &[f32] {
        self.rows(slot..slot + 1)
    }

    /// Rows that follow each other, as one slice.
    pub(crate) fn rows(&self, slots: Range<usize>) -> &[f32] {
        &self.buffer[self.offset + slots.start * self.stride..self.offset + slots.end * self.stride]
    }

    pub(crate) fn row_mut(&mut self, slot: usize) -> &mut [f32] {
        let start = self.offset + slot * self.stride;
        &mut self.buffer[start..start + self.stride]
    }

    /// Makes room for rows; `false` if there is none.
    pub(crate) fn reserve(&mut self, additional: usize) -> bool {
        let reserved =
            additional.checked_mul(self.stride).is_some_and(|values| self.buffer.try_reserve(values).is_ok());

        // The buffer may have moved to an address of another alignment.
        let offset = self.buffer.as_ptr().align_offset(ALIGNMENT).min(Self::SLACK);
        if offset != self.offset {
            let end = self.offset + self.len() * self.stride;
            self.buffer.copy_within(self.offset..end, offset);
            self.offset = offset;
        }
        reserved
    }

    /// Adds a row and returns it, to be written whole: what it holds is unspecified. Room for it must have been made.
    pub(crate) fn push(&mut self) -> &mut [f32] {
        let slot = self.len();
        debug_assert!(self.buffer.len() + self.stride <= self.buffer.capacity());
        self.buffer.resize(self.buffer.len() + self.stride, 0.0);
        self.row_mut(slot)
    }

    /// Removes a row; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        let last = self.len() - 1;
        if slot != last {
            let start = self.offset + last * self.stride;
            self.buffer.copy_within(start..start + self.stride, self.offset + slot * self.stride);
        }
        self.buffer.truncate(self.buffer.len() - self.stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_aligned_and_whole_while_the_buffer_grows_and_shrinks() {
        for stride in [16, 48] {
            let mut vectors = Vectors::new(stride);
            for slot in 0..500 {
                assert!(vectors.reserve(1));
                vectors.push().fill(slot as f32);
            }
            for slot in 0..200 {
                vectors.swap_remove(slot);
            }
            assert_eq!(vectors.len(), 300);
            for slot in 0..300 {
                let expected = if slot < 200 { 499 - slot } else { slot };
                assert_eq!(vectors.row(slot), vec![expected as f32; stride], "slot {slot}");
                assert_eq!(vectors.row(slot).as_ptr().addr() % ALIGNMENT, 0, "slot {slot}");
            }
        }
    }

    #[test]
    fn there_is_no_room_for_more_than_memory() {
        let mut vectors = Vectors::new(16);
        assert!(!vectors.reserve(usize::MAX));
        assert!(!vectors.reserve(usize::MAX / 64));
        assert_eq!(vectors.len(), 0);
    }
}
