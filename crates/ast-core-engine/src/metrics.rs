//! What the engine measures of itself: how long its stages take, and how much goes through them.
//!
//! Recording takes no lock, and is done for a file, a batch or a search, never for a symbol. See docs/performance.md for
//! what it costs.

use crate::{Engine, EngineError, SearchReply};
use ast_core_metrics::{
    Counter, Gauge, Histogram, HistogramSnapshot, MetricsError, Presence, ProcessFigures, PrometheusText,
    Rate, Registry, Snapshot, SystemFigures,
};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::span::EnteredSpan;
use tracing::{Instrument, Span};

/// Names in Prometheus text. docs/performance.md says what they are.
mod name {
    pub(super) const STAGE_SECONDS: &str = "ast_core_stage_seconds";
    pub(super) const STAGE_ITEMS: &str = "ast_core_stage_items_total";
    pub(super) const STAGE_BYTES: &str = "ast_core_stage_bytes_total";
    pub(super) const RUN_SECONDS: &str = "ast_core_index_run_seconds";
    pub(super) const RUN_FAILURES: &str = "ast_core_index_run_failures_total";
    pub(super) const RUNS_ACTIVE: &str = "ast_core_index_runs_active";
    pub(super) const SEARCH_SECONDS: &str = "ast_core_search_seconds";
    pub(super) const SEARCH_FAILURES: &str = "ast_core_search_failures_total";
    pub(super) const SEARCHES_ACTIVE: &str = "ast_core_searches_active";
    pub(super) const HITS: &str = "ast_core_search_hits_total";
    pub(super) const FILES: &str = "ast_core_indexed_files_total";
    pub(super) const BYTES: &str = "ast_core_indexed_bytes_total";
    pub(super) const LINES: &str = "ast_core_indexed_lines_total";
    pub(super) const SYMBOLS: &str = "ast_core_indexed_symbols_total";
    pub(super) const CHUNKS: &str = "ast_core_indexed_chunks_total";
    pub(super) const FILES_PER_SECOND: &str = "ast_core_indexed_files_per_second";
    pub(super) const BYTES_PER_SECOND: &str = "ast_core_indexed_bytes_per_second";
    pub(super) const SEARCHES_PER_SECOND: &str = "ast_core_searches_per_second";
    pub(super) const UPTIME: &str = "ast_core_uptime_seconds";

    /// What each of them is.
    pub(super) const HELP: [(&str, &str); 18] = [
        (STAGE_SECONDS, "Time that a stage took for a file, a batch or a search, in seconds."),
        (STAGE_ITEMS, "What went through a stage: files, chunks, vectors or candidates."),
        (STAGE_BYTES, "Bytes that went through a stage."),
        (RUN_SECONDS, "Time of an index run from its beginning to its end, in seconds."),
        (RUN_FAILURES, "Index runs that failed or were cancelled."),
        (RUNS_ACTIVE, "Index runs that are under way."),
        (SEARCH_SECONDS, "Time of a search from its beginning to its end, in seconds."),
        (SEARCH_FAILURES, "Searches that failed."),
        (SEARCHES_ACTIVE, "Searches that are under way."),
        (HITS, "Hits of all searches."),
        (FILES, "Files that were parsed and committed."),
        (BYTES, "Bytes of their source."),
        (LINES, "Their lines."),
        (SYMBOLS, "Their symbols."),
        (CHUNKS, "Their chunks."),
        (FILES_PER_SECOND, "Files committed a second, over the last minute."),
        (BYTES_PER_SECOND, "Bytes of source committed a second, over the last minute."),
        (SEARCHES_PER_SECOND, "Searches a second, over the last minute."),
    ];
}

