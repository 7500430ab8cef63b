//! What is parsed in place of a Kotlin file that the grammar cannot read as it is.
//!
//! Its grammar takes a class behind several annotations, or a `const` behind one, for a call. It does not know
//! words as names that are keywords elsewhere (`suspend`, `set`), lambdas that suspend, references to members of
//! nullable types, strings with several dollar signs, and annotations before a primary constructor or an accessor; and
//! it splits names such as `in1`. All that is rewritten byte for byte, so that every place stays where it is; names are
//! read from the text itself.

use crate::languages::scan::Scan;
use std::ops::Range;

/// What is parsed in place of every file: its annotated classes are read as classes.
pub(super) fn stand_in(source: &str) -> Option<Vec<u8>> {
    memchr::memchr(b'@', source.as_bytes())?;
    rewrite(source, false)
}

/// What is parsed in place of a file with errors.
pub(super) fn second_reading(source: &str) -> Option<Vec<u8>> {
    rewrite(source, true)
}

fn rewrite(source: &str, has_errors: bool) -> Option<Vec<u8>> {
    let mut reader = Reader { scan: Scan::new(source.as_bytes(), 0), has_errors };
    reader.read();
    reader.scan.changed()
}

/// Where an annotation is, and where its arguments are.
struct Annotation {
    start: usize,
    end: usize,
    arguments: Option<usize>,
}

