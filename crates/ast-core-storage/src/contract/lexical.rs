//! Search by words.

use super::sample::{batch, chunks, file, id, removal};
use super::{Backend, EVEN, cases, new_store, runtime, writer};
use crate::{Bm25f, ChunkFilter, Store, StoreError, WriteBatch};
use ast_core_model::{ChunkId, ChunkTerms, FileId};
use proptest::prelude::*;
use std::sync::Arc;

fn body(text: &str) -> ChunkTerms {
    ChunkTerms { body: text.into(), ..ChunkTerms::default() }
}

fn chunk(file: u64, ordinal: u32) -> ChunkId {
    ChunkId::in_file(id(file), ordinal).expect("an id")
}

async fn found(store: &dyn Store, terms: &[&str], ranking: Bm25f, only: Option<&[FileId]>) -> Vec<ChunkId> {
    let filter = only.map_or(ChunkFilter::All, |files| ChunkFilter::Files(files.to_vec()));
    let hits = store.lexical_search(terms, ranking, filter, 100).await.unwrap();
    assert!(hits.is_sorted_by(|a, b| (b.score, a.chunk) <= (a.score, b.chunk)), "{hits:?}");
    hits.into_iter().map(|hit| hit.chunk).collect()
}

pub async fn a_match_counts_for_the_weight_of_its_field<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let term = || "needle".to_owned();
    let mut terms = vec![
        ChunkTerms { name: term(), ..body("hay") },
        ChunkTerms { path: term(), ..body("hay") },
        ChunkTerms { doc: term(), ..body("hay") },
        body("needle hay"),
    ];
    // A word that is in most of the chunks counts for next to nothing.
    terms.extend((0..8).map(|_| body("other hay")));
    store.commit(batch([chunks(1, &terms)])).await.unwrap();
    let order = [chunk(1, 0), chunk(1, 1), chunk(1, 2), chunk(1, 3)];
    let falling = Bm25f { weights: [8.0, 4.0, 2.0, 1.0], ..EVEN };
    assert_eq!(found(&*store, &["needle"], falling, None).await, order);
    let rising = Bm25f { weights: [1.0, 2.0, 4.0, 8.0], ..EVEN };
    assert_eq!(
        found(&*store, &["needle"], rising, None).await,
        order.iter().rev().copied().collect::<Vec<_>>()
    );
    assert_eq!(found(&*store, &["needle"], EVEN, None).await, order, "ties go by id");
}

pub async fn any_of_the_terms_is_enough_and_more_are_better<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let first =
        chunks(1, &[body("red"), body("green blue"), body("black"), body("red green blue"), body("grey")]);
    let rest: Vec<_> = (0..20).map(|_| body("white")).collect();
    store.commit(batch([first, chunks(2, &rest)])).await.unwrap();
    let all = found(&*store, &["red", "green", "blue", "nowhere"], EVEN, None).await;
    assert_eq!(all, [chunk(1, 3), chunk(1, 1), chunk(1, 0)]);
    assert_eq!(found(&*store, &["nowhere"], EVEN, None).await, []);
    assert_eq!(found(&*store, &[], EVEN, None).await, []);
    let best = store.lexical_search(&["red", "green", "blue"], EVEN, ChunkFilter::All, 1).await.unwrap();
    assert_eq!(best.iter().map(|hit| hit.chunk).collect::<Vec<_>>(), [chunk(1, 3)]);
    assert_eq!(store.lexical_search(&["red"], EVEN, ChunkFilter::All, 0).await.unwrap(), []);
    assert_eq!(store.lexical_search(&["red"], EVEN, ChunkFilter::All, usize::MAX).await.unwrap().len(), 2);
}

pub async fn a_rare_word_counts_for_more_than_a_common_one<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let mut terms = vec![body("common"), body("rare")];
    terms.extend((0..20).map(|at| body(if at < 6 { "common" } else { "else" })));
    store.commit(batch([chunks(1, &terms)])).await.unwrap();
    let all = found(&*store, &["common", "rare"], EVEN, None).await;
    assert_eq!((all[0], all.len()), (chunk(1, 1), 8));
}

pub async fn only_chunks_of_the_files_asked_for_are_found<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let both = || [body("needle"), body("needle hay")];
    store.commit(batch((1..=5).map(|number| chunks(number, &both())))).await.unwrap();
    let all = found(&*store, &["needle"], EVEN, None).await;
    assert_eq!(all.len(), 10);
    for only in [&[][..], &[id(2)], &[id(4), id(1), id(4)], &[id(99)]] {
        let expected: Vec<_> = all.iter().copied().filter(|chunk| only.contains(&chunk.file())).collect();
        assert_eq!(found(&*store, &["needle"], EVEN, Some(only)).await, expected);
    }
}

pub async fn only_chunks_that_a_function_takes_are_found<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let terms: Vec<_> = (0..40).map(|_| body("needle hay")).collect();
    store.commit(batch([chunks(1, &terms)])).await.unwrap();
    let odd = ChunkFilter::Chunks(Arc::new(|chunk: ChunkId| chunk.ordinal() % 2 == 1));
    let hits = store.lexical_search(&["needle"], EVEN, odd, 5).await.unwrap();
    let expected: Vec<_> = [1, 3, 5, 7, 9].map(|ordinal| chunk(1, ordinal)).into();
    assert_eq!(hits.into_iter().map(|hit| hit.chunk).collect::<Vec<_>>(), expected);
}