/// Makes the stages: names, what they are part of, and a span for each, whose name has to be a constant.
macro_rules! stages {
    ($($(#[$about:meta])* $stage:ident: $part:ident, $name:literal, $items:literal;)*) => {
        /// A stage of the engine's work.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Stage {
            $($(#[$about])* $stage,)*
        }

        impl Stage {
            /// All stages, in the order in which a file or a query goes through them; those of index runs first.
            pub const ALL: &[Self] = &[$(Self::$stage,)*];

            /// The name in output, and of its span.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$stage => $name,)*
                }
            }

            /// What it is a part of.
            pub const fn work(self) -> Work {
                match self {
                    $(Self::$stage => Work::$part,)*
                }
            }

            /// What its items are, such as `files`.
            pub const fn items(self) -> &'static str {
                match self {
                    $(Self::$stage => $items,)*
                }
            }

            /// What is traced while it is at work.
            pub(crate) fn span(self) -> Span {
                match self {
                    $(Self::$stage => tracing::trace_span!(target: "ast_core_engine::stage", $name),)*
                }
            }
        }
    };
}

stages! {
    /// Walking the tree for its files.
    Discover: Index, "discover", "files";
    /// Comparing them with the index.
    Plan: Index, "plan", "files";
    /// Reading a file and hashing it.
    Read: Index, "read", "files";
    /// Making its syntax tree, and reading definitions and mentions out of it.
    Parse: Index, "parse", "files";
    /// Cutting it into chunks.
    Chunk: Index, "chunk", "chunks";
    /// Splitting chunks into terms.
    Terms: Index, "terms", "chunks";
    /// Making vectors of chunks; also by a search that has to make what is missing.
    Embed: Index, "embed", "chunks";
    /// Compressing what the store keeps of a file.
    Encode: Index, "encode", "files";
    /// Writing a transaction.
    Commit: Index, "commit", "files";
    /// Adding vectors to those that are searched, in the vector file or in memory.
    VectorInsert: Index, "vector_insert", "vectors";
    /// Bringing the vectors in memory up to the index, or opening the vector file.
    Refresh: Search, "refresh", "files";
    /// Making the vector of a query.
    QueryEmbed: Search, "query_embed", "queries";
    /// Finding candidates by words.
    Lexical: Search, "lexical", "candidates";
    /// Finding candidates by vectors.
    VectorSearch: Search, "vector_search", "candidates";
    /// Finding the definitions of names in a query.
    Definitions: Search, "definitions", "chunks";
    /// Fusing candidates and putting them in order.
    Rank: Search, "rank", "candidates";
    /// Putting the first hits in order anew, by another embedder.
    Rerank: Search, "rerank", "hits";
    /// Reading the texts of hits.
    Hydrate: Search, "hydrate", "hits";
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What stages are parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// An index run.
    Index,
    /// A search, of whichever kind.
    Search,
}

impl Work {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Search => "search",
        }
    }
}

/// What an engine measured since it was opened, by [`Engine::metrics`]. In its JSON durations are numbers of seconds, and
/// what is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Whether the engine measures, by [`EngineConfig::metrics`](crate::EngineConfig::metrics). If not, there is nothing
    /// but what the system tells.
    pub enabled: bool,
    /// Since it was opened.
    #[serde(rename = "uptime_seconds", serialize_with = "seconds")]
    pub uptime: Duration,
    /// Index runs.
    pub index: IndexMetrics,
    /// Searches.
    pub search: SearchMetrics,
    /// All stages, in their order; those that were never come to as well.
    pub stages: Vec<StageMetrics>,
    /// What the process uses.
    pub process: ProcessFigures,
    /// What the machine has.
    pub system: SystemFigures,
    /// The same by the names of Prometheus text.
    #[serde(skip)]
    pub values: Snapshot,
}

/// Index runs since an engine was opened, those that were cut short included.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct IndexMetrics {
    /// How long they took that came to their end.
    pub runs: HistogramSnapshot,
    /// How many failed or were cancelled.
    pub failed: u64,
    /// How many are under way.
    pub active: u64,
    /// Files that were parsed and committed.
    pub files: u64,
    /// Bytes of their source.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Their symbols.
    pub symbols: u64,
    /// Their chunks.
    pub chunks: u64,
    /// Files committed a second over the last minute; `None` in the engine's first second.
    pub files_per_second: Option<f64>,
    /// Bytes of source committed a second over the last minute; `None` in the engine's first second.
    pub bytes_per_second: Option<f64>,
}

