//! Vectors, in bulk.

use crate::sample::{DIMENSION, Parts, files, id, new_store, parts, rust_text, skipped};
use ast_core_storage::{FileStatus, FileVectors, WriteBatch};

fn stored(number: u64) -> Parts {
    parts(number, &format!("{number}.rs"), &rust_text("word", 3))
}

/// Each vector as long as its largest value makes it.
fn expected(file: &Parts) -> FileVectors {
    let code = |vector: &[f32]| {
        let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        vector.iter().map(|value| (value * 127.0 / largest).round() as i8).collect::<Vec<_>>()
    };
    let symbols = &file.document.symbols;
    let kind = |at: Option<u32>| at.map(|at| symbols[at as usize].kind);
    FileVectors {
        file: file.record.id,
        kinds: file.document.chunks.iter().map(|chunk| kind(chunk.symbol)).collect(),
        codes: file.vectors.chunks(DIMENSION).flat_map(code).collect(),
    }
}

#[tokio::test]
async fn a_file_may_have_chunks_without_vectors() {
    let (_directory, store) = new_store().await;
    let file = Parts { vectors: Vec::new(), ..stored(1) };
    store.commit(files(vec![file.clone().build().unwrap()])).await.unwrap();
    assert_eq!(store.vectors(&[id(1)]).await.unwrap(), [expected(&file)]);
}

#[tokio::test]
async fn vectors_come_by_file() {
    let (_directory, store) = new_store().await;
    let ids = [9, 2, 1 << 42, 5, 3, 4];
    let mut batch = files(ids.iter().map(|&number| stored(number).build().unwrap()).collect());
    batch.files.push(skipped(7, "none.bin", FileStatus::Binary));
    store.commit(batch).await.unwrap();
    store.commit(WriteBatch { removed: vec![id(4)], ..WriteBatch::default() }).await.unwrap();

    let mut all: Vec<_> =
        ids.iter().filter(|&&number| number != 4).map(|&number| expected(&stored(number))).collect();
    all.sort_by_key(|vectors| vectors.file);
    // In order, each once, and those that are not there left out.
    let wanted: Vec<_> = ids.into_iter().chain([9, 7, 1_000]).map(id).collect();
    assert_eq!(store.vectors(&wanted).await.unwrap(), all);
    assert_eq!(store.vectors(&[id(3)]).await.unwrap(), [expected(&stored(3))]);
    assert_eq!(store.vectors(&[]).await.unwrap(), []);
}
