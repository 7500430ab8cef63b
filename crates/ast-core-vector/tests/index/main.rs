//! The indexes as their users see them, against a plain map that is searched in `f64`.

mod bytes;
mod checks;
mod files;
mod flat;
mod hnsw;
#[cfg(feature = "hnsw-rs")]
mod hnsw_rs;
mod oracle;
