//! What is kept of a file's content: its source, and what was found in it, as one compressed value.
//!
//! In front is the source, behind it what was found: signatures, names and documentation are parts of the source, and
//! compression finds them there. At the end are the length of the source and the version of this form.

use crate::StoreError;
use crate::codec::{Decoder, Encoder};
use ast_core_model::{
    Chunk, ContentHash, LineRange, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility,
};
use std::cell::RefCell;
use zstd::bulk::Compressor;

/// Everything that the store keeps of a file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The bytes of the file.
    pub source: Vec<u8>,
    /// Its definitions.
    pub symbols: Vec<Symbol>,
    /// What it mentions.
    pub references: Vec<Reference>,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
}

/// Level 1 is the fastest; code shrinks to about a quarter already.
const LEVEL: i32 = 1;
const VERSION: u8 = 1;
const TRAILER: usize = size_of::<u32>() + 1;

impl Document {
    /// Compressed, to be stored.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if it is larger than 4 GiB.
    pub(crate) fn compress(&self) -> Result<Vec<u8>, StoreError> {
        let too_large = || StoreError::OutOfRange {
            what: "a file",
            received: self.source.len() as u64,
            limit: u64::from(u32::MAX),
        };
        let length = u32::try_from(self.source.len()).map_err(|_| too_large())?;
        let mut bytes =
            Vec::with_capacity(self.source.len() + 64 * (self.symbols.len() + self.references.len()));
        bytes.extend_from_slice(&self.source);
        let mut encoder = Encoder::behind(bytes);
        put_symbols(&mut encoder, &self.symbols);
        put_references(&mut encoder, &self.references);
        put_chunks(&mut encoder, &self.chunks);
        encoder.raw(&length.to_le_bytes());
        encoder.raw(&[VERSION]);
        compress(&encoder.finish()).ok_or_else(too_large)
    }

    /// What was stored.
    pub(crate) fn decompress(bytes: &[u8]) -> Result<Self, String> {
        let mut content = decompress(bytes)?;
        let found = content.len().checked_sub(TRAILER).ok_or("it has no end")?;
        let (length, version) = content[found..].split_at(size_of::<u32>());
        if version != [VERSION] {
            return Err(format!("a form {version:?} that is not known"));
        }
        let length = length.try_into().map_or(usize::MAX, |length| u32::from_le_bytes(length) as usize);
        let mut decoder =
            Decoder::new(content[..found].get(length..).ok_or("a source longer than all of it")?);
        let symbols = take_symbols(&mut decoder)?;
        let references = take_references(&mut decoder, symbols.len())?;
        let chunks = take_chunks(&mut decoder, symbols.len())?;
        if !decoder.is_at_end() {
            return Err("more than was written".into());
        }
        content.truncate(length);
        Ok(Self { source: content, symbols, references, chunks })
    }
}

thread_local! {
    /// What compression works in takes longer to be made than a file of usual size to be compressed.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// `None` if there is no memory for it.
pub(crate) fn compress(content: &[u8]) -> Option<Vec<u8>> {
    let new = || {
        let mut compressor = Compressor::new(LEVEL).ok()?;
        // SQLite does not notice when a bit of a value flips.
        compressor.include_checksum(true).ok()?;
        Some(compressor)
    };
    COMPRESSOR.with_borrow_mut(|compressor| {
        *compressor = compressor.take().or_else(new);
        compressor.as_mut()?.compress(content).ok()
    })
}

pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let capacity = zstd::zstd_safe::get_frame_content_size(bytes)
        .map_err(|error| error.to_string())?
        .ok_or("the size of the content is not given")?;
    let capacity = usize::try_from(capacity).map_err(|error| error.to_string())?;
    // The size is from the store and may be damaged: there may not be that much memory.
    if capacity > u32::MAX as usize {
        return Err(format!("a content of {capacity} bytes"));
    }
    let mut content = Vec::new();
    content.try_reserve_exact(capacity).map_err(|error| error.to_string())?;
    zstd::bulk::Decompressor::new()
        .and_then(|mut decompressor| decompressor.decompress_to_buffer(bytes, &mut content))
        .map_err(|error| error.to_string())?;
    Ok(content)
}

fn put_span(encoder: &mut Encoder, span: Span, before: u32) {
    encoder.difference(i64::from(span.start) - i64::from(before));
    encoder.number(u64::from(span.len()));
}

fn take_place(decoder: &mut Decoder<'_>, before: u32) -> Result<u32, String> {
    let start = i64::from(before).checked_add(decoder.difference()?);
    let start = start.and_then(|start| u32::try_from(start).ok());
    start.ok_or_else(|| format!("a place that is out of range, after {before}"))
}

fn take_span(decoder: &mut Decoder<'_>, before: u32) -> Result<Span, String> {
    let start = take_place(decoder, before)?;
    let end = start.checked_add(decoder.narrow()?).ok_or("a span that is out of range")?;
    Ok(Span::new(start, end))
}

