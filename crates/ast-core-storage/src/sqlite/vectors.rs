//! Vectors, in bulk.

use super::{SqliteStore, checksum, direct};
use crate::{FileVectors, StoreError};
use ast_core_model::FileId;

pub(crate) const VECTORS: &str = "\
    SELECT file_id, kinds, codes, checksum FROM vectors \
    WHERE file_id IN (SELECT value FROM json_each(?)) ORDER BY file_id";

impl SqliteStore {
    pub(crate) async fn vectors(&self, files: &[FileId]) -> Result<Vec<FileVectors>, StoreError> {
        let wanted = direct::in_list(files);
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let mut statement = connection.prepare(VECTORS).map_err(failed)?;
            let mut rows = statement.query([&wanted]).map_err(failed)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let file = direct::file_id(row.get(0).map_err(failed)?).map_err(failed)?;
                let bytes = |column| {
                    row.get_ref(column).map_err(failed)?.as_blob().map_err(|error| failed(error.into()))
                };
                found.push(file_vectors(file, bytes(1)?, bytes(2)?, row.get(3).map_err(failed)?).map_err(
                    |reason| StoreError::Corrupt {
                        path: path.to_owned(),
                        reason: format!("the vectors of {file:?}: {reason}"),
                    },
                )?);
            }
            Ok(found)
        })
        .await
    }
}

fn file_vectors(file: FileId, kinds: &[u8], codes: &[u8], noted: Option<i64>) -> Result<FileVectors, String> {
    checksum::check(noted, || checksum::of_row(file.get().cast_signed(), &[kinds, codes]))?;
    FileVectors::from_stored(file, kinds, codes)
}