pub async fn what_the_index_cuts_is_cut_in_the_query_too<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let terms = [body("alpha"), body("beta"), body("größe"), body("検索")];
    store.commit(batch([chunks(1, &terms)])).await.unwrap();
    assert_eq!(found(&*store, &["alpha-beta"], EVEN, None).await, [chunk(1, 0), chunk(1, 1)]);
    assert_eq!(found(&*store, &["\0alpha\0"], EVEN, None).await, [chunk(1, 0)]);
    assert_eq!(found(&*store, &["\"beta"], EVEN, None).await, [chunk(1, 1)]);
    assert_eq!(found(&*store, &["größe", "検索"], EVEN, None).await, [chunk(1, 2), chunk(1, 3)]);
    for syntax in
        ["alpha AND beta", "NEAR(alpha beta)", "name:alpha", "alpha*", "^alpha", "{name body}: alpha"]
    {
        assert!(found(&*store, &[syntax], EVEN, None).await.contains(&chunk(1, 0)), "{syntax}");
    }
    for nothing in ["", "-", "\"\"", "*", "'; DROP TABLE files; --", "\0"] {
        assert_eq!(found(&*store, &[nothing], EVEN, None).await, [], "{nothing}");
    }
}

pub async fn a_query_of_any_length_is_answered<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([chunks(1, &[body("needle hay")])])).await.unwrap();
    let long = "x".repeat(1 << 20);
    assert_eq!(found(&*store, &[&long, "needle"], EVEN, None).await, [chunk(1, 0)]);
    let words: Vec<String> = (0..5_000).map(|number| format!("word{number}")).collect();
    let mut many: Vec<&str> = words.iter().map(String::as_str).collect();
    many.push("hay");
    assert_eq!(found(&*store, &many, EVEN, None).await, [chunk(1, 0)]);
}

pub async fn words_go_with_their_files<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum"), file(2, "b.rs", "mango")])).await.unwrap();
    assert!(!found(&*store, &["plum"], EVEN, None).await.is_empty());
    store.commit(batch([file(3, "a.rs", "kiwi")])).await.unwrap();
    assert_eq!(found(&*store, &["plum"], EVEN, None).await, []);
    store.commit(removal([2, 3])).await.unwrap();
    assert_eq!(found(&*store, &["mango", "kiwi", "count"], EVEN, None).await, []);
}

/// Always the answers of one that got all at once.
pub async fn many_small_commits_answer_as_a_large_one<B: Backend>(backend: B) {
    let words = ["ab", "cd", "ef", "gh", "ij"];
    let text = |number: u64| {
        let words = words.iter().enumerate().filter(|(at, _)| number % (*at as u64 + 2) < 2);
        words.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    let version = |number: u64| chunks(number, &[body(&text(number)), body(&text(number / 3))]);
    let ranking = Bm25f { b: [0.75; 4], ..EVEN };
    let elsewhere = B::new().await;
    let (small, large) = (writer(&backend).await, writer(&elsewhere).await);
    for number in 1..=150_u64 {
        let gone = number.checked_sub(37).filter(|gone| *gone > 0 && gone % 2 == 0);
        let batch = WriteBatch { removed: gone.map(id).into_iter().collect(), ..batch([version(number)]) };
        small.commit(batch).await.unwrap();
    }
    let left = (1..=150).filter(|number| number % 2 == 1 || *number > 113);
    large.commit(batch(left.map(version))).await.unwrap();
    for terms in [&["ab"][..], &["cd", "ij"], &words] {
        let hits = small.lexical_search(terms, ranking, ChunkFilter::All, 1_000).await.unwrap();
        let expected = large.lexical_search(terms, ranking, ChunkFilter::All, 1_000).await.unwrap();
        assert!(expected.len() > 20);
        assert_eq!(hits, expected, "{terms:?}");
    }
}

pub async fn a_ranking_that_makes_no_sense_is_refused<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([chunks(1, &[body("needle")])])).await.unwrap();
    let ranking = Bm25f { k1: f64::NAN, ..EVEN };
    let error = store.lexical_search(&["needle"], ranking, ChunkFilter::All, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Lexical(_)), "{error}");
}

pub fn any_text_is_safe<B: Backend>() {
    let runtime = runtime();
    let (_place, store) = runtime.block_on(new_store::<B>());
    let terms = [body("alpha beta"), body("größe")];
    runtime.block_on(store.commit(batch([chunks(1, &terms)]))).unwrap();
    let syntax = "(AND|OR|NOT|NEAR|[\"'(){}:*^+,\0-]| |alpha|beta|größe|[\\x00-\\x7F]|\\PC){0,24}";
    let term = prop_oneof![syntax, any::<String>()];
    proptest!(cases(512), |(terms in prop::collection::vec(term, 0..4))| {
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        let hits = runtime.block_on(store.lexical_search(&terms, EVEN, ChunkFilter::All, 10)).unwrap();
        // What stands alone between characters that cut is found, in whatever case.
        let lower = terms.join(" ").to_ascii_lowercase();
        let mut words = lower.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric());
        let expected = words.clone().any(|word| ["alpha", "beta"].contains(&word));
        prop_assert_eq!(hits.iter().any(|hit| hit.chunk == chunk(1, 0)), expected);
        let expected = words.any(|word| word == "größe");
        prop_assert_eq!(hits.iter().any(|hit| hit.chunk == chunk(1, 1)), expected);
    });
}
