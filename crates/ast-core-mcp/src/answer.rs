//! What tools give: rows, as JSON for programs and as text for models, within a number of tokens.

use crate::failure::Failure;
use crate::freshness::IndexNote;
use ast_core_engine::{Failure as Failed, SearchHit};
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Bytes that are counted as a token. Of answers about code a token of the usual vocabularies is between three and four
/// bytes, so an answer has rather fewer tokens than it was given.
const BYTES_PER_TOKEN: usize = 3;

/// Tokens of an answer if nothing else is asked for, and the least and the most that there can be. Some clients refuse
/// what has more than 25,000.
const DEFAULT_TOKENS: usize = 4_000;
const LEAST_TOKENS: usize = 200;
const MOST_TOKENS: usize = 20_000;

/// What is kept free for what stands round the rows, in bytes.
const AROUND: usize = 400;

/// What a tool answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) structured: Value,
}

impl From<Answer> for CallToolResult {
    fn from(answer: Answer) -> Self {
        let mut result = CallToolResult::success(vec![ContentBlock::text(answer.text)]);
        result.structured_content = Some(answer.structured);
        result
    }
}

/// Rows, as many as there is room for.
pub(crate) struct Page {
    /// Bytes that are left for rows, in each of the two forms.
    left: usize,
    text: String,
    rows: Vec<Value>,
    notes: Vec<String>,
}

impl Page {
    /// For so many tokens, if they were asked for.
    pub(crate) fn new(max_tokens: Option<usize>) -> Result<Self, Failure> {
        let tokens = max_tokens.unwrap_or(DEFAULT_TOKENS);
        if !(LEAST_TOKENS..=MOST_TOKENS).contains(&tokens) {
            return Err(Failure::Arguments(format!(
                "max_tokens is {tokens}; it is to be from {LEAST_TOKENS} to {MOST_TOKENS}"
            )));
        }
        let left = tokens * BYTES_PER_TOKEN - AROUND.min(tokens * BYTES_PER_TOKEN / 2);
        Ok(Self { left, text: String::new(), rows: Vec::new(), notes: Vec::new() })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The lines of a body that there is room for beside its row, joined, and how many there are not.
    pub(crate) fn fitting<'a>(&self, row: usize, lines: impl Iterator<Item = &'a str>) -> (String, usize) {
        let mut left = self.left.saturating_sub(row + BODY);
        let mut body = String::new();
        let mut beyond = 0;
        for line in lines {
            let size = json_size(line).max(line.len() + NUMBER_WIDTH + 3);
            if beyond > 0 || size > left {
                beyond += 1;
                continue;
            }
            left -= size;
            body.push_str(line);
            body.push('\n');
        }
        (body, beyond)
    }

    /// Adds a row; `false`, and nothing is added, if there is no room. There always is for the first.
    pub(crate) fn push(&mut self, row: &impl Serialize, text: &str) -> Result<bool, Failure> {
        let row = serde_json::to_value(row).map_err(|error| Failure::Internal(error.to_string()))?;
        let size = (row.to_string().len() + 1).max(text.len() + 1);
        if size > self.left && !self.rows.is_empty() {
            return Ok(false);
        }
        self.left = self.left.saturating_sub(size);
        self.text.push_str(text);
        self.text.push('\n');
        self.rows.push(row);
        Ok(true)
    }

    /// Adds hits of a search as long as there is room; only the first may have a body that is cut.
    pub(crate) fn push_hits<'a>(
        &mut self,
        hits: impl Iterator<Item = &'a SearchHit>,
        bodies: bool,
    ) -> Result<(), Failure> {
        for hit in hits {
            let row = Row::of_hit(hit);
            let row = if bodies { row.with_body(hit.snippet.lines(), self) } else { row };
            if row.body_lines_left > 0 && self.len() > 0 || !self.push(&row, &row.text())? {
                break;
            }
        }
        Ok(())
    }

    /// Says something about the answer. It is not to have text of a source.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The answer: what there is more of, and the cursor that goes on with it.
    pub(crate) fn finish(self, index: &IndexNote, more: usize, cursor: impl FnOnce() -> String) -> Answer {
        let mut structured = json!({ "index": index, "results": self.rows });
        let mut text = index.line();
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push_str(&self.text);
        if self.rows.is_empty() {
            text.push_str("nothing found\n");
        }
        if !self.notes.is_empty() {
            structured["notes"] = json!(self.notes);
        }
        structured["more"] = json!(more);
        if more > 0 {
            let cursor = cursor();
            text.push_str(&format!("{more} more; for them call again with cursor \"{cursor}\"\n"));
            structured["next_cursor"] = json!(cursor);
        }
        text.truncate(text.trim_end().len());
        Answer { text, structured }
    }
}

