//! BM25F: what a match counts for.

use crate::LexicalError;

/// The fields of a document.
pub const FIELDS: usize = 4;

/// How matches count (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009,
/// section 3.6). Fields are name, path, doc, body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bm25f {
    /// What one match in each field counts for, against one in the others: 0 or more.
    pub weights: [f64; FIELDS],
    /// How much a match counts for less in a field that is long, from 0 to 1, field by field.
    pub b: [f64; FIELDS],
    /// How slowly further matches of a term stop to count: more than 0.
    pub k1: f64,
}

impl Bm25f {
    pub(crate) fn check(&self) -> Result<(), LexicalError> {
        let invalid = |parameter, expected, received| {
            Err(LexicalError::InvalidParameter { parameter, expected, received })
        };
        for received in self.weights {
            if !(0.0..=1e9).contains(&received) {
                return invalid("a weight", "a number from 0 to 1e9", received);
            }
        }
        for received in self.b {
            if !(0.0..=1.0).contains(&received) {
                return invalid("b", "a number from 0 to 1", received);
            }
        }
        if !(1e-9..=1e9).contains(&self.k1) {
            return invalid("k1", "a number from 1e-9 to 1e9", self.k1);
        }
        Ok(())
    }
}

/// Of all documents that are searched: how many there are, and how many terms their fields have in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many documents.
    pub documents: u64,
    /// How many terms, field by field, each counted as often as it occurs.
    pub lengths: [u64; FIELDS],
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.documents = self.documents.saturating_add(other.documents);
        for (sum, length) in self.lengths.iter_mut().zip(other.lengths) {
            *sum = sum.saturating_add(length);
        }
    }

    pub(crate) fn add_document(&mut self, lengths: [u32; FIELDS]) {
        self.add(&Self { documents: 1, lengths: lengths.map(u64::from) });
    }

    /// `None` if there would be less than none.
    pub(crate) fn checked_sub(&self, other: &Self) -> Option<Self> {
        let mut lengths = [0; FIELDS];
        for (field, length) in lengths.iter_mut().enumerate() {
            *length = self.lengths[field].checked_sub(other.lengths[field])?;
        }
        Some(Self { documents: self.documents.checked_sub(other.documents)?, lengths })
    }
}

/// [`Bm25f`] over documents of known average lengths.
///
/// The score of a term in a document is `idf * f / (k1 + f)`, where `f` is the sum over the fields, in their order, of
/// `weight * tf / ((1 - b) + (b / average) * length)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scorer {
    weights: [f64; FIELDS],
    constant: [f64; FIELDS],
    slope: [f64; FIELDS],
    k1: f64,
    documents: f64,
}

impl Scorer {
    pub(crate) fn new(ranking: &Bm25f, totals: &Totals) -> Self {
        let documents = totals.documents as f64;
        let mut slope = [0.0; FIELDS];
        for (field, slope) in slope.iter_mut().enumerate() {
            // No document has such a field, so nothing is ever found in it.
            if totals.lengths[field] > 0 {
                *slope = ranking.b[field] / (totals.lengths[field] as f64 / documents);
            }
        }
        let constant = ranking.b.map(|b| 1.0 - b);
        Self { weights: ranking.weights, constant, slope, k1: ranking.k1, documents }
    }

    /// What a term counts for that is in so many documents.
    pub(crate) fn idf(&self, documents_with: u64) -> f64 {
        let with = documents_with as f64;
        (1.0 + (self.documents - with + 0.5) / (with + 0.5)).ln()
    }

    /// What so many matches in a field of this length count for.
    #[inline]
    pub(crate) fn field(&self, field: usize, tf: u32, length: u32) -> f64 {
        if tf == 0 {
            return 0.0;
        }
        self.weights[field] * f64::from(tf) / (self.constant[field] + self.slope[field] * f64::from(length))
    }

    /// The score of a term whose matches count for so much.
    #[inline]
    pub(crate) fn saturate(&self, idf: f64, frequency: f64) -> f64 {
        idf * (frequency / (self.k1 + frequency))
    }

    #[inline]
    pub(crate) fn score(&self, idf: f64, tf: &[u32; FIELDS], lengths: &[u32; FIELDS]) -> f64 {
        let mut frequency = 0.0;
        for field in 0..FIELDS {
            frequency += self.field(field, tf[field], lengths[field]);
        }
        self.saturate(idf, frequency)
    }
}
