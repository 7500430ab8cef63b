//! From what JavaScript gives to what the engine takes, and back.

use crate::error::Failure;
use crate::types::{
    Boost, EmbedderStatus, FileCounts, FileFailure, IndexProgress, IndexReport, OpenOptions, SearchHit,
    SearchOptions, SearchReply, StaleFile, StatusReport, Why,
};
use ast_core_engine::{self as core, EngineConfig, ProgressSnapshot, SearchQuery};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

pub(crate) fn engine_config(options: OpenOptions) -> Result<EngineConfig, Failure> {
    let config = match (options.database, options.root) {
        (Some(database), None) => EngineConfig::new(database),
        (None, Some(root)) => EngineConfig::for_tree(root),
        _ => return Err(Failure::argument("options", "expected either database or root")),
    };
    Ok(if options.read_only.unwrap_or_default() { config.read_only() } else { config })
}

pub(crate) fn search_query(text: String, options: SearchOptions) -> Result<SearchQuery, Failure> {
    let default = SearchQuery::new(text);
    Ok(SearchQuery {
        limit: options.limit.map_or(default.limit, |limit| limit as usize),
        mode: match options.mode {
            Some(mode) => parse("options.mode", &mode)?,
            None => default.mode,
        },
        languages: parse_all("options.languages", options.languages)?,
        paths: options.paths.unwrap_or_default(),
        kinds: parse_all("options.kinds", options.kinds)?,
        threshold: options.threshold.unwrap_or(default.threshold),
        context: options.context.unwrap_or(default.context),
        rerank: default.rerank,
        text: default.text,
    })
}

fn parse<T: FromStr<Err: Display>>(argument: &str, name: &str) -> Result<T, Failure> {
    name.parse().map_err(|error| Failure::argument(argument, error))
}

fn parse_all<T: FromStr<Err: Display>>(
    argument: &str,
    names: Option<Vec<String>>,
) -> Result<Vec<T>, Failure> {
    let names = names.unwrap_or_default();
    let numbered = names.iter().enumerate();
    numbered.map(|(index, name)| parse(&format!("{argument}[{index}]"), name)).collect()
}

impl From<&ProgressSnapshot> for IndexProgress {
    fn from(progress: &ProgressSnapshot) -> Self {
        Self {
            files_done: number(progress.items_done),
            files_total: progress.items_total.map(number),
            files_failed: number(progress.items_failed),
            bytes_done: number(progress.bytes_done),
            bytes_total: progress.bytes_total.map(number),
            elapsed_ms: milliseconds(progress.elapsed),
        }
    }
}

impl From<core::IndexReport> for IndexReport {
    fn from(report: core::IndexReport) -> Self {
        Self {
            files: report.files.into(),
            bytes: number(report.bytes),
            lines: number(report.lines),
            symbols: number(report.symbols),
            chunks: number(report.chunks),
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes.map(number),
            generation: number(report.generation),
            failures: convert_all(report.failures),
        }
    }
}

impl From<core::FileCounts> for FileCounts {
    fn from(counts: core::FileCounts) -> Self {
        Self {
            seen: number(counts.seen()),
            indexed: number(counts.indexed),
            unchanged: number(counts.unchanged),
            removed: number(counts.removed),
            ignored: number(counts.ignored),
            too_large: number(counts.too_large),
            binary: number(counts.binary),
            unsupported: number(counts.unsupported),
            timed_out: number(counts.timed_out),
            failed: number(counts.failed),
        }
    }
}

impl From<core::Failure> for FileFailure {
    fn from(failure: core::Failure) -> Self {
        Self { path: failure.path, reason: failure.reason }
    }
}

impl From<core::SearchReply> for SearchReply {
    fn from(reply: core::SearchReply) -> Self {
        Self {
            hits: convert_all(reply.hits),
            complete: reply.complete,
            generation: number(reply.generation),
            took_ms: milliseconds(reply.took),
            notices: reply.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<core::SearchHit> for SearchHit {
    fn from(hit: core::SearchHit) -> Self {
        Self {
            path: hit.path.to_string(),
            language: hit.language.to_string(),
            start_line: hit.lines.start,
            end_line: hit.lines.end,
            start_byte: hit.span.start,
            end_byte: hit.span.end,
            name: hit.name,
            kind: hit.kind.map(|kind| kind.to_string()),
            scope: hit.scope,
            score: hit.score,
            snippet: hit.snippet,
            snippet_start_line: hit.snippet_lines.start,
            why: hit.why.into(),
            changed: hit.changed,
        }
    }
}

impl From<core::Why> for Why {
    fn from(why: core::Why) -> Self {
        let boosts = why.boosts.into_iter().map(|(name, value)| Boost { name: name.to_owned(), value });
        Self { lexical: why.lexical, semantic: why.semantic, boosts: boosts.collect() }
    }
}

impl From<core::StatusReport> for StatusReport {
    fn from(report: core::StatusReport) -> Self {
        Self {
            root: report.root.map(|root| root.to_string_lossy().into_owned()),
            complete: report.complete,
            files: report.files.into(),
            bytes: number(report.bytes),
            lines: number(report.lines),
            symbols: number(report.symbols),
            chunks: number(report.chunks),
            generation: number(report.generation),
            embedder: report
                .embedder
                .map(|(id, dimension)| EmbedderStatus { id, dimension: dimension as f64 }),
            schema_version: report.schema_version,
            format_version: report.format_version,
            failures: convert_all(report.failures),
            stale: report.stale.map(convert_all),
        }
    }
}

impl From<core::Stale> for StaleFile {
    fn from(stale: core::Stale) -> Self {
        Self { path: stale.path, change: stale.change.as_str().to_owned() }
    }
}

fn convert_all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

/// JavaScript has no other number; counts of files and bytes stay far below the 2^53 up to which it is exact.
fn number(count: u64) -> f64 {
    count as f64
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
