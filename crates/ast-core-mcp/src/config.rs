//! What a server is told.

use ast_core_engine::{Access, EngineConfig};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the settings of an engine whose index is at a path, to be opened so. It may block. Its error is told to the agent.
pub type Configure = Arc<dyn Fn(PathBuf, Access) -> Result<EngineConfig, String> + Send + Sync>;

/// What a server is told.
#[derive(Clone)]
pub struct ServerConfig {
    /// The tree that it is about.
    pub tree: TreeChoice,
    /// The index; by default `.ast-core/index.db` of the tree, or of the nearest directory above it that has one.
    pub database: Option<PathBuf>,
    /// How engines are opened.
    pub configure: Configure,
    /// Whether the index, once there is one, is kept up as files change.
    pub follow: bool,
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tree, database, follow, configure: _ } = self;
        f.debug_struct("ServerConfig")
            .field("tree", tree)
            .field("database", database)
            .field("follow", follow)
            .finish_non_exhaustive()
    }
}

/// Which tree a server is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeChoice {
    /// This one.
    This(PathBuf),
    /// The first of the client's roots that is a directory; if it names none, another.
    OfClient {
        /// The other one: where the server was started.
        otherwise: PathBuf,
        /// Directories that are no project, such as the user's home: they are never taken, as nobody asked for them.
        never: Vec<PathBuf>,
    },
}
