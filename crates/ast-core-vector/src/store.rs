//! The vectors of an index in all the forms that they are kept in, and how a query compares to them.

use std::sync::Arc;

use rayon::prelude::*;

use crate::{
    Memory, Metric, Storage, VectorError,
    file::{IndexFile, Part, Reader, State, Writer},
    frontier::Candidate,
    half::{from_half, is_finite, to_half},
    kernel::{
        code::{CodeKernel, SignedCode, coarse_lines, split},
        lines::{CodeLine, FloatLine, HalfLine, floats, floats_mut},
    },
    quantize::Quantizer,
    rows::Rows,
    space::Space,
};

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

#[derive(Clone)]
struct Codes {
    kernel: &'static CodeKernel,
    quantizer: Arc<Quantizer>,
    rows: Rows<CodeLine>,
    /// Half the squared length of each code.
    half_norms: Rows<i32>,
    /// How many rows there were when the quantizer was trained.
    trained: usize,
    /// Values written and values clipped since.
    written: usize,
    clipped: usize,
}

/// What turns the search for the largest dot product into one for the smallest distance: a further dimension in
/// which every vector gets what it lacks in length to the longest, and a query 0.
///
/// Bachrach et al., Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces
/// (2014). Only links are chosen by it.
#[derive(Clone)]
struct Lengths {
    rows: Rows<f32>,
    longest: f32,
    /// Of all that were written.
    sum: f64,
    count: usize,
}

/// A query, or a row in its role, in the form that it is compared in.
#[derive(Default)]
pub(crate) struct Query {
    row: Vec<f32>,
    code: SignedCode,
    form: Form,
}

/// How a comparison turns into a distance.
#[derive(Default, Clone, Copy)]
enum Form {
    /// By floats: a query of the caller.
    #[default]
    Float,
    /// By floats: a row.
    FloatNode { lift: f32 },
    /// By codes: the negated dot product.
    Inner,
    /// By codes: half the squared distance, less what is the query's own; the factor is of the dot products.
    Distance { factor: f32 },
    /// By codes: half the squared distance of two rows.
    Node { half_norm: i32, lift: f32 },
}

impl Query {
    /// The query as a row.
    pub(crate) fn row(&self) -> &[f32] {
        &self.row
    }
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

    /// What a row lacks in length; 0 if lengths do not matter.
    fn lift(&self, slot: usize) -> f32 {
        let Some(lengths) = &self.lengths else { return 0.0 };
        let mut reach = lengths.reach();
        if let Some(codes) = &self.codes {
            // No code is longer, whatever its vector is.
            reach = reach.min(codes.quantizer.reach(self.space.dimension()));
        }
        lengths.lift(slot, reach)
    }

    /// A query of the caller, which is checked.
    pub(crate) fn query(&self, vector: &[f32]) -> Query {
        let mut query = Query::default();
        self.set_query(vector, &mut query);
        query
    }

    /// Puts a vector of the caller, which is checked, into the role of the query.
    pub(crate) fn set_query(&self, vector: &[f32], query: &mut Query) {
        query.row.resize(self.space.stride(), 0.0);
        self.space.write(vector, &mut query.row);
        query.form = Form::Float;
        if let Some(codes) = &self.codes {
            let lines = codes.rows.stride();
            query.form = match self.space.metric() {
                Metric::Cosine | Metric::Dot => {
                    codes.quantizer.inner_query(&query.row, lines, &mut query.code);
                    Form::Inner
                }
                Metric::Euclidean => {
                    // Seen from so far away, rows differ by direction alone, which a smaller factor leaves.
                    let most = (1 << 30) as f32 / codes.quantizer.longest_square(lines);
                    let factor = codes.quantizer.distance_query(&query.row, lines, &mut query.code);
                    Form::Distance { factor: factor.min(most) }
                }
            };
        }
    }

    /// Puts a row into the role of the query.
    pub(crate) fn node_query(&self, slot: u32, query: &mut Query) {
        let slot = slot as usize;
        let lift = self.lift(slot);
        query.form = match &self.codes {
            Some(codes) => {
                query.code.set_row(codes.rows.row(slot));
                Form::Node { half_norm: codes.half_norms.row(slot)[0], lift }
            }
            None => {
                query.row.resize(self.space.stride(), 0.0);
                self.read(slot, &mut query.row);
                Form::FloatNode { lift }
            }
        };
    }

    /// The codes, if [`estimates`](Self::estimates) of a query read but the high halves of them. What links are chosen
    /// by is compared by all of them: with a graph of lesser links every search is worse.
    #[inline]
    fn coarse_codes(&self, query: &Query) -> Option<&Codes> {
        self.codes.as_ref().filter(|_| matches!(query.form, Form::Inner | Form::Distance { .. }))
    }

