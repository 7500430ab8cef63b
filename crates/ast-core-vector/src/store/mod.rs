//! The vectors of an index in all the forms that they are kept in, and how a query compares to them.

mod codes;
mod compare;
mod lengths;

pub(crate) use compare::Query;

use std::sync::Arc;

use rayon::prelude::*;

use crate::{
    Memory, Metric, Storage, VectorError,
    file::{IndexFile, Part, Reader, State, Writer},
    half::{from_half, is_finite, to_half},
    kernel::lines::{CodeLine, FloatLine, HalfLine, floats, floats_mut},
    quantize::Quantizer,
    rows::Rows,
    space::Space,
};
use codes::Codes;
use lengths::{Lengths, length};

/// Rows by slot: as they came, as codes, or both.
#[derive(Clone)]
pub(crate) struct Store {
    space: Space,
    len: usize,
    originals: Originals,
    codes: Option<Codes>,
    lengths: Option<Lengths>,
    /// The file that the rows were opened from.
    file: Option<Arc<IndexFile>>,
}

#[derive(Clone)]
enum Originals {
    Full(Rows<FloatLine>),
    Half(Rows<HalfLine>),
    None,
}

impl Store {
    pub(crate) fn new(space: Space, storage: Storage) -> Self {
        let stride = space.stride();
        let full = || Rows::new(stride / FloatLine::VALUES, FloatLine::ZERO);
        let half = || Rows::new(stride.div_ceil(HalfLine::VALUES), HalfLine::ZERO);
        let originals = match storage {
            Storage::Float | Storage::CodeAndFloat => Originals::Full(full()),
            Storage::CodeAndHalf => Originals::Half(half()),
            Storage::Code => Originals::None,
        };
        let codes = (storage != Storage::Float).then(|| Codes::new(stride, space.dimension()));
        let lengths = (space.metric() == Metric::Dot).then(|| Lengths {
            rows: Rows::new(1, 0.0),
            longest: 0.0,
            sum: 0.0,
            count: 0,
        });
        Self { space, len: 0, originals, codes, lengths, file: None }
    }

    /// The rows of a file.
    pub(crate) fn read_from(file: &Reader, space: Space, storage: Storage) -> Result<Self, VectorError> {
        let (stride, limit, state) = (space.stride(), space.row_limit(), *file.state());
        let len = state.slots;
        let is_float = move |value: &f32| value.abs() <= limit;
        let originals = match storage {
            Storage::Float | Storage::CodeAndFloat => {
                let lines = (stride / FloatLine::VALUES, len);
                let is_valid = move |rows: &[FloatLine]| floats(rows).iter().all(is_float);
                Originals::Full(file.rows(Part::Floats, lines, FloatLine::ZERO, is_valid)?)
            }
            Storage::CodeAndHalf => {
                let lines = (stride.div_ceil(HalfLine::VALUES), len);
                let is_valid = |rows: &[HalfLine]| rows.iter().all(|line| line.0.iter().all(is_finite));
                Originals::Half(file.rows(Part::Halves, lines, HalfLine::ZERO, is_valid)?)
            }
            Storage::Code => Originals::None,
        };
        let codes = match storage {
            Storage::Float => None,
            _ => Some(Codes::read_from(file, space)?),
        };
        // Codes of an old file were all read just now.
        file.file().check()?;
        let lengths = match space.metric() {
            Metric::Dot => {
                let longest = state.longest;
                let is_valid = move |rows: &[f32]| rows.iter().all(|length| (0.0..=longest).contains(length));
                let rows = file.rows(Part::Lengths, (1, len), 0.0, is_valid)?;
                Some(Lengths { rows, longest, sum: state.sum, count: state.lengths })
            }
            Metric::Cosine | Metric::Euclidean => None,
        };
        Ok(Self { space, len, originals, codes, lengths, file: Some(file.file()) })
    }

