//! Pairs as numbers: the vocabulary, and each text as the words that are in it.

use std::collections::{BTreeSet, HashMap};

use ast_core_embed::EmbedInput;
use ast_core_embed::words::{Field, Word, pieces, words, words_of};
use ast_core_model::terms::TermSplitter;
use rayon::prelude::*;

use crate::packages::LANGUAGES;
use crate::pairs::Pair;

/// The texts of a pair, in the order in which they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first sentence of the documentation.
    Question,
    /// The rest of it.
    Rest,
    /// The function: its code, its names and its place.
    Function,
}

impl Part {
    const ALL: [Self; 3] = [Self::Question, Self::Rest, Self::Function];

    /// Calls `emit` with each word that the embedder would see.
    fn words(self, splitter: &mut TermSplitter, pair: &Pair, emit: impl FnMut(Word<'_>)) {
        match self {
            Self::Question => words_of(splitter, &pair.question, Field::Question, emit),
            Self::Rest => words_of(splitter, &pair.rest, Field::Question, emit),
            Self::Function => {
                let input = EmbedInput { name: &pair.names, path: &pair.place, doc: "", code: &pair.code };
                words(splitter, &input, emit);
            }
        }
    }
}

/// A word of a text and how often it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number: below the size of the vocabulary, its row; from there on, a word that is not in it.
    pub word: u32,
    /// Where it stands: the number of the field.
    pub field: u8,
    /// How often, at most 65,535 times.
    pub count: u16,
}

/// All pairs as numbers.
#[derive(Debug)]
pub struct Texts {
    /// The vocabulary, in order of rows.
    pub vocabulary: Vec<String>,
    /// For each of it, the logarithm of how many texts there are for one that has it.
    pub rarity: Vec<f32>,
    entries: Vec<Entry>,
    /// Where the entries of each part of each pair begin, and the last ends.
    starts: Vec<usize>,
    pieces: Vec<u32>,
    /// Where the pieces of each word begin, and the last ends.
    piece_starts: Vec<usize>,
}

/// A word of fewer packages than these is one of their own.
const FEWEST_PACKAGES: u32 = 3;

/// What is known of a word before the vocabulary is chosen.
#[derive(Default)]
struct Known {
    packages: u32,
    /// The share of pairs that have it, added up over languages, so that each has the same say.
    share: f64,
    is_part: bool,
}

impl Texts {
    /// Cuts the pairs into words and chooses the vocabulary: the words that are in most pairs, each language having the same
    /// say. Pairs of a package stand together.
    pub fn new(pairs: &[Pair], vocabulary_size: usize, buckets: u32) -> Self {
        let packages: Vec<&[Pair]> = pairs.chunk_by(|a, b| a.package == b.package).collect();
        let mut of_language = [0_u32; LANGUAGES.len()];
        pairs.iter().for_each(|pair| of_language[usize::from(pair.language)] += 1);

        let mut known: HashMap<String, Known> = HashMap::new();
        // Some packages at a time, for the memory; in their order, for the sums.
        for some in packages.chunks(32) {
            let counted: Vec<HashMap<String, (u32, bool)>> = some.par_iter().map(|of| count(of)).collect();
            for (of, counted) in some.iter().zip(counted) {
                let all = f64::from(of_language[usize::from(of[0].language)]);
                for (word, (times, is_part)) in counted {
                    let entry = known.entry(word).or_default();
                    entry.packages += 1;
                    entry.share += f64::from(times) / all;
                    entry.is_part |= is_part;
                }
            }
        }
        let mut ranked: Vec<(&String, &Known)> = known
            .iter()
            .filter(|(_, known)| known.packages >= FEWEST_PACKAGES.min(packages.len() as u32))
            .collect();
        ranked.sort_by(|a, b| b.1.share.total_cmp(&a.1.share).then(a.0.cmp(b.0)));
        ranked.truncate(vocabulary_size);
        let languages = of_language.iter().filter(|count| **count > 0).count().max(1) as f64;
        let rarity = ranked.iter().map(|(_, known)| (languages / known.share).ln().max(0.1) as f32).collect();
        let vocabulary: Vec<String> = ranked.into_iter().map(|(word, _)| word.clone()).collect();

        let mut numbers: HashMap<String, u32> =
            vocabulary.iter().enumerate().map(|(row, word)| (word.clone(), row as u32)).collect();
        let unknown: BTreeSet<String> = known
            .into_iter()
            .filter(|(word, known)| known.is_part && !numbers.contains_key(word))
            .map(|(word, _)| word)
            .collect();
        let mut all_pieces = Vec::new();
        let mut piece_starts = vec![0];
        for word in vocabulary.iter().chain(&unknown) {
            pieces(word, buckets, &mut all_pieces);
            piece_starts.push(all_pieces.len());
        }
        for word in unknown {
            let number = numbers.len() as u32;
            numbers.insert(word, number);
        }

        let found: Vec<(Vec<Entry>, Vec<usize>)> = packages.par_iter().map(|of| cut(of, &numbers)).collect();
        let mut entries = Vec::with_capacity(found.iter().map(|(entries, _)| entries.len()).sum());
        let mut starts = vec![0];
        for (of_package, ends) in found {
            let before = entries.len();
            starts.extend(ends.into_iter().map(|end| before + end));
            entries.extend(of_package);
        }
        Self { vocabulary, rarity, entries, starts, pieces: all_pieces, piece_starts }
    }

