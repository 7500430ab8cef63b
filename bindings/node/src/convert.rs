//! From what JavaScript gives to what the engine takes, and back.

use crate::error::Failure;
use crate::types::{
    BatchProgress, Configuration, Distribution, EmbedderStatus, EngineMetrics, FileCounts, FileFailure,
    Finding, HealthReport, IndexMetrics, IndexOptions, IndexProgress, IndexReport, LanguageInfo, OpenOptions,
    ProcessFigures, ReferenceOptions, SearchMetrics, SearchOptions, StageMetrics, StaleFile, StatusReport,
    SymbolOptions, SystemFigures, Times, VerifyReport,
};
use ast_core_engine::{
    self as core, EngineConfig, JobStatus, NameMatch, ProgressSnapshot, ReferenceQuery, SearchQuery,
    SimilarQuery, SimilarTo, SymbolFilter, SymbolId, VectorQuery,
};
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) fn engine_config(options: OpenOptions) -> Result<EngineConfig, Failure> {
    let mut config = match (options.database, options.tree) {
        (Some(database), None) => EngineConfig::new(database),
        (None, Some(tree)) => EngineConfig::for_tree(tree),
        _ => return Err(Failure::argument("options", "expected either database or tree")),
    };
    if options.read_only.unwrap_or_default() {
        config = config.read_only();
    }
    if let Some(workers) = count(options.parallel_workers) {
        config.batch.workers = workers;
        config.batch.queue_capacity = workers.saturating_add(workers.get());
    }
    if let Some(bytes) = options.max_memory_bytes {
        config = config.with_max_memory(bytes as u64)?;
    }
    if let Some(bytes) = options.max_file_bytes {
        config.limits.max_bytes = bytes as usize;
    }
    if let Some(limit) = options.file_time_limit_ms {
        config.file_time_limit = Duration::from_secs_f64(limit / 1000.0);
    }
    Ok(config)
}

impl Configuration {
    pub(crate) fn of(config: &EngineConfig, root: Option<&Path>) -> Self {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            database: shown(&config.database),
            root: root.map(shown),
            read_only: config.access == core::Access::Read,
            parallel_workers: config.batch.workers.get() as u32,
            memory_budget_bytes: number(config.batch.memory_budget),
            max_file_bytes: config.limits.max_bytes as f64,
            file_time_limit_ms: milliseconds(config.file_time_limit),
            embedder: config.embedder.model().id.clone(),
            dimension: config.embedder.model().dimension as u32,
        }
    }
}

pub(crate) fn index_options(options: IndexOptions) -> Result<core::IndexOptions, Failure> {
    Ok(core::IndexOptions {
        rebuild: options.rebuild.unwrap_or_default(),
        workers: count(options.parallel_workers),
        files_a_commit: count(options.batch_size),
    })
}

