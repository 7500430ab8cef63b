//! What was found in a source, as columns of numbers: an outline of definitions and chunks, and mentions.
//!
//! Texts are mostly those of the source at a place, lines follow from places, and what something is inside of follows from the
//! definitions before it. Of all that only what differs is kept. A definition is told from the one before, a mention by how
//! many words there are between it and the one before.

use super::columns::{ColumnReader, Columns};
use super::places::{Lines, Nest, Words, folded, length_of_last_word, length_of_word, next_text};
use super::{Document, NO_HASH, Wanted, below, place_of, source_at, take_named};
use ast_core_model::{
    Chunk, ContentHash, LineRange, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility,
};
use memchr::memmem;

/// The columns of the outline. Of those that say how many there are no number is zero.
mod of_outline {
    /// Of a definition one more than its kind.
    pub(super) const KIND: usize = 0;
    pub(super) const VISIBILITY: usize = 1;
    pub(super) const PARENT: usize = 2;
    /// The extent: from where that of the definition before begins, and its length.
    pub(super) const START: usize = 3;
    pub(super) const LENGTH: usize = 4;
    /// The definition in its extent.
    pub(super) const LEAD: usize = 5;
    pub(super) const TAIL: usize = 6;
    /// The name from where the definition begins; 0 if it is the word there, else one more than how it is kept.
    pub(super) const NAME_AT: usize = 7;
    pub(super) const NAME: usize = 8;
    pub(super) const NAME_LENGTH: usize = 9;
    pub(super) const QUALIFIER: usize = 10;
    pub(super) const FIRST_LINE: usize = 11;
    pub(super) const LAST_LINE: usize = 12;
    pub(super) const SIGNATURE: usize = 13;
    /// How many lines of documentation, and of each where it is.
    pub(super) const DOC: usize = 14;
    pub(super) const DOC_LINE: usize = 15;
    pub(super) const DOC_LENGTH: usize = 16;
    /// Of a chunk one more than its length.
    pub(super) const CHUNK: usize = 17;
    pub(super) const CHUNK_START: usize = 18;
    pub(super) const CHUNK_FIRST_LINE: usize = 19;
    pub(super) const CHUNK_LAST_LINE: usize = 20;
    pub(super) const CHUNK_SYMBOL: usize = 21;
    pub(super) const CHUNK_HASH: usize = 22;
    pub(super) const COUNT: usize = 23;
}

/// The columns of mentions.
mod of_mentions {
    /// One more than its kind.
    pub(super) const KIND: usize = 0;
    /// 0 if it is no word, 1 if it is the word before, else two more than how many words are between.
    pub(super) const WORD: usize = 1;
    pub(super) const START: usize = 2;
    pub(super) const LENGTH: usize = 3;
    pub(super) const NAME: usize = 4;
    pub(super) const QUALIFIER: usize = 5;
    pub(super) const ALIAS: usize = 6;
    pub(super) const LINE: usize = 7;
    pub(super) const SYMBOL: usize = 8;
    pub(super) const COUNT: usize = 9;
}

/// The outline and the mentions of a document.
pub(super) fn put(document: &Document) -> (Vec<u8>, Vec<u8>) {
    let Document { source, symbols, references, chunks } = document;
    let lines = Lines::of(source);
    let mut outline = Columns::new();
    put_symbols(&mut outline, symbols, source, &lines);
    put_chunks(&mut outline, chunks, symbols, source, &lines);
    let mut mentions = Columns::new();
    put_mentions(&mut mentions, references, symbols, source, &lines);
    (outline.finish(), mentions.finish())
}

/// What was read of what was found.
pub(super) struct Outline {
    pub(super) symbols: Vec<Symbol>,
    pub(super) chunks: Vec<Chunk>,
    lines: Lines,
}

impl Outline {
    pub(super) fn take(source: &[u8], bytes: &[u8], wanted: Wanted) -> Result<Self, String> {
        let lines = Lines::of(source);
        let mut columns = ColumnReader::new(bytes)?;
        let symbols = take_symbols(&mut columns, source, &lines)?;
        let chunks = take_chunks(&mut columns, &symbols, source, &lines, wanted)?;
        columns.finish()?;
        Ok(Self { symbols, chunks, lines })
    }

