//! Whether an index can be used, told in a moment.

use crate::{Access, EmbedderChange, Engine, EngineError};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Whether an index can be used. What takes longer to find out is in [`Engine::status`] and [`Engine::doctor`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The number of its last commit; 0 before the first.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// The tree it is of; `None` if there was no run yet.
    pub root: Option<PathBuf>,
    /// Whether that tree is there.
    pub root_exists: bool,
    /// Whether it is open for writing.
    pub writable: bool,
    /// That its vectors are of another embedder, so that it is searched by words alone until the next index run.
    pub embedder_change: Option<EmbedderChange>,
    /// How many files can be found.
    pub searchable_files: u64,
    /// How long it took to find all this out.
    pub took: Duration,
}

impl Health {
    /// Whether a search finds all that it should.
    pub fn is_sound(&self) -> bool {
        self.complete && self.root_exists && self.embedder_change.is_none()
    }
}

impl Engine {
    /// Whether the index can be used.
    ///
    /// # Errors
    /// [`EngineError::Store`] if it cannot be read.
    pub async fn health(&self) -> Result<Health, EngineError> {
        let begin = Instant::now();
        self.store.repository()?;
        let generation = self.store.generation().await?;
        let root = self.indexed_root().await?;
        Ok(Health {
            generation,
            complete: self.is_complete().await?,
            root_exists: self.tree().await?.is_some(),
            root,
            writable: self.config.access == Access::Write,
            embedder_change: self.embedder_change().await?,
            searchable_files: self.catalog(generation).await?.files.len() as u64,
            took: begin.elapsed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineConfig, IndexControl, IndexOptions};

    #[tokio::test]
    async fn an_index_is_sound_once_its_tree_was_indexed_and_while_that_is_there() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path().join("tree");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.py"), "x = 1\n").unwrap();
        let engine = Engine::open(EngineConfig::new(tree.path().join("index.db"))).await.unwrap();
        assert!(!engine.health().await.unwrap().is_sound());
        engine.index(&root, &IndexOptions::default(), IndexControl::default()).await.unwrap();
        let health = engine.health().await.unwrap();
        assert!(health.is_sound() && health.writable && health.searchable_files == 1, "{health:?}");
        std::fs::remove_dir_all(&root).unwrap();
        assert!(!engine.health().await.unwrap().is_sound());
    }
}
