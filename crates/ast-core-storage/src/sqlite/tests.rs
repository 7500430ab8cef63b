//! The store in SQLite is held to the contract.

use super::{SqliteStore, StoreConfig};
use crate::contract::Backend;
use crate::{Access, Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

/// A database in a folder of its own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn database(&self) -> PathBuf {
        self.0.path().join("index.db")
    }
}

impl Backend for Folder {
    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Store>, StoreError> {
        let store = SqliteStore::open(&self.database(), access, &StoreConfig::default()).await?;
        Ok(Arc::new(store))
    }

    async fn lose_lock(&self) {
        std::fs::remove_file(super::lock::lock_path(&self.database())).unwrap();
    }
}

crate::store_contract!(Folder);
