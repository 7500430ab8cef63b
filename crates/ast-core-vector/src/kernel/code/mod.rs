//! Kernels over codes: vectors whose values are 8-bit integers.
//!
//! A value `v` in `-127..=127` is the byte `u = v + 128`, because the instructions that multiply bytes take one operand
//! without a sign. The other operand, the query, has a sign. What they sum is `u * q = v * q + 128 * q`, so that a kernel
//! begins at `-128 * sum(q)`, the query's *bias*, and ends at the exact dot product. All kernels give the same integers.
//!
//! The bytes of two cache lines are kept by halves: a line of the high four bits of both, and far behind it one of the low
//! ones ([`split`]). The lines of the high halves come first, and they alone are a code of half the size, whose dot
//! products are off by little. A walk through a graph waits for memory, and with them it reads half as much of it.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

pub(crate) use scalar::rounded;

use super::lines::CodeLine;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::prefetch::prefetch_behind;

/// The lines of a query, its bias, rows, and one output a row.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type EachFn = unsafe fn(&[CodeLine], i32, &[&[CodeLine]], &mut [i32]);

/// The lines of a query, its bias, rows that follow each other, and one output a row.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type RowsFn = unsafe fn(&[CodeLine], i32, &[CodeLine], &mut [i32]);

/// Values, what they are multiplied by, the largest magnitude of what comes of it, and where the bytes of the integers
/// next to it go: as many lines as the values need, or more.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type QuantizeFn = unsafe fn(&[f32], f32, f32, &mut [CodeLine]);

/// The functions of one instruction set.
///
/// A value exists only for instruction sets that the running processor has: [`available`] is the one place that
/// hands them out, and the functions are private.
pub(crate) struct CodeKernel {
    name: &'static str,
    dots: EachFn,
    coarse: EachFn,
    dot_rows: RowsFn,
    quantize: QuantizeFn,
}

/// A vector in the role of the query, in whole lines: signed values, and `-128` times their sum.
#[derive(Clone, Default)]
pub(crate) struct SignedCode {
    lines: Vec<CodeLine>,
    bias: i32,
    /// The bias, and what low halves that were left out come to on the average.
    coarse_bias: i32,
}

/// The byte that stands for the value 0.
pub(crate) const ZERO: u8 = 128;

/// How many lines of a row of so many are enough for [`CodeKernel::coarse`].
pub(crate) fn coarse_lines(lines: usize) -> usize {
    lines.div_ceil(2)
}

/// Brings lines of bytes into the order of a row: for each two lines one of their high halves, the line that is left if
/// their number is odd, and for each two lines one of their low halves.
pub(crate) fn split(bytes: &[CodeLine], row: &mut [CodeLine]) {
    let (pairs, left) = bytes.as_chunks::<2>();
    let (high, low) = row.split_at_mut(coarse_lines(bytes.len()));
    for (([a, b], high), low) in pairs.iter().zip(&mut *high).zip(low) {
        for (((a, b), high), low) in a.0.iter().zip(&b.0).zip(&mut high.0).zip(&mut low.0) {
            *high = a >> 4 | b & 0xF0;
            *low = a & 0x0F | b << 4;
        }
    }
    high[pairs.len()..].copy_from_slice(left);
}

/// The bytes that [`split`] brought into the order of a row.
pub(crate) fn joined(row: &[CodeLine], bytes: &mut [CodeLine]) {
    let (pairs, left) = bytes.as_chunks_mut::<2>();
    let (high, low) = row.split_at(coarse_lines(row.len()));
    for (([a, b], high), low) in pairs.iter_mut().zip(high).zip(low) {
        for (((a, b), high), low) in a.0.iter_mut().zip(&mut b.0).zip(&high.0).zip(&low.0) {
            *a = high << 4 | low & 0x0F;
            *b = high & 0xF0 | low >> 4;
        }
    }
    left.copy_from_slice(&high[pairs.len()..]);
}

impl SignedCode {
    /// Takes over the values of a row.
    pub(crate) fn set_row(&mut self, row: &[CodeLine]) {
        self.lines.resize(row.len(), CodeLine([0; CodeLine::VALUES]));
        joined(row, &mut self.lines);
        for byte in self.lines.iter_mut().flat_map(|line| &mut line.0) {
            *byte ^= ZERO;
        }
        self.set_bias();
    }

    /// Takes over the integers next to values times a factor, which are in `-most..=most` then, padded with zeros to
    /// whole lines.
    pub(crate) fn set_scaled(&mut self, values: &[f32], lines: usize, factor: f32, most: f32) {
        self.lines.clear();
        self.lines.resize(lines, CodeLine([0; CodeLine::VALUES]));
        CodeKernel::detected().quantize(values, factor, most, &mut self.lines);
        self.set_bias();
    }

    /// Takes over codes in `-127..=127` of values, padded with zeros to whole lines.
    pub(crate) fn set_values(&mut self, values: &[f32], lines: usize, code: impl Fn(f32) -> i8) {
        self.lines.clear();
        self.lines.resize(lines, CodeLine([0; CodeLine::VALUES]));
        for (line, values) in self.lines.iter_mut().zip(values.chunks(CodeLine::VALUES)) {
            for (byte, value) in line.0.iter_mut().zip(values) {
                *byte = code(*value) as u8;
            }
        }
        self.set_bias();
    }

