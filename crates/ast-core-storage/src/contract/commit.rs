//! What a commit writes, replaces and removes, and that it does all of it or nothing.

use super::sample::{
    Parts, batch, chunks, file, file_of, id, meta, path, plain, removal, skipped, skipped_record, text,
};
use super::{Backend, EVEN, assert_sound, reader, seen, writer};
use crate::{
    ChunkFilter, Document, FileRecord, FileStatus, FileVectors, IndexedFile, NameMatch, Store, StoreCounts,
    StoreError, WriteBatch,
};
use ast_core_model::{
    Chunk, ChunkTerms, ContentHash, LanguageName, LineRange, Reference, ReferenceKind, Span, Symbol,
    SymbolKind, Visibility,
};

/// A file with something else in every field, at the edges of what there can be.
fn extreme() -> Parts {
    let mut record = skipped_record(3, "dir ectory/f'\"ü\\.rs", FileStatus::TimedOut);
    record.language = Some(LanguageName::new("lánguage"));
    record.detail = Some("took 2 s;\n'quoted'".into());
    record.size = i64::MAX as u64;
    record.modified_ns = i64::MIN;
    record.content_hash = Some(ContentHash::from_bytes([0xAB; 16]));
    record.lines = u32::MAX;
    record.syntax_errors = u32::MAX - 1;
    let outer = Symbol {
        name: "Größe".into(),
        qualifier: Some("a::b".into()),
        kind: SymbolKind::Namespace,
        parent: None,
        span: Span::new(1, u32::MAX),
        lines: LineRange::new(2, u32::MAX),
        extent: Span::new(0, u32::MAX),
        name_span: Span::new(5, 6),
        signature: "namespace a::b::Größe".into(),
        doc: Some("".into()),
        visibility: Some(Visibility::Protected),
    };
    let inner = Symbol {
        name: "f".into(),
        qualifier: None,
        kind: SymbolKind::Function,
        parent: Some(0),
        doc: None,
        visibility: None,
        ..outer.clone()
    };
    let mention = Reference {
        kind: ReferenceKind::Inherit,
        name: "".into(),
        qualifier: Some("".into()),
        alias: None,
        span: Span::new(u32::MAX, u32::MAX),
        line: u32::MAX,
        symbol: Some(1),
    };
    let chunks = vec![
        Chunk {
            span: Span::new(7, u32::MAX),
            lines: LineRange::new(8, u32::MAX),
            symbol: Some(1),
            hash: ContentHash::from_bytes([0xCD; 16]),
        },
        Chunk {
            span: Span::new(0, 0),
            lines: LineRange::new(1, 1),
            symbol: None,
            hash: ContentHash::from_bytes([0; 16]),
        },
    ];
    let terms = vec![ChunkTerms::default(), ChunkTerms { body: "f".into(), ..ChunkTerms::default() }];
    let (symbols, references) = (vec![outer, inner], vec![mention]);
    let document = Document { source: vec![0xFF, 0], symbols, references, chunks };
    Parts { record, document, terms, vectors: vec![1.0, -0.0, f32::MAX, f32::MIN] }
}

pub async fn values_at_the_edges_come_back<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([extreme().build().unwrap()])).await.unwrap();
    let Parts { record, document, .. } = extreme();
    assert_eq!(store.files().await.unwrap(), [record.clone()]);
    assert_eq!(store.documents(&[id(3)]).await.unwrap(), [(record, document)]);
    let vectors = FileVectors {
        file: id(3),
        kinds: vec![Some(SymbolKind::Function), None],
        codes: vec![127, 0, 127, -127],
    };
    assert_eq!(store.vectors(&[id(3)]).await.unwrap(), [vectors]);
    let naming = store.files_naming("größe", NameMatch::IgnoreCase).await.unwrap();
    assert_eq!(
        naming.iter().map(|naming| (naming.file, naming.defines)).collect::<Vec<_>>(),
        [(id(3), true)]
    );
    let found = store.lexical_search(&["f"], EVEN, ChunkFilter::All, 10).await.unwrap();
    assert_eq!(
        found.iter().map(|hit| (hit.chunk.file(), hit.chunk.ordinal())).collect::<Vec<_>>(),
        [(id(3), 1)]
    );
}

