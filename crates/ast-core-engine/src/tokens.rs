//! How many tokens a language model reads a text as, without its vocabulary.

/// About how many tokens a text is to a language model: for nearly all code and prose not fewer than it counts, and some
/// more. The estimate of lines that are put together is at most the sum of theirs.
///
/// Vocabularies differ, and none is here. What is counted is what byte-pair encodings of words (Sennrich, Haddow and Birch,
/// 2016) have in common: a common word is one token, with the space before it; a rarer one is cut into parts, of which names in
/// code have more where their case changes; digits go in threes, and so do marks that often stand together.
/// docs/tokens.md says how far off it is.
pub fn estimated_tokens(text: &str) -> usize {
    let mut counter = Counter::default();
    text.chars().for_each(|character| counter.take(character));
    counter.end_run();
    counter.tenths.div_ceil(10)
}

/// What characters form tokens together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Run {
    #[default]
    None,
    Word,
    Digits,
    Space,
    Line,
    Marks,
}

#[derive(Default)]
struct Counter {
    tenths: usize,
    run: Run,
    length: usize,
    last: char,
}

impl Counter {
    fn take(&mut self, character: char) {
        let run = match character {
            'a'..='z' | 'A'..='Z' => Run::Word,
            '0'..='9' => Run::Digits,
            '\n' | '\r' => Run::Line,
            ' ' | '\t' => Run::Space,
            character if character.is_ascii() => Run::Marks,
            // Letters of other scripts and pictures take from a half to three.
            _ => {
                self.end_run();
                self.tenths += if character.is_alphabetic() { 12 } else { 25 };
                self.run = Run::None;
                self.last = character;
                return;
            }
        };
        let is_hump = run == Run::Word && self.last.is_ascii_lowercase() && character.is_ascii_uppercase();
        if run != self.run || is_hump {
            self.end_run();
            self.run = run;
            self.length = 0;
        }
        self.length += 1;
        self.last = character;
    }

    fn end_run(&mut self) {
        self.tenths += match (self.run, self.length) {
            (Run::None, _) => 0,
            (Run::Word, length) => 10 + 3 * length.saturating_sub(6),
            (Run::Digits, length) => 10 * length.div_ceil(3),
            // One goes with the word behind it, and those at the beginning of a line are one.
            (Run::Space, 1) => 0,
            (Run::Space, _) => 10,
            (Run::Line, _) => 10,
            (Run::Marks, length) => 10 * length.div_ceil(2),
        };
        self.run = Run::None;
        self.length = 0;
    }
}
