//! Vectors, in bulk.

use crate::{Store, StoreError};
use ast_core_model::FileId;
use sqlx::Row;

/// The vectors of a file's chunks.
#[derive(Debug, Clone, PartialEq)]
pub struct FileVectors {
    /// The file.
    pub file: FileId,
    /// The vectors, one after the other: that of chunk `n` begins at `n` x dimension.
    pub vectors: Vec<f32>,
}

pub(crate) const AFTER: &str =
    "SELECT file_id, vectors FROM embeddings WHERE file_id > ? ORDER BY file_id LIMIT ?";

impl Store {
    /// The vectors of up to `limit` files whose ids come after `after`, in order of ids.
    pub async fn vectors_after(
        &self,
        after: Option<FileId>,
        limit: usize,
    ) -> Result<Vec<FileVectors>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query(AFTER)
            .bind(after.map_or(0, FileId::get).cast_signed())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let file = self.file_id(row, 0)?;
            let bytes: &[u8] = row.try_get(1).map_err(|error| self.failed(error))?;
            if !bytes.len().is_multiple_of(4) {
                return Err(self.corrupt(format!("{} bytes of vectors of {file:?}", bytes.len())));
            }
            let vectors = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok(FileVectors { file, vectors })
        };
        rows.iter().map(read).collect()
    }

    /// The ids of all files that have vectors, in order.
    pub async fn files_with_vectors(&self) -> Result<Vec<FileId>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query("SELECT file_id FROM embeddings ORDER BY file_id")
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_id(row, 0)).collect()
    }
}