    pub(super) fn mentions(&self, source: &[u8], bytes: &[u8]) -> Result<Vec<Reference>, String> {
        let mut columns = ColumnReader::new(bytes)?;
        let mentions = take_mentions(&mut columns, &self.symbols, source, &self.lines)?;
        columns.finish()?;
        Ok(mentions)
    }
}

fn span_of(start: u32, end: u32) -> Result<Span, String> {
    if start <= end { Ok(Span::new(start, end)) } else { Err(format!("a span from {start} to {end}")) }
}

fn line_range(start: u32, end: u32) -> Result<LineRange, String> {
    match start {
        1.. if start <= end => Ok(LineRange::new(start, end)),
        _ => Err(format!("lines {start} to {end}")),
    }
}

fn text_of(bytes: &[u8]) -> Result<Box<str>, String> {
    std::str::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}

/// Whether a text is what the source has at a place.
fn is_at(source: &[u8], at: u32, text: &str) -> bool {
    source.get(at as usize..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
}

/// Where a name is, if that is a word, and the word is the name.
fn word_at(source: &[u8], at: u32) -> Option<&[u8]> {
    let rest = source.get(at as usize..)?;
    rest.get(..length_of_word(rest))
}

fn put_name<const N: usize>(
    columns: &mut Columns<N>,
    (name_column, length_column): (usize, usize),
    name: &str,
    place: Span,
    source: &[u8],
) {
    let is_there = is_at(source, place.start, name);
    if is_there && word_at(source, place.start) == Some(name.as_bytes()) && place.len() as usize == name.len()
    {
        return columns.number(name_column, 0);
    }
    columns.number(name_column, ((name.len() as u64) << 1 | u64::from(is_there)) + 1);
    columns.number(length_column, u64::from(place.len()));
    if !is_there {
        columns.text(name.as_bytes());
    }
}

/// The name that begins at a place, and where it ends.
fn take_name<const N: usize>(
    columns: &mut ColumnReader<'_, N>,
    (name_column, length_column): (usize, usize),
    start: u32,
    source: &[u8],
) -> Result<(Box<str>, Span), String> {
    let Some(code) = columns.number(name_column)?.checked_sub(1) else {
        let word = word_at(source, start).ok_or("a name beyond the source")?;
        let end = u32::try_from(word.len()).ok().and_then(|length| start.checked_add(length));
        return Ok((text_of(word)?, span_of(start, end.ok_or("a name that is out of range")?)?));
    };
    let length = usize::try_from(code >> 1).map_err(|error| error.to_string())?;
    let name = match code & 1 {
        0 => columns.text(length)?,
        _ => source_at(source, start, length)?,
    };
    let end = u32::try_from(columns.number(length_column)?).ok().and_then(|length| start.checked_add(length));
    Ok((text_of(name)?, span_of(start, end.ok_or("a name that is out of range")?)?))
}

/// The bytes that stand between a name and what qualifies it: of `a.b` and of `a::b`.
const SEPARATORS: [u32; 2] = [1, 2];

/// The word before a name.
fn word_before(source: &[u8], name_at: u32, separator: u32) -> Option<&[u8]> {
    let before = source.get(..name_at.checked_sub(separator)? as usize)?;
    before.get(before.len() - length_of_last_word(before)..).filter(|word| !word.is_empty())
}

/// What qualifies the name at a place: mostly the word before it. 0 for none; then as many codes as there are separators for a
/// word; then one more than how long it is and whether it is before the name.
fn put_qualifier<const N: usize>(
    columns: &mut Columns<N>,
    column: usize,
    qualifier: Option<&str>,
    source: &[u8],
    name_at: u32,
) {
    let Some(text) = qualifier.map(str::as_bytes) else { return columns.number(column, 0) };
    let is_word = |separator: &u32| word_before(source, name_at, *separator) == Some(text);
    if let Some(how) = SEPARATORS.iter().position(is_word) {
        return columns.number(column, how as u64 + 1);
    }
    let is_before = |separator: &u32| {
        let end = name_at.checked_sub(*separator).map(|end| end as usize);
        end.and_then(|end| source.get(end.checked_sub(text.len())?..end)) == Some(text)
    };
    let how = SEPARATORS.iter().position(is_before).map_or(0, |at| at as u64 + 1);
    columns.number(column, ((text.len() as u64) << 2 | how) + 1 + SEPARATORS.len() as u64);
    if how == 0 {
        columns.text(text);
    }
}

fn take_qualifier<const N: usize>(
    columns: &mut ColumnReader<'_, N>,
    column: usize,
    source: &[u8],
    name_at: u32,
) -> Result<Option<Box<str>>, String> {
    let Some(code) = columns.number(column)?.checked_sub(1) else { return Ok(None) };
    let beyond = "a text before the source";
    let Some(code) = code.checked_sub(SEPARATORS.len() as u64) else {
        return text_of(word_before(source, name_at, SEPARATORS[code as usize]).ok_or(beyond)?).map(Some);
    };
    let length = usize::try_from(code >> 2).map_err(|error| error.to_string())?;
    let text = match code & 3 {
        0 => columns.text(length)?,
        how => {
            let separator = SEPARATORS.get(how as usize - 1).ok_or("a separator that is not known")?;
            let back = u32::try_from(length).ok().and_then(|length| length.checked_add(*separator));
            let start = back.and_then(|back| name_at.checked_sub(back));
            source_at(source, start.ok_or(beyond)?, length)?
        }
    };
    text_of(text).map(Some)
}

/// A signature is a stretch of the source as it is, or with its white space folded, or a text.
fn put_signature(columns: &mut Columns<{ of_outline::COUNT }>, signature: &str, source: &[u8], at: u32) {
    let is_folded = || folded(source, at, signature.len()).is_some_and(|text| text == signature.as_bytes());
    let how = if is_at(source, at, signature) {
        1
    } else if is_folded() {
        2
    } else {
        0
    };
    columns.number(of_outline::SIGNATURE, (signature.len() as u64) << 2 | how);
    if how == 0 {
        columns.text(signature.as_bytes());
    }
}

fn take_signature(
    columns: &mut ColumnReader<'_, { of_outline::COUNT }>,
    source: &[u8],
    at: u32,
) -> Result<Box<str>, String> {
    let code = columns.number(of_outline::SIGNATURE)?;
    let length = usize::try_from(code >> 2).map_err(|error| error.to_string())?;
    match code & 3 {
        0 => text_of(columns.text(length)?),
        1 => text_of(source_at(source, at, length)?),
        2 => text_of(&folded(source, at, length).ok_or("a signature beyond the source")?),
        _ => Err("a signature of a kind that is not known".into()),
    }
}

/// A line of documentation is looked for in so much of the source behind the one before.
const DOC_WITHIN: usize = 4096;

/// Documentation, line by line: what is between them are the signs of a comment.
fn put_doc(columns: &mut Columns<{ of_outline::COUNT }>, doc: Option<&str>, source: &[u8], at: u32) {
    let Some(doc) = doc else { return columns.number(of_outline::DOC, 0) };
    columns.number(of_outline::DOC, doc.split('\n').count() as u64);
    let mut at = (at as usize).min(source.len());
    for line in doc.split('\n') {
        if line.is_empty() {
            columns.number(of_outline::DOC_LINE, 1);
            continue;
        }
        let within = &source[at..source.len().min(at.saturating_add(DOC_WITHIN))];
        let found = memmem::find(within, line.as_bytes());
        columns.number(of_outline::DOC_LINE, found.map_or(2, |gap| gap as u64 + 3));
        columns.number(of_outline::DOC_LENGTH, line.len() as u64);
        match found {
            Some(gap) => at += gap + line.len(),
            None => columns.text(line.as_bytes()),
        }
    }
}

fn take_doc(
    columns: &mut ColumnReader<'_, { of_outline::COUNT }>,
    source: &[u8],
    at: u32,
) -> Result<Option<Box<str>>, String> {
    let lines = columns.number(of_outline::DOC)?;
    if lines == 0 {
        return Ok(None);
    }
    let mut doc = Vec::new();
    let mut at = (at as usize).min(source.len());
    for line in 0..lines {
        if line > 0 {
            doc.push(b'\n');
        }
        match columns.length(of_outline::DOC_LINE)? {
            // There are more lines than numbers.
            0 => return Err("documentation that ends too soon".into()),
            1 => {}
            2 => {
                let length = columns.length(of_outline::DOC_LENGTH)?;
                doc.extend_from_slice(columns.text(length)?);
            }
            gap => {
                let length = columns.length(of_outline::DOC_LENGTH)?;
                let start = at.saturating_add(gap - 3);
                let line = source.get(start..start.saturating_add(length));
                doc.extend_from_slice(line.ok_or("documentation beyond the source")?);
                at = start + length;
            }
        }
    }
    text_of(&doc).map(Some)
}

fn put_symbols(
    columns: &mut Columns<{ of_outline::COUNT }>,
    symbols: &[Symbol],
    source: &[u8],
    lines: &Lines,
) {
    use of_outline::*;
    let mut before = 0;
    let mut nest = Nest::default();
    for (at, symbol) in symbols.iter().enumerate() {
        let Symbol { extent, span, name_span, .. } = *symbol;
        columns.number(KIND, place_of(SymbolKind::ALL, &symbol.kind) + 1);
        let visibility = symbol.visibility.map_or(0, |visibility| place_of(Visibility::ALL, &visibility) + 1);
        columns.number(VISIBILITY, visibility);
        columns.maybe(PARENT, symbol.parent, nest.round(&symbols[..at], extent.start));
        columns.difference(START, extent.start, before);
        columns.number(LENGTH, u64::from(extent.len()));
        columns.difference(LEAD, span.start, extent.start);
        columns.difference(TAIL, span.end, extent.end);
        columns.difference(NAME_AT, name_span.start, span.start);
        put_name(columns, (NAME, NAME_LENGTH), &symbol.name, name_span, source);
        put_qualifier(columns, QUALIFIER, symbol.qualifier.as_deref(), source, name_span.start);
        columns.difference(FIRST_LINE, symbol.lines.start, lines.at(span.start));
        columns.difference(LAST_LINE, symbol.lines.end, lines.at(span.end));
        put_signature(columns, &symbol.signature, source, span.start);
        put_doc(columns, symbol.doc.as_deref(), source, extent.start);
        before = extent.start;
    }
}

fn take_symbols(
    columns: &mut ColumnReader<'_, { of_outline::COUNT }>,
    source: &[u8],
    lines: &Lines,
) -> Result<Vec<Symbol>, String> {
    use of_outline::*;
    let mut symbols = Vec::with_capacity(columns.at_most(KIND));
    let mut before = 0;
    let mut nest = Nest::default();
    while columns.has(KIND) {
        let kind = columns.number(KIND)?.checked_sub(1).ok_or("a definition without a kind")?;
        let kind = take_named(kind, SymbolKind::ALL)?;
        let visibility = match columns.number(VISIBILITY)?.checked_sub(1) {
            Some(place) => Some(take_named(place, Visibility::ALL)?),
            None => None,
        };
        let start = columns.difference(START, before)?;
        let round = nest.round(&symbols, start);
        let parent = below(columns.maybe(PARENT, round)?, symbols.len())?;
        let end = u32::try_from(columns.number(LENGTH)?).ok().and_then(|length| start.checked_add(length));
        let extent = span_of(start, end.ok_or("an extent that is out of range")?)?;
        let span = span_of(columns.difference(LEAD, extent.start)?, columns.difference(TAIL, extent.end)?)?;
        let name_at = columns.difference(NAME_AT, span.start)?;
        let (name, name_span) = take_name(columns, (NAME, NAME_LENGTH), name_at, source)?;
        let qualifier = take_qualifier(columns, QUALIFIER, source, name_span.start)?;
        let first = columns.difference(FIRST_LINE, lines.at(span.start))?;
        let last = columns.difference(LAST_LINE, lines.at(span.end))?;
        let signature = take_signature(columns, source, span.start)?;
        let doc = take_doc(columns, source, extent.start)?;
        before = extent.start;
        symbols.push(Symbol {
            name,
            qualifier,
            kind,
            parent,
            span,
            lines: line_range(first, last)?,
            extent,
            name_span,
            signature,
            doc,
            visibility,
        });
    }
    Ok(symbols)
}

/// What a chunk is about: the first definition that begins in it, or else what the chunk before is about.
#[derive(Default)]
struct About {
    next: usize,
    before: Option<u32>,
}

impl About {
    fn expected(&mut self, symbols: &[Symbol], chunk: Span) -> Option<u32> {
        let is_before = |symbol: &Symbol| symbol.extent.start < chunk.start;
        while symbols.get(self.next).is_some_and(is_before) {
            self.next += 1;
        }
        let begins = symbols.get(self.next).filter(|symbol| symbol.extent.start < chunk.end);
        begins.map_or(self.before, |_| Some(self.next as u32))
    }
}

fn put_chunks(
    columns: &mut Columns<{ of_outline::COUNT }>,
    chunks: &[Chunk],
    symbols: &[Symbol],
    source: &[u8],
    lines: &Lines,
) {
    use of_outline::*;
    let mut before = 0;
    let mut about = About::default();
    for chunk in chunks {
        let Chunk { span, lines: at, symbol, hash } = chunk;
        columns.number(CHUNK, u64::from(span.len()) + 1);
        columns.difference(CHUNK_START, span.start, next_text(source, before));
        columns.difference(CHUNK_FIRST_LINE, at.start, lines.at(span.start));
        columns.difference(CHUNK_LAST_LINE, at.end, lines.at(span.end));
        columns.maybe(CHUNK_SYMBOL, *symbol, about.expected(symbols, *span));
        let follows = source.get(span.range()).is_some_and(|text| ContentHash::of(text) == *hash);
        columns.number(CHUNK_HASH, u64::from(!follows));
        if !follows {
            columns.text(hash.as_bytes());
        }
        before = span.end;
        about.before = *symbol;
    }
}

fn take_chunks(
    columns: &mut ColumnReader<'_, { of_outline::COUNT }>,
    symbols: &[Symbol],
    source: &[u8],
    lines: &Lines,
    wanted: Wanted,
) -> Result<Vec<Chunk>, String> {
    use of_outline::*;
    let mut chunks = Vec::with_capacity(columns.at_most(CHUNK));
    let mut before = 0;
    let mut about = About::default();
    while columns.has(CHUNK) {
        let length = columns.number(CHUNK)?.checked_sub(1).ok_or("a chunk without a length")?;
        let start = columns.difference(CHUNK_START, next_text(source, before))?;
        let end = u32::try_from(length).ok().and_then(|length| start.checked_add(length));
        let span = span_of(start, end.ok_or("a chunk that is out of range")?)?;
        let first = columns.difference(CHUNK_FIRST_LINE, lines.at(span.start))?;
        let last = columns.difference(CHUNK_LAST_LINE, lines.at(span.end))?;
        let symbol = columns.maybe(CHUNK_SYMBOL, about.expected(symbols, span))?;
        let symbol = below(symbol, symbols.len())?;
        let text = || source.get(span.range()).ok_or("a chunk beyond the source");
        let hash = match columns.number(CHUNK_HASH)? {
            0 if wanted == Wanted::All => ContentHash::of(text()?),
            0 => text().map(|_| NO_HASH)?,
            _ => {
                let hash = columns.text(16)?.try_into().map_err(|_| "a hash of another length")?;
                if wanted == Wanted::All { ContentHash::from_bytes(hash) } else { NO_HASH }
            }
        };
        before = span.end;
        about.before = symbol;
        chunks.push(Chunk { span, lines: line_range(first, last)?, symbol, hash });
    }
    Ok(chunks)
}

/// Goes from mention to mention, by words where it can be.
struct Mentioned<'a> {
    words: Words<'a>,
    last: Span,
}

