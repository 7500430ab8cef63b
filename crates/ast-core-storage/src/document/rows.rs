//! The form of documents before: definition after definition and mention after mention, all in one frame behind the source.
//! At the end are the length of the source and the version of the form. It is read, and written no more.

use super::{Document, below, decompress, source_at, take_named};
use crate::codec::Decoder;
use ast_core_model::{
    Chunk, ContentHash, LineRange, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility,
};

const VERSION: u8 = 1;
const TRAILER: usize = size_of::<u32>() + 1;

/// A document of this form.
pub(super) fn read(bytes: &[u8]) -> Result<Document, String> {
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
    Ok(Document { source: content, symbols, references, chunks })
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

fn take_lines(decoder: &mut Decoder<'_>, before: u32) -> Result<LineRange, String> {
    let lines = take_span(decoder, before)?;
    match lines.start {
        0 => Err("a line 0".into()),
        _ => Ok(LineRange::new(lines.start, lines.end)),
    }
}

fn take_text_at(decoder: &mut Decoder<'_>, source: &[u8], at: u32) -> Result<Box<str>, String> {
    let number = decoder.number()?;
    let length = usize::try_from(number >> 1).map_err(|error| error.to_string())?;
    let bytes = match number & 1 {
        0 => decoder.raw(length)?,
        _ => source_at(source, at, length)?,
    };
    std::str::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}

/// The bytes that stand between a name and what qualifies it: of `a.b` and of `a::b`.
const SEPARATORS: [u32; 2] = [1, 2];

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
            let back = u32::try_from(length).ok().and_then(|length| length.checked_add(*separator));
            let before = back.and_then(|back| name_at.checked_sub(back));
            source_at(source, before.ok_or("a text before the source")?, length)?
        }
    };
    std::str::from_utf8(bytes).map(|text| Some(text.into())).map_err(|error| error.to_string())
}

fn take_symbols(decoder: &mut Decoder<'_>, source: &[u8]) -> Result<Vec<Symbol>, String> {
    let count = decoder.count()?;
    let mut symbols = Vec::with_capacity(count);
    let (mut byte, mut line) = (0, 1);
    for at in 0..count {
        let kind = take_named(decoder.number()?, SymbolKind::ALL)?;
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

fn take_references(
    decoder: &mut Decoder<'_>,
    symbols: usize,
    source: &[u8],
) -> Result<Vec<Reference>, String> {
    let count = decoder.count()?;
    let mut references = Vec::with_capacity(count);
    let (mut byte, mut last_line) = (0, 1);
    for _ in 0..count {
        let kind = take_named(decoder.number()?, ReferenceKind::ALL)?;
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
