//! Search by words.

use crate::sample::{files, id, new_store, skipped_record};
use ast_core_model::{Chunk, ChunkId, ChunkTerms, ContentHash, FileId, LineRange, Span};
use ast_core_storage::{Document, FieldWeights, FileStatus, IndexedFile, LexicalHit, Store};
use proptest::prelude::*;

const EVEN: FieldWeights = FieldWeights { name: 1.0, path: 1.0, doc: 1.0, body: 1.0 };

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
    IndexedFile::new(record, &document, chunks.to_vec(), &[]).unwrap()
}

fn body(text: &str) -> ChunkTerms {
    ChunkTerms { body: text.into(), ..ChunkTerms::default() }
}

fn chunk(file: u64, ordinal: u32) -> ChunkId {
    ChunkId::in_file(id(file), ordinal).unwrap()
}

async fn found(
    store: &Store,
    terms: &[&str],
    weights: FieldWeights,
    only: Option<&[FileId]>,
) -> Vec<ChunkId> {
    let hits = store.lexical_search(terms, weights, only, 100).await.unwrap();
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
    let falling = FieldWeights { name: 8.0, path: 4.0, doc: 2.0, body: 1.0 };
    assert_eq!(found(&store, &["needle"], falling, None).await, order);
    let rising = FieldWeights { name: 1.0, path: 2.0, doc: 4.0, body: 8.0 };
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
    let best = store.lexical_search(&["red", "green", "blue"], EVEN, None, 1).await.unwrap();
    assert_eq!(best.iter().map(|hit| hit.chunk).collect::<Vec<_>>(), [chunk(1, 3)]);
    assert_eq!(store.lexical_search(&["red"], EVEN, None, 0).await.unwrap(), []);
    assert_eq!(store.lexical_search(&["red"], EVEN, None, usize::MAX).await.unwrap().len(), 2);
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

/// BM25 as <https://sqlite.org/fts5.html#the_bm25_function> defines it.
fn bm25(chunks: &[ChunkTerms], terms: &[&str], weights: FieldWeights) -> Vec<(usize, f64)> {
    let fields = |chunk: &ChunkTerms| {
        [&chunk.name, &chunk.path, &chunk.doc, &chunk.body]
            .map(|field| field.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let length = |chunk: &ChunkTerms| fields(chunk).iter().map(Vec::len).sum::<usize>() as f64;
    let average = chunks.iter().map(length).sum::<f64>() / chunks.len() as f64;
    let weights = [weights.name, weights.path, weights.doc, weights.body];
    let frequency = |chunk: &ChunkTerms, term: &str| {
        let matches = fields(chunk).map(|field| field.iter().filter(|word| *word == term).count());
        matches.iter().zip(weights).map(|(&count, weight)| count as f64 * weight).sum::<f64>()
    };
    let score = |chunk: &ChunkTerms| {
        let of_term = |term: &&str| {
            let holding = chunks.iter().filter(|chunk| frequency(chunk, term) > 0.0).count() as f64;
            let idf = ((chunks.len() as f64 - holding + 0.5) / (holding + 0.5)).ln().max(1e-6);
            let frequency = frequency(chunk, term);
            idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length(chunk) / average))
        };
        terms.iter().map(of_term).sum::<f64>()
    };
    let scores = chunks.iter().map(score).enumerate();
    let mut scores: Vec<_> = scores.filter(|(_, score)| *score > 0.0).collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores
}

#[test]
fn scores_are_bm25() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let words = ["ab", "cd", "ef", "gh", "ij", "kl"];
    let field = || {
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..6).prop_map(|words| words.join(" "))
    };
    let terms = (field(), field(), field(), field()).prop_map(|(name, path, doc, body)| ChunkTerms {
        name,
        path,
        doc,
        body,
    });
    let chunks = prop::collection::vec(terms, 2..30);
    let query = prop::sample::subsequence(words.to_vec(), 1..=3);
    let weight = || (1..40_u32).prop_map(|weight| f64::from(weight) / 4.0);
    let weights = (weight(), weight(), weight(), weight()).prop_map(|(name, path, doc, body)| FieldWeights {
        name,
        path,
        doc,
        body,
    });
    proptest!(ProptestConfig::with_cases(48), |(chunks in chunks, query in query, weights in weights)| {
        runtime.block_on(async {
            let (_directory, store) = new_store().await;
            store.commit(files(vec![file(1, &chunks)])).await.unwrap();
            let hits = store.lexical_search(&query, weights, None, 100).await.unwrap();
            let expected = bm25(&chunks, &query, weights);
            let mut by_chunk: Vec<LexicalHit> = hits.clone();
            by_chunk.sort_by_key(|hit| hit.chunk);
            let mut expected_by_chunk = expected;
            expected_by_chunk.sort_by_key(|(ordinal, _)| *ordinal);
            assert_eq!(by_chunk.len(), expected_by_chunk.len());
            for (hit, (ordinal, score)) in by_chunk.iter().zip(expected_by_chunk) {
                assert_eq!(hit.chunk, chunk(1, ordinal as u32));
                assert!((hit.score - score).abs() <= 1e-9 * score.abs(), "{hit:?}, expected {score}");
            }
            assert!(hits.is_sorted_by(|a, b| (b.score, a.chunk) <= (a.score, b.chunk)), "{hits:?}");
        });
    });
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
        let hits = runtime.block_on(store.lexical_search(&terms, EVEN, None, 10)).unwrap();
        // What stands alone between characters that cut is found, in whatever case.
        let lower = terms.join(" ").to_ascii_lowercase();
        let mut words = lower.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric());
        let expected = words.clone().any(|word| ["alpha", "beta"].contains(&word));
        prop_assert_eq!(hits.iter().any(|hit| hit.chunk == chunk(1, 0)), expected);
        let expected = words.any(|word| word == "größe");
        prop_assert_eq!(hits.iter().any(|hit| hit.chunk == chunk(1, 1)), expected);
    });
}
