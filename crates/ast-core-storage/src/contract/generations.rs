//! When there is a new generation, and that an answer is of one.

use super::jobs::job;
use super::sample::{batch, file, file_of, id, meta, plain, removal, text};
use super::{Backend, EVEN, reader, seen, writer};
use crate::{ChunkFilter, JobProgress, JobState, StoreError, WriteBatch};
use std::collections::HashSet;

pub async fn each_commit_that_changes_something_is_the_next_generation<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let touched = vec![(id(1), 7, 7)];
    let changes = [
        batch([file(1, "a.rs", "plum")]),
        batch([file(2, "b.rs", "mango"), file(3, "c.rs", "kiwi")]),
        batch([file(4, "b.rs", "mango")]),
        WriteBatch { touched, ..WriteBatch::default() },
        meta(&[("root", "here")]),
        removal([3]),
    ];
    for (change, generation) in changes.into_iter().zip(1..) {
        assert_eq!(store.commit(change).await.unwrap().generation, generation);
        assert_eq!(store.generation().await.unwrap(), generation);
    }
    store.close().await;
    let store = writer(&backend).await;
    assert_eq!(store.generation().await.unwrap(), 6);
    assert_eq!(store.commit(removal([1])).await.unwrap().generation, 7);
}

pub async fn an_empty_batch_is_no_generation<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    assert_eq!(store.commit(WriteBatch::default()).await.unwrap().generation, 0);
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    assert_eq!(store.commit(WriteBatch::default()).await.unwrap().generation, 1);
    assert_eq!(store.generation().await.unwrap(), 1);
}

pub async fn a_batch_that_is_committed_again_changes_nothing<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    let change = || WriteBatch {
        removed: vec![id(2)],
        touched: vec![(id(1), 9, 9)],
        meta: meta(&[("root", "here")]).meta,
        ..batch([file(3, "c.rs", "kiwi"), file_of(4, "d.rs", text("melon", 40)), plain(5, "e.rs", "")])
    };
    store.commit(change()).await.unwrap();
    let before = seen(&*store).await;
    // Whoever was not told that it was done sends it again, also as the next writer.
    assert_eq!(store.commit(change()).await.unwrap().generation, 2);
    store.close().await;
    let store = writer(&backend).await;
    assert_eq!(store.commit(change()).await.unwrap().generation, 2);
    assert_eq!((seen(&*store).await, store.generation().await.unwrap()), (before, 2));
    assert_eq!(store.files_until(1).await.unwrap(), HashSet::from([id(1)]));
}

pub async fn a_batch_that_came_in_by_half_of_its_files_is_completed<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(9, "b.rs", "fig")])).await.unwrap();
    let whole = batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango"), file(3, "c.rs", "kiwi")]);
    assert_eq!(store.commit(whole).await.unwrap().generation, 2);
    let elsewhere = B::new().await;
    let expected = writer(&elsewhere).await;
    let all = [file(1, "a.rs", "plum"), file(2, "b.rs", "mango"), file(3, "c.rs", "kiwi")];
    expected.commit(batch(all)).await.unwrap();
    assert_eq!(seen(&*store).await, seen(&*expected).await);
    // What was there is not written again.
    assert_eq!(store.files_until(1).await.unwrap(), HashSet::from([id(1)]));
}

pub async fn what_is_known_already_is_no_generation<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    store.commit(meta(&[("root", "here"), ("empty", "")])).await.unwrap();
    let record = store.files().await.unwrap().remove(0);
    let same = vec![(record.id, record.size, record.modified_ns), (id(77), 1, 1)];
    let changes = [
        removal([2, 3]),
        WriteBatch { touched: same, ..WriteBatch::default() },
        meta(&[("empty", ""), ("root", "here")]),
        meta(&[("generation", "7")]),
    ];
    for change in changes {
        assert_eq!(store.commit(change).await.unwrap().generation, 2);
    }
    assert_eq!(store.generation().await.unwrap(), 2);
}

pub async fn the_progress_of_a_job_is_no_generation<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let job = store.add_job(&job(JobState::Running)).await.unwrap();
    let progress = JobProgress { files_done: 3, ..JobProgress::default() };
    let noted = WriteBatch { job: Some((job, progress)), ..WriteBatch::default() };
    assert_eq!(store.commit(noted).await.unwrap().generation, 1);
    let progress = store.job(job).await.unwrap().unwrap().progress;
    assert_eq!((progress.files_done, progress.generation), (3, 1));
    assert_eq!(reader(&backend).await.generation().await.unwrap(), 1);
}

