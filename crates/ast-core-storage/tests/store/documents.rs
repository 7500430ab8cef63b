//! What is kept of real sources.

use crate::sample::{files, new_store, parts};
use ast_core_model::FileId;
use ast_core_storage::Store;

#[tokio::test]
async fn what_the_parser_finds_comes_back() {
    let nested = "namespace a::b { class C { void D::f() { return g(); } }; }\n".repeat(40);
    let stored = [
        parts(1, "src/commit.rs", include_str!("../../src/sqlite/commit.rs")),
        parts(2, "a/nested.cpp", &nested),
        parts(3, "empty.py", "# nothing but a comment\n"),
        parts((1 << 43) - 1, "last.rs", "fn last() {}\n"),
    ];
    assert!(stored.iter().any(|file| !file.document.references.is_empty()));
    let (_directory, store) = new_store().await;
    let built = stored.iter().map(|file| file.clone().build().unwrap());
    store.commit(files(built.collect())).await.unwrap();
    let expected: Vec<_> = stored.iter().map(|file| (file.record.clone(), file.document.clone())).collect();
    let ids: Vec<FileId> = stored.iter().map(|file| file.record.id).collect();
    assert_eq!(store.documents(&ids).await.unwrap(), expected);
}
