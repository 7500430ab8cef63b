//! Cache lines of values, which is what rows are made of: whole lines need no handling of tails, and are aligned.

/// 64 bytes: one value of a code each.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct CodeLine(pub(crate) [u8; Self::VALUES]);

impl CodeLine {
    /// Values in a line.
    pub(crate) const VALUES: usize = 64;
}

/// 16 floats.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct FloatLine(pub(crate) [f32; Self::VALUES]);

impl FloatLine {
    /// Values in a line.
    pub(crate) const VALUES: usize = 16;
}

/// 32 floats of 16 bits, by their bits.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct HalfLine(pub(crate) [u16; Self::VALUES]);

impl HalfLine {
    /// Values in a line.
    pub(crate) const VALUES: usize = 32;
}

/// The floats of lines that follow each other.
#[inline]
pub(crate) fn floats(lines: &[FloatLine]) -> &[f32] {
    // SAFETY: `FloatLine` is `repr(C)` over an array that fills it, so that lines are floats without gaps; the length
    // is that of the memory, which the slice borrows.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * FloatLine::VALUES) }
}

/// The floats of lines that follow each other, to be written.
#[inline]
pub(crate) fn floats_mut(lines: &mut [FloatLine]) -> &mut [f32] {
    // SAFETY: as in `floats`; every bit pattern is a float, and the borrow is unique.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * FloatLine::VALUES) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_their_floats() {
        let mut lines = [FloatLine([0.0; FloatLine::VALUES]); 3];
        for (i, value) in floats_mut(&mut lines).iter_mut().enumerate() {
            *value = i as f32;
        }
        let expected: Vec<f32> = lines.iter().flat_map(|line| line.0).collect();
        assert_eq!(floats(&lines), expected);
        assert_eq!(expected, (0..48).map(|i| i as f32).collect::<Vec<_>>());
        assert_eq!(floats(&lines[3..]), [] as [f32; 0]);
    }
}
