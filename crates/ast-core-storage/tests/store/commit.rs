//! What a commit writes, replaces and removes, and that it does all of it or nothing.

use crate::sample::{
    EVEN, Parts, files, id, new_store, open, parsed, parts, path, rust, rust_text, skipped, skipped_record,
};
use crate::tables::{TABLES, row_counts, rows};
use ast_core_model::{
    Chunk, ChunkTerms, ContentHash, LineRange, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility,
};
use ast_core_storage::{
    Access, ChunkFilter, Document, FileRecord, FileStatus, IndexedFile, NameMatch, StoreCounts, StoreError,
    WriteBatch,
};

/// A file with something else in every column, at the edges of what there can be.
fn extreme() -> Parts {
    let mut record = skipped_record(3, "dir ectory/f'\"ü\\.rs", FileStatus::TimedOut);
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

#[tokio::test]
async fn every_column_is_written() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![extreme().build().unwrap()])).await.unwrap();
    let table = |statement| rows(store.path(), statement);
    assert_eq!(
        table("SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, generation, symbols FROM files").await,
        [[
            "3",
            "'dir ectory/f'\"ü\\.rs'",
            "NULL",
            "'timeout'",
            "'took 2 s;\n'quoted''",
            "9223372036854775807",
            "-9223372036854775808",
            &"ab".repeat(16),
            "4294967295",
            "4294967294",
            "1",
            "2",
        ]]
    );
    let naming = store.files_naming("größe", NameMatch::IgnoreCase).await.unwrap();
    assert_eq!(
        naming.iter().map(|naming| (naming.file.get(), naming.defines)).collect::<Vec<_>>(),
        [(3, true)]
    );
    // The second chunk is about no definition; functions are the eleventh kind.
    assert_eq!(table("SELECT file_id, kinds, codes FROM vectors").await, [["3", "0b00", "7f007f81"]]);
    assert_eq!(store.documents(&[id(3)]).await.unwrap(), [(extreme().record, extreme().document)]);
    let found = store.lexical_search(&["f"], EVEN, ChunkFilter::All, 10).await.unwrap();
    assert_eq!(found.iter().map(|hit| hit.chunk.get()).collect::<Vec<_>>(), [3_145_729]);
    assert_eq!(table("SELECT * FROM meta").await, [["'generation'", "'1'"]]);
}

#[tokio::test]
async fn what_is_known_of_files_is_read_back_in_order_of_paths() {
    let (_directory, store) = new_store().await;
    let stored = || {
        let statuses = FileStatus::ALL.iter().zip(10..);
        let mut stored: Vec<_> =
            statuses.map(|(&status, number)| skipped(number, &format!("{status}.bin"), status)).collect();
        stored.extend([extreme().build().unwrap(), rust(1, "b.rs", "beta"), rust(2, "a.rs", "alpha")]);
        stored
    };
    store.commit(files(stored())).await.unwrap();
    let mut expected: Vec<_> = stored().into_iter().map(|file| file.record().clone()).collect();
    expected.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(store.files().await.unwrap(), expected);
}

#[tokio::test]
async fn counts_are_those_of_the_searchable_files() {
    let (_directory, store) = new_store().await;
    let mut stored = vec![rust(1, "a.rs", "alpha"), rust(2, "b.rs", "beta")];
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
    store.commit(files(stored)).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!(counts, expected);
    assert!(counts.symbols > 4 && counts.chunks >= 2, "{counts:?}");
}

#[tokio::test]
async fn a_file_takes_the_place_of_the_one_at_its_path_in_every_table() {
    let (_directory, store) = new_store().await;
    let neighbours = || vec![rust(1, "a.rs", "alpha"), rust(3, "c.rs", "gamma")];
    store.commit(files(neighbours())).await.unwrap();
    let before = row_counts(store.path()).await;
    // Long enough that no insert is of one statement.
    store.commit(files(vec![parsed(2, "b.rs", &rust_text("beta", 200))])).await.unwrap();
    let with_beta = row_counts(store.path()).await;
    for table in TABLES {
        assert!(with_beta[table] > before[table], "{table}");
    }
    store.commit(files(vec![skipped(4, "b.rs", FileStatus::Binary)])).await.unwrap();
    let mut expected = before;
    *expected.get_mut("files").unwrap() += 1;
    assert_eq!(row_counts(store.path()).await, expected);
    assert_eq!(store.files().await.unwrap()[1].id, id(4));
    assert_eq!(store.documents(&[id(2)]).await.unwrap(), []);
}

