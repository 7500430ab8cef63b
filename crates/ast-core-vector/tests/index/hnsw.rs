//! The graph and the index that chooses: nearly as good as exact, and never wrong about what is there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ast_core_vector::{
    AutoIndex, FlatIndex, Hnsw, HnswConfig, Metric, Neighbor, SearchOptions, Shared, Storage, VectorIndex,
};
use proptest::prelude::*;

use crate::oracle::{Oracle, SplitMix64, assert_sorted};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];
const STORAGES: [Storage; 4] = [Storage::Float, Storage::CodeAndFloat, Storage::CodeAndHalf, Storage::Code];

/// Few candidates, so that the graph and not a scan answers with 3,000 vectors and more.
const EF: usize = 40;

fn config(storage: Storage) -> HnswConfig {
    let mut config = HnswConfig::default();
    config.storage = storage;
    config.ef_construction = 100;
    config
}

/// Vectors around common centres, as embeddings of code lie, behind each other.
fn clustered(count: usize, dimension: usize, rng: &mut SplitMix64) -> Vec<f32> {
    let mut centre_rng = SplitMix64(77);
    let centres: Vec<Vec<f32>> = (0..40).map(|_| centre_rng.vector(dimension)).collect();
    let mut vectors = Vec::with_capacity(count * dimension);
    for _ in 0..count {
        let centre = &centres[rng.next() as usize % centres.len()];
        vectors.extend(centre.iter().map(|value| value + 0.6 * rng.float()));
    }
    vectors
}

fn uniform(count: usize, dimension: usize, rng: &mut SplitMix64) -> Vec<f32> {
    rng.vector(count * dimension)
}

fn build(index: &mut dyn VectorIndex, vectors: &[f32]) {
    let keys: Vec<u64> = (0..(vectors.len() / index.dimension()) as u64).collect();
    index.insert_many(&keys, vectors).unwrap();
}

/// The share of the exact neighbors that are found, by score, so that of equals any counts.
fn recall(exact: &FlatIndex, index: &dyn VectorIndex, queries: &[f32], options: &SearchOptions<'_>) -> f64 {
    let (mut hits, mut total) = (0, 0);
    for query in queries.chunks(index.dimension()) {
        let truth = exact.search(query, options).unwrap();
        let found = index.search(query, options).unwrap();
        assert_sorted(&found);
        assert_eq!(found.len(), truth.len());
        assert!(found.iter().all(|neighbor| options.filter.is_none_or(|filter| filter(neighbor.key))));
        if let Some(worst) = truth.last() {
            // By the true scores, which a storage without the vectors only comes near to.
            let options = SearchOptions::new(found.len());
            let keys: Vec<u64> = found.iter().map(|neighbor| neighbor.key).collect();
            let scores = exact.search(query, &options.with_keys(&keys)).unwrap();
            hits += scores.iter().filter(|neighbor| neighbor.score >= worst.score).count();
        }
        total += truth.len();
    }
    hits as f64 / total as f64
}

fn assert_recall(
    exact: &FlatIndex,
    index: &dyn VectorIndex,
    queries: &[f32],
    options: &SearchOptions<'_>,
    least: f64,
    what: &str,
) {
    let recall = recall(exact, index, queries, options);
    assert!(recall >= least, "{what}: recall {recall}");
}

#[test]
fn recall_is_high_in_every_metric_and_storage() {
    for metric in METRICS {
        for storage in STORAGES {
            let mut rng = SplitMix64(1);
            let vectors = clustered(4000, 48, &mut rng);
            let mut exact = FlatIndex::new(48, metric).unwrap();
            let mut index = Hnsw::new(48, metric, config(storage)).unwrap();
            build(&mut exact, &vectors);
            build(&mut index, &vectors);
            let queries = clustered(100, 48, &mut rng);
            let least = if storage == Storage::Code { 0.9 } else { 0.95 };
            let what = format!("{metric}, {storage:?}");
            assert_recall(&exact, &index, &queries, &SearchOptions::new(10).with_ef(EF), least, &what);

            let mut scan = FlatIndex::with_storage(48, metric, storage).unwrap();
            build(&mut scan, &vectors);
            let least = if storage == Storage::Code { 0.93 } else { 0.999 };
            assert_recall(&exact, &scan, &queries, &SearchOptions::new(10), least, &what);
        }
    }
}

#[test]
fn recall_is_high_on_uniform_data_with_more_candidates() {
    for metric in METRICS {
        let mut rng = SplitMix64(2);
        let vectors = uniform(6000, 16, &mut rng);
        let mut exact = FlatIndex::new(16, metric).unwrap();
        let mut index = Hnsw::new(16, metric, config(Storage::default())).unwrap();
        build(&mut exact, &vectors);
        build(&mut index, &vectors);
        let queries = uniform(100, 16, &mut rng);
        let options = SearchOptions::new(10).with_ef(80);
        assert_recall(&exact, &index, &queries, &options, 0.97, metric.name());
    }
}

