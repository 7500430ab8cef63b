//! What can go wrong with the engine.

use crate::JobId;
use ast_core_model::{LineRange, RepoPath};
use std::ops::Range;
use std::path::PathBuf;

/// Why the engine could not do what was asked. What goes wrong with one file is not one of these: it is in the
/// report of the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] ast_core_storage::StoreError),
    /// The embedder failed.
    #[error(transparent)]
    Embed(#[from] ast_core_embed::EmbedError),
    /// The vector index refused something.
    #[error(transparent)]
    Vector(#[from] ast_core_vector::VectorError),
    /// The parser refused something, such as the name of a language.
    #[error(transparent)]
    Parse(#[from] ast_core_parse::ParseError),
    /// The query cannot be answered.
    #[error(transparent)]
    Query(#[from] ast_core_search::QueryError),
    /// Threads could not be started.
    #[error(transparent)]
    Pool(#[from] ast_core_batch::PoolError),
    /// The directory to be indexed is not one, or cannot be read.
    #[error("cannot index {}: {reason}", path.display())]
    Root {
        /// The directory as given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index holds another tree.
    #[error("{} holds the index of {}, not of {}; give each tree an index of its own", database.display(), indexed.display(), requested.display())]
    OtherRoot {
        /// The index.
        database: PathBuf,
        /// The tree that it holds.
        indexed: PathBuf,
        /// The tree that was to be indexed.
        requested: PathBuf,
    },
    /// The index was made with another embedder or other settings than the engine has.
    #[error("the index {} was made by {indexed}, and this engine works by {current}; index the tree again to bring it up", database.display())]
    OtherPipeline {
        /// The index.
        database: PathBuf,
        /// What made it.
        indexed: String,
        /// What the engine has.
        current: String,
    },
    /// A search was to be put in order anew, and the configuration does not say by what.
    #[error("there is nothing to rerank by; give the engine an embedder for it")]
    NoReranking,
    /// A pattern to be searched for that is no regular expression, or none that can be searched for.
    #[error("invalid regular expression {pattern:?}: {reason}{}", at(pattern, place.as_ref()))]
    Regex {
        /// The pattern as given.
        pattern: String,
        /// The bytes of it that are at fault, if it is some.
        place: Option<Range<usize>>,
        /// What is wrong with it.
        reason: String,
    },
    /// A path filter that is no glob pattern.
    #[error("invalid path pattern {pattern:?}: {reason}; expected a glob such as \"src/**/*.rs\"")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a file in which there is no code.
    #[error("there is no code at line {line} of {path}; {}", lines_with_code(lines))]
    NoCode {
        /// The file, relative to the tree.
        path: RepoPath,
        /// The line as given.
        line: u32,
        /// The lines that have some, in order, those behind each other as one.
        lines: Vec<LineRange>,
    },
    /// The file that was named cannot be read as it is now, or is none that code can be read of.
    #[error("{} cannot be read as it is now: {reason}", path.display())]
    Unreadable {
        /// The file, relative to the tree.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The cache of vectors cannot be opened.
    #[error("the cache of vectors {} cannot be used: {source}; remove it, or name another file", path.display())]
    EmbeddingCache {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ast_core_storage::StoreError,
    },
    /// The limit of memory is one that no index run can keep.
    #[error("a limit of {} MiB of memory is too low; give it at least {} MiB", received >> 20, least >> 20)]
    MaxMemory {
        /// The limit in bytes.
        received: u64,
        /// The lowest there can be.
        least: u64,
    },
    /// A file that was named is not in the tree.
    #[error("{} is not in {}; name files of that tree", path.display(), root.display())]
    OutsideTree {
        /// The file as it was named.
        path: PathBuf,
        /// The tree.
        root: PathBuf,
    },
    /// A file that was asked for is not in the index.
    #[error(
        "{path} is not in the index: there is no such file, a rule leaves it out, its language is not known, or it came \
         after the last run"
    )]
    NotIndexed {
        /// Its path in the tree.
        path: RepoPath,
    },
    /// Nothing can be told of a file.
    #[error("cannot process {}: {reason}", path.display())]
    File {
        /// The file as it was named.
        path: PathBuf,
        /// What is wrong with it.
        kind: FileProblem,
        /// The same in words.
        reason: String,
    },
    /// A vector has another number of values than those that it is to be compared with.
    #[error("the vector has {received} values; those of {of} have {expected}")]
    Dimension {
        /// What it is to be compared with.
        of: String,
        /// The number of values that it should have.
        expected: usize,
        /// The number of values that it has.
        received: usize,
    },
    /// A user's vector cannot be compared.
    #[error("the vector {name:?} {reason}")]
    UserVector {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no job with this number, or no longer.
    #[error("no job {id}; of jobs that are over, the last hundred are kept")]
    NoJob {
        /// The number.
        id: JobId,
    },
    /// What was asked of a job cannot be done where it stands.
    #[error("job {id} is {state} and cannot be {asked}")]
    JobState {
        /// The job.
        id: JobId,
        /// Where it stands.
        state: ast_core_storage::JobState,
        /// What was asked of it.
        asked: &'static str,
    },
    /// The run was cancelled. What was committed before is kept, and the next run goes on from there.
    #[error("cancelled")]
    Cancelled,
    /// A thread of the engine ended before its work did: a defect of the engine.
    #[error("internal error: {what}")]
    Internal {
        /// What happened.
        what: String,
    },
}

/// What is wrong with a file of which nothing can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileProblem {
    /// It is not there.
    Missing,
    /// It cannot be read, or is no regular file.
    Unreadable,
    /// It is larger than the limit.
    TooLarge,
    /// It is not text.
    Binary,
    /// Nothing tells its language.
    UnknownLanguage,
}

/// Where something is in a pattern, and what is there.
fn at(pattern: &str, place: Option<&Range<usize>>) -> String {
    let found = place.and_then(|place| Some((pattern.get(..place.start)?, pattern.get(place.clone())?)));
    found.map_or_else(String::new, |(before, there)| {
        let character = before.chars().count() + 1;
        if there.is_empty() {
            format!(", at character {character}")
        } else {
            format!(", at character {character}: {there:?}")
        }
    })
}

/// Ranges that a message lists.
const LISTED: usize = 8;

fn lines_with_code(lines: &[LineRange]) -> String {
    if lines.is_empty() {
        return "the file has none".to_owned();
    }
    let listed: Vec<String> =
        lines.iter().take(LISTED).map(|lines| format!("{}-{}", lines.start, lines.end)).collect();
    let more = if lines.len() > LISTED { " and others" } else { "" };
    format!("there is some at lines {}{more}", listed.join(", "))
}