pub async fn a_file_that_is_not_indexed_is_known_and_no_more<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let statuses = FileStatus::ALL.iter().filter(|status| !status.is_searchable()).zip(1..);
    let all: Vec<_> =
        statuses.map(|(&status, number)| skipped_record(number, &format!("{number}.bin"), status)).collect();
    store.commit(batch(all.iter().cloned().map(IndexedFile::left_out))).await.unwrap();
    let seen = seen(&*store).await;
    assert_eq!(seen.files, all);
    assert_eq!((&seen.searchable[..], &seen.documents[..], &seen.vectors[..]), (&[][..], &[][..], &[][..]));
    assert_eq!(seen.counts, StoreCounts::default());
    assert_sound(&*store).await;
}

pub async fn counts_are_those_of_the_searchable_files<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let mut stored = vec![file(1, "a.rs", "plum"), file(2, "b.rs", "mango"), plain(3, "c.rs", "one\ntwo\n")];
    stored.extend(FileStatus::ALL.iter().zip(10..).map(|(&status, number)| {
        let record = skipped_record(number, &format!("{status}.bin"), status);
        IndexedFile::left_out(FileRecord { lines: 1_000, ..record })
    }));
    let searchable = || stored.iter().map(IndexedFile::record).filter(|record| record.status.is_searchable());
    let expected = StoreCounts {
        bytes: searchable().map(|record| record.size).sum(),
        lines: searchable().map(|record| u64::from(record.lines)).sum(),
        symbols: stored.iter().map(|file| file.symbols() as u64).sum(),
        chunks: stored.iter().map(|file| file.chunks() as u64).sum(),
    };
    store.commit(batch(stored)).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!(counts, expected);
    assert!(counts.symbols > 4 && counts.chunks >= 2, "{counts:?}");
}

pub async fn a_file_takes_the_place_of_the_one_at_its_path<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(3, "c.rs", "kiwi")])).await.unwrap();
    let large = || file_of(2, "b.rs", text("mango", 200));
    store.commit(batch([large()])).await.unwrap();
    assert!(store.counts().await.unwrap().symbols > 200);
    store.commit(batch([file(4, "b.rs", "melon")])).await.unwrap();

    let elsewhere = B::new().await;
    let expected = writer(&elsewhere).await;
    let all = [file(1, "a.rs", "plum"), file(3, "c.rs", "kiwi"), file(4, "b.rs", "melon")];
    expected.commit(batch(all)).await.unwrap();
    assert_eq!(seen(&*store).await, seen(&*expected).await);
    assert_sound(&*store).await;
}

pub async fn a_file_that_is_no_longer_indexed_leaves_its_record<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let before = seen(&*store).await;
    store.commit(batch([file(2, "b.rs", "mango")])).await.unwrap();
    store.commit(batch([skipped(4, "b.rs", FileStatus::Binary)])).await.unwrap();
    let mut after = seen(&*store).await;
    assert_eq!(after.files.pop(), Some(skipped_record(4, "b.rs", FileStatus::Binary)));
    assert_eq!(after, before);
    assert_eq!(store.documents(&[id(2), id(4)]).await.unwrap(), []);
    assert_sound(&*store).await;
}

pub async fn a_removed_file_leaves_nothing_behind<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(3, "c.rs", "kiwi")])).await.unwrap();
    let before = seen(&*store).await;
    store.commit(batch([file(2, "b.rs", "mango"), file(4, "d.rs", "melon")])).await.unwrap();
    // One of them is not there, and one is named twice.
    store.commit(removal([2, 77, 4, 2])).await.unwrap();
    assert_eq!(seen(&*store).await, before);
    assert_eq!(store.documents(&[id(2), id(4)]).await.unwrap(), []);
    assert_eq!(store.vectors(&[id(2), id(4)]).await.unwrap(), []);
    assert_sound(&*store).await;
}

