//! The kernel of 64-bit ARM: 4 values a register, 32 registers.

use std::arch::aarch64::{
    float32x4_t as Register, vaddq_f32 as add, vaddvq_f32 as total, vdupq_n_f32, vfmaq_f32, vld1q_f32,
    vsubq_f32 as subtract,
};
use std::array;

use super::{Kernel, simd_kernel};

simd_kernel! {
    name: "neon",
    features: "neon",
    lanes: 4,
    rows: 4,
}

#[inline]
#[target_feature(enable = "neon")]
fn zero() -> Register {
    vdupq_n_f32(0.0)
}

#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[f32; LANES]) -> Register {
    // SAFETY: the array holds the 16 bytes that are read, and the load asks for no alignment beyond that of `f32`.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn multiply_add(a: Register, b: Register, sum: Register) -> Register {
    vfmaq_f32(sum, a, b)
}

/// Nothing: stable Rust has no prefetch for this target, and its processors stream well without.
#[inline(always)]
fn prefetch<const N: usize>(_block: &[f32; N], _distance: usize) {}
