//! The files of a row: those of the list that all sides are given.

use super::Arguments;
use anyhow::{Context, Result};
use ast_core_model::RepoPath;
use ast_core_parse::Language;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

/// A file of the list.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    /// Relative to the corpus.
    pub(super) path: RepoPath,
    pub(super) language: Language,
}

/// The files of the list.
pub(super) fn list(args: &Arguments) -> Result<Vec<SourceFile>> {
    let list = args.scratch.join("files.txt");
    let text = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let read = |line: &str| {
        let (path, language) =
            line.split_once('\t').with_context(|| format!("{}: {line:?}", list.display()))?;
        Ok(SourceFile { path: RepoPath::new(path)?, language: language.parse()? })
    };
    text.lines().take(args.limit_files.unwrap_or(usize::MAX)).map(read).collect()
}

/// A file's bytes.
pub(super) fn read(args: &Arguments, file: &SourceFile) -> Result<Vec<u8>> {
    let path = args.corpus.join(file.path.as_str());
    fs::read(&path).with_context(|| path.display().to_string())
}

/// A directory with nothing but the files of the list, as a tree of its own: links, or copies if they will be written to.
pub(super) fn tree(args: &Arguments, files: &[SourceFile], writable: bool) -> Result<PathBuf> {
    let root = args.scratch.join(format!("{}-tree", args.side));
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let mut made = HashSet::new();
    for file in files {
        let (from, to) = (args.corpus.join(file.path.as_str()), root.join(file.path.as_str()));
        let folder = to.parent().context("a file is in a folder")?;
        if made.insert(folder.to_owned()) {
            fs::create_dir_all(folder)?;
        }
        if writable || fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).with_context(|| from.display().to_string())?;
        }
    }
    Ok(root)
}
