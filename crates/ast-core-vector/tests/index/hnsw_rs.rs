//! The reference backend: nearly as good as exact, and never wrong about what is there.

use std::collections::BTreeMap;

use ast_core_vector::{
    FlatIndex, HnswRsConfig, HnswRsIndex, Metric, SearchOptions, VectorError, VectorIndex,
};
use proptest::prelude::*;

use crate::oracle::{SplitMix64, assert_sorted};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];

fn small() -> HnswRsConfig {
    let mut config = HnswRsConfig::default();
    config.m = 12;
    config.ef_construction = 80;
    config
}

/// Vectors around common centres, as embeddings of code lie, behind each other.
fn clustered(count: usize, dimension: usize, clusters: usize, rng: &mut SplitMix64) -> Vec<f32> {
    let centres: Vec<Vec<f32>> = (0..clusters).map(|_| rng.vector(dimension)).collect();
    let mut vectors = Vec::with_capacity(count * dimension);
    for _ in 0..count {
        let centre = &centres[rng.next() as usize % clusters];
        vectors.extend(centre.iter().map(|value| value + 0.5 * rng.float()));
    }
    vectors
}

/// Both indexes with the same clustered vectors under the keys from 0.
fn both(count: usize, dimension: usize, metric: Metric) -> (FlatIndex, HnswRsIndex, SplitMix64) {
    let mut rng = SplitMix64(42);
    let vectors = clustered(count, dimension, 40, &mut rng);
    let keys: Vec<u64> = (0..count as u64).collect();
    let mut flat = FlatIndex::new(dimension, metric).unwrap();
    let mut hnsw = HnswRsIndex::new(dimension, metric, small()).unwrap();
    flat.insert_many(&keys, &vectors).unwrap();
    hnsw.insert_many(&keys, &vectors).unwrap();
    (flat, hnsw, rng)
}

/// The share of the exact results that the graph finds as well, over some queries near the data.
fn recall(flat: &FlatIndex, hnsw: &HnswRsIndex, options: &SearchOptions<'_>, rng: &mut SplitMix64) -> f64 {
    let queries = clustered(50, flat.dimension(), 50, rng);
    let (mut hits, mut total) = (0, 0);
    for query in queries.chunks(flat.dimension()) {
        let exact = flat.search(query, options).unwrap();
        let found = hnsw.search(query, options).unwrap();
        assert_sorted(&found);
        assert_eq!(found.len(), exact.len());
        assert!(found.iter().all(|neighbor| options.filter.is_none_or(|filter| filter(neighbor.key))));
        hits += found.iter().filter(|neighbor| exact.contains(neighbor)).count();
        total += exact.len();
    }
    hits as f64 / total as f64
}

#[test]
fn recall_at_10_is_high_before_and_after_removals() {
    for metric in METRICS {
        let (mut flat, mut hnsw, mut rng) = both(3_000, 32, metric);
        let options = SearchOptions::new(10);
        let at_first = recall(&flat, &hnsw, &options, &mut rng);
        assert!(at_first >= 0.9, "{metric}: {at_first}");

        // A quarter: tombstones stay, because a third of the nodes is what is put up with.
        for key in (0..3_000).step_by(4) {
            assert!(flat.remove(key).unwrap() && hnsw.remove(key).unwrap());
        }
        assert_eq!(hnsw.tombstones(), 750);
        let with_tombstones = recall(&flat, &hnsw, &options, &mut rng);
        assert!(with_tombstones >= 0.9, "{metric}: {with_tombstones}");

        // So few candidates that the graph is asked although there is a filter; they find less.
        let most = |key| key % 10 != 1;
        let filtered = recall(&flat, &hnsw, &options.with_ef(18).with_filter(&most), &mut rng);
        assert!(filtered >= 0.7, "{metric}: {filtered}");

        hnsw.compact();
        assert_eq!(hnsw.tombstones(), 0);
        let compacted = recall(&flat, &hnsw, &options, &mut rng);
        assert!(compacted >= 0.9, "{metric}: {compacted}");
    }
}

