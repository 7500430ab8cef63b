//! After any sequence of changes the store holds what a new one would that gets the result at once.

use super::sample::{Parts, WORDS, batch, parts, skipped, text};
use super::{Backend, assert_sound, cases, new_store, runtime, seen};
use crate::{FileRecord, FileStatus, IndexedFile, WriteBatch};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Change {
    /// The file at this path gets a text with so many functions.
    Write(u8, u8),
    /// It becomes one that is not indexed.
    Skip(u8),
    Remove(u8),
    Touch(u8, i64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..6_u8, 0..24_u8).prop_map(|(at, functions)| Change::Write(at, functions)),
        1 => (0..6_u8).prop_map(Change::Skip),
        2 => (0..6_u8).prop_map(Change::Remove),
        1 => (0..6_u8, any::<i64>()).prop_map(|(at, time)| Change::Touch(at, time)),
    ]
}

fn written_parts(number: u64, at: u8, functions: u8) -> Parts {
    let word = WORDS[at as usize];
    parts(number, &format!("{word}.rs"), text(word, functions.into()).document())
}

pub fn incremental_equals_rebuilt<B: Backend>() {
    let runtime = runtime();
    let batches = prop::collection::vec(prop::collection::vec(change(), 1..6), 1..8);
    proptest!(cases(24), |(batches in batches)| runtime.block_on(async {
        let (_place, store) = new_store::<B>().await;
        let mut now: BTreeMap<u8, (FileRecord, Option<u8>)> = BTreeMap::new();
        let mut next = 1;
        for changes in batches {
            let mut batch = WriteBatch::default();
            // One change a path and batch, as a scan of a directory finds it.
            let changes: BTreeMap<u8, Change> = changes.into_iter().map(|change| match change {
                Change::Write(at, _) | Change::Skip(at) | Change::Remove(at) | Change::Touch(at, _) => (at, change),
            }).collect();
            for (at, change) in changes {
                match change {
                    Change::Write(_, functions) => {
                        let written = written_parts(next, at, functions).build().unwrap();
                        now.insert(at, (written.record().clone(), Some(functions)));
                        batch.files.push(written);
                    }
                    Change::Skip(_) => {
                        let skipped = skipped(next, &format!("{}.rs", WORDS[at as usize]), FileStatus::TooLarge);
                        now.insert(at, (skipped.record().clone(), None));
                        batch.files.push(skipped);
                    }
                    Change::Remove(_) => {
                        batch.removed.extend(now.remove(&at).map(|(record, _)| record.id));
                    }
                    Change::Touch(_, time) => {
                        if let Some((record, _)) = now.get_mut(&at) {
                            record.modified_ns = time;
                            batch.touched.push((record.id, record.size, time));
                        }
                    }
                }
                next += 1;
            }
            store.commit(batch).await.unwrap();
        }
        let (_place, rebuilt) = new_store::<B>().await;
        let all = now.into_iter().map(|(at, (record, functions))| match functions {
            None => IndexedFile::left_out(record),
            Some(functions) => {
                let built = written_parts(record.id.get(), at, functions);
                Parts { record, ..built }.build().unwrap()
            }
        });
        rebuilt.commit(batch(all)).await.unwrap();
        assert_eq!(seen(&*store).await, seen(&*rebuilt).await);
        assert_sound(&*store).await;
    }));
}
