//! What is merged when, and that it makes no difference to what is found.

use crate::store::Store;
use ast_core_lexical::{Bm25f, Filter, LexicalError, Manifest, PageCache, Query, Search, plan_merges};
use ast_core_model::ChunkTerms;

const RANKING: Bm25f = Bm25f { weights: [8.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };

/// Text that is the same whenever it is asked for: terms of which few are common and most are rare.
fn chunks(file: u64, count: u64) -> Vec<ChunkTerms> {
    let mut state = file.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut term = move || {
        let (random, shift) = (next(), next() % 14);
        format!("w{}", random % (2 << shift))
    };
    let mut text = move |most: u64| (0..most).map(|_| term()).collect::<Vec<_>>().join(" ");
    (0..count)
        .map(|chunk| ChunkTerms {
            name: text(1 + chunk % 3),
            path: format!("src f{file}"),
            doc: if chunk % 4 == 0 { text(8) } else { String::new() },
            body: text(5 + chunk % 30),
        })
        .collect()
}

#[test]
fn small_commits_leave_few_segments() {
    let mut store = Store::default();
    for file in 1..=300 {
        store.update(&[], &[(file, chunks(file, 4))]).unwrap();
        store.settle(1 << 20).unwrap();
        let segments = store.manifest().unwrap().segments().len();
        assert!(segments <= 7 * 3, "{segments} segments after {file} commits");
    }
}

#[test]
fn nothing_larger_than_the_budget_is_merged() {
    let mut store = Store::default();
    for file in 1..=8 {
        store.update(&[], &[(file, chunks(file, 100))]).unwrap();
    }
    let manifest = store.manifest().unwrap();
    assert!(plan_merges(&manifest, manifest.bytes() - 1).is_empty());
    let plan = plan_merges(&manifest, manifest.bytes());
    assert_eq!(plan, [(1..=8).collect::<Vec<u32>>()]);
}

#[test]
fn what_is_gone_makes_room() {
    let mut store = Store::default();
    let files: Vec<_> = (1..=30).map(|file| (file, chunks(file, 20))).collect();
    store.update(&[], &files).unwrap();
    let before = store.manifest().unwrap().bytes();
    store.update(&(1..=9).collect::<Vec<_>>(), &[]).unwrap();
    assert!(plan_merges(&store.manifest().unwrap(), u64::MAX).is_empty());
    store.update(&[10], &[]).unwrap();
    store.settle(u64::MAX).unwrap();
    let manifest = store.manifest().unwrap();
    assert_eq!(u64::from(manifest.segments()[0].documents()), manifest.totals().documents);
    assert!(manifest.bytes() * 4 < before * 3, "{} of {before}", manifest.bytes());
    store.update(&(1..=30).collect::<Vec<_>>(), &[]).unwrap();
    assert_eq!(store.pages.len(), 1, "all that is left is the manifest");
    assert_eq!(store.manifest().unwrap().totals(), Manifest::default().totals());
}

/// Lists of several pages, many pages of documents, and files whose chunks are in more than one.
#[test]
fn an_index_that_was_kept_up_to_date_is_that_which_is_made_anew() {
    let counts = |file: u64| 20 + file * 37 % 200 + if file.is_multiple_of(20) { 1500 } else { 0 };
    let (mut kept, mut made) = (Store::default(), Store::default());
    // Every file comes in an older version first.
    for file in 1..=150 {
        if file % 3 == 0 {
            kept.update(&[], &[(file, chunks(file + 1000, 30))]).unwrap();
        }
    }
    let live: Vec<_> = (1..=150).map(|file| (file + 200, chunks(file, counts(file)))).collect();
    for (batch, files) in live.chunks(10).enumerate() {
        let removed: Vec<u64> = (1..=10).map(|at| batch as u64 * 10 + at).collect();
        kept.update(&removed, files).unwrap();
        kept.settle(300 << 10).unwrap();
    }
    made.update(&[], &live).unwrap();
    let (manifest, new) = (kept.manifest().unwrap(), made.manifest().unwrap());
    assert!(manifest.segments().len() > 2);
    assert_eq!(manifest.totals(), new.totals());

    let cache = [PageCache::new(8 << 20), PageCache::new(8 << 20)];
    let queries: &[&[&str]] = &[
        &["w0"],
        &["w1", "w0"],
        &["w5"],
        &["src"],
        &["f7"],
        &["w100", "w2000", "w3"],
        &["w0", "w1", "w2", "w3", "w4"],
        &["src", "f20", "w9"],
        &["w7777", "nothing"],
    ];
    for terms in queries {
        for limit in [1, 10, 200] {
            let hits = kept.search(terms, RANKING, limit, Filter::All, &cache[0]).unwrap();
            assert_eq!(
                hits,
                made.search(terms, RANKING, limit, Filter::All, &cache[1]).unwrap(),
                "{terms:?}"
            );
            assert!(!hits.is_empty());
            // With so many hits wanted, nothing can be skipped.
            let all = kept.search(terms, RANKING, usize::MAX, Filter::All, &cache[0]).unwrap();
            assert_eq!(hits, all[..limit.min(all.len())], "{terms:?}");
        }
        let frequencies = kept.frequencies(terms, &cache[0]).unwrap();
        assert_eq!(frequencies, made.frequencies(terms, &cache[1]).unwrap());
    }

    let all: Vec<u32> = (0..10_000).collect();
    kept.merge(&all).unwrap();
    assert_eq!(kept.manifest().unwrap().bytes(), new.bytes());
}

#[test]
fn what_cannot_be_asked_is_said() {
    let cache = PageCache::new(0);
    let ask = |terms: &[&str], ranking| {
        Search::new(&Manifest::default(), &Query { terms, ranking, limit: 1 }, Filter::All, &cache).map(drop)
    };
    let many: Vec<String> = (0..65).map(|term| term.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(ask(&many[..64], RANKING), Ok(()));
    assert_eq!(ask(&many, RANKING), Err(LexicalError::TooManyTerms { received: 65 }));
    for wrong in [
        Bm25f { k1: 0.0, ..RANKING },
        Bm25f { k1: f64::NAN, ..RANKING },
        Bm25f { b: [0.0, 0.0, 0.0, 1.1], ..RANKING },
        Bm25f { weights: [-1.0, 0.0, 0.0, 1.0], ..RANKING },
    ] {
        assert!(matches!(ask(&["a"], wrong), Err(LexicalError::InvalidParameter { .. })), "{wrong:?}");
    }
}
