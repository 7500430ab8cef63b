//! Which files may have a text in them.

use super::sample::{batch, file, id, parts, plain, removal, skipped};
use super::{Backend, assert_sound, cases, new_store, runtime, writer};
use crate::{Document, FileStatus, Store, TrigramQuery};
use ast_core_model::FileId;
use proptest::prelude::*;

/// The files that may have all of these, which are in order and searchable whatever is asked.
async fn files_with(store: &dyn Store, texts: &[&str]) -> Vec<FileId> {
    let query = texts
        .iter()
        .fold(TrigramQuery::OPEN, |query, text| query.and(TrigramQuery::of_text(text.as_bytes())));
    let all = store.searchable_versions().await.unwrap();
    let found = store.files_with(&query).await.unwrap();
    assert!(found.is_sorted_by_key(|version| version.id), "{found:?}");
    assert!(found.iter().all(|version| all.contains(version)), "{found:?} of {all:?}");
    found.into_iter().map(|version| version.id).collect()
}

pub async fn a_text_that_every_file_may_have_is_in_all_that_are_searchable<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let files = [file(1, "a.rs", "plum"), skipped(2, "b.bin", FileStatus::Binary), plain(3, "c.rs", "")];
    store.commit(batch(files)).await.unwrap();
    assert_eq!(files_with(&*store, &[]).await, [id(1), id(3)]);
    assert_eq!(files_with(&*store, &["pl"]).await, [id(1), id(3)]);
}

pub async fn texts_go_with_their_files<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "plum")])).await.unwrap();
    store.commit(removal([1])).await.unwrap();
    assert_eq!(files_with(&*store, &["plum"]).await, [id(2)]);
    store.commit(batch([skipped(3, "b.rs", FileStatus::TooLarge), file(4, "a.rs", "plum")])).await.unwrap();
    assert_eq!(files_with(&*store, &["plum"]).await, [id(4)]);
    assert_sound(&*store).await;
}

pub async fn a_text_in_another_encoding_is_not_told_from_others<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let wide = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let mut stored = parts(1, "a.rs", Document::default());
    stored.document.source = wide("plum");
    store.commit(batch([stored.build().unwrap()])).await.unwrap();
    assert_eq!(files_with(&*store, &["plum", "melon"]).await, [id(1)]);
}

pub fn every_file_that_has_a_text_is_found_by_it<B: Backend>() {
    let runtime = runtime();
    let texts = prop::collection::vec("([a-c]{1,9}|\u{17F}K\u{212A}é|\n){0,6}", 1..12);
    proptest!(cases(48), |(texts in texts, place: prop::sample::Index, wanted: Vec<prop::sample::Index>)| {
        runtime.block_on(async {
            let (_place, store) = new_store::<B>().await;
            let files = texts.iter().zip(1..).map(|(text, at)| plain(at, &format!("{at}.rs"), text));
            store.commit(batch(files)).await.unwrap();
            let lines: Vec<&str> = place.get(&texts).lines().collect();
            let wanted: Vec<&str> = wanted.iter().filter(|_| !lines.is_empty()).map(|at| *at.get(&lines)).collect();
            let found = files_with(&*store, &wanted).await;
            for (text, number) in texts.iter().zip(1..) {
                if wanted.iter().all(|wanted| text.contains(wanted)) {
                    assert!(found.contains(&id(number)), "{text:?} has {wanted:?}");
                }
            }
        });
    });
}
