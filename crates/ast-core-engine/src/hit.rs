//! What is shown of chunks that were found.

use crate::discover::Stamp;
use crate::metrics::Stage;
use crate::{Engine, EngineError, SearchHit, tree_file};
use ast_core_model::{Chunk, ChunkId, ContentHash, FileId, LineRange, scope_of};
use ast_core_parse::SourceText;
use ast_core_search::Why;
use ast_core_storage::{Document, FileRecord};
use std::path::Path;

impl Engine {
    /// Adds the texts, and whether they are still on disk as they were. What a commit took away since it was found is
    /// left out.
    pub(crate) async fn hydrate(&self, ids: &[ChunkId], context: u32) -> Result<Vec<SearchHit>, EngineError> {
        self.metrics.time(Stage::Hydrate, self.read_hits(ids, context), Vec::len).await
    }

    async fn read_hits(&self, ids: &[ChunkId], context: u32) -> Result<Vec<SearchHit>, EngineError> {
        let root = self.tree().await?;
        let mut files: Vec<FileId> = ids.iter().map(|id| id.file()).collect();
        files.sort_unstable();
        files.dedup();
        let documents = self.store.outlines(&files).await?;
        hits_in(&documents, ids, context, root.as_deref())
    }
}

/// What is shown of chunks, as far as they are in these documents. Without a tree nothing is said of whether they are as they
/// were.
pub(crate) fn hits_in(
    documents: &[(FileRecord, Document)],
    ids: &[ChunkId],
    context: u32,
    root: Option<&Path>,
) -> Result<Vec<SearchHit>, EngineError> {
    let mut hits = Vec::with_capacity(ids.len());
    for (record, document) in documents {
        let mut ids = ids.iter().filter(|id| id.file() == record.id).peekable();
        let Some(language) = record.language.as_ref().filter(|_| ids.peek().is_some()) else { continue };
        let source = SourceText::decode(&document.source)?;
        let changed = root.map(|root| has_changed(root, record));
        let utf16 = source.utf16_places();
        for &id in ids {
            let Some(chunk) = document.chunks.get(id.ordinal() as usize) else { continue };
            let index = chunk.symbol.map(|index| index as usize);
            let symbol = index.and_then(|index| document.symbols.get(index));
            let scope = index.map_or(Vec::new(), |index| scope_of(&document.symbols, index));
            let (snippet, snippet_lines) = snippet(&source, chunk, context);
            hits.push(SearchHit {
                chunk: id,
                path: record.path.clone(),
                language: language.clone(),
                lines: chunk.lines,
                span: chunk.span,
                utf16: utf16.of_span(chunk.span),
                name: symbol.map(|symbol| symbol.name.to_string()),
                kind: symbol.map(|symbol| symbol.kind),
                scope: scope.into_iter().map(str::to_owned).collect(),
                score: 0.0,
                snippet,
                snippet_lines,
                why: Why::default(),
                changed,
            });
        }
    }
    Ok(hits)
}

/// The text of a chunk with whole lines of context, and the lines that it is.
fn snippet(source: &SourceText<'_>, chunk: &Chunk, context: u32) -> (String, LineRange) {
    if context == 0 {
        return (source.slice(chunk.span).to_owned(), chunk.lines);
    }
    let first = chunk.lines.start.saturating_sub(context).max(1);
    let wanted = chunk.lines.end.saturating_add(context).saturating_sub(first).saturating_add(1);
    let lines: Vec<&str> = source.text().lines().skip(first as usize - 1).take(wanted as usize).collect();
    let last = first + (lines.len() as u32).saturating_sub(1);
    (lines.join("\n"), LineRange::new(first, last))
}

/// Whether the file is another than was indexed. The stamp tells quickly that it is not; the content decides.
pub(crate) fn has_changed(root: &Path, record: &FileRecord) -> bool {
    let Ok(metadata) = std::fs::symlink_metadata(root.join(record.path.as_str())) else { return true };
    let stamp = Stamp::of(&metadata);
    if stamp.size != record.size || !metadata.is_file() {
        return true;
    }
    stamp.changed_ns != record.modified_ns
        && tree_file::read(root, &record.path, record.size)
            .map_or(true, |bytes| Some(ContentHash::of(&bytes)) != record.content_hash)
}
