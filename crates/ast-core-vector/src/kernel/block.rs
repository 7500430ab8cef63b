//! Large arrays: memory on huge pages where the system has them, or parts of files.
//!
//! A walk through a graph reads rows all over an index. With pages of 4 KiB most of those reads miss the processor's
//! table of pages first; with pages of 2 MiB a table holds an index of gigabytes, and searches among 100,000 vectors of
//! 384 dimensions take a seventh less time.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    ptr::NonNull,
    slice,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{lines::Plain, map::View};

/// Bytes of a huge page.
pub(crate) const HUGE_PAGE: usize = 2 << 20;

/// An array that clones share until one of them is written: memory, or a part of a file that is checked when it is
/// read for the first time and copied to memory when it is written.
///
/// It is the owner that counts its clones, so that a read takes one step less than behind an `Arc`. A part of a file
/// that was not checked has a length of 0 here, so that asking whether it was is the comparison of an index with a
/// length that is made anyway.
pub(crate) struct Block<T> {
    start: NonNull<T>,
    /// Elements that may be read: all, or none.
    ready: AtomicUsize,
    owner: Arc<Owner<T>>,
}

enum Owner<T> {
    #[expect(dead_code, reason = "it is only there to be dropped")]
    Memory(Allocation),
    File(Part<T>),
}

/// Memory that is given back when the last block over it is gone.
struct Allocation {
    start: NonNull<u8>,
    layout: Layout,
}

/// Says whether a part of a file, of which there are several numbered ones, is what was written there.
pub(crate) type Check<T> = dyn Fn(usize, &[T]) -> bool + Send + Sync;

struct Part<T> {
    view: View<T>,
    number: usize,
    check: Arc<Check<T>>,
    /// What the check said.
    is_sound: OnceLock<bool>,
}

// SAFETY: a block is an array of `T` like an `Arc<[T]>`: shared while there are clones, which only read, and unique when
// it is written.
unsafe impl<T: Send + Sync> Send for Block<T> {}
// SAFETY: as above; through a shared block there is only reading.
unsafe impl<T: Send + Sync> Sync for Block<T> {}
// SAFETY: an allocation is memory and its size, of which any thread may give it back.
unsafe impl Send for Allocation {}
// SAFETY: a shared allocation offers nothing at all.
unsafe impl Sync for Allocation {}

impl<T> Clone for Block<T> {
    fn clone(&self) -> Self {
        let ready = AtomicUsize::new(self.ready.load(Ordering::Relaxed));
        Self { start: self.start, ready, owner: Arc::clone(&self.owner) }
    }
}

impl<T: Plain> Block<T> {
    /// A block of the elements of `head`, then `blank` up to the length `len`.
    ///
    /// Whoever needs to know whether there is so much memory has to ask before.
    pub(crate) fn new(head: &[T], len: usize, blank: T) -> Self {
        const { assert!(size_of::<T>() > 0, "elements take room") };
        let head = &head[..head.len().min(len)];
        let owner = Allocation::new(Layout::array::<T>(len.max(1)).ok());
        let start = owner.start.cast::<T>();
        // SAFETY: the allocation holds `len` elements at least, is aligned for them, and is nobody else's. Every
        // element is written before a slice is made of them.
        unsafe {
            start.as_ptr().copy_from_nonoverlapping(head.as_ptr(), head.len());
            for i in head.len()..len {
                start.as_ptr().add(i).write(blank);
            }
        }
        Self { start, ready: AtomicUsize::new(len), owner: Arc::new(Owner::Memory(owner)) }
    }

    /// The block over a part of a file, to be checked as the part of this number.
    pub(crate) fn mapped(view: View<T>, number: usize, check: Arc<Check<T>>) -> Self {
        let start = NonNull::from(view.as_slice()).cast();
        let part = Part { view, number, check, is_sound: OnceLock::new() };
        Self { start, ready: AtomicUsize::new(0), owner: Arc::new(Owner::File(part)) }
    }

    /// The elements; of a part of a file that was not checked, none.
    #[inline(always)]
    pub(crate) fn ready(&self) -> &[T] {
        // SAFETY: in memory, `new` wrote all elements and said how many they are; they are written only through
        // `make_mut`, which needs the only block over them mutably. In a file, the view has so many elements as
        // `checked` says, from the same start. The owner keeps either. The order of memory accesses does not matter:
        // what is in a file was there before, and a block in memory reaches another thread with its length.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.ready.load(Ordering::Relaxed)) }
    }

    /// The elements, of a part of a file after it was checked. `None` if it is damaged.
    pub(crate) fn checked(&self) -> Option<&[T]> {
        if let Owner::File(part) = &*self.owner {
            let elements = part.view.as_slice();
            if !*part.is_sound.get_or_init(|| (part.check)(part.number, elements)) {
                return None;
            }
            self.ready.store(elements.len(), Ordering::Relaxed);
        }
        Some(self.ready())
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        match &*self.owner {
            Owner::Memory(_) => self.ready.load(Ordering::Relaxed),
            Owner::File(part) => part.view.as_slice().len(),
        }
    }