pub async fn a_path_that_is_removed_is_free_in_the_same_batch<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let moved =
        WriteBatch { removed: vec![id(1)], ..batch([file(2, "b.rs", "plum"), file(3, "a.rs", "mango")]) };
    store.commit(moved).await.unwrap();
    let stored: Vec<_> = store.files().await.unwrap().into_iter().map(|file| (file.id, file.path)).collect();
    assert_eq!(stored, [(id(3), path("a.rs")), (id(2), path("b.rs"))]);
    assert_sound(&*store).await;
}

pub async fn a_path_that_was_removed_can_come_back<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    for number in 1..=3 {
        store.commit(batch([file(number, "a.rs", "plum")])).await.unwrap();
        assert_eq!(store.files().await.unwrap()[0].id, id(number));
        store.commit(removal([number])).await.unwrap();
        assert_eq!(store.files().await.unwrap(), []);
        assert_sound(&*store).await;
    }
}

pub async fn files_can_change_places_in_one_batch<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    store.commit(batch([file(3, "b.rs", "plum"), file(4, "a.rs", "mango")])).await.unwrap();
    let found = store.files_naming("plum_1", NameMatch::Exact).await.unwrap();
    assert_eq!(found.iter().map(|naming| naming.file).collect::<Vec<_>>(), [id(3)]);
    assert_eq!(store.files().await.unwrap().iter().map(|file| file.id).collect::<Vec<_>>(), [id(4), id(3)]);
    assert_sound(&*store).await;
}

pub async fn a_touched_file_changes_in_size_and_time_only<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    let mut expected = seen(&*store).await;
    let record = &mut expected.files[0];
    (record.size, record.modified_ns) = (record.size + 9, i64::MIN);
    let touched = vec![(id(1), record.size, i64::MIN), (id(9), 1, 1)];
    expected.documents[0].0 = record.clone();
    expected.counts.bytes += 9;
    store.commit(WriteBatch { touched, ..WriteBatch::default() }).await.unwrap();
    assert_eq!(seen(&*store).await, expected);
    assert_sound(&*store).await;
}

pub async fn a_file_that_is_replaced_in_the_same_batch_is_not_touched<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let both = WriteBatch { touched: vec![(id(1), 5, 5)], ..batch([file(2, "a.rs", "mango")]) };
    store.commit(both).await.unwrap();
    assert_eq!(store.files().await.unwrap(), [file(2, "a.rs", "mango").record().clone()]);
}

pub async fn meta_keeps_the_last_value_of_a_key<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    assert_eq!(store.meta("embedder").await.unwrap(), None);
    store.commit(meta(&[("embedder", "one"), ("root", "/ü\n'\"")])).await.unwrap();
    store.commit(meta(&[("embedder", "two"), ("embedder", "")])).await.unwrap();
    assert_eq!(store.meta("embedder").await.unwrap().as_deref(), Some(""));
    assert_eq!(store.meta("root").await.unwrap().as_deref(), Some("/ü\n'\""));
    let long = "long ".repeat(100_000);
    store.commit(meta(&[("root", &long)])).await.unwrap();
    assert_eq!(reader(&backend).await.meta("root").await.unwrap(), Some(long));
    assert_eq!(store.meta("Embedder").await.unwrap(), None);
}

pub async fn the_keys_of_the_store_are_its_own<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let repository = store.repository().unwrap();
    let own = [("generation", "99"), ("repository", "nobody"), ("writer", "99"), ("root", "here")];
    assert_eq!(store.commit(meta(&own)).await.unwrap().generation, 1);
    assert_eq!(store.generation().await.unwrap(), 1);
    assert_eq!(store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap().generation, 2);
    assert_eq!(reader(&backend).await.repository().unwrap(), repository);
    assert_sound(&*store).await;
}

