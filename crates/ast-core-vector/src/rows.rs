//! Rows of one width in segments that copies share until they are written.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use rayon::prelude::*;

use crate::kernel::{
    block::{Block, HUGE_PAGE},
    lines::Plain,
    prefetch::prefetch,
};

/// Rows of `stride` elements each.
///
/// They lie behind each other in segments of a power of two of rows. A clone shares the segments; whichever of the
/// two writes to a shared one first copies it. So a clone is a snapshot that costs a pointer a segment, growing moves
/// at most one segment, and a segment can be written to a file, or be a part of one.
///
/// Reading never fails: where there is no row, or a damaged one of a file, it reads as [`blank`](Self::blank). That is
/// so that nothing which a file says can lead out of an array; whoever checked the file knows of the damage.
pub(crate) struct Rows<T> {
    /// All but the last hold `1 << shift` rows, of which the last may hold fewer.
    segments: Vec<Block<T>>,
    stride: usize,
    shift: u32,
    len: usize,
    /// What rows hold that were never written.
    blank: T,
    /// A group of rows that are blank, once they were needed.
    blanks: OnceLock<Arc<[T]>>,
}

impl<T: Copy> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self { segments: self.segments.clone(), blanks: self.blanks.clone(), ..*self }
    }
}

impl<T: Plain> Rows<T> {
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
        let shift = shift.max(Self::GROUP.ilog2());
        Self { segments: Vec::new(), stride, shift, len: 0, blank, blanks: OnceLock::new() }
    }

    /// `len` rows in segments of `1 << shift`, which `segment` makes of their number and elements. `None` if it cannot
    /// make one, or segments cannot be of that size.
    pub(crate) fn of_segments(
        (stride, shift, len): (usize, u32, usize),
        blank: T,
        mut segment: impl FnMut(usize, usize) -> Option<Block<T>>,
    ) -> Option<Self> {
        if !(Self::GROUP.ilog2()..usize::BITS / 2).contains(&shift) {
            return None;
        }
        let rows = |number: usize| (len - (number << shift)).min(1 << shift);
        let segments = (0..len.div_ceil(1 << shift))
            .map(|number| segment(number, rows(number) * stride))
            .collect::<Option<_>>()?;
        Some(Self { segments, stride, shift, len, blank, blanks: OnceLock::new() })
    }

    /// No rows, in segments as these are.
    pub(crate) fn emptied(&self) -> Self {
        Self { segments: Vec::new(), len: 0, blanks: OnceLock::new(), ..*self }
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
        self.elements(slot, self.stride)
    }

    /// The first elements of a row.
    #[inline]
    pub(crate) fn head(&self, slot: usize, elements: usize) -> &[T] {
        self.elements(slot, elements)
    }

    /// Rows that follow each other in one segment, as many as [`Self::GROUP`] at most.
    pub(crate) fn rows(&self, slots: Range<usize>) -> &[T] {
        self.elements(slots.start, slots.len() * self.stride)
    }

    #[inline(always)]
    fn elements(&self, slot: usize, count: usize) -> &[T] {
        let (segment, start) = self.locate(slot);
        let segment = self.segments.get(segment);
        match segment.and_then(|segment| segment.ready().get(start..start + count)) {
            Some(elements) => elements,
            None => self.checked_elements(slot, count),
        }
    }

    /// What is asked for before the segment was checked, or is not there.
    #[cold]
    #[inline(never)]
    fn checked_elements(&self, slot: usize, count: usize) -> &[T] {
        let (segment, start) = self.locate(slot);
        let elements = self.segments.get(segment).and_then(Block::checked);
        elements.and_then(|elements| elements.get(start..start + count)).unwrap_or_else(|| {
            let blanks = self.blanks.get_or_init(|| vec![self.blank; self.stride * Self::GROUP].into());
            &blanks[..count]
        })
    }

    /// The rows in pieces of `1 << shift` rows or less, to be written to a file; `None` in place of one that is a
    /// damaged part of a file itself.
    pub(crate) fn pieces(&self, shift: u32) -> impl Iterator<Item = Option<&[T]>> {
        let shift = shift.min(self.shift);
        (0..self.len).step_by(1 << shift).map(move |slot| {
            let (segment, start) = self.locate(slot);
            let rows = (self.len - slot).min(1 << shift);
            self.segments[segment].checked()?.get(start..start + rows * self.stride)
        })
    }

    /// Whether a row is in a part of a file.
    #[inline]
    pub(crate) fn is_mapped(&self, slot: usize) -> bool {
        self.segments.get(slot >> self.shift).is_some_and(Block::is_mapped)
    }

    /// The binary logarithm of the number of rows in a segment.
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    /// Checks all segments that are parts of a file and were not read yet, on all threads of the rayon pool.
    pub(crate) fn verify(&self) {
        self.segments.par_iter().for_each(|segment| _ = segment.checked());
    }

    /// Asks for the cache lines of the first elements of a row.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize, elements: usize) {
        prefetch(self.elements(slot, elements));
    }

    pub(crate) fn row_mut(&mut self, slot: usize) -> &mut [T] {
        let (segment, start) = self.locate(slot);
        let blank = self.blank;
        &mut self.segments[segment].make_mut(blank)[start..start + self.stride]
    }

    /// Adds a row, to be written whole, and returns its slot.
    pub(crate) fn push(&mut self) -> usize {
        let slot = self.len;
        let (segment, start) = self.locate(slot);
        let length = self.segments.get(segment).map_or(0, Block::len);
        if length == start {
            // The first segment doubles while it is small, so that few rows take little; from then on there is a
            // page more at a time.
            let page = HUGE_PAGE / size_of::<T>() / self.stride * self.stride;
            let more = if segment == 0 { length.clamp(self.stride, page.max(self.stride)) } else { page };
            let length = (length + more.max(self.stride)).min(self.stride << self.shift);
            match self.segments.get_mut(segment) {
                Some(last) => *last = Block::new(last.checked().unwrap_or(&[]), length, self.blank),
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
                let blank = self.blank;
                self.segments[to].make_mut(blank).copy_within(start..start + self.stride, target);
            } else {
                let row = self.row(last).to_vec();
                self.row_mut(slot).copy_from_slice(&row);
            }
        }
        self.truncate(last);
    }

    /// Removes the rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.segments.truncate(len.div_ceil(1 << self.shift));
    }

    /// Bytes that the segments take, and how many of them are in a file.
    pub(crate) fn memory(&self) -> (usize, usize) {
        let bytes = |segment: &Block<T>| segment.len() * size_of::<T>();
        let mapped = self.segments.iter().filter(|segment| segment.is_mapped());
        (self.segments.iter().map(bytes).sum(), mapped.map(bytes).sum())
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
