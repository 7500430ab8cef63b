//! What is found to be wrong, and mended.

use super::sample::{Again, batch, file, id, path, skipped};
use super::{Backend, EVEN, assert_sound, reader, seen, writer};
use crate::{ChunkFilter, Derive, Derived, Document, FileRecord, FileStatus, Part, Remedy, Store};

/// What of a file another pipeline would make: vectors turned round, and a word more.
struct Otherwise;

impl Derive for Otherwise {
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String> {
        let Derived { mut terms, mut vectors } = Again.derive(record, document)?;
        vectors.iter_mut().for_each(|value| *value = -*value);
        terms.iter_mut().for_each(|terms| terms.body.push_str(" otherwise"));
        Ok(Derived { terms, vectors })
    }
}

/// Nothing can be made of one file.
struct AllBut(&'static str);

impl Derive for AllBut {
    fn derive(&mut self, record: &FileRecord, document: &Document) -> Result<Derived, String> {
        if record.path.as_str() == self.0 {
            return Err("it makes no sense".to_owned());
        }
        Again.derive(record, document)
    }
}

async fn filled<B: Backend>(backend: &B) -> std::sync::Arc<dyn Store> {
    let store = writer(backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    store.commit(batch([file(3, "a.rs", "kiwi"), skipped(4, "c.bin", FileStatus::Binary)])).await.unwrap();
    store
}

pub async fn a_sound_store_has_nothing_wrong<B: Backend>(backend: B) {
    let store = filled(&backend).await;
    for store in [&store, &reader(&backend).await] {
        let found = store.verify(Box::new(Again)).await.unwrap();
        assert_eq!(found.findings, []);
        assert_eq!((found.files, found.chunks), (3, store.counts().await.unwrap().chunks));
    }
}

pub async fn looking_and_mending_change_nothing_that_is_sound<B: Backend>(backend: B) {
    let store = filled(&backend).await;
    let before = seen(&*store).await;
    store.verify(Box::new(Again)).await.unwrap();
    let repair = store.repair(Box::new(Again)).await.unwrap();
    assert_eq!((&repair.before.findings[..], &repair.after.findings[..]), (&[][..], &[][..]));
    assert_eq!((seen(&*store).await, store.generation().await.unwrap()), (before, 2));
}

pub async fn what_follows_otherwise_by_now_is_found_and_made_anew<B: Backend>(backend: B) {
    let store = filled(&backend).await;
    let before = seen(&*store).await;
    let found = store.verify(Box::new(Otherwise)).await.unwrap().findings;
    for part in [Part::Vectors, Part::Lexical] {
        let of_part = found.iter().find(|finding| finding.part == part);
        assert_eq!(of_part.map(|finding| finding.remedy), Some(Remedy::Derive), "{found:?}");
    }
    assert!(found.iter().all(|finding| finding.part != Part::Names), "names are the document's: {found:?}");
    assert_eq!(seen(&*store).await, before, "looking changes nothing");

    let repair = store.repair(Box::new(Otherwise)).await.unwrap();
    assert_eq!((repair.before.findings, &repair.after.findings[..]), (found, &[][..]));
    assert_eq!(store.generation().await.unwrap(), 3);
    let after = seen(&*reader(&backend).await).await;
    assert_eq!(
        (&after.documents, &after.symbols, &after.files),
        (&before.documents, &before.symbols, &before.files)
    );
    for (after, before) in after.vectors.iter().zip(&before.vectors) {
        assert!(after.codes.iter().zip(&before.codes).all(|(after, before)| *after == -*before));
    }
    let found = store.lexical_search(&["otherwise"], EVEN, ChunkFilter::All, 1_000).await.unwrap();
    assert_eq!(found.len() as u64, after.counts.chunks);
}

pub async fn a_file_of_which_nothing_can_be_made_is_taken_out<B: Backend>(backend: B) {
    let store = filled(&backend).await;
    let found = store.verify(Box::new(AllBut("b.rs"))).await.unwrap().findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.part, finding.remedy), (Part::Documents, Remedy::ReadAgain));
    assert_eq!(finding.path, Some(path("b.rs")));
    assert!(!store.lexical_search(&["mango"], EVEN, ChunkFilter::All, 9).await.unwrap().is_empty());
    let repair = store.repair(Box::new(AllBut("b.rs"))).await.unwrap();
    assert_eq!(repair.after.findings, []);
    let left: Vec<_> = store.files().await.unwrap().into_iter().map(|file| file.id).collect();
    assert_eq!(left, [id(3), id(4)]);
    assert_eq!(store.lexical_search(&["mango"], EVEN, ChunkFilter::All, 9).await.unwrap(), []);
    assert_sound(&*store).await;
}

pub async fn what_is_committed_after_a_repair_is_sound<B: Backend>(backend: B) {
    let store = filled(&backend).await;
    store.repair(Box::new(AllBut("b.rs"))).await.unwrap();
    store.repair(Box::new(Otherwise)).await.unwrap();
    store.repair(Box::new(Again)).await.unwrap();
    assert_eq!(store.commit(batch([file(5, "b.rs", "mango")])).await.unwrap().generation, 6);
    assert_sound(&*store).await;
    let elsewhere = B::new().await;
    let expected = writer(&elsewhere).await;
    let all = [file(3, "a.rs", "kiwi"), skipped(4, "c.bin", FileStatus::Binary), file(5, "b.rs", "mango")];
    expected.commit(batch(all)).await.unwrap();
    assert_eq!(seen(&*store).await, seen(&*expected).await);
}
