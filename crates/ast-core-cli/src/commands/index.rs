//! `ast-core index`: bring the index up to a tree.

use super::{block_on, stages};
use crate::args::{Format, Global, IndexArguments};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{NAME, Output, PATH, WARNING, bytes, grouped, shown};
use crate::progress::Bar;
use ast_core_engine::{
    CancelToken, EmbedderChange, Engine, EngineConfig, FileCounts, IndexControl, IndexOptions, IndexReport,
    PlanReport, ProgressObserver, Work,
};
use std::io::Write;
use std::path::Path;

/// Failures that are listed unless more is asked for.
const LISTED_FAILURES: usize = 10;

pub(crate) fn run(arguments: &IndexArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    check_directory(&arguments.path)?;
    let config = match &global.db {
        Some(db) => EngineConfig::new(db),
        None => EngineConfig::for_tree(&arguments.path),
    };
    let settings = global.settings.of_tree(&arguments.path)?;
    let config = arguments.memory.apply(settings.apply(config)?, &settings)?;
    let config = embedder::for_writing(config, &arguments.embedder, global)?;
    let options = IndexOptions { rebuild: arguments.rebuild, ..IndexOptions::default() };
    block_on(async {
        if arguments.plan {
            let plan = if config.database.exists() {
                let engine = Engine::open(config.read_only()).await?;
                say_what_changes(&engine, output).await?;
                engine.plan(&arguments.path, &options).await?
            } else {
                ast_core_engine::plan_without_index(&config, &arguments.path).await?
            };
            show_plan(&plan, output)?;
            return Ok(Exit::Done);
        }
        let engine = Engine::open(config).await?;
        say_what_changes(&engine, output).await?;
        let cancel = cancel_on_interrupt(output.quiet);
        let observer = Bar::on_terminal(output).map(|bar| Box::new(bar) as Box<dyn ProgressObserver + Send>);
        let control = IndexControl { cancel, observer, ..IndexControl::default() };
        let report = engine.index(&arguments.path, &options, control).await;
        let metrics = engine.metrics();
        engine.close().await;
        let report = report?;
        show(&report, output)?;
        if output.verbose {
            output.note(stages::table(&metrics, Work::Index));
        }
        let partly = report.files.failed + report.files.timed_out > 0;
        Ok(if partly { Exit::Partial } else { Exit::Done })
    })
}

/// Says before a run that it embeds everything anew: of some embedders that takes long, or costs money.
pub(super) async fn say_what_changes(engine: &Engine, output: &Output) -> Result<(), Failed> {
    if let Some(EmbedderChange { before, now, .. }) = engine.embedder_change().await? {
        output.note(format_args!(
            "{WARNING}everything is embedded anew{WARNING:#}: the index has vectors of {before}, and they are to be of {now}"
        ));
    }
    Ok(())
}

/// Whether a tree can be there.
pub(super) fn check_directory(path: &Path) -> Result<(), Failed> {
    if path.is_dir() {
        return Ok(());
    }
    let what = if path.exists() { "is not a directory" } else { "does not exist" };
    let path = path.display();
    Err(Failed::Usage(format!("{path} {what}; name a directory to index, such as `ast-core index .`")))
}

/// The first Ctrl-C ends the run as soon as what is in flight is committed, the second at once.
pub(super) fn cancel_on_interrupt(quiet: bool) -> CancelToken {
    let cancel = CancelToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        token.cancel();
        if !quiet {
            let _ = writeln!(anstream::stderr().lock(), "\ninterrupted: committing what is done");
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    cancel
}

fn show(report: &IndexReport, output: &Output) -> Result<(), Failed> {
    if output.format != Format::Human {
        return Ok(output.json(&json::Index::from(report))?);
    }
    let mut out = output.stdout();
    let files = &report.files;
    let seconds = report.elapsed.as_secs_f64();
    writeln!(
        out,
        "{NAME}{} files indexed{NAME:#}, {} unchanged, {} removed, in {seconds:.2} s",
        grouped(files.indexed),
        grouped(files.unchanged),
        grouped(files.removed),
    )?;
    if report.bytes > 0 {
        let rate = report.bytes as f64 / seconds;
        writeln!(
            out,
            "{} in {} lines, {} symbols, {} chunks; {}/s",
            bytes(report.bytes),
            grouped(report.lines),
            grouped(report.symbols),
            grouped(report.chunks),
            bytes(rate as u64),
        )?;
    }
    if let Some(left_out) = left_out(files) {
        writeln!(out, "left out: {left_out}")?;
    }
    let most = if output.verbose { usize::MAX } else { LISTED_FAILURES };
    for failure in report.failures.iter().take(most) {
        writeln!(out, "{WARNING}{}{WARNING:#}: {}", shown(&failure.path), shown(&failure.reason))?;
    }
    if report.failures.len() > most {
        writeln!(out, "... and {} more; -v lists them", report.failures.len() - most)?;
    }
    Ok(())
}

/// What was left out and why, in words; `None` if nothing was.
pub(crate) fn left_out(files: &FileCounts) -> Option<String> {
    let reasons = [
        (files.ignored, "ignored or hidden"),
        (files.unsupported, "of no known language"),
        (files.too_large, "too large"),
        (files.binary, "binary"),
        (files.timed_out, "too slow to parse (searchable as text)"),
        (files.failed, "failed"),
    ];
    let told: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{} {reason}", grouped(*count)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn show_plan(plan: &PlanReport, output: &Output) -> Result<(), Failed> {
    if output.format != Format::Human {
        return Ok(output.json(&json::Plan::from(plan))?);
    }
    let mut out = output.stdout();
    for (sign, paths) in [("+", &plan.new), ("~", &plan.changed), ("-", &plan.removed)] {
        for path in paths {
            writeln!(out, "{sign} {PATH}{}{PATH:#}", shown(path))?;
        }
    }
    let counts = [plan.new.len(), plan.changed.len(), plan.removed.len()].map(|count| grouped(count as u64));
    let [new, changed, removed] = counts;
    writeln!(
        out,
        "{new} new, {changed} possibly changed, {removed} to be removed, {} unchanged",
        grouped(plan.files.unchanged)
    )?;
    if let Some(left_out) = left_out(&plan.files) {
        writeln!(out, "left out: {left_out}")?;
    }
    Ok(())
}
