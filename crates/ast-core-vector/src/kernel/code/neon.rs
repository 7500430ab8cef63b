//! The kernel of 64-bit ARM.

use std::arch::aarch64::{
    int32x4_t as Register, uint8x16_t, vaddvq_s32, vdupq_n_s32, vdupq_n_u8, veorq_u8, vget_low_s8, vld1q_u8,
    vmull_high_s8, vmull_s8, vpadalq_s16, vreinterpretq_s8_u8,
};

use super::{CodeKernel, CodeLine, ZERO, code_kernel};
use crate::kernel::prefetch::prefetch_behind;

code_kernel! {
    name: "neon",
    features: "neon",
}

#[inline]
#[target_feature(enable = "neon")]
fn zero() -> Register {
    vdupq_n_s32(0)
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the array holds the 16 bytes that are read, and the load asks for no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn accumulate(sums: &mut [Register; 4], query: &CodeLine, rows: [&CodeLine; 4]) {
    let flip = vdupq_n_u8(ZERO);
    for (sum, row) in sums.iter_mut().zip(rows) {
        for (query, row) in query.0.as_chunks::<16>().0.iter().zip(row.0.as_chunks::<16>().0) {
            let query = vreinterpretq_s8_u8(load(query));
            let row = vreinterpretq_s8_u8(veorq_u8(load(row), flip));
            *sum = vpadalq_s16(*sum, vmull_s8(vget_low_s8(row), vget_low_s8(query)));
            *sum = vpadalq_s16(*sum, vmull_high_s8(row, query));
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn totals(sums: [Register; 4]) -> [i32; 4] {
    let [a, b, c, d] = sums;
    [vaddvq_s32(a), vaddvq_s32(b), vaddvq_s32(c), vaddvq_s32(d)]
}

/// The products are of values with their signs, so that nothing is to be made good.
#[inline(always)]
fn remaining(_bias: i32) -> i32 {
    0
}
