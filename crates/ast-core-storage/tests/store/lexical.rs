//! Search by words.

use crate::sample::{EVEN, files, id, new_store, skipped_record};
use crate::tables::rows;
use ast_core_model::{Chunk, ChunkId, ChunkTerms, ContentHash, FileId, LineRange, Span};
use ast_core_storage::{
    Bm25f, ChunkFilter, Document, FileStatus, IndexedFile, Store, StoreError, WriteBatch,
};
use proptest::prelude::*;
use std::sync::Arc;

/// A file with a chunk for each of these.
fn file(number: u64, chunks: &[ChunkTerms]) -> IndexedFile {
    let record = skipped_record(number, &format!("{number}.rs"), FileStatus::Indexed);
    let chunk = Chunk {
        span: Span::new(0, 1),
        lines: LineRange::new(1, 1),
        symbol: None,
        hash: ContentHash::from_bytes([0; 16]),
    };
    let document = Document { chunks: vec![chunk; chunks.len()], ..Document::default() };
    IndexedFile::new(record, &document, chunks, &[]).unwrap()
}

fn body(text: &str) -> ChunkTerms {
    ChunkTerms { body: text.into(), ..ChunkTerms::default() }
}

fn chunk(file: u64, ordinal: u32) -> ChunkId {
    ChunkId::in_file(id(file), ordinal).unwrap()
}

async fn found(store: &Store, terms: &[&str], ranking: Bm25f, only: Option<&[FileId]>) -> Vec<ChunkId> {
    let filter = only.map_or(ChunkFilter::All, |files| ChunkFilter::Files(files.to_vec()));
    let hits = store.lexical_search(terms, ranking, filter, 100).await.unwrap();
    assert!(hits.is_sorted_by(|a, b| (b.score, a.chunk) <= (a.score, b.chunk)), "{hits:?}");
    hits.into_iter().map(|hit| hit.chunk).collect()
}

#[tokio::test]
async fn a_match_counts_for_the_weight_of_its_field() {
    let (_directory, store) = new_store().await;
    let term = || "needle".to_owned();
    let mut chunks = vec![
        ChunkTerms { name: term(), ..body("hay") },
        ChunkTerms { path: term(), ..body("hay") },
        ChunkTerms { doc: term(), ..body("hay") },
        body("needle hay"),
    ];
    // A word that is in most of the chunks counts for next to nothing.
    chunks.extend((0..8).map(|_| body("other hay")));
    store.commit(files(vec![file(1, &chunks)])).await.unwrap();
    let order = [chunk(1, 0), chunk(1, 1), chunk(1, 2), chunk(1, 3)];
    let falling = Bm25f { weights: [8.0, 4.0, 2.0, 1.0], ..EVEN };
    assert_eq!(found(&store, &["needle"], falling, None).await, order);
    let rising = Bm25f { weights: [1.0, 2.0, 4.0, 8.0], ..EVEN };
    assert_eq!(
        found(&store, &["needle"], rising, None).await,
        order.iter().rev().copied().collect::<Vec<_>>()
    );
    assert_eq!(found(&store, &["needle"], EVEN, None).await, order, "ties go by id");
}

#[tokio::test]
async fn any_of_the_terms_is_enough_and_more_are_better() {
    let (_directory, store) = new_store().await;
    let first =
        file(1, &[body("red"), body("green blue"), body("black"), body("red green blue"), body("grey")]);
    let rest: Vec<_> = (0..20).map(|_| body("white")).collect();
    store.commit(files(vec![first, file(2, &rest)])).await.unwrap();
    let all = found(&store, &["red", "green", "blue", "nowhere"], EVEN, None).await;
    assert_eq!(all, [chunk(1, 3), chunk(1, 1), chunk(1, 0)]);
    assert_eq!(found(&store, &["nowhere"], EVEN, None).await, []);
    assert_eq!(found(&store, &[], EVEN, None).await, []);
    let best = store.lexical_search(&["red", "green", "blue"], EVEN, ChunkFilter::All, 1).await.unwrap();
    assert_eq!(best.iter().map(|hit| hit.chunk).collect::<Vec<_>>(), [chunk(1, 3)]);
    assert_eq!(store.lexical_search(&["red"], EVEN, ChunkFilter::All, 0).await.unwrap(), []);
    assert_eq!(store.lexical_search(&["red"], EVEN, ChunkFilter::All, usize::MAX).await.unwrap().len(), 2);
}

#[tokio::test]
async fn only_chunks_of_the_files_asked_for_are_found() {
    let (_directory, store) = new_store().await;
    let both = || [body("needle"), body("needle hay")];
    store.commit(files((1..=5).map(|number| file(number, &both())).collect())).await.unwrap();
    let all = found(&store, &["needle"], EVEN, None).await;
    assert_eq!(all.len(), 10);
    for only in [&[][..], &[id(2)], &[id(4), id(1), id(4)], &[id(99)]] {
        let expected: Vec<_> = all.iter().copied().filter(|chunk| only.contains(&chunk.file())).collect();
        assert_eq!(found(&store, &["needle"], EVEN, Some(only)).await, expected);
    }
}

