//! How a store is opened, by how many, and what it is then.

use super::jobs::job;
use super::sample::{Again, batch, file, meta, removal};
use super::{Backend, EVEN, assert_sound, reader, seen, writer};
use crate::{
    Access, ChunkFilter, JobState, NameMatch, RepositoryId, StoreCounts, StoreError, SymbolQuery, WriteBatch,
};
use std::sync::Arc;

pub async fn a_new_store_holds_nothing<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    assert_eq!(store.generation().await.unwrap(), 0);
    assert_eq!(store.files().await.unwrap(), []);
    assert_eq!(store.searchable_files().await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap(), StoreCounts::default());
    assert_eq!(store.meta("root").await.unwrap(), None);
    assert_eq!(store.files_naming("", NameMatch::Prefix).await.unwrap(), []);
    assert_eq!(store.symbols(&SymbolQuery::exact("main")).await.unwrap(), []);
    assert_eq!(store.lexical_search(&["main"], EVEN, ChunkFilter::All, 9).await.unwrap(), []);
    assert_eq!(store.jobs().await.unwrap(), []);
    assert_sound(&*store).await;
    assert!(!store.path().as_os_str().is_empty() && store.schema_version() > 0);
}

pub async fn what_is_not_there_is_missing_for_a_reader<B: Backend>(backend: B) {
    let error = backend.open(Access::Read).await.err().expect("there is none");
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    drop(writer(&backend).await);
    reader(&backend).await;
}

pub async fn a_store_says_what_it_was_opened_for<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    assert_eq!((store.access(), reader(&backend).await.access()), (Access::Write, Access::Read));
}

pub async fn a_store_is_one_repository_whoever_opens_it<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let repository: RepositoryId = store.repository().unwrap();
    assert_eq!(reader(&backend).await.repository().unwrap(), repository);
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    store.close().await;
    assert_eq!(writer(&backend).await.repository().unwrap(), repository);
    assert_eq!(repository.to_string().parse(), Ok(repository));
}

pub async fn stores_know_nothing_of_each_other<B: Backend>(backend: B) {
    let elsewhere = B::new().await;
    let (store, other) = (writer(&backend).await, writer(&elsewhere).await);
    assert_ne!(store.repository().unwrap(), other.repository().unwrap());
    // The same keys in both.
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    other.commit(batch([file(1, "a.rs", "mango"), file(2, "b.rs", "mango")])).await.unwrap();
    other.commit(meta(&[("root", "elsewhere")])).await.unwrap();
    other.add_job(&job(JobState::Done)).await.unwrap();
    let before = seen(&*store).await;
    assert_eq!((before.files.len(), store.generation().await.unwrap()), (1, 1));
    assert_eq!(store.meta("root").await.unwrap(), None);
    assert_eq!(store.jobs().await.unwrap(), []);
    other.commit(removal([1, 2])).await.unwrap();
    assert_eq!(seen(&*store).await, before);
}

pub async fn what_was_committed_is_there_when_it_is_opened_again<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    store.commit(meta(&[("root", "here")])).await.unwrap();
    let before = seen(&*store).await;
    store.close().await;
    for access in [Access::Read, Access::Write] {
        let store = backend.open(access).await.expect("it opens");
        assert_eq!(seen(&*store).await, before);
        assert_eq!(store.meta("root").await.unwrap().as_deref(), Some("here"));
        assert_eq!(store.generation().await.unwrap(), 2);
    }
}

pub async fn a_reader_sees_what_is_committed_after_it_was_opened<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let reader = reader(&backend).await;
    for number in 1..=3 {
        store
            .commit(batch([file(number, "a.rs", "plum"), file(10 + number, "b.rs", "mango")]))
            .await
            .unwrap();
        assert_eq!(reader.generation().await.unwrap(), number);
        assert_eq!(seen(&*reader).await, seen(&*store).await);
    }
}

pub async fn a_second_writer_is_refused_until_the_first_is_closed<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let error = backend.open(Access::Write).await.err().expect("one writes already");
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    // It does no harm to the one that has it, nor to readers.
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    assert_eq!(reader(&backend).await.generation().await.unwrap(), 1);
    store.close().await;
    let store = writer(&backend).await;
    store.commit(removal([1])).await.unwrap();
    drop(store);
    assert_eq!(writer(&backend).await.generation().await.unwrap(), 2);
}

pub async fn a_store_that_was_opened_for_reading_refuses_to_write<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let reader = reader(&backend).await;
    let noted = job(JobState::Queued);
    for error in [
        reader.commit(removal([1])).await.err(),
        reader.commit(WriteBatch::default()).await.err(),
        reader.add_job(&noted).await.err(),
        reader.put_job(&noted).await.err(),
        reader.interrupt_jobs().await.err(),
        reader.repair(Box::new(Again)).await.err(),
    ] {
        assert!(matches!(error, Some(StoreError::ReadOnly { .. })), "{error:?}");
    }
    // There is nothing of its own to be settled.
    reader.settle().await.unwrap();
    assert_eq!((store.files().await.unwrap().len(), store.generation().await.unwrap()), (1, 1));
}

pub async fn a_store_stays_open_for_its_other_holders<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    Arc::clone(&store).close().await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    assert_eq!(store.files().await.unwrap().len(), 1);
    assert!(matches!(backend.open(Access::Write).await.err(), Some(StoreError::Locked { .. })));
}
