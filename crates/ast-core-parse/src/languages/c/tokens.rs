//! The tokens of a text as they are written, before any preprocessor.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Literal,
    /// A line for the preprocessor.
    Directive,
    /// `::`
    Path,
    /// Another sign, of one byte.
    Sign(u8),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The tokens of a text without comments.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len() / 5);
    let mut at = 0;
    let mut begins_line = true;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let rest = &bytes[at..];
        if byte.is_ascii_whitespace() {
            begins_line |= byte == b'\n';
            at += 1;
            continue;
        }
        if rest.starts_with(b"//") {
            at = end_of_line(bytes, at);
            continue;
        }
        if rest.starts_with(b"/*") {
            at = memchr::memmem::find(&rest[2..], b"*/").map_or(bytes.len(), |found| at + found + 4);
            continue;
        }
        let kind = match byte {
            b'#' if begins_line => {
                at = end_of_directive(bytes, at);
                Kind::Directive
            }
            b'"' | b'\'' => {
                at = end_of_string(bytes, at);
                Kind::Literal
            }
            b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'\'');
                at += rest.iter().take_while(|byte| is_part(byte)).count();
                Kind::Literal
            }
            _ if is_word_byte(byte) => {
                at += rest.iter().take_while(|byte| is_word_byte(**byte)).count();
                let word = &bytes[start..at];
                match bytes.get(at) {
                    Some(b'"') if word.ends_with(b"R") && word.len() <= 3 => {
                        at = end_of_raw_string(bytes, at);
                        Kind::Literal
                    }
                    Some(b'"' | b'\'') if matches!(word, b"L" | b"U" | b"u" | b"u8") => {
                        at = end_of_string(bytes, at);
                        Kind::Literal
                    }
                    _ => Kind::Word,
                }
            }
            b':' if rest.starts_with(b"::") => {
                at += 2;
                Kind::Path
            }
            _ => {
                at += 1;
                Kind::Sign(byte)
            }
        };
        begins_line = false;
        tokens.push(Token { kind, start: start as u32, end: at as u32 });
    }
    tokens
}

/// Letters beyond ASCII are part of words.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

/// Lines that end in a backslash go on in the next, and comments hide the end of a line.
fn end_of_directive(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at += if bytes[at..].starts_with(b"\\\r\n") { 3 } else { 2 },
            b'/' if bytes[at..].starts_with(b"/*") => {
                at =
                    memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |found| at + found + 4);
            }
            b'/' if bytes[at..].starts_with(b"//") => return end_of_line(bytes, at),
            b'"' => at = end_of_string(bytes, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a string or character, at the latest that of the line.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' => at += if bytes[at..].starts_with(b"\\\r\n") { 3 } else { 2 },
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `"delimiter( … )delimiter"`
fn end_of_raw_string(bytes: &[u8], quote: usize) -> usize {
    let rest = &bytes[quote + 1..];
    let Some(open) = rest.iter().take(17).position(|byte| *byte == b'(') else {
        return end_of_string(bytes, quote);
    };
    let closing = [b")", &rest[..open], b"\""].concat();
    memchr::memmem::find(&rest[open..], &closing)
        .map_or(bytes.len(), |found| quote + 1 + open + found + closing.len())
}
