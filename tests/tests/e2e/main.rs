//! Tests of the whole: the facade on a repository on disk, and the binary as a person or a script meets it.
//!
//! `repository` makes a tree to work on, `binary` finds and runs `ast-core`, `rows` renders what a store holds; every
//! other module tests one thing.

// What the long tests counted is their result too: `cargo xtask torture` shows it.
#![allow(clippy::print_stdout)]

mod bad_input;
mod binary;
mod cli;
mod context;
mod contract;
mod doctor;
mod documents;
mod edits;
mod embedders;
mod embedding_cache;
mod faults;
mod golden;
mod grep;
mod incremental;
mod index;
mod interrupted;
mod jobs;
mod killed;
mod map;
mod mcp;
mod metrics;
mod processes;
mod random;
mod references;
mod repository;
mod rows;
mod search;
mod service;
mod settings;
mod similar;
mod store;
mod terminal;
mod vector_file;
mod watch;
