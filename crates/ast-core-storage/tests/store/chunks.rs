//! Chunks with what is known round them.

use crate::sample::{files, id, new_store, parsed, path, rust, skipped};
use ast_core_model::{ChunkId, SymbolKind, scope_of};
use ast_core_storage::{ChunkRecord, ChunkSymbol, FileStatus, IndexedFile, WriteBatch};

fn expected(file: &IndexedFile, ordinal: usize) -> ChunkRecord {
    let chunk = &file.chunks[ordinal];
    ChunkRecord {
        id: ChunkId::in_file(file.record.id, ordinal as u32).unwrap(),
        path: file.record.path.clone(),
        language: file.record.language.clone().unwrap(),
        file_size: file.record.size,
        file_modified_ns: file.record.modified_ns,
        file_hash: file.record.content_hash.unwrap(),
        span: chunk.span,
        lines: chunk.lines,
        symbol: chunk.symbol.map(|at| {
            let symbol = &file.symbols[at as usize];
            ChunkSymbol {
                name: symbol.name.to_string(),
                kind: symbol.kind,
                scope: scope_of(&file.symbols, at as usize).into_iter().map(str::to_owned).collect(),
                signature: symbol.signature.to_string(),
            }
        }),
    }
}

fn sources() -> Vec<IndexedFile> {
    let source = include_str!("../../src/commit.rs");
    let nested = "namespace a::b { class C { void D::f() { return; } }; }\n".repeat(40);
    vec![
        parsed(1, "src/commit.rs", source),
        parsed(2, "a/nested.cpp", &nested),
        parsed(3, "empty.py", "# nothing but a comment\n"),
        rust(9, "small.rs", "small"),
    ]
}

#[tokio::test]
async fn chunks_come_with_their_file_and_definition_in_the_order_asked_for() {
    let (_directory, store) = new_store().await;
    store.commit(&files(sources())).await.unwrap();
    let mut all: Vec<_> = sources()
        .iter()
        .flat_map(|file| (0..file.chunks.len()).map(|at| expected(file, at)).collect::<Vec<_>>())
        .collect();
    assert!(all.len() > 4 && all.iter().any(|chunk| chunk.symbol.is_none()), "{all:#?}");
    assert!(all.iter().flat_map(|chunk| &chunk.symbol).any(|symbol| !symbol.scope.is_empty()));
    // Any order but that of the ids, and one of them twice.
    all.sort_by_key(|chunk| chunk.id.get().wrapping_mul(0x9E37_79B9_7F4A_7C15));
    all.push(all[0].clone());
    let ids: Vec<_> = all.iter().map(|chunk| chunk.id).collect();
    assert_eq!(store.chunks(&ids).await.unwrap(), all);
    assert_eq!(store.chunks(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn chunks_that_are_gone_are_left_out() {
    let (_directory, store) = new_store().await;
    let file = || rust(1, "a.rs", "alpha");
    store.commit(&files(vec![file(), rust(2, "b.rs", "beta")])).await.unwrap();
    store.commit(&WriteBatch { removed: vec![id(2)], ..WriteBatch::default() }).await.unwrap();
    let ids = [
        ChunkId::in_file(id(2), 0).unwrap(),
        ChunkId::in_file(id(1), ChunkId::MAX_ORDINAL).unwrap(),
        ChunkId::in_file(id(1), 0).unwrap(),
        ChunkId::in_file(id((1 << 43) - 1), ChunkId::MAX_ORDINAL).unwrap(),
    ];
    assert_eq!(store.chunks(&ids).await.unwrap(), [expected(&file(), 0)]);
}

#[tokio::test]
async fn the_largest_id_there_can_be_is_stored_and_found() {
    let (_directory, store) = new_store().await;
    let largest = (1 << 43) - 1;
    let file = rust(largest, "last.rs", "last");
    store.commit(&files(vec![rust(largest, "last.rs", "last")])).await.unwrap();
    let chunk = ChunkId::in_file(id(largest), 0).unwrap();
    assert_eq!(store.chunks(&[chunk]).await.unwrap(), [expected(&file, 0)]);
    assert_eq!(store.files().await.unwrap()[0].id, id(largest));
    assert_eq!(store.files_with_vectors().await.unwrap(), [id(largest)]);
    store.commit(&files(vec![skipped(1, "last.rs", FileStatus::Failed)])).await.unwrap();
    assert_eq!(store.chunks(&[chunk]).await.unwrap(), []);
}

#[tokio::test]
async fn chunks_of_kinds_are_those_whose_definition_is_of_one() {
    let (_directory, store) = new_store().await;
    store.commit(&files(sources())).await.unwrap();
    let of = |kinds: &[SymbolKind]| -> Vec<ChunkId> {
        let all = sources();
        let chunks = all.iter().flat_map(|file| (0..file.chunks.len()).map(|at| expected(file, at)));
        let found = chunks.filter(|chunk| chunk.symbol.as_ref().is_some_and(|it| kinds.contains(&it.kind)));
        found.map(|chunk| chunk.id).collect()
    };
    assert!(!of(SymbolKind::ALL).is_empty());
    for &kind in SymbolKind::ALL {
        assert_eq!(store.chunks_of_kinds(&[kind]).await.unwrap(), of(&[kind]), "{kind}");
    }
    assert_eq!(store.chunks_of_kinds(SymbolKind::ALL).await.unwrap(), of(SymbolKind::ALL));
    assert_eq!(store.chunks_of_kinds(&[]).await.unwrap(), []);
    assert_eq!(store.files().await.unwrap()[0].path, path("a/nested.cpp"));
}