/// Searches since an engine was opened, by text: [`Engine::search`] and what is made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SearchMetrics {
    /// How long they took that were answered.
    pub searches: HistogramSnapshot,
    /// How many failed.
    pub failed: u64,
    /// How many are under way.
    pub active: u64,
    /// Hits of all answers.
    pub hits: u64,
    /// Searches answered a second over the last minute; `None` in the engine's first second.
    pub searches_per_second: Option<f64>,
}

/// A stage since an engine was opened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StageMetrics {
    /// Which.
    pub stage: Stage,
    /// What it is a part of.
    pub work: Work,
    /// What went through it, in [its own units](Stage::items).
    pub items: u64,
    /// The bytes of it: of source, of vectors of `vector_insert`; 0 for what works on neither.
    pub bytes: u64,
    /// How long it took each time: for a file on a worker; for a batch; for a search by the clock, with waiting for a thread.
    /// The sum is over all threads.
    pub times: HistogramSnapshot,
}

impl MetricsSnapshot {
    /// One of the stages. `None` if the engine does not measure.
    pub fn stage(&self, stage: Stage) -> Option<&StageMetrics> {
        self.stages.iter().find(|metrics| metrics.stage == stage)
    }

    /// The text that Prometheus reads, with what the process uses and the machine has.
    pub fn to_prometheus_text(&self) -> String {
        let mut text = PrometheusText::new();
        self.write_prometheus(&mut text);
        text.into_string()
    }

    /// The same, behind what is there already.
    pub fn write_prometheus(&self, text: &mut PrometheusText) {
        text.gauge(name::UPTIME, "Time since the engine was opened, in seconds.", self.uptime.as_secs_f64());
        text.snapshot(&self.values);
        text.process(&self.process);
        text.system(&self.system);
    }
}

impl Engine {
    /// What the engine measured since it was opened, and what the process and the machine say of themselves. It takes some
    /// milliseconds: ask for it once a second, not for each search.
    ///
    /// ```
    /// use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery, Stage};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let tree = tempfile::tempdir()?;
    /// # std::fs::write(tree.path().join("retry.py"), "def retry_request(times):\n    return times\n")?;
    /// let engine = Engine::open(EngineConfig::for_tree(tree.path())).await?;
    /// engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await?;
    /// engine.search(&SearchQuery::new("retry")).await?;
    ///
    /// let metrics = engine.metrics();
    /// assert_eq!((metrics.index.files, metrics.search.searches.count), (1, 1));
    /// let parse = metrics.stage(Stage::Parse).expect("it measures unless it is told not to");
    /// println!("{} {} in {:?}", parse.items, Stage::Parse.items(), parse.times.sum);
    /// assert!(metrics.to_prometheus_text().contains("ast_core_stage_items_total{stage=\"parse\"} 1\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metrics(&self) -> MetricsSnapshot {
        self.metrics.snapshot()
    }
}

/// The metrics of an engine.
pub(crate) struct Metrics {
    opened: Instant,
    /// `None` if nothing is measured.
    meters: Option<Meters>,
}

struct Meters {
    registry: Registry,
    /// In the order of [`Stage::ALL`].
    stages: Vec<StageMeters>,
    runs: WorkMeters,
    searches: WorkMeters,
    hits: Arc<Counter>,
    files: Arc<Counter>,
    bytes: Arc<Counter>,
    lines: Arc<Counter>,
    symbols: Arc<Counter>,
    chunks: Arc<Counter>,
    files_per_second: Arc<Rate>,
    bytes_per_second: Arc<Rate>,
    searches_per_second: Arc<Rate>,
}

struct StageMeters {
    items: Arc<Counter>,
    bytes: Arc<Counter>,
    times: Arc<Histogram>,
}

struct WorkMeters {
    times: Arc<Histogram>,
    failures: Arc<Counter>,
    active: Arc<Gauge>,
}

