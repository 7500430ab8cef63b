//! Vectors, in bulk.

use crate::sample::{DIMENSION, files, id, new_store, rust, skipped};
use ast_core_storage::{FileStatus, FileVectors, IndexedFile, WriteBatch};

fn expected(file: &IndexedFile) -> FileVectors {
    FileVectors { file: file.record.id, vectors: file.vectors.clone() }
}

#[tokio::test]
async fn vectors_come_back_bit_by_bit() {
    let (_directory, store) = new_store().await;
    let mut file = rust(1, "a.rs", "alpha");
    let special = [f32::NAN, f32::INFINITY, -0.0, f32::from_bits(1), f32::MIN, 0.1];
    file.vectors = special.into_iter().cycle().take(file.chunks.len() * DIMENSION * special.len()).collect();
    let expected: Vec<_> = file.vectors.iter().map(|value| value.to_bits()).collect();
    store.commit(&files(vec![file])).await.unwrap();
    let stored = store.vectors_after(None, 10).await.unwrap().remove(0);
    assert_eq!(stored.vectors.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn vectors_come_in_pages_by_file() {
    let (_directory, store) = new_store().await;
    let ids = [9, 2, 1 << 42, 5, 3, 4];
    let stored = || ids.iter().map(|&number| rust(number, &format!("{number}.rs"), "word"));
    let mut batch = files(stored().collect());
    batch.files.push(skipped(7, "none.bin", FileStatus::Binary));
    store.commit(&batch).await.unwrap();
    store.commit(&WriteBatch { removed: vec![id(4)], ..WriteBatch::default() }).await.unwrap();

    let mut all: Vec<_> =
        stored().filter(|file| file.record.id != id(4)).map(|file| expected(&file)).collect();
    all.sort_by_key(|vectors| vectors.file);
    let ids: Vec<_> = all.iter().map(|vectors| vectors.file).collect();
    assert_eq!(store.files_with_vectors().await.unwrap(), ids);
    assert_eq!(store.vectors_after(None, usize::MAX).await.unwrap(), all);
    for page in 1..=all.len() + 1 {
        let mut read = Vec::new();
        loop {
            let after = read.last().map(|last: &FileVectors| last.file);
            let next = store.vectors_after(after, page).await.unwrap();
            assert!(next.len() <= page);
            if next.is_empty() {
                break;
            }
            read.extend(next);
        }
        assert_eq!(read, all, "in pages of {page}");
    }
}
