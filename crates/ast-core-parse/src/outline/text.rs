//! Texts as they are kept: on one line, and not too long.

/// The longest signature kept, in bytes.
const MAX_SIGNATURE_BYTES: usize = 400;
/// How much is looked at for a signature, in bytes: enough to fill it even if most of it is indentation.
pub(super) const MAX_HEAD_BYTES: usize = 4 * MAX_SIGNATURE_BYTES;

/// The beginning of a text, of at most so many bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// The text on one line, white space folded; borrowed if it is so already.
pub(crate) fn fold_space<'a>(buffer: &'a mut String, text: &'a str) -> &'a str {
    let text = text.trim();
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return text;
    }
    buffer.clear();
    for word in text.split_ascii_whitespace() {
        if !buffer.is_empty() {
            buffer.push(' ');
        }
        buffer.push_str(word);
    }
    buffer
}

/// The signature that the head of a definition makes.
pub(super) fn signature(buffer: &mut String, head: &str) -> Box<str> {
    let text = fold_space(buffer, head);
    let text =
        text.trim_end_matches(|c: char| matches!(c, '{' | ':' | ';' | ',' | '=' | '\\') || c.is_whitespace());
    if text.len() <= MAX_SIGNATURE_BYTES {
        text.into()
    } else {
        format!("{}…", &text[..text.floor_char_boundary(MAX_SIGNATURE_BYTES)]).into()
    }
}
