//! Vectors, a byte a value, and in bulk.

use crate::Document;
use ast_core_model::{Chunk, FileId, SymbolKind};

/// The vectors of a file's chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVectors {
    /// The file.
    pub file: FileId,
    /// Of each chunk, the kind of the definition it is about.
    pub kinds: Vec<Option<SymbolKind>>,
    /// The vectors, one after the other: that of chunk `n` begins at `n` x dimension. A vector is as long as its
    /// largest value makes it, which is 127 or -127; where its length matters, it was not to be stored here. A vector of
    /// zeros is of a text without words. Empty if the vectors are not kept.
    pub codes: Vec<i8>,
}

impl FileVectors {
    /// The vectors that were made of a document's chunks, one after the other, as a store that keeps them gives them back:
    /// each as many values as are all by the number of chunks.
    pub fn of_document(file: FileId, document: &Document, vectors: &[f32]) -> Self {
        let symbol = |chunk: &Chunk| document.symbols.get(chunk.symbol? as usize);
        let kinds = document.chunks.iter().map(|chunk| symbol(chunk).map(|symbol| symbol.kind)).collect();
        let codes = codes_of(document, vectors).into_iter().map(u8::cast_signed).collect();
        Self { file, kinds, codes }
    }

    /// Reads what a [content](crate::FileContent) has as `kinds` and `codes`.
    ///
    /// # Errors
    /// What of it cannot have been written.
    pub fn from_stored(file: FileId, kinds: &[u8], codes: &[u8]) -> Result<Self, String> {
        if kinds.is_empty() || !codes.len().is_multiple_of(kinds.len()) {
            return Err(format!("{} bytes for {} chunks", codes.len(), kinds.len()));
        }
        let kinds = kinds.iter().map(|byte| kind_of_byte(*byte)).collect::<Result<_, _>>()?;
        Ok(Self { file, kinds, codes: codes.iter().map(|byte| byte.cast_signed()).collect() })
    }
}

/// Appends the vector in bytes: its direction, as exactly as 255 steps of the largest value can give it.
pub(crate) fn quantize(vector: &[f32], codes: &mut Vec<u8>) {
    let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    codes.extend(vector.iter().map(|value| ((value * scale).round() as i8).cast_unsigned()));
}

/// Of each chunk, the kind of the definition it is about.
pub(crate) fn kinds_of(document: &Document) -> Vec<u8> {
    let symbol = |chunk: &Chunk| document.symbols.get(chunk.symbol? as usize);
    document.chunks.iter().map(|chunk| byte_of_kind(symbol(chunk).map(|symbol| symbol.kind))).collect()
}

/// The vectors of a document's chunks in bytes.
pub(crate) fn codes_of(document: &Document, vectors: &[f32]) -> Vec<u8> {
    let mut codes = Vec::with_capacity(vectors.len());
    if let Some(dimension) = vectors.len().checked_div(document.chunks.len()).filter(|values| *values > 0) {
        vectors.chunks_exact(dimension).for_each(|vector| quantize(vector, &mut codes));
    }
    codes
}

/// A kind in a byte; 0 for none. The list of kinds only ever grows at its end.
fn byte_of_kind(kind: Option<SymbolKind>) -> u8 {
    let place = |kind| SymbolKind::ALL.iter().position(|known| *known == kind).map_or(0, |at| at as u8 + 1);
    kind.map_or(0, place)
}

fn kind_of_byte(byte: u8) -> Result<Option<SymbolKind>, String> {
    match byte.checked_sub(1) {
        None => Ok(None),
        Some(at) => match SymbolKind::ALL.get(usize::from(at)) {
            Some(kind) => Ok(Some(*kind)),
            None => Err(format!("symbol kind {byte}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_direction_stays(vector in proptest::collection::vec(-1e3f32..1e3, 8..64)) {
            prop_assume!(vector.iter().any(|value| value.abs() > 1.0));
            let mut codes = Vec::new();
            quantize(&vector, &mut codes);
            let codes: Vec<f32> = codes.iter().map(|code| f32::from(code.cast_signed())).collect();
            let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let cosine = dot(&vector, &codes) / (dot(&vector, &vector) * dot(&codes, &codes)).sqrt();
            prop_assert!(cosine > 0.999, "{cosine}");
        }
    }

    #[test]
    fn zeros_and_extremes_have_codes() {
        let mut codes = Vec::new();
        quantize(&[0.0, -0.0], &mut codes);
        quantize(&[f32::MAX, f32::MIN, 1.0], &mut codes);
        assert_eq!(codes, [0, 0, 127, 129, 0]);
    }

    #[test]
    fn kinds_round_trip() {
        for kind in SymbolKind::ALL.iter().copied().map(Some).chain([None]) {
            assert_eq!(kind_of_byte(byte_of_kind(kind)), Ok(kind));
        }
        assert!(kind_of_byte(255).is_err());
    }
}
