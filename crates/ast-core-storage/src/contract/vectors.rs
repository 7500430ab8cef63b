//! Vectors, in bulk.

use super::sample::{DIMENSION, Parts, batch, id, parts, skipped, text};
use super::{Backend, assert_sound, writer};
use crate::{FileStatus, FileVectors};

fn stored(number: u64) -> Parts {
    parts(number, &format!("{number}.rs"), text("plum", 3).document())
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

/// A file whose vectors are these, all of one length.
fn with_vectors(number: u64, vectors: &[&[f32]]) -> Parts {
    let mut file = stored(number);
    file.document.chunks.truncate(vectors.len());
    file.terms.truncate(vectors.len());
    file.vectors = vectors.concat();
    file
}

pub async fn vectors_come_by_file<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let ids = [9, 2, 1 << 42, 5, 3, 4];
    let files = ids.iter().map(|&number| stored(number).build().unwrap());
    store.commit(batch(files.chain([skipped(7, "none.bin", FileStatus::Binary)]))).await.unwrap();

    let mut all: Vec<_> = ids.iter().map(|&number| expected(&stored(number))).collect();
    all.sort_by_key(|vectors| vectors.file);
    // In order, each once, and those that are not there left out.
    let wanted: Vec<_> = ids.into_iter().chain([9, 7, 1_000]).map(id).collect();
    assert_eq!(store.vectors(&wanted).await.unwrap(), all);
    assert_eq!(store.vectors(&[id(3)]).await.unwrap(), [expected(&stored(3))]);
    assert_eq!(store.vectors(&[]).await.unwrap(), []);
    assert_sound(&*store).await;
}

pub async fn vectors_go_with_their_files<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([1, 2, 3].map(|number| stored(number).build().unwrap()))).await.unwrap();
    let mut batch = batch([skipped(4, "2.rs", FileStatus::TooLarge)]);
    batch.removed.push(id(1));
    store.commit(batch).await.unwrap();
    assert_eq!(store.vectors(&[1, 2, 3, 4].map(id)).await.unwrap(), [expected(&stored(3))]);
}

pub async fn a_file_may_have_chunks_without_vectors<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let file = Parts { vectors: Vec::new(), ..stored(1) };
    store.commit(batch([file.clone().build().unwrap()])).await.unwrap();
    assert_eq!(store.vectors(&[id(1)]).await.unwrap(), [expected(&file)]);
    assert_eq!(store.counts().await.unwrap().chunks, file.document.chunks.len() as u64);
}

pub async fn a_vector_keeps_its_direction<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let vectors: [&[f32]; 3] =
        [&[1.0, -2.0, 0.5, 2.0], &[1e-30, 0.0, -1e-30, 2.5e-31], &[1e30, 1e28, 0.0, -1e30]];
    store.commit(batch([with_vectors(1, &vectors).build().unwrap()])).await.unwrap();
    let found = store.vectors(&[id(1)]).await.unwrap();
    let codes: Vec<&[i8]> = found[0].codes.chunks(4).collect();
    assert_eq!(codes, [&[64, -127, 32, 127][..], &[127, 0, -127, 32], &[127, 1, 0, -127]]);
}

pub async fn a_vector_of_zeros_stays_one<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([with_vectors(1, &[&[0.0, -0.0], &[3.0, 0.0]]).build().unwrap()])).await.unwrap();
    assert_eq!(store.vectors(&[id(1)]).await.unwrap()[0].codes, [0, 0, 127, 0]);
}
