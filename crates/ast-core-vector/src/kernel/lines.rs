//! Cache lines of values, which is what rows are made of: whole lines need no handling of tails, and are aligned.

/// Elements that are nothing but their bytes.
///
/// # Safety
///
/// The type has no padding, every bit pattern is a value of it, and it consists of numbers in the order of bytes of the
/// machine.
pub(crate) unsafe trait Plain: Copy + Send + Sync + 'static {}

// SAFETY: a number is its bytes.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above; NaNs are values too.
unsafe impl Plain for f32 {}
// SAFETY: an array of bytes that fills its line.
unsafe impl Plain for CodeLine {}
// SAFETY: an array of floats that fills its line.
unsafe impl Plain for FloatLine {}
// SAFETY: an array of numbers that fills its line.
unsafe impl Plain for HalfLine {}

/// The bytes of elements that follow each other.
pub(crate) fn bytes<T: Plain>(elements: &[T]) -> &[u8] {
    // SAFETY: plain elements have no padding, so that all of their bytes are initialised; the length is that of the
    // memory, which the slice borrows.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

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
    /// Zeros.
    pub(crate) const ZERO: Self = Self([0.0; Self::VALUES]);

    /// Values in a line.
    pub(crate) const VALUES: usize = 16;
}

/// 32 floats of 16 bits, by their bits.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct HalfLine(pub(crate) [u16; Self::VALUES]);

impl HalfLine {
    /// Zeros.
    pub(crate) const ZERO: Self = Self([0; Self::VALUES]);

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

    #[test]
    fn bytes_are_those_of_the_numbers() {
        let lines = [FloatLine([1.5; FloatLine::VALUES]), FloatLine([-2.0; FloatLine::VALUES])];
        let expected: Vec<u8> = lines.iter().flat_map(|line| line.0).flat_map(f32::to_ne_bytes).collect();
        assert_eq!(bytes(&lines), expected);
        assert_eq!(bytes(&[HalfLine([0x1234; HalfLine::VALUES])]), 0x1234_u16.to_ne_bytes().repeat(32));
        assert_eq!(bytes(&[7_u64, 9]), [7_u64.to_ne_bytes(), 9_u64.to_ne_bytes()].concat());
        assert_eq!(bytes::<CodeLine>(&[]), [] as [u8; 0]);
    }
}
