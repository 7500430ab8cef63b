//! What is kept of the files' content.

use super::sample::{Text, batch, file, file_of, id, parts, path, plain, skipped, text};
use super::{Backend, assert_sound, cases, new_store, runtime, writer};
use crate::{Document, FileStatus, WriteBatch};
use ast_core_model::{FileId, ReferenceKind, SymbolKind};
use proptest::prelude::*;
use std::cell::Cell;

pub async fn documents_come_with_their_files_in_order_of_ids<B: Backend>(backend: B) {
    let nested = Text::new("nested").define(SymbolKind::Namespace, "outer", Some("Größe\tof it."), |text| {
        text.define(SymbolKind::Class, "Inner", None, |text| {
            let method = text.define(SymbolKind::Method, "méthode", Some(""), |text| {
                text.mention(ReferenceKind::Call, "call", None).mention(ReferenceKind::Type, "T", Some("U"))
            });
            method.mention(ReferenceKind::Inherit, "Base", None)
        })
    });
    let stored = [
        parts(1, "src/large.rs", text("plum", 300).document()),
        parts(2, "a/nested.rs", nested.document()),
        parts(3, "empty.rs", Document::default()),
        parts((1 << 43) - 1, "last.rs", text("fig", 1).document()),
    ];
    let store = writer(&backend).await;
    store.commit(batch(stored.iter().map(|file| file.clone().build().unwrap()))).await.unwrap();
    let expected: Vec<_> = stored.iter().map(|file| (file.record.clone(), file.document.clone())).collect();
    let mut ids: Vec<FileId> = stored.iter().map(|file| file.record.id).rev().collect();
    // One that is not there, and one that is asked for twice.
    ids.extend([id(77), id(2)]);
    assert_eq!(store.documents(&ids).await.unwrap(), expected);
    assert_eq!(store.documents(&[]).await.unwrap(), []);
    let outlines = expected.iter().cloned().map(|(record, document)| (record, document.into_outline()));
    let outlines: Vec<_> = outlines.collect();
    assert_eq!(store.outlines(&ids).await.unwrap(), outlines);
    let in_steps = store.stored_documents(&ids).await.unwrap().into_iter().map(|(record, stored)| {
        let source = stored.source().unwrap();
        assert!(
            expected.iter().any(|(known, document)| *known == record && document.source == source.bytes())
        );
        let outline = source.outline().unwrap();
        (record, outline)
    });
    assert_eq!(in_steps.collect::<Vec<_>>(), outlines);
    assert_sound(&*store).await;
}

pub async fn documents_go_with_their_files<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    let files = [skipped(3, "a.rs", FileStatus::Failed), file_of(4, "c.rs", text("kiwi", 1))];
    store.commit(WriteBatch { removed: vec![id(2)], ..batch(files) }).await.unwrap();
    let left = store.documents(&[1, 2, 3, 4].map(id)).await.unwrap();
    assert_eq!(left.into_iter().map(|(record, _)| record.path).collect::<Vec<_>>(), [path("c.rs")]);
}

pub async fn texts_come_back_as_they_were<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let long = "fn f() {}\n".repeat(500_000);
    let texts = ["", "a", "\0", "grüße 🦀 \u{FEFF}\r\n", include_str!("documents.rs"), &long];
    let stored = texts.iter().zip(1..).map(|(text, number)| plain(number, &format!("{number}.rs"), text));
    store.commit(batch(stored)).await.unwrap();
    for (text, number) in texts.iter().zip(1..) {
        assert_eq!(store.documents(&[id(number)]).await.unwrap()[0].1.source, text.as_bytes());
    }
}

pub async fn as_many_documents_as_are_asked_for_come<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch((1..=50).map(|number| plain(number, &format!("{number}.rs"), "x")))).await.unwrap();
    // More ids than most databases take parameters.
    let ids: Vec<FileId> = (1..=70_000).map(id).collect();
    assert_eq!(store.documents(&ids).await.unwrap().len(), 50);
    assert_eq!(store.paths(&ids).await.unwrap().len(), 50);
    assert_eq!(store.vectors(&ids).await.unwrap(), []);
}

pub async fn a_document_without_symbols_or_chunks_is_one<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([plain(1, "a.rs", "nothing to be found\n")])).await.unwrap();
    let documents = store.documents(&[id(1)]).await.unwrap();
    assert_eq!(documents[0].1.source, b"nothing to be found\n");
    assert_eq!((documents[0].1.symbols.len(), documents[0].1.chunks.len()), (0, 0));
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.bytes, counts.lines, counts.symbols, counts.chunks), (20, 1, 0, 0));
    assert_sound(&*store).await;
}

pub fn any_text_comes_back_as_it_was<B: Backend>() {
    let runtime = runtime();
    let (_place, store) = runtime.block_on(new_store::<B>());
    let next = Cell::new(1);
    proptest!(cases(64), |(texts in prop::collection::vec(any::<String>(), 1..20))| {
        let first = next.replace(next.get() + texts.len() as u64);
        let ids: Vec<FileId> = (first..next.get()).map(id).collect();
        let named = texts.iter().zip(&ids).enumerate();
        let stored = named.map(|(at, (text, id))| plain(id.get(), &format!("{at}.rs"), text));
        runtime.block_on(async {
            store.commit(batch(stored)).await.unwrap();
            let found = store.documents(&ids).await.unwrap();
            let found: Vec<_> = found.into_iter().map(|(_, document)| document.source).collect();
            assert_eq!(found, texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>());
        });
    });
}