    /// Asks for what [`estimates`](Self::estimates) reads of rows.
    #[inline]
    pub(crate) fn prefetch_coarse(&self, query: &Query, slots: &[u32]) {
        match self.coarse_codes(query) {
            Some(codes) => {
                let lines = coarse_lines(codes.rows.stride());
                slots.iter().for_each(|&slot| codes.rows.prefetch(slot as usize, lines));
            }
            None => slots.iter().for_each(|&slot| self.prefetch(slot)),
        }
    }

    /// Asks for what [`distances`](Self::distances) reads of a row.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u32) {
        match (&self.codes, &self.originals) {
            (Some(codes), _) => codes.rows.prefetch(slot as usize, codes.rows.stride()),
            (None, Originals::Full(rows)) => rows.prefetch(slot as usize, rows.stride()),
            (None, _) => {}
        }
    }

    /// Asks for the beginning of what the score of a row is computed from. The processor sees that what follows will be
    /// read, and fetches it by ways of its own, of which it has more than for what a program asks for.
    pub(crate) fn prefetch_original(&self, slot: u32) {
        const LINES: usize = 4;
        match &self.originals {
            Originals::Full(rows) => rows.prefetch(slot as usize, LINES.min(rows.stride())),
            Originals::Half(rows) => rows.prefetch(slot as usize, LINES.min(rows.stride())),
            Originals::None => {}
        }
    }

    /// A distance between rows, `factor` times as far as another.
    #[inline]
    pub(crate) fn stretched(&self, distance: i32, factor: f32) -> i32 {
        match self.codes {
            Some(_) => (distance as f32 * factor) as i32,
            None => ordered(f32::from_bits(distance as u32) * factor),
        }
    }

    /// About how far rows are from a query of a caller, as [`distances`](Self::distances) measures it: by the high halves
    /// of codes.
    #[inline]
    pub(crate) fn estimates(&self, query: &Query, slots: &[u32], out: &mut [i32]) {
        let Some(codes) = self.coarse_codes(query) else { return self.distances(query, slots, out) };
        let lines = coarse_lines(codes.rows.stride());
        codes.each(slots, lines, out, |rows, out| codes.kernel.coarse(&query.code, rows, out));
        for (out, &slot) in out.iter_mut().zip(slots) {
            *out = self.code_distance(codes, query.form, slot as usize, *out);
        }
    }

    /// Puts distances in the place of estimates, and the candidates, whose nodes are slots, in the order of them.
    pub(crate) fn refine(&self, query: &Query, candidates: &mut [Candidate]) {
        const PIECE: usize = 32;
        if self.coarse_codes(query).is_none() {
            return;
        }
        for candidate in &*candidates {
            self.prefetch(candidate.node);
        }
        let (mut slots, mut distances) = ([0; PIECE], [0; PIECE]);
        for piece in candidates.chunks_mut(PIECE) {
            for (place, candidate) in slots.iter_mut().zip(&*piece) {
                *place = candidate.node;
            }
            self.distances(query, &slots[..piece.len()], &mut distances[..piece.len()]);
            for (candidate, &distance) in piece.iter_mut().zip(&distances) {
                candidate.distance = distance;
            }
        }
        candidates.sort_unstable();
    }

    /// How many of candidates in the order of their distances from a query of the caller are to be scored to return the
    /// best `k`: those behind are too far for rounding to have put them there.
    pub(crate) fn contenders(&self, query: &Query, candidates: &[Candidate], k: usize) -> usize {
        /// Standard deviations of a difference of two distances: one in 30,000 is larger.
        const DEVIATIONS: f32 = 4.0;
        let most = self.candidates(k).min(candidates.len());
        let last = k.checked_sub(1).and_then(|last| candidates[..most].get(last));
        let (Some(codes), Some(last)) = (&self.codes, last) else { return most };
        let factor = if let Form::Distance { factor } = query.form { factor } else { 1.0 };
        // Rounding adds to each value of the row and of the query up to half a step either way, evenly distributed, and
        // the dot product has that times the value of the other.
        let squares = query.code.squares() + 2.0 * codes.half_norms.row(last.node as usize)[0] as f32;
        let deviation = factor * (2.0 * squares / 12.0).sqrt();
        let bar = last.distance.saturating_add((DEVIATIONS * deviation) as i32);
        candidates[..most].partition_point(|candidate| candidate.distance <= bar)
    }

    /// How far rows are from a query, in a measure that only orders: the smaller is the nearer.
    #[inline]
    pub(crate) fn distances(&self, query: &Query, slots: &[u32], out: &mut [i32]) {
        match &self.codes {
            Some(codes) => {
                let lines = codes.rows.stride();
                codes.each(slots, lines, out, |rows, out| codes.kernel.dots(&query.code, rows, out));
                for (out, &slot) in out.iter_mut().zip(slots) {
                    *out = self.code_distance(codes, query.form, slot as usize, *out);
                }
            }
            None => {
                for (out, &slot) in out.iter_mut().zip(slots) {
                    *out = self.float_distance(query, slot as usize);
                }
            }
        }
    }

    /// The distances of rows that follow each other, within a group of [`Rows::GROUP`].
    pub(crate) fn scan(&self, query: &Query, slots: std::ops::Range<usize>, out: &mut [i32]) {
        match &self.codes {
            Some(codes) => {
                codes.kernel.dot_rows(&query.code, codes.rows.rows(slots.clone()), out);
                for (out, slot) in out.iter_mut().zip(slots) {
                    *out = self.code_distance(codes, query.form, slot, *out);
                }
            }
            None => {
                for (out, slot) in out.iter_mut().zip(slots) {
                    *out = self.float_distance(query, slot);
                }
            }
        }
    }

    #[inline(always)]
    fn code_distance(&self, codes: &Codes, form: Form, slot: usize, dot: i32) -> i32 {
        match form {
            Form::Distance { factor } => codes.half_norms.row(slot)[0] - (factor * dot as f32) as i32,
            Form::Node { half_norm, lift } => {
                let distance = half_norm + codes.half_norms.row(slot)[0] - dot;
                if self.lengths.is_none() {
                    return distance;
                }
                let lift = (lift - self.lift(slot)) / codes.quantizer.step();
                distance + (lift * lift * 0.5) as i32
            }
            Form::Inner | Form::Float | Form::FloatNode { .. } => -dot,
        }
    }

    fn float_distance(&self, query: &Query, slot: usize) -> i32 {
        let Originals::Full(rows) = &self.originals else { return 0 };
        let row = floats(rows.row(slot));
        match query.form {
            Form::FloatNode { lift } => {
                let lift = lift - self.lift(slot);
                ordered(self.space.squared_distance(&query.row, row) + lift * lift)
            }
            _ => ordered(-self.space.score(&query.row, row)),
        }
    }

    /// The score of a row, from the most exact form that there is of it.
    pub(crate) fn score(&self, query: &Query, slot: usize, buffer: &mut Vec<f32>) -> f32 {
        match &self.originals {
            Originals::Full(rows) => self.space.score(&query.row, floats(rows.row(slot))),
            Originals::Half(_) | Originals::None => {
                buffer.resize(self.space.stride(), 0.0);
                self.read(slot, buffer);
                self.space.score(&query.row, buffer)
            }
        }
    }

    /// The originals of rows that follow each other, within a group of [`Rows::GROUP`], if they are kept in full.
    pub(crate) fn float_rows(&self, slots: std::ops::Range<usize>) -> Option<&[f32]> {
        match &self.originals {
            Originals::Full(rows) => Some(floats(rows.rows(slots))),
            Originals::Half(_) | Originals::None => None,
        }
    }
}

