//! `ast-core status`: what the index holds.

use super::stages::duration;
use super::{block_on, existing_index};
use crate::args::{EmbedderArguments, Format, Global, StatusArguments};
use crate::commands::index::left_out;
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{DIM, NAME, Output, PATH, WARNING, bytes, grouped, shown};
use crate::settings::{self, Origin};
use ast_core_engine::{
    Engine, MetricsSnapshot, PrometheusText, StatusReport, VectorFileReport, VectorFileState,
};
use clap::ValueEnum;
use std::io::Write;
use std::path::Path;

/// Stale files and failures that are listed unless more is asked for.
const LISTED: usize = 10;

pub(crate) fn run(arguments: &StatusArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    if arguments.show_config {
        return show_config(&arguments.embedder, global, output);
    }
    let config = existing_index(global)?;
    let config = global.settings.of_index(&config.database)?.apply(config)?;
    let config = embedder::for_naming(config, &arguments.embedder, global)?;
    let (report, metrics) = block_on(async {
        let engine = Engine::open(config).await?;
        let report = engine.status().await;
        let metrics = engine.metrics();
        engine.close().await;
        Ok((report?, metrics))
    })?;
    if arguments.prometheus {
        let mut text = PrometheusText::new();
        report.write_prometheus(&mut text);
        metrics.write_prometheus(&mut text);
        output.stdout().write_all(text.into_string().as_bytes())?;
        return Ok(Exit::Done);
    }
    let metrics = Some(&metrics).filter(|_| arguments.metrics);
    match output.format {
        Format::Human => {
            show(&report, output)?;
            metrics.map_or(Ok(()), |metrics| show_metrics(metrics, &mut output.stdout()))?;
        }
        Format::Json | Format::Jsonl => {
            output.json(&json::Status::from(&report).with_metrics(metrics))?;
        }
    }
    Ok(Exit::Done)
}

/// What a process knows that has only just been started: what it uses, and what the machine has.
fn show_metrics(metrics: &MetricsSnapshot, out: &mut impl Write) -> std::io::Result<()> {
    let unknown = || "unknown".to_owned();
    let size = |number: Option<u64>| number.map_or_else(unknown, bytes);
    let count = |number: Option<u64>| number.map_or_else(unknown, grouped);
    let process = &metrics.process;
    writeln!(
        out,
        "this process: {} resident, {} at most; {} of processors, {} threads, {} open files",
        size(process.rss_bytes),
        size(process.peak_rss_bytes),
        process.cpu_time.map_or_else(unknown, duration),
        count(process.threads),
        count(process.open_files),
    )?;
    let system = &metrics.system;
    let load =
        system.load_average.map_or_else(unknown, |load| load.map(|load| format!("{load:.2}")).join(" "));
    writeln!(
        out,
        "this machine: {} of {} memory available, {} processors, load {load}",
        size(system.available_memory_bytes),
        size(system.total_memory_bytes),
        count(system.cpus.map(|cpus| cpus.get() as u64)),
    )
}

fn show(report: &StatusReport, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    match &report.root {
        Some(root) => {
            writeln!(out, "index of {PATH}{}{PATH:#}, generation {}", root.display(), report.generation)?
        }
        None => writeln!(out, "an empty index")?,
    }
    writeln!(
        out,
        "{NAME}{} files{NAME:#}, {} in {} lines, {} symbols, {} chunks",
        grouped(report.files.indexed),
        bytes(report.bytes),
        grouped(report.lines),
        grouped(report.symbols),
        grouped(report.chunks),
    )?;
    if let Some((id, dimension)) = &report.embedder {
        writeln!(out, "vectors of {dimension} dimensions by {id}")?;
        let configured = &report.configured_embedder;
        if id != configured {
            writeln!(
                out,
                "{WARNING}searched by words alone{WARNING:#}: the settings name {configured}; `ast-core index` would \
                 embed all of it anew"
            )?;
        } else if report.foreign_files > 0 {
            writeln!(
                out,
                "{WARNING}{} files{WARNING:#} still have vectors of the embedder before; run `ast-core index`",
                grouped(report.foreign_files)
            )?;
        }
    }
    if let Some(file) = &report.vector_file {
        show_vector_file(file, &mut out)?;
    }
    if let Some(left_out) = left_out(&report.files) {
        writeln!(out, "left out: {left_out}")?;
    }
    let most = if output.verbose { usize::MAX } else { LISTED };
    for failure in report.failures.iter().take(most) {
        writeln!(out, "  {PATH}{}{PATH:#}: {}", shown(&failure.path), shown(&failure.reason))?;
    }
    if !report.complete {
        writeln!(
            out,
            "{WARNING}incomplete{WARNING:#}: the last run did not come to its end; run `ast-core index`"
        )?;
    }
    match &report.stale {
        None => writeln!(
            out,
            "{WARNING}the tree cannot be looked at{WARNING:#}: whether the index is stale is not known"
        )?,
        Some(stale) if stale.is_empty() => writeln!(out, "up to date")?,
        Some(stale) => {
            writeln!(
                out,
                "{WARNING}stale{WARNING:#}: {} files differ; run `ast-core index`",
                grouped(stale.len() as u64)
            )?;
            for stale in stale.iter().take(most) {
                writeln!(out, "  {PATH}{}{PATH:#}: {}", shown(&stale.path), stale.change.as_str())?;
            }
        }
    }
    Ok(())
}

