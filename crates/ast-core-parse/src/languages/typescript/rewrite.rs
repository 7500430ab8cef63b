//! What is parsed in place of a TypeScript file that the grammar cannot read as it is.
//!
//! Its grammar does not know everything that the language allows. Four such things are common in libraries, and each
//! may make it take the rest of the file for something else: a generic call signature after a member without
//! semicolon, whose `<` it reads as an operator; escaped backquotes in a template literal type; the variance of a type
//! parameter (`in`, `out`); and a type that is called `type`. They are rewritten byte for byte, so that every place
//! stays where it is; names are read from the text itself.

/// The text to parse, if there is something to rewrite in it.
pub(super) fn rewrite(source: &str) -> Option<Vec<u8>> {
    let mut reader = Reader {
        bytes: source.as_bytes(),
        at: 0,
        last: b';',
        before_last: b';',
        word: (0, 0),
        changes: Vec::new(),
    };
    reader.read();
    if reader.changes.is_empty() {
        return None;
    }
    let mut bytes = source.as_bytes().to_vec();
    for (at, byte) in reader.changes {
        if let Some(old) = bytes.get_mut(at) {
            *old = byte;
        }
    }
    Some(bytes)
}

/// The text itself, where something stands in for it: what is rewritten may mean what it says. That comes second, as the
/// other way round nearly every file with something to rewrite would be parsed twice.
pub(super) fn as_written(source: &str) -> Option<Vec<u8>> {
    rewrite(source).map(|_| source.as_bytes().to_vec())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The last byte that is neither blank nor of a comment, and the one before it.
    last: u8,
    before_last: u8,
    /// The last word, from and to.
    word: (usize, usize),
    /// Places, and the bytes that come there.
    changes: Vec<(usize, u8)>,
}

impl Reader<'_> {
    fn read(&mut self) {
        // How many braces are open in each `${`, outermost first.
        let mut holes: Vec<usize> = Vec::new();
        let mut begins_line = true;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    begins_line = true;
                    self.at += 1;
                    continue;
                }
                _ if byte.is_ascii_whitespace() => {
                    self.at += 1;
                    continue;
                }
                b'/' if self.starts_with(b"//") => {
                    self.at = self.find(b"\n", 2).unwrap_or(self.bytes.len());
                    continue;
                }
                b'/' if self.starts_with(b"/*") => {
                    self.at = self.find(b"*/", 2).map_or(self.bytes.len(), |end| end + 2);
                    continue;
                }
                b'/' if self.begins_regex() => self.skip_regex(),
                b'"' | b'\'' => self.skip_string(byte),
                b'`' => {
                    self.at += 1;
                    if self.skip_template() {
                        holes.push(0);
                    }
                }
                b'{' | b'}' => {
                    self.at += 1;
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
                    self.at += 1;
                }
                _ if is_word_byte(byte) => self.read_word(),
                _ => self.at += 1,
            }
            begins_line = false;
            let end = self.at.min(self.bytes.len());
            self.before_last = if end >= 2 { self.bytes[end - 2] } else { b';' };
            self.last = self.bytes[end - 1];
        }
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    fn find(&self, text: &[u8], after: usize) -> Option<usize> {
        let from = self.at + after;
        memchr::memmem::find(self.bytes.get(from..)?, text).map(|found| from + found)
    }

    /// Puts a semicolon before the `<` of a signature that follows a member on the line before.
    fn end_member(&mut self) {
        let ends_member = match self.last {
            b'>' => self.before_last != b'=',
            b']' | b')' | b'}' | b'"' | b'\'' | b'`' => true,
            last => is_word_byte(last),
        };
        // An operator has a blank behind it, a list of type parameters a name or the next line.
        let inside = self.at + 1;
        let name = match self.bytes.get(inside) {
            Some(b'\n' | b'\r') => self.skip_blank(inside),
            _ => inside,
        };
        let begins_list = self.bytes.get(name).is_some_and(|next| is_word_byte(*next));
        let blank = self.at.checked_sub(1).filter(|before| matches!(self.bytes[*before], b' ' | b'\t'));
        if let Some(blank) = blank.filter(|_| ends_member && begins_list) {
            self.changes.push((blank, b';'));
        }
    }

    fn read_word(&mut self) {
        let start = self.at;
        let end = self.end_of_word(start);
        let after = self.skip_blank(end);
        match &self.bytes[start..end] {
            b"in" | b"out" if self.is_variance(start, after) => {
                self.changes.extend((start..end).map(|at| (at, b' ')));
            }
            b"type" if &self.bytes[after..self.end_of_word(after)] == b"extends" => {
                self.changes.push((end - 1, b'_'));
            }
            _ => {}
        }
        self.word = (start, end);
        self.at = end;
    }

    /// Whether a word is before the name of a type parameter.
    fn is_variance(&self, start: usize, after: usize) -> bool {
        let follows_in =
            &self.bytes[self.word.0..self.word.1] == b"in" && self.skip_blank(self.word.1) == start;
        if !matches!(self.last, b'<' | b',') && !follows_in {
            return false;
        }
        let mut name = after;
        let mut end = self.end_of_word(name);
        if &self.bytes[name..end] == b"out" {
            let next = self.skip_blank(end);
            if self.end_of_word(next) > next {
                (name, end) = (next, self.end_of_word(next));
            }
        }
        let next = self.skip_blank(end);
        let goes_on = matches!(self.bytes.get(next), Some(b',' | b'>' | b'='))
            || &self.bytes[next..self.end_of_word(next)] == b"extends";
        end > name && goes_on
    }

    fn end_of_word(&self, from: usize) -> usize {
        from + self.bytes[from..].iter().take_while(|byte| is_word_byte(**byte)).count()
    }

    fn skip_blank(&self, from: usize) -> usize {
        from + self.bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    fn skip_string(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote || byte == b'\n' {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    /// Goes on in a template, blanking escaped backquotes; whether it came to a `${`.
    fn skip_template(&mut self) -> bool {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => {
                    if self.bytes.get(self.at + 1) == Some(&b'`') {
                        self.changes.extend([(self.at, b' '), (self.at + 1, b' ')]);
                    }
                    self.at = (self.at + 2).min(self.bytes.len());
                }
                b'`' => {
                    self.at += 1;
                    return false;
                }
                b'$' if self.starts_with(b"${") => {
                    self.at += 2;
                    return true;
                }
                _ => self.at += 1,
            }
        }
        false
    }

    /// Whether a `/` stands where no operand was before it.
    fn begins_regex(&self) -> bool {
        match self.last {
            last if is_word_byte(last) => {
                matches!(
                    &self.bytes[self.word.0..self.word.1],
                    b"return" | b"typeof" | b"case" | b"in" | b"of"
                )
            }
            // A closing tag of JSX is none.
            b')' | b']' | b'}' | b'"' | b'\'' | b'`' | b'<' => false,
            _ => true,
        }
    }

    fn skip_regex(&mut self) {
        let mut at = self.at + 1;
        let mut in_class = false;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' => break,
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        // It ends nowhere: an operator.
        self.at += 1;
    }
}

/// Letters beyond ASCII are part of words.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
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