impl Codes {
    fn new(stride: usize, dimension: usize) -> Self {
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

    fn read_from(file: &Reader, space: Space) -> Result<Self, VectorError> {
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

    fn emptied(&self, quantizer: Quantizer) -> Self {
        Self {
            quantizer: Arc::new(quantizer),
            rows: self.rows.emptied(),
            half_norms: self.half_norms.emptied(),
            ..*self
        }
    }

    /// Whether the quantizer should be looked at again before there are `total` rows.
    fn is_due(&self, total: usize) -> bool {
        /// One value in so many may be clipped.
        const CLIPPED: usize = 1000;
        let rows = self.written / (self.rows.stride() * CodeLine::VALUES);
        // Rows may also have been replaced by ones that are all smaller, of which nothing is clipped.
        total >= 2 * self.trained
            || rows >= 2 * self.trained
            || (self.clipped > self.written / CLIPPED && rows * 4 >= self.trained)
    }

    fn set(&mut self, slot: usize, row: &[f32]) {
        let encoded = self.quantizer.encode(row, self.rows.row_mut(slot));
        self.half_norms.row_mut(slot)[0] = encoded.half_norm;
        self.written += self.rows.stride() * CodeLine::VALUES;
        self.clipped += encoded.clipped;
    }

    /// Calls a kernel with the first lines of some rows at a time.
    #[inline]
    fn each(
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
            }
            kernel(&rows[..slots.len()], out);
        }
    }
}

impl Lengths {
    fn set(&mut self, slot: usize, length: f32) {
        self.rows.row_mut(slot)[0] = length;
        self.longest = self.longest.max(length);
        self.sum += f64::from(length);
        self.count += 1;
    }

    /// The length that all are brought to: the longest, but not one so long that beside it all others are alike.
    fn reach(&self) -> f32 {
        const MEANS: f64 = 4.0;
        self.longest.min((MEANS * self.sum / self.count.max(1) as f64) as f32)
    }

    fn lift(&self, slot: usize, reach: f32) -> f32 {
        let (reach, length) = (f64::from(reach), f64::from(self.rows.row(slot)[0]));
        (reach * reach - length * length).max(0.0).sqrt() as f32
    }
}

/// The Euclidean length of a row.
fn length(row: &[f32]) -> f32 {
    row.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt() as f32
}

/// An integer that orders as a float does that is not NaN.
fn ordered(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}
