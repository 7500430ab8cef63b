//! The store as its users see it, and its tables as SQL sees them.

mod chunks;
mod commit;
mod damage;
mod incremental;
mod killed;
mod lexical;
mod locked;
mod opening;
mod process;
mod read_only;
mod sample;
mod source;
mod tables;
mod vectors;
