//! What is kept of the files' content.

use crate::sample::{files, id, new_store, parsed, parts, path, rust, skipped, skipped_record};
use ast_core_model::FileId;
use ast_core_storage::{Document, FileStatus, IndexedFile, WriteBatch};
use proptest::prelude::*;

fn with_source(number: u64, text: &str) -> IndexedFile {
    let record = skipped_record(number, &format!("{number}.txt"), FileStatus::Indexed);
    let document = Document { source: text.into(), ..Document::default() };
    IndexedFile::new(record, &document, &[], &[]).unwrap()
}

#[tokio::test]
async fn documents_come_with_their_files_in_order_of_ids() {
    let nested = "namespace a::b { class C { void D::f() { return g(); } }; }\n".repeat(40);
    let stored = [
        parts(1, "src/commit.rs", include_str!("../../src/commit.rs")),
        parts(2, "a/nested.cpp", &nested),
        parts(3, "empty.py", "# nothing but a comment\n"),
        parts((1 << 43) - 1, "last.rs", "fn last() {}\n"),
    ];
    assert!(stored.iter().any(|file| !file.document.references.is_empty()));
    let (_directory, store) = new_store().await;
    let built = stored.iter().map(|file| file.clone().build().unwrap());
    store.commit(files(built.collect())).await.unwrap();
    let expected: Vec<_> = stored.iter().map(|file| (file.record.clone(), file.document.clone())).collect();
    let mut ids: Vec<FileId> = stored.iter().map(|file| file.record.id).rev().collect();
    ids.push(id(77));
    assert_eq!(store.documents(&ids).await.unwrap(), expected);
    assert_eq!(store.documents(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn documents_go_with_their_files() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha"), rust(2, "b.rs", "beta")])).await.unwrap();
    let batch = WriteBatch {
        removed: vec![id(2)],
        files: vec![skipped(3, "a.rs", FileStatus::Failed), parsed(4, "c.rs", "fn c() {}\n")],
        ..WriteBatch::default()
    };
    store.commit(batch).await.unwrap();
    let left = store.documents(&[id(1), id(2), id(3), id(4)]).await.unwrap();
    assert_eq!(left.into_iter().map(|(record, _)| record.path).collect::<Vec<_>>(), [path("c.rs")]);
}

#[tokio::test]
async fn texts_come_back_as_they_were() {
    let (_directory, store) = new_store().await;
    let long = "fn f() {}\n".repeat(500_000);
    let texts = ["", "a", "\0", "grüße 🦀 \u{FEFF}\r\n", include_str!("documents.rs"), &long];
    let stored = texts.iter().zip(1..).map(|(text, number)| with_source(number, text)).collect();
    store.commit(files(stored)).await.unwrap();
    for (text, number) in texts.iter().zip(1..) {
        assert_eq!(store.documents(&[id(number)]).await.unwrap()[0].1.source, text.as_bytes());
    }
}

#[test]
fn any_text_comes_back_as_it_was() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_directory, store) = runtime.block_on(new_store());
    proptest!(ProptestConfig::with_cases(64), |(texts in prop::collection::vec(any::<String>(), 1..20))| {
        let stored = texts.iter().zip(1..).map(|(text, number)| with_source(number, text)).collect();
        let ids: Vec<_> = (1..=texts.len() as u64).map(id).collect();
        runtime.block_on(async {
            store.commit(files(stored)).await.unwrap();
            let found = store.documents(&ids).await.unwrap();
            let found: Vec<_> = found.into_iter().map(|(_, document)| document.source).collect();
            assert_eq!(found, texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>());
        });
    });
}
