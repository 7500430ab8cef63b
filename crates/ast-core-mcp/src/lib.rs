//! A server of the Model Context Protocol over an index of `ast-core-engine`.
//!
//! `server` speaks the protocol, `workspace` has the tree and its index, `keeper` keeps that up, `freshness` knows how it
//! stands to the tree; `tools` has a file a tool, `answer` what they give, within a number of tokens, and `cursor` where the
//! next page begins. Nothing here reads a file: the engine does, and only files of the index.
#![deny(missing_docs)]

mod answer;
mod arguments;
mod config;
mod cursor;
mod error;
mod failure;
mod freshness;
#[cfg(feature = "http")]
mod http;
mod input;
mod keeper;
mod resources;
mod server;
mod tools;
mod workspace;

pub use config::{Configure, ServerConfig, TreeChoice};
pub use error::McpError;
pub use server::McpServer;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
