//! `ast-core grep`: lines by a regular expression, as ripgrep shows them.

use super::first::index_to_read;
use super::{block_on, warn_if_incomplete};
use crate::args::{Format, Global, GrepArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, Output, PATH, WARNING};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use ast_core_engine::{Engine, GrepDetail, GrepFile, GrepLine, GrepQuery, GrepSummary, RepoPath};
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;

const LINE: Style = AnsiColor::Green.on_default();
const MATCH: Style = AnsiColor::Red.on_default().bold();

/// Files that have changed that are named.
const NAMED: usize = 10;

pub(crate) fn run(arguments: &GrepArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let query = GrepQuery {
        fixed: arguments.fixed_strings,
        ignore_case: arguments.ignore_case,
        word: arguments.word_regexp,
        languages: arguments.lang.clone(),
        paths: arguments.path.clone(),
        detail: match (arguments.files_with_matches, arguments.count) {
            (true, _) => GrepDetail::Files,
            (_, true) => GrepDetail::Counts,
            _ => GrepDetail::Lines,
        },
        before: arguments.before_context.unwrap_or(arguments.context),
        after: arguments.after_context.unwrap_or(arguments.context),
        limit: arguments.limit.unwrap_or(usize::MAX),
        ..GrepQuery::new(&arguments.pattern)
    };
    let config = index_to_read(&arguments.first, &arguments.embedder, global, output)?;
    let mut answer = Answer::new(&query, arguments.scope, output);
    let summary = block_on(async {
        let engine = Engine::open(config).await?;
        let summary = engine.grep_each(&query, |file| answer.give(file)).await;
        engine.close().await;
        Ok(summary?)
    })?;
    let changed = answer.finish(&summary)?;
    warn_if_incomplete(summary.complete, output);
    note_changed(&changed, output);
    if summary.more {
        output.note(format_args!("there are more than {}; see them with --limit", query.limit));
    }
    if summary.files == 0 && output.format != Format::Json {
        output.note("nothing found");
    }
    Ok(if summary.files == 0 { Exit::NothingFound } else { Exit::Done })
}

/// A common pattern may be in very many files.
fn note_changed(changed: &Changed, output: &Output) {
    let Changed { named, count } = changed;
    let named: Vec<&str> = named.iter().map(RepoPath::as_str).collect();
    let named = named.join(", ");
    match *count {
        0 => {}
        1 => output.note(format_args!(
            "{WARNING}{named} has changed since it was indexed{WARNING:#}; run `ast-core index`"
        )),
        count if count <= NAMED => output.note(format_args!(
            "{WARNING}{named} have changed since they were indexed{WARNING:#}; run `ast-core index`"
        )),
        count => output.note(format_args!(
            "{WARNING}{named} and {} more have changed since they were indexed{WARNING:#}; run `ast-core index`",
            count - NAMED
        )),
    }
}

/// Files of an answer that have changed since they were indexed.
#[derive(Default)]
struct Changed {
    /// The first of them.
    named: Vec<RepoPath>,
    count: usize,
}

/// What is written as it is found.
struct Answer<'a> {
    query: &'a GrepQuery,
    format: Format,
    out: Box<dyn Write>,
    is_colored: bool,
    /// A terminal has the path above the lines of a file.
    has_heading: bool,
    /// Whether definitions are named, and the one that was last.
    scope: bool,
    /// Whether something was written.
    is_begun: bool,
    written: io::Result<()>,
    changed: Changed,
}

impl<'a> Answer<'a> {
    fn new(query: &'a GrepQuery, scope: bool, output: &Output) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let is_colored = output.format == Format::Human && AutoStream::choice(&stdout) != ColorChoice::Never;
        // What is in the lines is written as it is, where it looks like a colour, too.
        let out: Box<dyn Write> = match is_colored {
            true => Box::new(BufWriter::new(output.stdout())),
            false => Box::new(BufWriter::new(stdout.lock())),
        };
        Self {
            query,
            format: output.format,
            out,
            is_colored,
            has_heading: is_terminal,
            scope,
            is_begun: false,
            written: Ok(()),
            changed: Changed::default(),
        }
    }

