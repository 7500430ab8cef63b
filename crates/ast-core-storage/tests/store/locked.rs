//! One writer at a time.

use crate::process::{Player, command, part, say, wait};
use crate::sample::{files, new_store, open, rust};
use ast_core_storage::{Access, Store, StoreError};

fn holder(error: StoreError) -> Option<u32> {
    match error {
        StoreError::Locked { holder, .. } => holder,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_second_writer_of_the_same_process_is_refused() {
    let (directory, store) = new_store().await;
    let error = open(store.path(), Access::Write).await.err().unwrap();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert_eq!(holder(error), Some(std::process::id()));

    // By whatever name.
    let other_name = directory.path().join("..").join(directory.path().file_name().unwrap()).join("index.db");
    assert!(holder(open(&other_name, Access::Write).await.err().unwrap()).is_some());
    #[cfg(unix)]
    {
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(store.path(), &link).unwrap();
        assert!(holder(open(&link, Access::Write).await.err().unwrap()).is_some());
    }

    open(store.path(), Access::Read).await.unwrap();
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let path = store.path().to_owned();
    store.close().await;
    let store = open(&path, Access::Write).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 1);
}

#[tokio::main(flavor = "current_thread")]
async fn hold(path: &std::path::Path) {
    let store = open(path, Access::Write).await.unwrap();
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    say("held");
    wait();
}

#[test]
fn a_second_writer_of_another_process_is_refused_and_told_which() {
    if let Some(path) = part() {
        return hold(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let test = "locked::a_second_writer_of_another_process_is_refused_and_told_which";
    let mut other = Player::start(command(test, &path));
    assert_eq!(other.hear().as_deref(), Some("held"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(holder(open(&path, Access::Write).await.err().unwrap()), Some(other.id()));
        let reader = open(&path, Access::Read).await.unwrap();
        assert_eq!(reader.generation().await.unwrap(), 1);

        // Its right to write ends with it, however it ends.
        other.kill();
        let store = open(&path, Access::Write).await.unwrap();
        assert_eq!(store.commit(files(vec![rust(2, "b.rs", "beta")])).await.unwrap().generation, 2);
        assert_eq!(reader.generation().await.unwrap(), 2);
    });
}
