//! `ast-core map`: the definitions that a tree leans on most.

use super::first::index_to_read;
use super::{block_on, note_changed, warn_if_incomplete};
use crate::args::{Format, Global, MapArguments};
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, Output, PATH, WARNING, shown};
use ast_core_engine::{Engine, MapQuery, MapReply};
use std::io::Write;

pub(crate) fn run(arguments: &MapArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let config = index_to_read(&arguments.first, &arguments.embedder, global, output)?;
    let set = global.settings.of_index(&config.database)?.values.map_budget;
    let query = MapQuery {
        budget: arguments.budget.unwrap_or(set),
        languages: arguments.lang.clone(),
        paths: arguments.path.clone(),
        focus: arguments.focus.clone(),
    };
    let reply = block_on(async {
        let engine = Engine::open(config).await?;
        let reply = engine.map(&query).await;
        engine.close().await;
        Ok(reply?)
    })?;
    warn_if_incomplete(reply.complete, output);
    note_changed(reply.files.iter().map(|file| (&file.path, file.changed)), output);
    if reply.focus_files == Some(0) {
        output.note(format_args!(
            "{WARNING}no file of the index matches --focus{WARNING:#}: this is what the whole tree leans on"
        ));
    }
    match output.format {
        Format::Human => show(&reply, output)?,
        Format::Json => output.json(&json::Map::new(query.budget, &reply))?,
        Format::Jsonl => {
            for file in &reply.files {
                output.json(&json::MapFile::from(file))?;
            }
        }
    }
    Ok(if reply.files.is_empty() { Exit::NothingFound } else { Exit::Done })
}

fn show(reply: &MapReply, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    for file in &reply.files {
        writeln!(out, "{PATH}{}{PATH:#}", shown(file.path.as_str()))?;
        for definition in &file.definitions {
            let line = definition.to_string();
            let line = shown(line.trim_end_matches('\n'));
            match definition.rank {
                Some(_) => writeln!(out, "{line}")?,
                None => writeln!(out, "{DIM}{line}{DIM:#}")?,
            }
        }
    }
    if reply.files.is_empty() {
        output.note(match reply.candidates {
            0 => "nothing found".to_owned(),
            count => format!("none of {count} definitions has room; give a larger --budget"),
        });
    }
    Ok(())
}
