//! Where in a text the words are that somebody looked for.

use ast_core_model::terms::TermSplitter;
use std::ops::Range;

/// The places in a text of words that are among these terms, as [`ParsedQuery::terms`](crate::ParsedQuery::terms) has them: of
/// an identifier only the parts that are, in bytes, in order and without overlaps. A part of an identifier is taken for a
/// term as the index does it, whatever its ending and its case are.
///
/// ```
/// use ast_core_search::{ParsedQuery, matched_words};
///
/// let terms = ParsedQuery::parse("parsing a request")?.terms;
/// let text = "fn parse_http_request(parser: &str)";
/// let found: Vec<_> = matched_words(text, &terms).into_iter().map(|place| &text[place]).collect();
/// assert_eq!(found, ["parse", "request"]);
/// # Ok::<(), ast_core_search::QueryError>(())
/// ```
pub fn matched_words(text: &str, terms: &[String]) -> Vec<Range<usize>> {
    let mut splitter = TermSplitter::default();
    let mut is_term = |word: &str| {
        let mut is_term = false;
        splitter.split(word, |term| is_term |= terms.iter().any(|wanted| wanted == term.text));
        is_term
    };
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(is_of_word).map(|at| rest + at) {
        let end = text[start..].find(|c| !is_of_word(c)).map_or(text.len(), |at| start + at);
        rest = end;
        if !is_term(&text[start..end]) {
            continue;
        }
        let known = found.len();
        let mut part = start;
        while part < end {
            let part_end = part_end(text, part, end);
            if is_term(&text[part..part_end]) {
                found.push(part..part_end);
            }
            part = part_end;
        }
        if found.len() == known {
            // It is only as a whole what was looked for.
            found.push(start..end);
        }
    }
    found
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Where the part of a word ends that begins at `start`: behind underscores, before a capital that follows no capital, and
/// before the last of several capitals if a small letter follows it.
fn part_end(text: &str, start: usize, end: usize) -> usize {
    let mut chars = text[start..end].char_indices().peekable();
    let mut before: Option<char> = None;
    while let Some((at, c)) = chars.next() {
        if let Some(before) = before {
            let is_next_small = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            let is_hump = c.is_uppercase() && (!before.is_uppercase() || is_next_small);
            if matches!(c, '_' | '$') != matches!(before, '_' | '$') || is_hump {
                return start + at;
            }
        }
        before = Some(c);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(text: &str, query: &str) -> String {
        let terms = crate::ParsedQuery::parse(query).unwrap().terms;
        let mut marked = String::new();
        let mut at = 0;
        for place in matched_words(text, &terms) {
            marked += &format!("{}<{}>", &text[at..place.start], &text[place.clone()]);
            at = place.end;
        }
        marked + &text[at..]
    }

    #[test]
    fn parts_are_marked_as_the_index_cuts_them() {
        assert_eq!(
            marked("RetryPolicy retries(retryAll, no_retry)", "retry"),
            "<Retry>Policy <retries>(<retry>All, no_<retry>)"
        );
        assert_eq!(marked("HTTPServer sha256Sum", "http sum"), "<HTTP>Server sha256<Sum>");
        assert_eq!(marked("JobList job_list joblist", "joblist"), "<JobList> <job_list> <joblist>");
        assert_eq!(marked("$price über_größe", "Größe price"), "$<price> über_<größe>");
        assert_eq!(marked("nothing here", "retry"), "nothing here");
        assert_eq!(marked("", "retry"), "");
    }

    proptest! {
        #[test]
        fn every_word_of_a_text_is_found_by_its_own_terms(text in "[a-zA-Z0-9_$ (äÖß.漢字-]{0,60}") {
            let mut terms = Vec::new();
            TermSplitter::default().split(&text, |term| terms.push(term.text.to_owned()));
            let found = matched_words(&text, &terms);
            prop_assert_eq!(found.is_empty(), terms.is_empty());
            let mut end = 0;
            for place in found {
                prop_assert!(place.start >= end && place.end > place.start && text.get(place.clone()).is_some());
                end = place.end;
            }
        }
    }
}
