//! The flat index is exact after any sequence of changes.

use ast_core_vector::{FlatIndex, Metric, SearchOptions, VectorIndex};
use proptest::prelude::*;

use crate::oracle::{Oracle, SplitMix64};

#[derive(Debug, Clone)]
enum Change {
    Insert(u64, Vec<f32>),
    InsertMany(Vec<u64>, u64),
    Remove(u64),
    Clear,
}

fn change(dimension: usize) -> impl Strategy<Value = Change> {
    let key = 0_u64..48;
    prop_oneof![
        6 => (key.clone(), vector(dimension)).prop_map(|(key, vector)| Change::Insert(key, vector)),
        2 => (prop::collection::vec(key.clone(), 0..200), any::<u64>()).prop_map(|(k, seed)| Change::InsertMany(k, seed)),
        4 => key.prop_map(Change::Remove),
        1 => Just(Change::Clear),
    ]
}

fn vector(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    // Half of the values from a small grid, so that equal vectors and equal scores occur.
    let value = prop_oneof![(-2_i8..=2).prop_map(f32::from), -100.0_f32..100.0];
    prop::collection::vec(value, dimension).prop_filter("has a direction", |v| v.iter().any(|x| *x != 0.0))
}

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![Just(Metric::Cosine), Just(Metric::Dot), Just(Metric::Euclidean)]
}

fn apply(index: &mut FlatIndex, oracle: &mut Oracle, change: Change, dimension: usize) {
    match change {
        Change::Insert(key, vector) => {
            index.insert(key, &vector).unwrap();
            oracle.vectors.insert(key, vector);
        }
        Change::InsertMany(keys, seed) => {
            let mut rng = SplitMix64(seed);
            let vectors: Vec<f32> = keys.iter().flat_map(|_| rng.vector(dimension)).collect();
            index.insert_many(&keys, &vectors).unwrap();
            oracle.vectors.extend(keys.into_iter().zip(vectors.chunks(dimension).map(<[f32]>::to_vec)));
        }
        Change::Remove(key) => {
            assert_eq!(index.remove(key).unwrap(), oracle.vectors.remove(&key).is_some());
        }
        Change::Clear => {
            index.clear();
            oracle.vectors.clear();
        }
    }
}

proptest! {
    #[test]
    fn search_is_exact_after_any_changes(
        ((dimension, metric), changes, query) in (1_usize..70, metric()).prop_flat_map(|space| {
            (Just(space), prop::collection::vec(change(space.0), 0..40), vector(space.0))
        }),
        k in 0_usize..60,
        threshold in prop::option::of(-10.0_f32..1.0),
        modulus in prop::option::of(1_u64..9),
    ) {
        let mut index = FlatIndex::new(dimension, metric).unwrap();
        let mut oracle = Oracle::new(metric);
        for change in changes {
            apply(&mut index, &mut oracle, change, dimension);
            prop_assert_eq!(index.len(), oracle.vectors.len());
        }
        for key in 0..48 {
            prop_assert_eq!(index.contains(key), oracle.vectors.contains_key(&key));
        }
        let filter = |key| key % modulus.unwrap_or(1) == 0;
        let mut options = SearchOptions::new(k);
        options.threshold = threshold;
        if modulus.is_some() {
            options = options.with_filter(&filter);
        }
        oracle.assert_exact(&index, &query, &options);
    }
}

/// An index large enough to be searched by several threads.
fn large(metric: Metric) -> (FlatIndex, Oracle, SplitMix64) {
    let (count, dimension) = (9_001, 128);
    let mut rng = SplitMix64(7);
    // Each vector twice, so that every score is that of two keys.
    let half: Vec<f32> = (0..count / 2 + 1).flat_map(|_| rng.vector(dimension)).collect();
    let vectors = [&half[..], &half[..(count - count / 2 - 1) * dimension]].concat();
    let keys: Vec<u64> = (0..count as u64).map(|key| key.wrapping_mul(0x9E37_79B9)).collect();
    let mut index = FlatIndex::new(dimension, metric).unwrap();
    index.reserve(count).unwrap();
    index.insert_many(&keys, &vectors).unwrap();
    assert!(index.len() * dimension * 4 > FlatIndex::PARALLEL_BYTES);
    let mut oracle = Oracle::new(metric);
    oracle.vectors.extend(keys.into_iter().zip(vectors.chunks(dimension).map(<[f32]>::to_vec)));
    (index, oracle, rng)
}

#[test]
fn any_number_of_threads_returns_the_same() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
        let (index, oracle, mut rng) = large(metric);
        let third = |key| key % 3 == 0;
        for options in [
            SearchOptions::new(1),
            SearchOptions::new(101),
            SearchOptions::new(20_000),
            SearchOptions::new(50).with_filter(&third),
        ] {
            let query = rng.vector(index.dimension());
            let results: Vec<_> = [1, 2, 5]
                .map(|threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| index.search(&query, &options).unwrap())
                })
                .into();
            assert_eq!(results[0], results[1], "{metric} {options:?}");
            assert_eq!(results[0], results[2], "{metric} {options:?}");
            oracle.assert_exact(&index, &query, &options);
        }
    }
}

#[test]
fn equal_scores_come_by_key() {
    let (index, oracle, _) = large(Metric::Cosine);
    // One and the same vector sits under two keys.
    let (key, vector) = oracle.vectors.iter().next().unwrap();
    let found = index.search(vector, &SearchOptions::new(2)).unwrap();
    assert_eq!(found[0].score, found[1].score);
    assert_eq!(found[0].key, *key, "the lowest key of all has the lower of the two");
    assert_eq!(index.search(vector, &SearchOptions::new(1)).unwrap(), found[..1]);
}

#[test]
fn a_filter_is_asked_once_a_key_at_most() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (index, _, mut rng) = large(Metric::Dot);
    let asked = AtomicUsize::new(0);
    let filter = |key: u64| {
        asked.fetch_add(1, Ordering::Relaxed);
        key.is_multiple_of(2)
    };
    index.search(&rng.vector(index.dimension()), &SearchOptions::new(5).with_filter(&filter)).unwrap();
    assert!(asked.into_inner() <= index.len());
}
