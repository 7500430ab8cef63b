//! What is known of files, and under which paths.

use super::sample::{batch, file, id, path, plain, skipped, skipped_record};
use super::{Backend, seen, writer};
use crate::FileStatus;
use ast_core_model::FileId;

pub async fn files_come_in_order_of_the_bytes_of_their_paths<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let paths = [
        "b.rs", "a/b.rs", "a.rs", "a-b.rs", "B.rs", "é.rs", "a/B.rs", "z/a.rs", "a b.rs", "_.rs", "1.rs",
        "10.rs",
    ];
    let mut stored: Vec<_> = (1..).zip(paths).map(|(number, at)| file(number, at, "plum")).collect();
    stored.extend(
        FileStatus::ALL
            .iter()
            .zip(100..)
            .map(|(&status, number)| skipped(number, &format!("c/{status}.bin"), status)),
    );
    let mut expected: Vec<_> = stored.iter().map(|file| file.record().clone()).collect();
    expected.sort_by(|a, b| a.path.as_str().as_bytes().cmp(b.path.as_str().as_bytes()));
    store.commit(batch(stored)).await.unwrap();
    assert_eq!(store.files().await.unwrap(), expected);
}

pub async fn paths_are_told_apart_by_every_byte<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    // Of upper and lower case, composed and decomposed, with and without what is white.
    let paths = [
        "a.rs",
        "A.rs",
        "\u{e9}.rs",
        "e\u{301}.rs",
        "a .rs",
        "a\u{a0}.rs",
        "a%20.rs",
        "a_.rs",
        "a'.rs",
        "a\".rs",
    ];
    store.commit(batch((1..).zip(paths).map(|(number, at)| plain(number, at, at)))).await.unwrap();
    let documents = store.documents(&(1..=10).map(id).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(documents.len(), paths.len());
    for (record, document) in documents {
        assert_eq!(record.path.as_str().as_bytes(), document.source);
    }
    // Each gives way to its own alone.
    for (number, at) in (100..).zip(paths) {
        store.commit(batch([plain(number, at, "new")])).await.unwrap();
        assert_eq!(store.files().await.unwrap().len(), paths.len());
    }
}

pub async fn a_path_of_any_length_is_kept<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let long = format!("{}/file.rs", vec!["folder"; 500].join("/"));
    let longer = format!("{}/file.rs", vec!["folder"; 501].join("/"));
    store
        .commit(batch([file(1, &long, "plum"), file(2, &longer, "mango"), file(3, "x", "kiwi")]))
        .await
        .unwrap();
    let paths = store.paths(&[id(1), id(2), id(3)]).await.unwrap();
    assert_eq!(
        paths.into_iter().map(|(_, path, _)| path).collect::<Vec<_>>(),
        [path(&long), path(&longer), path("x")]
    );
    store.commit(batch([file(4, &long, "melon")])).await.unwrap();
    assert_eq!(store.files().await.unwrap().len(), 3);
}

pub async fn only_searchable_files_have_paths_by_id<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let files = [file(9, "a.rs", "plum"), file(2, "b.rs", "mango"), skipped(5, "c.bin", FileStatus::Binary)];
    store.commit(batch(files)).await.unwrap();
    let ids = |paths: Vec<(FileId, _, _)>| paths.into_iter().map(|(file, ..)| file).collect::<Vec<_>>();
    assert_eq!(ids(store.searchable_files().await.unwrap()), [id(2), id(9)]);
    let versions = store.searchable_versions().await.unwrap();
    assert_eq!(versions.iter().map(|version| version.id).collect::<Vec<_>>(), [id(2), id(9)]);
    assert_ne!(versions[0].checksum, versions[1].checksum);
    assert_eq!(store.searchable_versions().await.unwrap(), versions);
    // In order of ids, each once, and those that are not there left out.
    let asked = [9, 77, 5, 2, 9, 2].map(id);
    let found = store.paths(&asked).await.unwrap();
    assert_eq!(found.iter().map(|(_, path, _)| path.as_str()).collect::<Vec<_>>(), ["b.rs", "a.rs"]);
    assert_eq!(found.iter().map(|(.., language)| language.as_str()).collect::<Vec<_>>(), ["rust", "rust"]);
    assert_eq!(ids(store.paths(&[]).await.unwrap()), []);
    assert_eq!(seen(&*store).await.files[2], skipped_record(5, "c.bin", FileStatus::Binary));
}