struct Reader<'a> {
    scan: Scan<'a, false>,
    has_errors: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        // Those that nothing but blanks and comments is behind yet.
        let mut annotations: Vec<Annotation> = Vec::new();
        // How many braces are open in each `${`, outermost first.
        let mut holes: Vec<(usize, bool)> = Vec::new();
        while let Some(byte) = self.scan.byte() {
            if byte.is_ascii_whitespace() || self.skip_comment() {
                self.scan.at += usize::from(byte.is_ascii_whitespace());
                continue;
            }
            if byte == b'@' && (self.scan.at == 0 || !is_word_byte(self.scan.bytes[self.scan.at - 1])) {
                let annotation = self.annotation();
                let arguments =
                    &self.scan.bytes[annotation.arguments.unwrap_or(annotation.end)..annotation.end];
                if self.has_errors
                    && let Some(signs) = memchr::memmem::find(arguments, b"$$\"")
                {
                    let from = annotation.end - arguments.len() + signs;
                    self.scan.blank(from, from + 2);
                }
                self.scan.at = annotation.end;
                annotations.push(annotation);
                continue;
            }
            if is_word_byte(byte) {
                let end = self.scan.end_of_word(self.scan.at);
                self.read_word(end, &annotations);
                self.scan.at = end;
            } else {
                match byte {
                    b'"' => {
                        if let Some(is_long) = self.skip_string() {
                            holes.push((0, is_long));
                        }
                    }
                    // A character, or a name.
                    b'\'' | b'`' => self.scan.skip_quoted(byte, byte == b'\''),
                    b'{' | b'}' => {
                        self.scan.at += 1;
                        match holes.last_mut() {
                            Some((0, is_long)) if byte == b'}' => {
                                let is_long = *is_long;
                                if !self.skip_text(is_long) {
                                    holes.pop();
                                }
                            }
                            Some((open, _)) if byte == b'{' => *open += 1,
                            Some((open, _)) => *open -= 1,
                            None => {}
                        }
                    }
                    b'?' if self.has_errors && self.scan.starts_with(b"?::") => {
                        self.scan.put(self.scan.at, b' ');
                        self.scan.at += 3;
                    }
                    b'$' if self.has_errors => {
                        let signs =
                            self.scan.bytes[self.scan.at..].iter().take_while(|byte| **byte == b'$').count();
                        if self.scan.bytes.get(self.scan.at + signs) == Some(&b'"') {
                            self.scan.blank(self.scan.at, self.scan.at + signs);
                        }
                        self.scan.at += signs;
                    }
                    _ => self.scan.at += 1,
                }
            }
            annotations.clear();
        }
    }

    /// Looks at the word up to `end`, before which the annotations are.
    fn read_word(&mut self, end: usize, annotations: &[Annotation]) {
        if let [.., _, last] = annotations
            && matches!(self.declared(), b"class" | b"interface")
        {
            // Its line breaks, too: an empty line ends the annotations.
            self.scan.blank(last.arguments.unwrap_or(last.end), last.end);
            self.blank_platform();
            self.end_class();
        }
        if !annotations.is_empty() && &self.scan.bytes[self.scan.at..end] == b"const" {
            b"final".iter().zip(self.scan.at..).for_each(|(byte, at)| self.scan.put(at, *byte));
        }
        if !self.has_errors {
            return;
        }
        let next = self.scan.behind_blanks(end);
        let after = self.scan.bytes.get(next).copied().unwrap_or(b';');
        let begins_accessor =
            || after == b'(' && matches!(&self.scan.bytes[self.scan.at..end], b"get" | b"set");
        if !annotations.is_empty() && (self.declared() == b"constructor" || begins_accessor()) {
            for annotation in annotations {
                self.scan.blank(annotation.start, annotation.end);
            }
        }
        match &self.scan.bytes[self.scan.at..end] {
            b"suspend" if after == b'{' => self.scan.blank(self.scan.at, end),
            // A type has a blank after the word.
            b"suspend" if b"=:),.;".contains(&after) || after == b'(' && next == end => {
                self.scan.put(end - 1, b'_')
            }
            b"get" | b"set" if after != b'(' => self.scan.put(end - 1, b'_'),
            [b'i', b'n', b'0'..=b'9' | b'_', ..] => self.scan.put(self.scan.at, b'_'),
            _ => {}
        }
    }

    /// Blanks the modifiers that are taken for operators.
    fn blank_platform(&mut self) {
        let mut start = self.scan.at;
        loop {
            let end = self.scan.end_of_word(start);
            match &self.scan.bytes[start..end] {
                b"class" | b"interface" | b"" => break,
                b"actual" | b"expect" => self.scan.blank(start, end),
                _ => {}
            }
            start = self.scan.behind_blanks(end);
        }
    }

    /// Puts a semicolon behind a class that ends with its name: annotations that follow are taken for more of it.
    fn end_class(&mut self) {
        let name = self.scan.behind_blanks(self.declaring().end);
        let end = self.scan.end_of_word(name);
        if self.scan.bytes[end..].starts_with(b"\n\n") {
            self.scan.put(end, b';');
        }
    }

    /// The word that tells what is declared here, after its modifiers.
    fn declared(&self) -> &[u8] {
        &self.scan.bytes[self.declaring()]
    }

    /// Where that word is.
    fn declaring(&self) -> Range<usize> {
        const MODIFIERS: [&[u8]; 18] = [
            b"abstract",
            b"actual",
            b"annotation",
            b"data",
            b"enum",
            b"expect",
            b"external",
            b"final",
            b"fun",
            b"inline",
            b"inner",
            b"internal",
            b"open",
            b"private",
            b"protected",
            b"public",
            b"sealed",
            b"value",
        ];
        let mut start = self.scan.at;
        loop {
            let end = self.scan.end_of_word(start);
            if !MODIFIERS.contains(&&self.scan.bytes[start..end]) {
                return start..end;
            }
            start = self.scan.behind_blanks(end);
        }
    }

    fn annotation(&self) -> Annotation {
        let start = self.scan.at;
        let mut end = start + 1;
        if self.scan.bytes.get(end) == Some(&b'[') {
            // A list of them is read as it should be.
            return Annotation { start, end: self.skip_brackets(end, b'[', b']'), arguments: None };
        }
        while self.scan.bytes.get(end).is_some_and(|byte| is_word_byte(*byte) || matches!(byte, b'.' | b':'))
        {
            end += 1;
        }
        if self.scan.bytes.get(end) == Some(&b'<') {
            end = self.skip_brackets(end, b'<', b'>');
        }
        let arguments = (self.scan.bytes.get(end) == Some(&b'(')).then_some(end);
        if let Some(open) = arguments {
            end = self.skip_brackets(open, b'(', b')');
        }
        Annotation { start, end, arguments }
    }

    /// The place behind the bracket that closes the one at a place.
    fn skip_brackets(&self, from: usize, open: u8, close: u8) -> usize {
        let mut reader = Reader { scan: Scan::new(self.scan.bytes, from), has_errors: false };
        let mut depth = 0_usize;
        while let Some(byte) = reader.scan.byte() {
            if reader.skip_comment() {
                continue;
            }
            match byte {
                b'"' => {
                    // What is in `${…}` counts as well, its brackets close.
                    reader.skip_string();
                    continue;
                }
                b'\'' | b'`' => {
                    reader.scan.skip_quoted(byte, byte == b'\'');
                    continue;
                }
                _ if byte == open => depth += 1,
                _ if byte == close => depth -= 1,
                _ => {}
            }
            reader.scan.at += 1;
            if depth == 0 {
                break;
            }
        }
        reader.scan.at
    }

    /// Whether there was a comment; one may be in another.
    fn skip_comment(&mut self) -> bool {
        if self.scan.starts_with(b"//") {
            self.scan.skip_line();
            return true;
        }
        if !self.scan.starts_with(b"/*") {
            return false;
        }
        let mut depth = 0_usize;
        while self.scan.at < self.scan.bytes.len() {
            if self.scan.starts_with(b"/*") {
                depth += 1;
                self.scan.at += 2;
            } else if self.scan.starts_with(b"*/") {
                depth -= 1;
                self.scan.at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                self.scan.at += 1;
            }
        }
        true
    }

    /// Skips a string up to its end, or to a `${`: then whether the string may have line breaks.
    fn skip_string(&mut self) -> Option<bool> {
        let is_long = self.scan.starts_with(b"\"\"\"");
        self.scan.at += if is_long { 3 } else { 1 };
        self.skip_text(is_long).then_some(is_long)
    }

    /// Goes on in a string; whether it came to a `${`.
    fn skip_text(&mut self, is_long: bool) -> bool {
        while let Some(byte) = self.scan.byte() {
            match byte {
                b'$' if self.scan.starts_with(b"${") => {
                    self.scan.at += 2;
                    return true;
                }
                b'\\' if !is_long => self.scan.at = (self.scan.at + 2).min(self.scan.bytes.len()),
                b'"' if is_long && !self.scan.starts_with(b"\"\"\"") => self.scan.at += 1,
                b'"' => {
                    // A long one may end with quotes of its own.
                    while is_long && self.scan.starts_with(b"\"\"\"\"") {
                        self.scan.at += 1;
                    }
                    self.scan.at += if is_long { 3 } else { 1 };
                    return false;
                }
                b'\n' if !is_long => return false,
                _ => self.scan.at += 1,
            }
        }
        false
    }
}

