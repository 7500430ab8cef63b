//! Why a tool cannot answer, said so that an agent can go on.

use ast_core_engine::{EngineError, StoreError};
use std::fmt;

/// Why a tool cannot answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments: what is wrong with them, and what would be right.
    Arguments(String),
    /// There is no index of this tree.
    NoIndex(std::path::PathBuf),
    /// Which tree is meant is not known: the directory that is no project.
    NoTree(std::path::PathBuf),
    /// The engine cannot be configured.
    Settings(String),
    /// The engine says why.
    Engine(EngineError),
    /// A defect.
    Internal(String),
}

impl Failure {
    /// What the agent can do next.
    fn advice(&self) -> &'static str {
        match self {
            Self::Arguments(_) => "",
            Self::NoIndex(_) => "call index_workspace to make one; of 100,000 lines that takes seconds",
            Self::NoTree(_) => {
                "ask the user to start the server as `ast-core mcp PATH`, with the path of the project"
            }
            Self::Settings(_) => "ask the user to mend the settings",
            Self::Internal(_) => "call again; if it stays so, call index_status",
            Self::Engine(error) => match error {
                EngineError::Store(error) => match error {
                    StoreError::Missing { .. } => "call index_workspace to make one",
                    StoreError::Replaced { .. } => "call again",
                    StoreError::Locked { .. } | StoreError::Fenced { .. } => {
                        "another program is bringing the index up; call again in a moment"
                    }
                    StoreError::Corrupt { .. } => {
                        "ask the user to run `ast-core doctor --repair`, then call index_workspace"
                    }
                    StoreError::ReadOnly { .. } => {
                        "ask the user to start the server with `--db PATH`, where it can write"
                    }
                    StoreError::DiskFull { .. } => "ask the user to make room; what was written is kept",
                    _ => "call index_status",
                },
                EngineError::OtherPipeline { .. } => "call index_workspace to bring it up",
                EngineError::OtherRoot { .. } => "ask the user to name another index with `--db`",
                EngineError::Embed(_) => {
                    "call search_code with mode \"lexical\", or ask the user to mend the embedder's settings"
                }
                EngineError::NotIndexed { .. } => {
                    "see the path with find_symbol or search_code; if the file is new, call index_workspace"
                }
                EngineError::Unreadable { .. } => "call index_workspace, which takes it out if it is gone",
                EngineError::Cancelled => "what was written is kept; call index_workspace to go on",
                _ => "",
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(message) | Self::Settings(message) => f.write_str(message)?,
            Self::NoIndex(root) => write!(f, "there is no index of {} yet", root.display())?,
            Self::NoTree(folder) => {
                write!(f, "the server was started in {}, which is no project", folder.display())?;
            }
            Self::Engine(error) => write!(f, "{error}")?,
            Self::Internal(what) => write!(f, "internal error: {what}")?,
        }
        match self.advice() {
            "" => Ok(()),
            advice => write!(f, "; next: {advice}"),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
