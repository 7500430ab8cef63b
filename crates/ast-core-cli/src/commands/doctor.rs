//! `ast-core doctor`: what is wrong with the index, and mending it.

use super::{block_on, existing_index};
use crate::args::{DoctorArguments, Format, Global};
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::json;
use crate::output::{NAME, Output, PATH, WARNING, grouped, shown};
use ast_core_engine::{DoctorOptions, DoctorReport, Engine, Finding};
use std::io::Write;

/// Findings that are listed unless more is asked for.
const LISTED: usize = 20;

pub(crate) fn run(arguments: &DoctorArguments, global: &Global, output: &Output) -> Result<Exit, Failed> {
    let config = existing_index(global)?;
    let config = global.settings.of_index(&config.database)?.apply(config)?;
    let config = embedder::for_reading(config, &arguments.embedder, global)?;
    let options = DoctorOptions { repair: arguments.repair };
    let report = block_on(async { Ok(Engine::doctor(config, &options).await?) })?;
    match output.format {
        Format::Human => show(&report, arguments.repair, output)?,
        Format::Json => output.json(&json::Doctor::from(&report))?,
        Format::Jsonl => {
            for finding in &report.findings {
                output.json(&json::Finding::of(finding, &report))?;
            }
        }
    }
    Ok(match (report.is_sound(), report.needs_index) {
        (true, false) => Exit::Done,
        (true, true) => Exit::Partial,
        (false, _) => Exit::Index,
    })
}

fn show(report: &DoctorReport, repair: bool, output: &Output) -> Result<(), Failed> {
    let mut out = output.stdout();
    let most = if output.verbose { usize::MAX } else { LISTED };
    for finding in report.findings.iter().take(most) {
        let mended = if report.remaining.contains(finding) { "" } else { " (mended)" };
        let Finding { part, path, found, expected, .. } = finding;
        let part = part.as_str();
        write!(out, "{WARNING}{part}{WARNING:#}: ")?;
        if let Some(path) = path {
            write!(out, "{PATH}{}{PATH:#}: ", shown(path.as_str()))?;
        }
        writeln!(out, "{}; expected {}{mended}", shown(found), shown(expected))?;
    }
    if report.findings.len() > most {
        writeln!(out, "... and {} more; -v lists them", report.findings.len() - most)?;
    }
    let looked_at = format!(
        "{} files, {} chunks, {} pages, in {:.2} s",
        grouped(report.files),
        grouped(report.chunks),
        grouped(report.pages),
        report.elapsed.as_secs_f64()
    );
    let faults = match report.findings.len() {
        1 => "1 fault".to_owned(),
        count => format!("{} faults", grouped(count as u64)),
    };
    match (report.findings.is_empty(), report.is_sound()) {
        (true, _) => writeln!(out, "{NAME}sound{NAME:#}: {looked_at}")?,
        (false, true) => writeln!(out, "{NAME}{faults}, mended{NAME:#}: {looked_at}")?,
        (false, false) if repair => {
            writeln!(out, "{WARNING}{faults}, of which some remain{WARNING:#}: {looked_at}")?;
        }
        (false, false) => {
            writeln!(out, "{WARNING}{faults}{WARNING:#}: {looked_at}; run `ast-core doctor --repair`")?;
        }
    }
    if let Some(aside) = &report.set_aside {
        writeln!(out, "what could not be read is at {PATH}{}{PATH:#}", aside.display())?;
    }
    if report.needs_index {
        writeln!(out, "run `ast-core index`: what could not be mended has to be read again")?;
    }
    Ok(())
}
