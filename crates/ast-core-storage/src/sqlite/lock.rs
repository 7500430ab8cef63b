//! The right to write: one process at a time.

use crate::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A lock of the operating system on a file beside the database. It goes with the process, however that ends, so
/// there is none to clean up after a crash. The file holds the process's id, for others to say who is writing.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of the database in `file`; `path` is its name for people.
    pub(crate) fn acquire(path: &Path, file: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let open = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path: path.clone() }
            }
            _ => StoreError::Open { path: path.clone(), reason: format!("its lock file: {error}") },
        };
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path(file))
            .map_err(open)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = lock.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
                return Err(StoreError::Locked { path, holder });
            }
            Err(TryLockError::Error(error)) => return Err(open(error)),
        }
        // Only for others to read: the lock holds without it.
        let _ = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()));
        Ok(Self { file: lock })
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started by another thread has a copy of it until it
        // runs its own program, and would hold the lock that long. If it fails, closing has to do.
        let _ = self.file.unlock();
    }
}

/// The file that is locked. It stays when it is not.
pub(crate) fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_file_does_not_hold_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("index.db");
        let lock = WriterLock::acquire(&database, &database).unwrap();
        let copy = lock.file.try_clone().unwrap();
        assert!(matches!(WriterLock::acquire(&database, &database), Err(StoreError::Locked { .. })));
        drop(lock);
        WriterLock::acquire(&database, &database).unwrap();
        drop(copy);
    }
}
