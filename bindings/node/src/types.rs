//! The shapes that cross over, as JavaScript sees them. `index.d.ts` says what they mean.
//!
//! What is not known is `null`. Counts are numbers: they are exact up to 2^53.

use napi_derive::napi;

#[napi(object)]
pub struct OpenOptions {
    /// Exactly one of `database` and `tree` is set.
    pub database: Option<String>,
    /// A tree whose index is in it.
    pub tree: Option<String>,
    /// What tree the index is of.
    pub root: Option<String>,
    pub read_only: Option<bool>,
    pub parallel_workers: Option<u32>,
    pub max_memory_bytes: Option<f64>,
    pub max_file_bytes: Option<f64>,
    pub file_time_limit_ms: Option<f64>,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Configuration {
    pub database: String,
    pub root: Option<String>,
    pub read_only: bool,
    pub parallel_workers: u32,
    pub memory_budget_bytes: f64,
    pub max_file_bytes: f64,
    pub file_time_limit_ms: f64,
    pub embedder: String,
    pub dimension: u32,
}

#[napi(object, object_from_js = false)]
pub struct LanguageInfo {
    pub name: String,
    pub extensions: Vec<String>,
}

#[napi(object)]
pub struct IndexOptions {
    pub rebuild: Option<bool>,
    pub parallel_workers: Option<u32>,
    pub batch_size: Option<u32>,
}

#[napi(object)]
pub struct ProcessOptions {
    pub language: Option<String>,
    pub enable_caching: bool,
    pub index: bool,
    pub run: IndexOptions,
}

#[napi(object)]
pub struct BatchRequest {
    pub root: String,
    /// All of the tree without.
    pub files: Option<Vec<String>>,
    pub run: IndexOptions,
}

#[napi(object)]
pub struct SearchOptions {
    pub limit: Option<u32>,
    pub mode: Option<String>,
    pub languages: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
    pub threshold: Option<f64>,
    pub context: Option<u32>,
}

#[napi(object)]
pub struct ReferenceOptions {
    pub limit: Option<u32>,
    pub languages: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
}

#[napi(object)]
pub struct SymbolOptions {
    pub name: Option<String>,
    pub matching: Option<String>,
    pub limit: Option<u32>,
    pub languages: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
    pub after: Option<String>,
}

#[napi(object)]
pub struct WatchOptions {
    pub quiet_ms: Option<f64>,
    pub max_wait_ms: Option<f64>,
    pub poll_ms: Option<f64>,
}

/// Where a job stands.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct BatchProgress {
    pub batch_id: f64,
    pub state: String,
    pub root: String,
    pub total_files: Option<f64>,
    pub processed_files: f64,
    pub failed_files: f64,
    pub total_bytes: Option<f64>,
    pub processed_bytes: f64,
    pub files: FileCounts,
    pub lines: f64,
    pub symbols: f64,
    pub chunks: f64,
    pub failures: Vec<FileFailure>,
    pub error: Option<String>,
    pub files_per_second: Option<f64>,
    pub bytes_per_second: Option<f64>,
    pub remaining_ms: Option<f64>,
    pub active_ms: f64,
    pub created_ms: f64,
    pub started_ms: Option<f64>,
    pub finished_ms: Option<f64>,
    pub generation: f64,
}

