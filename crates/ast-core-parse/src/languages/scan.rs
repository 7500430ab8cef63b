//! Reading a text byte by byte and putting other bytes into places of it: what the rewriters of languages share.

/// A text that is read from the beginning to the end, and what is changed in it on the way. Letters beyond ASCII are
/// parts of words, and `$` is if so told.
pub(super) struct Scan<'a, const DOLLAR: bool> {
    pub(super) bytes: &'a [u8],
    /// Where the reading is.
    pub(super) at: usize,
    /// Places, and the bytes that come there.
    changes: Vec<(usize, u8)>,
}

impl<'a, const DOLLAR: bool> Scan<'a, DOLLAR> {
    /// Reads from a place on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, changes: Vec::new() }
    }

    /// The text with its changes, if there are any.
    pub(super) fn changed(self) -> Option<Vec<u8>> {
        if self.changes.is_empty() {
            return None;
        }
        let mut bytes = self.bytes.to_vec();
        for (at, byte) in self.changes {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        Some(bytes)
    }

    /// Puts a byte into a place.
    pub(super) fn put(&mut self, at: usize, byte: u8) {
        self.changes.push((at, byte));
    }

    /// Puts blanks into a stretch.
    pub(super) fn blank(&mut self, from: usize, to: usize) {
        self.changes.extend((from..to).map(|at| (at, b' ')));
    }

    /// The byte in this place, if the text is not over.
    pub(super) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Whether a text follows in this place.
    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    pub(super) fn is_word_byte(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_' || DOLLAR && byte == b'$' || byte >= 0x80
    }

    pub(super) fn end_of_word(&self, from: usize) -> usize {
        from + self.bytes[from..].iter().take_while(|byte| Self::is_word_byte(**byte)).count()
    }

    /// The place of what follows the blanks from a place on.
    pub(super) fn behind_blanks(&self, from: usize) -> usize {
        from + self.bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// Skips what is between two quotes and ends on its line; where so told, a backslash makes the next byte one of
    /// the text.
    pub(super) fn skip_quoted(&mut self, quote: u8, escapes: bool) {
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += if byte == b'\\' && escapes { 2 } else { 1 };
            if byte == quote || byte == b'\n' {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    /// Skips what is up to the end of the line.
    pub(super) fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }
}
