//! Source files for the benchmarks.

use anyhow::{Context, Result};
use ast_core_model::RepoPath;
use ast_core_parse::Language;
use std::path::Path;

/// Every UTF-8 named file below `dir` that is in a language the parser knows, in order of paths, with its content.
/// Files of more than 2 MiB are left out, as the engine leaves them out.
///
/// # Errors
/// A directory or file that cannot be read.
pub fn read(dir: &Path) -> Result<Vec<(Language, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut directories = vec![dir.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = std::fs::read_dir(&directory).with_context(|| directory.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() && entry.metadata()?.len() <= 2 << 20 {
                let name = entry.file_name().into_string().ok().and_then(|name| RepoPath::new(name).ok());
                if let Some(language) = name.as_ref().and_then(Language::of_path) {
                    files.push((entry.path(), language));
                }
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
        .into_iter()
        .map(|(path, language)| {
            Ok((language, std::fs::read(&path).with_context(|| path.display().to_string())?))
        })
        .collect()
}