    /// Whether it is a part of a file.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(*self.owner, Owner::File(_))
    }

    /// The array to be written. If there are clones or it is a part of a file, it is copied before; if that is damaged,
    /// it becomes `blank`.
    pub(crate) fn make_mut(&mut self, blank: T) -> &mut [T] {
        if !matches!(Arc::get_mut(&mut self.owner), Some(Owner::Memory(_))) {
            *self = Self::new(self.checked().unwrap_or(&[]), self.len(), blank);
        }
        // SAFETY: as in `ready`. It is memory, and no other block is over these elements: there was one owner, or they
        // were copied just now.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), *self.ready.get_mut()) }
    }
}

impl Allocation {
    fn new(layout: Option<Layout>) -> Self {
        let layout = layout.and_then(|layout| {
            let lines = layout.align_to(64).ok()?.pad_to_align();
            if lines.size() + HUGE_PAGE / 64 < HUGE_PAGE {
                return Some(lines);
            }
            Some(lines.align_to(HUGE_PAGE).ok()?.pad_to_align())
        });
        let Some(layout) = layout else {
            // Beyond the address space, which is as much as there not being the memory.
            handle_alloc_error(Layout::new::<u8>());
        };
        // SAFETY: the layout has a size, because there is one element at least and elements take room.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        if layout.align() == HUGE_PAGE {
            advise(start, layout.size());
        }
        Self { start, layout }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and no block is left.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// Asks for huge pages under memory that begins and ends at the border of one.
#[cfg(target_os = "linux")]
fn advise(start: NonNull<u8>, size: usize) {
    // SAFETY: the range is an allocation of ours, and the advice changes nothing in it. Where it is not followed,
    // nothing is lost but time, so that its result does not matter.
    unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_HUGEPAGE) };
}

/// Nothing: other systems decide by themselves.
#[cfg(not(target_os = "linux"))]
fn advise(_start: NonNull<u8>, _size: usize) {}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{
        super::{lines::bytes, map::Map},
        *,
    };

    #[test]
    fn a_block_is_what_it_was_made_of() {
        for len in [0, 1, 7, 1000, HUGE_PAGE / 4 - 1, HUGE_PAGE / 4 + 1] {
            let head: Vec<u32> = (0..len as u32 / 2).collect();
            let block = Block::new(&head, len, 9);
            let expected: Vec<u32> = head.iter().copied().chain(std::iter::repeat(9)).take(len).collect();
            assert_eq!(block.ready(), expected);
            assert_eq!(block.ready().as_ptr().addr() % 64, 0);
        }
        assert_eq!(Block::new(&[1, 2, 3], 2, 0).ready(), [1, 2]);
    }

    #[test]
    fn a_clone_is_not_changed_by_the_other() {
        let mut block = Block::new(&[1_u64, 2], 3, 0);
        let clone = block.clone();
        block.make_mut(0)[0] = 5;
        let address = block.ready().as_ptr();
        block.make_mut(0)[1] = 6;
        assert_eq!(block.ready().as_ptr(), address, "the only block over it is not copied again");
        assert_eq!((block.ready(), clone.ready()), (&[5, 6, 0][..], &[1, 2, 0][..]));
        std::thread::spawn(move || assert_eq!(clone.ready(), [1, 2, 0])).join().unwrap();
        assert_eq!(block.make_mut(0), [5, 6, 0]);
        assert!(Block::new(&[], 0, 1_u8).make_mut(0).is_empty());
    }

    #[test]
    fn a_part_of_a_file_is_checked_once_and_copied_when_it_is_written() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes(&[5_u32, 6, 7, 8])).unwrap();
        let map = Map::open(&file).unwrap();
        let checks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&checks);
        let check: Arc<Check<u32>> = Arc::new(move |number, elements: &[u32]| {
            counted.fetch_add(1, Ordering::Relaxed);
            assert_eq!(elements[0], [5, 7][number]);
            number == 0
        });
        let block = |number| {
            let view = View::new(&map, number * 8, 2).unwrap();
            Block::mapped(view, number, Arc::clone(&check))
        };

        let (mut sound, mut damaged) = (block(0), block(1));
        let clone = sound.clone();
        for block in [&sound, &damaged, &clone] {
            assert!(block.ready().is_empty() && block.is_mapped());
            assert_eq!(block.len(), 2);
        }
        for _ in 0..2 {
            assert_eq!(sound.checked(), Some(&[5, 6][..]));
            assert_eq!(sound.ready(), [5, 6]);
            assert_eq!(damaged.checked(), None);
            assert!(damaged.ready().is_empty());
        }
        assert!(clone.ready().is_empty());
        assert_eq!(clone.checked(), Some(&[5, 6][..]));
        assert_eq!(checks.load(Ordering::Relaxed), 2);

        sound.make_mut(0)[0] = 9;
        assert_eq!((sound.ready(), clone.ready()), (&[9, 6][..], &[5, 6][..]));
        assert_eq!(damaged.make_mut(1), [1, 1]);
        assert!(!sound.is_mapped() && !damaged.is_mapped());
        drop((map, sound, damaged));
        assert_eq!(clone.ready(), [5, 6], "the file stays mapped");
    }
}
