//! Rows of one width in segments that copies share until they are written.

use std::{ops::Range, sync::Arc};

use crate::kernel::prefetch::prefetch;

/// Rows of `stride` elements each.
///
/// They lie behind each other in segments of a power of two of rows. A clone shares the segments; whichever of the
/// two writes to a shared one first copies it. So a clone is a snapshot that costs a pointer a segment, growing moves
/// at most one segment, and a segment can be written to a file, or read from one, as it is.
pub(crate) struct Rows<T> {
    /// All but the last hold `1 << shift` rows, of which the last may hold fewer.
    segments: Vec<Arc<[T]>>,
    stride: usize,
    shift: u32,
    len: usize,
    /// What rows hold that were never written.
    blank: T,
}

impl<T> Clone for Rows<T>
where
    T: Copy,
{
    fn clone(&self) -> Self {
        Self { segments: self.segments.clone(), ..*self }
    }
}

impl<T: Copy> Rows<T> {
    /// No rows, in segments of about `bytes` bytes, but of [`Rows::GROUP`] rows at least.
    pub(crate) fn new(stride: usize, blank: T, bytes: usize) -> Self {
        let rows = (bytes / (stride * size_of::<T>())).max(Self::GROUP);
        Self { segments: Vec::new(), stride, shift: rows.ilog2(), len: 0, blank }
    }

    /// No rows, in segments as these are.
    pub(crate) fn emptied(&self) -> Self {
        Self { segments: Vec::new(), len: 0, ..*self }
    }

    /// What rows hold that were never written.
    pub(crate) fn blank(&self) -> T {
        self.blank
    }

    /// Rows from a multiple of this many to the next are in one segment.
    pub(crate) const GROUP: usize = 128;

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    #[inline]
    fn locate(&self, slot: usize) -> (usize, usize) {
        (slot >> self.shift, (slot & ((1 << self.shift) - 1)) * self.stride)
    }

    #[inline]
    pub(crate) fn row(&self, slot: usize) -> &[T] {
        let (segment, start) = self.locate(slot);
        &self.segments[segment][start..start + self.stride]
    }

    /// Rows that follow each other in one segment.
    pub(crate) fn rows(&self, slots: Range<usize>) -> &[T] {
        if slots.is_empty() {
            return &[];
        }
        let (segment, start) = self.locate(slots.start);
        &self.segments[segment][start..start + slots.len() * self.stride]
    }

    /// Asks for the cache lines of a row.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) {
        prefetch(self.row(slot));
    }

    pub(crate) fn row_mut(&mut self, slot: usize) -> &mut [T] {
        let (segment, start) = self.locate(slot);
        &mut Arc::make_mut(&mut self.segments[segment])[start..start + self.stride]
    }

    /// Adds a row, to be written whole, and returns its slot.
    pub(crate) fn push(&mut self) -> usize {
        let slot = self.len;
        let (segment, start) = self.locate(slot);
        match self.segments.get(segment).map(|last| last.len()) {
            None => {
                // The first segment grows with its rows, so that few rows take little; later ones are made whole.
                let rows = if segment == 0 { 1 } else { 1 << self.shift };
                self.segments.push(std::iter::repeat_n(self.blank, rows * self.stride).collect());
            }
            Some(length) if length == start => {
                let last = &self.segments[segment];
                let blank = std::iter::repeat_n(self.blank, length);
                self.segments[segment] = last.iter().copied().chain(blank).collect();
            }
            Some(_) => {}
        }
        self.len += 1;
        slot
    }

    /// Removes a row; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        let last = self.len - 1;
        if slot != last {
            let (from, start) = self.locate(last);
            let (to, target) = self.locate(slot);
            if from == to {
                Arc::make_mut(&mut self.segments[to]).copy_within(start..start + self.stride, target);
            } else {
                let (source, end) = (Arc::clone(&self.segments[from]), start + self.stride);
                self.row_mut(slot).copy_from_slice(&source[start..end]);
            }
        }
        self.truncate(last);
    }

    /// Removes the rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.segments.truncate(len.div_ceil(1 << self.shift));
    }

    /// Bytes that the segments take.
    pub(crate) fn memory(&self) -> usize {
        self.segments.iter().map(|segment| size_of_val(&**segment)).sum()
    }

    /// Whether so many more rows could be allocated.
    pub(crate) fn has_room(&self, additional: usize) -> bool {
        let Some(elements) = additional.checked_mul(self.stride) else { return false };
        // Segments are allocated when they are needed; asking for all of them at once and giving them back tells
        // whether that can succeed.
        Vec::<T>::new().try_reserve_exact(elements).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Change {
        Push(u8),
        Set(usize, u8),
        SwapRemove(usize),
        Truncate(usize),
        Snapshot,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            8 => any::<u8>().prop_map(Change::Push),
            3 => (any::<usize>(), any::<u8>()).prop_map(|(slot, value)| Change::Set(slot, value)),
            3 => any::<usize>().prop_map(Change::SwapRemove),
            1 => any::<usize>().prop_map(Change::Truncate),
            1 => Just(Change::Snapshot),
        ]
    }

    fn assert_equal(rows: &Rows<u8>, list: &[u8]) {
        assert_eq!(rows.len(), list.len());
        for (slot, &value) in list.iter().enumerate() {
            assert_eq!(rows.row(slot), [value; 3], "slot {slot}");
        }
    }

    proptest! {
        /// Rows are a list, and a snapshot stays what it was.
        #[test]
        fn rows_agree_with_a_list(changes in prop::collection::vec(change(), 0..1500)) {
            let mut rows = Rows::new(3, 0, 1);
            let mut list: Vec<u8> = Vec::new();
            let mut snapshots = Vec::new();
            for change in changes {
                match change {
                    Change::Push(value) => {
                        let slot = rows.push();
                        prop_assert_eq!(slot, list.len());
                        rows.row_mut(slot).fill(value);
                        list.push(value);
                    }
                    Change::Set(slot, value) if !list.is_empty() => {
                        let slot = slot % list.len();
                        rows.row_mut(slot).fill(value);
                        list[slot] = value;
                    }
                    Change::SwapRemove(slot) if !list.is_empty() => {
                        let slot = slot % list.len();
                        rows.swap_remove(slot);
                        list.swap_remove(slot);
                    }
                    Change::Truncate(len) if !list.is_empty() => {
                        // Mostly little, so that segments fill.
                        let len = list.len() - len % list.len().min(9);
                        rows.truncate(len);
                        list.truncate(len);
                    }
                    Change::Snapshot => snapshots.push((rows.clone(), list.clone())),
                    _ => {}
                }
            }
            assert_equal(&rows, &list);
            for (rows, list) in &snapshots {
                assert_equal(rows, list);
            }
            if !list.is_empty() {
                let group = 0..list.len().min(Rows::<u8>::GROUP);
                let expected: Vec<u8> = list[group.clone()].iter().flat_map(|&value| [value; 3]).collect();
                prop_assert_eq!(rows.rows(group), expected);
            }
        }
    }

    #[test]
    fn there_is_no_room_for_more_than_memory() {
        let rows = Rows::new(16, 0_u64, 1 << 20);
        assert!(rows.has_room(1000));
        assert!(!rows.has_room(usize::MAX));
        assert!(!rows.has_room(usize::MAX / 256));
    }
}
