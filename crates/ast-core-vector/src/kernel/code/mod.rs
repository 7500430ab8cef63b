//! Kernels over codes: vectors whose values are 8-bit integers.
//!
//! A value `v` in `-127..=127` is kept as the byte `v + 128`, because the instructions that multiply bytes take one
//! operand without a sign. The other operand, the query, has a sign. With `u = v + 128`, what they sum is
//! `u * q = v * q + 128 * q`, so that a kernel begins at `-128 * sum(q)`, the query's *bias*, and ends at the exact
//! dot product. All kernels give the same integers.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

use super::lines::CodeLine;

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
    dot_rows: RowsFn,
}

/// A vector in the role of the query: signed values, and `-128` times their sum.
#[derive(Clone, Default)]
pub(crate) struct SignedCode {
    lines: Vec<CodeLine>,
    bias: i32,
}

/// The byte that stands for the value 0.
pub(crate) const ZERO: u8 = 128;

impl SignedCode {
    /// Takes over the values of a row.
    pub(crate) fn set_row(&mut self, row: &[CodeLine]) {
        self.lines.clear();
        let mut sum = 0_i32;
        self.lines.extend(row.iter().map(|line| {
            let signed = line.0.map(|byte| byte ^ ZERO);
            sum += signed.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
            CodeLine(signed)
        }));
        self.bias = -i32::from(ZERO) * sum;
    }

    /// Takes over values in `-127..=127`, padded with zeros to whole lines.
    pub(crate) fn set_values(&mut self, values: impl Iterator<Item = i8>, lines: usize) {
        self.lines.clear();
        self.lines.resize(lines, CodeLine([0; CodeLine::VALUES]));
        let mut sum = 0;
        for (byte, value) in self.lines.iter_mut().flat_map(|line| &mut line.0).zip(values) {
            *byte = value as u8;
            sum += i32::from(value);
        }
        self.bias = -i32::from(ZERO) * sum;
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

/// Writes the two functions of a kernel once for every instruction set: only registers and operations differ.
///
/// Four rows at a time share the loads of the query, hide the latency of the multiplications, and end in one
/// reduction for all of them. A scan prefetches the next four rows while it works on four, because rows that are not
/// in cache are bound by memory alone.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! code_kernel {
    (name: $name:literal, features: $features:literal,) => {
        /// The kernel of this instruction set.
        pub(in crate::kernel::code) static KERNEL: CodeKernel =
            CodeKernel { name: $name, dot_four, dot_rows };

        #[target_feature(enable = $features)]
        fn dot_four(query: &[CodeLine], bias: i32, rows: [&[CodeLine]; 4]) -> [i32; 4] {
            four::<false>(query, bias, rows)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn four<const STREAM: bool>(query: &[CodeLine], bias: i32, rows: [&[CodeLine]; 4]) -> [i32; 4] {
            let [a, b, c, d] = rows;
            let mut sums = [zero(); 4];
            let lines = query.iter().zip(a).zip(b).zip(c).zip(d);
            for ((((query, a), b), c), d) in lines {
                if STREAM {
                    for line in [a, b, c, d] {
                        prefetch_behind(line, 4 * rows[0].len());
                    }
                }
                accumulate(&mut sums, query, [a, b, c, d]);
            }
            totals(sums).map(|total| total.wrapping_add(remaining(bias)))
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
                *out = four::<true>(query, bias, [a, b, c, d]);
            }
            for (row, out) in tail.chunks_exact(stride).zip(rest) {
                [*out, ..] = four::<false>(query, bias, [row; 4]);
            }
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use code_kernel;
