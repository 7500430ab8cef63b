//! What is in files: processed one by one, or outlined without an index.

use crate::call::{Cancellation, promise, token_of, until};
use crate::columns::{
    AnnotationColumns, ChunkColumns, ReferenceColumns, SymbolColumns, annotations, chunks, references,
    symbols,
};
use crate::convert::{index_options, milliseconds, number, parse_optional};
use crate::engine::Engine;
use crate::error::Failure;
use crate::text::Text;
use crate::types::{FileFailure, ProcessOptions};
use ast_core_engine::{self as core, CancelToken, OutlineOptions, ProcessedAs, ProcessedFile};
use napi::Env;
use napi::bindgen_prelude::AsyncBlock;
use napi_derive::napi;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A file and what is in it.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct FileColumns {
    pub path: String,
    pub language: String,
    pub encoding: String,
    pub lines: u32,
    pub generated: bool,
    /// What of it was not understood; `null` if all was.
    pub coverage: Option<String>,
    pub has_symbols: bool,
    pub syntax_errors: u32,
    pub first_error_line: Option<u32>,
    /// The first of the places, in bytes and in UTF-16; a pair each.
    pub error_bytes: Vec<u32>,
    pub error_range: Vec<u32>,
    pub symbols: SymbolColumns,
    pub annotations: AnnotationColumns,
    pub references: ReferenceColumns,
    pub chunks: ChunkColumns,
    #[napi(ts_type = "string")]
    pub text: Text,
}

/// A file that was processed.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Processed {
    pub file: FileColumns,
    pub bytes: f64,
    pub hash: String,
    pub from_cache: bool,
    /// `indexed`, `unchanged` or `skipped`.
    pub index_state: String,
    pub index_path: Option<String>,
    pub index_generation: Option<f64>,
    pub index_reason: Option<String>,
    pub read_ms: f64,
    pub parse_ms: f64,
    pub index_ms: f64,
    pub total_ms: f64,
}

/// Files and what is in them.
#[napi(object, object_from_js = false)]
pub struct Outlined {
    pub files: Vec<FileColumns>,
    pub failures: Vec<FileFailure>,
}

#[napi]
impl Engine {
    /// Reads and parses a file, and brings the index up to it.
    #[napi]
    pub fn process_file(
        &self,
        env: &Env,
        path: String,
        options: ProcessOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Processed>> {
        let (engine, named) = (self.lease(), self.named_root());
        // Dropped with the future, and then the run ends.
        let run = self.closing().child();
        let call = async move {
            let engine = engine?;
            let path = PathBuf::from(path);
            let root = match named {
                Some(root) => root,
                None => engine.tree_of(std::slice::from_ref(&path)).await?,
            };
            let options = core::ProcessOptions {
                language: parse_optional("options.language", options.language)?,
                use_cache: options.enable_caching,
                index: options.index,
                run: index_options(options.run)?,
            };
            let processed = engine.process_file(&root, &path, &options, &run).await?;
            Ok(convert(&processed))
        };
        promise(env, until(cancellation, call))
    }

    /// The tree that these files are taken to be of.
    #[napi]
    pub fn tree_of(&self, env: &Env, files: Vec<String>) -> napi::Result<AsyncBlock<String>> {
        let (engine, named) = (self.lease(), self.named_root());
        promise(env, async move {
            let files: Vec<PathBuf> = files.into_iter().map(PathBuf::from).collect();
            let root = match named {
                Some(root) => root,
                None => engine?.tree_of(&files).await?,
            };
            Ok(root.to_string_lossy().into_owned())
        })
    }

    /// What is in files, and in the files of directories, without the index.
    #[napi]
    pub fn outline(
        &self,
        env: &Env,
        paths: Vec<String>,
        language: Option<String>,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<AsyncBlock<Outlined>> {
        let (engine, cancel) = (self.lease(), token_of(cancellation, self.closing()));
        let call = async move {
            let config = engine?.config().clone();
            let options = OutlineOptions {
                language: parse_optional("options.language", language)?,
                limits: config.limits,
                batch: config.batch,
            };
            let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
            let outlined = tokio::task::spawn_blocking(move || outline(&paths, &options, &cancel));
            outlined.await.map_err(|error| Failure::internal(&error))?
        };
        promise(env, until(cancellation, call))
    }
}

fn outline(paths: &[PathBuf], options: &OutlineOptions, cancel: &CancelToken) -> Result<Outlined, Failure> {
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    core::outline(paths, options, |result| {
        match result {
            Ok(outline) => files.push(columns(outline.path, &outline.file, &outline.utf16)),
            Err(failure) => failures.push(failure.into()),
        }
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(Outlined { files, failures })
}

fn columns(path: String, file: &core::ParsedFile, utf16: &core::Utf16Places) -> FileColumns {
    let mut texts = Text::default();
    let places = &file.syntax_errors.places;
    FileColumns {
        path,
        language: file.language.to_string(),
        encoding: encoding(file.encoding).to_owned(),
        lines: file.lines,
        generated: file.generated,
        coverage: Some(file.coverage)
            .filter(|found| *found != core::Coverage::Full)
            .map(|found| found.to_string()),
        has_symbols: file.coverage.has_symbols(),
        syntax_errors: file.syntax_errors.count,
        first_error_line: file.syntax_errors.first_line,
        error_bytes: places.iter().flat_map(|span| [span.start, span.end]).collect(),
        error_range: places
            .iter()
            .map(|span| utf16.of_span(*span))
            .flat_map(|span| [span.start, span.end])
            .collect(),
        symbols: symbols(&mut texts, &file.symbols, utf16),
        annotations: annotations(&mut texts, &file.annotations),
        references: references(&mut texts, &file.references, utf16),
        chunks: chunks(&file.chunks, utf16),
        text: texts,
    }
}

fn encoding(encoding: core::Encoding) -> &'static str {
    match encoding {
        core::Encoding::Utf8 => "utf-8",
        core::Encoding::Utf8Lossy => "utf-8-lossy",
        core::Encoding::Utf16Le => "utf-16le",
        core::Encoding::Utf16Be => "utf-16be",
    }
}

fn convert(processed: &ProcessedFile) -> Processed {
    let (state, path, generation, reason) = match &processed.index {
        ProcessedAs::Indexed { path, generation } => ("indexed", Some(path), Some(*generation), None),
        ProcessedAs::Unchanged { path, generation } => ("unchanged", Some(path), Some(*generation), None),
        ProcessedAs::NotIndexed { reason } => ("skipped", None, None, Some(reason.clone())),
        _ => ("skipped", None, None, None),
    };
    let timings = &processed.timings;
    Processed {
        file: columns(shown(&processed.path), &processed.file, &processed.utf16),
        bytes: number(processed.bytes),
        hash: processed.hash.to_string(),
        from_cache: processed.from_cache,
        index_state: state.to_owned(),
        index_path: path.map(ToString::to_string),
        index_generation: generation.map(number),
        index_reason: reason,
        read_ms: milliseconds(timings.read),
        parse_ms: milliseconds(timings.parse),
        index_ms: milliseconds(timings.index),
        total_ms: milliseconds(timings.total),
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
