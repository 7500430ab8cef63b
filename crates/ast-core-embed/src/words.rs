//! What of a text the static embedder looks at: its words, by where they stand, and the pieces of words that it does not
//! know. Its training cuts text by the same functions.

use crate::EmbedInput;
use crate::hashing::hash;
use ast_core_model::terms::{TermKind, TermSplitter};

/// Where a word stands. The same word counts for more in a name than in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// In a question, or in documentation.
    Question,
    /// In the first line or so of code: a signature, or the comment over it.
    Head,
    /// In code after that.
    Body,
    /// In the first name of a text, which is that of what it is about.
    Name,
    /// In the names after that, which are inside of it or round it.
    Scope,
    /// In the path of a file, and the names that go with it.
    Path,
}

impl Field {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Question, Self::Head, Self::Body, Self::Name, Self::Scope, Self::Path];
}

/// A word of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word as [`TermSplitter`] leaves it.
    pub text: &'a str,
    /// Where it stands.
    pub field: Field,
    /// Whether it is to be told from its letters if it is not in the vocabulary. What is made of words is not: they are
    /// there themselves.
    pub is_part: bool,
}

/// Calls `emit` with each word of an input, as often as it is there.
pub fn words(splitter: &mut TermSplitter, input: &EmbedInput<'_>, mut emit: impl FnMut(Word<'_>)) {
    let (head, body) = input.code.split_at(head_length(input.code));
    let name = input.name.trim_start();
    let (name, scope) = name.split_once(' ').unwrap_or((name, ""));
    let fields = [
        (Field::Question, input.doc),
        (Field::Head, head),
        (Field::Body, body),
        (Field::Name, name),
        (Field::Scope, scope),
        (Field::Path, input.path),
    ];
    for (field, text) in fields {
        words_of(splitter, text, field, &mut emit);
    }
}

/// Bytes of code that are its head: whole lines of at least so many, or a part of a line that is longer than the second.
const HEAD_BYTES: (usize, usize) = (100, 300);

fn head_length(code: &str) -> usize {
    let least = code.floor_char_boundary(HEAD_BYTES.0);
    let most = code.floor_char_boundary(HEAD_BYTES.1);
    code[least..most].find('\n').map_or(most, |at| least + at)
}

/// Calls `emit` with each word of one field's text, as often as it is there.
pub fn words_of(splitter: &mut TermSplitter, text: &str, field: Field, mut emit: impl FnMut(Word<'_>)) {
    splitter.split(text, |term| emit(Word { text: term.text, field, is_part: term.kind == TermKind::Part }));
}

/// How many characters a piece of a word has.
const PIECE_SIZES: std::ops::RangeInclusive<usize> = 3..=5;

/// Cuts a word that is not in the vocabulary into overlapping pieces of 3, 4 and 5 characters, its ends marked, and
/// appends the bucket of each, below `buckets`, to `found` (Bojanowski et al., "Enriching Word Vectors with Subword
/// Information", 2017). Any word has at least one piece. Nothing is appended without buckets.
pub fn pieces(word: &str, buckets: u32, found: &mut Vec<u32>) {
    if buckets == 0 {
        return;
    }
    // Terms have neither of the marks.
    let marked = format!("^{word}$");
    let bounds: Vec<usize> = marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
    for size in PIECE_SIZES {
        for ends in bounds.windows(size + 1) {
            found.push((hash(&marked[ends[0]..ends[size]]) % u64::from(buckets)) as u32);
        }
    }
    if bounds.len() <= *PIECE_SIZES.start() {
        found.push((hash(&marked) % u64::from(buckets)) as u32);
    }
}

/// What a word counts for that is there so many times: more than once says more, but not in proportion.
pub fn weight_of(count: u32) -> f32 {
    (count as f32).ln_1p()
}

/// What each of a word's pieces counts for, so that an unknown word of any length counts as much as a known one.
pub fn share_of(pieces: usize) -> f32 {
    1.0 / (pieces.max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_know_where_they_stand() {
        let code = format!("loop {{ // {}\ntail", "- ".repeat(60));
        let input = EmbedInput { name: "readAll File", path: "src/io.rs", doc: "Reads.", code: &code };
        let mut found = Vec::new();
        words(&mut TermSplitter::default(), &input, |word| {
            found.push(format!("{:?} {} {}", word.field, word.text, word.is_part));
        });
        assert_eq!(found[..3], ["Question read true", "Head loop true", "Body tail true"]);
        assert_eq!(found[3..6], ["Name read true", "Name all true", "Name readall false"]);
        assert_eq!(found[6..], ["Scope fil true", "Path src true", "Path io true", "Path rs true"]);
    }

    #[test]
    fn the_head_of_code_is_whole_lines_unless_they_are_long() {
        assert_eq!(head_length("short"), 5);
        assert_eq!(head_length(&format!("{}\n{}", "a".repeat(120), "b".repeat(400))), 120);
        assert_eq!(head_length(&"a".repeat(400)), 300);
        assert_eq!(head_length(&"値".repeat(400)), 300);
        assert_eq!(head_length(&format!("{}\n{}", "a".repeat(20), "b".repeat(200))), 221);
    }

    #[test]
    fn alike_words_share_pieces() {
        let of = |word| {
            let mut found = Vec::new();
            pieces(word, 1 << 30, &mut found);
            found
        };
        // ^kad kade adem deml emli mlia lia$ of four, one more of three and one less of five.
        assert_eq!(of("kademlia").len(), 8 + 7 + 6);
        let (a, b) = (of("kademlia"), of("kademliadht"));
        assert!(a.iter().filter(|piece| b.contains(piece)).count() > 10);
        assert!(of("x").len() == 1 && of("値").len() == 1);
        assert!(of("").len() == 1);
    }

    proptest! {
        #[test]
        fn any_word_has_pieces_in_range(word in "\\PC{0,64}", buckets in 1u32..10_000) {
            let mut found = Vec::new();
            pieces(&word, buckets, &mut found);
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|&bucket| bucket < buckets));
        }
    }
}
