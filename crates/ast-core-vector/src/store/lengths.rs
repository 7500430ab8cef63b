//! How long vectors are, where that counts.

use crate::rows::Rows;

/// What turns the search for the largest dot product into one for the smallest distance: a further dimension in
/// which every vector gets what it lacks in length to the longest, and a query 0.
///
/// Bachrach et al., Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces
/// (2014). Only links are chosen by it.
#[derive(Clone)]
pub(super) struct Lengths {
    pub(super) rows: Rows<f32>,
    pub(super) longest: f32,
    /// Of all that were written.
    pub(super) sum: f64,
    pub(super) count: usize,
}

impl Lengths {
    pub(super) fn set(&mut self, slot: usize, length: f32) {
        self.rows.row_mut(slot)[0] = length;
        self.longest = self.longest.max(length);
        self.sum += f64::from(length);
        self.count += 1;
    }

    /// The length that all are brought to: the longest, but not one so long that beside it all others are alike.
    pub(super) fn reach(&self) -> f32 {
        const MEANS: f64 = 4.0;
        self.longest.min((MEANS * self.sum / self.count.max(1) as f64) as f32)
    }

    pub(super) fn lift(&self, slot: usize, reach: f32) -> f32 {
        let (reach, length) = (f64::from(reach), f64::from(self.rows.row(slot)[0]));
        (reach * reach - length * length).max(0.0).sqrt() as f32
    }
}

/// The Euclidean length of a row.
pub(super) fn length(row: &[f32]) -> f32 {
    row.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt() as f32
}
