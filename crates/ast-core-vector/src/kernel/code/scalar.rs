//! The kernel that runs everywhere.

use super::{CodeKernel, CodeLine, coarse_lines};

/// The kernel without instructions beyond those of the build target.
pub(super) static KERNEL: CodeKernel =
    CodeKernel { name: "scalar", dots, coarse: coarse_dots, dot_rows, quantize };

fn dots(query: &[CodeLine], bias: i32, rows: &[&[CodeLine]], out: &mut [i32]) {
    for (row, out) in rows.iter().zip(out) {
        *out = dot(query, bias, row);
    }
}

fn coarse_dots(query: &[CodeLine], bias: i32, rows: &[&[CodeLine]], out: &mut [i32]) {
    for (row, out) in rows.iter().zip(out) {
        *out = coarse(query, bias, row);
    }
}

fn dot_rows(query: &[CodeLine], bias: i32, rows: &[CodeLine], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = dot(query, bias, row);
    }
}

/// The same on every processor, whatever it is compiled for.
#[inline(always)]
pub(super) fn quantize(values: &[f32], factor: f32, most: f32, lines: &mut [CodeLine]) {
    for (line, values) in lines.iter_mut().zip(values.chunks(CodeLine::VALUES)) {
        for (byte, value) in line.0.iter_mut().zip(values) {
            *byte = rounded((value * factor).clamp(-most, most)) as u8;
        }
    }
}

/// The nearest integer of a number of at most 2^22, without the call that rounding is on processors as old as the
/// build target's: adding 1.5 * 2^23 leaves no bits for the fraction.
#[inline(always)]
pub(crate) fn rounded(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32
}

#[inline(always)]
fn dot(query: &[CodeLine], bias: i32, row: &[CodeLine]) -> i32 {
    let (high, low) = row.split_at(coarse_lines(query.len()));
    let mut sum = coarse(query, bias, high);
    for (query, low) in query.as_chunks::<2>().0.iter().zip(low) {
        sum = sum.wrapping_add(halves(query, low));
    }
    sum
}

#[inline(always)]
fn coarse(query: &[CodeLine], bias: i32, row: &[CodeLine]) -> i32 {
    let (pairs, left) = query.as_chunks::<2>();
    let (high, whole) = row.split_at(pairs.len());
    let mut sum = 0_i32;
    for (query, high) in pairs.iter().zip(high) {
        sum = sum.wrapping_add(halves(query, high));
    }
    sum = sum.wrapping_mul(16).wrapping_add(bias);
    for (query, row) in left.iter().zip(whole) {
        for (&query, &row) in query.0.iter().zip(&row.0) {
            sum = sum.wrapping_add(i32::from(query as i8) * i32::from(row));
        }
    }
    sum
}

/// The products of two lines with the halves of the bytes of one.
#[inline(always)]
fn halves([a, b]: &[CodeLine; 2], row: &CodeLine) -> i32 {
    let mut sum = 0_i32;
    for ((&a, &b), &row) in a.0.iter().zip(&b.0).zip(&row.0) {
        sum += i32::from(a as i8) * i32::from(row & 0x0F) + i32::from(b as i8) * i32::from(row >> 4);
    }
    sum
}
