//! From the bytes of a file to text, keeping track of where each byte of the text was in the file.

use crate::ParseError;
use ast_core_model::Span;
use std::borrow::Cow;

/// How many bytes from the start are looked at for a NUL, as git does.
const BINARY_PROBE: usize = 8000;

/// The encoding a file was found to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-8 in which some bytes are not; each of them stands as U+001A SUBSTITUTE in the text.
    Utf8Lossy,
    /// UTF-16, little end first, told by its byte order mark.
    Utf16Le,
    /// UTF-16, big end first, told by its byte order mark.
    Utf16Be,
}

/// The text of a file.
#[derive(Debug, Clone)]
pub struct SourceText<'a> {
    text: Cow<'a, str>,
    encoding: Encoding,
    /// For each byte of the text, and one past its end, the file's byte; `None` where they are the same.
    offsets: Option<Vec<u32>>,
    name: &'a str,
}

impl<'a> SourceText<'a> {
    /// Reads the bytes as text: UTF-16 if they begin with its byte order mark, else UTF-8. Bytes that are not
    /// valid UTF-8 are replaced one for one by U+001A, so that every offset stays what it is in the file.
    ///
    /// # Errors
    /// [`ParseError::Binary`] if there is a NUL among the first 8,000 bytes (of anything but UTF-16).
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ParseError> {
        match bytes {
            [0xFF, 0xFE, rest @ ..] => return Ok(Self::decode_utf16(rest, Encoding::Utf16Le)),
            [0xFE, 0xFF, rest @ ..] => return Ok(Self::decode_utf16(rest, Encoding::Utf16Be)),
            _ => {}
        }
        if let Some(offset) = memchr::memchr(0, &bytes[..bytes.len().min(BINARY_PROBE)]) {
            return Err(ParseError::Binary { offset });
        }
        let (text, encoding) = match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), Encoding::Utf8),
            Err(_) => (Cow::Owned(substitute_invalid(bytes)), Encoding::Utf8Lossy),
        };
        Ok(Self { text: with_line_feeds(text), encoding, offsets: None, name: "" })
    }

    /// Takes text that is already decoded.
    pub fn from_text(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), encoding: Encoding::Utf8, offsets: None, name: "" }
    }

    /// Says what the file is called, without folder and extension: a definition without a name of its own, such as
    /// a JavaScript module's default export, is called that.
    pub fn named(mut self, stem: &'a str) -> Self {
        self.name = stem;
        self
    }

    /// What [`named`](Self::named) said, else `""`.
    pub fn name(&self) -> &'a str {
        self.name
    }

    fn decode_utf16(bytes: &[u8], encoding: Encoding) -> Self {
        let units = bytes.chunks_exact(2).map(|pair| match encoding {
            Encoding::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
            _ => u16::from_le_bytes([pair[0], pair[1]]),
        });
        let mut text = String::with_capacity(bytes.len());
        let mut offsets = Vec::with_capacity(bytes.len());
        // The byte order mark was taken off before.
        let mut at = 2;
        for decoded in char::decode_utf16(units) {
            let (c, width) = match decoded {
                Ok(c) => (c, 2 * c.len_utf16()),
                Err(_) => (char::REPLACEMENT_CHARACTER, 2),
            };
            text.push(c);
            offsets.resize(text.len(), at as u32);
            at += width;
        }
        offsets.push(at as u32);
        Self { text: with_line_feeds(Cow::Owned(text)), encoding, offsets: Some(offsets), name: "" }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The encoding of the file.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The place in the file of a place in the text, both in bytes. A place beyond the end stands for the end.
    pub fn in_file(&self, span: Span) -> Span {
        match &self.offsets {
            None => span,
            Some(offsets) => {
                let offset = |at: u32| offsets.get(at as usize).or(offsets.last()).copied().unwrap_or(at);
                Span::new(offset(span.start), offset(span.end))
            }
        }
    }

    /// The text of a place in the file; `""` if it is not one of whole characters.
    pub fn slice(&self, in_file: Span) -> &str {
        let range = match &self.offsets {
            None => in_file.range(),
            Some(offsets) => {
                let place = |at: u32| offsets.partition_point(|&offset| offset < at);
                place(in_file.start)..place(in_file.end).min(self.text.len())
            }
        };
        self.text.get(range).unwrap_or("")
    }

    /// From places in the file to places in its text as JavaScript, Java and C# count them.
    pub fn utf16_places(&self) -> Utf16Places {
        if self.offsets.is_some() {
            return Utf16Places(Places::Pairs);
        }
        let (mut wide, mut beyond, mut at) = (Vec::new(), 0, 0);
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            // Most of most texts is ASCII.
            if bytes.get(at..at + 16).is_some_and(<[u8]>::is_ascii) {
                at += 16;
                continue;
            }
            let (width, units) = match byte {
                0..0x80 => (1, 1),
                0x80..0xE0 => (2, 1),
                0xE0..0xF0 => (3, 1),
                _ => (4, 2),
            };
            at += width;
            if width > 1 {
                beyond += (width - units) as u32;
                wide.push((at as u32, beyond));
            }
        }
        Utf16Places(Places::Wide(wide))
    }

    /// Whether places in the text are places in the file.
    pub(crate) fn same_offsets(&self) -> bool {
        self.offsets.is_none()
    }
}

/// Where places in a file are in its text, counted in UTF-16 code units from 0.
///
/// The text is that of the whole file, with the byte order mark if there is one, as who decodes all of it by its encoding
/// has it. In UTF-8 that is not valid, each byte that is not counts as one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utf16Places(Places);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Places {
    /// A file in UTF-16: two bytes a unit.
    Pairs,
    /// A file in UTF-8: where each character ends that takes more bytes than units, and how many more it and those before
    /// it take.
    Wide(Vec<(u32, u32)>),
}

