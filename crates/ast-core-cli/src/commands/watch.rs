//! `ast-core watch`: keep the index up with a tree as it changes.

use super::block_on;
use super::index::{cancel_on_interrupt, check_directory, say_what_changes};
use crate::args::{Format, Global, WatchArguments};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{NAME, Output, WARNING, grouped, shown};
use ast_core_engine::{Engine, EngineConfig, IndexReport, WatchEvent, WatchOptions};
use std::io::Write;

pub(crate) fn run(arguments: &WatchArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    check_directory(&arguments.path)?;
    let config = match &global.db {
        Some(db) => EngineConfig::new(db),
        None => EngineConfig::for_tree(&arguments.path),
    };
    let settings = global.settings.of_tree(&arguments.path)?;
    let config = arguments.memory.apply(settings.apply(config)?, &settings)?;
    let config = embedder::for_writing(config, &arguments.embedder, global)?;
    block_on(async {
        let engine = Engine::open(config).await?;
        say_what_changes(&engine, output).await?;
        // There is nothing in flight that would have to be told of.
        let cancel = cancel_on_interrupt(true);
        let options = WatchOptions::default();
        let mut written = Ok(());
        let ended = engine.watch(&arguments.path, &options, &cancel, |event| {
            if written.is_ok() {
                written = show(&event, output);
            }
            if written.is_err() {
                // Whoever listened is gone.
                cancel.cancel();
            }
        });
        let ended = ended.await;
        engine.close().await;
        ended?;
        written?;
        Ok(Exit::Interrupted)
    })
}

fn show(event: &WatchEvent, output: &Output) -> std::io::Result<()> {
    if output.format != Format::Human {
        return json::WatchEvent::of(event).map_or(Ok(()), |event| output.json(&event));
    }
    let mut out = output.stdout();
    match event {
        WatchEvent::Ready { report, watched } => {
            let what = match watched {
                Some(directories) => format!("watching {} directories", grouped(*directories as u64)),
                None => {
                    "looking for changes every 2 s, as the system does not tell of all of them".to_owned()
                }
            };
            writeln!(out, "{}; {what}", done(report))?;
        }
        WatchEvent::Updated { report } => writeln!(out, "{}", done(report))?,
        WatchEvent::Failed { error } => {
            writeln!(out, "{WARNING}waiting:{WARNING:#} {}", shown(&error.to_string()))?
        }
        _ => {}
    }
    out.flush()
}

fn done(report: &IndexReport) -> String {
    let files = &report.files;
    let mut parts = vec![format!("{NAME}{} indexed{NAME:#}", grouped(files.indexed))];
    if files.removed > 0 {
        parts.push(format!("{} removed", grouped(files.removed)));
    }
    if !report.failures.is_empty() {
        parts.push(format!("{WARNING}{} failed{WARNING:#}", grouped(report.failures.len() as u64)));
    }
    format!("{} in {} ms", parts.join(", "), report.elapsed.as_millis())
}
