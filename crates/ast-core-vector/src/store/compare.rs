//! How a query compares to rows.

use super::{Originals, Store, codes::Codes};
use crate::{
    Metric,
    frontier::Candidate,
    kernel::{
        code::{SignedCode, coarse_lines},
        lines::floats,
    },
};

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
    /// of codes. Whether the rows were `ASKED` for before makes no difference but in time.
    #[inline]
    pub(crate) fn estimates<const ASKED: bool>(&self, query: &Query, slots: &[u32], out: &mut [i32]) {
        let Some(codes) = self.coarse_codes(query) else {
            if !ASKED {
                slots.iter().for_each(|&slot| self.prefetch(slot));
            }
            return self.distances(query, slots, out);
        };
        let lines = coarse_lines(codes.rows.stride());
        codes.each::<ASKED>(slots, lines, out, |rows, out| codes.kernel.coarse(&query.code, rows, out));
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
                codes.each::<true>(slots, lines, out, |rows, out| codes.kernel.dots(&query.code, rows, out));
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

/// An integer that orders as a float does that is not NaN.
fn ordered(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}
