//! Ids of what the store holds.
//!
//! A [`FileId`] names one *version* of a file's content: a changed file gets a new id, an unchanged one keeps
//! its own, and an id is never given twice. A chunk or symbol id is its file's id and its ordinal in the file,
//! packed into one integer. It follows that what an id names never changes, so caches keyed by it (the vector
//! index) can only miss, never be wrong, and that everything of a file is one contiguous range of keys.

use std::fmt;
use std::ops::RangeInclusive;

/// Bits of a packed id that hold the ordinal: about a million items a file.
const ORDINAL_BITS: u32 = 20;
const ORDINAL_MAX: u32 = (1 << ORDINAL_BITS) - 1;
/// File ids fit in what is left of a non-negative `i64`, SQLite's integer.
const FILE_MAX: u64 = (1 << (63 - ORDINAL_BITS)) - 1;

/// One version of a file, from 1 to 2^43 - 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u64);

impl FileId {
    /// The id of this number, or `None` outside 1 to 2^43 - 1.
    pub const fn new(number: u64) -> Option<Self> {
        if number >= 1 && number <= FILE_MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file:{}", self.0)
    }
}

macro_rules! packed_id {
    ($(#[$doc:meta])* $name:ident, $tag:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The largest ordinal in a file.
            pub const MAX_ORDINAL: u32 = ORDINAL_MAX;

            /// The id of the item at this ordinal of the file, or `None` beyond
            /// [`MAX_ORDINAL`](Self::MAX_ORDINAL).
            pub const fn in_file(file: FileId, ordinal: u32) -> Option<Self> {
                if ordinal <= ORDINAL_MAX {
                    Some(Self(file.0 << ORDINAL_BITS | ordinal as u64))
                } else {
                    None
                }
            }

            /// The id packed in this number, or `None` if its file id is out of range.
            pub const fn from_raw(raw: u64) -> Option<Self> {
                match FileId::new(raw >> ORDINAL_BITS) {
                    Some(_) => Some(Self(raw)),
                    None => None,
                }
            }

            /// The packed number: at most 63 bits.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The file the item is in.
            pub const fn file(self) -> FileId {
                FileId(self.0 >> ORDINAL_BITS)
            }

            /// The item's place among its file's items, from 0.
            pub const fn ordinal(self) -> u32 {
                (self.0 & ORDINAL_MAX as u64) as u32
            }

            /// The packed numbers that belong to a file.
            pub const fn range_of(file: FileId) -> RangeInclusive<u64> {
                let first = file.0 << ORDINAL_BITS;
                first..=first | ORDINAL_MAX as u64
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($tag, ":{}.{}"), self.file().0, self.ordinal())
            }
        }
    };
}

packed_id!(
    /// A chunk of one version of a file.
    ChunkId,
    "chunk"
);
packed_id!(
    /// A symbol of one version of a file.
    SymbolId,
    "symbol"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_is_lossless_and_ordered(file in 1..=FILE_MAX, ordinal in 0..=ORDINAL_MAX) {
            let file = FileId::new(file).unwrap();
            let id = ChunkId::in_file(file, ordinal).unwrap();
            prop_assert_eq!((id.file(), id.ordinal()), (file, ordinal));
            prop_assert_eq!(ChunkId::from_raw(id.get()), Some(id));
            prop_assert!(ChunkId::range_of(file).contains(&id.get()));
            prop_assert!(i64::try_from(id.get()).is_ok());
        }
    }

    #[test]
    fn out_of_range_numbers_are_refused() {
        assert_eq!(FileId::new(0), None);
        assert_eq!(FileId::new(FILE_MAX + 1), None);
        assert_eq!(ChunkId::in_file(FileId::new(1).unwrap(), ORDINAL_MAX + 1), None);
        assert_eq!(SymbolId::from_raw(5), None);
    }

    #[test]
    fn ranges_of_neighbouring_files_touch_and_do_not_overlap() {
        let (a, b) = (FileId::new(1).unwrap(), FileId::new(2).unwrap());
        assert_eq!(ChunkId::range_of(a).end() + 1, *ChunkId::range_of(b).start());
    }
}
