//! The text of comments.

/// The longest documentation kept of one definition, in bytes.
pub(crate) const MAX_DOC_BYTES: usize = 8 << 10;

/// Appends the text of a comment to `doc`, without its markers, line by line.
pub(crate) fn push_text(doc: &mut String, comment: &str) {
    let comment = comment.trim();
    let block = comment.strip_prefix("/*").map(|text| text.strip_suffix("*/").unwrap_or(text));
    match block {
        Some(block) => {
            for line in block.trim_start_matches(['*', '!']).lines() {
                let line = line.trim();
                let line = line.strip_prefix('*').unwrap_or(line);
                push_line(doc, line);
            }
        }
        None => {
            for line in comment.lines() {
                let line = line.trim();
                // Of Ruby.
                if matches!(line, "=begin" | "=end") {
                    continue;
                }
                let text = line.trim_start_matches(['/', '!', '#']);
                // `///<` of Doxygen.
                push_line(
                    doc,
                    if line.len() > text.len() { text.strip_prefix('<').unwrap_or(text) } else { line },
                );
            }
        }
    }
}

fn push_line(doc: &mut String, line: &str) {
    let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
    if doc.is_empty() && line.trim().is_empty() {
        return;
    }
    if !doc.is_empty() {
        doc.push('\n');
    }
    doc.push_str(line);
}

/// The text without blank ends, cut at [`MAX_DOC_BYTES`]; `None` if nothing is left.
pub(crate) fn finish(doc: &str) -> Option<Box<str>> {
    let doc = doc.trim();
    let doc = &doc[..doc.floor_char_boundary(MAX_DOC_BYTES)];
    (!doc.is_empty()).then(|| doc.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(comments: &[&str]) -> Option<Box<str>> {
        let mut doc = String::new();
        comments.iter().for_each(|comment| push_text(&mut doc, comment));
        finish(&doc)
    }

    #[test]
    fn markers_go_and_text_stays() {
        assert_eq!(text(&["/// One.\n", "///\n", "///   two\n"]).as_deref(), Some("One.\n\n  two"));
        assert_eq!(
            text(&["/**\n * One.\n *\n * @param x two\n */"]).as_deref(),
            Some("One.\n\n@param x two")
        );
        assert_eq!(text(&["/** One. */"]).as_deref(), Some("One."));
        assert_eq!(text(&["# One.", "# two"]).as_deref(), Some("One.\ntwo"));
        assert_eq!(text(&["//"]), None);
        assert_eq!(text(&["/**/"]), None);
    }
}