    fn set_bias(&mut self) {
        let sum = |lines: &[CodeLine]| -> i32 {
            let sum = |line: &CodeLine| line.0.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
            lines.iter().map(sum).sum()
        };
        let (pairs, left) = self.lines.split_at(self.lines.len() / 2 * 2);
        let halved = sum(pairs);
        self.bias = -i32::from(ZERO) * (halved + sum(left));
        self.coarse_bias = self.bias + halved * 15 / 2;
    }

    /// The sum of the squares of the values.
    pub(crate) fn squares(&self) -> f32 {
        let square = |&byte: &u8| i32::from(byte as i8).pow(2);
        let squares = |line: &CodeLine| line.0.iter().map(square).sum::<i32>() as f32;
        self.lines.iter().map(squares).sum()
    }
}

impl CodeKernel {
    /// The fastest kernel of this processor, detected at the first call.
    pub(crate) fn detected() -> &'static Self {
        static DETECTED: OnceLock<&'static CodeKernel> = OnceLock::new();
        DETECTED.get_or_init(|| available().next().unwrap_or(&scalar::KERNEL))
    }

    /// The instruction set: `avx512vnni`, `avxvnni`, `avx2`, `neon` or `scalar`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Writes the bytes of the integers next to values times a factor, none of which is beyond `most`, which is 127 at
    /// most. All kernels write the same.
    fn quantize(&self, values: &[f32], factor: f32, most: f32, lines: &mut [CodeLine]) {
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.quantize)(values, factor, most, lines) }
    }

    /// The dot products of a query with rows.
    #[inline]
    pub(crate) fn dots(&self, query: &SignedCode, rows: &[&[CodeLine]], out: &mut [i32]) {
        assert_eq!(rows.len(), out.len(), "a kernel takes one output a row");
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.dots)(&query.lines, query.bias, rows, out) }
    }

    /// About the dot products of a query with rows, of each of which the first [`coarse_lines`] are given. They lack
    /// the low halves of the values, in place of which they have their mean.
    #[inline]
    pub(crate) fn coarse(&self, query: &SignedCode, rows: &[&[CodeLine]], out: &mut [i32]) {
        assert_eq!(rows.len(), out.len(), "a kernel takes one output a row");
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.coarse)(&query.lines, query.coarse_bias, rows, out) }
    }

    /// The dot products of a query with each of the rows that lie behind each other in `rows`.
    pub(crate) fn dot_rows(&self, query: &SignedCode, rows: &[CodeLine], out: &mut [i32]) {
        let lines = query.lines.as_slice();
        assert_eq!(
            lines.len().checked_mul(out.len()),
            Some(rows.len()),
            "a kernel takes rows of the query's length, one output each"
        );
        if lines.is_empty() {
            return out.fill(0);
        }
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.dot_rows)(lines, query.bias, rows, out) }
    }
}

/// The name of the instruction set that codes are compared by: `avx512vnni`, `avxvnni`, `avx2`, `neon` or `scalar`.
///
/// Like [`kernel_name`](crate::kernel_name), it is meant for diagnosis.
pub fn code_kernel_name() -> &'static str {
    CodeKernel::detected().name()
}

/// The kernels that this processor can run, the fastest first.
fn available() -> impl Iterator<Item = &'static CodeKernel> {
    #[cfg(target_arch = "x86_64")]
    let simd = [
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni"))
            .then_some(&x86::avx512vnni::KERNEL),
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni"))
            .then_some(&x86::avxvnni::KERNEL),
        is_x86_feature_detected!("avx2").then_some(&x86::avx2::KERNEL),
    ];
    #[cfg(target_arch = "aarch64")]
    let simd = [std::arch::is_aarch64_feature_detected!("neon").then_some(&neon::KERNEL)];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let simd: [Option<&'static CodeKernel>; 0] = [];
    simd.into_iter().flatten().chain([&scalar::KERNEL])
}