fn count(given: Option<u32>) -> Option<NonZeroUsize> {
    NonZeroUsize::new(given? as usize)
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

pub(crate) fn vector_query(vector: Vec<f32>, options: SearchOptions) -> Result<VectorQuery, Failure> {
    let default = VectorQuery::new(vector);
    Ok(VectorQuery {
        limit: options.limit.map_or(default.limit, |limit| limit as usize),
        languages: parse_all("options.languages", options.languages)?,
        paths: options.paths.unwrap_or_default(),
        kinds: parse_all("options.kinds", options.kinds)?,
        threshold: options.threshold.unwrap_or(default.threshold),
        context: options.context.unwrap_or(default.context),
        vector: default.vector,
    })
}

pub(crate) fn similar_query(to: SimilarTo, options: SearchOptions) -> Result<SimilarQuery, Failure> {
    let default = SimilarQuery::new(to);
    Ok(SimilarQuery {
        limit: options.limit.map_or(default.limit, |limit| limit as usize),
        languages: parse_all("options.languages", options.languages)?,
        paths: options.paths.unwrap_or_default(),
        kinds: parse_all("options.kinds", options.kinds)?,
        threshold: options.threshold.unwrap_or(default.threshold),
        context: options.context.unwrap_or(default.context),
        to: default.to,
    })
}

pub(crate) fn reference_query(name: String, options: ReferenceOptions) -> Result<ReferenceQuery, Failure> {
    let default = ReferenceQuery::new(name);
    Ok(ReferenceQuery {
        kinds: parse_all("options.kinds", options.kinds)?,
        languages: parse_all("options.languages", options.languages)?,
        paths: options.paths.unwrap_or_default(),
        limit: options.limit.map_or(default.limit, |limit| limit as usize),
        name: default.name,
    })
}

pub(crate) fn symbol_filter(options: SymbolOptions) -> Result<SymbolFilter, Failure> {
    let default = SymbolFilter::default();
    let matching = match options.matching.as_deref() {
        None => default.matching,
        Some("exact") => NameMatch::Exact,
        Some("ignore-case") => NameMatch::IgnoreCase,
        Some("prefix") => NameMatch::Prefix,
        Some("substring") => NameMatch::Substring,
        Some(other) => {
            let reason =
                format!("unknown matching {other:?}; expected exact, ignore-case, prefix or substring");
            return Err(Failure::argument("options.matching", reason));
        }
    };
    let after = |text: String| {
        let id = text.parse().ok().and_then(SymbolId::from_raw);
        let reason = || format!("{text:?} is not what a page before gave as next");
        id.ok_or_else(|| Failure::argument("options.after", reason()))
    };
    Ok(SymbolFilter {
        name: options.name,
        matching,
        kinds: parse_all("options.kinds", options.kinds)?,
        languages: parse_all("options.languages", options.languages)?,
        paths: options.paths.unwrap_or_default(),
        after: options.after.map(after).transpose()?,
        limit: options.limit.map_or(default.limit, |limit| limit as usize),
    })
}

fn parse<T: FromStr<Err: Display>>(argument: &str, name: &str) -> Result<T, Failure> {
    name.parse().map_err(|error| Failure::argument(argument, error))
}

pub(crate) fn parse_optional<T: FromStr<Err: Display>>(
    argument: &str,
    name: Option<String>,
) -> Result<Option<T>, Failure> {
    name.map(|name| parse(argument, &name)).transpose()
}

fn parse_all<T: FromStr<Err: Display>>(
    argument: &str,
    names: Option<Vec<String>>,
) -> Result<Vec<T>, Failure> {
    let names = names.unwrap_or_default();
    let numbered = names.iter().enumerate();
    numbered.map(|(index, name)| parse(&format!("{argument}[{index}]"), name)).collect()
}

impl From<core::Language> for LanguageInfo {
    fn from(language: core::Language) -> Self {
        let extensions = language.extensions().iter().map(ToString::to_string).collect();
        Self { name: language.to_string(), extensions }
    }
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
            configured_embedder: report.configured_embedder,
            foreign_files: number(report.foreign_files),
            elapsed_ms: milliseconds(report.elapsed),
            peak_rss_bytes: report.peak_rss_bytes.map(number),
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

impl From<JobStatus> for BatchProgress {
    fn from(status: JobStatus) -> Self {
        // Of files that were named, those that need not be read are done from the beginning.
        let total = status.named_files.or(status.files_total);
        let is_done = status.state == core::JobState::Done;
        let processed = match (status.named_files, status.files_total) {
            (Some(named), _) if is_done => named,
            (Some(named), Some(to_read)) => named.saturating_sub(to_read.saturating_sub(status.files_done)),
            _ => status.files_done,
        };
        Self {
            batch_id: number(status.id.get()),
            state: status.state.to_string(),
            root: status.root.to_string_lossy().into_owned(),
            total_files: total.map(number),
            processed_files: number(processed),
            failed_files: number(status.failure_count),
            total_bytes: status.bytes_total.map(number),
            processed_bytes: number(status.bytes_done),
            files: status.files.into(),
            lines: number(status.lines),
            symbols: number(status.symbols),
            chunks: number(status.chunks),
            failures: convert_all(status.failures),
            error: status.error,
            files_per_second: status.files_per_second,
            bytes_per_second: status.bytes_per_second,
            remaining_ms: status.remaining.map(milliseconds),
            active_ms: milliseconds(status.active),
            created_ms: time(status.created),
            started_ms: status.started.map(time),
            finished_ms: status.finished.map(time),
            generation: number(status.generation),
        }
    }
}

impl From<core::Health> for HealthReport {
    fn from(health: core::Health) -> Self {
        Self {
            ok: health.is_sound(),
            generation: number(health.generation),
            complete: health.complete,
            root: health.root.map(|root| root.to_string_lossy().into_owned()),
            root_exists: health.root_exists,
            writable: health.writable,
            other_embedder: health.embedder_change.map(|change| change.before),
            searchable_files: number(health.searchable_files),
            took_ms: milliseconds(health.took),
        }
    }
}

impl From<core::DoctorReport> for VerifyReport {
    fn from(report: core::DoctorReport) -> Self {
        Self {
            sound: report.is_sound(),
            findings: convert_all(report.findings),
            files: number(report.files),
            chunks: number(report.chunks),
            elapsed_ms: milliseconds(report.elapsed),
        }
    }
}

impl From<core::Finding> for Finding {
    fn from(finding: core::Finding) -> Self {
        Self {
            part: finding.part.as_str().to_owned(),
            path: finding.path.map(|path| path.to_string()),
            found: finding.found,
            expected: finding.expected,
        }
    }
}

impl From<core::MetricsSnapshot> for EngineMetrics {
    fn from(metrics: core::MetricsSnapshot) -> Self {
        let core::MetricsSnapshot { enabled, index, search, stages, .. } = metrics;
        Self {
            enabled,
            index: IndexMetrics {
                runs: index.runs.into(),
                failed: number(index.failed),
                active: number(index.active),
                files: number(index.files),
                bytes: number(index.bytes),
                lines: number(index.lines),
                symbols: number(index.symbols),
                chunks: number(index.chunks),
                files_per_second: index.files_per_second,
                bytes_per_second: index.bytes_per_second,
            },
            search: SearchMetrics {
                searches: search.searches.into(),
                failed: number(search.failed),
                active: number(search.active),
                hits: number(search.hits),
                searches_per_second: search.searches_per_second,
            },
            stages: convert_all(stages),
        }
    }
}

impl From<core::StageMetrics> for StageMetrics {
    fn from(metrics: core::StageMetrics) -> Self {
        Self {
            stage: metrics.stage.to_string(),
            work: metrics.work.as_str().to_owned(),
            unit: metrics.stage.items().to_owned(),
            items: number(metrics.items),
            bytes: number(metrics.bytes),
            times: metrics.times.into(),
        }
    }
}

impl From<core::HistogramSnapshot> for Times {
    fn from(times: core::HistogramSnapshot) -> Self {
        let distribution = |of: core::Distribution| Distribution {
            min_ms: milliseconds(of.min),
            mean_ms: milliseconds(of.mean),
            p50_ms: milliseconds(of.p50),
            p90_ms: milliseconds(of.p90),
            p95_ms: milliseconds(of.p95),
            p99_ms: milliseconds(of.p99),
            p999_ms: milliseconds(of.p999),
            max_ms: milliseconds(of.max),
        };
        Self {
            count: number(times.count),
            total_ms: milliseconds(times.sum),
            distribution: times.distribution.map(distribution),
        }
    }
}

impl From<core::SystemFigures> for SystemFigures {
    fn from(figures: core::SystemFigures) -> Self {
        Self {
            total_memory_bytes: figures.total_memory_bytes.map(number),
            available_memory_bytes: figures.available_memory_bytes.map(number),
            cpus: figures.cpus.map(|cpus| number(cpus.get() as u64)),
            load_average: figures.load_average.map(Vec::from),
        }
    }
}

impl From<core::ProcessFigures> for ProcessFigures {
    fn from(figures: core::ProcessFigures) -> Self {
        Self {
            rss_bytes: figures.rss_bytes.map(number),
            peak_rss_bytes: figures.peak_rss_bytes.map(number),
            cpu_ms: figures.cpu_time.map(milliseconds),
            threads: figures.threads.map(number),
            open_files: figures.open_files.map(number),
        }
    }
}

pub(crate) fn convert_all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

/// JavaScript has no other number; counts of files and bytes stay far below the 2^53 up to which it is exact.
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Milliseconds since 1970, as JavaScript's `Date` has them.
fn time(time: SystemTime) -> f64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