    /// Writes what was found in a file. What cannot be written ends the search.
    fn give(&mut self, file: GrepFile) -> ControlFlow<()> {
        if file.changed == Some(true) {
            self.changed.count += 1;
            if self.changed.named.len() < NAMED {
                self.changed.named.push(file.path.clone());
            }
        }
        self.written = match self.format {
            Format::Human => self.show(&file),
            Format::Json | Format::Jsonl => self.write_json(&file),
        };
        self.is_begun = true;
        if self.has_heading && self.written.is_ok() {
            self.written = self.out.flush();
        }
        if self.written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn finish(mut self, summary: &GrepSummary) -> io::Result<Changed> {
        self.written?;
        if self.format == Format::Json {
            if !self.is_begun {
                self.out.write_all(json::grep_begin(self.query)?.as_bytes())?;
            }
            self.out.write_all(json::grep_end(summary)?.as_bytes())?;
        }
        self.out.flush()?;
        Ok(self.changed)
    }

    fn write_json(&mut self, file: &GrepFile) -> io::Result<()> {
        for hit in json::GrepHit::all_of(file, self.query) {
            match (self.format, self.is_begun) {
                (Format::Json, false) => self.out.write_all(json::grep_begin(self.query)?.as_bytes())?,
                (Format::Json, true) => self.out.write_all(b",")?,
                _ => {}
            }
            self.is_begun = true;
            serde_json::to_writer(&mut self.out, &hit)?;
            if self.format == Format::Jsonl {
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn show(&mut self, file: &GrepFile) -> io::Result<()> {
        match self.query.detail {
            GrepDetail::Files => {
                self.styled(PATH, &file.path)?;
                return self.out.write_all(b"\n");
            }
            GrepDetail::Counts => {
                self.styled(PATH, &file.path)?;
                return writeln!(self.out, ":{}", file.count);
            }
            _ => {}
        }
        let has_groups = self.query.before > 0 || self.query.after > 0;
        if self.has_heading {
            if self.is_begun {
                self.out.write_all(b"\n")?;
            }
            self.styled(PATH, &file.path)?;
            if file.changed == Some(true) {
                self.out.write_all(b"  ")?;
                self.styled(WARNING, "changed since it was indexed")?;
            }
            self.out.write_all(b"\n")?;
        } else if has_groups && self.is_begun {
            self.styled(DIM, "--")?;
            self.out.write_all(b"\n")?;
        }
        let mut before: Option<&GrepLine> = None;
        let mut within = None;
        for line in &file.lines {
            if has_groups && before.is_some_and(|before| before.number + 1 < line.number) {
                self.styled(DIM, "--")?;
                self.out.write_all(b"\n")?;
            }
            before = Some(line);
            if self.scope && line.is_match && line.within.is_some() && line.within != within {
                self.show_scope(file, line)?;
            }
            if line.is_match {
                within = line.within;
            }
            self.show_line(file, line)?;
        }
        Ok(())
    }

    /// The definition that a line is in, as `git grep --show-function` has it.
    fn show_scope(&mut self, file: &GrepFile, line: &GrepLine) -> io::Result<()> {
        let Some(definition) = file.definition_of(line) else { return Ok(()) };
        self.show_place(file, definition.lines.start, "=")?;
        let scope: String = definition.scope.iter().map(|name| format!("{name}.")).collect();
        self.styled(DIM, format_args!("{} {scope}{}", definition.kind, definition.name))?;
        self.out.write_all(b"\n")
    }

    fn show_place(&mut self, file: &GrepFile, line: u32, mark: &str) -> io::Result<()> {
        if !self.has_heading {
            self.styled(PATH, &file.path)?;
            self.out.write_all(mark.as_bytes())?;
        }
        self.styled(LINE, line)?;
        self.out.write_all(mark.as_bytes())
    }

    fn show_line(&mut self, file: &GrepFile, line: &GrepLine) -> io::Result<()> {
        self.show_place(file, line.number, if line.is_match { ":" } else { "-" })?;
        let mut at = 0;
        if self.is_colored {
            for found in &line.matches {
                let (start, end) = (found.start as usize, found.end as usize);
                self.out.write_all(&line.bytes[at..start])?;
                if start < end {
                    write!(self.out, "{MATCH}")?;
                    self.out.write_all(&line.bytes[start..end])?;
                    write!(self.out, "{MATCH:#}")?;
                }
                at = end;
            }
        }
        self.out.write_all(&line.bytes[at..])?;
        self.out.write_all(b"\n")
    }

    fn styled(&mut self, style: Style, text: impl Display) -> io::Result<()> {
        match self.is_colored {
            true => write!(self.out, "{style}{text}{style:#}"),
            false => write!(self.out, "{text}"),
        }
    }
}