    /// Writes the rows to a file, and what it has to be told of them besides.
    pub(crate) fn write_to(&self, file: &mut Writer<'_>) -> Result<State, VectorError> {
        /// Bytes of a block of what is read a row here and a row there: few, because a block is read as a whole.
        const FEW: usize = 1 << 20;
        let mut state = State { slots: self.len, ..State::default() };
        if let Some(codes) = &self.codes {
            file.list(Part::Centre, codes.quantizer.centre())?;
            file.rows(Part::Codes, &codes.rows, usize::MAX)?;
            file.rows(Part::HalfNorms, &codes.half_norms, usize::MAX)?;
            state.step = codes.quantizer.step();
            (state.trained, state.written, state.clipped) = (codes.trained, codes.written, codes.clipped);
        }
        if let Some(lengths) = &self.lengths {
            file.rows(Part::Lengths, &lengths.rows, usize::MAX)?;
            (state.longest, state.sum, state.lengths) = (lengths.longest, lengths.sum, lengths.count);
        }
        match &self.originals {
            Originals::Full(rows) => file.rows(Part::Floats, rows, FEW)?,
            Originals::Half(rows) => file.rows(Part::Halves, rows, FEW)?,
            Originals::None => {}
        }
        Ok(state)
    }

    /// The file that the rows were opened from.
    pub(crate) fn file(&self) -> Option<&IndexFile> {
        self.file.as_deref()
    }

    /// Refuses to go on if a part of the file that the rows were opened from was found to be damaged.
    #[inline]
    pub(crate) fn check_file(&self) -> Result<(), VectorError> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Checks all of the file that was not read yet.
    pub(crate) fn verify(&self) {
        if let Some(codes) = &self.codes {
            codes.rows.verify();
            codes.half_norms.verify();
        }
        if let Some(lengths) = &self.lengths {
            lengths.rows.verify();
        }
        match &self.originals {
            Originals::Full(rows) => rows.verify(),
            Originals::Half(rows) => rows.verify(),
            Originals::None => {}
        }
    }

    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are codes, and searches therefore to be done in two steps.
    pub(crate) fn has_codes(&self) -> bool {
        self.codes.is_some()
    }

    /// How many candidates by codes are to be scored to return `k`.
    pub(crate) fn candidates(&self, k: usize) -> usize {
        let is_exact = self.codes.is_none() || matches!(self.originals, Originals::None);
        if is_exact { k } else { k.saturating_add((k / 2).max(10)) }
    }

    /// Bytes that the vectors take.
    pub(crate) fn memory(&self) -> Memory {
        let both = |(a, b): (usize, usize), (c, d): (usize, usize)| (a + c, b + d);
        let codes =
            self.codes.as_ref().map_or((0, 0), |codes| both(codes.rows.memory(), codes.half_norms.memory()));
        let lengths = self.lengths.as_ref().map_or((0, 0), |lengths| lengths.rows.memory());
        let (originals, mapped_originals) = match &self.originals {
            Originals::Full(rows) => rows.memory(),
            Originals::Half(rows) => rows.memory(),
            Originals::None => (0, 0),
        };
        let (codes, mapped) = both(codes, lengths);
        Memory { codes, links: 0, originals, mapped: mapped + mapped_originals }
    }

    pub(crate) fn has_room(&self, additional: usize) -> bool {
        let originals = match &self.originals {
            Originals::Full(rows) => rows.has_room(additional),
            Originals::Half(rows) => rows.has_room(additional),
            Originals::None => true,
        };
        originals && self.codes.as_ref().is_none_or(|codes| codes.rows.has_room(additional))
    }

    /// Adds a slot, to be written.
    pub(crate) fn push(&mut self) -> usize {
        match &mut self.originals {
            Originals::Full(rows) => _ = rows.push(),
            Originals::Half(rows) => _ = rows.push(),
            Originals::None => {}
        }
        if let Some(codes) = &mut self.codes {
            codes.rows.push();
            codes.half_norms.push();
        }
        if let Some(lengths) = &mut self.lengths {
            lengths.rows.push();
        }
        self.len += 1;
        self.len - 1
    }

