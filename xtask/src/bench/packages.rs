//! Installs what is measured beside us, each in a folder of its own, and not again while its lists are the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, NPM, Tool};

/// Installs the npm packages that `package.json` and `package-lock.json` of a folder name into another folder. Those
/// with C++ in them are compiled with these flags or their own.
pub(super) fn npm(source: &Path, folder: &Path, flags: Option<&str>) -> Result<()> {
    let lists = [source.join("package.json"), source.join("package-lock.json")];
    fresh(folder, &[&lists[0], &lists[1]], || {
        let how = "install Node 20 or newer, which brings npm";
        Tool { program: NPM, why: "to install the packages that are compared with", how }.require()?;
        fs::create_dir_all(folder)?;
        for list in &lists {
            fs::copy(list, folder.join(list.file_name().context("a list has a name")?))?;
        }
        let mut npm = Command::new(NPM);
        // Not `ci`: it refuses a lock file without the libraries for other systems that a registry may not have.
        npm.args(["install", "--no-audit", "--no-fund"]).current_dir(folder);
        if let Some(flags) = flags {
            npm.env("CXXFLAGS", flags);
        }
        process::run(&mut npm)
    })
}

/// Makes a folder anew, unless it was made from these very lists.
pub(super) fn fresh(folder: &Path, lists: &[&Path], make: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut wanted = String::new();
    for list in lists {
        wanted += &fs::read_to_string(list).with_context(|| format!("failed to read {}", list.display()))?;
    }
    let stamp = folder.join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("failed to clear {}", folder.display()))?;
    }
    make()?;
    fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_folder_is_made_again_when_its_list_changes_or_it_was_not_finished() {
        let root = tempfile::tempdir().unwrap();
        let (folder, list) = (root.path().join("made"), root.path().join("list"));
        let made = |ok: bool| {
            let mut called = false;
            let result = fresh(&folder, &[&list], || {
                called = true;
                fs::create_dir_all(&folder)?;
                if ok { Ok(()) } else { bail!("no network") }
            });
            (called, result.is_ok())
        };
        fs::write(&list, "a==1").unwrap();
        assert_eq!(made(false), (true, false));
        assert_eq!(made(true), (true, true));
        assert_eq!(made(true), (false, true));
        fs::write(&list, "a==2").unwrap();
        assert_eq!(made(true), (true, true));
    }
}
