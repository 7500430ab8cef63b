//! What can go wrong with a store.

use ast_core_lexical::LexicalError;
use ast_core_model::RepoPath;
use std::path::PathBuf;

/// Why a store could not be opened, read or written. What is called a file is, of a store that is none, what
/// [names it](crate::Store::path).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no index at this path.
    #[error("no index at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the index {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no SQLite database.
    #[error("{} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error("{} is a database of another program (application id {application_id:#010x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id in its header; 0 if none was set.
        application_id: i64,
    },
    /// The file was written by a newer version.
    #[error(
        "{} has schema version {found}, and this program knows versions up to {supported}; use a newer program or rebuild the index",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version in its header.
        found: i64,
        /// The newest version known.
        supported: i64,
    },
    /// The file is damaged.
    #[error("the index {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says, or which value is not what it must be.
        reason: String,
    },
    /// Another file was put in the place of the open one, or it was removed.
    #[error("the index {} was replaced or removed since it was opened; open it again", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Another process is writing, or another store of this one.
    #[error("the index {} is being written by {}", path.display(), by(*holder))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The id of the process that writes, if it could be read.
        holder: Option<u32>,
    },
    /// Another writer has opened the index since this one did, although the lock of this one should have kept it out: the
    /// lock was lost, as when its file is deleted, or on a network file system. Nothing was written.
    #[error(
        "the index {} is open to a later writer ({}) than this one ({writer}), whose lock is lost; nothing was written; \
         open it again",
        path.display(), last.map_or("unknown".into(), |last| last.to_string())
    )]
    Fenced {
        /// The file.
        path: PathBuf,
        /// The number of the writer that was refused.
        writer: u64,
        /// The number of the last writer; `None` if there is none in the store that could be read.
        last: Option<u64>,
    },
    /// The file, its directory or its file system cannot be written.
    #[error("the index {} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no space left on the device. What was committed before is kept.
    #[error("no space is left for the index {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// What is to be stored of a file contradicts itself.
    #[error("{file} cannot be stored: {reason}")]
    InvalidFile {
        /// The file.
        file: RepoPath,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// Something is too large for its place in the store.
    #[error("{what} of {received} exceeds the limit of {limit}")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// Its size.
        received: u64,
        /// The largest there can be.
        limit: u64,
    },
    /// A user's vector has another number of values than those that are with it.
    #[error("a vector has {received} values; those of the collection {collection:?} have {expected}")]
    Dimension {
        /// The collection.
        collection: String,
        /// The number of values of its vectors.
        expected: usize,
        /// That of the vector that was given.
        received: usize,
    },
    /// What a search by words is to rank by makes no sense.
    #[error(transparent)]
    Lexical(LexicalError),
    /// Anything else that SQLite says.
    #[error("the index {} failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn by(holder: Option<u32>) -> String {
    holder.map_or("another process".into(), |pid| format!("process {pid}"))
}