/// What is told of a definition, or of another piece of a file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) path: String,
    pub(crate) start_line: u32,
    pub(crate) end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    /// With the names round it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    /// Whether the file has changed since it was indexed.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// Lines of the body that there was no room for.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) body_lines_left: usize,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl Row {
    fn of_hit(hit: &SearchHit) -> Self {
        Self {
            path: hit.path.to_string(),
            start_line: hit.lines.start,
            end_line: hit.lines.end,
            kind: hit.kind.map(|kind| kind.as_str()),
            name: hit.name.as_ref().map(|name| full_name(&hit.scope, name)),
            score: Some(rounded(hit.score)),
            changed: hit.changed == Some(true),
            ..Self::default()
        }
    }

    /// The row as a line, `path:start-end kind name score`, with its signature behind and its body below, each line with
    /// its number: what is in a file cannot be taken for a row.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}:{}-{}", shown(&self.path), self.start_line, self.end_line);
        for word in [self.kind, self.name.as_deref()].into_iter().flatten() {
            text.push(' ');
            text.push_str(&shown(word));
        }
        if let Some(score) = self.score {
            text.push_str(&format!(" {score}"));
        }
        if let Some(signature) = &self.signature {
            text.push_str(&format!(" | {}", shown(signature)));
        }
        if self.changed {
            text.push_str(" (changed since it was indexed)");
        }
        if let Some(body) = &self.body {
            for (number, line) in (self.start_line..).zip(body.lines()) {
                text.push_str(&format!("\n{number:>NUMBER_WIDTH$}| {line}"));
            }
        }
        if self.body_lines_left > 0 {
            text.push_str(&format!("\n{:>NUMBER_WIDTH$}  {} more lines", "", self.body_lines_left));
        }
        text
    }

    /// What it takes, in bytes, without a body.
    fn size(&self) -> usize {
        let json = serde_json::to_string(self).map_or(0, |json| json.len());
        json.max(self.text().len())
    }

    /// With as much of a body as there is room for on a page.
    pub(crate) fn with_body<'a>(mut self, lines: impl Iterator<Item = &'a str>, page: &Page) -> Self {
        let (body, left) = page.fitting(self.size(), lines);
        (self.body, self.body_lines_left) = (Some(body), left);
        self
    }
}

const NUMBER_WIDTH: usize = 5;

/// What a body takes beside its lines: its name, and how many lines there are more.
const BODY: usize = 40;

/// Characters of what is listed beside rows.
const LONGEST: usize = 200;

fn json_size(text: &str) -> usize {
    serde_json::to_string(text).map_or(text.len(), |text| text.len())
}

/// On one line, whatever it is: names of files may have line breaks in them.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        false => Cow::Borrowed(text),
        true => text
            .chars()
            .flat_map(|c| {
                let (escaped, plain) =
                    if c.is_control() { (Some(c.escape_default()), None) } else { (None, Some(c)) };
                escaped.into_iter().flatten().chain(plain)
            })
            .collect(),
    }
}

/// Files that failed, as they are listed: each on one line that is not too long.
pub(crate) fn failures<'a>(failures: impl Iterator<Item = &'a Failed>) -> Vec<String> {
    failures.map(|failed| shortened(&format!("{}: {}", failed.path, failed.reason))).collect()
}

/// What is listed beside rows: on one line, and not longer than that of a row usually is.
pub(crate) fn shortened(text: &str) -> String {
    let line = shown(text);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}

/// A name with the names round it: `Engine.open`.
pub(crate) fn full_name<S: AsRef<str>>(scope: &[S], name: &str) -> String {
    let round = scope.iter().flat_map(|round| [round.as_ref(), "."]);
    round.chain([name]).collect()
}

/// More digits say nothing and cost tokens.
fn rounded(score: f64) -> f64 {
    (score * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        Row { path: "src/a.rs".into(), start_line: 3, end_line: 4, name: Some(name.into()), ..Row::default() }
    }

    #[test]
    fn a_page_keeps_its_limit_in_both_forms() {
        for tokens in [200, 1000] {
            let mut page = Page::new(Some(tokens)).unwrap();
            let mut rows = 0;
            loop {
                let row = Row { kind: Some("function"), ..row("open_the_valve") };
                let row = row.with_body(["if \"quoted\" {", "\tuse(\"it\\n\");", "}"].into_iter(), &page);
                if !page.push(&row, &row.text()).unwrap() {
                    break;
                }
                rows += 1;
            }
            let answer = page.finish(&IndexNote::default(), 12, || "1-2-3".into());
            let sizes = [answer.text.len(), answer.structured.to_string().len()];
            assert!(sizes.iter().all(|size| *size <= tokens * BYTES_PER_TOKEN), "{rows}: {sizes:?}");
            assert!(rows > 0 && sizes[1] > tokens * BYTES_PER_TOKEN / 3, "{rows}: {sizes:?}");
        }
        assert!(Page::new(Some(199)).is_err() && Page::new(Some(20_001)).is_err());
    }

    #[test]
    fn a_body_that_is_too_long_is_cut_at_a_line() {
        let page = Page::new(Some(400)).unwrap();
        let line = "x".repeat(90);
        let row = row("long").with_body(std::iter::repeat_n(line.as_str(), 50), &page);
        let body = row.body.clone().unwrap();
        assert_eq!(body.lines().count() + row.body_lines_left, 50);
        assert!(!body.is_empty() && body.lines().all(|kept| kept == line));
        assert!(row.text().ends_with("more lines"));
    }

    #[test]
    fn nothing_in_a_file_can_be_taken_for_a_row() {
        let mut row = row("a\nb.rs:1-9 function evil");
        row.path = "src/x\ny.rs".into();
        row.body = Some("src/b.rs:1-9 function evil\n".into());
        let text = row.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("    3| "), "{text}");
    }
}
