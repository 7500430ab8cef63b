//! What is about SQLite alone: the file, its tables as SQL sees them, and what becomes of them. What every backend is held
//! to is in `contract`.

mod commit;
mod damage;
mod documents;
mod golden;
mod jobs;
mod killed;
mod lexical;
mod locked;
mod opening;
mod process;
mod read_only;
mod sample;
mod tables;
