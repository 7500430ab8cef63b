//! On which lines the name of a definition may be.
//!
//! The engine tells where a definition begins and ends and its signature, but not where its name is. The signature is
//! the text from the beginning to the body with white space folded and without comments, so the text of the file that it stands for can be
//! found again, and the name is somewhere in there.

use super::engine::Symbol;
use super::source::{Source, find_word, matches_word};

/// The lines of the definition's head on which its name stands as a whole word, in order. Where it does not, the first
/// line on which it does between there and the body, since long signatures are cut; the last line of the definition,
/// where a `typedef` has it; or the line on which the definition begins.
pub(super) fn lines(symbol: &Symbol, source: &Source) -> Vec<u32> {
    let head_end = head_end(symbol, source);
    let head = source.slice(symbol.start_byte, head_end);
    let mut lines: Vec<u32> = (0..head.len())
        .filter(|&at| matches_word(head, at, &symbol.name).is_some())
        .map(|at| source.line_of(symbol.start_byte + at))
        .collect();
    lines.dedup();
    if lines.is_empty() {
        let rest = source.slice(head_end, symbol.end_byte);
        let rest = rest.split(|byte| *byte == b'{').next().unwrap_or(rest);
        let in_rest = find_word(rest, &symbol.name).map(|at| source.line_of(head_end + at));
        let at_end = || source.find(symbol.end_line, &symbol.name).map(|at| source.line_of(at));
        lines.push(in_rest.or_else(at_end).unwrap_or(symbol.start_line));
    }
    lines
}

/// Where the text of the signature ends in the file.
fn head_end(symbol: &Symbol, source: &Source) -> usize {
    let text = source.slice(symbol.start_byte, symbol.end_byte);
    let mut wanted = symbol.signature.bytes().filter(|byte| !byte.is_ascii_whitespace()).peekable();
    let (mut at, mut end) = (0, 0);
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
        } else if wanted.next_if_eq(byte).is_some() {
            at += 1;
            end = at;
        } else if let Some(length) = length_of_comment(&text[at..]) {
            at += length;
        } else {
            break;
        }
    }
    symbol.start_byte + end
}

/// The length of the comment that a text begins with, if it does.
fn length_of_comment(text: &[u8]) -> Option<usize> {
    let end: &[u8] = match text {
        [b'/', b'*', ..] => b"*/",
        [b'/', b'/', ..] | [b'#', ..] => b"\n",
        _ => return None,
    };
    let found = text.windows(end.len()).skip(2).position(|window| window == end);
    Some(found.map_or(text.len(), |at| 2 + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str, text: &str, signature: &str) -> Symbol {
        Symbol {
            name: name.to_owned(),
            start_line: 1,
            end_byte: text.len(),
            signature: signature.to_owned(),
            ..Symbol::default()
        }
    }

    fn lines_of(name: &str, text: &str, signature: &str) -> Vec<u32> {
        lines(&symbol(name, text, signature), &Source::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_name_is_in_the_head_and_not_in_the_body() {
        assert_eq!(lines_of("f", "static int\nf(int x)\n{\n  f(1);\n}", "static int f(int x)"), [2]);
    }

    #[test]
    fn a_name_that_stands_twice_has_two_lines() {
        assert_eq!(lines_of("Foo", "Foo(\n  Foo other) { }", "Foo( Foo other)"), [1, 2]);
    }

    #[test]
    fn a_name_behind_a_cut_signature_or_at_the_end_is_found() {
        assert_eq!(lines_of("f", "long_type\nf()\n{ f(); }", "long_…"), [2]);
        assert_eq!(lines_of("T", "typedef struct\n{\n  int T;\n} T;", "typedef struct"), [1]);
    }

    #[test]
    fn comments_are_not_in_the_signature() {
        assert_eq!(lines_of("f", "int /* a */\n// b\nf(int x)\n{\n  f(1);\n}", "int f(int x)"), [3]);
        assert_eq!(
            lines_of("T", "typedef struct { // T\nint a; } T;", "typedef struct { int a; } T"),
            [1, 2]
        );
    }

    #[test]
    fn a_name_that_is_not_in_the_text_is_where_the_definition_begins() {
        assert_eq!(lines_of("default", "exports =\nfunction () {}", "exports = function ()"), [1]);
    }
}
