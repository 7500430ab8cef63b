//! What is parsed in place of a TypeScript file that the grammar cannot read as it is.
//!
//! Its grammar does not know everything that the language allows. Four such things are common in libraries, and each
//! may make it take the rest of the file for something else: a generic call signature after a member without
//! semicolon, whose `<` it reads as an operator; escaped backquotes in a template literal type; the variance of a type
//! parameter (`in`, `out`); and a type that is called `type`. They are rewritten byte for byte, so that every place
//! stays where it is; names are read from the text itself.

use crate::languages::scan::Scan;

/// The text to parse, if there is something to rewrite in it.
pub(super) fn rewrite(source: &str) -> Option<Vec<u8>> {
    let scan = Scan::new(source.as_bytes(), 0);
    let mut reader = Reader { scan, last: b';', before_last: b';', word: (0, 0) };
    reader.read();
    reader.scan.changed()
}

/// The text itself, where something stands in for it: what is rewritten may mean what it says. That comes second, as the
/// other way round nearly every file with something to rewrite would be parsed twice.
pub(super) fn as_written(source: &str) -> Option<Vec<u8>> {
    rewrite(source).map(|_| source.as_bytes().to_vec())
}

struct Reader<'a> {
    scan: Scan<'a, true>,
    /// The last byte that is neither blank nor of a comment, and the one before it.
    last: u8,
    before_last: u8,
    /// The last word, from and to.
    word: (usize, usize),
}

