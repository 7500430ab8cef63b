//! Any sequence of commits, removals, merges and searches ranks as a comparison with all documents does.

use crate::oracle::Oracle;
use crate::store::{Store, file};
use ast_core_lexical::{Bm25f, Filter, PageCache, TermMatch};
use ast_core_model::{ChunkId, ChunkTerms};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// Files with new ids, in the order of their keys, and some to be removed.
    Commit {
        added: Vec<(u8, Vec<ChunkTerms>)>,
        removed: Vec<u8>,
    },
    Merge(Vec<u8>),
    Settle,
    Match {
        text: String,
        how: u8,
    },
    Search {
        terms: Vec<String>,
        ranking: Bm25f,
        limit: usize,
        filter: Wanted,
    },
}

#[derive(Debug, Clone)]
enum Wanted {
    All,
    Files(Vec<u64>),
    Chunks(u64),
}

/// Some terms are in most chunks, most in few.
fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]",
        2 => "[a-f][a-c]",
        1 => "[a-z]{2,12}",
        1 => Just("größe".to_owned()),
    ]
}

fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(term(), 0..most).prop_map(|terms| terms.join(" "))
}

fn chunk() -> impl Strategy<Value = ChunkTerms> {
    (text(3), text(4), text(6), text(20)).prop_map(|(name, path, doc, body)| ChunkTerms {
        name,
        path,
        doc,
        body,
    })
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.01..10.0]
}

fn ranking() -> impl Strategy<Value = Bm25f> {
    let b = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    ([weight(), weight(), weight(), weight()], [b(), b(), b(), b()], 0.1..4.0)
        .prop_map(|(weights, b, k1)| Bm25f { weights, b, k1 })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        3 => Just(Wanted::All),
        1 => prop::collection::btree_set(1..60_u64, 0..20).prop_map(|files| Wanted::Files(files.into_iter().collect())),
        1 => (1..4_u64).prop_map(Wanted::Chunks),
    ]
}

fn step(chunks: usize) -> impl Strategy<Value = Step> {
    let added = (any::<u8>(), prop::collection::vec(chunk(), 0..chunks));
    prop_oneof![
        3 => (prop::collection::vec(added, 0..8), prop::collection::vec(any::<u8>(), 0..4))
            .prop_map(|(added, removed)| Step::Commit { added, removed }),
        1 => prop::collection::vec(any::<u8>(), 1..5).prop_map(Step::Merge),
        1 => Just(Step::Settle),
        1 => ("[a-c]{0,2}", 0..3_u8).prop_map(|(text, how)| Step::Match { text, how }),
        3 => (prop::collection::vec(term(), 0..6), ranking(), 0..40_usize, wanted())
            .prop_map(|(terms, ranking, limit, filter)| Step::Search { terms, ranking, limit, filter }),
    ]
}

fn check(steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut store, mut oracle) = (Store::default(), Oracle::default());
    // Small, so that pages come and go.
    let cache = PageCache::new(40 << 10);
    let mut next = 1;
    for step in steps {
        match step {
            Step::Commit { added, removed } => {
                let removed: Vec<u64> = removed.iter().map(|&at| 1 + u64::from(at) % 60).collect();
                // Ids of one commit may lie between those of another, but none is ever given twice.
                let first = next;
                next += added.len() as u64 * 2;
                let mut files = added.clone();
                files.sort_by_key(|(key, _)| *key);
                let ids = (first..).step_by(if first % 2 == 0 { 1 } else { 2 });
                let files: Vec<_> = ids.zip(files).map(|(id, (_, chunks))| (id, chunks)).collect();
                store.update(&removed, &files).unwrap();
                removed.iter().for_each(|&number| drop(oracle.files.remove(&file(number))));
                oracle.files.extend(files.into_iter().map(|(id, chunks)| (file(id), chunks)));
            }
            Step::Merge(which) => {
                let last = store.pages.keys().last().map_or(0, |page| page.get() >> 32) as u32;
                let which: Vec<u32> = which.iter().map(|&at| u32::from(at) % (last + 2)).collect();
                store.merge(&which).unwrap();
            }
            Step::Settle => store.settle(u64::MAX).unwrap(),
            Step::Match { text, how } => {
                let terms = [TermMatch::Equal(text), TermMatch::Prefix(text), TermMatch::Substring(text)];
                let takes = |term: &str| match how {
                    0 => term == text,
                    1 => term.starts_with(text.as_str()),
                    _ => term.contains(text.as_str()),
                };
                let found = store.matches(terms[usize::from(*how)], &cache).unwrap();
                let found: Vec<_> = found.iter().map(|found| (found.chunk, found.frequencies)).collect();
                prop_assert_eq!(found, oracle.matches(takes));
            }
            Step::Search { terms, ranking, limit, filter } => {
                let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
                let files: Vec<_> = match filter {
                    Wanted::Files(files) => files.iter().map(|&number| file(number)).collect(),
                    _ => Vec::new(),
                };
                let accept = |chunk: ChunkId| match filter {
                    Wanted::All => true,
                    Wanted::Files(_) => files.contains(&chunk.file()),
                    Wanted::Chunks(modulus) => chunk.get().is_multiple_of(*modulus),
                };
                let filter = match filter {
                    Wanted::All => Filter::All,
                    Wanted::Files(_) => Filter::Files(&files),
                    Wanted::Chunks(_) => Filter::Chunks(&accept),
                };
                let hits = store.search(&terms, *ranking, *limit, filter, &cache).unwrap();
                let hits: Vec<_> = hits.iter().map(|hit| (hit.chunk, hit.score.to_bits())).collect();
                let expected = oracle.search(&terms, ranking, *limit, accept);
                let expected: Vec<_> = expected.iter().map(|hit| (hit.0, hit.1.to_bits())).collect();
                prop_assert_eq!(hits, expected);
            }
        }
        let totals = store.manifest().unwrap().totals();
        prop_assert_eq!((totals.documents, totals.lengths), oracle.totals());
        let terms = ["a", "b", "ab", "größe", "nowhere"];
        let expected: Vec<u64> = terms.iter().map(|term| oracle.frequency(term)).collect();
        prop_assert_eq!(store.frequencies(&terms, &cache).unwrap(), expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn small_indexes_rank_as_all_documents_do(steps in prop::collection::vec(step(6), 1..14)) {
        check(&steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Postings of several blocks, pieces and pages of documents.
    #[test]
    fn large_indexes_rank_as_all_documents_do(steps in prop::collection::vec(step(400), 4..10)) {
        check(&steps)?;
    }
}
