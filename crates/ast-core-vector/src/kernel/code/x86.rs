//! Kernels of x86-64 beyond its baseline.

use std::arch::x86_64::{__m128i, _mm_extract_epi32};

/// What the multiplications left out: they take the bytes of a row without a sign.
#[inline(always)]
fn remaining(bias: i32) -> i32 {
    bias
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn lanes(sums: __m128i) -> [i32; 4] {
    [
        _mm_extract_epi32::<0>(sums),
        _mm_extract_epi32::<1>(sums),
        _mm_extract_epi32::<2>(sums),
        _mm_extract_epi32::<3>(sums),
    ]
}

/// AVX-512 with VNNI: 64 products an instruction.
pub(super) mod avx512vnni {
    use std::arch::x86_64::{
        __m512i as Register, _mm_add_epi32, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_hadd_epi32, _mm512_castsi512_si256, _mm512_dpbusd_epi32,
        _mm512_extracti64x4_epi64, _mm512_load_si512, _mm512_setzero_si512 as zero,
    };

    use super::{lanes, remaining};
    use crate::kernel::{
        code::{CodeKernel, CodeLine, code_kernel},
        prefetch::prefetch_behind,
    };

    code_kernel! {
        name: "avx512vnni",
        features: "avx512f,avx512vnni,avx2",
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(line: &CodeLine) -> Register {
        // SAFETY: the line holds the 64 bytes that are read, and is aligned to them.
        unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni,avx2")]
    fn accumulate(sums: &mut [Register; 4], query: &CodeLine, rows: [&CodeLine; 4]) {
        let query = load(query);
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = _mm512_dpbusd_epi32(*sum, load(row), query);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni,avx2")]
    fn totals(sums: [Register; 4]) -> [i32; 4] {
        let [a, b, c, d] = sums
            .map(|sum| _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum)));
        let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        lanes(_mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)))
    }
}

/// The registers and reductions that the two kernels of 256 bits share.
macro_rules! half_width {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn load_halves(line: &CodeLine) -> [Register; 2] {
            let line = std::ptr::from_ref(line).cast::<Register>();
            // SAFETY: the line holds two times the 32 bytes that are read, and is aligned to them.
            unsafe { [_mm256_load_si256(line), _mm256_load_si256(line.add(1))] }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn accumulate(sums: &mut [Register; 4], query: &CodeLine, rows: [&CodeLine; 4]) {
            let query = load_halves(query);
            for (sum, row) in sums.iter_mut().zip(rows) {
                for (query, row) in query.into_iter().zip(load_halves(row)) {
                    *sum = add_products(*sum, row, query);
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn totals(sums: [Register; 4]) -> [i32; 4] {
            let [a, b, c, d] = sums;
            let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
            lanes(_mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)))
        }
    };
}

/// AVX-VNNI, the instruction of AVX-512 for 32 bytes, which processors without AVX-512 have.
pub(super) mod avxvnni {
    use std::arch::x86_64::{
        __m256i as Register, _mm_add_epi32, _mm256_castsi256_si128, _mm256_dpbusd_avx_epi32 as add_products,
        _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_load_si256, _mm256_setzero_si256 as zero,
    };

    use super::{lanes, remaining};
    use crate::kernel::{
        code::{CodeKernel, CodeLine, code_kernel},
        prefetch::prefetch_behind,
    };

    code_kernel! {
        name: "avxvnni",
        features: "avx2,avxvnni",
    }
    half_width!("avx2,avxvnni");
}

/// AVX2.
pub(super) mod avx2 {
    use std::arch::x86_64::{
        __m256i as Register, _mm_add_epi32, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi8_epi16,
        _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_load_si256,
        _mm256_madd_epi16, _mm256_setzero_si256 as zero,
    };

    use super::{lanes, remaining};
    use crate::kernel::{
        code::{CodeKernel, CodeLine, code_kernel},
        prefetch::prefetch_behind,
    };

    code_kernel! {
        name: "avx2",
        features: "avx2",
    }
    half_width!("avx2");

    /// In 16 bits, because the instruction that multiplies bytes saturates at the sum of two products.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add_products(sum: Register, row: Register, query: Register) -> Register {
        let low = _mm256_madd_epi16(
            _mm256_cvtepu8_epi16(_mm256_castsi256_si128(row)),
            _mm256_cvtepi8_epi16(_mm256_castsi256_si128(query)),
        );
        let high = _mm256_madd_epi16(
            _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(row)),
            _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(query)),
        );
        _mm256_add_epi32(sum, _mm256_add_epi32(low, high))
    }
}