    /// Removes a slot; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        match &mut self.originals {
            Originals::Full(rows) => rows.swap_remove(slot),
            Originals::Half(rows) => rows.swap_remove(slot),
            Originals::None => {}
        }
        if let Some(codes) = &mut self.codes {
            codes.rows.swap_remove(slot);
            codes.half_norms.swap_remove(slot);
        }
        if let Some(lengths) = &mut self.lengths {
            lengths.rows.swap_remove(slot);
        }
        self.len -= 1;
    }

    /// Writes a vector that was checked into a slot, by way of a buffer of the caller.
    pub(crate) fn set(&mut self, slot: usize, vector: &[f32], row: &mut Vec<f32>) {
        row.resize(self.space.stride(), 0.0);
        self.space.write(vector, row);
        match &mut self.originals {
            Originals::Full(rows) => floats_mut(rows.row_mut(slot)).copy_from_slice(row),
            Originals::Half(rows) => {
                let halves = rows.row_mut(slot).iter_mut().flat_map(|line| &mut line.0);
                for (half, value) in halves.zip(row.iter()) {
                    *half = to_half(*value);
                }
            }
            Originals::None => {}
        }
        if let Some(codes) = &mut self.codes {
            codes.set(slot, row);
        }
        if let Some(lengths) = &mut self.lengths {
            lengths.set(slot, length(row));
        }
    }

    /// Prepares for vectors that are about to be written: where codes made from what there was do not fit what there
    /// will be, all are made anew.
    ///
    /// That is looked into whenever the number of rows has doubled, as many were written, or values came that lie beyond
    /// the codes.
    pub(crate) fn train(&mut self, incoming: &[f32]) {
        let (stride, dimension) = (self.space.stride(), self.space.dimension());
        let count = incoming.len() / dimension;
        let len = self.len;
        let Some(codes) = &self.codes else { return };
        if !codes.is_due(len + count) {
            return;
        }

        // Evenly from all there will be.
        let total = len + count;
        let step = total.div_ceil(Quantizer::SAMPLE).max(1);
        let mut sample = vec![0.0; total.div_ceil(step) * stride];
        for (row, index) in sample.chunks_exact_mut(stride).zip((0..total).step_by(step)) {
            match index.checked_sub(len) {
                Some(new) => self.space.write(&incoming[new * dimension..][..dimension], row),
                None => self.read(index, row),
            }
        }
        let quantizer = Quantizer::train(&sample, stride, dimension);
        let changed = codes.trained == 0 || codes.quantizer.differs(&quantizer);
        if changed {
            self.requantize(quantizer);
        }
        if let Some(codes) = &mut self.codes {
            (codes.trained, codes.written, codes.clipped) = (total, 0, 0);
        }
    }

    /// Makes all codes anew.
    fn requantize(&mut self, quantizer: Quantizer) {
        let (stride, len) = (self.space.stride(), self.len);
        let Some(codes) = &self.codes else { return };
        let lines = codes.rows.stride();
        // In pieces, in which reading and encoding run on all threads and writing on one.
        const PIECE: usize = 1024;
        let mut fresh = codes.emptied(quantizer);
        for start in (0..len).step_by(PIECE) {
            let rows: Vec<(Vec<CodeLine>, i32)> = (start..(start + PIECE).min(len))
                .into_par_iter()
                .map_init(
                    || vec![0.0; stride],
                    |row, slot| {
                        self.read(slot, row);
                        let mut code = vec![fresh.rows.blank(); lines];
                        let encoded = fresh.quantizer.encode(row, &mut code);
                        (code, encoded.half_norm)
                    },
                )
                .collect();
            for (code, half_norm) in rows {
                let slot = fresh.rows.push();
                fresh.half_norms.push();
                fresh.rows.row_mut(slot).copy_from_slice(&code);
                fresh.half_norms.row_mut(slot)[0] = half_norm;
            }
        }
        self.codes = Some(fresh);
    }

    /// Reads a row, as exactly as it is kept.
    pub(crate) fn read(&self, slot: usize, row: &mut [f32]) {
        match (&self.originals, &self.codes) {
            (Originals::Full(rows), _) => row.copy_from_slice(floats(rows.row(slot))),
            (Originals::Half(rows), _) => {
                let halves = rows.row(slot).iter().flat_map(|line| &line.0);
                for (value, half) in row.iter_mut().zip(halves) {
                    *value = from_half(*half);
                }
            }
            (Originals::None, Some(codes)) => codes.quantizer.decode(codes.rows.row(slot), row),
            (Originals::None, None) => row.fill(0.0),
        }
    }
}