impl Reader<'_> {
    fn read(&mut self) {
        // How many braces are open in each `${`, outermost first.
        let mut holes: Vec<usize> = Vec::new();
        let mut begins_line = true;
        while let Some(byte) = self.scan.byte() {
            match byte {
                b'\n' => {
                    begins_line = true;
                    self.scan.at += 1;
                    continue;
                }
                _ if byte.is_ascii_whitespace() => {
                    self.scan.at += 1;
                    continue;
                }
                b'/' if self.scan.starts_with(b"//") => {
                    self.scan.skip_line();
                    continue;
                }
                b'/' if self.scan.starts_with(b"/*") => {
                    self.scan.at = self.find(b"*/", 2).map_or(self.scan.bytes.len(), |end| end + 2);
                    continue;
                }
                b'/' if self.begins_regex() => self.skip_regex(),
                b'"' | b'\'' => self.scan.skip_quoted(byte, true),
                b'`' => {
                    self.scan.at += 1;
                    if self.skip_template() {
                        holes.push(0);
                    }
                }
                b'{' | b'}' => {
                    self.scan.at += 1;
                    let ends_hole = byte == b'}' && holes.last() == Some(&0);
                    match holes.last_mut() {
                        _ if ends_hole => holes.truncate(holes.len() - usize::from(!self.skip_template())),
                        Some(open) if byte == b'{' => *open += 1,
                        Some(open) => *open -= 1,
                        None => {}
                    }
                }
                b'<' => {
                    if begins_line {
                        self.end_member();
                    }
                    self.scan.at += 1;
                }
                _ if is_word_byte(byte) => self.read_word(),
                _ => self.scan.at += 1,
            }
            begins_line = false;
            let end = self.scan.at.min(self.scan.bytes.len());
            self.before_last = if end >= 2 { self.scan.bytes[end - 2] } else { b';' };
            self.last = self.scan.bytes[end - 1];
        }
    }

    fn find(&self, text: &[u8], after: usize) -> Option<usize> {
        let from = self.scan.at + after;
        memchr::memmem::find(self.scan.bytes.get(from..)?, text).map(|found| from + found)
    }

    /// Puts a semicolon before the `<` of a signature that follows a member on the line before.
    fn end_member(&mut self) {
        let ends_member = match self.last {
            b'>' => self.before_last != b'=',
            b']' | b')' | b'}' | b'"' | b'\'' | b'`' => true,
            last => is_word_byte(last),
        };
        // An operator has a blank behind it, a list of type parameters a name or the next line.
        let inside = self.scan.at + 1;
        let name = match self.scan.bytes.get(inside) {
            Some(b'\n' | b'\r') => self.scan.behind_blanks(inside),
            _ => inside,
        };
        let begins_list = self.scan.bytes.get(name).is_some_and(|next| is_word_byte(*next));
        let blank =
            self.scan.at.checked_sub(1).filter(|before| matches!(self.scan.bytes[*before], b' ' | b'\t'));
        if let Some(blank) = blank.filter(|_| ends_member && begins_list) {
            self.scan.put(blank, b';');
        }
    }

    /// The word that begins in a place, empty if none does.
    fn word_at(&self, from: usize) -> &[u8] {
        &self.scan.bytes[from..self.scan.end_of_word(from)]
    }

    fn read_word(&mut self) {
        let start = self.scan.at;
        let end = self.scan.end_of_word(start);
        let after = self.scan.behind_blanks(end);
        match &self.scan.bytes[start..end] {
            b"in" | b"out" if self.is_variance(start, after) => {
                self.scan.blank(start, end);
            }
            b"type" if self.word_at(after) == b"extends" => {
                self.scan.put(end - 1, b'_');
            }
            _ => {}
        }
        self.word = (start, end);
        self.scan.at = end;
    }

    /// Whether a word is before the name of a type parameter.
    fn is_variance(&self, start: usize, after: usize) -> bool {
        let follows_in = &self.scan.bytes[self.word.0..self.word.1] == b"in"
            && self.scan.behind_blanks(self.word.1) == start;
        if !matches!(self.last, b'<' | b',') && !follows_in {
            return false;
        }
        let mut name = after;
        let mut end = self.scan.end_of_word(name);
        if &self.scan.bytes[name..end] == b"out" {
            let next = self.scan.behind_blanks(end);
            if self.scan.end_of_word(next) > next {
                (name, end) = (next, self.scan.end_of_word(next));
            }
        }
        let next = self.scan.behind_blanks(end);
        let goes_on =
            matches!(self.scan.bytes.get(next), Some(b',' | b'>' | b'=')) || self.word_at(next) == b"extends";
        end > name && goes_on
    }

    /// Goes on in a template, blanking escaped backquotes; whether it came to a `${`.
    fn skip_template(&mut self) -> bool {
        while let Some(byte) = self.scan.byte() {
            match byte {
                b'\\' => {
                    if self.scan.bytes.get(self.scan.at + 1) == Some(&b'`') {
                        self.scan.blank(self.scan.at, self.scan.at + 2);
                    }
                    self.scan.at = (self.scan.at + 2).min(self.scan.bytes.len());
                }
                b'`' => {
                    self.scan.at += 1;
                    return false;
                }
                b'$' if self.scan.starts_with(b"${") => {
                    self.scan.at += 2;
                    return true;
                }
                _ => self.scan.at += 1,
            }
        }
        false
    }

    /// Whether a `/` stands where no operand was before it.
    fn begins_regex(&self) -> bool {
        match self.last {
            last if is_word_byte(last) => {
                matches!(
                    &self.scan.bytes[self.word.0..self.word.1],
                    b"return" | b"typeof" | b"case" | b"in" | b"of"
                )
            }
            // A closing tag of JSX is none.
            b')' | b']' | b'}' | b'"' | b'\'' | b'`' | b'<' => false,
            _ => true,
        }
    }

    fn skip_regex(&mut self) {
        let mut at = self.scan.at + 1;
        let mut in_class = false;
        while let Some(&byte) = self.scan.bytes.get(at) {
            match byte {
                b'\n' => break,
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.scan.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        // It ends nowhere: an operator.
        self.scan.at += 1;
    }
}

fn is_word_byte(byte: u8) -> bool {
    Scan::<true>::is_word_byte(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rewritten(source: &str) -> String {
        rewrite(source).map_or(source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_the_grammar_cannot_read_is_rewritten() {
        for (source, expected) in [
            ("{ f: {\n  <A>(a: A): B\n  <C>(c: C): D\n} }", "{ f: {\n  <A>(a: A): B\n ;<C>(c: C): D\n} }"),
            ("): B\n  <\n    A\n  >(): C", "): B\n ;<\n    A\n  >(): C"),
            ("f(): B // <\n  <C>()", "f(): B // <\n ;<C>()"),
            ("type T = `a \\`b\\` ${X}\\``", "type T = `a   b   ${X}  `"),
            (
                "interface A<in out T, out U = T, in V extends W>",
                "interface A<       T,     U = T,    V extends W>",
            ),
            ("= (type extends X ? A : B)", "= (typ_ extends X ? A : B)"),
        ] {
            assert_eq!(rewritten(source), expected);
        }
    }

    #[test]
    fn what_it_can_read_stays() {
        for source in [
            "a\n  < b",
            "f(a =>\n  <T>b)",
            "x = [\n  <T>b]",
            "call(in_, out, b); for (const a in b) {}",
            "'`\\``'; \"\n  <a>\"",
            "// `\\``\n/* \\` */",
            "/['\"`]\\`/.test(`a`)",
            "`${`${{}}`}`",
            "type A = { in: 1, out: 2 }",
        ] {
            assert_eq!(rewritten(source), source);
        }
    }

    proptest! {
        #[test]
        fn every_place_stays(source in "([<>`$\\\\{}/'\",=() \n]|in|out|type|extends|T|é){0,40}") {
            if let Some(bytes) = rewrite(&source) {
                prop_assert_eq!(bytes.len(), source.len());
                let text = String::from_utf8(bytes).unwrap();
                prop_assert_eq!(text.lines().count(), source.lines().count());
            }
        }
    }
}
