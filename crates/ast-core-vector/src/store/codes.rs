//! Vectors as codes.

use crate::{
    VectorError,
    file::{Part, Reader},
    kernel::{
        code::{CodeKernel, split},
        lines::CodeLine,
        prefetch::prefetch,
    },
    quantize::Quantizer,
    rows::Rows,
    space::Space,
};
use std::sync::Arc;

/// A code of each row.
#[derive(Clone)]
pub(super) struct Codes {
    pub(super) kernel: &'static CodeKernel,
    pub(super) quantizer: Arc<Quantizer>,
    pub(super) rows: Rows<CodeLine>,
    /// Half the squared length of each code.
    pub(super) half_norms: Rows<i32>,
    /// How many rows there were when the quantizer was trained.
    pub(super) trained: usize,
    /// Values written and values clipped since.
    pub(super) written: usize,
    pub(super) clipped: usize,
}

impl Codes {
    pub(super) fn new(stride: usize, dimension: usize) -> Self {
        let lines = stride.div_ceil(CodeLine::VALUES);
        let blank = CodeLine([crate::kernel::code::ZERO; CodeLine::VALUES]);
        Self {
            kernel: CodeKernel::detected(),
            quantizer: Arc::new(Quantizer::train(&[], stride, dimension)),
            rows: Rows::new(lines, blank),
            half_norms: Rows::new(1, 0),
            trained: 0,
            written: 0,
            clipped: 0,
        }
    }

    pub(super) fn read_from(file: &Reader, space: Space) -> Result<Self, VectorError> {
        let (state, stride) = (file.state(), space.stride());
        let fresh = Self::new(stride, space.dimension());
        let lines = fresh.rows.stride();
        let centre: Vec<f32> = file.list(Part::Centre)?;
        let quantizer = (centre.len() == stride)
            .then(|| Quantizer::of_parts(centre, state.step, space.row_limit()))
            .flatten()
            .ok_or_else(|| file.mismatch(Part::Centre))?;
        let longest = quantizer.longest_half_norm(lines);
        let is_half_norm = move |rows: &[i32]| rows.iter().all(|half| (0..=longest).contains(half));
        let mut rows = file.rows(Part::Codes, (lines, state.slots), fresh.rows.blank(), |_| true)?;
        if file.has_whole_codes() && lines > 1 {
            let mut halved = rows.emptied();
            for slot in 0..rows.len() {
                halved.push();
                split(rows.row(slot), halved.row_mut(slot));
            }
            rows = halved;
        }
        Ok(Self {
            rows,
            half_norms: file.rows(Part::HalfNorms, (1, state.slots), 0, is_half_norm)?,
            quantizer: Arc::new(quantizer),
            trained: state.trained,
            written: state.written,
            clipped: state.clipped,
            ..fresh
        })
    }

    pub(super) fn emptied(&self, quantizer: Quantizer) -> Self {
        Self {
            quantizer: Arc::new(quantizer),
            rows: self.rows.emptied(),
            half_norms: self.half_norms.emptied(),
            ..*self
        }
    }

    /// Whether the quantizer should be looked at again before there are `total` rows.
    pub(super) fn is_due(&self, total: usize) -> bool {
        /// One value in so many may be clipped.
        const CLIPPED: usize = 1000;
        let rows = self.written / (self.rows.stride() * CodeLine::VALUES);
        // Rows may also have been replaced by ones that are all smaller, of which nothing is clipped.
        total >= 2 * self.trained
            || rows >= 2 * self.trained
            || (self.clipped > self.written / CLIPPED && rows * 4 >= self.trained)
    }

    pub(super) fn set(&mut self, slot: usize, row: &[f32]) {
        let encoded = self.quantizer.encode(row, self.rows.row_mut(slot));
        self.half_norms.row_mut(slot)[0] = encoded.half_norm;
        self.written += self.rows.stride() * CodeLine::VALUES;
        self.clipped += encoded.clipped;
    }

    /// Calls a kernel with the first lines of some rows at a time, for which it asks before if they were not `ASKED` for.
    #[inline]
    pub(super) fn each<const ASKED: bool>(
        &self,
        slots: &[u32],
        lines: usize,
        out: &mut [i32],
        kernel: impl Fn(&[&[CodeLine]], &mut [i32]),
    ) {
        const PIECE: usize = 32;
        let mut rows: [&[CodeLine]; PIECE] = [&[]; PIECE];
        for (slots, out) in slots.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
            for (row, &slot) in rows.iter_mut().zip(slots) {
                *row = self.rows.head(slot as usize, lines);
                if !ASKED {
                    prefetch(row);
                }
            }
            kernel(&rows[..slots.len()], out);
        }
    }
}
