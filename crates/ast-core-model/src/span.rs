//! Places in a file.

use std::ops::Range;

/// A range of bytes of the file on disk, whatever its encoding: 0-based, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte; never less than `start`.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to and without `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        debug_assert!(start <= end);
        Self { start, end }
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether every byte of `other` is inside.
    pub const fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// As an index into the file's bytes.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Lines of a file: 1-based, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineRange {
    /// The first line.
    pub start: u32,
    /// The last line; never less than `start`.
    pub end: u32,
}

impl LineRange {
    /// The lines from `start` to `end`, both included.
    pub const fn new(start: u32, end: u32) -> Self {
        debug_assert!(1 <= start && start <= end);
        Self { start, end }
    }

    /// How many lines.
    pub const fn count(self) -> u32 {
        self.end - self.start + 1
    }

    /// Whether the line is one of them.
    pub const fn contains(self, line: u32) -> bool {
        self.start <= line && line <= self.end
    }
}
