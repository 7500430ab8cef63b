//! A writer whose lock was lost writes nothing once another has come.

use super::jobs::job;
use super::sample::{Again, batch, file, id, meta, removal};
use super::{Backend, assert_sound, cases, reader, runtime, seen, writer};
use crate::{JobProgress, JobRecord, JobState, Store, StoreError, WriteBatch};
use proptest::prelude::*;
use std::sync::Arc;

/// Opens the store to write although it is open to another writer.
async fn past_lock<B: Backend>(backend: &B) -> Arc<dyn Store> {
    backend.lose_lock().await;
    writer(backend).await
}

pub async fn a_writer_whose_lock_was_lost_commits_nothing_once_another_is_open<B: Backend>(backend: B) {
    let first = writer(&backend).await;
    first.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    let second = past_lock(&backend).await;
    // It is enough that it is open, and has written nothing yet.
    let change = || WriteBatch {
        removed: vec![id(2)],
        touched: vec![(id(1), 9, 9)],
        meta: meta(&[("root", "here")]).meta,
        ..batch([file(3, "a.rs", "kiwi"), file(4, "d.rs", "melon")])
    };
    let before = seen(&*second).await;
    let error = first.commit(change()).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
    assert!(error.to_string().contains("open it again"), "{error}");
    for store in [&first, &second, &reader(&backend).await] {
        assert_eq!(seen(&**store).await, before);
        assert_eq!((store.meta("root").await.unwrap(), store.generation().await.unwrap()), (None, 1));
    }
    second.commit(batch([file(5, "b.rs", "lemon")])).await.unwrap();
    let after = seen(&*second).await;
    let error = first.commit(change()).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
    assert_eq!((seen(&*second).await, second.generation().await.unwrap()), (after, 2));
    assert_sound(&*second).await;
}

pub async fn nothing_is_written_past_the_fence<B: Backend>(backend: B) {
    let first = writer(&backend).await;
    first.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let running = first.add_job(&job(JobState::Running)).await.unwrap();
    let second = past_lock(&backend).await;
    let before = (seen(&*second).await, second.jobs().await.unwrap());
    let progress = JobProgress { files_done: 7, ..JobProgress::default() };
    for error in [
        first.commit(WriteBatch::default()).await.err(),
        first.commit(WriteBatch { job: Some((running, progress)), ..WriteBatch::default() }).await.err(),
        first.add_job(&job(JobState::Queued)).await.err(),
        first.put_job(&JobRecord { id: running, ..job(JobState::Done) }).await.err(),
        first.interrupt_jobs().await.err(),
        first.repair(Box::new(Again)).await.err(),
    ] {
        assert!(matches!(error, Some(StoreError::Fenced { .. })), "{error:?}");
    }
    assert_eq!((seen(&*second).await, second.jobs().await.unwrap()), before);
    assert_eq!(second.generation().await.unwrap(), 1);
}

pub async fn a_writer_that_is_fenced_off_still_reads<B: Backend>(backend: B) {
    let first = writer(&backend).await;
    let second = past_lock(&backend).await;
    second.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    assert_eq!(seen(&*first).await, seen(&*second).await);
    assert_eq!(first.generation().await.unwrap(), 1);
    assert_sound(&*first).await;
}

pub async fn a_writer_that_is_fenced_off_may_open_again<B: Backend>(backend: B) {
    let first = writer(&backend).await;
    let second = past_lock(&backend).await;
    assert!(matches!(first.commit(removal([1])).await, Err(StoreError::Fenced { .. })));
    first.close().await;
    second.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    second.close().await;
    let again = writer(&backend).await;
    assert_eq!(again.commit(batch([file(2, "b.rs", "mango")])).await.unwrap().generation, 2);
    assert_sound(&*again).await;
}

pub async fn a_writer_is_not_fenced_off_by_readers<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    for number in 1..=3 {
        let reader = reader(&backend).await;
        let error = backend.open(crate::Access::Write).await.err();
        assert!(matches!(error, Some(StoreError::Locked { .. })), "{error:?}");
        store.commit(batch([file(number, "a.rs", "plum")])).await.unwrap();
        assert_eq!(reader.generation().await.unwrap(), number);
    }
}

pub async fn each_writer_is_fenced_off_by_the_next<B: Backend>(backend: B) {
    let mut writers: Vec<Arc<dyn Store>> = Vec::new();
    for number in 1..=4 {
        let next = if writers.is_empty() { writer(&backend).await } else { past_lock(&backend).await };
        next.commit(batch([file(number, &format!("{number}.rs"), "plum")])).await.unwrap();
        for earlier in &writers {
            let error = earlier.commit(removal([number])).await.unwrap_err();
            assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
        }
        writers.push(next);
    }
    assert_eq!(writers[0].files().await.unwrap().len(), 4);
}

#[derive(Debug, Clone)]
enum Step {
    /// Another writer opens past the lock.
    Open,
    /// One of those that are open commits.
    Commit(prop::sample::Index),
    /// One of them closes.
    Close(prop::sample::Index),
}

/// Whoever opens and commits in whatever order: what is there is what was committed by who was the last to open then.
pub fn only_the_last_writer_writes<B: Backend>() {
    let step = prop_oneof![
        1 => Just(Step::Open),
        4 => any::<prop::sample::Index>().prop_map(Step::Commit),
        1 => any::<prop::sample::Index>().prop_map(Step::Close),
    ];
    let runtime = runtime();
    proptest!(cases(24), |(steps in prop::collection::vec(step, 1..24))| runtime.block_on(async {
        let place = B::new().await;
        // Those that are open, with whether each is the last that opened.
        let mut writers = vec![(writer(&place).await, true)];
        let mut expected = Vec::new();
        for (step, number) in steps.into_iter().zip(1..) {
            match step {
                Step::Open => {
                    writers.iter_mut().for_each(|(_, is_last)| *is_last = false);
                    writers.push((past_lock(&place).await, true));
                }
                Step::Commit(at) => {
                    let (writer, is_last) = &writers[at.index(writers.len())];
                    let commit = writer.commit(batch([file(number, &format!("{number}.rs"), "plum")])).await;
                    match is_last {
                        true => expected.push(commit.map(|_| id(number)).unwrap()),
                        false => assert!(matches!(commit, Err(StoreError::Fenced { .. })), "{commit:?}"),
                    }
                }
                Step::Close(at) if writers.len() > 1 => {
                    writers.swap_remove(at.index(writers.len())).0.close().await;
                }
                Step::Close(_) => {}
            }
        }
        let store = reader(&place).await;
        let mut stored: Vec<_> = store.files().await.unwrap().into_iter().map(|file| file.id).collect();
        stored.sort_unstable();
        assert_eq!(stored, expected);
        assert_eq!(store.generation().await.unwrap(), expected.len() as u64);
        assert_sound(&*store).await;
    }));
}