#[test]
fn replaced_vectors_are_found_where_they_are_now() {
    for metric in METRICS {
        let (mut flat, mut hnsw, mut rng) = both(3_000, 32, metric);
        let keys: Vec<u64> = (0..1_000).collect();
        let vectors = clustered(keys.len(), 32, 40, &mut rng);
        // Once in a batch, where a key that comes twice has its last vector, and once one by one.
        let (batch, batch_vectors) =
            ([&keys[..500], &keys[..500]].concat(), [&vectors[500 * 32..], &vectors[..500 * 32]]);
        flat.insert_many(&batch, &batch_vectors.concat()).unwrap();
        hnsw.insert_many(&batch, &batch_vectors.concat()).unwrap();
        for (&key, vector) in keys.iter().zip(vectors.chunks(32)).skip(500) {
            flat.insert(key, vector).unwrap();
            hnsw.insert(key, vector).unwrap();
        }
        assert_eq!(hnsw.tombstones(), 1_000, "one a key, though half of them came twice");
        for (&key, vector) in keys.iter().zip(vectors.chunks(32)).step_by(20) {
            let options = SearchOptions::new(10);
            let exact = flat.search(vector, &options).unwrap();
            let found = hnsw.search(vector, &options).unwrap();
            assert_sorted(&found);
            let held = exact.iter().any(|neighbor| neighbor.key == key);
            assert_eq!(found.iter().any(|neighbor| neighbor.key == key), held, "{metric}: {key}");
        }
        let recall = recall(&flat, &hnsw, &SearchOptions::new(10), &mut rng);
        assert!(recall >= 0.9, "{metric}: {recall}");
    }
}

#[test]
fn more_candidates_find_at_least_as_many() {
    let (mut flat, mut hnsw, rng) = both(3_000, 32, Metric::Cosine);
    for key in (0..3_000).step_by(4) {
        assert!(flat.remove(key).unwrap() && hnsw.remove(key).unwrap());
    }
    // That few find less also shows that it is the graph that answers, tombstones or not.
    let recall_at = |ef| recall(&flat, &hnsw, &SearchOptions::new(10).with_ef(ef), &mut SplitMix64(rng.0));
    let (few, many) = (recall_at(10), recall_at(400));
    assert!(few < many && many >= 0.99, "{few} with 10 candidates, {many} with 400");
}

#[test]
fn a_selective_filter_is_answered_exactly() {
    let (flat, hnsw, mut rng) = both(3_000, 32, Metric::Euclidean);
    for modulus in [2, 100, 1_000, 5_000] {
        let filter = |key| key % modulus == 1;
        assert_eq!(recall(&flat, &hnsw, &SearchOptions::new(10).with_filter(&filter), &mut rng), 1.0);
    }
}

#[test]
fn everything_is_found_when_everything_is_asked_for() {
    let (flat, mut hnsw, mut rng) = both(1_000, 8, Metric::Cosine);
    assert_eq!(recall(&flat, &hnsw, &SearchOptions::new(usize::MAX), &mut rng), 1.0);
    // All but five: the graph is nearly all tombstones, but fewer than are cleared away for.
    for key in 0..200 {
        hnsw.remove(key).unwrap();
    }
    assert_eq!(hnsw.tombstones(), 200);
    for k in [5, 500, 799] {
        let found = hnsw.search(&rng.vector(8), &SearchOptions::new(k).with_ef(1)).unwrap();
        assert_eq!(found.len(), k);
        assert!(found.iter().all(|neighbor| neighbor.key >= 200));
    }
}

#[test]
fn the_graph_is_rebuilt_when_a_third_of_it_is_tombstones() {
    let (_, mut hnsw, mut rng) = both(900, 8, Metric::Dot);
    let mut most = 0;
    for key in 0..900 {
        hnsw.remove(key).unwrap();
        most = most.max(hnsw.tombstones());
    }
    assert_eq!(most, 300, "300 of 900 nodes are a third, one more is too many");
    assert!(hnsw.tombstones() < HnswRsIndex::MIN_TOMBSTONES);
    assert!(hnsw.is_empty());

    // Replacing is removing and inserting.
    for round in 0..30 {
        let vectors: Vec<f32> = (0..20).flat_map(|_| rng.vector(8)).collect();
        hnsw.insert_many(&(0..20).collect::<Vec<_>>(), &vectors).unwrap();
        assert_eq!(hnsw.len(), 20, "round {round}");
        assert!(hnsw.tombstones() < HnswRsIndex::MIN_TOMBSTONES, "round {round}");
    }
}