/// Data on which graphs and quantisers fall apart.
#[test]
fn odd_data_is_found_too() {
    let dimension = 8;
    let mut rng = SplitMix64(3);
    let one = rng.vector(dimension);
    let equal: Vec<f32> = one.repeat(3000);
    let collinear: Vec<f32> =
        (1..=3000).flat_map(|i| one.iter().map(move |value| value * i as f32)).collect();
    let copied = uniform(300, dimension, &mut rng).repeat(10);
    let mut far = uniform(3000, dimension, &mut rng);
    far[1500 * dimension..][..dimension].fill(1e7);
    let mut clumps = uniform(3000, dimension, &mut rng);
    for (i, vector) in clumps.chunks_mut(dimension).enumerate() {
        vector.iter_mut().for_each(|value| *value = *value * 1e-4 + (i % 5) as f32 * 100.0 + 1.0);
    }
    for (name, vectors) in
        [("equal", equal), ("collinear", collinear), ("copied", copied), ("far", far), ("clumps", clumps)]
    {
        for metric in METRICS {
            let mut exact = FlatIndex::new(dimension, metric).unwrap();
            let mut index = Hnsw::new(dimension, metric, config(Storage::default())).unwrap();
            build(&mut exact, &vectors);
            build(&mut index, &vectors);
            let queries: Vec<f32> = vectors.chunks(dimension).step_by(100).flatten().copied().collect();
            let options = SearchOptions::new(10).with_ef(EF);
            // Within a clump all codes are alike, and to find the nearest of it is luck.
            let least = if name == "clumps" { 0.0 } else { 0.9 };
            assert_recall(&exact, &index, &queries, &options, least, &format!("{name}, {metric}"));
        }
    }
}

#[test]
fn a_filter_of_any_selectivity_keeps_recall() {
    let mut rng = SplitMix64(4);
    let vectors = clustered(8000, 24, &mut rng);
    let queries = clustered(60, 24, &mut rng);
    let mut exact = FlatIndex::new(24, Metric::Cosine).unwrap();
    let mut index = Hnsw::new(24, Metric::Cosine, config(Storage::default())).unwrap();
    build(&mut exact, &vectors);
    build(&mut index, &vectors);
    for modulus in [1, 2, 10, 100, 1000, 9000] {
        let asked = AtomicUsize::new(0);
        let filter = |key: u64| {
            asked.fetch_add(1, Ordering::Relaxed);
            key.is_multiple_of(modulus)
        };
        let keys: Vec<u64> = (0..8000).filter(|key| key % modulus == 0).chain([1 << 40]).collect();
        for options in [
            SearchOptions::new(10).with_ef(EF).with_filter(&filter),
            SearchOptions::new(10).with_ef(EF).with_keys(&keys),
        ] {
            assert_recall(&exact, &index, &queries, &options, 0.95, &format!("1 in {modulus}"));
        }
        // Where most pass, the walk asks for few.
        asked.store(0, Ordering::Relaxed);
        let options = SearchOptions::new(10).with_ef(EF).with_filter(&filter);
        index.search(&queries[..24], &options).unwrap();
        assert!(modulus > 2 || asked.into_inner() < 2000, "1 in {modulus}");
    }
    let (even, third) = (|key: u64| key.is_multiple_of(2), [3, 6, 9, 12, 6]);
    let both = SearchOptions::new(10).with_filter(&even).with_keys(&third);
    for index in [&exact as &dyn VectorIndex, &index] {
        let mut found: Vec<u64> =
            index.search(&queries[..24], &both).unwrap().iter().map(|n| n.key).collect();
        found.sort_unstable();
        assert_eq!(found, [6, 12]);
    }
}