/// Writes the functions of a kernel once for every instruction set: only registers and operations differ.
///
/// Four rows at a time share the loads of the query, hide the latency of the multiplications, and end in one
/// reduction for all of them. A scan prefetches the next four rows while it works on four, because rows that are not
/// in cache are bound by memory alone.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! code_kernel {
    (name: $name:literal, features: $features:literal, bytes: $bytes:literal,) => {
        /// The kernel of this instruction set.
        pub(in crate::kernel::code) static KERNEL: CodeKernel =
            CodeKernel { name: $name, dots, coarse, dot_rows, quantize };

        #[target_feature(enable = $features)]
        fn quantize(values: &[f32], factor: f32, most: f32, lines: &mut [CodeLine]) {
            crate::kernel::code::scalar::quantize(values, factor, most, lines);
        }

        /// Bytes of a register.
        const BYTES: usize = $bytes;

        /// The sums of a row, of which one counts sixteen times.
        #[derive(Clone, Copy)]
        struct Sums {
            sixteens: Register,
            units: Register,
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn joined_sums(sums: Sums) -> Register {
            add(sixteen_times(sums.sixteens), sums.units)
        }

        #[target_feature(enable = $features)]
        fn dots(query: &[CodeLine], bias: i32, rows: &[&[CodeLine]], out: &mut [i32]) {
            each::<true>(query, bias, rows, out);
        }

        #[target_feature(enable = $features)]
        fn coarse(query: &[CodeLine], bias: i32, rows: &[&[CodeLine]], out: &mut [i32]) {
            each::<false>(query, bias, rows, out);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn each<const FINE: bool>(query: &[CodeLine], bias: i32, rows: &[&[CodeLine]], out: &mut [i32]) {
            let (fours, rest) = rows.as_chunks::<4>();
            let (out_fours, out_rest) = out.as_chunks_mut::<4>();
            for (rows, out) in fours.iter().zip(out_fours) {
                *out = four::<FINE, false>(query, bias, *rows);
            }
            // Three at most; the places of those that are missing are filled with one that there is.
            match (rest, out_rest) {
                (&[a, b, c], [x, y, z]) => [*x, *y, *z, _] = four::<FINE, false>(query, bias, [a, b, c, c]),
                (&[a, b], [x, y]) => [*x, *y, ..] = four::<FINE, false>(query, bias, [a, b, b, b]),
                (&[a], [x]) => [*x, ..] = four::<FINE, false>(query, bias, [a; 4]),
                _ => {}
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn four<const FINE: bool, const STREAM: bool>(
            query: &[CodeLine],
            bias: i32,
            rows: [&[CodeLine]; 4],
        ) -> [i32; 4] {
            let (pairs, left) = query.as_chunks::<2>();
            let coarse = coarse_lines(query.len());
            let lines = if FINE { query.len() } else { coarse };
            let [a, b, c, d] = rows;
            let right = a.len() == lines && b.len() == lines && c.len() == lines && d.len() == lines;
            assert!(right, "a kernel takes rows of the query's length");
            let mut sums = [Sums { sixteens: zero(), units: zero() }; 4];
            for (i, [first, second]) in pairs.iter().enumerate() {
                for part in 0..CodeLine::VALUES / BYTES {
                    let query = [load(first, part), load(second, part)];
                    for (sums, row) in sums.iter_mut().zip(rows) {
                        let high = load(&row[i], part);
                        if FINE {
                            add_both(sums, query, high, load(&row[coarse + i], part));
                        } else {
                            add_high(sums, query, high);
                        }
                    }
                }
                if STREAM {
                    for row in rows {
                        prefetch_behind(&row[i], 4 * lines);
                        prefetch_behind(&row[coarse + i], 4 * lines);
                    }
                }
            }
            if let [query] = left {
                for part in 0..CodeLine::VALUES / BYTES {
                    let query = load(query, part);
                    for (sums, row) in sums.iter_mut().zip(rows) {
                        add_whole(sums, query, load(&row[coarse - 1], part));
                    }
                }
                if STREAM {
                    for row in rows {
                        prefetch_behind(&row[coarse - 1], 4 * lines);
                    }
                }
            }
            let [a, b, c, d] = sums;
            let [a, b, c, d] = totals([joined_sums(a), joined_sums(b), joined_sums(c), joined_sums(d)]);
            [a.wrapping_add(bias), b.wrapping_add(bias), c.wrapping_add(bias), d.wrapping_add(bias)]
        }

        #[target_feature(enable = $features)]
        fn dot_rows(query: &[CodeLine], bias: i32, rows: &[CodeLine], out: &mut [i32]) {
            let stride = query.len();
            let (fours, rest) = out.as_chunks_mut::<4>();
            let (grouped, tail) = rows.split_at(fours.len() * 4 * stride);
            for (group, out) in grouped.chunks_exact(4 * stride).zip(fours) {
                let (a, group) = group.split_at(stride);
                let (b, group) = group.split_at(stride);
                let (c, d) = group.split_at(stride);
                *out = four::<true, true>(query, bias, [a, b, c, d]);
            }
            for (row, out) in tail.chunks_exact(stride).zip(rest) {
                [*out, ..] = four::<true, false>(query, bias, [row; 4]);
            }
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use code_kernel;

/// How the kernels add products that cannot multiply whole bytes without a sign: by halves.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_halves {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn add_high(sums: &mut Sums, query: [Bytes; 2], high: Bytes) {
            sums.sixteens = add_products(sums.sixteens, low_halves(high), query[0]);
            sums.sixteens = add_products(sums.sixteens, high_halves(high), query[1]);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn add_both(sums: &mut Sums, query: [Bytes; 2], high: Bytes, low: Bytes) {
            add_high(sums, query, high);
            sums.units = add_products(sums.units, low_halves(low), query[0]);
            sums.units = add_products(sums.units, high_halves(low), query[1]);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn add_whole(sums: &mut Sums, query: Bytes, bytes: Bytes) {
            sums.sixteens = add_products(sums.sixteens, high_halves(bytes), query);
            sums.units = add_products(sums.units, low_halves(bytes), query);
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use by_halves;
