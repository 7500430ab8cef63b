//! What was unpacked, written down beside it, so that a run knows what is there and a check knows what should be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::manifest::{Package, sha256};

/// The state of an unpacked package.
#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    /// Checksum of the archive that it is from.
    archive: String,
    /// What was left out.
    exclude: Vec<String>,
    files: usize,
    bytes: u64,
    /// Checksum over the paths and contents of all files.
    tree: String,
}

impl Stamp {
    /// Reads the files of the package and describes them.
    pub(super) fn of(package: &Package, tree: &Path) -> Result<Self> {
        let files = list(tree)?;
        let mut bytes = 0;
        let mut lines = String::new();
        for file in &files {
            let content = fs::read(tree.join(file)).with_context(|| format!("failed to read {file}"))?;
            bytes += content.len() as u64;
            lines.push_str(&format!("{}  {file}\n", sha256(&content[..])?));
        }
        Ok(Self {
            archive: package.sha256.clone(),
            exclude: package.exclude.clone(),
            files: files.len(),
            bytes,
            tree: sha256(lines.as_bytes())?,
        })
    }

    /// The stamp of a package that was unpacked before, if it can be read.
    pub(super) fn read(package: &Package, corpus: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::path(package, corpus)).ok()?).ok()
    }

    pub(super) fn write(&self, package: &Package, corpus: &Path) -> Result<()> {
        let path = Self::path(package, corpus);
        let parent = path.parent().context("a stamp has a folder")?;
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, serde_json::to_string_pretty(self)?))
            .with_context(|| format!("failed to write {}", path.display()))
    }

    /// Whether it is of the package as the list pins it now.
    pub(super) fn is_of(&self, package: &Package) -> bool {
        self.archive == package.sha256 && self.exclude == package.exclude
    }

    /// An error that tells how the files differ from what was unpacked.
    pub(super) fn compare(&self, found: &Self) -> Result<()> {
        if (self.files, self.bytes) != (found.files, found.bytes) {
            bail!(
                "expected {} files of {} bytes, found {} of {}; delete the folder and fetch it again",
                self.files,
                self.bytes,
                found.files,
                found.bytes
            );
        }
        if self.tree != found.tree {
            bail!("a file was changed or renamed; delete the folder and fetch it again");
        }
        Ok(())
    }

    /// Beside the folder of the package, so that it is not part of the corpus.
    fn path(package: &Package, corpus: &Path) -> PathBuf {
        corpus.join(".stamps").join(format!("{}.json", package.folder()))
    }
}

/// All files below the folder, sorted, as paths with `/`.
pub(super) fn list(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).with_context(|| format!("failed to list {}", at.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path();
                let path = path.strip_prefix(folder)?.to_string_lossy();
                files.push(path.replace('\\', "/"));
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::package;
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written_and_notices_a_change() {
        let corpus = tempfile::tempdir().unwrap();
        let package = package("a.tgz", b"");
        let tree = corpus.path().join(package.folder());
        fs::create_dir_all(tree.join("src")).unwrap();
        fs::write(tree.join("src/a.ts"), "one").unwrap();
        fs::write(tree.join("b.ts"), "two").unwrap();

        let stamp = Stamp::of(&package, &tree).unwrap();
        stamp.write(&package, corpus.path()).unwrap();
        let read = Stamp::read(&package, corpus.path()).unwrap();
        assert_eq!(read, stamp);
        assert!(read.is_of(&package));
        stamp.compare(&Stamp::of(&package, &tree).unwrap()).unwrap();

        fs::write(tree.join("b.ts"), "owt").unwrap();
        let error = stamp.compare(&Stamp::of(&package, &tree).unwrap()).unwrap_err().to_string();
        assert!(error.contains("changed or renamed"), "{error}");
        fs::remove_file(tree.join("b.ts")).unwrap();
        let error = stamp.compare(&Stamp::of(&package, &tree).unwrap()).unwrap_err().to_string();
        assert!(error.contains("expected 2 files of 6 bytes, found 1 of 3"), "{error}");
    }

    #[test]
    fn another_list_makes_it_stale() {
        let folder = tempfile::tempdir().unwrap();
        let mut package = package("a.tgz", b"");
        let stamp = Stamp::of(&package, folder.path()).unwrap();
        package.exclude.clear();
        assert!(!stamp.is_of(&package));
    }
}