#[napi(object, object_from_js = false)]
pub struct Collection {
    pub name: String,
    pub dimension: f64,
    pub vectors: f64,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct VectorHit {
    pub id: String,
    pub score: f64,
    pub metadata: Option<String>,
}

#[napi(object, object_from_js = false)]
pub struct NotedFile {
    pub path: String,
    pub metadata: String,
    pub updated_ms: f64,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct HealthReport {
    pub ok: bool,
    pub generation: f64,
    pub complete: bool,
    pub root: Option<String>,
    pub root_exists: bool,
    pub writable: bool,
    pub other_embedder: Option<String>,
    pub searchable_files: f64,
    pub took_ms: f64,
}

#[napi(object, object_from_js = false)]
pub struct VerifyReport {
    pub sound: bool,
    pub findings: Vec<Finding>,
    pub files: f64,
    pub chunks: f64,
    pub elapsed_ms: f64,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Finding {
    pub part: String,
    pub path: Option<String>,
    pub found: String,
    pub expected: String,
}

#[napi(object, object_from_js = false)]
pub struct EngineMetrics {
    pub enabled: bool,
    pub index: IndexMetrics,
    pub search: SearchMetrics,
    pub stages: Vec<StageMetrics>,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct IndexMetrics {
    pub runs: Times,
    pub failed: f64,
    pub active: f64,
    pub files: f64,
    pub bytes: f64,
    pub lines: f64,
    pub symbols: f64,
    pub chunks: f64,
    pub files_per_second: Option<f64>,
    pub bytes_per_second: Option<f64>,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct SearchMetrics {
    pub searches: Times,
    pub failed: f64,
    pub active: f64,
    pub hits: f64,
    pub searches_per_second: Option<f64>,
}

#[napi(object, object_from_js = false)]
pub struct StageMetrics {
    pub stage: String,
    pub work: String,
    pub unit: String,
    pub items: f64,
    pub bytes: f64,
    pub times: Times,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Times {
    pub count: f64,
    pub total_ms: f64,
    pub distribution: Option<Distribution>,
}

#[napi(object, object_from_js = false)]
pub struct Distribution {
    pub min_ms: f64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

#[napi(object, object_from_js = false)]
pub struct Figures {
    pub process: ProcessFigures,
    pub system: SystemFigures,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct SystemFigures {
    pub total_memory_bytes: Option<f64>,
    pub available_memory_bytes: Option<f64>,
    pub cpus: Option<f64>,
    pub load_average: Option<Vec<f64>>,
}

#[napi(object, object_from_js = false, use_nullable = true)]
pub struct ProcessFigures {
    pub rss_bytes: Option<f64>,
    pub peak_rss_bytes: Option<f64>,
    pub cpu_ms: Option<f64>,
    pub threads: Option<f64>,
    pub open_files: Option<f64>,
}

#[napi(object, use_nullable = true, object_from_js = false)]
pub struct IndexProgress {
    pub files_done: f64,
    pub files_total: Option<f64>,
    pub files_failed: f64,
    pub bytes_done: f64,
    pub bytes_total: Option<f64>,
    pub elapsed_ms: f64,
}

/// How an index run ended. The last progress comes with the report because callbacks on their way may be overtaken.
#[napi(object, object_from_js = false)]
pub struct IndexRun {
    pub report: IndexReport,
    pub progress: IndexProgress,
}

#[napi(object, use_nullable = true, object_from_js = false)]
pub struct IndexReport {
    pub files: FileCounts,
    pub bytes: f64,
    pub lines: f64,
    pub symbols: f64,
    pub chunks: f64,
    pub elapsed_ms: f64,
    pub peak_rss_bytes: Option<f64>,
    pub generation: f64,
    pub failures: Vec<FileFailure>,
}

#[napi(object, object_from_js = false)]
pub struct FileCounts {
    pub seen: f64,
    pub indexed: f64,
    pub unchanged: f64,
    pub removed: f64,
    pub ignored: f64,
    pub too_large: f64,
    pub binary: f64,
    pub unsupported: f64,
    pub timed_out: f64,
    pub failed: f64,
}

#[napi(object, object_from_js = false)]
pub struct FileFailure {
    pub path: String,
    pub reason: String,
}

#[napi(object, use_nullable = true, object_from_js = false)]
pub struct StatusReport {
    pub root: Option<String>,
    pub complete: bool,
    pub files: FileCounts,
    pub bytes: f64,
    pub lines: f64,
    pub symbols: f64,
    pub chunks: f64,
    pub generation: f64,
    pub embedder: Option<EmbedderStatus>,
    pub configured_embedder: String,
    pub foreign_files: f64,
    pub elapsed_ms: f64,
    pub peak_rss_bytes: Option<f64>,
    pub schema_version: u32,
    pub format_version: u32,
    pub failures: Vec<FileFailure>,
    pub stale: Option<Vec<StaleFile>>,
}

#[napi(object, object_from_js = false)]
pub struct EmbedderStatus {
    pub id: String,
    pub dimension: f64,
}

#[napi(object, object_from_js = false)]
pub struct StaleFile {
    pub path: String,
    pub change: String,
}
