//! `ast-core similar`: find code that is like other code.

use super::first::index_to_read;
use super::search::show_hit;
use super::{block_on, warn_if_incomplete};
use crate::args::{Format, Global, SimilarArguments, SimilarPlace};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING, shown};
use crate::paint::Painter;
use ast_core_engine::{Engine, SimilarQuery, SimilarReply, SimilarTo};
use std::io::Read;
use std::path::Path;

/// The most that is read of standard input, in bytes: more than the engine takes, so that it says so.
const MOST_INPUT: u64 = 64 << 20;

pub(crate) fn run(arguments: &SimilarArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let config = index_to_read(&arguments.first, &arguments.embedder, global, output)?;
    let set = &global.settings.of_index(&config.database)?.values.similar;
    let config = embedder::for_reading(config, &arguments.embedder, global)?;
    let query = SimilarQuery {
        limit: arguments.limit.unwrap_or(set.limit),
        languages: arguments.filter.lang.clone(),
        paths: arguments.filter.path.clone(),
        kinds: arguments.filter.kind.clone(),
        threshold: arguments.filter.threshold.unwrap_or(set.threshold),
        context: arguments.context.unwrap_or(set.context),
        ..SimilarQuery::new(code_of(arguments)?)
    };
    let reply = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.similar(&query).await;
        engine.close().await;
        Ok(reply?)
    })?;
    warn_if_incomplete(reply.complete, output);
    for notice in &reply.notices {
        output.note(format_args!("{WARNING}{}{WARNING:#}", shown(&notice.to_string())));
    }
    match output.format {
        Format::Human => show(&reply, &query, output)?,
        Format::Json => output.json(&json::Similar::from(&reply))?,
        Format::Jsonl => {
            for hit in &reply.hits {
                output.json(&json::SimilarHit::from(hit))?;
            }
        }
    }
    Ok(if reply.hits.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn code_of(arguments: &SimilarArguments) -> Result<SimilarTo, Failed> {
    match &arguments.to {
        SimilarPlace::Line { .. } if arguments.language.is_some() => {
            Err(Failed::Usage("--as is for code on standard input; name the place - to read it".to_owned()))
        }
        SimilarPlace::Line { path, line } => {
            // A path from here, or else one as answers have them, from the root of the tree.
            let here = std::path::absolute(path)?;
            let path = if here.exists() { here.as_path() } else { Path::new(path) };
            Ok(SimilarTo::Place { path: path.to_owned(), line: *line })
        }
        SimilarPlace::Input => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().take(MOST_INPUT).read_to_end(&mut bytes);
            read.map_err(|error| Failed::Usage(format!("standard input cannot be read: {error}")))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let only = match arguments.filter.lang[..] {
                [language] => Some(language),
                _ => None,
            };
            Ok(SimilarTo::Code { text, language: arguments.language.or(only) })
        }
    }
}

fn show(reply: &SimilarReply, query: &SimilarQuery, output: &Output) -> Result<(), Failed> {
    if let Some(place) = &reply.place {
        let name = match (&place.name, place.kind) {
            (Some(name), Some(kind)) => {
                let scope: String = place.scope.iter().flat_map(|scope| [scope.as_str(), "."]).collect();
                format!("  {kind} {}{NAME}{}{NAME:#}", shown(&scope), shown(name))
            }
            _ => String::new(),
        };
        let (path, lines) = (shown(place.path.as_str()), place.lines);
        let unindexed = if place.unindexed { "  as it is now, not as it was indexed" } else { "" };
        output.note(format_args!(
            "like {PATH}{path}{PATH:#}:{}-{}{name}{DIM}{unindexed}{DIM:#}",
            lines.start, lines.end
        ));
    }
    let mut out = output.stdout();
    // What was asked for has no words but its name.
    let name = reply.place.as_ref().and_then(|place| place.name.as_deref());
    let mut painter = Painter::new(name.unwrap_or_default(), output);
    for hit in &reply.hits {
        show_hit(&mut out, hit, query.context, &mut painter, output)?;
    }
    if reply.hits.is_empty() {
        output.note("nothing found");
    }
    Ok(())
}