pub async fn a_commit_that_is_refused_is_no_generation<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let error = store.commit(batch([file(2, "b.rs", "mango"), file(1, "c.rs", "kiwi")])).await.unwrap_err();
    assert!(matches!(error, StoreError::InvalidFile { .. }), "{error}");
    assert_eq!(store.generation().await.unwrap(), 1);
    assert_eq!(store.commit(batch([file(2, "b.rs", "mango")])).await.unwrap().generation, 2);
}

pub async fn files_are_told_by_the_generation_they_came_with<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    for number in 1..=4 {
        store.commit(batch([file(number, &format!("{number}.rs"), "plum")])).await.unwrap();
    }
    store.commit(batch([file(5, "2.rs", "mango")])).await.unwrap();
    store.commit(WriteBatch { touched: vec![(id(1), 1, 1)], ..WriteBatch::default() }).await.unwrap();
    let until = async |generation| {
        let mut ids: Vec<u64> =
            store.files_until(generation).await.unwrap().into_iter().map(|file| file.get()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(until(0).await, [0; 0]);
    assert_eq!(until(1).await, [1]);
    assert_eq!(until(4).await, [1, 3, 4]);
    assert_eq!(until(5).await, [1, 3, 4, 5]);
    assert_eq!(until(u64::MAX).await, [1, 3, 4, 5]);
}

pub async fn each_answer_is_of_one_generation<B: Backend>(backend: B) {
    const FILES: u64 = 8;
    const ROUNDS: u64 = 24;
    let store = writer(&backend).await;
    let reader = reader(&backend).await;
    // Each generation has other versions of the same files, which all say which it is.
    let write = async {
        for round in 1..=ROUNDS {
            let files =
                (0..FILES).map(|at| plain(round * 100 + at, &format!("{at}.rs"), &format!("round {round}")));
            store.commit(batch(files)).await.unwrap();
        }
    };
    let read = async {
        let mut answers = 0;
        loop {
            let generation = reader.generation().await.unwrap();
            let files = reader.files().await.unwrap();
            let rounds: HashSet<u64> = files.iter().map(|file| file.id.get() / 100).collect();
            assert!(rounds.len() <= 1 && [0, FILES as usize].contains(&files.len()), "{files:?}");
            assert!(rounds.iter().all(|round| *round >= generation), "{rounds:?} after {generation}");
            let searchable = reader.searchable_files().await.unwrap();
            let rounds: HashSet<u64> = searchable.iter().map(|(file, ..)| file.get() / 100).collect();
            assert!(rounds.len() <= 1 && [0, FILES as usize].contains(&searchable.len()), "{searchable:?}");
            let ids: Vec<_> = searchable.iter().map(|(file, ..)| *file).collect();
            let documents = reader.documents(&ids).await.unwrap();
            assert!([0, ids.len()].contains(&documents.len()), "all of a version are there, or none");
            let counts = reader.counts().await.unwrap();
            assert!(counts.bytes % FILES == 0, "{counts:?}");
            answers += 1;
            if generation == ROUNDS {
                return answers;
            }
        }
    };
    let ((), answers) = tokio::join!(write, read);
    assert!(answers > 1, "it is read while it is written");
}

pub async fn what_is_read_by_id_is_of_that_version_or_gone<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let reader = reader(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    let held = [id(1), id(2)];
    let before = (
        reader.documents(&held).await.unwrap(),
        reader.vectors(&held).await.unwrap(),
        reader.paths(&held).await.unwrap(),
    );
    store.commit(batch([file(3, "a.rs", "kiwi")])).await.unwrap();
    let after = (
        reader.documents(&held).await.unwrap(),
        reader.vectors(&held).await.unwrap(),
        reader.paths(&held).await.unwrap(),
    );
    assert_eq!((&after.0[..], &after.1[..], &after.2[..]), (&before.0[1..], &before.1[1..], &before.2[1..]));
    let found = reader.lexical_search(&["plum"], EVEN, ChunkFilter::Files(held.into()), 9).await.unwrap();
    assert_eq!(found, []);
}