impl WorkMeters {
    fn of(registry: &Registry, [times, failures, active]: [&str; 3]) -> Result<Self, MetricsError> {
        Ok(Self {
            times: registry.histogram(times)?,
            failures: registry.counter(failures)?,
            active: registry.gauge(active)?,
        })
    }
}

impl Meters {
    fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        for (name, help) in name::HELP {
            registry.describe(name, help);
        }
        let stage = |stage: &Stage| -> Result<_, MetricsError> {
            let stage = stage.as_str();
            Ok(StageMeters {
                items: registry.counter((name::STAGE_ITEMS, stage))?,
                bytes: registry.counter((name::STAGE_BYTES, stage))?,
                times: registry.histogram((name::STAGE_SECONDS, stage))?,
            })
        };
        let runs = [name::RUN_SECONDS, name::RUN_FAILURES, name::RUNS_ACTIVE];
        let searches = [name::SEARCH_SECONDS, name::SEARCH_FAILURES, name::SEARCHES_ACTIVE];
        Ok(Self {
            stages: Stage::ALL.iter().map(stage).collect::<Result<_, MetricsError>>()?,
            runs: WorkMeters::of(&registry, runs)?,
            searches: WorkMeters::of(&registry, searches)?,
            hits: registry.counter(name::HITS)?,
            files: registry.counter(name::FILES)?,
            bytes: registry.counter(name::BYTES)?,
            lines: registry.counter(name::LINES)?,
            symbols: registry.counter(name::SYMBOLS)?,
            chunks: registry.counter(name::CHUNKS)?,
            files_per_second: registry.rate(name::FILES_PER_SECOND)?,
            bytes_per_second: registry.rate(name::BYTES_PER_SECOND)?,
            searches_per_second: registry.rate(name::SEARCHES_PER_SECOND)?,
            registry,
        })
    }

    fn of(&self, stage: Stage) -> &StageMeters {
        // A stage's number is its place among all.
        &self.stages[stage as usize]
    }
}

/// What files that are committed together have.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) symbols: u64,
    pub(crate) chunks: u64,
}

impl Metrics {
    pub(crate) fn new(enabled: bool) -> Result<Self, EngineError> {
        let failed = |error: MetricsError| EngineError::Internal { what: error.to_string() };
        let meters = enabled.then(Meters::new).transpose().map_err(failed)?;
        Ok(Self { opened: Instant::now(), meters })
    }

