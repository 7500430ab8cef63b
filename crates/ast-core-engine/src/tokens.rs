//! How many tokens a language model reads a text as, without its vocabulary.

/// About how many tokens a text is to a language model: for nearly all code and prose not fewer than it counts, and some
/// more. The estimate of lines that are put together is at most the sum of theirs.
///
/// Vocabularies differ, and none is here. What is counted is what byte-pair encodings of words (Sennrich, Haddow and Birch,
/// 2016) have in common: a common word is one token, with the space before it; a rarer one is cut into parts, of which names in
/// code have more where their case changes; digits go in threes, and marks in twos.
/// docs/tokens.md says how far off it is.
pub fn estimated_tokens(text: &str) -> usize {
    let mut counter = Counter::default();
    text.chars().for_each(|character| counter.take(character));
    counter.end_run();
    counter.hundredths.div_ceil(100)
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
    hundredths: usize,
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
                self.hundredths += if character.is_alphabetic() { 120 } else { 250 };
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
        self.hundredths += match (self.run, self.length) {
            (Run::None, _) => 0,
            (Run::Word, length) => 100 + 25 * length.saturating_sub(6),
            (Run::Digits, length) => 100 * length.div_ceil(3),
            // One goes with the word behind it, and those at the beginning of a line are one.
            (Run::Space, 1) => 0,
            (Run::Space, _) => 100,
            (Run::Line, _) => 100,
            (Run::Marks, length) => 120 * length.div_ceil(2),
        };
        self.run = Run::None;
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts, and how many tokens three vocabularies have for each: docs/tokens.md names them.
    const COUNTED: &str = include_str!("tokens.tsv");

    #[test]
    fn it_is_at_least_what_vocabularies_count_and_not_much_more() {
        let mut lines = 0;
        for line in COUNTED.lines().filter(|line| !line.starts_with('#')) {
            let (counts, text) = line.rsplit_once('\t').unwrap();
            let counts = counts.split('\t').map(|count| count.parse::<usize>().unwrap());
            let (least, most) =
                counts.fold((usize::MAX, 0), |(least, most), count| (count.min(least), count.max(most)));
            let estimate = estimated_tokens(&text.replace("\\n", "\n"));
            assert!(estimate >= most, "{estimate} of {most}: {text}");
            assert!(estimate * 10 <= least * 18, "{estimate} of {least}: {text}");
            lines += 1;
        }
        assert!(lines > 10);
    }

    #[test]
    fn lines_have_no_more_tokens_together_than_each_by_itself() {
        let source = include_str!("tokens.rs");
        let each: usize = source.split_inclusive('\n').map(estimated_tokens).sum();
        let whole = estimated_tokens(source);
        assert!(whole <= each && each < whole * 13 / 10, "{whole} {each}");
        assert_eq!(estimated_tokens(""), 0);
    }
}
