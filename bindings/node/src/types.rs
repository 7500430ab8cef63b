//! The shapes that cross over, as JavaScript sees them. `index.d.ts` says what they mean.
//!
//! What is not known is `null`. Counts are numbers: they are exact up to 2^53.

use napi_derive::napi;

#[napi(object)]
pub struct OpenOptions {
    pub database: Option<String>,
    pub root: Option<String>,
    pub read_only: Option<bool>,
}

#[napi(object)]
pub struct IndexOptions {
    pub rebuild: Option<bool>,
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

#[napi(object, object_from_js = false)]
pub struct SearchReply {
    pub hits: Vec<SearchHit>,
    pub generation: f64,
    pub complete: bool,
    pub took_ms: f64,
    pub notices: Vec<String>,
}

#[napi(object, use_nullable = true, object_from_js = false)]
pub struct SearchHit {
    pub path: String,
    pub language: String,
    pub start_line: u32,
    pub end_line: u32,
    pub start_byte: u32,
    pub end_byte: u32,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub scope: Vec<String>,
    pub score: f64,
    pub snippet: String,
    pub snippet_start_line: u32,
    pub why: Why,
    pub changed: Option<bool>,
}

#[napi(object, use_nullable = true, object_from_js = false)]
pub struct Why {
    pub lexical: Option<f64>,
    pub semantic: Option<f64>,
    pub boosts: Vec<Boost>,
}

#[napi(object, object_from_js = false)]
pub struct Boost {
    pub name: String,
    pub value: f64,
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
