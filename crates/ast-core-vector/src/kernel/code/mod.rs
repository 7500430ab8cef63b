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

use super::lines::CodeLine;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::prefetch::prefetch_behind;

/// The lines of a query, its bias, and four rows of as many lines.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type FourFn = unsafe fn(&[CodeLine], i32, [&[CodeLine]; 4]) -> [i32; 4];

/// The lines of a query, its bias, rows that follow each other, and one output a row.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type RowsFn = unsafe fn(&[CodeLine], i32, &[CodeLine], &mut [i32]);

/// The functions of one instruction set.
///
/// A value exists only for instruction sets that the running processor has: [`available`] is the one place that
/// hands them out, and the functions are private.
pub(crate) struct CodeKernel {
    name: &'static str,
    dot_four: FourFn,
    coarse_four: FourFn,
    dot_rows: RowsFn,
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

/// How many lines of a row of so many are enough for [`CodeKernel::coarse_four`].
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

    /// Takes over values in `-127..=127`, padded with zeros to whole lines.
    pub(crate) fn set_values(&mut self, values: impl Iterator<Item = i8>, lines: usize) {
        self.lines.clear();
        self.lines.resize(lines, CodeLine([0; CodeLine::VALUES]));
        for (byte, value) in self.lines.iter_mut().flat_map(|line| &mut line.0).zip(values) {
            *byte = value as u8;
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

    /// The dot products of a query with four rows.
    #[inline]
    pub(crate) fn dot_four(&self, query: &SignedCode, rows: [&[CodeLine]; 4]) -> [i32; 4] {
        let lines = query.lines.as_slice();
        for row in rows {
            assert_eq!(row.len(), lines.len(), "a kernel takes rows of the query's length");
        }
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.dot_four)(lines, query.bias, rows) }
    }

    /// About the dot products of a query with four rows, of each of which the first [`coarse_lines`] are given. They
    /// lack the low halves of the values, in place of which they have their mean.
    #[inline]
    pub(crate) fn coarse_four(&self, query: &SignedCode, rows: [&[CodeLine]; 4]) -> [i32; 4] {
        let lines = query.lines.as_slice();
        for row in rows {
            assert_eq!(row.len(), coarse_lines(lines.len()), "a kernel takes rows of the query's length");
        }
        // SAFETY: a `CodeKernel` exists only where its instruction set was detected.
        unsafe { (self.coarse_four)(lines, query.coarse_bias, rows) }
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

/// Asks for what lies four rows of so many lines behind lines.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn ahead(rows: [&CodeLine; 4], lines: usize) {
    for line in rows {
        prefetch_behind(line, 4 * lines);
    }
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
            CodeKernel { name: $name, dot_four, coarse_four, dot_rows };

        /// Bytes of a register.
        const BYTES: usize = $bytes;

        #[target_feature(enable = $features)]
        fn dot_four(query: &[CodeLine], bias: i32, rows: [&[CodeLine]; 4]) -> [i32; 4] {
            four::<true, false>(query, bias, rows)
        }

        #[target_feature(enable = $features)]
        fn coarse_four(query: &[CodeLine], bias: i32, rows: [&[CodeLine]; 4]) -> [i32; 4] {
            four::<false, false>(query, bias, rows)
        }

        /// Adds the products of two lines of a query with the low and with the high halves of a line of each row.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_line(
            low: &mut [Register; 4],
            high: &mut [Register; 4],
            query: [&CodeLine; 2],
            rows: [&CodeLine; 4],
        ) {
            let [first, second] = query;
            for part in 0..CodeLine::VALUES / BYTES {
                let first = load(&first.0.as_chunks().0[part]);
                let second = load(&second.0.as_chunks().0[part]);
                for ((low, high), row) in low.iter_mut().zip(&mut *high).zip(rows) {
                    let bytes = load(&row.0.as_chunks().0[part]);
                    *low = add_products(*low, low_halves(bytes), first);
                    *high = add_products(*high, high_halves(bytes), second);
                }
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
            let [a, b, c, d] = rows;
            let ((a, fine_a), (b, fine_b)) = (a.split_at(coarse), b.split_at(coarse));
            let ((c, fine_c), (d, fine_d)) = (c.split_at(coarse), d.split_at(coarse));
            // Two sums of low halves and two of high ones, so that no multiplication waits for the one before.
            let (mut low, mut other_low) = ([zero(); 4], [zero(); 4]);
            let (mut high, mut other_high) = ([zero(); 4], [zero(); 4]);
            for (((([first, second], a), b), c), d) in pairs.iter().zip(a).zip(b).zip(c).zip(d) {
                if STREAM {
                    ahead([a, b, c, d], query.len());
                }
                add_line(&mut high, &mut other_high, [first, second], [a, b, c, d]);
            }
            if let ([query], [.., a], [.., b], [.., c], [.., d]) = (left, a, b, c, d) {
                add_line(&mut low, &mut high, [query, query], [a, b, c, d]);
            }
            if FINE {
                let fine = fine_a.iter().zip(fine_b).zip(fine_c).zip(fine_d);
                for ([first, second], (((a, b), c), d)) in pairs.iter().zip(fine) {
                    if STREAM {
                        ahead([a, b, c, d], query.len());
                    }
                    add_line(&mut low, &mut other_low, [first, second], [a, b, c, d]);
                }
            }
            let mut sums = [zero(); 4];
            for (((sum, high), other_high), (low, other_low)) in
                sums.iter_mut().zip(high).zip(other_high).zip(low.into_iter().zip(other_low))
            {
                *sum = sixteen_times_and(add(high, other_high), add(low, other_low));
            }
            let [a, b, c, d] = totals(sums);
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
