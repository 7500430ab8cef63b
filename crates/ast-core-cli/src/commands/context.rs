//! `ast-core context`: what to read to know what a query asks for.

use super::first::index_to_read;
use super::{block_on, note_changed, warn_if_incomplete};
use crate::args::{ContextArguments, Format, Global};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, Output, PATH, WARNING, shown};
use crate::paint::Painter;
use ast_core_engine::{ContextForm, ContextQuery, ContextReply, Engine, SearchQuery};
use std::io::Write;

pub(crate) fn run(arguments: &ContextArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let config = index_to_read(&arguments.first, &arguments.embedder, global, output)?;
    let set = &global.settings.of_index(&config.database)?.values.context;
    let whole = ContextQuery::new(arguments.query.join(" "));
    let query = ContextQuery {
        search: SearchQuery {
            mode: arguments.mode.unwrap_or(set.mode),
            languages: arguments.filter.lang.clone(),
            paths: arguments.filter.path.clone(),
            kinds: arguments.filter.kind.clone(),
            threshold: arguments.filter.threshold.unwrap_or(set.threshold),
            ..whole.search
        },
        budget: arguments.budget.unwrap_or(set.budget),
    };
    let config = embedder::for_reading(config, &arguments.embedder, global)?;
    let reply = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.context(&query).await;
        engine.close().await;
        Ok(reply?)
    })?;
    warn_if_incomplete(reply.complete, output);
    for notice in &reply.notices {
        output.note(format_args!("{WARNING}{}{WARNING:#}", shown(&notice.to_string())));
    }
    note_changed(reply.files.iter().map(|file| (&file.path, file.changed)), output);
    match output.format {
        Format::Human => show(&reply, &query, output)?,
        Format::Json => output.json(&json::Context::new(&query, &reply))?,
        Format::Jsonl => {
            for file in &reply.files {
                output.json(&json::ContextFile::from(file))?;
            }
        }
    }
    Ok(if reply.files.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn show(reply: &ContextReply, query: &ContextQuery, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    let mut painter = Painter::new(&query.search.text, output);
    for file in &reply.files {
        writeln!(out, "{PATH}{}{PATH:#}", shown(file.path.as_str()))?;
        for part in &file.parts {
            let text = part.to_string();
            let head = shown(text.lines().next().unwrap_or_default());
            if part.form == ContextForm::Signature {
                writeln!(out, "{DIM}{head}{DIM:#}")?;
                continue;
            }
            writeln!(out, "{head}")?;
            for line in painter.lines(&part.text, &file.language) {
                writeln!(out, "{line}")?;
            }
            if let ContextForm::Cut(lines) = part.form {
                writeln!(out, "… {lines} more lines")?;
            }
            writeln!(out)?;
        }
    }
    match (reply.files.is_empty(), reply.left_out) {
        (true, 0) => output.note("nothing found"),
        (_, 0) => {}
        (_, count) => output.note(format_args!("{DIM}{count} more hits have no room in the budget{DIM:#}")),
    }
    Ok(())
}