fn is_word_byte(byte: u8) -> bool {
    Scan::<false>::is_word_byte(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(source: &str, rewrite: fn(&str) -> Option<Vec<u8>>) -> String {
        rewrite(source).map_or(source.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn annotations_of_classes_lose_their_arguments_where_they_are_several() {
        for (source, expected) in [
            ("@A\n@B(c, \")\")\npublic annotation class X", "@A\n@B        \npublic annotation class X"),
            ("@A(\n  1\n) // b\n@B(\n  C\n) interface X", "@A(\n  1\n) // b\n@B        interface X"),
            ("@A\n@B\npublic actual open class X", "@A\n@B\npublic        open class X"),
            ("@A(b)\nclass X", "@A(b)\nclass X"),
            ("@A\nconst val X = 1", "@A\nfinal val X = 1"),
            ("@A\n@B\nclass X\n\n@C", "@A\n@B\nclass X;\n@C"),
            ("@A @B(c)\nfun x() {}", "@A @B(c)\nfun x() {}"),
            (
                "x@y\n\"@A @B(c) class\" /* @A @B(c) */ class X",
                "x@y\n\"@A @B(c) class\" /* @A @B(c) */ class X",
            ),
        ] {
            assert_eq!(read(source, stand_in), expected);
        }
    }

    #[test]
    fn what_the_grammar_cannot_read_is_rewritten() {
        for (source, expected) in [
            ("val a = suspend { b() }", "val a =         { b() }"),
            ("f(suspend = true, suspend(1))", "f(suspen_ = true, suspen_(1))"),
            ("suspend fun a(b: suspend () -> C)", "suspend fun a(b: suspend () -> C)"),
            ("String?::plus", "String ::plus"),
            ("$$\"a $b ${c(\"?::\")} d?::e\"", "  \"a $b ${c(\"?::\")} d?::e\""),
            ("in1.close()", "_n1.close()"),
            ("@A($$\"b$c\")\nval d = e", "@A(  \"b$c\")\nval d = e"),
            ("class A\n@B(\")\") internal constructor(c: D)", "class A\n        internal constructor(c: D)"),
            (
                "@Synchronized set(value) {}\nset = set or get(1)",
                "              set(value) {}\nse_ = se_ or get(1)",
            ),
            (
                "\"\"\"a\" ${b(\"\"\"in1\"\"\")} in1\"\"\"\" + in1",
                "\"\"\"a\" ${b(\"\"\"in1\"\"\")} in1\"\"\"\" + _n1",
            ),
        ] {
            assert_eq!(read(source, second_reading), expected);
        }
    }

    proptest! {
        #[test]
        fn every_place_stays(source in "([<>`${}/*'\",=()@?: \n]|in1|set|suspend|class|constructor|\"\"\"|é){0,40}") {
            for bytes in [stand_in(&source), second_reading(&source)].into_iter().flatten() {
                prop_assert_eq!(bytes.len(), source.len());
                prop_assert!(String::from_utf8(bytes).is_ok());
            }
        }
    }
}
