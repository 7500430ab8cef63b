//! The text of a docstring.

use crate::comment;

/// A docstring's text: what is between the quotes, without common indentation.
pub(super) fn text(literal: &str) -> Option<Box<str>> {
    let text = literal.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| text.starts_with(quote))?;
    let text = text.strip_prefix(quote)?;
    let text = text.strip_suffix(quote).unwrap_or(text);
    let indent = text
        .lines()
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut doc = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        let line =
            if number == 0 { line.trim_start() } else { line.get(indent..).unwrap_or(line.trim_start()) };
        if number > 0 {
            doc.push('\n');
        }
        doc.push_str(line.trim_end());
    }
    comment::finish(&doc)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn docstrings_lose_quotes_and_indentation() {
        assert_eq!(
            text("\"\"\"One.\n\n    Two.\n      Three.\n    \"\"\"").as_deref(),
            Some("One.\n\nTwo.\n  Three.")
        );
        assert_eq!(text("r'one'").as_deref(), Some("one"));
        assert_eq!(text("''"), None);
    }
}
