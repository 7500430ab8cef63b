//! The documents that go out, as docs/cli.md has them. A change here is a change of the contract.

mod context;
mod doctor;
mod grep;
mod languages;
mod map;
mod outline;
mod query;
mod references;
mod run;
mod search;
mod settings;
mod similar;

pub(crate) use context::{Context, ContextFile};
pub(crate) use doctor::{Doctor, Finding};
pub(crate) use grep::{GrepHit, grep_begin, grep_end};
pub(crate) use languages::{LanguageRow, Languages};
pub(crate) use map::{Map, MapFile};
pub(crate) use outline::{Annotated, Annotations, Reference, Symbol, Symbols};
pub(crate) use query::{Matches, matches};
pub(crate) use references::{Callee, Callees, Mention, Mentions};
pub(crate) use run::{Failure, Index, Plan, Status, WatchEvent};
pub(crate) use search::{Hit, Search};
pub(crate) use settings::{Setting, Settings};
pub(crate) use similar::{Similar, SimilarHit};

use std::time::Duration;

const SCHEMA: u32 = 1;

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// More digits say nothing and cost whoever reads them.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
