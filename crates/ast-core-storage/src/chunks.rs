//! Chunks with what is known round them.

use crate::commit::{SCOPE_SEPARATOR, json_list};
use crate::{Store, StoreError};
use ast_core_model::{ChunkId, ContentHash, LanguageName, LineRange, RepoPath, Span, SymbolKind};
use sqlx::Row;

/// A chunk, its file, and the definition it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// The chunk.
    pub id: ChunkId,
    /// The path of its file.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// The size of its file when it was indexed, in bytes.
    pub file_size: u64,
    /// The modification time of its file when it was indexed, in nanoseconds since 1970.
    pub file_modified_ns: i64,
    /// The hash of its file's content when it was indexed.
    pub file_hash: ContentHash,
    /// Its bytes.
    pub span: Span,
    /// Its lines.
    pub lines: LineRange,
    /// The definition it is about.
    pub symbol: Option<ChunkSymbol>,
}

/// The definition that a chunk is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkSymbol {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SymbolKind,
    /// The names round it, outermost first.
    pub scope: Vec<String>,
    /// Its signature.
    pub signature: String,
}

// The order of the list is kept by its key; 20 bits of an id are the ordinal.
pub(crate) const CHUNKS: &str = "\
    SELECT c.id, f.path, f.language, f.size, f.modified_ns, f.content_hash, \
    c.span_start, c.span_end, c.line_start, c.line_end, s.name, s.kind, s.scope, s.signature \
    FROM json_each(?) AS wanted \
    JOIN chunks AS c ON c.id = wanted.value \
    JOIN files AS f ON f.id = c.id >> 20 \
    LEFT JOIN symbols AS s ON s.id = ((c.id >> 20) << 20) + c.symbol \
    ORDER BY wanted.key";

pub(crate) const OF_KINDS: &str =
    "SELECT id FROM chunks WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY id";

impl Store {
    /// The chunks of these ids, in their order; one that is gone is left out.
    pub async fn chunks(&self, ids: &[ChunkId]) -> Result<Vec<ChunkRecord>, StoreError> {
        let mut connection = self.reader().await?;
        let rows = sqlx::query(CHUNKS)
            .bind(json_list(ids.iter().map(|id| id.get())))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.chunk_record(row)).collect()
    }

    fn chunk_record(&self, row: &sqlx::sqlite::SqliteRow) -> Result<ChunkRecord, StoreError> {
        let read = |error| self.failed(error);
        let id = self.chunk_id(row, 0)?;
        let hash: &[u8] = row.try_get(5).map_err(read)?;
        let byte = |at| self.unsigned::<u32>(row, at, "byte");
        let line = |at| self.unsigned::<u32>(row, at, "line");
        let (start, end) = (byte(6)?, byte(7)?);
        let (first, last) = (line(8)?, line(9)?);
        if start > end || first == 0 || first > last {
            return Err(self.corrupt(format!("{id:?} at bytes {start}..{end}, lines {first}-{last}")));
        }
        let name: Option<String> = row.try_get(10).map_err(read)?;
        let symbol = match name {
            None => None,
            Some(name) => {
                let kind: &str = row.try_get(11).map_err(read)?;
                let scope: &str = row.try_get(12).map_err(read)?;
                Some(ChunkSymbol {
                    name,
                    kind: kind.parse().map_err(|_| self.corrupt(format!("symbol kind {kind:?}")))?,
                    scope: scope
                        .split(SCOPE_SEPARATOR)
                        .filter(|name| !name.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    signature: row.try_get(13).map_err(read)?,
                })
            }
        };
        Ok(ChunkRecord {
            id,
            path: RepoPath::new(row.try_get::<String, _>(1).map_err(read)?)
                .map_err(|error| self.corrupt(error.to_string()))?,
            language: LanguageName::new(row.try_get::<String, _>(2).map_err(read)?),
            file_size: self.unsigned(row, 3, "file size")?,
            file_modified_ns: row.try_get(4).map_err(read)?,
            file_hash: self.hash(hash)?,
            span: Span::new(start, end),
            lines: LineRange::new(first, last),
            symbol,
        })
    }

    /// The ids of all chunks that are about a definition of one of these kinds, in order.
    pub async fn chunks_of_kinds(&self, kinds: &[SymbolKind]) -> Result<Vec<ChunkId>, StoreError> {
        let list: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
        let mut connection = self.reader().await?;
        let rows = sqlx::query(OF_KINDS)
            .bind(format!("[{}]", list.join(",")))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.chunk_id(row, 0)).collect()
    }
}