impl Utf16Places {
    /// The place of a byte of the file, or of its end.
    pub fn of(&self, byte: u32) -> u32 {
        match &self.0 {
            Places::Pairs => byte / 2,
            Places::Wide(wide) => {
                let before = wide.partition_point(|(end, _)| *end <= byte);
                byte - before.checked_sub(1).map_or(0, |last| wide[last].1)
            }
        }
    }

    /// The place of a span of the file: units from `start` to `end`, that not included.
    pub fn of_span(&self, span: Span) -> Span {
        Span::new(self.of(span.start), self.of(span.end))
    }

    /// Whether each byte is one unit.
    pub fn is_bytes(&self) -> bool {
        matches!(&self.0, Places::Wide(wide) if wide.is_empty())
    }
}

/// The text with lines that end in line feeds, as they do for the grammars, if they end in carriage returns alone.
fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if only_carriage_returns(text.as_bytes()) { Cow::Owned(text.replace('\r', "\n")) } else { text }
}

/// Whether lines end in carriage returns alone, as once on the Macintosh.
fn only_carriage_returns(bytes: &[u8]) -> bool {
    memchr::memchr2(b'\r', b'\n', bytes).is_some_and(|at| bytes[at] == b'\r') && !bytes.contains(&b'\n')
}

fn substitute_invalid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|_| '\u{1A}'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nul_means_binary() {
        assert_eq!(SourceText::decode(b"ab\0c").unwrap_err(), ParseError::Binary { offset: 2 });
    }

    #[test]
    fn lines_may_end_in_carriage_returns_alone() {
        let text = |bytes| SourceText::decode(bytes).unwrap().text().to_owned();
        assert_eq!(text(b"a\rb\r"), "a\nb\n");
        assert_eq!(text(b"a\rb\n"), "a\rb\n");
        assert_eq!(text(b"a\r\nb"), "a\r\nb");
    }

    #[test]
    fn utf16_offsets_are_those_of_the_file() {
        for (mark, encoding) in [([0xFF, 0xFE], Encoding::Utf16Le), ([0xFE, 0xFF], Encoding::Utf16Be)] {
            let mut bytes = mark.to_vec();
            for unit in "aé😀b".encode_utf16() {
                bytes.extend(if encoding == Encoding::Utf16Le {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                });
            }
            let source = SourceText::decode(&bytes).unwrap();
            assert_eq!((source.text(), source.encoding()), ("aé😀b", encoding));
            // a at 2, é at 4, 😀 at 6 (four bytes), b at 10, end at 12.
            assert_eq!(source.in_file(Span::new(0, 1)), Span::new(2, 4));
            assert_eq!(source.in_file(Span::new(3, 7)), Span::new(6, 10));
            assert_eq!(source.in_file(Span::new(7, 8)), Span::new(10, 12));
            for (start, end) in [(0, 1), (1, 3), (3, 7), (7, 8), (0, 8)] {
                let text = &source.text()[start as usize..end as usize];
                assert_eq!(source.slice(source.in_file(Span::new(start, end))), text);
            }
        }
    }

    #[test]
    fn an_odd_byte_and_a_lone_surrogate_do_not_shift_what_follows() {
        let bytes = [0xFF, 0xFE, 0x00, 0xD8, b'x', 0, 0x7A];
        let source = SourceText::decode(&bytes).unwrap();
        assert_eq!(source.text(), "\u{FFFD}x");
        assert_eq!(source.in_file(Span::new(3, 4)), Span::new(4, 6));
    }

    proptest! {
        #[test]
        fn places_in_utf16_are_those_of_the_decoded_text(text in "\\u{feff}?(?s:.{0,40})", big in any::<bool>()) {
            prop_assume!(!text.contains('\0'));
            let units: Vec<u16> = text.encode_utf16().collect();
            let source = SourceText::decode(text.as_bytes()).unwrap();
            let places = source.utf16_places();
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
                prop_assert_eq!(places.of(at as u32) as usize, text[..at].encode_utf16().count());
            }
            prop_assert_eq!(places.is_bytes(), text.is_ascii());

            let mark: &[u8] = if big { &[0xFE, 0xFF] } else { &[0xFF, 0xFE] };
            let of_unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let bytes: Vec<u8> = mark.iter().copied().chain(units.into_iter().flat_map(of_unit)).collect();
            let source = SourceText::decode(&bytes).unwrap();
            let places = source.utf16_places();
            let mut unit = 1;
            for (at, c) in source.text().char_indices() {
                let span = Span::new(at as u32, (at + c.len_utf8()) as u32);
                prop_assert_eq!(places.of_span(source.in_file(span)), Span::new(unit, unit + c.len_utf16() as u32));
                unit += c.len_utf16() as u32;
            }
        }

        #[test]
        fn invalid_bytes_keep_their_places(bytes in proptest::collection::vec(1u8.., 0..64)) {
            prop_assume!(!bytes.starts_with(&[0xFF, 0xFE]) && !bytes.starts_with(&[0xFE, 0xFF]));
            let source = SourceText::decode(&bytes).unwrap();
            prop_assert_eq!(source.text().len(), bytes.len());
            for (at, c) in source.text().char_indices() {
                // A carriage return may stand as the end of line that it is.
                if c != '\u{1A}' && bytes[at] != b'\r' {
                    prop_assert_eq!(&source.text().as_bytes()[at..at + c.len_utf8()], &bytes[at..at + c.len_utf8()]);
                }
            }
        }
    }
}
