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
        put_symbols(&mut encoder, &self.symbols, &self.source);
        put_references(&mut encoder, &self.references, &self.source);
        put_chunks(&mut encoder, &self.chunks);
        encoder.raw(&length.to_le_bytes());
        encoder.raw(&[VERSION]);
        compress(&encoder.finish()).ok_or_else(too_large)
    }

    /// Reads what a [content](crate::FileContent) has as `document`.
    ///
    /// # Errors
    /// What of it cannot have been written.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, String> {
        let mut content = decompress(bytes)?;
        let found = content.len().checked_sub(TRAILER).ok_or("it has no end")?;
        let (length, version) = content[found..].split_at(size_of::<u32>());
        if version != [VERSION] {
            return Err(format!("a form {version:?} that is not known"));
        }
        let length = length.try_into().map_or(usize::MAX, |length| u32::from_le_bytes(length) as usize);
        let (source, found) =
            content[..found].split_at_checked(length).ok_or("a source longer than all of it")?;
        let mut decoder = Decoder::new(found);
        let symbols = take_symbols(&mut decoder, source)?;
        let references = take_references(&mut decoder, symbols.len(), source)?;
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

/// A text that is mostly what the source has at a place: then only its length is kept.
fn put_text_at(encoder: &mut Encoder, text: &str, source: &[u8], at: u32) {
    let is_there = source.get(at as usize..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
    encoder.number((text.len() as u64) << 1 | u64::from(is_there));
    if !is_there {
        encoder.raw(text.as_bytes());
    }
}

fn take_text_at(decoder: &mut Decoder<'_>, source: &[u8], at: u32) -> Result<Box<str>, String> {
    let number = decoder.number()?;
    let length = usize::try_from(number >> 1).map_err(|error| error.to_string())?;
    let bytes = match number & 1 {
        0 => decoder.raw(length)?,
        _ => source_at(source, at as usize, length)?,
    };
    std::str::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}

fn source_at(source: &[u8], at: usize, length: usize) -> Result<&[u8], String> {
    let end = at.checked_add(length);
    end.and_then(|end| source.get(at..end)).ok_or_else(|| "a text beyond the source".into())
}

/// The bytes that stand between a name and what qualifies it: of `a.b` and of `a::b`.
const SEPARATORS: [usize; 2] = [1, 2];

/// What qualifies the name at a place: mostly what the source has before it.
fn put_qualifier(encoder: &mut Encoder, qualifier: Option<&str>, source: &[u8], name_at: u32) {
    let Some(text) = qualifier else { return encoder.number(0) };
    let is_before = |separator: &usize| {
        let at = (name_at as usize).checked_sub(separator + text.len());
        at.is_some_and(|at| source.get(at..at + text.len()) == Some(text.as_bytes()))
    };
    let how = SEPARATORS.iter().position(is_before).map_or(0, |at| at as u64 + 1);
    encoder.number(((text.len() as u64) << 2 | how) + 1);
    if how == 0 {
        encoder.raw(text.as_bytes());
    }
}

fn take_qualifier(
    decoder: &mut Decoder<'_>,
    source: &[u8],
    name_at: u32,
) -> Result<Option<Box<str>>, String> {
    let Some(number) = decoder.number()?.checked_sub(1) else { return Ok(None) };
    let length = usize::try_from(number >> 2).map_err(|error| error.to_string())?;
    let bytes = match number & 3 {
        0 => decoder.raw(length)?,
        how => {
            let separator = SEPARATORS.get(how as usize - 1).ok_or("a separator that is not known")?;
            let before = separator.checked_add(length).and_then(|back| (name_at as usize).checked_sub(back));
            source_at(source, before.ok_or("a text before the source")?, length)?
        }
    };
    std::str::from_utf8(bytes).map(|text| Some(text.into())).map_err(|error| error.to_string())
}

fn put_symbols(encoder: &mut Encoder, symbols: &[Symbol], source: &[u8]) {
    encoder.number(symbols.len() as u64);
    let (mut byte, mut line) = (0, 1);
    for symbol in symbols {
        encoder.number(place_of(SymbolKind::ALL, &symbol.kind));
        encoder.optional_number(symbol.parent);
        put_span(encoder, symbol.extent, byte);
        put_span(encoder, symbol.span, symbol.extent.start);
        put_span(encoder, symbol.name_span, symbol.span.start);
        put_lines(encoder, symbol.lines, line);
        put_text_at(encoder, &symbol.name, source, symbol.name_span.start);
        put_qualifier(encoder, symbol.qualifier.as_deref(), source, symbol.name_span.start);
        put_text_at(encoder, &symbol.signature, source, symbol.span.start);
        encoder.optional_text(symbol.doc.as_deref());
        encoder.number(symbol.visibility.map_or(0, |visibility| place_of(Visibility::ALL, &visibility) + 1));
        (byte, line) = (symbol.extent.start, symbol.lines.start);
    }
}

fn take_symbols(decoder: &mut Decoder<'_>, source: &[u8]) -> Result<Vec<Symbol>, String> {
    let count = decoder.count()?;
    let mut symbols = Vec::with_capacity(count);
    let (mut byte, mut line) = (0, 1);
    for at in 0..count {
        let kind = take_named(decoder, SymbolKind::ALL)?;
        let parent = below(decoder.optional_number()?, at)?;
        let extent = take_span(decoder, byte)?;
        let span = take_span(decoder, extent.start)?;
        let name_span = take_span(decoder, span.start)?;
        let lines = take_lines(decoder, line)?;
        let name = take_text_at(decoder, source, name_span.start)?;
        let qualifier = take_qualifier(decoder, source, name_span.start)?;
        let signature = take_text_at(decoder, source, span.start)?;
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

fn put_references(encoder: &mut Encoder, references: &[Reference], source: &[u8]) {
    encoder.number(references.len() as u64);
    let (mut byte, mut line) = (0, 1_u32);
    for reference in references {
        encoder.number(place_of(ReferenceKind::ALL, &reference.kind));
        put_span(encoder, reference.span, byte);
        put_text_at(encoder, &reference.name, source, reference.span.start);
        put_qualifier(encoder, reference.qualifier.as_deref(), source, reference.span.start);
        encoder.optional_text(reference.alias.as_deref());
        encoder.difference(i64::from(reference.line) - i64::from(line));
        encoder.optional_number(reference.symbol);
        (byte, line) = (reference.span.start, reference.line);
    }
}

fn take_references(
    decoder: &mut Decoder<'_>,
    symbols: usize,
    source: &[u8],
) -> Result<Vec<Reference>, String> {
    let count = decoder.count()?;
    let mut references = Vec::with_capacity(count);
    let (mut byte, mut last_line) = (0, 1);
    for _ in 0..count {
        let kind = take_named(decoder, ReferenceKind::ALL)?;
        let span = take_span(decoder, byte)?;
        let name = take_text_at(decoder, source, span.start)?;
        let qualifier = take_qualifier(decoder, source, span.start)?;
        let alias = decoder.optional_text()?.map(Into::into);
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
        parts.prop_map(|(mut source, mut symbols, mut references, mut chunks)| {
            // Some of the texts are where they are said to be, and most are not.
            for reference in references.iter_mut().step_by(2) {
                if let Some(qualifier) = &reference.qualifier {
                    source.extend_from_slice(qualifier.as_bytes());
                    source.extend_from_slice(if qualifier.len() % 2 == 0 { b"." } else { b"::" });
                }
                let start = source.len() as u32;
                source.extend_from_slice(reference.name.as_bytes());
                reference.span = Span::new(start, source.len() as u32);
            }
            let owner = |at: usize| (at > 0).then_some(at as u32 / 2);
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
            prop_assert_eq!(Document::from_stored(&document.compress().unwrap()), Ok(document));
        }

        /// Past the checksum, anything may be inside, and nothing panics.
        #[test]
        fn damage_is_an_error_or_none(document in document(), at: usize, bit in 0..8) {
            let stored = document.compress().unwrap();
            let mut damaged = stored.clone();
            damaged[at % stored.len()] ^= 1_u8 << bit;
            // Some bits of a frame of zstd mean nothing.
            if let Ok(read) = Document::from_stored(&damaged) {
                prop_assert_eq!(&read, &document);
            }
            prop_assert!(Document::from_stored(&stored[..at % stored.len()]).is_err());

            let mut inside = decompress(&stored).unwrap();
            let at = at % inside.len();
            inside[at] ^= 1_u8 << bit;
            // Of an empty text it does not matter where it was taken from.
            let _ = Document::from_stored(&compress(&inside).unwrap());
        }
    }
}