impl<'a> Mentioned<'a> {
    fn new(source: &'a [u8]) -> Self {
        Self { words: Words::of(source), last: Span::new(0, 0) }
    }

    /// The code of a word that is mentioned next, if it is one, and goes there.
    fn go_to(&mut self, place: Span) -> Option<u64> {
        if place == self.last {
            return Some(1);
        }
        let mut words = self.words.clone();
        let mut between = 0;
        loop {
            let word = words.next()?;
            if word == place {
                (self.words, self.last) = (words, place);
                return Some(between + 2);
            }
            if word.start >= place.start {
                return None;
            }
            between += 1;
        }
    }

    /// The word with a code; `None` if there is none.
    fn go_by(&mut self, code: u64) -> Option<Span> {
        if code > 1 {
            let between = usize::try_from(code - 2).ok()?;
            self.last = self.words.nth(between)?;
        }
        Some(self.last)
    }

    /// Goes on behind something that is no word.
    fn pass(&mut self, place: Span) {
        self.words.skip_to(place.end);
        self.last = place;
    }
}

fn put_mentions(
    columns: &mut Columns<{ of_mentions::COUNT }>,
    references: &[Reference],
    symbols: &[Symbol],
    source: &[u8],
    lines: &Lines,
) {
    use of_mentions::*;
    let mut mentioned = Mentioned::new(source);
    let mut nest = Nest::default();
    for reference in references {
        let place = reference.span;
        columns.number(KIND, place_of(ReferenceKind::ALL, &reference.kind) + 1);
        let is_text = source.get(place.range()) == Some(reference.name.as_bytes());
        match is_text.then(|| mentioned.go_to(place)).flatten() {
            Some(code) => columns.number(WORD, code),
            None => {
                columns.number(WORD, 0);
                columns.difference(START, place.start, mentioned.last.end);
                put_name(columns, (NAME, LENGTH), &reference.name, place, source);
                mentioned.pass(place);
            }
        }
        put_qualifier(columns, QUALIFIER, reference.qualifier.as_deref(), source, place.start);
        let alias = reference.alias.as_deref();
        columns.number(ALIAS, alias.map_or(0, |alias| alias.len() as u64 + 1));
        columns.text(alias.unwrap_or_default().as_bytes());
        columns.difference(LINE, reference.line, lines.at(place.start));
        columns.maybe(SYMBOL, reference.symbol, nest.round(symbols, place.start));
    }
}

