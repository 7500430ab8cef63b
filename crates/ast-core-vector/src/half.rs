//! Floats of 16 bits (IEEE 754 binary16): 11 bits of precision in half the memory.

/// The largest number.
pub(crate) const LARGEST: f32 = 65_504.0;

/// The nearest 16-bit float, ties to even; beyond the range the largest.
pub(crate) fn to_half(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.abs().min(LARGEST);
    /// The smallest normal number, 2^-14.
    const NORMAL: f32 = 6.103_515_6e-5;
    let bits = if magnitude < NORMAL {
        // A multiple of 2^-24. Adding a number whose last bit is that rounds to it.
        const SHIFT: f32 = 0.5;
        (magnitude + SHIFT).to_bits() - SHIFT.to_bits()
    } else {
        // Drops 13 bits of the fraction, rounding to even, and moves the bias of the exponent from 127 to 15.
        let bits = magnitude.to_bits();
        let odd = bits >> 13 & 1;
        (bits + 0xFFF + odd - (112 << 23)) >> 13
    };
    sign | bits as u16
}

/// Whether a 16-bit float is a number.
pub(crate) fn is_finite(half: &u16) -> bool {
    half & 0x7C00 != 0x7C00
}

/// The value of a 16-bit float that is finite.
#[inline]
pub(crate) fn from_half(half: u16) -> f32 {
    // As a float of 32 bits whose exponent is 112 too low, which a multiplication makes good, subnormals included.
    let bits = u32::from(half & 0x8000) << 16 | u32::from(half & 0x7FFF) << 13;
    const SCALE: f32 = f32::from_bits((127 + 112) << 23);
    f32::from_bits(bits) * SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_half_survives() {
        for half in (0..=u16::MAX).filter(|half| half & 0x7C00 != 0x7C00) {
            assert_eq!(to_half(from_half(half)), half, "{half:#x}");
        }
    }

    #[test]
    fn a_float_becomes_the_nearest_half() {
        // Each gap between neighbors at a quarter, at the tie, and at three quarters.
        for half in 0..0x7BFF_u16 {
            let (low, high) = (from_half(half), from_half(half + 1));
            let even = if half % 2 == 0 { half } else { half + 1 };
            for (share, expected) in [(0.25, half), (0.5, even), (0.75, half + 1)] {
                let value = low + (high - low) * share;
                assert_eq!(to_half(value), expected, "{value:e}");
                assert_eq!(to_half(-value), expected | 0x8000, "{value:e}");
            }
        }
        assert_eq!(from_half(to_half(1e9)), 65_504.0);
        assert_eq!(from_half(to_half(-65_520.0)), -65_504.0);
    }
}
