//! What a commit writes to the tables, and what is refused before it comes to that.

use crate::sample::{Parts, files, id, new_store, open, parts, rust, rust_text, skipped_record};
use crate::tables::rows;
use ast_core_model::{Chunk, ChunkTerms, ContentHash, LineRange, Span, Symbol, SymbolKind};
use ast_core_storage::{Access, Document, FileStatus, Store, StoreError};

/// A file with something else in every column.
fn distinct() -> Parts {
    let mut record = skipped_record(3, "dir ectory/f'\"ü\\.rs", FileStatus::TimedOut);
    record.language = Some(ast_core_model::LanguageName::from_static("rust"));
    record.detail = Some("took 2 s;\n'quoted'".into());
    record.size = i64::MAX as u64;
    record.modified_ns = i64::MIN;
    record.content_hash = Some(ContentHash::from_bytes([0xAB; 16]));
    record.lines = u32::MAX;
    record.syntax_errors = u32::MAX - 1;
    let symbol = Symbol {
        name: "f".into(),
        qualifier: None,
        kind: SymbolKind::Function,
        parent: None,
        span: Span::new(0, 1),
        lines: LineRange::new(1, 1),
        extent: Span::new(0, 1),
        name_span: Span::new(0, 1),
        signature: "f".into(),
        doc: None,
        visibility: None,
    };
    let chunk = |symbol| Chunk {
        span: Span::new(0, 1),
        lines: LineRange::new(1, 1),
        symbol,
        hash: ContentHash::from_bytes([0; 16]),
    };
    let (symbols, chunks) = (vec![symbol], vec![chunk(Some(0)), chunk(None)]);
    let document = Document { source: b"f".to_vec(), symbols, chunks, ..Document::default() };
    let terms = vec![ChunkTerms::default(); 2];
    Parts { record, document, terms, vectors: vec![1.0, -0.0, f32::MAX, f32::MIN] }
}

#[tokio::test]
async fn every_column_is_written() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![distinct().build().unwrap()])).await.unwrap();
    let table = |statement| rows(store.path(), statement);
    assert_eq!(
        table("SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors, generation, symbols FROM files").await,
        [[
            "3",
            "'dir ectory/f'\"ü\\.rs'",
            "'rust'",
            "'timeout'",
            "'took 2 s;\n'quoted''",
            "9223372036854775807",
            "-9223372036854775808",
            &"ab".repeat(16),
            "4294967295",
            "4294967294",
            "1",
            "1",
        ]]
    );
    // The second chunk is about no definition; functions are the eleventh kind.
    assert_eq!(table("SELECT file_id, kinds, codes FROM vectors").await, [["3", "0b00", "7f007f81"]]);
    let repository = format!("'{}'", store.repository().unwrap());
    assert_eq!(
        table("SELECT * FROM meta ORDER BY key").await,
        [["'generation'", "'1'"], ["'repository'", &repository], ["'writer'", "'1'"]]
    );
    assert_eq!(store.documents(&[id(3)]).await.unwrap(), [(distinct().record, distinct().document)]);
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
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
}

/// What is sent again by who was not told that it was done is not written again.
#[tokio::test]
async fn a_batch_that_is_there_writes_no_page() {
    let (_directory, store) = new_store().await;
    let batch = || files((1..=40).map(|number| rust(number, &format!("{number}.rs"), "word")).collect());
    store.commit(batch()).await.unwrap();
    store.settle().await.unwrap();
    let log = store.path().with_file_name("index.db-wal");
    store.commit(batch()).await.unwrap();
    assert_eq!(log.metadata().unwrap().len(), 0);
    store.commit(files(vec![rust(41, "1.rs", "word")])).await.unwrap();
    assert!(log.metadata().unwrap().len() > 0);
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
    let change = "BEGIN IMMEDIATE; DELETE FROM files; UPDATE meta SET value = '7' WHERE key = 'generation'";
    writing.execute(change).await.unwrap();
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
async fn settling_moves_everything_into_the_one_file() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    let log = store.path().with_file_name("index.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    store.settle().await.unwrap();
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!(store.files().await.unwrap().len(), 1);
}
