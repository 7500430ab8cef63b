//! Files of a tree, opened so that nothing outside of it is read: not through a link in the place of a file, nor in that of
//! a directory on the way to it, whenever it is put there.

use ast_core_model::RepoPath;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a file of the tree at `root` without waiting: what was a file when it was seen may be a pipe now, which is for the
/// caller to look at. A link is an error. The path of the tree itself may lead through links.
#[cfg(unix)]
pub(crate) fn open(root: &Path, path: &RepoPath) -> io::Result<File> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    // What is only passed through need not be readable.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = openat(CWD, root, folder, Mode::empty())?;
    for part in path.parent().split('/').filter(|part| !part.is_empty()) {
        at = openat(&at, part, folder | OFlags::NOFOLLOW, Mode::empty())?;
    }
    let file = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(openat(&at, path.file_name(), file, Mode::empty())?.into())
}

/// The same where the system cannot open step by step: what is open is compared with what the path leads to. A link that
/// is there only between the two is seen; one that comes and goes twice within them is not.
#[cfg(not(unix))]
pub(crate) fn open(root: &Path, path: &RepoPath) -> io::Result<File> {
    let is_link = || io::Error::other("it is reached through a link");
    let check = || {
        let mut at = root.to_owned();
        for part in path.as_str().split('/') {
            at.push(part);
            if std::fs::symlink_metadata(&at)?.file_type().is_symlink() {
                return Err(is_link());
            }
        }
        Ok(at)
    };
    let at = check()?;
    let file = File::open(&at)?;
    check()?;
    if !at.canonicalize()?.starts_with(root.canonicalize()?) {
        return Err(is_link());
    }
    Ok(file)
}

/// Opens a file that somebody named by its path, which may lead through links, without waiting.
pub(crate) fn open_named(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    options.open(path)
}

/// The content of a regular file of the tree at `root`, of which nothing on the way is a link.
///
/// # Errors
/// What the system says; a link, what is no regular file, and what has more than `most` bytes.
pub fn read(root: &Path, path: &RepoPath, most: u64) -> io::Result<Vec<u8>> {
    let file = open(root, path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let too_large = || io::Error::other(format!("larger than {most} bytes"));
    if metadata.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    // Some files grow while they are read, and some have no end.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).unwrap()
    }

    /// A tree with `src/deep/a.rs`, and beside the tree the same with a secret in it.
    fn tree() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (at, text) in [("tree", "fn a() {}"), ("outside", "secret")] {
            let deep = folder.path().join(at).join("src/deep");
            std::fs::create_dir_all(&deep).unwrap();
            std::fs::write(deep.join("a.rs"), text).unwrap();
        }
        let root = folder.path().join("tree");
        (folder, root)
    }

    #[test]
    fn files_are_read_up_to_a_limit() {
        let (_folder, root) = tree();
        assert_eq!(read(&root, &path("src/deep/a.rs"), 9).unwrap(), b"fn a() {}");
        assert!(read(&root, &path("src/deep/a.rs"), 8).is_err());
        assert!(read(&root, &path("src/deep"), 100).is_err());
        let missing = read(&root, &path("src/b/a.rs"), 100).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_tree_may_be_reached_through_a_link_and_its_files_may_not() {
        let (folder, root) = tree();
        let named = folder.path().join("link");
        symlink(&root, &named).unwrap();
        assert_eq!(read(&named, &path("src/deep/a.rs"), 100).unwrap(), b"fn a() {}");
        symlink("../../../outside/src/deep/a.rs", root.join("src/deep/file.rs")).unwrap();
        symlink(folder.path().join("outside/src"), root.join("folder")).unwrap();
        symlink("a.rs", root.join("src/deep/inside.rs")).unwrap();
        for linked in ["src/deep/file.rs", "folder/deep/a.rs", "src/deep/inside.rs"] {
            assert!(read(&root, &path(linked), 100).is_err(), "{linked}");
        }
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let (_folder, root) = tree();
        let pipe = root.join("src/pipe.rs");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        assert!(read(&root, &path("src/pipe.rs"), 100).is_err());
    }

    /// Another program puts links in place of a directory and of a file, and takes them away, as fast as it can.
    #[test]
    fn links_that_come_and_go_lead_nowhere() {
        let (folder, root) = tree();
        let is_over = AtomicBool::new(false);
        let swap = |real: &Path, target: &Path| {
            let aside = real.with_extension("aside");
            while !is_over.load(Ordering::Relaxed) {
                std::fs::rename(real, &aside).unwrap();
                symlink(target, real).unwrap();
                std::fs::remove_file(real).unwrap();
                std::fs::rename(&aside, real).unwrap();
            }
        };
        let outside = folder.path().join("outside/src");
        std::thread::scope(|scope| {
            scope.spawn(|| swap(&root.join("src"), &outside));
            let mut read_it = 0;
            for _ in 0..20_000 {
                if let Ok(bytes) = read(&root, &path("src/deep/a.rs"), 100) {
                    assert_eq!(bytes, b"fn a() {}");
                    read_it += 1;
                }
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(read_it > 0, "the file was never there");
        });
        is_over.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| swap(&root.join("src/deep/a.rs"), &outside.join("deep/a.rs")));
            for _ in 0..20_000 {
                if let Ok(bytes) = read(&root, &path("src/deep/a.rs"), 100) {
                    assert_eq!(bytes, b"fn a() {}");
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