fn take_mentions(
    columns: &mut ColumnReader<'_, { of_mentions::COUNT }>,
    symbols: &[Symbol],
    source: &[u8],
    lines: &Lines,
) -> Result<Vec<Reference>, String> {
    use of_mentions::*;
    let mut references = Vec::with_capacity(columns.at_most(KIND));
    let mut mentioned = Mentioned::new(source);
    let mut nest = Nest::default();
    while columns.has(KIND) {
        let kind = columns.number(KIND)?.checked_sub(1).ok_or("a mention without a kind")?;
        let kind = take_named(kind, ReferenceKind::ALL)?;
        let (name, span) = match columns.number(WORD)? {
            0 => {
                let start = columns.difference(START, mentioned.last.end)?;
                let (name, span) = take_name(columns, (NAME, LENGTH), start, source)?;
                mentioned.pass(span);
                (name, span)
            }
            code => {
                let word = mentioned.go_by(code).ok_or("a word beyond the source")?;
                (text_of(source_at(source, word.start, word.len() as usize)?)?, word)
            }
        };
        let qualifier = take_qualifier(columns, QUALIFIER, source, span.start)?;
        let alias = match columns.length(ALIAS)?.checked_sub(1) {
            Some(length) => Some(text_of(columns.text(length)?)?),
            None => None,
        };
        let line = columns.difference(LINE, lines.at(span.start))?;
        let symbol = below(columns.maybe(SYMBOL, nest.round(symbols, span.start))?, symbols.len())?;
        references.push(Reference { kind, name, qualifier, alias, span, line, symbol });
    }
    Ok(references)
}
