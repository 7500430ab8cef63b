//! What fails, with a code that programs can tell apart.

use ast_core_engine::{EngineError, StoreError};
use napi::bindgen_prelude::{AsyncBlock, AsyncBlockBuilder, JsValue, ToNapiValue};
use napi::{Env, Error};
use std::fmt;

/// A failure on its way to JavaScript. The codes are part of the package's interface: `index.d.ts` lists them.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// The call came after `close`.
    pub(crate) fn closed() -> Self {
        Self { code: "ERR_CLOSED", message: "the engine is closed; open it again with Engine.open".into() }
    }

    /// An argument has a value that is not in the engine's vocabulary.
    pub(crate) fn argument(name: &str, reason: impl fmt::Display) -> Self {
        Self { code: "ERR_INVALID_ARGUMENT", message: format!("{name}: {reason}") }
    }

    /// An `Error` with the code as a property.
    fn into_error(self, env: &Env) -> Error {
        let object = env.create_error(Error::from_reason(self.message)).and_then(|mut object| {
            object.set("code", self.code)?;
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
        Self { code: code_of(&error), message: error.to_string() }
    }
}

fn code_of(error: &EngineError) -> &'static str {
    match error {
        EngineError::Store(error) => code_of_store(error),
        EngineError::Root { .. } => "ERR_NOT_A_DIRECTORY",
        EngineError::OtherRoot { .. } => "ERR_OTHER_TREE",
        EngineError::OtherPipeline { .. } => "ERR_INDEX_OUTDATED",
        EngineError::Pattern { .. } | EngineError::Query(_) | EngineError::Parse(_) => "ERR_INVALID_ARGUMENT",
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
        StoreError::Fenced { .. } => "ERR_INDEX_FENCED",
        StoreError::ReadOnly { .. } => "ERR_READ_ONLY",
        StoreError::DiskFull { .. } => "ERR_DISK_FULL",
        _ => "ERR_INTERNAL",
    }
}

/// A promise of what the future comes to. It runs on napi's runtime and keeps the process alive until it is settled.
///
/// The failure becomes an object only on the thread of JavaScript, since napi rejects a promise with nothing but its
/// own codes.
pub(crate) fn promise<T: ToNapiValue + Send + 'static>(
    env: &Env,
    future: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> napi::Result<AsyncBlock<T>> {
    AsyncBlockBuilder::build_with_map(
        env,
        async move { Ok(future.await) },
        |env, result: Result<T, Failure>| result.map_err(|failure| failure.into_error(&env)),
    )
}
