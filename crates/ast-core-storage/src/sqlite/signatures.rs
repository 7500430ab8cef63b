//! Signatures of sources: which files may have a text in them.

use super::files::version;
use super::{SqliteStore, checksum, direct};
use crate::document::StoredDocument;
use crate::signatures::signature_of;
use crate::{FileVersion, StoreError};
use ast_core_lexical::{Signature, TrigramQuery};
use rusqlite::{Connection, Statement, params};

/// All of them are looked at: they are a tenth of what the sources take in the store, and there is nothing to be kept in order as
/// files come and go.
const SIGNATURES: &str = "\
    SELECT f.id, f.checksum, f.size, f.status, f.language IS NOT NULL, s.bits, s.checksum FROM files AS f \
    LEFT JOIN signatures AS s ON s.file_id = f.id ORDER BY f.id";

pub(crate) const INSERT_SIGNATURE: &str = "INSERT INTO signatures (file_id, bits, checksum) VALUES (?, ?, ?)";

impl SqliteStore {
    pub(crate) async fn files_with(&self, query: &TrigramQuery) -> Result<Vec<FileVersion>, StoreError> {
        if query.is_open() {
            return self.searchable_versions().await;
        }
        let query = query.clone();
        direct::read(self.reader().await?, self.path.clone(), move |connection, path| {
            let failed = |error| StoreError::from_rusqlite(path, error);
            let mut statement = connection.prepare(SIGNATURES).map_err(failed)?;
            let mut rows = statement.query([]).map_err(failed)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let Some(version) = version(row, path)? else { continue };
                let bits = row.get_ref(5).and_then(|value| Ok(value.as_blob_or_null()?)).map_err(failed)?;
                let noted = row.get(6).map_err(failed)?;
                // One that is missing tells nothing.
                let signature = match bits {
                    None => Signature::OPEN,
                    Some(bits) => {
                        let of = || checksum::of_row(version.id.get().cast_signed(), &[bits]);
                        checksum::check(noted, of).map_err(|reason| StoreError::Corrupt {
                            path: path.to_owned(),
                            reason: format!("the signature of {:?}: {reason}", version.id),
                        })?;
                        Signature::new(bits)
                    }
                };
                if query.lets_pass(signature) {
                    found.push(version);
                }
            }
            Ok(found)
        })
        .await
    }
}

/// Writes the signature of a file.
pub(crate) fn put_signature(insert: &mut Statement<'_>, file: i64, bits: &[u8]) -> rusqlite::Result<()> {
    insert.execute(params![file, bits, checksum::of_row(file, &[bits])]).map(drop)
}

/// Makes the signatures of all documents, for a store of before there were any. A document that is damaged gets none, and
/// whoever reads it is told.
pub(crate) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut documents = connection.prepare("SELECT file_id, content FROM documents")?;
    let mut insert = connection.prepare(INSERT_SIGNATURE)?;
    let mut rows = documents.query([])?;
    while let Some(row) = rows.next()? {
        let document = StoredDocument::new(row.get(1)?);
        if let Ok(source) = document.source() {
            put_signature(&mut insert, row.get(0)?, &signature_of(source.bytes()))?;
        }
    }
    Ok(())
}
