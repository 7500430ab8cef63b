//! What holds for every parsed file, whatever is in it.

use ast_core_model::{Chunk, ContentHash, LineRange, Span, Symbol, scope_of};
use ast_core_parse::{ChunkingConfig, Encoding, ParsedFile, SourceText, SyntaxErrors};

/// The most symbols of one file of which is asked what costs time for each.
const ASKED: usize = 32;
/// The longest signature, its mark of what was left out included, and the longest documentation, in bytes.
const MAX_SIGNATURE_BYTES: usize = 403;
const MAX_DOC_BYTES: usize = 8 << 10;

/// Asserts what holds for what a parser with the usual chunk sizes made of the bytes of a file.
pub fn check_file(bytes: &[u8], file: &ParsedFile) {
    check_source(&SourceText::decode(bytes).expect("it was decoded before"), bytes.len(), file);
}

/// Asserts the same of what it made of the text of a file of `length` bytes.
pub fn check_source(source: &SourceText<'_>, length: usize, file: &ParsedFile) {
    let places = Places::new(source, length);
    assert_eq!(file.encoding, source.encoding());
    assert_eq!(file.lines as usize, source.text().lines().count());
    assert_eq!(file.annotations.len(), file.symbols.len());
    for (index, symbol) in file.symbols.iter().enumerate() {
        places.check_symbol(symbol);
        if let Some(parent) = symbol.parent {
            assert!((parent as usize) < index, "inside of a later one: {symbol:?}");
        }
    }
    for pair in file.symbols.windows(2) {
        assert!(pair[0].extent.start <= pair[1].extent.start, "not in order of their beginning: {pair:?}");
    }
    for reference in &file.references {
        places.check(reference.span);
        assert_eq!(reference.line, places.line(reference.span.start), "{reference:?}");
        assert!(!reference.name.is_empty(), "{reference:?}");
        assert!(
            reference.symbol.is_none_or(|symbol| (symbol as usize) < file.symbols.len()),
            "{reference:?}"
        );
    }
    assert!(file.references.is_sorted_by_key(|reference| reference.span.start));
    check_chunks(source, &file.chunks, &ChunkingConfig::default());
    for chunk in &file.chunks {
        assert!(chunk.symbol.is_none_or(|symbol| (symbol as usize) < file.symbols.len()), "{chunk:?}");
    }
    check_errors(&places, &file.syntax_errors);
    if !file.coverage.has_symbols() {
        assert!(file.symbols.is_empty() && file.references.is_empty());
        assert_eq!(file.syntax_errors, SyntaxErrors::default());
    }
    check_answers(file);
}

/// Asserts that the chunks are in order and apart, that what is between them is blank, and that lines, hashes and
/// sizes are right.
pub fn check_chunks(source: &SourceText<'_>, chunks: &[Chunk], chunking: &ChunkingConfig) {
    let text = source.text();
    // A token has at most 8 bytes of text, and a chunk at most 16 tokens more than it should.
    let most = (chunking.max_tokens.max(16) as usize + 17) * 8;
    let mut at = 0;
    let mut line = 1;
    for chunk in chunks {
        let inside = source.slice(chunk.span);
        assert!(!inside.is_empty() && inside == inside.trim(), "{chunk:?}: {inside:?}");
        let start = text[at..].find(|c: char| !c.is_whitespace()).map(|skipped| at + skipped);
        let start = start.expect("a chunk beyond the end of the text");
        assert!(text[start..].starts_with(inside), "left out before {chunk:?}: {:?}", &text[at..start]);
        assert_eq!(inside.as_ptr(), text[start..].as_ptr(), "not at its place: {chunk:?}");
        assert!(inside.len() <= most, "{} bytes in a chunk of {} tokens", inside.len(), chunking.max_tokens);
        line += line_breaks(&text[at..start]);
        let first = line;
        line += line_breaks(inside);
        assert_eq!(chunk.lines, LineRange::new(first, line), "{chunk:?}");
        assert_eq!(chunk.hash, ContentHash::of(inside.as_bytes()));
        at = start + inside.len();
    }
    assert!(text[at..].trim().is_empty(), "left out at the end: {:?}", &text[at..]);
}

fn check_errors(places: &Places<'_>, errors: &SyntaxErrors) {
    assert!(errors.places.len() <= errors.count as usize && errors.places.len() <= 32);
    errors.places.iter().for_each(|place| places.check(*place));
    assert_eq!(errors.first_line, errors.places.first().map(|place| places.line(place.start)));
}

/// What is asked of a file later answers for every symbol.
fn check_answers(file: &ParsedFile) {
    for (index, symbol) in file.symbols.iter().enumerate().take(ASKED) {
        assert!(file.references_of(index).all(|mention| {
            symbol.extent.start <= mention.span.start && mention.span.start < symbol.extent.end
        }));
        file.imports_of(index);
        file.is_exported(index);
        scope_of(&file.symbols, index);
    }
    let beyond = file.symbols.len();
    assert_eq!((file.references_of(beyond).count(), file.is_exported(beyond)), (0, false));
}

struct Places<'a> {
    text: &'a str,
    /// That of the file, in bytes.
    length: usize,
    is_utf16: bool,
    /// Where the lines begin, in bytes of the file.
    line_starts: Vec<u32>,
}

impl<'a> Places<'a> {
    fn new(source: &'a SourceText<'a>, length: usize) -> Self {
        let is_utf16 = matches!(source.encoding(), Encoding::Utf16Le | Encoding::Utf16Be);
        let mut at = if is_utf16 { 2 } else { 0 };
        let mut line_starts = vec![0];
        for c in source.text().chars() {
            at += if is_utf16 { 2 * c.len_utf16() } else { c.len_utf8() };
            if c == '\n' {
                line_starts.push(at as u32);
            }
        }
        Self { text: source.text(), length, is_utf16, line_starts }
    }

    fn check(&self, span: Span) {
        assert!(span.start <= span.end && span.end as usize <= self.length, "{span:?} is not in the file");
        for place in [span.start, span.end] {
            let fits = if self.is_utf16 {
                place >= 2 && place % 2 == 0
            } else {
                self.text.is_char_boundary(place as usize)
            };
            assert!(fits, "{place} is not between characters");
        }
    }

    fn line(&self, at: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= at) as u32
    }

    fn check_symbol(&self, symbol: &Symbol) {
        [symbol.span, symbol.extent, symbol.name_span].into_iter().for_each(|span| self.check(span));
        assert!(symbol.extent.contains(symbol.span), "{symbol:?}");
        let last = symbol.span.end.saturating_sub(1).max(symbol.span.start);
        assert_eq!(symbol.lines, LineRange::new(self.line(symbol.span.start), self.line(last)), "{symbol:?}");
        assert!(!symbol.name.is_empty() && symbol.name.trim() == &*symbol.name, "{symbol:?}");
        assert!(
            symbol.signature.len() <= MAX_SIGNATURE_BYTES && !symbol.signature.contains('\n'),
            "{symbol:?}"
        );
        assert!(
            symbol.doc.as_ref().is_none_or(|doc| doc.len() <= MAX_DOC_BYTES && !doc.is_empty()),
            "{symbol:?}"
        );
    }
}

fn line_breaks(text: &str) -> u32 {
    text.bytes().filter(|&byte| byte == b'\n').count() as u32
}
