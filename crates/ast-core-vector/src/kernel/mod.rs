//! Distance kernels: the inner loops of every search, one set for each instruction set, chosen once.
//!
//! A [`Kernel`] computes the dot product and the squared Euclidean distance of `f32` slices, for one pair and for
//! one query against a block of rows. Both forms of a kernel add in the same order, so that a score does not
//! depend on which of them produced it. Between kernels the last bits may differ.
//!
//! [`code`] has the same for codes and [`sketch`] for signs, [`lines`] the cache lines that rows are made of, [`block`] the memory under them, and
//! [`map`] the files that can take its place.
//!
//! This folder is the only place of the crate with `unsafe`, and it is needed for six things: loading a register
//! from an array, prefetching, calling a function compiled for instructions that the build target does not promise,
//! seeing lines as the floats or bytes in them, memory on huge pages, and files that are read where they lie. Everything else is safe code over slices of arrays.

pub(crate) mod block;
pub(crate) mod code;
pub(crate) mod lines;
pub(crate) mod map;
#[cfg(target_arch = "aarch64")]
mod neon;
pub(crate) mod prefetch;
mod scalar;
pub(crate) mod sketch;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

/// A function of two slices of one length.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type PairFn = unsafe fn(&[f32], &[f32]) -> f32;

/// A function of a query that is not empty, rows of its length that follow each other, and one output a row.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type RowsFn = unsafe fn(&[f32], &[f32], &mut [f32]);

/// A function of a vector.
///
/// # Safety
///
/// The processor has the instruction set that the function was compiled for.
type NormalizeFn = unsafe fn(&mut [f32]);

/// The distance functions of one instruction set.
///
/// A value exists only for instruction sets that the running processor has: [`available`] is the one place that
/// hands them out, and the functions are private.
pub(crate) struct Kernel {
    name: &'static str,
    dot: PairFn,
    dot_rows: RowsFn,
    squared_euclidean: PairFn,
    squared_euclidean_rows: RowsFn,
    normalize: NormalizeFn,
}

impl Kernel {
    /// The fastest kernel of this processor, detected at the first call.
    pub(crate) fn detected() -> &'static Self {
        static DETECTED: OnceLock<&'static Kernel> = OnceLock::new();
        DETECTED.get_or_init(|| available().next().unwrap_or(&scalar::KERNEL))
    }

    /// The instruction set: `avx512`, `avx2`, `neon` or `scalar`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The dot product of two slices of one length.
    #[inline]
    pub(crate) fn dot(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "a kernel takes slices of one length");
        // SAFETY: a `Kernel` exists only where its instruction set was detected.
        unsafe { (self.dot)(a, b) }
    }

    /// The dot products of `query` with each of the rows that lie behind each other in `rows`.
    pub(crate) fn dot_rows(&self, query: &[f32], rows: &[f32], out: &mut [f32]) {
        assert_block(query, rows, out);
        if query.is_empty() {
            return out.fill(0.0);
        }
        // SAFETY: a `Kernel` exists only where its instruction set was detected.
        unsafe { (self.dot_rows)(query, rows, out) }
    }

    /// Brings a vector, which is finite and not zero, to the length 1. All kernels give the same.
    pub(crate) fn normalize(&self, vector: &mut [f32]) {
        // SAFETY: a `Kernel` exists only where its instruction set was detected.
        unsafe { (self.normalize)(vector) }
    }

    /// The sum of the squared differences of two slices of one length.
    #[inline]
    pub(crate) fn squared_euclidean(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "a kernel takes slices of one length");
        // SAFETY: a `Kernel` exists only where its instruction set was detected.
        unsafe { (self.squared_euclidean)(a, b) }
    }

    /// The squared distances of `query` to each of the rows that lie behind each other in `rows`.
    pub(crate) fn squared_euclidean_rows(&self, query: &[f32], rows: &[f32], out: &mut [f32]) {
        assert_block(query, rows, out);
        if query.is_empty() {
            return out.fill(0.0);
        }
        // SAFETY: a `Kernel` exists only where its instruction set was detected.
        unsafe { (self.squared_euclidean_rows)(query, rows, out) }
    }
}

/// The name of the instruction set that searches run on: `avx512`, `avx2`, `neon` or `scalar`.
///
/// It is detected once a process and is meant for diagnosis: a machine that reports `scalar` searches several
/// times slower than it could.
pub fn kernel_name() -> &'static str {
    Kernel::detected().name()
}

/// The kernels that this processor can run, the fastest first.
fn available() -> impl Iterator<Item = &'static Kernel> {
    #[cfg(target_arch = "x86_64")]
    let simd = [
        is_x86_feature_detected!("avx512f").then_some(&x86::avx512::KERNEL),
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&x86::avx2::KERNEL),
    ];
    #[cfg(target_arch = "aarch64")]
    let simd = [std::arch::is_aarch64_feature_detected!("neon").then_some(&neon::KERNEL)];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let simd: [Option<&'static Kernel>; 0] = [];
    simd.into_iter().flatten().chain([&scalar::KERNEL])
}

fn assert_block(query: &[f32], rows: &[f32], out: &[f32]) {
    assert_eq!(
        query.len().checked_mul(out.len()),
        Some(rows.len()),
        "a kernel takes rows of the query's length, one output each"
    );
}

