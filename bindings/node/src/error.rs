//! What fails, with a code that programs can tell apart.

use ast_core_engine::{EngineError, FileProblem, StoreError, VectorError};
use napi::bindgen_prelude::JsValue;
use napi::{Env, Error};
use std::fmt;
use std::path::Path;

/// A failure on its way to JavaScript. The codes are part of the package's interface: `index.d.ts` lists them.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    path: Option<String>,
}

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: None }
    }

    /// The call came after `close`.
    pub(crate) fn closed() -> Self {
        Self::new("ERR_CLOSED", "the engine is closed; open it again")
    }

    /// Whoever made the call gave it up.
    pub(crate) fn cancelled() -> Self {
        Self::new("ERR_CANCELLED", "cancelled")
    }

    /// A thread ended before its work did.
    pub(crate) fn internal(error: &impl fmt::Display) -> Self {
        Self::new("ERR_INTERNAL", format!("internal error: {error}"))
    }

    /// An argument has a value that is not in the engine's vocabulary.
    pub(crate) fn argument(name: &str, reason: impl fmt::Display) -> Self {
        Self::new("ERR_INVALID_ARGUMENT", format!("{name}: {reason}"))
    }

    /// An `Error` with the code, and the path if there is one, as properties.
    pub(crate) fn into_error(self, env: &Env) -> Error {
        let object = env.create_error(Error::from_reason(self.message)).and_then(|mut object| {
            object.set("code", self.code)?;
            if let Some(path) = self.path {
                object.set("path", path)?;
            }
            Ok(object)
        });
        match object {
            Ok(object) => Error::from_unknown_without_coercion(object.to_unknown()),
            Err(error) => error,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let path = path_of(&error).map(|path| path.to_string_lossy().into_owned());
        Self { code: code_of(&error), message: error.to_string(), path }
    }
}

fn code_of(error: &EngineError) -> &'static str {
    match error {
        EngineError::Store(error) => code_of_store(error),
        EngineError::EmbeddingCache { source, .. } => code_of_store(source),
        EngineError::Root { .. } => "ERR_NOT_A_DIRECTORY",
        EngineError::OtherRoot { .. } => "ERR_OTHER_TREE",
        EngineError::OutsideTree { .. } => "ERR_OUTSIDE_TREE",
        EngineError::OtherPipeline { .. } => "ERR_INDEX_OUTDATED",
        EngineError::File { kind, .. } => match kind {
            FileProblem::Missing => "ERR_FILE_NOT_FOUND",
            FileProblem::TooLarge => "ERR_FILE_TOO_LARGE",
            FileProblem::Binary => "ERR_FILE_BINARY",
            FileProblem::UnknownLanguage => "ERR_UNKNOWN_LANGUAGE",
            _ => "ERR_FILE_UNREADABLE",
        },
        EngineError::Unreadable { .. } => "ERR_FILE_UNREADABLE",
        EngineError::NoJob { .. } => "ERR_BATCH_NOT_FOUND",
        EngineError::JobState { .. } => "ERR_BATCH_STATE",
        EngineError::Dimension { .. } | EngineError::Vector(VectorError::DimensionMismatch { .. }) => {
            "ERR_DIMENSION_MISMATCH"
        }
        EngineError::Vector(VectorError::Io { .. } | VectorError::Damaged { .. }) => "ERR_INTERNAL",
        EngineError::Pattern { .. }
        | EngineError::Query(_)
        | EngineError::Parse(_)
        | EngineError::Vector(_)
        | EngineError::UserVector { .. }
        | EngineError::NoCode { .. }
        | EngineError::MaxMemory { .. } => "ERR_INVALID_ARGUMENT",
        EngineError::Cancelled => "ERR_CANCELLED",
        EngineError::Embed(_) => "ERR_EMBEDDER",
        EngineError::Pool(_) => "ERR_THREADS",
        _ => "ERR_INTERNAL",
    }
}

fn code_of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Missing { .. } => "ERR_INDEX_MISSING",
        StoreError::Open { .. } => "ERR_INDEX_OPEN",
        StoreError::NotADatabase { .. } | StoreError::Foreign { .. } => "ERR_NOT_AN_INDEX",
        StoreError::NewerSchema { .. } => "ERR_INDEX_VERSION",
        StoreError::Corrupt { .. } => "ERR_INDEX_CORRUPT",
        StoreError::Locked { .. } => "ERR_INDEX_LOCKED",
        StoreError::Fenced { .. } | StoreError::Replaced { .. } => "ERR_INDEX_FENCED",
        StoreError::ReadOnly { .. } => "ERR_READ_ONLY",
        StoreError::DiskFull { .. } => "ERR_DISK_FULL",
        StoreError::Dimension { .. } => "ERR_DIMENSION_MISMATCH",
        _ => "ERR_INTERNAL",
    }
}

/// The file or directory that it is about.
fn path_of(error: &EngineError) -> Option<&Path> {
    match error {
        EngineError::Store(error) => path_of_store(error),
        EngineError::Root { path, .. }
        | EngineError::OutsideTree { path, .. }
        | EngineError::EmbeddingCache { path, .. }
        | EngineError::Unreadable { path, .. }
        | EngineError::File { path, .. } => Some(path),
        EngineError::OtherRoot { database, .. } | EngineError::OtherPipeline { database, .. } => {
            Some(database)
        }
        _ => None,
    }
}

fn path_of_store(error: &StoreError) -> Option<&Path> {
    match error {
        StoreError::Missing { path }
        | StoreError::Open { path, .. }
        | StoreError::NotADatabase { path }
        | StoreError::Foreign { path, .. }
        | StoreError::NewerSchema { path, .. }
        | StoreError::Corrupt { path, .. }
        | StoreError::Replaced { path }
        | StoreError::Locked { path, .. }
        | StoreError::Fenced { path, .. }
        | StoreError::ReadOnly { path }
        | StoreError::DiskFull { path }
        | StoreError::Database { path, .. } => Some(path),
        _ => None,
    }
}
