//! Sketches: a bit a value, by which a search chooses the vectors that it compares.

use std::ops::Range;

use rayon::prelude::*;

use super::{ByteIndex, Query, TILE, in_parts, lines};
use crate::{
    SearchOptions,
    kernel::{
        lines::CodeLine,
        sketch::{MOST, PLANES, SketchKernel},
    },
    top_k::TopK,
};

/// Values that a sketch is of, the first ones, so that distances fit 16 bits.
const SKETCHED: usize = 4096;

/// Sketches are worth their reading if they leave less than one in so many vectors to be compared.
const WORTHWHILE: usize = 8;

/// Vectors that are compared at a time, in whatever slots they are: while some are, the next ones come from memory.
const FEW: usize = 32;

/// The distance of what may not be found.
const NEVER: u16 = u16::MAX;

/// Words of a sketch.
pub(super) fn words(dimension: usize) -> usize {
    dimension.min(SKETCHED).div_ceil(64)
}

/// Writes the sketch of a vector: ones where it is negative, and zeros behind its end.
pub(super) fn write_sketch(codes: &[i8], sketch: &mut [u64]) {
    for (word, codes) in sketch.iter_mut().zip(codes.chunks(64)) {
        *word = codes.iter().rev().fold(0, |word, code| word << 1 | u64::from(*code < 0));
    }
}

/// A query of four bits a value: an odd number of fifteenths of its largest, turned round and counted from below, so that
/// a bit of it says what a sketch that has the other one is off by.
struct Planes([Vec<u64>; PLANES]);

impl Planes {
    fn of(query: &[f32]) -> Self {
        let sketched = &query[..query.len().min(SKETCHED)];
        let largest = sketched.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        // In `f64`, as the query itself is rounded; without a value that is not zero all are alike.
        let scale = if largest > 0.0 { f64::from(MOST) / 2.0 / f64::from(largest) } else { 0.0 };
        let level = |value: &f32| (f64::from(MOST) / 2.0 - f64::from(*value) * scale).round() as u64;
        let plane = |number: usize| {
            let word = |values: &[f32]| {
                values.iter().rev().fold(0, |word, value| word << 1 | level(value) >> number & 1)
            };
            sketched.chunks(64).map(word).collect()
        };
        Self(std::array::from_fn(plane))
    }
}

/// Slots that follow each other, and how far the sketches of each are from the query.
struct Part {
    slots: Range<usize>,
    distances: Vec<u16>,
    /// How many have each distance.
    counts: Vec<u32>,
}

impl ByteIndex {
    /// The best of those that sketches say are nearest, some more than `ef` of them: all that are as far as the last one
    /// are compared, so that neither the order in which vectors came nor the number of threads decides. If the filter
    /// leaves so few that it is not worth while to choose, all of them are.
    pub(super) fn search_by_sketches(
        &self,
        vector: &[f32],
        query: &Query,
        ef: usize,
        k: usize,
        options: &SearchOptions<'_>,
    ) -> TopK {
        let planes = Planes::of(vector);
        let row_bytes = words(self.space.dimension()) * size_of::<u64>();
        let parts = in_parts(self.rows.len(), row_bytes, |slots| self.distances(&planes, slots, options));
        let farthest = farthest(&parts, ef);
        let best = |part: &Part| self.best_of(part, farthest, query, k, options);
        let mut top = TopK::new(k, options.threshold);
        let found: Vec<TopK> = match parts.as_slice() {
            [part] => vec![best(part)],
            parts => parts.par_iter().map(best).collect(),
        };
        found.into_iter().for_each(|found| top.merge(found));
        top
    }

    /// Whether a search for this many candidates is one by sketches.
    pub(super) fn has_use_of_sketches(&self, ef: usize) -> bool {
        ef.saturating_mul(WORTHWHILE) <= self.keys.len()
    }

    fn distances(&self, planes: &Planes, slots: Range<usize>, options: &SearchOptions<'_>) -> Part {
        let planes: [&[u64]; PLANES] = std::array::from_fn(|plane| planes.0[plane].as_slice());
        let kernel = SketchKernel::detected();
        let mut distances = vec![0; slots.len()];
        let mut counts = vec![0; planes[0].len() * 64 * usize::from(MOST) + 1];
        for (start, distances) in slots.clone().step_by(TILE).zip(distances.chunks_mut(TILE)) {
            let tile = start..start + distances.len();
            kernel.distances(&planes, self.sketches.rows(tile.clone()), distances);
            let has_dead = self.has_dead(&tile);
            if has_dead || options.filter.is_some() {
                let keys = &self.keys.as_slice()[tile];
                for ((distance, &key), slot) in distances.iter_mut().zip(keys).zip(start as u32..) {
                    let is_dead = has_dead && self.dead.contains(slot);
                    if is_dead || options.filter.is_some_and(|filter| !filter(key)) {
                        *distance = NEVER;
                    }
                }
            }
            for distance in distances {
                if let Some(count) = counts.get_mut(usize::from(*distance)) {
                    *count += 1;
                }
            }
        }
        Part { slots, distances, counts }
    }

    /// The best of those of a part that are no farther than this.
    fn best_of(
        &self,
        part: &Part,
        farthest: u16,
        query: &Query,
        k: usize,
        options: &SearchOptions<'_>,
    ) -> TopK {
        let near = part.slots.clone().zip(&part.distances).filter(|(_, distance)| **distance <= farthest);
        let near: Vec<usize> = near.map(|(slot, _)| slot).collect();
        let mut top = TopK::new(k.min(near.len()), options.threshold);
        let stride = lines(self.space.dimension());
        let ask_for = |slots: &[usize]| slots.iter().for_each(|slot| self.rows.prefetch(*slot, stride));
        let mut chunks = near.chunks(FEW).peekable();
        chunks.peek().copied().into_iter().for_each(ask_for);
        while let Some(slots) = chunks.next() {
            chunks.peek().copied().into_iter().for_each(ask_for);
            let mut rows: [&[CodeLine]; FEW] = [&[]; FEW];
            for (row, slot) in rows.iter_mut().zip(slots) {
                *row = self.rows.row(*slot);
            }
            let rows = &rows[..slots.len()];
            let (mut high, mut low) = ([0; FEW], [0; FEW]);
            let (high, low) = (&mut high[..rows.len()], &mut low[..rows.len()]);
            self.kernel.dots(&query.high, rows, high);
            self.kernel.dots(&query.low, rows, low);
            for ((slot, high), low) in slots.iter().zip(high).zip(low) {
                let length = self.inverse_lengths.row(*slot)[0];
                top.push(query.neighbor(self.keys.as_slice()[*slot], *high, *low, length));
            }
        }
        top
    }
}

/// The distance up to which there are `ef` vectors, or all if they are few.
fn farthest(parts: &[Part], ef: usize) -> u16 {
    let longest = parts.iter().map(|part| part.counts.len()).max().unwrap_or(0);
    let mut totals = vec![0_usize; longest];
    for part in parts {
        totals.iter_mut().zip(&part.counts).for_each(|(total, count)| *total += *count as usize);
    }
    if totals.iter().sum::<usize>() < ef.saturating_mul(WORTHWHILE) {
        return NEVER - 1;
    }
    let mut passed = 0;
    let reached = totals.iter().position(|count| {
        passed += count;
        passed >= ef
    });
    reached.map_or(NEVER - 1, |distance| distance as u16)
}
