//! Kernels of x86-64 beyond its baseline.

use std::arch::x86_64::{__m128i, _mm_extract_epi32};

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

/// How the kernels add products that multiply whole bytes without a sign.
macro_rules! by_bytes {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn add_high(sums: &mut Sums, query: [Register; 2], high: Register) {
            // High halves are sixteen times themselves where they are.
            sums.sixteens = add_products(sums.sixteens, and(high, every(0x0F)), query[0]);
            sums.units = add_products(sums.units, and(high, every(0xF0)), query[1]);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn add_both(sums: &mut Sums, query: [Register; 2], high: Register, low: Register) {
            let first = or(and(sixteen_times(high), every(0xF0)), and(low, every(0x0F)));
            let second = or(and(high, every(0xF0)), and(sixteenth(low), every(0x0F)));
            sums.units = add_products(sums.units, first, query[0]);
            sums.units = add_products(sums.units, second, query[1]);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn add_whole(sums: &mut Sums, query: Register, bytes: Register) {
            sums.units = add_products(sums.units, bytes, query);
        }
    };
}

/// AVX-512 with VNNI: 64 products an instruction.
pub(super) mod avx512vnni {
    use std::arch::x86_64::{
        __m256i, __m512i as Register, _mm_add_epi32, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_hadd_epi32, _mm512_add_epi32 as add, _mm512_and_si512 as and,
        _mm512_castsi512_si256, _mm512_dpbusd_epi32 as add_products, _mm512_extracti64x4_epi64,
        _mm512_load_si512, _mm512_or_si512 as or, _mm512_set1_epi8, _mm512_setzero_si512 as zero,
        _mm512_slli_epi32, _mm512_srli_epi32,
    };

    use super::lanes;
    use crate::kernel::code::{CodeKernel, CodeLine, coarse_lines, code_kernel, prefetch_behind};

    code_kernel! {
        name: "avx512vnni",
        features: "avx512f,avx512vnni,avx2",
        bytes: 64,
    }
    by_bytes!("avx512f,avx512vnni,avx2");

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(line: &CodeLine, _part: usize) -> Register {
        // SAFETY: the line holds the 64 bytes that are read, and is aligned to them.
        unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn every(byte: u8) -> Register {
        _mm512_set1_epi8(byte as i8)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sixteen_times(numbers: Register) -> Register {
        _mm512_slli_epi32::<4>(numbers)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sixteenth(numbers: Register) -> Register {
        _mm512_srli_epi32::<4>(numbers)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx2")]
    fn halved(sum: Register) -> __m256i {
        _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx2")]
    fn totals(sums: [Register; 4]) -> [i32; 4] {
        let [a, b, c, d] = sums;
        let (a, b, c, d) = (halved(a), halved(b), halved(c), halved(d));
        let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        lanes(_mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums)))
    }
}

/// The operations that the two kernels of 256 bits share.
macro_rules! half_width {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn load(line: &CodeLine, part: usize) -> Register {
            let bytes = &line.0.as_chunks::<BYTES>().0[part];
            // SAFETY: the array holds the 32 bytes that are read, and the load asks for no alignment.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn every(byte: u8) -> Register {
            _mm256_set1_epi8(byte as i8)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn sixteen_times(numbers: Register) -> Register {
            _mm256_slli_epi32::<4>(numbers)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn sixteenth(numbers: Register) -> Register {
            _mm256_srli_epi32::<4>(numbers)
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
        __m256i as Register, _mm_add_epi32, _mm256_add_epi32 as add, _mm256_and_si256 as and,
        _mm256_castsi256_si128, _mm256_dpbusd_avx_epi32 as add_products, _mm256_extracti128_si256,
        _mm256_hadd_epi32, _mm256_loadu_si256, _mm256_or_si256 as or, _mm256_set1_epi8,
        _mm256_setzero_si256 as zero, _mm256_slli_epi32, _mm256_srli_epi32,
    };

    use super::lanes;
    use crate::kernel::code::{CodeKernel, CodeLine, coarse_lines, code_kernel, prefetch_behind};

    code_kernel! {
        name: "avxvnni",
        features: "avx2,avxvnni",
        bytes: 32,
    }
    half_width!("avx2,avxvnni");
    by_bytes!("avx2,avxvnni");
}

/// AVX2.
pub(super) mod avx2 {
    use std::arch::x86_64::{
        __m256i as Bytes, __m256i as Register, _mm_add_epi32, _mm256_add_epi32 as add,
        _mm256_and_si256 as and, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_hadd_epi32,
        _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16,
        _mm256_setzero_si256 as zero, _mm256_slli_epi32, _mm256_srli_epi32,
    };

    use super::lanes;
    use crate::kernel::code::{CodeKernel, CodeLine, by_halves, coarse_lines, code_kernel, prefetch_behind};

    code_kernel! {
        name: "avx2",
        features: "avx2",
        bytes: 32,
    }
    half_width!("avx2");
    by_halves!("avx2");

    #[inline]
    #[target_feature(enable = "avx2")]
    fn low_halves(bytes: Bytes) -> Bytes {
        and(bytes, every(0x0F))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn high_halves(bytes: Bytes) -> Bytes {
        low_halves(sixteenth(bytes))
    }

    /// Two products of a half and a byte fit the 16 bits in which the instruction adds them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add_products(sum: Register, halves: Bytes, query: Bytes) -> Register {
        let products = _mm256_maddubs_epi16(halves, query);
        add(sum, _mm256_madd_epi16(products, _mm256_set1_epi16(1)))
    }
}