#[tokio::test]
async fn what_the_index_cuts_is_cut_in_the_query_too() {
    let (_directory, store) = new_store().await;
    let chunks = [body("alpha"), body("beta"), body("größe"), body("検索")];
    store.commit(files(vec![file(1, &chunks)])).await.unwrap();
    assert_eq!(found(&store, &["alpha-beta"], EVEN, None).await, [chunk(1, 0), chunk(1, 1)]);
    assert_eq!(found(&store, &["\0alpha\0"], EVEN, None).await, [chunk(1, 0)]);
    assert_eq!(found(&store, &["\"beta"], EVEN, None).await, [chunk(1, 1)]);
    assert_eq!(found(&store, &["größe", "検索"], EVEN, None).await, [chunk(1, 2), chunk(1, 3)]);
    for syntax in
        ["alpha AND beta", "NEAR(alpha beta)", "name:alpha", "alpha*", "^alpha", "{name body}: alpha"]
    {
        assert!(found(&store, &[syntax], EVEN, None).await.contains(&chunk(1, 0)), "{syntax}");
    }
    for nothing in ["", "-", "\"\"", "*", "'; DROP TABLE files; --", "\0"] {
        assert_eq!(found(&store, &[nothing], EVEN, None).await, [], "{nothing}");
    }
}

#[tokio::test]
async fn a_query_of_any_length_is_answered() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![file(1, &[body("needle hay")])])).await.unwrap();
    let long = "x".repeat(1 << 20);
    assert_eq!(found(&store, &[&long, "needle"], EVEN, None).await, [chunk(1, 0)]);
    let words: Vec<String> = (0..5_000).map(|number| format!("word{number}")).collect();
    let mut many: Vec<&str> = words.iter().map(String::as_str).collect();
    many.push("hay");
    assert_eq!(found(&store, &many, EVEN, None).await, [chunk(1, 0)]);
}

#[tokio::test]
async fn only_chunks_that_a_function_takes_are_found() {
    let (_directory, store) = new_store().await;
    let chunks: Vec<_> = (0..40).map(|_| body("needle hay")).collect();
    store.commit(files(vec![file(1, &chunks)])).await.unwrap();
    let odd = ChunkFilter::Chunks(Arc::new(|chunk: ChunkId| chunk.ordinal() % 2 == 1));
    let hits = store.lexical_search(&["needle"], EVEN, odd, 5).await.unwrap();
    let expected: Vec<_> = [1, 3, 5, 7, 9].map(|ordinal| chunk(1, ordinal)).into();
    assert_eq!(hits.into_iter().map(|hit| hit.chunk).collect::<Vec<_>>(), expected);
}

/// One segment a commit, merged as they become many, and always the answers of one that got all at once.
#[tokio::test]
async fn many_small_commits_answer_as_a_large_one() {
    let words = ["ab", "cd", "ef", "gh", "ij"];
    let text = |number: u64| {
        let words = words.iter().enumerate().filter(|(at, _)| number % (*at as u64 + 2) < 2);
        words.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    let version = |number: u64| file(number, &[body(&text(number)), body(&text(number / 3))]);
    let ranking = Bm25f { b: [0.75; 4], ..EVEN };
    let ((_one, small), (_other, large)) = (new_store().await, new_store().await);
    for number in 1..=150_u64 {
        let gone = number.checked_sub(37).filter(|gone| *gone > 0 && gone % 2 == 0);
        let batch =
            WriteBatch { removed: gone.map(id).into_iter().collect(), ..files(vec![version(number)]) };
        small.commit(batch).await.unwrap();
    }
    let left = (1..=150).filter(|number| number % 2 == 1 || *number > 113);
    large.commit(files(left.map(version).collect())).await.unwrap();
    for terms in [&["ab"][..], &["cd", "ij"], &words] {
        let hits = small.lexical_search(terms, ranking, ChunkFilter::All, 1_000).await.unwrap();
        let expected = large.lexical_search(terms, ranking, ChunkFilter::All, 1_000).await.unwrap();
        assert!(expected.len() > 20);
        assert_eq!(hits, expected, "{terms:?}");
    }
    let pages = &rows(small.path(), "SELECT count(DISTINCT id >> 32) FROM lexical_pages").await[0][0];
    assert!(pages.parse::<u32>().unwrap() < 24, "{pages} segments");
}

#[tokio::test]
async fn a_ranking_that_makes_no_sense_is_refused() {
    let (_directory, store) = new_store().await;
    store.commit(files(vec![file(1, &[body("needle")])])).await.unwrap();
    let ranking = Bm25f { k1: f64::NAN, ..EVEN };
    let error = store.lexical_search(&["needle"], ranking, ChunkFilter::All, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Lexical(_)), "{error}");
}

#[test]
fn any_text_is_safe() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_directory, store) = runtime.block_on(new_store());
    let chunks = [body("alpha beta"), body("größe")];
    runtime.block_on(store.commit(files(vec![file(1, &chunks)]))).unwrap();
    let syntax = "(AND|OR|NOT|NEAR|[\"'(){}:*^+,\0-]| |alpha|beta|größe|[\\x00-\\x7F]|\\PC){0,24}";
    let term = prop_oneof![syntax, any::<String>()];
    proptest!(ProptestConfig::with_cases(512), |(terms in prop::collection::vec(term, 0..4))| {
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
