//! `ast-core search`: find code.

use super::first::index_to_read;
use super::{block_on, stages, warn_if_incomplete};
use crate::args::{Format, Global, SearchArguments};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING, shown};
use crate::paint::Painter;
use ast_core_engine::{Engine, SearchHit, SearchQuery, SearchReply, Work};
use std::io::Write;

/// Lines of a hit that are shown on a terminal, context aside.
const SHOWN_LINES: usize = 8;

pub(crate) fn run(arguments: &SearchArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let config = index_to_read(&arguments.first, &arguments.embedder, global, output)?;
    let set = &global.settings.of_index(&config.database)?.values.search;
    let query = SearchQuery {
        text: arguments.query(),
        limit: arguments.limit.unwrap_or(set.limit),
        mode: arguments.mode.unwrap_or(set.mode),
        languages: arguments.filter.lang.clone(),
        paths: arguments.filter.path.clone(),
        kinds: arguments.filter.kind.clone(),
        threshold: arguments.filter.threshold.unwrap_or(set.threshold),
        context: arguments.context.unwrap_or(set.context),
        rerank: arguments.rerank.is_some(),
    };
    let config = embedder::for_reading(config, &arguments.embedder, global)?;
    let config = embedder::with_reranking(config, arguments, global)?;
    let (reply, metrics) = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.search(&query).await;
        let metrics = output.verbose.then(|| engine.metrics());
        engine.close().await;
        Ok((reply?, metrics))
    })?;
    warn_if_incomplete(reply.complete, output);
    for notice in &reply.notices {
        output.note(format_args!("{WARNING}{}{WARNING:#}", shown(&notice.to_string())));
    }
    match output.format {
        Format::Human => show(&reply, &query, output)?,
        Format::Json => output.json(&json::Search::new(&query.text, &reply))?,
        Format::Jsonl => {
            for hit in &reply.hits {
                output.json(&json::Hit::from(hit))?;
            }
        }
    }
    if let Some(metrics) = metrics {
        output.note(stages::table(&metrics, Work::Search));
    }
    Ok(if reply.hits.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn show(reply: &SearchReply, query: &SearchQuery, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    let mut painter = Painter::new(&query.text, output);
    for hit in &reply.hits {
        show_hit(&mut out, hit, query.context, &mut painter, output)?;
    }
    if reply.hits.is_empty() {
        output.note("nothing found");
    }
    Ok(())
}

/// Shows a hit to people, with so many lines of context as it has.
pub(crate) fn show_hit(
    out: &mut impl Write,
    hit: &SearchHit,
    context: u32,
    painter: &mut Painter,
    output: &Output,
) -> Result<(), Failed> {
    write!(out, "{PATH}{}{PATH:#}:{}-{}", shown(hit.path.as_str()), hit.lines.start, hit.lines.end)?;
    if let (Some(name), Some(kind)) = (&hit.name, hit.kind) {
        let mut scope = hit.scope.join(".");
        if !scope.is_empty() {
            scope.push('.');
        }
        write!(out, "  {kind} {}{NAME}{}{NAME:#}", shown(&scope), shown(name))?;
    }
    write!(out, "  {DIM}{:.3}{DIM:#}", hit.score)?;
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    if let Some(likeness) = &hit.why.likeness {
        let [meaning, shape, words] =
            [likeness.meaning, Some(likeness.shape), Some(likeness.words)].map(figure);
        write!(out, "  {DIM}meaning {meaning} shape {shape} words {words}{DIM:#}")?;
    } else if output.verbose {
        write!(out, "  {DIM}words {} vectors {}{DIM:#}", figure(hit.why.lexical), figure(hit.why.semantic))?;
        if hit.why.reranked.is_some() {
            write!(out, " {DIM}reranked {}{DIM:#}", figure(hit.why.reranked))?;
        }
    }
    if hit.changed == Some(true) {
        write!(out, "  {WARNING}changed since it was indexed{WARNING:#}")?;
    }
    writeln!(out)?;
    let most = SHOWN_LINES + 2 * context as usize;
    let lines = painter.lines(&hit.snippet, &hit.language);
    for (number, line) in (hit.snippet_lines.start..).zip(lines.iter().take(most)) {
        writeln!(out, "{DIM}{number:>6}{DIM:#}  {line}")?;
    }
    if lines.len() > most {
        writeln!(out, "{DIM}     …  {} more lines{DIM:#}", lines.len() - most)?;
    }
    writeln!(out)?;
    Ok(())
}
