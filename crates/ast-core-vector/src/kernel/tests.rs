//! Every kernel of this machine against sums in integers and in `f64`.

use proptest::prelude::*;

use super::{Kernel, available};

/// The longest slices that are tried.
const LONGEST: usize = 4096;

fn oracle_dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn oracle_squared_euclidean(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
}

/// The bound on the rounding of a sum whose terms have the given sum of magnitudes.
///
/// A term passes through as many additions as its lane has, then through the tree of lanes: the narrowest kernel
/// has 16 lanes, whose tree is 4 deep, and a term rounds up to three times before it is added.
fn tolerance(length: usize, magnitude: f64) -> f64 {
    let roundings = length.div_ceil(16) + 4 + 3;
    roundings as f64 * f64::from(f32::EPSILON) * magnitude + f64::from(f32::MIN_POSITIVE)
}

/// Small integers: their sums are exact in `f32`, so that one lost or doubled value shows at any length.
fn integers(length: usize, seed: usize) -> Vec<f32> {
    (0..length).map(|i| ((i * 7 + i / 5 + seed * 3) % 15) as f32 - 7.0).collect()
}

#[test]
fn scalar_is_always_available_and_the_detected_kernel_is_the_first() {
    let names: Vec<_> = available().map(Kernel::name).collect();
    assert_eq!(names.last(), Some(&"scalar"));
    assert_eq!(names.first(), Some(&Kernel::detected().name()));
}

#[test]
fn integers_sum_exactly_at_every_length() {
    let (a, b) = (integers(LONGEST, 1), integers(LONGEST, 2));
    for kernel in available() {
        for length in 0..=LONGEST {
            let (a, b) = (&a[..length], &b[LONGEST - length..]);
            let context = format!("{} of {length}", kernel.name());
            assert_eq!(f64::from(kernel.dot(a, b)), oracle_dot(a, b), "{context}");
            assert_eq!(
                f64::from(kernel.squared_euclidean(a, b)),
                oracle_squared_euclidean(a, b),
                "{context}"
            );
        }
    }
}

#[test]
fn rows_score_as_pairs_do_to_the_last_bit() {
    let values: Vec<f32> = (0..12 * 300).map(|i| ((i * 37 % 1009) as f32).sin()).collect();
    for kernel in available() {
        for length in (0..=132).chain([192, 256, 300]) {
            let query: Vec<f32> = (0..length).map(|i| (i as f32 * 0.37).cos()).collect();
            for count in 0..=11 {
                let rows = &values[..count * length];
                let (mut dots, mut distances) = (vec![f32::NAN; count], vec![f32::NAN; count]);
                kernel.dot_rows(&query, rows, &mut dots);
                kernel.squared_euclidean_rows(&query, rows, &mut distances);
                for slot in 0..count {
                    let row = &rows[slot * length..][..length];
                    let context = format!("{}: row {slot} of {count} x {length}", kernel.name());
                    assert_eq!(dots[slot].to_bits(), kernel.dot(&query, row).to_bits(), "{context}");
                    let distance = kernel.squared_euclidean(&query, row);
                    assert_eq!(distances[slot].to_bits(), distance.to_bits(), "{context}");
                }
            }
        }
    }
}

proptest! {
    /// Finite vectors of any length and scale, from values whose squares vanish to ones whose squares overflow.
    #[test]
    fn vectors_come_to_the_length_1_alike(
        values in prop::collection::vec(-1.0_f32..1.0, 1..300),
        scale in prop::sample::select(vec![1e-44_f32, 1e-30, 1.0, 1e30, 3e38]),
    ) {
        let vector: Vec<f32> = values.iter().map(|value| value * scale).collect();
        prop_assume!(vector.iter().any(|value| *value != 0.0));
        let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let mut first: Option<Vec<u32>> = None;
        for kernel in available() {
            let mut row = vector.clone();
            kernel.normalize(&mut row);
            for (value, original) in row.iter().zip(&vector) {
                let expected = f64::from(*original) / length;
                let error = (f64::from(*value) - expected).abs();
                prop_assert!(error <= f64::from(f32::EPSILON), "{}: {value} for {expected}", kernel.name());
            }
            let bits = row.iter().map(|value| value.to_bits()).collect();
            prop_assert_eq!(first.get_or_insert_with(|| Vec::clone(&bits)), &bits, "{}", kernel.name());
        }
    }

    #[test]
    fn floats_sum_within_the_bound_of_rounding(
        pairs in prop::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 0..=LONGEST)
    ) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let magnitude: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a * b).abs()).sum();
        let (dot, distance) = (oracle_dot(&a, &b), oracle_squared_euclidean(&a, &b));
        for kernel in available() {
            let error = (f64::from(kernel.dot(&a, &b)) - dot).abs();
            prop_assert!(error <= tolerance(a.len(), magnitude), "{}: dot is {error} off", kernel.name());
            let error = (f64::from(kernel.squared_euclidean(&a, &b)) - distance).abs();
            prop_assert!(error <= tolerance(a.len(), distance), "{}: distance is {error} off", kernel.name());
        }
    }
}
