//! A file that is read where it lies.

use std::{fs::File, io, marker::PhantomData, sync::Arc};

use super::lines::Plain;

/// The bytes of a file, mapped to be read.
pub(crate) struct Map(memmap2::Mmap);

impl Map {
    /// Maps a file as long as it is now.
    ///
    /// Its bytes must not be changed by anybody as long as it is mapped: whoever writes files of this kind gives them
    /// their name when they are complete and never opens them to be written again. A file that is replaced or removed
    /// stays as it was for who has it mapped. One that is cut short by a stranger ends the process where it is read
    /// beyond the new end, as it does for every program that maps files.
    pub(crate) fn open(file: &File) -> io::Result<Arc<Self>> {
        // SAFETY: the map is read only, and nobody writes to the file, as said above. What is made of the bytes is
        // integers and floats, for which all bit patterns are values, and none of them is trusted as an index or a
        // length without being compared with what it must be below. So a stranger who writes nevertheless changes
        // answers, but no memory.
        unsafe { memmap2::Mmap::map(file) }.map(|map| Arc::new(Self(map)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An array in a mapped file, which stays mapped as long as there is one.
pub(crate) struct View<T> {
    map: Arc<Map>,
    /// Where it begins in the map, and elements.
    offset: usize,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Plain> View<T> {
    /// The array of `len` elements at an offset; `None` if it is not within the file or not aligned for its elements.
    pub(crate) fn new(map: &Arc<Map>, offset: usize, len: usize) -> Option<Self> {
        let end = len.checked_mul(size_of::<T>())?.checked_add(offset)?;
        let bytes = map.bytes().get(offset..end)?;
        let aligned = cfg!(target_endian = "little") && bytes.as_ptr().cast::<T>().is_aligned();
        aligned.then(|| Self { map: Arc::clone(map), offset, len, elements: PhantomData })
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        let start = self.map.bytes()[self.offset..].as_ptr().cast::<T>();
        // SAFETY: `new` saw that so many elements lie within the map and are aligned; the map neither moves nor ends
        // while this borrows it. All bit patterns are elements, and little-endian numbers are those of this machine.
        unsafe { std::slice::from_raw_parts(start, self.len) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_view_is_the_numbers_at_its_place_and_nothing_beyond() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..200_u8).collect();
        file.write_all(&bytes).unwrap();
        let map = Map::open(&file).unwrap();
        assert_eq!(map.bytes(), bytes);
        for (offset, len) in [(0, 50), (4, 49), (100, 3), (200, 0), (64, 1)] {
            let expected: Vec<u32> =
                bytes[offset..].as_chunks().0[..len].iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            assert_eq!(View::<u32>::new(&map, offset, len).unwrap().as_slice(), expected);
        }
        for (offset, len) in [(0, 51), (4, 50), (2, 1), (204, 0), (0, usize::MAX), (usize::MAX - 3, 1)] {
            assert!(View::<u32>::new(&map, offset, len).is_none(), "{len} at {offset}");
        }
    }
}
