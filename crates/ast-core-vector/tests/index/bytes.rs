//! The index of bytes against a scan in whole numbers.

use ast_core_vector::{ByteIndex, SearchOptions, VectorError, VectorIndex};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Change {
    Insert(Vec<u64>, u64),
    Remove(u64),
    Clear,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (prop::collection::vec(0_u64..400, 0..200), any::<u64>()).prop_map(|(keys, seed)| Change::Insert(keys, seed)),
        6 => (0_u64..400).prop_map(Change::Remove),
        1 => Just(Change::Clear),
    ]
}

fn codes(seed: u64, count: usize, dimension: usize) -> Vec<i8> {
    let mut rng = crate::oracle::SplitMix64(seed);
    let mut codes: Vec<i8> = (0..count * dimension).map(|_| rng.next() as i8).collect();
    codes.chunks_exact_mut(dimension).for_each(|vector| vector[0] = vector[0].max(1));
    codes
}

fn cosine(query: &[f32], codes: &[i8]) -> f64 {
    let dot: f64 = query.iter().zip(codes).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    let squares = query.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>()
        * codes.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>();
    dot / squares.sqrt()
}

proptest! {
    #[test]
    fn scores_and_order_are_those_of_a_scan(
        changes in prop::collection::vec(change(), 1..12),
        dimension in prop_oneof![1_usize..8, 60_usize..70, Just(256)],
        (query_seed, modulus) in (any::<u64>(), 1_u64..5),
        threshold in prop::option::of(-0.5_f32..0.5),
    ) {
        let mut index = ByteIndex::new(dimension).unwrap();
        let mut held: BTreeMap<u64, Vec<i8>> = BTreeMap::new();
        let mut snapshot = None;
        for change in changes {
            match change {
                Change::Insert(keys, seed) => {
                    let codes = codes(seed, keys.len(), dimension);
                    index.insert_codes(&keys, &codes).unwrap();
                    held.extend(keys.into_iter().zip(codes.chunks_exact(dimension).map(<[i8]>::to_vec)));
                }
                Change::Remove(key) => assert_eq!(index.remove(key).unwrap(), held.remove(&key).is_some()),
                Change::Clear => {
                    index.clear();
                    held.clear();
                }
            }
            snapshot.get_or_insert_with(|| (index.clone(), held.clone()));
        }
        let query = crate::oracle::SplitMix64(query_seed).vector(dimension);
        let filter = |key: u64| key.is_multiple_of(modulus);
        for (index, held) in snapshot.into_iter().chain([(index, held)]) {
            for k in [0, 1, 7, 1_000] {
                let mut options = SearchOptions::new(k).with_filter(&filter);
                options.threshold = threshold;
                let found = index.search(&query, &options).unwrap();
                let tolerance = (dimension as f64).sqrt() / 65_000.0;
                let passing = held.iter().filter(|(key, _)| filter(**key));
                let mut scores: Vec<f64> = passing.map(|(_, codes)| cosine(&query, codes)).collect();
                scores.sort_by(|a, b| b.total_cmp(a));
                for (neighbor, best) in found.iter().zip(&scores) {
                    let score = cosine(&query, &held[&neighbor.key]);
                    prop_assert!((f64::from(neighbor.score) - score).abs() <= tolerance);
                    prop_assert!((f64::from(neighbor.score) - best).abs() <= tolerance);
                    prop_assert!(filter(neighbor.key) && threshold.is_none_or(|bar| neighbor.score >= bar));
                }
                let below = |bar: f32| scores.iter().filter(|score| **score >= f64::from(bar) + tolerance).count();
                prop_assert!(found.len() >= k.min(threshold.map_or(scores.len(), below)));
                let is_ordered = |pair: &[ast_core_vector::Neighbor]| {
                    let [a, b] = [pair[0], pair[1]];
                    a.score > b.score || a.score == b.score && a.key < b.key
                };
                prop_assert!(found.windows(2).all(is_ordered));
                let keys: Vec<u64> = (0..400).filter(|key| filter(*key)).chain([3, 3]).collect();
                let mut listed = SearchOptions::new(k).with_filter(&filter).with_keys(&keys);
                listed.threshold = threshold;
                prop_assert_eq!(&found, &index.search(&query, &listed).unwrap());
            }
        }
    }
}

#[test]
fn the_extremes_of_bytes_and_of_floats_are_scored_right() {
    let mut index = ByteIndex::new(3).unwrap();
    index.insert_codes(&[1, 2, 3], &[-128, -128, -128, 127, 127, 127, 0, 0, -1]).unwrap();
    for scale in [f32::MIN_POSITIVE, 1.0, f32::MAX] {
        let found = index.search(&[-scale, -scale, -scale], &SearchOptions::new(3)).unwrap();
        let scores: Vec<(u64, f32)> = found.iter().map(|found| (found.key, found.score)).collect();
        assert_eq!(scores.iter().map(|score| score.0).collect::<Vec<_>>(), [1, 3, 2]);
        for ((_, score), expected) in scores.iter().zip([1.0, 1.0 / 3.0_f32.sqrt(), -1.0]) {
            assert!((score - expected).abs() < 1e-5, "{scores:?}");
        }
    }
}

#[test]
fn zeros_and_wrong_lengths_are_refused_and_nothing_is_stored() {
    let mut index = ByteIndex::new(2).unwrap();
    let error = index.insert_codes(&[1, 2], &[1, 1, 0, 0]).unwrap_err();
    assert_eq!(error, VectorError::ZeroVector { key: Some(2) });
    let error = index.insert_codes(&[1, 2], &[1, 1, 1]).unwrap_err();
    assert_eq!(error, VectorError::BatchLength { keys: 2, dimension: 2, received: 3 });
    assert!(index.is_empty());
}

#[test]
fn many_vectors_are_found_on_many_threads() {
    let mut index = ByteIndex::new(64).unwrap();
    // Enough rows of 64 bytes for more than one thread.
    let count = ast_core_vector::FlatIndex::PARALLEL_BYTES / 64 + 10_000;
    let codes = codes(7, count, 64);
    let keys: Vec<u64> = (0..count as u64).collect();
    index.insert_codes(&keys, &codes).unwrap();
    let query: Vec<f32> = codes[64 * 70_000..][..64].iter().map(|code| f32::from(*code)).collect();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let search = || index.search(&query, &SearchOptions::new(20)).unwrap();
    let one = pool(1).install(search);
    assert_eq!(one[0].key, 70_000);
    assert_eq!(one, pool(3).install(search));
}