#[tokio::test]
async fn a_removed_file_leaves_no_row_behind() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha"), rust(3, "c.rs", "gamma")])).await.unwrap();
    let before = row_counts(store.path()).await;
    store.commit(files(vec![rust(2, "b.rs", "beta"), rust(4, "d.rs", "delta")])).await.unwrap();
    let removed = vec![id(2), id(77), id(4)];
    store.commit(WriteBatch { removed, ..WriteBatch::default() }).await.unwrap();
    assert_eq!(row_counts(store.path()).await, before);
    let paths: Vec<_> = store.files().await.unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(paths, [path("a.rs"), path("c.rs")]);
}

#[tokio::test]
async fn a_path_that_is_removed_is_free_in_the_same_batch() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let batch =
        WriteBatch { removed: vec![id(1)], files: vec![rust(1, "b.rs", "alpha")], ..WriteBatch::default() };
    store.commit(batch).await.unwrap();
    let stored = store.files().await.unwrap();
    assert_eq!(stored, [rust(1, "b.rs", "alpha").record().clone()]);
}

#[tokio::test]
async fn a_touched_file_changes_in_size_and_time_only() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha"), rust(2, "b.rs", "beta")])).await.unwrap();
    let mut expected = store.files().await.unwrap();
    let before = row_counts(store.path()).await;
    (expected[0].size, expected[0].modified_ns) = (i64::MAX as u64, i64::MIN);
    let touched = vec![(id(1), i64::MAX as u64, i64::MIN), (id(9), 1, 1)];
    store.commit(WriteBatch { touched, ..WriteBatch::default() }).await.unwrap();
    assert_eq!(store.files().await.unwrap(), expected);
    assert_eq!(row_counts(store.path()).await, before);
}

#[tokio::test]
async fn meta_keeps_the_last_value_of_a_key() {
    let (_directory, store) = new_store().await;
    let set = |pairs: &[(&str, &str)]| WriteBatch {
        meta: pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
        ..WriteBatch::default()
    };
    assert_eq!(store.meta("embedder").await.unwrap(), None);
    store.commit(set(&[("embedder", "one"), ("root", "/ü\n'\"")])).await.unwrap();
    store.commit(set(&[("embedder", ""), ("generation", "99")])).await.unwrap();
    assert_eq!(store.meta("embedder").await.unwrap().as_deref(), Some(""));
    assert_eq!(store.meta("root").await.unwrap().as_deref(), Some("/ü\n'\""));
    assert_eq!(store.generation().await.unwrap(), 2, "it is the store's own");
}

