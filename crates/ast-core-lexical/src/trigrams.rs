//! Which texts may have a piece of text in them, told by signatures of a sixteenth of their size.
//!
//! A text that has a piece has every three bytes of it, one behind the other (Cox, "Regular Expression Matching with a Trigram
//! Index", 2012). A [signature](SignatureMaker) notes the trigrams of a text as a Bloom filter of two hashes (Bloom, "Space/time
//! trade-offs in hash coding with allowable errors", 1970), and a [`TrigramQuery`] asks for some of them. What it
//! lets pass may lack the piece; what it does not let pass lacks it.
//!
//! Trigrams are of texts without regard to the case of ASCII letters, so that one signature serves whoever regards it and
//! whoever does not; and none goes over the end of a line.
//!
//! ```
//! use ast_core_lexical::{Signature, SignatureMaker, TrigramQuery};
//!
//! let signature = SignatureMaker::default().signature(b"fn open_valve() {}\nfn close() {}\n");
//! let may_have = |text: &str| TrigramQuery::of_text(text.as_bytes()).lets_pass(Signature::new(&signature));
//! assert!(may_have("Open_Valve"));
//! assert!(!may_have("paint the fence"));
//! // Less than three bytes are in every text, as far as signatures can tell.
//! assert!(may_have("zz"));
//! ```

/// Seven bits of each of three bytes.
const BITS: u32 = 21;

const MASK: u32 = (1 << BITS) - 1;

/// The bits of a signature for each trigram that is in it. More make little difference, as a text is mostly asked for several
/// trigrams at once; docs/decisions/0023-grep.md has what others came to.
const BITS_A_TRIGRAM: usize = 5;

/// Three bytes that are one behind the other on a line of a folded text.
///
/// Of each only the lower seven bits count, which is all there is to ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trigram(u32);

impl Trigram {
    /// Its two bits in a signature of so many.
    fn places(self, bits: usize) -> [usize; 2] {
        // Multiplicative hashing (Knuth, "The Art of Computer Programming", volume 3, 6.4), by the upper and by the lower half of one
        // product: the upper bits of each are those that all of the number has a part in. Scaled to the range without a division.
        let product = u64::from(self.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        [product >> 32, product & 0xFFFF_FFFF].map(|hash| ((hash * bits as u64) >> 32) as usize)
    }
}

/// The bytes of a text with ASCII letters in lower case, and with them the two characters whose lower case is an ASCII
/// letter: the Kelvin sign and the long s. No other character is folded, so that what a signature says does not depend on a
/// version of Unicode.
///
/// It goes by bytes, so that the text may be in no encoding at all.
pub fn folded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (byte, after) = match rest {
            [0xC5, 0xBF, after @ ..] => (b's', after),
            [0xE2, 0x84, 0xAA, after @ ..] => (b'k', after),
            [byte, after @ ..] => (byte.to_ascii_lowercase(), after),
            [] => return None,
        };
        rest = after;
        Some(byte)
    })
}

/// The trigrams of a text, in order and as often as they are in it.
pub fn trigrams(text: &[u8]) -> impl Iterator<Item = Trigram> {
    let (mut last, mut length) = (0, 0);
    folded(text).filter_map(move |byte| {
        last = (last << 7 | u32::from(byte & 0x7F)) & MASK;
        length = if byte == b'\n' { 0 } else { 3.min(length + 1) };
        (length == 3).then_some(Trigram(last))
    })
}

/// Makes signatures of texts. What it works in, a quarter of a megabyte, serves for one after the other.
#[derive(Debug)]
pub struct SignatureMaker {
    /// A bit for each trigram there can be.
    seen: Box<[u64]>,
    found: Vec<Trigram>,
}

impl Default for SignatureMaker {
    fn default() -> Self {
        Self { seen: vec![0; 1 << (BITS - 6)].into(), found: Vec::new() }
    }
}

impl SignatureMaker {
    /// The signature of a text: empty if it has no trigram, and else of a size that follows how many different ones it has.
    pub fn signature(&mut self, text: &[u8]) -> Vec<u8> {
        for trigram in trigrams(text) {
            let word = &mut self.seen[(trigram.0 >> 6) as usize];
            let bit = 1_u64 << (trigram.0 & 63);
            if *word & bit == 0 {
                *word |= bit;
                self.found.push(trigram);
            }
        }
        let mut signature = vec![0_u8; (self.found.len() * BITS_A_TRIGRAM).div_ceil(8)];
        let bits = signature.len() * 8;
        for trigram in self.found.drain(..) {
            trigram.places(bits).iter().for_each(|bit| signature[bit / 8] |= 1 << (bit % 8));
            self.seen[(trigram.0 >> 6) as usize] = 0;
        }
        signature
    }
}

/// A signature as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature<'a>(&'a [u8]);

impl<'a> Signature<'a> {
    /// What every query lets pass: for a text that nothing is known of, such as one that is not searched as the bytes that
    /// it is kept in.
    pub const OPEN: Signature<'static> = Signature(&[0xFF]);

    /// What a [`SignatureMaker`] made. Any bytes are one.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    fn may_have(self, trigram: Trigram) -> bool {
        let bits = self.0.len() * 8;
        let is_set = |bit: usize| self.0.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0);
        trigram.places(bits).into_iter().all(is_set)
    }
}

