//! After any sequence of changes the store holds what a new one would that gets the result at once.

use crate::sample::{Again, Parts, files, new_store, parts, rust_text, skipped};
use crate::tables::rows;
use ast_core_storage::{
    Bm25f, ChunkFilter, FileRecord, FileStatus, IndexedFile, NameMatch, Store, SymbolQuery, WriteBatch,
};
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

fn written_parts(number: u64, at: u8, functions: u8) -> Parts {
    let word = WORDS[at as usize];
    parts(number, &format!("{word}.rs"), &rust_text(word, functions.into()))
}

fn written(number: u64, at: u8, functions: u8) -> IndexedFile {
    written_parts(number, at, functions).build().unwrap()
}

/// Everything there is to see, but for the generations.
async fn seen(store: &Store) -> Vec<String> {
    let mut seen = Vec::new();
    for statement in [
        "SELECT id, path, language, status, detail, size, modified_ns, content_hash, lines, syntax_errors \
         FROM files ORDER BY id",
        "SELECT * FROM documents",
        "SELECT * FROM vectors",
    ] {
        seen.extend(rows(store.path(), statement).await.into_iter().map(|row| format!("{row:?}")));
    }
    let ranking = Bm25f { weights: [3.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };
    for terms in [&["count", "state"][..], &["total"], &WORDS] {
        let hits = store.lexical_search(terms, ranking, ChunkFilter::All, 1_000).await.unwrap();
        seen.extend(hits.into_iter().map(|hit| format!("{:?} {}", hit.chunk, hit.score)));
    }
    let naming = store.files_naming("", NameMatch::Prefix).await.unwrap();
    seen.extend(naming.into_iter().map(|naming| format!("{naming:?}")));
    let every = SymbolQuery { matching: NameMatch::Prefix, ..SymbolQuery::exact("") };
    seen.extend(store.symbols(&every).await.unwrap().into_iter().map(|found| format!("{found:?}")));
    seen
}

#[test]
fn incremental_equals_rebuilt() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let batches = prop::collection::vec(prop::collection::vec(change(), 1..6), 1..8);
    proptest!(ProptestConfig::with_cases(24), |(batches in batches)| runtime.block_on(async {
        let (_directory, store) = new_store().await;
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
                        let written = written(next, at, functions);
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
        let (_directory, rebuilt) = new_store().await;
        let all = now.into_iter().map(|(at, (record, functions))| match functions {
            None => IndexedFile::left_out(record),
            Some(functions) => Parts { record, ..written_parts(1, at, functions) }.build().unwrap(),
        });
        rebuilt.commit(files(all.collect())).await.unwrap();
        assert_eq!(seen(&store).await, seen(&rebuilt).await);
        assert_eq!(store.verify(Again).await.unwrap().findings, []);
    }));
}