/// Only what is not as it should be is a warning: a file that is behind is used, and written anew when it is far behind.
fn show_vector_file(file: &VectorFileReport, out: &mut impl Write) -> std::io::Result<()> {
    let beside = match file.files_beside {
        1 => "the vectors of 1 file are read from the index".to_owned(),
        count => format!("the vectors of {} files are read from the index", grouped(count)),
    };
    match &file.state {
        VectorFileState::Current => {
            writeln!(out, "vector file up to date, {}", bytes(file.bytes.unwrap_or_default()))
        }
        VectorFileState::Behind => writeln!(out, "vector file behind: {beside}"),
        VectorFileState::Missing if file.files_beside == 0 => Ok(()),
        VectorFileState::Missing => writeln!(out, "no vector file: {beside}"),
        VectorFileState::Unusable { reason } => {
            writeln!(
                out,
                "{WARNING}vector file of no use{WARNING:#}: {reason}; {beside} until `ast-core index` is run"
            )
        }
        other => writeln!(out, "vector file {}", other.as_str()),
    }
}

/// Says what each setting is and where that is from: of the tree whose index would be read, or of this directory's if there
/// is none.
fn show_config(arguments: &EmbedderArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let settings = match existing_index(global) {
        Ok(config) => global.settings.of_index(&config.database)?,
        Err(Failed::NoIndex(_)) => global.settings.of_tree(Path::new("."))?,
        Err(failed) => return Err(failed),
    };
    let flags = given_flags(arguments, global);
    let rows: Vec<json::Setting<'_>> = settings::KEYS
        .iter()
        .map(|key| {
            let (value, origin) = settings.told(key);
            let flag = flags.iter().find(|(name, _)| *name == key.name).map(|(_, given)| given);
            match flag {
                // What a flag takes from its variable is as if it were given.
                Some(given) if !(matches!(origin, Origin::Environment(_)) && *given == value) => {
                    json::Setting::by_flag(key, given.clone())
                }
                _ => json::Setting::new(key, value, &origin),
            }
        })
        .collect();
    match output.format {
        Format::Json => output.json(&json::Settings::new(rows))?,
        Format::Jsonl => rows.iter().try_for_each(|row| output.json(row))?,
        Format::Human => {
            let mut out = output.stdout();
            for row in &rows {
                let (name, words) = (row.name(), row.origin_in_words());
                let origin = shown(&words);
                if output.verbose {
                    writeln!(out, "{DIM}# {}; {}{DIM:#}", row.about(), row.variable())?;
                }
                match row.value() {
                    Some(value) => {
                        writeln!(out, "{NAME}{name}{NAME:#} = {}  {DIM}# {origin}{DIM:#}", shown(&value))?
                    }
                    None => writeln!(out, "{NAME}{name}{NAME:#} {DIM}is not set{DIM:#}")?,
                }
            }
        }
    }
    Ok(Exit::Done)
}

/// What this very command sets by flags, by the names of the settings.
fn given_flags(arguments: &EmbedderArguments, global: &Global) -> Vec<(&'static str, serde_json::Value)> {
    let EmbedderArguments { embedder, embedder_url, embedder_model, embedder_dimensions, embedder_key_env } =
        arguments;
    let name = |value: clap::builder::PossibleValue| value.get_name().into();
    let flags = [
        ("color", global.color.and_then(|color| color.to_possible_value()).map(name)),
        ("format", global.format().and_then(|format| format.to_possible_value()).map(name)),
        ("embedder.use", embedder.as_ref().map(|choice| choice.to_string().into())),
        ("embedder.http.url", embedder_url.clone().map(Into::into)),
        ("embedder.http.model", embedder_model.clone().map(Into::into)),
        ("embedder.http.dimensions", embedder_dimensions.map(Into::into)),
        ("embedder.http.key_env", embedder_key_env.clone().map(Into::into)),
    ];
    flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
