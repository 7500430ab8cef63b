//! The kernel of 64-bit ARM.

use std::arch::aarch64::{
    int32x4_t as Register, uint8x16_t as Bytes, vaddq_s32, vaddvq_s32, vandq_u8, vdupq_n_s32, vdupq_n_u8,
    vget_low_s8, vld1q_u8, vmlal_high_s8, vmull_s8, vpadalq_s16, vreinterpretq_s8_u8, vshlq_n_s32,
    vshrq_n_u8,
};

use super::{CodeKernel, CodeLine, by_halves, coarse_lines, code_kernel, prefetch_behind};

code_kernel! {
    name: "neon",
    features: "neon",
    bytes: 16,
}
by_halves!("neon");

#[inline]
#[target_feature(enable = "neon")]
fn zero() -> Register {
    vdupq_n_s32(0)
}

#[inline]
#[target_feature(enable = "neon")]
fn load(line: &CodeLine, part: usize) -> Bytes {
    let bytes = &line.0.as_chunks::<BYTES>().0[part];
    // SAFETY: the array holds the 16 bytes that are read, and the load asks for no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn low_halves(bytes: Bytes) -> Bytes {
    vandq_u8(bytes, vdupq_n_u8(0x0F))
}

#[inline]
#[target_feature(enable = "neon")]
fn high_halves(bytes: Bytes) -> Bytes {
    vshrq_n_u8::<4>(bytes)
}

/// Two products of a half and a byte fit 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn add_products(sum: Register, halves: Bytes, query: Bytes) -> Register {
    let (halves, query) = (vreinterpretq_s8_u8(halves), vreinterpretq_s8_u8(query));
    let products = vmull_s8(vget_low_s8(halves), vget_low_s8(query));
    vpadalq_s16(sum, vmlal_high_s8(products, halves, query))
}

#[inline]
#[target_feature(enable = "neon")]
fn add(a: Register, b: Register) -> Register {
    vaddq_s32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn sixteen_times(sum: Register) -> Register {
    vshlq_n_s32::<4>(sum)
}

#[inline]
#[target_feature(enable = "neon")]
fn totals(sums: [Register; 4]) -> [i32; 4] {
    let [a, b, c, d] = sums;
    [vaddvq_s32(a), vaddvq_s32(b), vaddvq_s32(c), vaddvq_s32(d)]
}
