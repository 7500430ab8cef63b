//! One file of the index, as it is now.

use crate::discover::io_reason;
use crate::engine::blocking;
use crate::{Engine, EngineConfig, EngineError, tree_file};
use ast_core_model::{ContentHash, LanguageName, LineRange, RepoPath, Span, Symbol};
use ast_core_parse::{Language, Parser, SourceText};
use ast_core_storage::Document;
use std::path::Path;

/// A file of the index, as it is now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FileView {
    /// Its path, relative to the tree.
    pub path: RepoPath,
    /// Its language.
    pub language: LanguageName,
    /// What is in it, decoded.
    pub text: String,
    /// Its definitions, outer before inner, in order of their beginning.
    pub symbols: Vec<Symbol>,
    /// Of each definition the lines with its doc comment, decorators and attributes.
    pub extents: Vec<LineRange>,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Whether it is another than was indexed, and was parsed for this answer.
    pub changed: bool,
    /// The generation of the index that was asked.
    pub generation: u64,
    /// Whether the last index run came to its end.
    pub complete: bool,
}

impl FileView {
    /// The lines of this range, without their line breaks; those that the file has.
    pub fn lines(&self, range: LineRange) -> impl Iterator<Item = &str> {
        let count = range.end.saturating_sub(range.start).saturating_add(1);
        self.text.lines().skip(range.start.saturating_sub(1) as usize).take(count as usize)
    }

    /// The innermost definition whose [extent](Self::extents) has a line, by its place in the list.
    pub fn symbol_at(&self, line: u32) -> Option<usize> {
        // What is inside of another comes after it.
        self.extents.iter().rposition(|lines| (lines.start..=lines.end).contains(&line))
    }
}

impl Engine {
    /// A file of the index as it is now: if it has changed since, it is read and parsed anew. Only what is in the index is
    /// read, and nothing through a link: not where one has taken the place of the file, nor of a directory on the way to it.
    ///
    /// # Errors
    /// [`EngineError::NotIndexed`]; [`EngineError::Unreadable`] if it is gone, no regular file any more, too large or not
    /// text; [`EngineError::Root`] if the tree is not there; [`EngineError::Store`].
    pub async fn file(&self, path: &RepoPath) -> Result<FileView, EngineError> {
        let not_indexed = || EngineError::NotIndexed { path: path.clone() };
        let generation = self.store.generation().await?;
        let catalog = self.catalog(generation).await?;
        let (id, known) =
            catalog.files.iter().find(|(_, known)| known.path == *path).ok_or_else(not_indexed)?;
        let language = known.language.clone();
        let mut documents = self.store.outlines(&[*id]).await?;
        // A commit took it away just now.
        let (record, document) = documents.pop().ok_or_else(not_indexed)?;
        let root = self.indexed_root().await?.ok_or_else(not_indexed)?;
        let complete = self.is_complete().await?;
        let (config, path) = (self.config.clone(), path.clone());
        blocking(move || {
            let unreadable = |reason: String| EngineError::Unreadable { path: path.as_str().into(), reason };
            if let Err(error) = std::fs::metadata(&root) {
                return Err(EngineError::Root { path: root, reason: io_reason(&error) });
            }
            let bytes = read(&root, &path, &config).map_err(|error| unreadable(io_reason(&error)))?;
            let hash = ContentHash::of(&bytes);
            let changed = Some(hash) != record.content_hash;
            let view = |text: &SourceText<'_>, language, symbols: Vec<Symbol>| FileView {
                extents: symbols.iter().map(|symbol| extent_lines(text, symbol)).collect(),
                text: text.text().to_owned(),
                path: path.clone(),
                language,
                symbols,
                hash,
                changed,
                generation,
                complete,
            };
            let text = SourceText::decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
            let text = text.named(path.file_stem());
            if !changed {
                let Document { symbols, .. } = document;
                return Ok(view(&text, language, symbols));
            }
            let detected = Language::detect(&path, text.text());
            let now = detected.map_or_else(|| language.as_str().parse(), Ok)?;
            let parsed = Parser::new(config.limits.clone(), config.chunking.clone())
                .parse_source(&text, now)
                .map_err(|error| unreadable(error.to_string()))?;
            Ok(view(&text, now.name(), parsed.symbols))
        })
        .await?
    }
}

fn read(root: &Path, path: &RepoPath, config: &EngineConfig) -> std::io::Result<Vec<u8>> {
    tree_file::read(root, path, config.limits.max_bytes as u64)
}

/// The lines of a definition with what is before it: its doc comment, decorators and attributes.
fn extent_lines(text: &SourceText<'_>, symbol: &Symbol) -> LineRange {
    let before = text.slice(Span::new(symbol.extent.start, symbol.span.start.max(symbol.extent.start)));
    let before = before.bytes().filter(|byte| *byte == b'\n').count() as u32;
    LineRange::new(symbol.lines.start.saturating_sub(before).max(1), symbol.lines.end)
}
