//! Rows of one width in segments that copies share until they are written.

use std::ops::Range;

use crate::kernel::{
    block::{Block, HUGE_PAGE},
    prefetch::prefetch,
};

/// Rows of `stride` elements each.
///
/// They lie behind each other in segments of a power of two of rows. A clone shares the segments; whichever of the
/// two writes to a shared one first copies it. So a clone is a snapshot that costs a pointer a segment, growing moves
/// at most one segment, and a segment can be written to a file, or read from one, as it is.
pub(crate) struct Rows<T> {
    /// All but the last hold `1 << shift` rows, of which the last may hold fewer.
    segments: Vec<Block<T>>,
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
    /// No rows.
    ///
    /// A segment takes whole huge pages if some power of two of rows does and is not too large for a copy.
    pub(crate) fn new(stride: usize, blank: T) -> Self {
        const LARGEST: usize = 16 << 20;
        /// Of segments that do not end with a page.
        const USUAL: usize = 1 << 20;
        let bytes = stride * size_of::<T>();
        let pages = HUGE_PAGE.ilog2().saturating_sub(bytes.trailing_zeros());
        let shift = if bytes << pages <= LARGEST { pages } else { (USUAL / bytes).max(1).ilog2() };
        Self { segments: Vec::new(), stride, shift: shift.max(Self::GROUP.ilog2()), len: 0, blank }
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
        &self.segments[segment].as_slice()[start..start + self.stride]
    }

    /// Rows that follow each other in one segment.
    pub(crate) fn rows(&self, slots: Range<usize>) -> &[T] {
        if slots.is_empty() {
            return &[];
        }
        let (segment, start) = self.locate(slots.start);
        &self.segments[segment].as_slice()[start..start + slots.len() * self.stride]
    }

    /// Asks for the cache lines of a row.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) {
        prefetch(self.row(slot));
    }

    pub(crate) fn row_mut(&mut self, slot: usize) -> &mut [T] {
        let (segment, start) = self.locate(slot);
        &mut self.segments[segment].make_mut()[start..start + self.stride]
    }

    /// Adds a row, to be written whole, and returns its slot.
    pub(crate) fn push(&mut self) -> usize {
        let slot = self.len;
        let (segment, start) = self.locate(slot);
        let length = self.segments.get(segment).map_or(0, |segment| segment.as_slice().len());
        if length == start {
            // The first segment doubles while it is small, so that few rows take little; from then on there is a
            // page more at a time.
            let page = HUGE_PAGE / size_of::<T>() / self.stride * self.stride;
            let more = if segment == 0 { length.clamp(self.stride, page.max(self.stride)) } else { page };
            let length = (length + more.max(self.stride)).min(self.stride << self.shift);
            match self.segments.get_mut(segment) {
                Some(last) => *last = Block::new(last.as_slice(), length, self.blank),
                None => self.segments.push(Block::new(&[], length, self.blank)),
            }
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
                self.segments[to].make_mut().copy_within(start..start + self.stride, target);
            } else {
                let (source, end) = (self.segments[from].clone(), start + self.stride);
                self.row_mut(slot).copy_from_slice(&source.as_slice()[start..end]);
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
        self.segments.iter().map(|segment| size_of_val(segment.as_slice())).sum()
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
            // Small segments, so that there are several.
            let mut rows = Rows { shift: Rows::<u8>::GROUP.ilog2(), ..Rows::new(3, 0) };
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
        let rows = Rows::new(16, 0_u64);
        assert!(rows.has_room(1000));
        assert!(!rows.has_room(usize::MAX));
        assert!(!rows.has_room(usize::MAX / 256));
    }
}
