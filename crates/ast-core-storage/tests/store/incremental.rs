//! After any sequence of changes the store holds what a new one would that gets the result at once.

use crate::sample::{files, id, new_store, parsed, rust_text, skipped};
use crate::tables::rows;
use ast_core_storage::{FieldWeights, FileStatus, IndexedFile, Store, WriteBatch};
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

const WORDS: [&str; 6] = ["apple", "berry", "cherry", "damson", "elder", "fig"];

fn written(number: u64, at: u8, functions: u8) -> IndexedFile {
    let word = WORDS[at as usize];
    parsed(number, &format!("{word}.rs"), &rust_text(word, functions.into()))
}

/// Everything there is to see, but for the generations.
async fn seen(store: &Store) -> Vec<String> {
    let mut seen = Vec::new();
    for statement in [
        "SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors \
         FROM files ORDER BY id",
        "SELECT * FROM sources",
        "SELECT * FROM symbols",
        "SELECT * FROM chunks",
        "SELECT * FROM embeddings",
        "SELECT * FROM terms",
        "SELECT * FROM lexical_docsize",
    ] {
        seen.extend(rows(store.path(), statement).await.into_iter().map(|row| format!("{row:?}")));
    }
    let weights = FieldWeights { name: 3.0, path: 2.0, doc: 1.5, body: 1.0 };
    for terms in [&["count", "state"][..], &["total"], &WORDS] {
        let hits = store.lexical_search(terms, weights, None, 1_000).await.unwrap();
        seen.extend(hits.into_iter().map(|hit| format!("{:?} {:.9}", hit.chunk, hit.score)));
    }
    seen
}

#[test]
fn incremental_equals_rebuilt() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let batches = prop::collection::vec(prop::collection::vec(change(), 1..6), 1..8);
    proptest!(ProptestConfig::with_cases(24), |(batches in batches)| runtime.block_on(async {
        let (_directory, store) = new_store().await;
        let mut now: BTreeMap<u8, IndexedFile> = BTreeMap::new();
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
                        batch.files.push(written(next, at, functions));
                        now.insert(at, written(next, at, functions));
                    }
                    Change::Skip(_) => {
                        let skipped = || skipped(next, &format!("{}.rs", WORDS[at as usize]), FileStatus::TooLarge);
                        batch.files.push(skipped());
                        now.insert(at, skipped());
                    }
                    Change::Remove(_) => {
                        batch.removed.extend(now.remove(&at).map(|file| file.record.id));
                    }
                    Change::Touch(_, time) => {
                        if let Some(file) = now.get_mut(&at) {
                            file.record.modified_ns = time;
                            batch.touched.push((file.record.id, file.record.size, time));
                        }
                    }
                }
                next += 1;
            }
            store.commit(&batch).await.unwrap();
        }
        let (_directory, rebuilt) = new_store().await;
        rebuilt.commit(&files(now.into_values().collect())).await.unwrap();
        assert_eq!(seen(&store).await, seen(&rebuilt).await);
        assert_eq!(store.source(id(next)).await.unwrap(), None);
    }));
}
