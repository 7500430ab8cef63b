//! Where answers and messages go.

use crate::args::{Color, Format, Global};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, StdoutLock, Write};

pub(crate) const PATH: Style = AnsiColor::Magenta.on_default();
pub(crate) const NAME: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// How to answer.
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    /// Whether more is to be said.
    pub(crate) verbose: bool,
    /// Whether a bar may show how far it is: not between lines that tell of what is done.
    pub(crate) has_bar: bool,
}

impl Output {
    /// As it was asked for, or else is set.
    pub(crate) fn new(global: &Global, is_logged: bool) -> Self {
        let set = &global.settings.values;
        set_colors(global.color.unwrap_or(set.color));
        Self {
            format: global.format().unwrap_or(set.format),
            quiet: global.quiet,
            verbose: global.verbose > 0,
            has_bar: !global.quiet && !is_logged,
        }
    }

    /// Where the answer is written. Colours are taken out unless they are wanted.
    pub(crate) fn stdout(&self) -> AutoStream<StdoutLock<'static>> {
        AutoStream::auto(io::stdout()).lock()
    }

    /// Whether the answer is written in colours.
    pub(crate) fn has_colors(&self) -> bool {
        AutoStream::choice(&io::stdout()) != ColorChoice::Never
    }

    /// Writes a document on a line.
    pub(crate) fn json(&self, document: &impl Serialize) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, document)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Says something that is not the answer.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            // Nobody is left to be told that nobody is left to be told.
            let _ = writeln!(anstream::stderr().lock(), "{message}");
        }
    }
}

/// Says when colours are written, to standard output and to standard error.
pub(crate) fn set_colors(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

pub(crate) fn print_error(error: &impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{ERROR}error:{ERROR:#} {}", shown(&error.to_string()));
}

/// A text that somebody else wrote, such as a line of a file, a name or a path, on one line: characters that a terminal
/// would obey, and those that change the order of what is round them, are shown as such.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // There are characters that show these.
            '\0'..='\u{1f}' if is_obeyed(c) => shown.extend(char::from_u32(0x2400 + c as u32)),
            '\u{7f}' => shown.push('\u{2421}'),
            c if is_obeyed(c) => shown.push_str(&format!("<U+{:04X}>", c as u32)),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Control characters but for the tab, and what makes code read otherwise than it is (Boucher and Anderson: Trojan Source,
/// 2021).
fn is_obeyed(c: char) -> bool {
    c.is_control() && c != '\t' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the unit that suits it.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(shown("\tlet a = \"ä\";"), "\tlet a = \"ä\";");
        assert_eq!(shown("a\u{1b}[2Jb\r\0\u{7f}\n"), "a␛[2Jb␍␀␡␊");
        assert_eq!(shown("\u{9b}31m \u{202e}//\u{2066}"), "<U+009B>31m <U+202E>//<U+2066>");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([5, 1500, 2_500_000].map(bytes), ["5 B", "1.5 kB", "2.5 MB"]);
    }
}
