//! The store as its users see it, and its tables as SQL sees them.

mod commit;
mod damage;
mod documents;
mod incremental;
mod jobs;
mod killed;
mod lexical;
mod locked;
mod opening;
mod process;
mod read_only;
mod sample;
mod symbols;
mod tables;
mod vectors;
