//! One file a verb.

pub(crate) mod index;
pub(crate) mod languages;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod symbols;

use crate::args::Global;
use crate::failure::Failed;
use ast_core_engine::{EngineConfig, find_database};
use std::future::Future;

/// Runs async work to its end.
fn block_on<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(work)
}

/// The index to be read: the one that is named, or the nearest from here upwards.
fn existing_index(global: &Global) -> Result<EngineConfig, Failed> {
    if let Some(db) = &global.db {
        return Ok(EngineConfig::new(db).read_only());
    }
    let here = std::env::current_dir()?;
    let database = find_database(&here).ok_or_else(|| {
        let here = here.display();
        Failed::NoIndex(format!(
            "no index for {here} or a directory above it; make one with `ast-core index`"
        ))
    })?;
    Ok(EngineConfig::new(database).read_only())
}