pub async fn a_batch_of_many_files_comes_in_whole<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let many = |from: u64| {
        (0..600).map(move |at| plain(from + at, &format!("folder/{at}.rs"), &format!("{from} {at}")))
    };
    store.commit(batch(many(1))).await.unwrap();
    store.commit(batch(many(10_000))).await.unwrap();
    let files = store.files().await.unwrap();
    assert_eq!(files.len(), 600);
    let ids: Vec<_> = (10_000..10_600).map(id).collect();
    let documents = store.documents(&ids).await.unwrap();
    assert_eq!(documents.len(), 600);
    assert!(
        (0..600)
            .zip(&documents)
            .all(|(at, (_, document))| document.source == format!("10000 {at}").into_bytes())
    );
    store.commit(removal(10_000..10_600)).await.unwrap();
    assert_eq!(store.files().await.unwrap(), []);
    assert_sound(&*store).await;
}

/// The batch is refused, and the store as it was and as good.
async fn assert_refused(store: &dyn Store, unfit: WriteBatch) -> StoreError {
    let before = (seen(store).await, store.generation().await.unwrap());
    let error = store.commit(unfit).await.expect_err("it is unfit");
    assert_eq!((seen(store).await, store.generation().await.unwrap()), before, "{error}");
    assert_sound(store).await;
    let generation = store.commit(batch([file(900 + before.1, "fit.rs", "fig")])).await.unwrap().generation;
    assert_eq!(generation, before.1 + 1);
    error
}

pub async fn a_path_that_is_in_a_batch_twice_is_refused<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let twice = batch([file(3, "c.rs", "kiwi"), file(2, "c.rs", "melon")]);
    let error = assert_refused(&*store, twice).await;
    assert!(matches!(&error, StoreError::InvalidFile { file, .. } if *file == path("c.rs")), "{error}");
}

pub async fn numbers_that_cannot_be_kept_are_refused<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let too_large = skipped_record(2, "b.rs", FileStatus::TooLarge);
    let too_large = IndexedFile::left_out(FileRecord { size: 1 << 63, ..too_large });
    let touched = WriteBatch { touched: vec![(id(1), 1 << 63, 0)], ..WriteBatch::default() };
    for unfit in [batch([file(3, "c.rs", "kiwi"), too_large]), touched] {
        let error = assert_refused(&*store, unfit).await;
        assert!(matches!(error, StoreError::OutOfRange { .. }), "{error}");
    }
}

pub async fn an_id_that_is_taken_is_refused<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    // Half of the batch is good, and meta, removals and a job are with it.
    let unfit = batch([file(3, "c.rs", "kiwi"), file(1, "d.rs", "melon")]);
    let unfit = WriteBatch { removed: vec![id(2)], meta: meta(&[("root", "here")]).meta, ..unfit };
    let error = assert_refused(&*store, unfit).await;
    assert!(matches!(&error, StoreError::InvalidFile { file, .. } if *file == path("d.rs")), "{error}");
    assert_eq!(store.meta("root").await.unwrap(), None);
}

pub async fn an_id_is_of_one_version_only<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let error = assert_refused(&*store, batch([file(1, "a.rs", "mango")])).await;
    assert!(matches!(&error, StoreError::InvalidFile { file, .. } if *file == path("a.rs")), "{error}");
}

pub async fn a_commit_that_nobody_waits_for_any_more_leaves_nothing_or_all<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    for (round, polls) in [1, 2, 3, 5, 8, 13].into_iter().enumerate() {
        let first = 1 + 1_000 * round as u64;
        let files = (0..40).map(|at| file(first + at, &format!("{at}.rs"), "plum"));
        let mut commit = store.commit(batch(files));
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(commit.as_mut().poll(context).is_ready())
            });
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(commit);
        // What comes next comes after it.
        store.commit(batch([chunks(first + 999, &[])])).await.unwrap();
        let files = store.files().await.unwrap();
        let of_round = files.iter().filter(|file| (first..first + 999).contains(&file.id.get())).count();
        assert!([0, 40].contains(&of_round), "{of_round} files");
    }
    assert_sound(&*store).await;
}

pub async fn settling_changes_nothing_that_is_seen<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.settle().await.unwrap();
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let before = seen(&*store).await;
    for _ in 0..2 {
        store.settle().await.unwrap();
        assert_eq!(seen(&*reader(&backend).await).await, before);
        assert_eq!(store.generation().await.unwrap(), 1);
    }
}
