//! Kernels of x86-64 beyond its baseline.

/// AVX2 with fused multiply-add: 8 values a register, 16 registers.
pub(super) mod avx2 {
    use std::arch::x86_64::{
        __m256 as Register, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
        _mm256_add_ps as add, _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps as multiply_add,
        _mm256_loadu_ps, _mm256_setzero_ps as zero, _mm256_sub_ps as subtract,
    };
    use std::array;

    use super::prefetch;
    use crate::kernel::{Kernel, simd_kernel};

    simd_kernel! {
        name: "avx2",
        features: "avx2,fma",
        lanes: 8,
        // Two rows of four sums and a query block fill the registers.
        rows: 2,
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn load(values: &[f32; LANES]) -> Register {
        // SAFETY: the array holds the 32 bytes that are read, and the load asks for no alignment.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn total(sum: Register) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

/// AVX-512: 16 values a register, 32 registers.
pub(super) mod avx512 {
    use std::arch::x86_64::{
        __m512 as Register, _mm512_add_ps as add, _mm512_fmadd_ps as multiply_add, _mm512_loadu_ps,
        _mm512_reduce_add_ps as total, _mm512_setzero_ps as zero, _mm512_sub_ps as subtract,
    };
    use std::array;

    use super::prefetch;
    use crate::kernel::{Kernel, simd_kernel};

    simd_kernel! {
        name: "avx512",
        features: "avx512f",
        lanes: 16,
        rows: 4,
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(values: &[f32; LANES]) -> Register {
        // SAFETY: the array holds the 64 bytes that are read, and the load asks for no alignment.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }
}

/// Asks for the cache lines that lie `distance` values behind `block`.
#[inline(always)]
fn prefetch<const N: usize>(block: &[f32; N], distance: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    /// `f32` values in a cache line.
    const LINE: usize = 16;
    for line in 0..N / LINE {
        let address = block.as_ptr().wrapping_add(distance + line * LINE);
        // SAFETY: a prefetch is a hint. It reads nothing that the program can see and does not fault, whatever the
        // address is: behind the last row it points outside the block.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
}
