//! The contract of the store from outside of its crate, as whoever writes a backend meets it.

use ast_core_storage::contract::Backend;
use ast_core_storage::{Access, SqliteStore, Store, StoreConfig, StoreError};
use std::sync::Arc;

/// A database in a folder of its own.
struct Folder(tempfile::TempDir);

impl Backend for Folder {
    async fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Store>, StoreError> {
        let path = self.0.path().join("index.db");
        Ok(Arc::new(SqliteStore::open(&path, access, &StoreConfig::default()).await?))
    }

    async fn lose_lock(&self) {
        std::fs::remove_file(self.0.path().join("index.db.lock")).expect("a lock");
    }
}

ast_core_storage::store_contract!(Folder);
