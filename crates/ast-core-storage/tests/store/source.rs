//! The texts that were indexed.

use crate::sample::{files, id, new_store, skipped};
use ast_core_storage::{CompressedSource, FileStatus, IndexedFile};
use proptest::prelude::*;

fn with_source(number: u64, text: &str) -> IndexedFile {
    let mut file = skipped(number, &format!("{number}.txt"), FileStatus::Indexed);
    file.source = Some(CompressedSource::new(text).unwrap());
    file
}

#[tokio::test]
async fn texts_come_back_as_they_were() {
    let (_directory, store) = new_store().await;
    let long = "fn f() {}\n".repeat(500_000);
    let texts = ["", "a", "\0", "grüße 🦀 \u{FEFF}\r\n", include_str!("source.rs"), &long];
    let stored = texts.iter().zip(1..).map(|(text, number)| with_source(number, text)).collect();
    store.commit(&files(stored)).await.unwrap();
    for (text, number) in texts.iter().zip(1..) {
        assert_eq!(store.source(id(number)).await.unwrap().as_deref(), Some(text.as_bytes()));
    }
    assert_eq!(store.source(id(99)).await.unwrap(), None);
}

#[test]
fn any_text_comes_back_as_it_was() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_directory, store) = runtime.block_on(new_store());
    proptest!(ProptestConfig::with_cases(64), |(texts in prop::collection::vec(any::<String>(), 1..20))| {
        let stored = texts.iter().zip(1..).map(|(text, number)| with_source(number, text)).collect();
        runtime.block_on(async {
            store.commit(&files(stored)).await.unwrap();
            for (text, number) in texts.iter().zip(1..) {
                assert_eq!(store.source(id(number)).await.unwrap().as_deref(), Some(text.as_bytes()));
            }
        });
    });
}
