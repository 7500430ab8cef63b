//! A store where nothing can be written.
#![cfg(unix)]

use crate::process::{Player, command_of, part, say, wait};
use crate::sample::{files, open, rust};
use ast_core_storage::{Access, Store, StoreError};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

/// "Nobody", by the usual number: any user that is not root is bound by permissions.
const NOBODY: u32 = 65534;

/// Makes a directory and what is in it read-only, or writable again.
fn permit(directory: &Path, write: bool) {
    set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    for file in std::fs::read_dir(directory).unwrap() {
        let mode = if write { 0o644 } else { 0o444 };
        set_permissions(file.unwrap().path(), Permissions::from_mode(mode)).unwrap();
    }
    set_permissions(directory, Permissions::from_mode(if write { 0o755 } else { 0o555 })).unwrap();
}

/// The process that plays the part of a test on the store in a directory that it cannot write to.
fn start(test: &str, directory: &Path) -> Player {
    permit(directory, false);
    let store = directory.join("index.db");
    // Permissions do not bind root.
    if std::fs::write(directory.join("probe"), "").is_err() {
        return Player::start(command_of(&std::env::current_exe().unwrap(), test, &store));
    }
    std::fs::remove_file(directory.join("probe")).unwrap();
    // This binary is often built below a home that only its owner may enter.
    let copy = directory.join("test-binary");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    set_permissions(&copy, Permissions::from_mode(0o555)).unwrap();
    let mut command = command_of(&copy, test, &store);
    command.uid(NOBODY).gid(NOBODY).current_dir("/");
    Player::start(command)
}

fn play(test: &str, directory: &Path) {
    let status = start(test, directory).finish();
    permit(directory, true);
    assert!(status.success(), "{status}");
}

/// A store with one file, and what a writer leaves beside it that is killed.
async fn left_by_a_killed_writer(directory: &Path) {
    let elsewhere = tempfile::tempdir().unwrap();
    let store = open(&elsewhere.path().join("index.db"), Access::Write).await.unwrap();
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    for name in ["index.db", "index.db-wal", "index.db-shm"] {
        std::fs::copy(elsewhere.path().join(name), directory.join(name)).unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn read_and_fail_to_write(path: &Path) {
    let store = open(path, Access::Read).await.unwrap();
    assert_eq!(store.files().await.unwrap(), [rust(1, "a.rs", "alpha").record().clone()]);
    assert_eq!(store.generation().await.unwrap(), 1);
    let error = open(path, Access::Write).await.err().unwrap();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_store_in_a_read_only_directory_is_read() {
    if let Some(path) = part() {
        return read_and_fail_to_write(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&directory.path().join("index.db"), Access::Write).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
        store.close().await;
    });
    play("read_only::a_store_in_a_read_only_directory_is_read", directory.path());
}

#[test]
fn what_a_killed_writer_left_is_read_too() {
    if let Some(path) = part() {
        return read_and_fail_to_write(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(left_by_a_killed_writer(directory.path()));
    play("read_only::what_a_killed_writer_left_is_read_too", directory.path());
}

#[test]
fn what_cannot_be_recovered_is_not_passed_over() {
    #[tokio::main(flavor = "current_thread")]
    async fn refuse(path: &Path) {
        let error = open(path, Access::Read).await.err().unwrap();
        assert!(matches!(error, StoreError::Open { .. } | StoreError::ReadOnly { .. }), "{error}");
    }
    if let Some(path) = part() {
        return refuse(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(left_by_a_killed_writer(directory.path()));
    std::fs::remove_file(directory.path().join("index.db-shm")).unwrap();
    play("read_only::what_cannot_be_recovered_is_not_passed_over", directory.path());
}

#[tokio::main(flavor = "current_thread")]
async fn read_before_and_after(path: &Path) {
    let store = open(path, Access::Read).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 1);
    say("read");
    wait();
    let error = store.generation().await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    let store = open(path, Access::Read).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 2);
}

#[test]
fn a_store_that_is_written_meanwhile_has_to_be_opened_again() {
    if let Some(path) = part() {
        return read_before_and_after(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let commit = |number| {
        runtime.block_on(async {
            let store = open(&directory.path().join("index.db"), Access::Write).await.unwrap();
            store.commit(files(vec![rust(number, "a.rs", "alpha")])).await.unwrap();
            store.close().await;
        });
    };
    commit(1);
    let test = "read_only::a_store_that_is_written_meanwhile_has_to_be_opened_again";
    let mut reader = start(test, directory.path());
    assert_eq!(reader.hear().as_deref(), Some("read"));
    permit(directory.path(), true);
    commit(2);
    permit(directory.path(), false);
    let status = reader.finish();
    permit(directory.path(), true);
    assert!(status.success(), "{status}");
}