    /// The words of a part of a pair.
    pub fn part(&self, pair: usize, part: Part) -> &[Entry] {
        let at = pair * Part::ALL.len() + part as usize;
        &self.entries[self.starts[at]..self.starts[at + 1]]
    }

    /// The buckets of a word's pieces.
    pub fn pieces(&self, word: u32) -> &[u32] {
        &self.pieces[self.piece_starts[word as usize]..self.piece_starts[word as usize + 1]]
    }
}

/// For each word in how many pairs it is, and whether it is ever a part of a name.
fn count(pairs: &[Pair]) -> HashMap<String, (u32, bool)> {
    let mut splitter = TermSplitter::default();
    // With the pair that had it last.
    let mut found: HashMap<String, (u32, bool, usize)> = HashMap::new();
    for (number, pair) in pairs.iter().enumerate() {
        for part in Part::ALL {
            part.words(&mut splitter, pair, |word| match found.get_mut(word.text) {
                Some(known) => {
                    known.1 |= word.is_part;
                    if known.2 != number {
                        (known.0, known.2) = (known.0 + 1, number);
                    }
                }
                None => {
                    found.insert(word.text.to_owned(), (1, word.is_part, number));
                }
            });
        }
    }
    found.into_iter().map(|(word, (times, is_part, _))| (word, (times, is_part))).collect()
}

/// The entries of all parts of the pairs, in order, and where each part ends.
fn cut(pairs: &[Pair], numbers: &HashMap<String, u32>) -> (Vec<Entry>, Vec<usize>) {
    let mut splitter = TermSplitter::default();
    let (mut entries, mut ends) = (Vec::new(), Vec::new());
    let mut words = Vec::new();
    for pair in pairs {
        for part in Part::ALL {
            words.clear();
            part.words(&mut splitter, pair, |word| {
                words.extend(numbers.get(word.text).map(|&number| (number, word.field as u8)));
            });
            words.sort_unstable();
            let same = words.chunk_by(|a, b| a == b);
            entries.extend(same.map(|same| Entry {
                word: same[0].0,
                field: same[0].1,
                count: same.len().min(usize::from(u16::MAX)) as u16,
            }));
            ends.push(entries.len());
        }
    }
    (entries, ends)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn pair(package: u32, question: &str, name: &str, code: &str) -> Pair {
        Pair {
            language: (package % 2) as u8,
            package,
            question: question.to_owned(),
            rest: String::new(),
            names: name.to_owned(),
            place: format!("src/p{package}.rs"),
            code: code.to_owned(),
        }
    }

    #[test]
    fn texts_are_the_words_that_the_embedder_would_see() {
        let pairs: Vec<Pair> =
            (0..3).map(|n| pair(n, "Reads the file", "readFile", &format!("read read only{n}"))).collect();
        let texts = Texts::new(&pairs, 100, 64);
        let row = |word: &str| texts.vocabulary.iter().position(|known| known == word).unwrap() as u32;
        let function = texts.part(1, Part::Function);
        let of = |word: u32, field: Field| {
            function.iter().find(|entry| entry.word == word && entry.field == field as u8)
        };
        assert_eq!(of(row("read"), Field::Head).unwrap().count, 2);
        assert_eq!(of(row("readfile"), Field::Name).unwrap().count, 1);
        assert_eq!(of(row("rs"), Field::Path).unwrap().count, 1);
        // Of one package only, so unknown: after the vocabulary, and known by its pieces.
        let unknown = function.iter().filter(|entry| entry.word as usize >= texts.vocabulary.len());
        assert_eq!(unknown.inspect(|entry| assert!(!texts.pieces(entry.word).is_empty())).count(), 2);
        assert!(texts.part(0, Part::Rest).is_empty());
        assert!(texts.rarity[row("read") as usize] < 0.2);
    }
}