#[test]
fn recall_survives_deleting_and_reinserting_half_five_times() {
    for metric in METRICS {
        let mut rng = SplitMix64(5);
        let dimension = 32;
        let vectors = clustered(6000, dimension, &mut rng);
        let queries = clustered(200, dimension, &mut rng);
        let mut exact = FlatIndex::new(dimension, metric).unwrap();
        let mut index = Hnsw::new(dimension, metric, config(Storage::default())).unwrap();
        build(&mut exact, &vectors);
        build(&mut index, &vectors);
        let options = SearchOptions::new(10).with_ef(EF);
        let fresh = recall(&exact, &index, &queries, &options);
        let memory = index.memory();
        for round in 0..5 {
            let half: Vec<u64> = (0..6000).filter(|_| rng.next().is_multiple_of(2)).collect();
            for &key in &half {
                assert!(index.remove(key).unwrap() && !index.contains(key));
            }
            assert_eq!(index.len(), 6000 - half.len());
            let gone = |key| half.binary_search(&key).is_err();
            let truth = SearchOptions::new(10).with_filter(&gone);
            let left = queries.chunks(dimension).map(|query| {
                let truth = exact.search(query, &truth).unwrap();
                let found = index.search(query, &options).unwrap();
                assert!(found.iter().all(|neighbor| gone(neighbor.key)), "a removed key was returned");
                truth.iter().filter(|neighbor| found.contains(neighbor)).count()
            });
            let left = left.sum::<usize>() as f64 / 2000.0;
            assert!(left >= fresh - 0.02, "{metric}, round {round}: {left} of half against {fresh}");
            for &key in &half {
                index.insert(key, &vectors[key as usize * dimension..][..dimension]).unwrap();
            }
        }
        index.compact();
        let after = recall(&exact, &index, &queries, &options);
        assert!(after >= fresh - 0.005, "{metric}: {after} after {fresh}");
        // Slots were reused.
        let now = index.memory();
        assert!(
            now.links < memory.links * 3 / 2 && now.originals < memory.originals * 3 / 2,
            "{memory:?} became {now:?}"
        );
    }
}

/// Codes are made for the vectors that there are, also when those are all replaced by ones of another scale.
#[test]
fn recall_survives_a_change_of_scale() {
    for scale in [100.0, 0.01] {
        let mut rng = SplitMix64(9);
        let mut exact = FlatIndex::new(32, Metric::Euclidean).unwrap();
        let mut index = FlatIndex::with_storage(32, Metric::Euclidean, Storage::CodeAndFloat).unwrap();
        build(&mut index, &clustered(3000, 32, &mut rng));
        let vectors: Vec<f32> = clustered(3000, 32, &mut rng).iter().map(|value| value * scale).collect();
        build(&mut exact, &vectors);
        // In pieces, as files change one after another, and once more as it happens.
        for _ in 0..2 {
            for (key, vector) in (0..).zip(vectors.chunks(32)) {
                index.insert(key, vector).unwrap();
            }
        }
        let queries: Vec<f32> = clustered(50, 32, &mut rng).iter().map(|value| value * scale).collect();
        assert_recall(&exact, &index, &queries, &SearchOptions::new(10), 0.99, &format!("times {scale}"));
    }
}

#[test]
fn the_same_calls_give_the_same_index_on_any_number_of_threads() {
    let mut rng = SplitMix64(6);
    let vectors = clustered(5000, 16, &mut rng);
    let queries = clustered(50, 16, &mut rng);
    let results: Vec<Vec<Vec<Neighbor>>> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut index = Hnsw::new(16, Metric::Euclidean, config(Storage::default())).unwrap();
                build(&mut index, &vectors);
                for key in (0..5000).step_by(3) {
                    index.remove(key).unwrap();
                }
                index.compact();
                build(&mut index, &vectors[..600 * 16]);
                let options = SearchOptions::new(10).with_ef(12);
                queries.chunks(16).map(|query| index.search(query, &options).unwrap()).collect()
            })
        })
        .collect();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn the_index_that_chooses_grows_and_shrinks_without_a_gap() {
    let mut rng = SplitMix64(7);
    let count = AutoIndex::GRAPH_FROM * 3 / 2;
    let vectors = clustered(count, 12, &mut rng);
    let queries = clustered(40, 12, &mut rng);
    let mut exact = FlatIndex::new(12, Metric::Cosine).unwrap();
    let mut index = AutoIndex::new(12, Metric::Cosine, config(Storage::default())).unwrap();
    let options = SearchOptions::new(10).with_ef(EF);
    let mut had_graph = false;
    for (key, vector) in vectors.chunks(12).enumerate() {
        exact.insert(key as u64, vector).unwrap();
        index.insert(key as u64, vector).unwrap();
        let has_graph = index.has_graph();
        if key % 1024 == 0 || has_graph != had_graph {
            let least = if has_graph { 0.95 } else { 0.999 };
            assert_recall(&exact, &index, &queries, &options, least, &format!("after {key}"));
        }
        had_graph = has_graph;
    }
    assert!(had_graph, "half again the size from which there is a graph");
    for key in 0..count as u64 {
        exact.remove(key).unwrap();
        index.remove(key).unwrap();
        if key % 1024 == 0 {
            let least = if index.has_graph() { 0.95 } else { 0.999 };
            assert_recall(&exact, &index, &queries, &options, least, &format!("after removing {key}"));
        }
    }
    assert!(!index.has_graph() && index.is_empty());
    build(&mut index, &vectors);
    assert!(index.has_graph(), "a bulk load links all at once");
}

