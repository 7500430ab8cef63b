//! Places in a text that a definition inside a function must have: a keyword, an arrow, a brace.
//!
//! Most of a file is the inside of functions, and most of that defines nothing. Looking at every node of it costs
//! about a seventh of the parse; looking for these few strings first costs next to nothing, and a subtree without
//! any is left out. Nothing is lost: a string in a comment only makes a subtree be looked at in vain.

use memchr::memmem;

/// What a definition inside a function cannot be without, in one language: any one of these.
pub(crate) struct Triggers {
    /// Keywords, as whole words.
    pub(crate) keywords: &'static [&'static str],
    /// Operators.
    pub(crate) operators: &'static [&'static str],
    /// An opening brace after a parameter list or a return type.
    pub(crate) braces: bool,
}

impl Triggers {
    /// Puts the places, in order, in `places`: a node holds a trigger if it begins before and ends after one.
    pub(crate) fn find(&self, text: &str, places: &mut Vec<u32>) {
        let bytes = text.as_bytes();
        places.clear();
        for keyword in self.keywords {
            let is_word = |at: &usize| {
                let before = at.checked_sub(1).and_then(|before| bytes.get(before));
                !before.is_some_and(is_word_byte) && !bytes.get(at + keyword.len()).is_some_and(is_word_byte)
            };
            places.extend(memmem::find_iter(bytes, keyword).filter(is_word).map(|at| at as u32 + 1));
        }
        for operator in self.operators {
            places.extend(memmem::find_iter(bytes, operator).map(|at| at as u32 + 1));
        }
        if self.braces {
            places.extend(
                memchr::memchr_iter(b'{', bytes).filter(|&at| opens_body(&bytes[..at])).map(|at| at as u32),
            );
        }
        places.sort_unstable();
    }
}

fn is_word_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 128
}

/// Whether what is before a brace could be a parameter list or a return type, or a comment after one.
fn opens_body(before: &[u8]) -> bool {
    let last = before.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    last.is_some_and(|byte| {
        is_word_byte(byte) || matches!(byte, b')' | b'>' | b']' | b'}' | b'/' | b'"' | b'\'')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_words_and_braces_follow_heads() {
        let triggers = Triggers { keywords: &["fn"], operators: &["=>"], braces: true };
        let mut places = vec![7];
        triggers.find("fn a() { fnord(x => 1, { b: my_fn }); } fn", &mut places);
        assert_eq!(places, [1, 7, 18, 41]);
    }
}