#[test]
fn the_same_calls_give_the_same_results() {
    let (_, one, mut rng) = both(2_000, 16, Metric::Cosine);
    let (_, other, _) = both(2_000, 16, Metric::Cosine);
    for _ in 0..30 {
        let query = rng.vector(16);
        let options = SearchOptions::new(10).with_ef(10);
        assert_eq!(one.search(&query, &options).unwrap(), other.search(&query, &options).unwrap());
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    type Set = fn(&mut HnswRsConfig);
    let refused: [(Set, &str); 7] = [
        (|config| config.m = 0, "m is 0; expected 2..=255"),
        (|config| config.m = 1, "m is 1; expected 2..=255"),
        (|config| config.m = 256, "m is 256; expected 2..=255"),
        (|config| config.m = 100_000, "m is 100000; expected 2..=255"),
        (|config| config.ef_construction = 0, "ef_construction is 0; expected 1..=65536"),
        (|config| config.ef_construction = 65_537, "ef_construction is 65537; expected 1..=65536"),
        (|config| config.ef_search = 0, "ef_search is 0; expected at least 1"),
    ];
    for (set, message) in refused {
        let mut config = HnswRsConfig::default();
        set(&mut config);
        let error = HnswRsIndex::new(4, Metric::Dot, config).unwrap_err();
        assert!(matches!(error, VectorError::InvalidConfig { .. }));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn the_ends_of_the_settings_work() {
    let mut rng = SplitMix64(3);
    for (m, ef_construction) in [(2, 1), (2, 65_536), (255, 1), (255, 300)] {
        let mut config = HnswRsConfig::default();
        (config.m, config.ef_construction) = (m, ef_construction);
        (config.ef_search, config.max_elements) = (usize::MAX, usize::MAX);
        let mut index = HnswRsIndex::new(4, Metric::Euclidean, config).unwrap();
        for key in 0..60 {
            index.insert(key, &rng.vector(4)).unwrap();
        }
        let found = index.search(&[0.0; 4], &SearchOptions::new(60).with_ef(usize::MAX)).unwrap();
        assert_eq!(found.len(), 60, "m {m}, ef_construction {ef_construction}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a map: never a key that is gone, a vector that was replaced, or fewer than there are.
    #[test]
    fn changes_show_at_once(
        seed in any::<u64>(),
        changes in prop::collection::vec((0_u8..10, 0_u64..30), 1..150),
        k in 1_usize..40,
        modulus in 1_u64..5,
    ) {
        for metric in METRICS {
            let mut rng = SplitMix64(seed);
            let mut index = HnswRsIndex::new(6, metric, small()).unwrap();
            let mut flat = FlatIndex::new(6, metric).unwrap();
            let mut map = BTreeMap::new();
            for &(kind, key) in &changes {
                if kind < 6 {
                    // Few values, so that duplicates occur.
                    let vector: Vec<f32> = (0..6).map(|_| (rng.next() % 3) as f32 + 0.5).collect();
                    index.insert(key, &vector).unwrap();
                    flat.insert(key, &vector).unwrap();
                    map.insert(key, vector);
                } else {
                    prop_assert_eq!(index.remove(key).unwrap(), map.remove(&key).is_some());
                    flat.remove(key).unwrap();
                }
            }
            prop_assert_eq!(index.len(), map.len());
            let filter = |key| key % modulus == 0;
            // Without a filter the graph is asked, with one that lets few pass it is not.
            let filtered = |options: SearchOptions<'static>| -> SearchOptions<'_> {
                if modulus == 1 { options } else { options.with_filter(&filter) }
            };
            let scores: BTreeMap<u64, u32> = flat
                .search(&[1.0; 6], &filtered(SearchOptions::new(usize::MAX)))
                .unwrap()
                .into_iter()
                .map(|neighbor| (neighbor.key, neighbor.score.to_bits()))
                .collect();
            let found = index.search(&[1.0; 6], &filtered(SearchOptions::new(k).with_ef(1))).unwrap();
            assert_sorted(&found);
            prop_assert_eq!(found.len(), k.min(scores.len()));
            for neighbor in found {
                prop_assert_eq!(scores.get(&neighbor.key), Some(&neighbor.score.to_bits()));
            }
        }
    }
}