#[test]
fn readers_see_whole_changes_while_a_writer_works() {
    let (dimension, count) = (8, 2000_u64);
    let mut rng = SplitMix64(8);
    let vectors = uniform(count as usize, dimension, &mut rng);
    let vector = |key: u64| &vectors[key as usize * dimension..][..dimension];
    let mut index = Hnsw::new(dimension, Metric::Euclidean, config(Storage::default())).unwrap();
    build(&mut index, &vectors);
    let shared = Shared::new(index);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (shared, done) = (&shared, &done);
            scope.spawn(move || {
                let mut rng = SplitMix64(reader);
                while !done.load(Ordering::Relaxed) {
                    let snapshot = shared.snapshot();
                    // A change removes a pair of keys or inserts it.
                    let key = rng.next() % count;
                    assert_eq!(snapshot.contains(key), snapshot.contains(key ^ 1));
                    let found = snapshot.search(vector(key), &SearchOptions::new(1).with_ef(20)).unwrap();
                    assert!(snapshot.contains(found[0].key));
                    let distance: f32 =
                        vector(key).iter().zip(vector(found[0].key)).map(|(a, b)| (a - b).powi(2)).sum();
                    assert!((found[0].score + distance).abs() < 1e-5, "a score is that of its key");
                }
            });
        }
        for _ in 0..1500 {
            let key = rng.next() % count / 2 * 2;
            shared.update(|index| {
                for key in [key, key + 1] {
                    if !index.remove(key).unwrap() {
                        index.insert(key, vector(key)).unwrap();
                    }
                }
            });
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[derive(Debug, Clone)]
enum Change {
    Insert(u64, u64),
    InsertMany(Vec<u64>, u64),
    Remove(Vec<u64>),
    Compact,
    Clear,
}

fn change() -> impl Strategy<Value = Change> {
    let key = 0_u64..3000;
    prop_oneof![
        6 => (key.clone(), any::<u64>()).prop_map(|(key, seed)| Change::Insert(key, seed)),
        6 => (prop::collection::vec(key.clone(), 0..1200), any::<u64>()).prop_map(|(k, s)| Change::InsertMany(k, s)),
        6 => prop::collection::vec(key, 1..900).prop_map(Change::Remove),
        1 => Just(Change::Compact),
        1 => Just(Change::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the changes: the keys are those of a map, and a search that must be exact, because it looks at
    /// everything, is.
    #[test]
    fn the_index_is_a_map_after_any_changes(
        dimension in prop_oneof![Just(1_usize), 2_usize..20, Just(65)],
        metric in prop::sample::select(&METRICS),
        storage in prop::sample::select(&STORAGES),
        m in 2_usize..20,
        changes in prop::collection::vec(change(), 1..16),
    ) {
        let mut config = config(storage);
        config.m = m;
        config.ef_construction = 20;
        let mut index = Hnsw::new(dimension, metric, config).unwrap();
        let mut oracle = Oracle::new(metric);
        let vector = |seed: u64, key: u64| SplitMix64(seed ^ key << 32).vector(dimension);
        for change in changes {
            match change {
                Change::Insert(key, seed) => {
                    index.insert(key, &vector(seed, key)).unwrap();
                    oracle.vectors.insert(key, vector(seed, key));
                }
                Change::InsertMany(keys, seed) => {
                    let vectors: Vec<Vec<f32>> =
                        keys.iter().enumerate().map(|(i, &key)| vector(seed + i as u64 % 7, key)).collect();
                    index.insert_many(&keys, &vectors.concat()).unwrap();
                    oracle.vectors.extend(keys.into_iter().zip(vectors));
                }
                Change::Remove(keys) => {
                    for key in keys {
                        prop_assert_eq!(index.remove(key).unwrap(), oracle.vectors.remove(&key).is_some());
                    }
                }
                Change::Compact => index.compact(),
                Change::Clear => {
                    index.clear();
                    oracle.vectors.clear();
                }
            }
            prop_assert_eq!(index.len(), oracle.vectors.len());
            prop_assert!((0..3000).all(|key| index.contains(key) == oracle.vectors.contains_key(&key)));
            let query = vector(1, 1);
            // By the graph: few, but as many as there are, and each held.
            let found = index.search(&query, &SearchOptions::new(5).with_ef(5)).unwrap();
            assert_sorted(&found);
            prop_assert_eq!(found.len(), oracle.vectors.len().min(5));
            prop_assert!(found.iter().all(|neighbor| oracle.vectors.contains_key(&neighbor.key)));
            // Everything, which is exact where vectors are kept as they came.
            if matches!(storage, Storage::Float | Storage::CodeAndFloat) {
                oracle.assert_exact(&index, &query, &SearchOptions::new(3000));
            }
        }
    }
}
