//! Functions to be rewritten, and the tree that they are in.

use anyhow::{Context, Result};
use ast_core_engine::{ContentHash, FileId, Language, SymbolKind};
use ast_core_storage::{NameMatch, SqliteStore, Store};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::Path;

/// A function that is a chunk of its own, in a file that is indexed.
pub struct Function {
    /// The path of its file in the tree.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// The text of its file.
    pub text: String,
    /// Its bytes, without what is said of it before.
    pub span: Range<usize>,
    /// A line of it.
    pub line: u32,
}

/// How many lines it has.
const LINES: std::ops::RangeInclusive<u32> = 6..=60;

/// Puts the files of folders together in one tree, each under its name. What is there already is left.
///
/// # Errors
/// What cannot be read or written.
pub fn plant(tree: &Path, folders: &[(&str, &Path)]) -> Result<()> {
    for (name, folder) in folders {
        let to = tree.join(name);
        if !to.exists() {
            link_all(folder, &to).with_context(|| folder.display().to_string())?;
        }
    }
    Ok(())
}

fn link_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            link_all(&entry.path(), &to)?;
        } else if kind.is_file() && std::fs::hard_link(entry.path(), &to).is_err() {
            std::fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Of each of these languages so many functions below a folder of the tree, no two of a file, drawn by the hashes of their
/// paths. Shorter and longer ones, and those that are only a part of a chunk or more than one, are left out.
///
/// # Errors
/// An index that cannot be read.
pub async fn functions(
    store: &SqliteStore,
    folder: &str,
    languages: &[&str],
    each: usize,
) -> Result<Vec<Function>> {
    let mut files: BTreeMap<&str, Vec<(ContentHash, FileId)>> = BTreeMap::new();
    for (id, path, language) in store.searchable_files().await? {
        let language = languages.iter().find(|known| **known == language.as_str());
        if let Some(language) = language.filter(|_| path.as_str().starts_with(folder)) {
            files.entry(language).or_default().push((ContentHash::of(path.as_str().as_bytes()), id));
        }
    }
    let mut functions = Vec::new();
    for (name, mut files) in files {
        files.sort_unstable();
        let language: Language = name.parse()?;
        let mut drawn = 0;
        for (hash, id) in files {
            if drawn == each {
                break;
            }
            let Some((record, document)) = store.documents(&[id]).await?.pop() else { continue };
            let Ok(text) = String::from_utf8(document.source.clone()) else { continue };
            let fitting: Vec<usize> = (0..document.symbols.len())
                .filter(|&at| {
                    let symbol = &document.symbols[at];
                    let is_alone = document
                        .chunks
                        .iter()
                        .any(|chunk| chunk.symbol == Some(at as u32) && chunk.span.contains(symbol.span));
                    matches!(symbol.kind, SymbolKind::Function | SymbolKind::Method)
                        && LINES.contains(&symbol.lines.count())
                        && is_alone
                })
                .collect();
            let Some(&at) = fitting.get(usize::from(hash.as_bytes()[0]) % fitting.len().max(1)) else {
                continue;
            };
            let symbol = &document.symbols[at];
            functions.push(Function {
                path: record.path.to_string(),
                language,
                text,
                span: symbol.span.range(),
                line: (symbol.lines.start + symbol.lines.end) / 2,
            });
            drawn += 1;
        }
    }
    Ok(functions)
}

impl Function {
    /// The function alone.
    pub fn code(&self) -> &str {
        &self.text[self.span.clone()]
    }

    /// The package that it is in: the first three parts of its path.
    fn package(&self) -> String {
        self.path.split('/').take(3).collect::<Vec<_>>().join("/")
    }

    /// Those of these names that another file of its package defines.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub async fn defined_elsewhere(
        &self,
        store: &SqliteStore,
        names: Vec<String>,
    ) -> Result<HashSet<String>> {
        let package = self.package();
        let mut known = HashSet::new();
        for name in names {
            let mut files = store.files_naming(&name, NameMatch::Exact).await?;
            files.retain(|naming| naming.defines);
            let files: Vec<FileId> = files.into_iter().map(|naming| naming.file).collect();
            let paths = store.paths(&files).await?;
            let is_other = |path: &str| path.starts_with(&package) && path != self.path;
            if paths.iter().any(|(_, path, _)| is_other(path.as_str())) {
                known.insert(name);
            }
        }
        Ok(known)
    }
}