fn put_lines(encoder: &mut Encoder, lines: LineRange, before: u32) {
    put_span(encoder, Span::new(lines.start, lines.end), before);
}

fn take_lines(decoder: &mut Decoder<'_>, before: u32) -> Result<LineRange, String> {
    let lines = take_span(decoder, before)?;
    match lines.start {
        0 => Err("a line 0".into()),
        _ => Ok(LineRange::new(lines.start, lines.end)),
    }
}

/// By its place in the list of all, which only ever grows.
fn take_named<T: Copy>(decoder: &mut Decoder<'_>, all: &[T]) -> Result<T, String> {
    let at = decoder.narrow::<usize>()?;
    all.get(at).copied().ok_or_else(|| format!("kind {at} is not known"))
}

fn place_of<T: PartialEq>(all: &[T], wanted: &T) -> u64 {
    all.iter().position(|known| known == wanted).unwrap_or(all.len()) as u64
}

fn below(index: Option<u32>, limit: usize) -> Result<Option<u32>, String> {
    match index {
        Some(index) if index as usize >= limit => Err(format!("symbol {index} of {limit}")),
        index => Ok(index),
    }
}

fn put_symbols(encoder: &mut Encoder, symbols: &[Symbol]) {
    encoder.number(symbols.len() as u64);
    let (mut byte, mut line) = (0, 1);
    for symbol in symbols {
        encoder.text(&symbol.name);
        encoder.optional_text(symbol.qualifier.as_deref());
        encoder.number(place_of(SymbolKind::ALL, &symbol.kind));
        encoder.optional_number(symbol.parent);
        put_span(encoder, symbol.extent, byte);
        put_span(encoder, symbol.span, symbol.extent.start);
        put_span(encoder, symbol.name_span, symbol.span.start);
        put_lines(encoder, symbol.lines, line);
        encoder.text(&symbol.signature);
        encoder.optional_text(symbol.doc.as_deref());
        encoder.number(symbol.visibility.map_or(0, |visibility| place_of(Visibility::ALL, &visibility) + 1));
        (byte, line) = (symbol.extent.start, symbol.lines.start);
    }
}

fn take_symbols(decoder: &mut Decoder<'_>) -> Result<Vec<Symbol>, String> {
    let count = decoder.count()?;
    let mut symbols = Vec::with_capacity(count);
    let (mut byte, mut line) = (0, 1);
    for at in 0..count {
        let name = decoder.text()?.into();
        let qualifier = decoder.optional_text()?.map(Into::into);
        let kind = take_named(decoder, SymbolKind::ALL)?;
        let parent = below(decoder.optional_number()?, at)?;
        let extent = take_span(decoder, byte)?;
        let span = take_span(decoder, extent.start)?;
        let name_span = take_span(decoder, span.start)?;
        let lines = take_lines(decoder, line)?;
        let signature = decoder.text()?.into();
        let doc = decoder.optional_text()?.map(Into::into);
        let visibility = match decoder.narrow::<usize>()? {
            0 => None,
            at => Some(*Visibility::ALL.get(at - 1).ok_or_else(|| format!("visibility {at} is not known"))?),
        };
        (byte, line) = (extent.start, lines.start);
        symbols.push(Symbol {
            name,
            qualifier,
            kind,
            parent,
            span,
            lines,
            extent,
            name_span,
            signature,
            doc,
            visibility,
        });
    }
    Ok(symbols)
}

fn put_references(encoder: &mut Encoder, references: &[Reference]) {
    encoder.number(references.len() as u64);
    let (mut byte, mut line) = (0, 1_u32);
    for reference in references {
        encoder.number(place_of(ReferenceKind::ALL, &reference.kind));
        encoder.text(&reference.name);
        encoder.optional_text(reference.qualifier.as_deref());
        encoder.optional_text(reference.alias.as_deref());
        put_span(encoder, reference.span, byte);
        encoder.difference(i64::from(reference.line) - i64::from(line));
        encoder.optional_number(reference.symbol);
        (byte, line) = (reference.span.start, reference.line);
    }
}

fn take_references(decoder: &mut Decoder<'_>, symbols: usize) -> Result<Vec<Reference>, String> {
    let count = decoder.count()?;
    let mut references = Vec::with_capacity(count);
    let (mut byte, mut last_line) = (0, 1);
    for _ in 0..count {
        let kind = take_named(decoder, ReferenceKind::ALL)?;
        let name = decoder.text()?.into();
        let qualifier = decoder.optional_text()?.map(Into::into);
        let alias = decoder.optional_text()?.map(Into::into);
        let span = take_span(decoder, byte)?;
        let line = take_place(decoder, last_line)?;
        let symbol = below(decoder.optional_number()?, symbols)?;
        (byte, last_line) = (span.start, line);
        references.push(Reference { kind, name, qualifier, alias, span, line, symbol });
    }
    Ok(references)
}

