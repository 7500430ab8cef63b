//! Where the repository is, and which files belong to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable when it runs us; what was compiled in is for a binary that is started by hand.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = PathBuf::from(xtask);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// A file of the repository and its text.
pub(crate) struct TextFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Paths that git tracks, and those that it would track: new files that no ignore rule covers.
pub(crate) fn files() -> Result<Vec<String>> {
    let listing = process::output(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .current_dir(root()),
    )
    .context("failed to list the files of the repository")?;
    Ok(listing.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Reads the files that hold text. Binary files, links and files that are deleted but not yet committed are left out.
pub(crate) fn text_files(paths: &[String]) -> Vec<TextFile> {
    let root = root();
    paths
        .iter()
        .filter(|path| fs::symlink_metadata(root.join(path)).is_ok_and(|m| m.is_file()))
        .filter_map(|path| {
            let text = fs::read_to_string(root.join(path)).ok()?;
            Some(TextFile { path: path.clone(), text })
        })
        .collect()
}
