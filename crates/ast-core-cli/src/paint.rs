//! Code as people see it: on a terminal in colours, and with what was looked for marked.

use crate::output::{Output, shown};
use anstyle::{AnsiColor, Style};
use ast_core_engine::{
    Accent, ChunkingConfig, Highlight, LanguageName, ParseLimits, ParsedQuery, Parser, matched_words,
};
use std::ops::Range;
use std::time::Duration;

/// What is painted at a time: enough for what is shown of a file at once.
const LIMITS: ParseLimits =
    ParseLimits { max_bytes: 64 << 10, time_budget: Duration::from_millis(200), max_symbols: 0 };

/// Paints code, or leaves it as it is where there are no colours.
pub(crate) struct Painter {
    /// `None` without colours.
    parser: Option<Parser>,
    /// What was looked for.
    terms: Vec<String>,
}

impl Painter {
    /// For the answer to a query.
    pub(crate) fn new(query: &str, output: &Output) -> Self {
        let parser = output.has_colors().then(|| Parser::new(LIMITS, ChunkingConfig::default()));
        // What holds no word marks none.
        let terms = ParsedQuery::parse(query).map_or(Vec::new(), |query| query.terms);
        Self { parser, terms }
    }

    /// The lines of a piece of code. What a terminal would obey is shown instead.
    pub(crate) fn lines(&mut self, code: &str, language: &LanguageName) -> Vec<String> {
        let Some(parser) = &mut self.parser else {
            return code.lines().map(|line| shown(line).into_owned()).collect();
        };
        let highlights = match language.as_str().parse() {
            // A text that cannot be parsed in time is shown as it is.
            Ok(language) => parser.highlight(code, language).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        paint(code, &highlights, &matched_words(code, &self.terms))
    }
}

/// Writes each line in the styles of its parts.
fn paint(code: &str, highlights: &[Highlight], marks: &[Range<usize>]) -> Vec<String> {
    let accents = highlights.iter().map(|part| (part.span.range(), part.accent));
    let mut places: Vec<usize> = accents
        .clone()
        .map(|(range, _)| range)
        .chain(marks.iter().cloned())
        .flat_map(|range| [range.start, range.end])
        .collect();
    places.sort_unstable();
    let mut places = places.into_iter().peekable();
    let (mut accents, mut marks) = (accents.peekable(), marks.iter().peekable());
    let mut style_at = |at: usize| {
        while accents.next_if(|(range, _)| range.end <= at).is_some() {}
        while marks.next_if(|range| range.end <= at).is_some() {}
        let accent = accents.peek().filter(|(range, _)| range.contains(&at));
        let style = accent.map_or(Style::new(), |(_, accent)| style_of(*accent));
        match marks.peek().is_some_and(|range| range.contains(&at)) {
            true => style.bold().underline(),
            false => style,
        }
    };
    let mut lines = Vec::new();
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        let text = line.strip_suffix('\n').map_or(line, |text| text.strip_suffix('\r').unwrap_or(text));
        let end = start + text.len();
        let mut painted = String::new();
        let mut from = start;
        while from < end {
            while places.next_if(|place| *place <= from).is_some() {}
            let to = places.peek().map_or(end, |place| end.min(*place));
            let style = style_at(from);
            painted.push_str(&format!("{style}{}{style:#}", shown(&code[from..to])));
            from = to;
        }
        lines.push(painted);
        start += line.len();
    }
    lines
}

/// By the colours that a terminal names itself, so that they suit its ground.
fn style_of(accent: Accent) -> Style {
    match accent {
        Accent::Comment => AnsiColor::BrightBlack.on_default(),
        Accent::Keyword => AnsiColor::Magenta.on_default(),
        Accent::String => AnsiColor::Green.on_default(),
        Accent::Constant => AnsiColor::Cyan.on_default(),
        Accent::Type => AnsiColor::Yellow.on_default(),
        Accent::Function => AnsiColor::Blue.on_default(),
        Accent::Attribute => AnsiColor::BrightYellow.on_default(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ast_core_engine::Span;

    #[test]
    fn what_was_looked_for_is_marked_in_whatever_colour_it_has() {
        let code = "a // retry\r\nretry(\u{1b}[31m)";
        let highlights = [
            Highlight { span: Span::new(2, 10), accent: Accent::Comment },
            Highlight { span: Span::new(12, 17), accent: Accent::Function },
        ];
        let lines = paint(code, &highlights, &[5..10, 12..17]);
        assert_eq!(
            lines,
            [
                "a \u{1b}[90m// \u{1b}[0m\u{1b}[1m\u{1b}[4m\u{1b}[90mretry\u{1b}[0m",
                "\u{1b}[1m\u{1b}[4m\u{1b}[34mretry\u{1b}[0m(␛[31m)"
            ]
        );
    }

    #[test]
    fn a_part_may_go_on_over_lines() {
        let comment = [Highlight { span: Span::new(0, 9), accent: Accent::Comment }];
        assert_eq!(
            paint("/* a\nb */ c", &comment, &[]),
            ["\u{1b}[90m/* a\u{1b}[0m", "\u{1b}[90mb */\u{1b}[0m c"]
        );
        assert_eq!(paint("", &[], &[]), [""; 0]);
        assert_eq!(paint("a\n\nb\n", &[], &[]), ["a", "", "b"]);
    }
}
