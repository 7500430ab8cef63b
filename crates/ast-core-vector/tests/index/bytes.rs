//! The index of bytes against a scan in whole numbers.

use ast_core_vector::{
    ByteIndex, ByteWriter, Expected, FlatIndex, Header, Kind, Metric, Neighbor, SaveOptions, SearchOptions,
    Storage, VectorError, VectorIndex, inspect,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
                let is_ordered = |pair: &[Neighbor]| {
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

/// How far apart a query of four bits a value and the signs of a vector are, value by value.
fn sketch_distance(query: &[f32], codes: &[i8]) -> u32 {
    let largest = query.iter().take(4096).fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let off = |(value, code): (&f32, &i8)| {
        let level = (7.5 - f64::from(*value) * (7.5 / f64::from(largest))).round() as u32;
        if *code < 0 { 15 - level } else { level }
    };
    query.iter().zip(codes).take(4096).map(off).sum()
}

proptest! {
    /// With candidates, a search finds the best of those that signs say are nearest, whatever was there before.
    #[test]
    fn candidates_are_those_that_are_nearest_by_their_signs(
        count in 100_u64..400,
        removed in prop::collection::vec(0_u64..400, 0..60),
        dimension in prop_oneof![1_usize..8, 60_usize..70, Just(256), Just(384), Just(5000)],
        (seed, query_seed, modulus) in (any::<u64>(), any::<u64>(), 1_u64..4),
        (k, ef) in (1_usize..30, 1_usize..60),
    ) {
        let keys: Vec<u64> = (0..count).collect();
        let vectors = codes(seed, keys.len(), dimension);
        let mut index = ByteIndex::new(dimension).unwrap();
        index.insert_codes(&keys, &vectors).unwrap();
        let mut held: BTreeMap<u64, &[i8]> = keys.iter().copied().zip(vectors.chunks(dimension)).collect();
        for key in removed {
            index.remove(key).unwrap();
            held.remove(&key);
        }
        let query = crate::oracle::SplitMix64(query_seed).vector(dimension);
        let filter = |key: u64| key.is_multiple_of(modulus);
        let passing = held.iter().filter(|(key, _)| filter(**key));
        let mut near: Vec<(u32, u64)> =
            passing.map(|(key, codes)| (sketch_distance(&query, codes), *key)).collect();
        near.sort_unstable();
        let ef = ef.max(k);
        // Few are all compared.
        if ef * 8 <= held.len() && ef * 8 <= near.len() {
            let farthest = near[ef - 1].0;
            near.retain(|(distance, _)| *distance <= farthest);
        }
        let near: Vec<u64> = near.into_iter().map(|(_, key)| key).collect();
        let options = SearchOptions::new(k).with_filter(&filter);
        let expected = index.search(&query, &options.with_keys(&near)).unwrap();
        prop_assert_eq!(index.search(&query, &options.with_ef(ef)).unwrap(), expected);
    }
}

#[test]
fn directions_are_added_up_whatever_the_lengths() {
    let mut index = ByteIndex::new(70).unwrap();
    let one = |at: usize, value: i8| {
        (0..70).map(|value_at| if value_at == at { value } else { 0 }).collect::<Vec<_>>()
    };
    index.insert_codes(&[1, 2], &[one(0, 5), one(69, -128)].concat()).unwrap();
    let mut sum = vec![0.0; 70];
    index.add_directions([1, 2, 3, 1], &mut sum).unwrap();
    let expected: Vec<f32> = (0..70)
        .map(|at| [(0, 2.0), (69, -1.0)].into_iter().find(|(one, _)| *one == at).map_or(0.0, |(_, sum)| sum))
        .collect();
    assert_eq!(sum, expected);
    let error = VectorError::DimensionMismatch { key: None, expected: 70, received: 3 };
    assert_eq!(index.add_directions([1], &mut [0.0; 3]), Err(error));
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

/// Vectors of which only the last bits of a score tell which is nearer.
#[test]
fn what_is_nearly_as_near_is_told_apart() {
    let dimension = 256;
    let mut rng = crate::oracle::SplitMix64(11);
    let base: Vec<i8> = (0..dimension).map(|_| rng.next() as i8 / 2).collect();
    let mut index = ByteIndex::new(dimension).unwrap();
    let mut vectors = Vec::new();
    for key in 0..3000_u64 {
        let mut vector = base.clone();
        for _ in 0..3 {
            vector[rng.next() as usize % dimension] += (rng.next() % 3) as i8 - 1;
        }
        index.insert_codes(&[key], &vector).unwrap();
        vectors.push(vector);
    }
    for _ in 0..20 {
        let query: Vec<f32> =
            base.iter().map(|code| f32::from(*code) + (rng.next() % 1000) as f32 / 20.0 - 25.0).collect();
        let found = index.search(&query, &SearchOptions::new(50)).unwrap();
        let mut scores: Vec<f64> = vectors.iter().map(|vector| cosine(&query, vector)).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        // By halves they are all the same, which by both they are not.
        assert!(scores[0] - scores[2999] < 5e-3 && scores[0] - scores[49] > 2e-5);
        for (neighbor, best) in found.iter().zip(&scores) {
            let score = cosine(&query, &vectors[neighbor.key as usize]);
            assert!((f64::from(neighbor.score) - score).abs() < 1e-5 && (score - best).abs() < 1e-5);
        }
        // All of them, which are no longer few of a tile.
        let all = index.search(&query, &SearchOptions::new(5000)).unwrap();
        assert_eq!((all.len(), &all[..50]), (3000, &found[..]));
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
    let count = FlatIndex::PARALLEL_BYTES / 64 + 10_000;
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

const OPTIONS: SaveOptions<'_> = SaveOptions { generation: 7, model: "a model" };

fn expected(dimension: usize) -> Expected<'static> {
    Expected { dimension, metric: Metric::Cosine, model: OPTIONS.model }
}

/// Writes vectors to a file.
fn write(path: &Path, dimension: usize, keys: &[u64], codes: &[i8], payload: &[u8]) {
    let mut file = ByteWriter::create(path, dimension, &OPTIONS).unwrap();
    for (key, codes) in keys.iter().zip(codes.chunks_exact(dimension)) {
        file.push(*key, codes).unwrap();
    }
    file.finish(payload).unwrap();
}

fn held(index: &ByteIndex) -> BTreeMap<u64, Vec<i8>> {
    index.keys().map(|key| (key, index.codes(key).unwrap().unwrap())).collect()
}

/// What searches of all kinds find.
fn answers(index: &ByteIndex) -> Result<Vec<Vec<Neighbor>>, VectorError> {
    let mut rng = crate::oracle::SplitMix64(99);
    let third = |key| key % 3 == 0;
    let keys: Vec<u64> = (0..40).map(|key| key * 7).collect();
    let options = SearchOptions::new(10);
    let options = [
        options,
        options.with_filter(&third),
        options.with_keys(&keys),
        SearchOptions::new(100_000),
        options.with_ef(15),
    ];
    let mut answers = Vec::new();
    for _ in 0..3 {
        let query = rng.vector(index.dimension());
        for options in &options {
            answers.push(index.search(&query, options)?);
        }
    }
    Ok(answers)
}

proptest! {
    /// What is opened from a file and changed is, to the last bit of a score, what was always in memory.
    #[test]
    fn an_index_of_a_file_is_as_one_in_memory(
        count in 0_u64..400,
        changes in prop::collection::vec(change(), 0..12),
        dimension in prop_oneof![1_usize..8, Just(64), Just(100), Just(2000)],
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors");
        // In ascending order or not.
        let keys: Vec<u64> = (0..count).map(|key| if seed % 2 == 0 { key } else { key * 3 % 401 }).collect();
        let vectors = codes(seed, keys.len(), dimension);
        write(&path, dimension, &keys, &vectors, &seed.to_le_bytes());
        let mut memory = ByteIndex::new(dimension).unwrap();
        memory.insert_codes(&keys, &vectors).unwrap();

        let (mut opened, header, payload) = ByteIndex::open(&path, &expected(dimension)).unwrap();
        prop_assert_eq!(&header, &inspect(&path).unwrap());
        prop_assert_eq!((header.kind, header.storage, header.len), (Kind::Bytes, Storage::Code, keys.len()));
        prop_assert_eq!((header.generation, header.model.as_str(), header.config), (7, OPTIONS.model, None));
        prop_assert_eq!(payload, seed.to_le_bytes());
        prop_assert_eq!(answers(&opened).unwrap(), answers(&memory).unwrap());
        let first = opened.clone();
        for change in changes {
            let mut snapshot = None;
            match change {
                Change::Insert(keys, seed) => {
                    let codes = codes(seed, keys.len(), dimension);
                    opened.insert_codes(&keys, &codes).unwrap();
                    memory.insert_codes(&keys, &codes).unwrap();
                }
                // One that is there, and one that may not be.
                Change::Remove(key) => {
                    let some = memory.keys().nth(key as usize % memory.len().max(1));
                    for key in some.into_iter().chain([key]) {
                        prop_assert_eq!(opened.remove(key).unwrap(), memory.remove(key).unwrap());
                    }
                    snapshot = Some((opened.clone(), held(&opened)));
                }
                // What is in the file is not held again by that.
                Change::Clear if seed % 4 > 0 => {
                    opened.clear();
                    memory.clear();
                }
                Change::Clear => {}
            }
            prop_assert_eq!((opened.len(), held(&opened)), (memory.len(), held(&memory)));
            prop_assert_eq!(answers(&opened).unwrap(), answers(&memory).unwrap());
            prop_assert!((0..420).all(|key| opened.contains(key) == memory.contains(key)));
            if let Some((snapshot, expected)) = snapshot {
                prop_assert_eq!(held(&snapshot), expected);
            }
        }
        let anew: BTreeMap<u64, Vec<i8>> =
            keys.iter().copied().zip(vectors.chunks_exact(dimension).map(<[i8]>::to_vec)).collect();
        prop_assert_eq!(held(&first), anew);
        opened.verify().unwrap();
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// Several blocks, of which the last is not full.
#[test]
fn a_file_of_several_blocks_is_as_an_index_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    let dimension = 1024;
    let keys: Vec<u64> = (0..5000).map(|key| key * 5).collect();
    let vectors = codes(3, keys.len(), dimension);
    write(&path, dimension, &keys, &vectors, b"");
    let mut memory = ByteIndex::new(dimension).unwrap();
    memory.insert_codes(&keys, &vectors).unwrap();
    let (mut opened, ..) = ByteIndex::open(&path, &expected(dimension)).unwrap();
    assert_eq!(answers(&opened).unwrap(), answers(&memory).unwrap());
    for index in [&mut opened, &mut memory] {
        for key in (0..25_000).step_by(35) {
            assert!(index.remove(key).unwrap());
        }
        index.insert_codes(&[24_995, 35, 1], &codes(4, 3, dimension)).unwrap();
        // From the end, where what was in the file is in memory by now.
        for key in (24_000..24_995).step_by(5) {
            index.remove(key).unwrap();
        }
    }
    assert_eq!(held(&opened), held(&memory));
    assert_eq!(answers(&opened).unwrap(), answers(&memory).unwrap());
}

#[test]
fn what_cannot_be_written_is_refused_and_leaves_what_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    write(&path, 2, &[1], &[1, 2], b"first");
    let first = fs::read(&path).unwrap();
    let mut file = ByteWriter::create(&path, 2, &OPTIONS).unwrap();
    assert_eq!(file.push(4, &[0, 0]), Err(VectorError::ZeroVector { key: Some(4) }));
    let error = VectorError::DimensionMismatch { key: Some(5), expected: 2, received: 3 };
    assert_eq!(file.push(5, &[1, 2, 3]), Err(error));
    file.push(6, &[-128, 127]).unwrap();
    assert!(fs::read(&path).unwrap() == first, "it has not its name yet");
    drop(file);
    assert!(fs::read(&path).unwrap() == first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    assert!(matches!(ByteWriter::create(&path, 0, &OPTIONS), Err(VectorError::InvalidDimension { .. })));
    let nowhere = folder.path().join("nowhere/vectors");
    assert!(matches!(ByteWriter::create(nowhere, 2, &OPTIONS), Err(VectorError::Io { .. })));
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_refused_or_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    let (dimension, keys) = (100, (0..300).collect::<Vec<u64>>());
    write(&path, dimension, &keys, &codes(8, keys.len(), dimension), b"some bytes of the caller");
    let whole = fs::read(&path).unwrap();
    // All that can be asked of it, and whether it can be changed.
    let use_file = || {
        let (mut index, _, payload) = ByteIndex::open(&path, &expected(dimension))?;
        let found = answers(&index)?;
        index.verify()?;
        index.remove(7)?;
        index.insert_codes(&[7, 1000], &codes(9, 2, dimension))?;
        Ok::<_, VectorError>((found, held(&index), payload))
    };
    let right = use_file().unwrap();
    let is_typed = |error: VectorError| {
        let is_of_file = matches!(
            error,
            VectorError::Damaged { .. } | VectorError::UnknownFormat { .. } | VectorError::OtherIndex { .. }
        );
        assert!(is_of_file, "{error}");
    };
    for length in (0..whole.len()).step_by(997).chain([1, 7, 8, 183, 184, whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        is_typed(use_file().unwrap_err());
    }
    let (mut rng, mut refused) = (crate::oracle::SplitMix64(6), 0);
    const FLIPS: usize = 800;
    for round in 0..FLIPS {
        let most = if round % 2 == 0 { whole.len() } else { 700 };
        let at = rng.next() as usize % most;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (rng.next() % 8);
        fs::write(&path, bytes).unwrap();
        match use_file() {
            Ok(answered) => assert!(answered == right, "byte {at}"),
            Err(error) => {
                is_typed(error);
                refused += 1;
            }
        }
    }
    assert!(refused * 2 > FLIPS, "most bytes mean something: {refused} of {FLIPS}");

    fs::write(&path, &whole).unwrap();
    for other in [Expected { model: "another", ..expected(dimension) }, expected(99)] {
        assert!(matches!(ByteIndex::open(&path, &other), Err(VectorError::OtherIndex { .. })));
    }
    let flat = FlatIndex::open(&path, &expected(dimension), Storage::Code);
    assert!(matches!(flat, Err(VectorError::OtherIndex { setting: "kind", .. })));
}

/// Files as the programs of their versions wrote them; those before the third have no sketches.
#[test]
fn old_files_are_searched_as_new_ones() {
    for version in [2, 3] {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/index/fixtures");
        let path = fixtures.join(format!("v{version}-bytes.index"));
        if !path.exists() {
            assert_eq!(version, 3, "it cannot be written any more");
            let keys: Vec<u64> = (0..120).map(|key| key * 7).collect();
            write(&path, 100, &keys, &codes(5, keys.len(), 100), b"golden");
            panic!("{} was missing and is written now; commit it", path.display());
        }
        let Header { dimension, model, version: written, .. } = inspect(&path).unwrap();
        assert_eq!(written, version);
        let expected = Expected { dimension, metric: Metric::Cosine, model: &model };
        let (index, ..) = ByteIndex::open(&path, &expected).unwrap();
        index.verify().unwrap();
        let mut anew = ByteIndex::new(dimension).unwrap();
        for (key, codes) in held(&index) {
            anew.insert_codes(&[key], &codes).unwrap();
        }
        let query = crate::oracle::SplitMix64(2).vector(dimension);
        for options in
            [SearchOptions::new(5), SearchOptions::new(1).with_ef(1), SearchOptions::new(2).with_ef(2)]
        {
            let found = index.search(&query, &options).unwrap();
            assert_eq!(found.len(), options.k);
            assert_eq!(found, anew.search(&query, &options).unwrap());
        }
    }
}

/// Damage that shows in a search ends all use, of clones as well.
#[test]
fn damage_that_is_found_late_is_an_error_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    let dimension = 1024;
    let keys: Vec<u64> = (0..5000).collect();
    let vectors = codes(3, keys.len(), dimension);
    write(&path, dimension, &keys, &vectors, b"");
    let mut bytes = fs::read(&path).unwrap();
    // In the second block of vectors.
    bytes[3 << 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (mut opened, ..) = ByteIndex::open(&path, &expected(dimension)).unwrap();
    let snapshot = opened.clone();
    let query: Vec<f32> = vectors[..dimension].iter().map(|code| f32::from(*code)).collect();
    let near = [0, 1, 2];
    let listed = SearchOptions::new(1).with_keys(&near);
    assert_eq!(opened.search(&query, &listed).unwrap()[0].key, 0, "the first block is sound");
    let error = opened.search(&query, &SearchOptions::new(1)).unwrap_err();
    assert!(matches!(error, VectorError::Damaged { part: "the codes", .. }), "{error}");
    for index in [&mut opened, &mut snapshot.clone()] {
        assert_eq!(index.search(&query, &listed), Err(error.clone()));
        assert_eq!(index.codes(1), Err(error.clone()));
        assert_eq!(index.remove(1), Err(error.clone()));
        assert_eq!(index.insert_codes(&[9_000], &vectors[..dimension]), Err(error.clone()));
        assert_eq!(index.verify(), Err(error.clone()));
        index.clear();
        index.insert_codes(&[9_000], &vectors[..dimension]).unwrap();
        assert_eq!(index.search(&query, &SearchOptions::new(1)).unwrap()[0].key, 9_000);
    }
}