    /// What measures nothing.
    pub(crate) fn off() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), meters: None })
    }

    /// Begins to measure a stage on this thread, until what is returned is dropped.
    pub(crate) fn start(&self, stage: Stage) -> Timing<'_> {
        let measured = self.meters.as_ref().map(|meters| (meters.of(stage), Instant::now()));
        Timing { measured, items: 0, bytes: 0, _span: stage.span().entered() }
    }

    /// Notes a stage that was measured elsewhere.
    pub(crate) fn record(&self, stage: Stage, time: Duration, items: u64, bytes: u64) {
        if let Some(meters) = &self.meters {
            meters.of(stage).record(time, items, bytes);
        }
    }

    /// Measures a stage that waits, from when it is first polled to its end. What is dropped before is not counted, and of
    /// what fails the time alone.
    pub(crate) async fn time<T, E>(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<T, E>>,
        items: impl FnOnce(&T) -> usize,
    ) -> Result<T, E> {
        let begin = self.meters.as_ref().map(|_| Instant::now());
        let result = work.instrument(stage.span()).await;
        if let Some(begin) = begin {
            self.record(stage, begin.elapsed(), result.as_ref().map_or(0, items) as u64, 0);
        }
        result
    }

    /// Counts a run as being under way.
    pub(crate) fn enter_run(&self) -> Option<Presence<'_>> {
        self.meters.as_ref().map(|meters| meters.runs.active.enter())
    }

    pub(crate) fn run_ended(&self, is_done: bool, time: Duration) {
        if let Some(meters) = &self.meters {
            meters.runs.ended(is_done, time);
        }
    }

    /// Counts a search as being under way.
    pub(crate) fn enter_search(&self) -> Option<Presence<'_>> {
        self.meters.as_ref().map(|meters| meters.searches.active.enter())
    }

    pub(crate) fn search_ended(&self, result: &Result<SearchReply, EngineError>, time: Duration) {
        if let Some(meters) = &self.meters {
            meters.searches.ended(result.is_ok(), time);
            if let Ok(reply) = result {
                meters.hits.add(reply.hits.len() as u64);
                meters.searches_per_second.mark(1);
            }
        }
    }

    /// Notes files that are in the index now.
    pub(crate) fn committed(&self, tally: &Tally) {
        if let Some(meters) = &self.meters {
            let Tally { files, bytes, lines, symbols, chunks } = *tally;
            meters.files.add(files);
            meters.bytes.add(bytes);
            meters.lines.add(lines);
            meters.symbols.add(symbols);
            meters.chunks.add(chunks);
            meters.files_per_second.mark(files);
            meters.bytes_per_second.mark(bytes);
        }
    }

    fn snapshot(&self) -> MetricsSnapshot {
        let values = self.meters.as_ref().map(|meters| meters.registry.snapshot()).unwrap_or_default();
        let counter = |name: &str| values.counter(name).unwrap_or(0);
        let gauge = |name: &str| values.gauge(name).and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
        let histogram = |name: &str| values.histogram(name).cloned().unwrap_or_default();
        let stage = |stage: &Stage| {
            let of = |name: &'static str| (name, stage.as_str());
            Some(StageMetrics {
                stage: *stage,
                work: stage.work(),
                items: values.counter(of(name::STAGE_ITEMS))?,
                bytes: values.counter(of(name::STAGE_BYTES))?,
                times: values.histogram(of(name::STAGE_SECONDS))?.clone(),
            })
        };
        MetricsSnapshot {
            enabled: self.meters.is_some(),
            uptime: self.opened.elapsed(),
            index: IndexMetrics {
                runs: histogram(name::RUN_SECONDS),
                failed: counter(name::RUN_FAILURES),
                active: gauge(name::RUNS_ACTIVE),
                files: counter(name::FILES),
                bytes: counter(name::BYTES),
                lines: counter(name::LINES),
                symbols: counter(name::SYMBOLS),
                chunks: counter(name::CHUNKS),
                files_per_second: values.rate(name::FILES_PER_SECOND),
                bytes_per_second: values.rate(name::BYTES_PER_SECOND),
            },
            search: SearchMetrics {
                searches: histogram(name::SEARCH_SECONDS),
                failed: counter(name::SEARCH_FAILURES),
                active: gauge(name::SEARCHES_ACTIVE),
                hits: counter(name::HITS),
                searches_per_second: values.rate(name::SEARCHES_PER_SECOND),
            },
            stages: Stage::ALL.iter().filter_map(stage).collect(),
            process: ProcessFigures::read(),
            system: SystemFigures::read(),
            values,
        }
    }
}

impl StageMeters {
    fn record(&self, time: Duration, items: u64, bytes: u64) {
        self.times.record(time);
        self.items.add(items);
        self.bytes.add(bytes);
    }
}

impl WorkMeters {
    fn ended(&self, is_done: bool, time: Duration) {
        match is_done {
            true => self.times.record(time),
            false => self.failures.increment(),
        }
    }
}

/// A stage that is being measured, until it is dropped.
#[must_use = "it measures until it is dropped"]
pub(crate) struct Timing<'a> {
    measured: Option<(&'a StageMeters, Instant)>,
    items: u64,
    bytes: u64,
    _span: EnteredSpan,
}

impl Timing<'_> {
    /// Counts what has gone through it. What fails before has gone through nothing.
    pub(crate) fn count(&mut self, items: usize, bytes: usize) {
        self.items += items as u64;
        self.bytes += bytes as u64;
    }
}

impl Drop for Timing<'_> {
    fn drop(&mut self) {
        if let Some((meters, begin)) = self.measured {
            meters.record(begin.elapsed(), self.items, self.bytes);
        }
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