fn put_chunks(encoder: &mut Encoder, chunks: &[Chunk]) {
    encoder.number(chunks.len() as u64);
    let (mut byte, mut line) = (0, 1);
    for chunk in chunks {
        put_span(encoder, chunk.span, byte);
        put_lines(encoder, chunk.lines, line);
        encoder.optional_number(chunk.symbol);
        encoder.raw(chunk.hash.as_bytes());
        (byte, line) = (chunk.span.end, chunk.lines.end);
    }
}

fn take_chunks(decoder: &mut Decoder<'_>, symbols: usize) -> Result<Vec<Chunk>, String> {
    let count = decoder.count()?;
    let mut chunks = Vec::with_capacity(count);
    let (mut byte, mut line) = (0, 1);
    for _ in 0..count {
        let span = take_span(decoder, byte)?;
        let lines = take_lines(decoder, line)?;
        let symbol = below(decoder.optional_number()?, symbols)?;
        let hash = decoder.raw(16)?.try_into().map_err(|_| "a hash of another length")?;
        (byte, line) = (span.end, lines.end);
        chunks.push(Chunk { span, lines, symbol, hash: ContentHash::from_bytes(hash) });
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span() -> impl Strategy<Value = Span> {
        (any::<u32>(), any::<u32>()).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)))
    }

    fn lines() -> impl Strategy<Value = LineRange> {
        (1..=u32::MAX, 1..=u32::MAX).prop_map(|(a, b)| LineRange::new(a.min(b), a.max(b)))
    }

    fn text() -> impl Strategy<Value = Box<str>> {
        ".{0,12}".prop_map(Into::into)
    }

    fn symbol() -> impl Strategy<Value = Symbol> {
        let texts = (text(), proptest::option::of(text()), text(), proptest::option::of(text()));
        let places = (span(), lines(), span(), span());
        let kinds = (
            proptest::sample::select(SymbolKind::ALL),
            proptest::option::of(proptest::sample::select(Visibility::ALL)),
        );
        (texts, places, kinds).prop_map(|(texts, places, kinds)| {
            let (name, qualifier, signature, doc) = texts;
            let (span, lines, extent, name_span) = places;
            let (kind, visibility) = kinds;
            Symbol {
                name,
                qualifier,
                kind,
                parent: None,
                span,
                lines,
                extent,
                name_span,
                signature,
                doc,
                visibility,
            }
        })
    }

    fn reference() -> impl Strategy<Value = Reference> {
        let texts = (text(), proptest::option::of(text()), proptest::option::of(text()));
        (texts, proptest::sample::select(ReferenceKind::ALL), span(), any::<u32>()).prop_map(
            |((name, qualifier, alias), kind, span, line)| Reference {
                kind,
                name,
                qualifier,
                alias,
                span,
                line,
                symbol: None,
            },
        )
    }

    fn document() -> impl Strategy<Value = Document> {
        let chunk = (span(), lines(), any::<[u8; 16]>()).prop_map(|(span, lines, hash)| Chunk {
            span,
            lines,
            symbol: None,
            hash: ContentHash::from_bytes(hash),
        });
        let parts = (
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(symbol(), 0..6),
            proptest::collection::vec(reference(), 0..6),
            proptest::collection::vec(chunk, 0..6),
        );
        parts.prop_map(|(source, mut symbols, mut references, mut chunks)| {
            let owner = |at: usize| (at > 0).then(|| at as u32 / 2);
            let last = symbols.len();
            symbols.iter_mut().enumerate().for_each(|(at, symbol)| symbol.parent = owner(at));
            references.iter_mut().for_each(|reference| reference.symbol = owner(last));
            chunks.iter_mut().for_each(|chunk| chunk.symbol = owner(last));
            Document { source, symbols, references, chunks }
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(document in document()) {
            prop_assert_eq!(Document::decompress(&document.compress().unwrap()), Ok(document));
        }

        /// Past the checksum as well: what is inside was written by any program there is.
        #[test]
        fn damage_is_an_error_or_another_document(document in document(), at: usize, bit in 0..8) {
            let stored = document.compress().unwrap();
            let mut damaged = stored.clone();
            damaged[at % stored.len()] ^= 1_u8 << bit;
            prop_assert_ne!(Document::decompress(&damaged), Ok(document.clone()));
            prop_assert!(Document::decompress(&stored[..at % stored.len()]).is_err());

            let mut inside = decompress(&stored).unwrap();
            let at = at % inside.len();
            inside[at] ^= 1_u8 << bit;
            if let Ok(other) = Document::decompress(&compress(&inside).unwrap()) {
                prop_assert_ne!(other, document);
            }
        }
    }
}
