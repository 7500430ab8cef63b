//! Checksums of rows: XXH3 of 64 bits, chained over the parts of a row and begun with its key, so that a row that is met
//! under another key is noticed as well.
//!
//! They are against accidents, as those of pages and of compressed documents are, and not against a forger.

use crate::FileRecord;
use crate::codec::Encoder;
use twox_hash::XxHash3_64;

/// Of a row with this key and these parts.
pub(crate) fn of_row(key: i64, parts: &[&[u8]]) -> i64 {
    let chained =
        parts.iter().fold(key.cast_unsigned(), |seed, part| XxHash3_64::oneshot_with_seed(seed, part));
    chained.cast_signed()
}

/// Of a file, but for what changes when it is touched: that is found to differ from the tree by the next run.
pub(crate) fn of_file(record: &FileRecord) -> i64 {
    let mut row = Encoder::default();
    row.optional_text(Some(record.path.as_str()));
    row.optional_text(record.language.as_ref().map(|language| language.as_str()));
    row.optional_text(Some(record.status.as_str()));
    row.optional_text(record.detail.as_deref());
    row.number(u64::from(record.lines));
    row.number(u64::from(record.syntax_errors));
    if let Some(hash) = &record.content_hash {
        row.raw(hash.as_bytes());
    }
    of_row(record.id.get().cast_signed(), &[&row.finish()])
}

/// Whether it is the one that was noted, if one was.
pub(crate) fn check(noted: Option<i64>, of: impl FnOnce() -> i64) -> Result<(), String> {
    match noted {
        Some(noted) if noted != of() => Err("its checksum is another".to_owned()),
        _ => Ok(()),
    }
}
