//! A piece of code as one text, for models that read texts.

use crate::EmbedInput;
use ast_core_model::ContentHash;

/// Writes the names, the documentation and the code, each on lines of its own.
///
/// The path is left out: then code that moves keeps its vector. Search knows paths by words and by rules.
pub(crate) fn text_of(input: &EmbedInput<'_>) -> String {
    let EmbedInput { name, path: _, doc, code } = input;
    let mut text = String::with_capacity(name.len() + doc.len() + code.len() + 2);
    for part in [name, doc, code] {
        if !text.is_empty() && !part.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    }
    text
}

/// Names what [`text_of`] an input is.
pub(crate) fn key_of(input: &EmbedInput<'_>) -> ContentHash {
    ContentHash::of(text_of(input).as_bytes())
}

/// The text, or as much of its beginning as is not longer than this, in whole characters.
#[cfg(feature = "http")]
pub(crate) fn beginning_of(text: &str, most_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(most_bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_all_but_the_path() {
        let input = EmbedInput { name: "area", path: "src/a.rs", doc: "", code: "fn area() {}" };
        assert_eq!(text_of(&input), "area\nfn area() {}");
        assert_eq!(text_of(&EmbedInput { doc: "Its area.", ..input }), "area\nIts area.\nfn area() {}");
        assert_eq!(text_of(&EmbedInput::default()), "");
        assert_eq!(key_of(&input), key_of(&EmbedInput { path: "src/b.rs", ..input }));
        assert_ne!(key_of(&input), key_of(&EmbedInput { name: "b", ..input }));
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(beginning_of("aß", 3), "aß");
        assert_eq!(beginning_of("aß", 2), "a");
        assert_eq!(beginning_of("", 2), "");
    }
}