/// Which trigrams a text has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrigramQuery {
    /// This one.
    Trigram(Trigram),
    /// What all of these ask for. Without any, every text has it.
    All(Vec<TrigramQuery>),
    /// What one of these asks for. Without any, no text has it.
    Any(Vec<TrigramQuery>),
}

impl TrigramQuery {
    /// What every text has.
    pub const OPEN: Self = Self::All(Vec::new());

    /// The trigrams of a text.
    pub fn of_text(text: &[u8]) -> Self {
        let mut all: Vec<Trigram> = trigrams(text).collect();
        all.sort_unstable();
        all.dedup();
        match all[..] {
            [trigram] => Self::Trigram(trigram),
            _ => Self::All(all.into_iter().map(Self::Trigram).collect()),
        }
    }

    /// What both ask for.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (open, query) | (query, open) if open.is_open() => query,
            (Self::All(mut all), Self::All(more)) => {
                all.extend(more);
                Self::All(all)
            }
            (Self::All(mut all), query) | (query, Self::All(mut all)) => {
                all.push(query);
                Self::All(all)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// What one of them asks for.
    pub fn any(queries: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for query in queries {
            match query {
                open if open.is_open() => return Self::OPEN,
                Self::Any(more) => any.extend(more),
                query => any.push(query),
            }
        }
        if any.len() == 1 { any.swap_remove(0) } else { Self::Any(any) }
    }

    /// Whether every text has it, so that signatures need not be looked at.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::All(all) if all.is_empty())
    }

    /// Whether a text of this signature may have it.
    pub fn lets_pass(&self, signature: Signature<'_>) -> bool {
        match self {
            Self::Trigram(trigram) => signature.may_have(*trigram),
            Self::All(all) => all.iter().all(|query| query.lets_pass(signature)),
            Self::Any(any) => any.iter().any(|query| query.lets_pass(signature)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn may_have(text: &[u8], query: &TrigramQuery) -> bool {
        query.lets_pass(Signature::new(&SignatureMaker::default().signature(text)))
    }

    proptest! {
        #[test]
        fn a_text_has_every_piece_of_its_lines(
            lines in proptest::collection::vec("[aAkK\u{212A}sS\u{17F}\u{C5}\u{BF}é€ .\\r]{0,12}", 0..6),
            line: prop::sample::Index, from: prop::sample::Index, to: prop::sample::Index,
        ) {
            let text = lines.join("\n");
            if let Some(line) = (!lines.is_empty()).then(|| line.get(&lines)) {
                let places: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
                let (a, b) = (*from.get(&places), *to.get(&places));
                let piece = &line[a.min(b)..a.max(b)];
                for piece in [piece.to_owned(), piece.to_ascii_uppercase(), piece.replace(['s', 'S'], "\u{17F}")] {
                    prop_assert!(may_have(text.as_bytes(), &TrigramQuery::of_text(piece.as_bytes())), "{piece:?}");
                }
            }
        }

        /// What is no text in UTF-8 is looked for pieces that are.
        #[test]
        fn any_bytes_have_the_whole_characters_in_them(
            before: Vec<u8>, piece in "[sk\u{17F}\u{212A}é]{3,5}", after: Vec<u8>,
        ) {
            let text = [&before, piece.as_bytes(), &after].concat();
            prop_assert!(may_have(&text, &TrigramQuery::of_text(piece.as_bytes())));
        }

        #[test]
        fn a_signature_does_not_depend_on_what_was_signed_before(texts: Vec<Vec<u8>>) {
            let mut maker = SignatureMaker::default();
            for text in texts {
                prop_assert_eq!(maker.signature(&text), SignatureMaker::default().signature(&text));
            }
        }

        #[test]
        fn any_bytes_are_a_signature(bytes: Vec<u8>, text: Vec<u8>) {
            let _ = TrigramQuery::of_text(&text).lets_pass(Signature::new(&bytes));
            prop_assert!(TrigramQuery::of_text(&text).lets_pass(Signature::OPEN));
        }
    }

    #[test]
    fn few_of_the_trigrams_that_a_text_has_not_seem_to_be_in_it() {
        let text: String =
            (0..4_000).map(|number| format!("let value_{number} = {};\n", number * 37)).collect();
        let signature = SignatureMaker::default().signature(text.as_bytes());
        let has: HashSet<Trigram> = trigrams(text.as_bytes()).collect();
        let others: Vec<Trigram> = (0..=MASK).map(Trigram).filter(|trigram| !has.contains(trigram)).collect();
        let seem = others.iter().filter(|trigram| Signature::new(&signature).may_have(**trigram)).count();
        assert!(seem * 5 < others.len(), "{seem} of {}", others.len());
    }

    #[test]
    fn queries_are_as_short_as_they_can_be() {
        let [one, two] = ["abc", "bcd"].map(|text| TrigramQuery::of_text(text.as_bytes()));
        assert_eq!(TrigramQuery::of_text(b"ab"), TrigramQuery::OPEN);
        assert_eq!(TrigramQuery::of_text(b"ABCabc\nab"), TrigramQuery::of_text(b"abcabc"));
        assert_eq!(one.clone().and(TrigramQuery::OPEN), one);
        assert_eq!(TrigramQuery::any([one.clone(), TrigramQuery::OPEN]), TrigramQuery::OPEN);
        assert_eq!(TrigramQuery::any([one.clone()]), one);
        assert_eq!(one.clone().and(two.clone()), TrigramQuery::All(vec![one, two]));
        assert!(!TrigramQuery::any([]).lets_pass(Signature::OPEN));
    }
}
