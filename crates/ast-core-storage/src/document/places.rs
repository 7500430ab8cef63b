//! What can be told of a file from its source alone, and so need not be kept: lines, words, which definition is round a
//! place. Where it is told wrong, what is right is kept beside it.

use ast_core_model::{Span, Symbol};

/// The lines of a text.
pub(super) struct Lines {
    /// Where they end.
    ends: Vec<u32>,
}

impl Lines {
    pub(super) fn of(source: &[u8]) -> Self {
        Self { ends: memchr::memchr_iter(b'\n', source).map(|at| at as u32).collect() }
    }

    /// The line that a place is in, counted from 1.
    pub(super) fn at(&self, place: u32) -> u32 {
        self.ends.partition_point(|end| *end < place) as u32 + 1
    }
}

/// Goes through the words of a text: letters, digits, `_`, `$` and all that is not ASCII.
#[derive(Clone)]
pub(super) struct Words<'a> {
    source: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(source: &'a [u8]) -> Self {
        Self { source, at: 0 }
    }

    /// Goes on behind a place, but never back.
    pub(super) fn skip_to(&mut self, place: u32) {
        self.at = self.at.max(place as usize).min(self.source.len());
    }
}

impl Iterator for Words<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let rest = self.source.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| is_of_word(*byte))?;
        let end = start + length_of_word(&self.source[start..]);
        self.at = end;
        Some(Span::new(start as u32, end as u32))
    }
}

/// How many bytes of a word a text begins with.
pub(super) fn length_of_word(text: &[u8]) -> usize {
    text.iter().position(|byte| !is_of_word(*byte)).unwrap_or(text.len())
}

/// How many bytes of a word a text ends with.
pub(super) fn length_of_last_word(text: &[u8]) -> usize {
    text.iter().rev().position(|byte| !is_of_word(*byte)).unwrap_or(text.len())
}

fn is_of_word(byte: u8) -> bool {
    OF_WORDS[usize::from(byte)]
}

const OF_WORDS: [bool; 256] = {
    let mut of_words = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        of_words[byte] = ascii.is_ascii_alphanumeric() || ascii == b'_' || ascii == b'$' || ascii >= 0x80;
        byte += 1;
    }
    of_words
};

/// Which definition is round a place. Definitions and places come in order; where they do not, it is told wrong, but to who
/// writes and to who reads alike.
#[derive(Default)]
pub(super) struct Nest {
    next: usize,
    open: Vec<u32>,
}

impl Nest {
    pub(super) fn round(&mut self, symbols: &[Symbol], place: u32) -> Option<u32> {
        while symbols.get(self.next).is_some_and(|symbol| symbol.span.start <= place) {
            self.open.push(self.next as u32);
            self.next += 1;
        }
        while let Some(&last) = self.open.last() {
            if symbols.get(last as usize).is_some_and(|symbol| place < symbol.span.end) {
                return Some(last);
            }
            self.open.pop();
        }
        None
    }
}

/// The next place that is no white space.
pub(super) fn next_text(source: &[u8], place: u32) -> u32 {
    let rest = source.get(place as usize..).unwrap_or_default();
    place.saturating_add(rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count() as u32)
}

/// So many bytes of the text at a place, with each stretch of white space as one space.
pub(super) fn folded(source: &[u8], place: u32, length: usize) -> Option<Vec<u8>> {
    let rest = source.get(place as usize..)?;
    let mut folded = Vec::with_capacity(length.min(rest.len()));
    let mut was_space = false;
    for &byte in rest {
        if folded.len() == length {
            break;
        }
        let is_space = byte.is_ascii_whitespace();
        if !is_space {
            folded.push(byte);
        } else if !was_space {
            folded.push(b' ');
        }
        was_space = is_space;
    }
    (folded.len() == length).then_some(folded)
}
