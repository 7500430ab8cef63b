//! What went wrong, what to do about it, and the exit code.

use ast_core_engine::{EmbedError, EngineError, StoreError};
use std::fmt;
use std::process::ExitCode;

/// How the command ends; docs/cli.md has the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    NothingFound = 1,
    Usage = 2,
    Partial = 3,
    Index = 4,
    Embedder = 5,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A command that could not be carried out.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The engine says why.
    Engine(EngineError),
    /// What was asked for cannot be.
    Usage(String),
    /// There is no index.
    NoIndex(String),
    /// The answer could not be written.
    Output(std::io::Error),
    /// The server ended early.
    #[cfg(feature = "mcp")]
    Server(String),
}

impl Failed {
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            #[cfg(feature = "mcp")]
            Self::Server(_) => Exit::Usage,
            Self::NoIndex(_) => Exit::Index,
            Self::Output(_) if self.is_broken_pipe() => Exit::Done,
            Self::Output(_) => Exit::Index,
            Self::Engine(error) => match error {
                EngineError::Cancelled => Exit::Interrupted,
                EngineError::Embed(EmbedError::Unavailable { .. } | EmbedError::Model { .. }) => {
                    Exit::Embedder
                }
                EngineError::Root { .. }
                | EngineError::MaxMemory { .. }
                | EngineError::OtherRoot { .. }
                | EngineError::OutsideTree { .. }
                | EngineError::NoCode { .. }
                | EngineError::Unreadable { .. }
                | EngineError::Pattern { .. }
                | EngineError::Regex { .. }
                | EngineError::Embed(_)
                | EngineError::NoReranking
                | EngineError::Query(_)
                | EngineError::Parse(_) => Exit::Usage,
                _ => Exit::Index,
            },
        }
    }

    /// What to do next, as a sentence without its end.
    fn advice(&self) -> Option<String> {
        let Self::Engine(error) = self else { return None };
        match error {
            EngineError::Store(error) => match error {
                StoreError::Missing { .. } => Some("make one with `ast-core index`".into()),
                StoreError::Corrupt { .. } => {
                    Some("run `ast-core doctor --repair`, and then `ast-core index`".into())
                }
                StoreError::NotADatabase { .. } => Some(
                    "name another file with --db; if it was an index, run `ast-core doctor --repair`, and then \
                     `ast-core index`"
                        .into(),
                ),
                StoreError::Foreign { .. } => Some("name another file with --db".into()),
                StoreError::Replaced { .. } => Some("run the command again".into()),
                StoreError::Fenced { .. } => {
                    Some("see that one program at a time writes to it, and run the command again".into())
                }
                StoreError::Locked { .. } => Some("wait until it is done, or stop it".into()),
                StoreError::ReadOnly { .. } => {
                    Some("put the index where it can be written: `ast-core index --db PATH`".into())
                }
                StoreError::DiskFull { .. } => {
                    Some("make room and run `ast-core index` again; what was committed is kept".into())
                }
                _ => None,
            },
            EngineError::OtherRoot { .. } => Some("name another file with --db".into()),
            EngineError::OtherPipeline { .. } => {
                Some("run `ast-core index`, or name its embedder with --embedder".into())
            }
            EngineError::Embed(EmbedError::Unavailable { .. }) => {
                Some("what was committed is kept, and `ast-core index` goes on from there".into())
            }
            EngineError::Regex { place: Some(_), .. } => Some("with -F it is looked for as it is".into()),
            EngineError::NoReranking => {
                Some("name it, as in --rerank=minilm:FOLDER, or under [rerank] in the settings".into())
            }
            EngineError::Cancelled => {
                Some("what was committed is kept; run `ast-core index` to go on".into())
            }
            _ => None,
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => write!(f, "{error}")?,
            Self::Usage(message) | Self::NoIndex(message) => f.write_str(message)?,
            #[cfg(feature = "mcp")]
            Self::Server(message) => f.write_str(message)?,
            Self::Output(error) => write!(f, "the answer cannot be written: {error}")?,
        }
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<EmbedError> for Failed {
    fn from(error: EmbedError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
