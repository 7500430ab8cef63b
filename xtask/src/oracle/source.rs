//! The text of a file, and what stands around a name in it.

/// A file, by line and by byte.
pub(super) struct Source {
    text: Vec<u8>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Source {
    pub(super) fn new(text: Vec<u8>) -> Self {
        let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Self { text, lines }
    }

    /// The line of this number, from 1, without its line break; empty if there is none.
    pub(super) fn line(&self, number: u32) -> &[u8] {
        let Some(index) = (number as usize).checked_sub(1) else { return b"" };
        let Some(&start) = self.lines.get(index) else { return b"" };
        let end = self.lines.get(index + 1).map_or(self.text.len(), |next| next - 1);
        self.text.get(start..end).unwrap_or(b"")
    }

    /// How long its lines are on average, in bytes.
    pub(super) fn mean_line(&self) -> usize {
        // Behind the last line break no line begins.
        let lines = self.lines.len() - usize::from(self.text.ends_with(b"\n"));
        self.text.len() / lines.max(1)
    }

    /// The number of the line that the byte is on, from 1.
    pub(super) fn line_of(&self, at: usize) -> u32 {
        self.lines.partition_point(|&start| start <= at) as u32
    }

    /// The bytes from one place to another, cut to what there is.
    pub(super) fn slice(&self, from: usize, to: usize) -> &[u8] {
        let to = to.min(self.text.len());
        &self.text[from.min(to)..to]
    }

    /// Where the name stands on the line as a whole word; white space in it may be any.
    pub(super) fn find(&self, number: u32, name: &str) -> Option<usize> {
        let start = *self.lines.get((number as usize).checked_sub(1)?)?;
        find_word(self.line(number), name).map(|at| start + at)
    }

    /// What stands before the place, white space aside.
    pub(super) fn before(&self, at: usize) -> Before<'_> {
        let text = self.slice(0, at).trim_ascii_end();
        let word = text.iter().rev().take_while(|byte| is_word(**byte)).count();
        Before { byte: text.last().copied().unwrap_or(b';'), word: &text[text.len() - word..] }
    }

    /// The same, but for comments and preprocessor directives on the lines before.
    pub(super) fn before_code(&self, at: usize) -> Before<'_> {
        let mut line = self.line_of(at);
        let start = self.lines.get(line as usize - 1).copied().unwrap_or_default();
        if !self.slice(start, at).trim_ascii().is_empty() {
            return self.before(at);
        }
        while line > 1 {
            line -= 1;
            let text = self.line(line);
            let code =
                text.windows(2).position(|pair| pair == b"//").map_or(text, |at| &text[..at]).trim_ascii();
            if !code.is_empty()
                && !code.starts_with(b"#")
                && !code.starts_with(b"/*")
                && !code.ends_with(b"*/")
            {
                return self.before(
                    self.lines[line as usize - 1] + text.len() - text.trim_ascii_start().len() + code.len(),
                );
            }
        }
        Before { byte: b';', word: b"" }
    }

    /// What follows the place, without white space before it.
    pub(super) fn after(&self, at: usize) -> &[u8] {
        self.slice(at, usize::MAX).trim_ascii_start()
    }
}

/// What stands before a place.
#[derive(Debug, PartialEq)]
pub(super) struct Before<'a> {
    /// The last byte that is no white space; a semicolon at the start of a file.
    pub(super) byte: u8,
    /// The word that ends there; empty if none does.
    pub(super) word: &'a [u8],
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

/// Where the name stands in the text as a whole word.
pub(super) fn find_word(text: &[u8], name: &str) -> Option<usize> {
    (0..text.len()).find(|&at| matches_word(text, at, name).is_some())
}

/// The end of the name, if it stands at this place as a whole word. White space between its words may be any, or none
/// where it is not needed.
pub(super) fn matches_word(text: &[u8], start: usize, name: &str) -> Option<usize> {
    let name = name.as_bytes();
    let first = *name.first()?;
    if is_word(first) && start > 0 && text.get(start - 1).copied().is_some_and(is_word) {
        return None;
    }
    let mut at = start;
    for (index, byte) in name.iter().enumerate() {
        if byte.is_ascii_whitespace() {
            continue;
        }
        if index > 0 {
            while text.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
        }
        if text.get(at) != Some(byte) {
            return None;
        }
        at += 1;
        let within = name.get(index + 1).is_some_and(|next| is_word(*next)) && is_word(*byte);
        if within && text.get(at).is_some_and(u8::is_ascii_whitespace) {
            return None;
        }
    }
    let ends = !name.last().copied().is_some_and(is_word) || !text.get(at).copied().is_some_and(is_word);
    ends.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let source = Source::new(b"ab\ncd\n\nef".to_vec());
        let lines: Vec<&[u8]> = (0..6).map(|number| source.line(number)).collect();
        assert_eq!(lines, [&b""[..], b"ab", b"cd", b"", b"ef", b""]);
        assert_eq!([0, 2, 3, 6, 7, 8].map(|at| source.line_of(at)), [1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn names_are_whole_words() {
        assert_eq!(find_word(b"foobar(foo)", "foo"), Some(7));
        assert_eq!(find_word(b"foo_ $foo", "foo"), None);
        assert_eq!(find_word(b"bool operator == (int)", "operator=="), Some(5));
        assert_eq!(find_word(b"bool operator==(int)", "operator =="), Some(5));
        assert_eq!(find_word(b"x.~Foo()", "~Foo"), Some(2));
        assert_eq!(find_word(b"f o o", "foo"), None);
        assert_eq!(find_word(b"foo", ""), None);
    }

    #[test]
    fn what_stands_around_a_place() {
        let source = Source::new(b"static int\n  f (x)".to_vec());
        let at = source.find(2, "f").unwrap();
        assert_eq!(source.before(at), Before { byte: b't', word: b"int" });
        assert_eq!(source.after(at + 1), b"(x)");
        assert_eq!(source.before(0), Before { byte: b';', word: b"" });
    }

    #[test]
    fn comments_and_directives_are_no_code() {
        let source = Source::new(b"f();\n  int // x\n#endif\n\n/* y */\ng();\n// z\nh();".to_vec());
        assert_eq!(source.before_code(source.find(6, "g").unwrap()).word, b"int");
        assert_eq!(source.before_code(source.find(8, "h").unwrap()).byte, b';');
        assert_eq!(source.before_code(source.find(2, "int").unwrap()).byte, b';');
        assert_eq!(source.before_code(0).byte, b';');
    }
}