/// Writes the functions of a kernel once for every instruction set; only registers and operations differ.
///
/// A pair is summed in four registers, which hides the latency of a fused multiply-add. The row form keeps the
/// same four sums for each of `rows` rows at a time, so that a register of the query is loaded once for all of them
/// and the memory system sees several independent streams; while it works on a group of rows it prefetches the
/// next one, because a scan of rows that are not in cache is bound by memory alone.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! simd_kernel {
    (
        name: $name:literal,
        features: $features:literal,
        lanes: $lanes:literal,
        rows: $rows:literal,
    ) => {
        /// The kernel of this instruction set.
        pub(in crate::kernel) static KERNEL: Kernel =
            Kernel { name: $name, dot, dot_rows, squared_euclidean, squared_euclidean_rows, normalize };

        /// Values in a register.
        const LANES: usize = $lanes;
        /// Registers that a row is summed in.
        const SUMS: usize = 4;
        /// Values that one turn of the loop takes of a row.
        const BLOCK: usize = LANES * SUMS;
        /// Rows that one turn of the loop takes.
        const ROWS: usize = $rows;

        #[inline]
        #[target_feature(enable = $features)]
        fn add_product(sum: Register, a: &[f32; LANES], b: &[f32; LANES]) -> Register {
            multiply_add(load(a), load(b), sum)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn add_squared_difference(sum: Register, a: &[f32; LANES], b: &[f32; LANES]) -> Register {
            let difference = subtract(load(a), load(b));
            multiply_add(difference, difference, sum)
        }

        #[target_feature(enable = $features)]
        fn normalize(vector: &mut [f32]) {
            crate::kernel::scalar::normalize(vector);
        }

        simd_kernel!(@functions $features, dot, dot_rows, add_product);
        simd_kernel!(@functions $features, squared_euclidean, squared_euclidean_rows, add_squared_difference);
    };

    (@functions $features:literal, $pair:ident, $many:ident, $step:ident) => {
        #[target_feature(enable = $features)]
        fn $pair(a: &[f32], b: &[f32]) -> f32 {
            let (a_blocks, a_rest) = a.as_chunks::<BLOCK>();
            let (b_blocks, b_rest) = b.as_chunks::<BLOCK>();
            let mut sums = [zero(); SUMS];
            for (a, b) in a_blocks.iter().zip(b_blocks) {
                let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
                for i in 0..SUMS {
                    sums[i] = $step(sums[i], &a[i], &b[i]);
                }
            }
            let (a_lanes, a_tail) = a_rest.as_chunks::<LANES>();
            let (b_lanes, b_tail) = b_rest.as_chunks::<LANES>();
            for (a, b) in a_lanes.iter().zip(b_lanes) {
                sums[0] = $step(sums[0], a, b);
            }
            if !a_tail.is_empty() {
                let (mut a, mut b) = ([0.0; LANES], [0.0; LANES]);
                a[..a_tail.len()].copy_from_slice(a_tail);
                b[..b_tail.len()].copy_from_slice(b_tail);
                sums[0] = $step(sums[0], &a, &b);
            }
            total(add(add(sums[0], sums[1]), add(sums[2], sums[3])))
        }

        #[target_feature(enable = $features)]
        fn $many(query: &[f32], rows: &[f32], out: &mut [f32]) {
            let dimension = query.len();
            let (query_blocks, query_rest) = query.as_chunks::<BLOCK>();
            let (query_lanes, query_tail) = query_rest.as_chunks::<LANES>();
            // Rows that end inside a register take the pair form: the indexes pad theirs, so that none does.
            let grouped = if query_tail.is_empty() { out.len() / ROWS * ROWS } else { 0 };
            let (grouped_out, rest_out) = out.split_at_mut(grouped);
            let (grouped_rows, rest_rows) = rows.split_at(grouped * dimension);

            let groups = grouped_rows.chunks_exact(ROWS * dimension);
            for (group, out) in groups.zip(grouped_out.as_chunks_mut::<ROWS>().0) {
                let rows: [_; ROWS] = array::from_fn(|row| group[row * dimension..][..dimension].as_chunks::<BLOCK>());
                let mut sums = [[zero(); SUMS]; ROWS];
                for (i, query) in query_blocks.iter().enumerate() {
                    let query = query.as_chunks::<LANES>().0;
                    for (sums, row) in sums.iter_mut().zip(&rows) {
                        let block = &row.0[i];
                        prefetch(block, ROWS * dimension);
                        let block = block.as_chunks::<LANES>().0;
                        for lane in 0..SUMS {
                            sums[lane] = $step(sums[lane], &query[lane], &block[lane]);
                        }
                    }
                }
                for ((sums, row), out) in sums.iter_mut().zip(&rows).zip(out) {
                    for (query, lanes) in query_lanes.iter().zip(row.1.as_chunks::<LANES>().0) {
                        sums[0] = $step(sums[0], query, lanes);
                    }
                    *out = total(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
                }
            }

            for (row, out) in rest_rows.chunks_exact(dimension).zip(rest_out) {
                *out = $pair(query, row);
            }
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use simd_kernel;
