//! Every kernel of this machine against sums in 64 bits.

use proptest::prelude::*;

use super::{CodeKernel, SignedCode, ZERO, available, coarse_lines, joined, split};
use crate::kernel::lines::CodeLine;

fn lines(values: &[i8]) -> Vec<CodeLine> {
    let line = |values: &[i8]| {
        let mut line = [ZERO; CodeLine::VALUES];
        for (byte, &value) in line.iter_mut().zip(values) {
            *byte = (value as u8) ^ ZERO;
        }
        CodeLine(line)
    };
    let bytes: Vec<CodeLine> = values.chunks(CodeLine::VALUES).map(line).collect();
    let mut row = bytes.clone();
    split(&bytes, &mut row);
    row
}

/// Values as the coarse products take them: in the middle of those that have the same high half, but for the last of an
/// odd number of lines, which are whole.
fn coarse_oracle(a: &[i8], b: &[i8]) -> i64 {
    let halved = a.len().div_ceil(CodeLine::VALUES) / 2 * 2 * CodeLine::VALUES;
    // Padding is a value of 0 and meets a query of 0.
    let doubled: i64 = a
        .iter()
        .zip(b)
        .enumerate()
        .map(|(i, (&a, &b))| {
            let byte = i64::from(b) + i64::from(ZERO);
            let middle = if i < halved { 2 * (byte / 16 * 16) + 15 } else { 2 * byte };
            i64::from(a) * (middle - 2 * i64::from(ZERO))
        })
        .sum();
    doubled.div_euclid(2)
}

fn oracle(a: &[i8], b: &[i8]) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
}

fn assert_dots(query: &[i8], rows: &[Vec<i8>]) {
    let count = query.len().div_ceil(CodeLine::VALUES);
    let mut by_values = SignedCode::default();
    let values: Vec<f32> = query.iter().map(|&value| f32::from(value)).collect();
    by_values.set_values(&values, count, |value| value as i8);
    let mut by_row = SignedCode::default();
    by_row.set_row(&lines(query));
    let block: Vec<CodeLine> = rows.iter().flat_map(|row| lines(row)).collect();
    let expected: Vec<i64> = rows.iter().map(|row| oracle(query, row)).collect();
    for kernel in available() {
        for code in [&by_values, &by_row] {
            let mut dots = vec![i32::MIN; rows.len()];
            kernel.dot_rows(code, &block, &mut dots);
            assert_eq!(
                dots.iter().map(|&dot| i64::from(dot)).collect::<Vec<_>>(),
                expected,
                "{}",
                kernel.name()
            );
            let lines: Vec<&[CodeLine]> = (0..rows.len()).map(|i| &block[i * count..][..count]).collect();
            kernel.dots(code, &lines, &mut dots);
            assert!(dots.iter().map(|&dot| i64::from(dot)).eq(expected.iter().copied()), "{}", kernel.name());
            let lines: Vec<&[CodeLine]> = lines.iter().map(|row| &row[..coarse_lines(count)]).collect();
            kernel.coarse(code, &lines, &mut dots);
            for (&dot, row) in dots.iter().zip(rows) {
                let off = i64::from(dot) - coarse_oracle(query, row);
                assert!((0..=1).contains(&off), "{} is off by {off}", kernel.name());
            }
        }
    }
}

#[test]
fn scalar_is_always_available_and_the_detected_kernel_is_the_first() {
    let names: Vec<_> = available().map(CodeKernel::name).collect();
    assert_eq!(names.last(), Some(&"scalar"));
    assert_eq!(names.first(), Some(&CodeKernel::detected().name()));
}

#[test]
fn the_largest_products_neither_saturate_nor_overflow() {
    for length in [1, 64, 384, 65_536] {
        for (a, b) in [(127, 127), (127, -127), (-127, -127)] {
            // Codes of dimensions beyond 16,384 are at most 63.
            let scale = if length > 16_384 { 63 } else { 127 };
            let of = |value: i8| vec![value.signum() * scale; length];
            assert_dots(&of(a), &[of(b), of(a), of(b), of(a), of(b)]);
        }
    }
}

proptest! {
    #[test]
    fn split_bytes_come_back(bytes in prop::collection::vec(any::<[u8; CodeLine::VALUES]>(), 0..8)) {
        let bytes: Vec<CodeLine> = bytes.into_iter().map(CodeLine).collect();
        let (mut row, mut back) = (bytes.clone(), bytes.clone());
        split(&bytes, &mut row);
        joined(&row, &mut back);
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn quantized_values_are_the_integers_next_to_them(
        values in prop::collection::vec(-1e3_f32..1e3, 0..400),
        factor in 1e-3_f32..1.0,
        most in prop::sample::select(vec![63_i8, 127]),
    ) {
        for kernel in available() {
            let mut lines = vec![CodeLine([0; CodeLine::VALUES]); values.len().div_ceil(CodeLine::VALUES) + 1];
            kernel.quantize(&values, factor, f32::from(most), &mut lines);
            let mut bytes = lines.iter().flat_map(|line| &line.0);
            for (value, byte) in values.iter().zip(&mut bytes) {
                let expected = (value * factor).round_ties_even().clamp(-f32::from(most), f32::from(most));
                prop_assert_eq!(f32::from(*byte as i8), expected, "{} of {}", kernel.name(), value);
            }
            prop_assert!(bytes.all(|byte| *byte == 0), "{}", kernel.name());
        }
    }

    #[test]
    fn dot_products_are_exact(
        (query, rows) in (0_usize..400).prop_flat_map(|length| {
            let vector = || prop::collection::vec(-127_i8..=127, length);
            (vector(), prop::collection::vec(vector(), 0..11))
        }),
    ) {
        assert_dots(&query, &rows);
    }
}
