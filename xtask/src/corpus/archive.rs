//! Unpacks archives that others made: regular files only, and nowhere but into the folder.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::manifest::Package;
use crate::process;

/// What came out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Unpacked {
    /// Files written.
    pub(super) files: usize,
    /// Links, and entries whose paths lead elsewhere or are not UTF-8.
    pub(super) skipped: usize,
}

/// Unpacks the archive, without its top folder and without what the package excludes.
pub(super) fn unpack(file: &Path, package: &Package, into: &Path) -> Result<Unpacked> {
    let wanted = |path: &str| !package.excludes(path);
    let unpacked = if package.file.ends_with(".whl") {
        wheel(file, wanted, into)?
    } else {
        decompressed(file, |from| tar(from, 1, wanted, into))?
    };
    if unpacked.files == 0 {
        bail!("{} has no file that is not excluded", package.file);
    }
    Ok(unpacked)
}

/// Unpacks one file of a tar archive, which has no top folder.
pub(super) fn unpack_one(file: &Path, wanted: &str, into: &Path) -> Result<()> {
    let unpacked = decompressed(file, |from| tar(from, 0, |path| path == wanted, into))?;
    if unpacked.files != 1 {
        bail!("{} has no file {wanted}", name_of(file));
    }
    Ok(())
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads a tar archive through the program that decompresses it.
fn decompressed(file: &Path, read: impl FnOnce(ChildStdout) -> Result<Unpacked>) -> Result<Unpacked> {
    let name = name_of(file);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let program = if ends(&[".crate", ".tgz", ".tar.gz"]) {
        "gzip"
    } else if ends(&[".tar.xz"]) {
        "xz"
    } else if ends(&[".tar.bz2"]) {
        "bzip2"
    } else {
        bail!("expected a tar archive or a wheel, received {name}");
    };
    let mut decompressor = Decompressor(
        Command::new(program)
            .args(["--decompress", "--stdout"])
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start `{program}`, which reads {name}"))?,
    );
    let stdout = decompressor.0.stdout.take().context("a piped output is there")?;
    let unpacked = read(stdout).with_context(|| name.clone())?;
    let status = decompressor.0.wait()?;
    if !status.success() {
        bail!("`{program}` failed with {status} on {name}");
    }
    Ok(unpacked)
}

/// Does not outlive us if we fail first.
struct Decompressor(Child);

impl Drop for Decompressor {
    fn drop(&mut self) {
        // After a `wait` both do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Unpacks what is wanted of a tar archive, without so many folders at the top.
fn tar(from: impl Read, strip: usize, wanted: impl Fn(&str) -> bool, into: &Path) -> Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries()? {
        let mut entry = entry.context("the archive is damaged")?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = entry.path_bytes().into_owned();
        let path = std::str::from_utf8(&path).ok().and_then(|path| inner_path(path, strip));
        let (Some(path), true) = (path, kind.is_file()) else {
            unpacked.skipped += 1;
            continue;
        };
        if wanted(&path) {
            write(&into.join(path), &mut entry)?;
            unpacked.files += 1;
        }
    }
    // The decompressor has more to write: the padding behind the last entry.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(unpacked)
}

/// A wheel is a zip archive, which Python, without which there is no pip, unpacks: it drops `..` and roots from paths
/// and makes plain files of links. What it wrote is looked at again all the same.
fn wheel(file: &Path, wanted: impl Fn(&str) -> bool, into: &Path) -> Result<Unpacked> {
    process::output(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(file).arg(into))?;
    let mut unpacked = Unpacked::default();
    let mut open = vec![into.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = entry.path();
            let inner =
                path.strip_prefix(into).ok().and_then(Path::to_str).and_then(|path| inner_path(path, 0));
            if kind.is_dir() {
                open.push(path);
            } else if !kind.is_file() || inner.is_none() {
                fs::remove_file(&path)?;
                unpacked.skipped += 1;
            } else if inner.is_some_and(|inner| !wanted(&inner)) {
                fs::remove_file(&path)?;
            } else {
                unpacked.files += 1;
            }
        }
    }
    Ok(unpacked)
}

/// The path below the first `strip` folders, with `/`. None if it leads out of the folder, or nothing is left.
fn inner_path(path: &str, strip: usize) -> Option<String> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    // A backslash is a separator on Windows, whoever made the archive.
    let safe = names.len() > strip && !path.contains('\\');
    safe.then(|| names[strip..].join("/"))
}

fn write(path: &Path, from: &mut impl Read) -> Result<()> {
    let parent = path.parent().context("a file has a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
    let mut file = fs::File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    io::copy(from, &mut file).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::package;
    use super::*;

    /// An archive with the given entries, written byte by byte because the crate refuses bad paths.
    fn archive(entries: &[(&str, tar::EntryType)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            let content: &[u8] = if kind.is_file() { b"text" } else { b"" };
            if !kind.is_file() {
                header.set_link_name("target").unwrap();
            }
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn files_land_below_the_folder_and_nothing_else_does() {
        use tar::EntryType::{Directory, Link, Regular, Symlink};
        let bytes = archive(&[
            ("top", Directory),
            ("top/a.ts", Regular),
            ("top/./b/c.ts", Regular),
            ("top/dist/d.ts", Regular),
            ("top/../../e.ts", Regular),
            ("/f.ts", Regular),
            ("g.ts", Regular),
            ("top/h.ts", Symlink),
            ("top/i.ts", Link),
            ("top/..\\j.ts", Regular),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("x/y");
        let package = package("a.tar", b"");
        let unpacked = tar(&bytes[..], 1, |path| !package.excludes(path), &into).unwrap();
        assert_eq!(unpacked, Unpacked { files: 2, skipped: 6 });

        let mut found = Vec::new();
        let mut open = vec![folder.path().to_path_buf()];
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(at).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    open.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(folder.path()).unwrap().to_path_buf());
                }
            }
        }
        found.sort();
        assert_eq!(found, [Path::new("x/y/a.ts"), Path::new("x/y/b/c.ts")]);
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let bytes = archive(&[("top/a.ts", tar::EntryType::Regular)]);
        let folder = tempfile::tempdir().unwrap();
        assert!(tar(&bytes[..514], 1, |_| true, folder.path()).is_err());
    }

    #[test]
    fn an_unknown_kind_of_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = unpack(Path::new("a.rar"), &package("a.rar", b""), folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "expected a tar archive or a wheel, received a.rar");
    }
}
