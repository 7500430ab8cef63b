//! What the terms of a document come to in one number: whether two documents have the same, however they are kept.
//!
//! It is a sum over the postings, so that it does not depend on the order in which they are read.

use crate::checksum::xxh64;
use crate::score::FIELDS;

/// What a posting of a term adds.
pub(crate) fn of_posting(term: &[u8], tf: [u16; FIELDS]) -> u64 {
    xxh64(term, tf.iter().fold(0, |packed, &tf| packed << 16 | u64::from(tf)))
}

/// What the lengths of a document's fields add.
pub(crate) fn of_lengths(lengths: [u32; FIELDS]) -> u64 {
    let bytes: Vec<u8> = lengths.iter().flat_map(|length| length.to_le_bytes()).collect();
    xxh64(&bytes, 0)
}
