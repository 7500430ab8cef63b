//! The kernel that runs everywhere.

use super::{CodeKernel, CodeLine};

/// The kernel without instructions beyond those of the build target.
pub(super) static KERNEL: CodeKernel = CodeKernel { name: "scalar", dot_four, dot_rows };

fn dot_four(query: &[CodeLine], bias: i32, rows: [&[CodeLine]; 4]) -> [i32; 4] {
    rows.map(|row| dot(query, bias, row))
}

fn dot_rows(query: &[CodeLine], bias: i32, rows: &[CodeLine], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = dot(query, bias, row);
    }
}

#[inline(always)]
fn dot(query: &[CodeLine], bias: i32, row: &[CodeLine]) -> i32 {
    let mut sum = bias;
    for (query, row) in query.iter().zip(row) {
        for (&query, &row) in query.0.iter().zip(&row.0) {
            sum = sum.wrapping_add(i32::from(query as i8) * i32::from(row));
        }
    }
    sum
}