#[tokio::test]
async fn each_commit_is_the_next_generation_also_after_opening_again() {
    let (_directory, store) = new_store().await;
    assert_eq!(store.generation().await.unwrap(), 0);
    for generation in 1..=3 {
        assert_eq!(store.commit(WriteBatch::default()).await.unwrap().generation, generation);
        assert_eq!(store.generation().await.unwrap(), generation);
    }
    let path = store.path().to_owned();
    store.close().await;
    let store = open(&path, Access::Write).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), 3);
    assert_eq!(store.commit(WriteBatch::default()).await.unwrap().generation, 4);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing_and_the_store_usable() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let before = (row_counts(store.path()).await, store.files().await.unwrap());

    let beta = || parts(2, "b.rs", &rust_text("beta", 100));
    assert!(beta().document.chunks.len() > 2 && !beta().document.references.is_empty());
    let spoil: [&dyn Fn(&mut Parts); 9] = [
        &|file| drop(file.terms.pop()),
        &|file| file.vectors.push(0.0),
        &|file| file.vectors[3] = f32::NAN,
        &|file| file.document.symbols[1].parent = Some(1),
        &|file| file.document.symbols[1].lines.start = 0,
        &|file| file.document.references[0].symbol = Some(u32::MAX),
        &|file| file.document.chunks[0].symbol = Some(file.document.symbols.len() as u32),
        &|file| file.document.chunks[0].lines.start = 0,
        // Vectors of nothing.
        &|file| (file.document, file.terms) = Default::default(),
    ];
    for (case, spoil) in spoil.iter().enumerate() {
        let mut file = beta();
        spoil(&mut file);
        let error = file.build().unwrap_err();
        assert!(matches!(error, StoreError::InvalidFile { .. }), "{case}: {error}");
    }
    let mut too_many = beta();
    too_many.document.chunks =
        vec![Chunk { symbol: None, ..beta().document.chunks[0].clone() }; (1 << 20) + 1];
    let error = too_many.build().unwrap_err();
    assert!(matches!(error, StoreError::OutOfRange { .. }), "{error}");

    let twice = files(vec![rust(3, "c.rs", "gamma"), rust(2, "c.rs", "twice")]);
    let error = store.commit(twice).await.unwrap_err();
    assert!(matches!(error, StoreError::InvalidFile { .. }), "{error}");

    let too_large = skipped_record(2, "b.rs", FileStatus::TooLarge);
    let too_large = IndexedFile::left_out(FileRecord { size: 1 << 63, ..too_large });
    let touched = WriteBatch { touched: vec![(id(1), 1 << 63, 0)], ..WriteBatch::default() };
    for unfit in [files(vec![rust(3, "c.rs", "gamma"), too_large]), touched] {
        let error = store.commit(unfit).await.unwrap_err();
        assert!(matches!(error, StoreError::OutOfRange { .. }), "{error}");
    }

    // The id is taken, which only SQLite finds, when half of the batch is written.
    let twice = vec![rust(3, "c.rs", "gamma"), rust(1, "b.rs", "beta")];
    let error = store.commit(files(twice)).await.unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error}");

    assert_eq!((row_counts(store.path()).await, store.files().await.unwrap()), before);
    assert_eq!(store.commit(files(vec![rust(2, "b.rs", "beta")])).await.unwrap().generation, 2);
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_any_more_leaves_nothing_or_all() {
    let (_directory, store) = new_store().await;
    let batch = || files((1..=40).map(|number| rust(number, &format!("{number}.rs"), "word")).collect());
    for polls in [1, 2, 3, 5, 8, 13] {
        let mut commit = Box::pin(store.commit(batch()));
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(Future::poll(commit.as_mut(), context).is_ready())
            });
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(commit);
        let generation = store.commit(WriteBatch::default()).await.unwrap().generation;
        let expected = if store.files().await.unwrap().is_empty() { 0 } else { 40 };
        assert_eq!(row_counts(store.path()).await["files"], expected, "generation {generation}");
    }
    assert_eq!(crate::tables::quick_check(store.path()).await, [["'ok'"]]);
}

#[tokio::test]
async fn readers_see_the_state_before_until_a_commit_is_done_and_never_wait() {
    use sqlx::Executor;
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let reader = open(store.path(), Access::Read).await.unwrap();

    // Somebody is in the middle of writing, and does not come to an end.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store.path());
    let mut writing = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    writing.execute("BEGIN IMMEDIATE; DELETE FROM files; UPDATE meta SET value = '7'").await.unwrap();
    for store in [&store, &reader] {
        assert_eq!(store.files().await.unwrap().len(), 1);
        assert_eq!(store.generation().await.unwrap(), 1);
    }
    writing.execute("COMMIT").await.unwrap();
    for store in [&store, &reader] {
        assert_eq!(store.files().await.unwrap().len(), 0);
        assert_eq!(store.generation().await.unwrap(), 7);
    }
    store.commit(files(vec![rust(2, "b.rs", "beta")])).await.unwrap();
    assert_eq!(reader.generation().await.unwrap(), 8);
    assert_eq!(reader.files().await.unwrap()[0].id, id(2));
}

#[tokio::test]
async fn a_store_that_was_opened_for_reading_refuses_to_write() {
    let (_directory, store) = new_store().await;
    let reader = open(store.path(), Access::Read).await.unwrap();
    let error = reader.commit(WriteBatch::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    reader.settle().await.unwrap();
}

#[tokio::test]
async fn settling_moves_everything_into_the_one_file() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let log = store.path().with_file_name("index.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    store.settle().await.unwrap();
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!(store.files().await.unwrap().len(), 1);
}
