//! The kernel that runs everywhere: plain Rust in an order that compilers turn into whatever vectors the build
//! target promises (SSE2 on x86-64).

use super::Kernel;

/// The kernel without instructions beyond those of the build target.
pub(super) static KERNEL: Kernel =
    Kernel { name: "scalar", dot, dot_rows, squared_euclidean, squared_euclidean_rows, normalize };

/// Independent sums. Fixing them fixes the order of the additions: a result is the same on every machine, and the
/// compiler needs no licence to reorder floats in order to use vectors.
const LANES: usize = 16;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |a, b| a * b)
}

fn squared_euclidean(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

fn dot_rows(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = dot(query, row);
    }
}

fn squared_euclidean_rows(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = squared_euclidean(query, row);
    }
}

/// The same on every processor, whatever it is compiled for: each operation rounds by itself, and their order is fixed.
#[inline(always)]
pub(super) fn normalize(values: &mut [f32]) {
    const LANES: usize = 8;
    let (blocks, tail) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f64; LANES];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(tail) {
        *sum += f64::from(*value) * f64::from(*value);
    }
    // In `f64`, in which the squares of all finite `f32`, and the inverse of the smallest, neither overflow nor vanish.
    let inverse = 1.0 / sums.iter().sum::<f64>().sqrt();
    for value in values {
        *value = (f64::from(*value) * inverse) as f32;
    }
}

#[inline(always)]
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            sums[i] += term(a[i], b[i]);
        }
    }
    for (i, (a, b)) in a_tail.iter().zip(b_tail).enumerate() {
        sums[i] += term(*a, *b);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            sums[i] += sums[i + width];
        }
    }
    sums[0]
}
