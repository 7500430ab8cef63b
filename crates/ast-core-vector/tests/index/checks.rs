//! What every index refuses, and that it changes nothing when it does.

use ast_core_vector::{
    AutoIndex, ByteIndex, FlatIndex, Hnsw, HnswConfig, MAX_DIMENSION, MAX_MAGNITUDE, Metric, SearchOptions,
    Storage, VectorError, VectorIndex,
};
use proptest::prelude::*;

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];

fn indexes(dimension: usize, metric: Metric) -> Vec<Box<dyn VectorIndex>> {
    let mut indexes: Vec<Box<dyn VectorIndex>> = vec![
        Box::new(FlatIndex::new(dimension, metric).unwrap()),
        Box::new(AutoIndex::new(dimension, metric, HnswConfig::default()).unwrap()),
        #[cfg(feature = "hnsw-rs")]
        Box::new(ast_core_vector::HnswRsIndex::new(dimension, metric, Default::default()).unwrap()),
    ];
    if metric == Metric::Cosine {
        indexes.push(Box::new(ByteIndex::new(dimension).unwrap()));
    }
    for storage in [Storage::Float, Storage::CodeAndFloat, Storage::CodeAndHalf, Storage::Code] {
        indexes.push(Box::new(FlatIndex::with_storage(dimension, metric, storage).unwrap()));
        let mut config = HnswConfig::default();
        config.storage = storage;
        indexes.push(Box::new(Hnsw::new(dimension, metric, config).unwrap()));
    }
    indexes
}

#[test]
fn a_dimension_is_at_least_1_and_at_most_the_limit() {
    for received in [0, MAX_DIMENSION + 1, usize::MAX] {
        let error = FlatIndex::new(received, Metric::Dot).unwrap_err();
        assert_eq!(error, VectorError::InvalidDimension { received });
    }
    let mut index = FlatIndex::new(MAX_DIMENSION, Metric::Euclidean).unwrap();
    index.insert(1, &vec![MAX_MAGNITUDE; MAX_DIMENSION]).unwrap();
    let found = index.search(&vec![-MAX_MAGNITUDE; MAX_DIMENSION], &SearchOptions::new(1)).unwrap();
    assert!(found[0].score.is_finite(), "the worst that there can be is {}", found[0].score);
}

#[test]
fn vectors_that_do_not_compare_are_refused() {
    use VectorError::{BatchLength, DimensionMismatch, NonFinite, OutOfRange, ZeroVector};

    let key = Some(7);
    let huge = MAX_MAGNITUDE.next_up();
    for metric in METRICS {
        for mut index in indexes(2, metric) {
            index.insert(7, &[1.0, 2.0]).unwrap();
            let before = index.search(&[1.0, 1.0], &SearchOptions::new(9)).unwrap();

            let mut refused = vec![
                (vec![1.0], DimensionMismatch { key, expected: 2, received: 1 }),
                (vec![1.0; 4], DimensionMismatch { key, expected: 2, received: 4 }),
                (vec![], DimensionMismatch { key, expected: 2, received: 0 }),
                (vec![1.0, f32::NAN], NonFinite { key, position: 1 }),
                (vec![f32::INFINITY, 1.0], NonFinite { key, position: 0 }),
                (vec![f32::NEG_INFINITY, f32::NAN], NonFinite { key, position: 0 }),
            ];
            if metric == Metric::Cosine {
                refused.push((vec![0.0, -0.0], ZeroVector { key }));
            } else {
                refused.push((
                    vec![0.0, -huge],
                    OutOfRange { key, position: 1, received: -huge, limit: MAX_MAGNITUDE },
                ));
            }
            for (vector, expected) in refused {
                let mut expected = expected;
                if let OutOfRange { limit, .. } = &mut expected
                    && let Err(OutOfRange { limit: received, .. }) = index.insert(7, &vector)
                {
                    assert!(received == MAX_MAGNITUDE || received == 65_504.0, "that of floats of 16 bits");
                    *limit = received;
                }
                assert_eq!(index.insert(7, &vector).unwrap_err(), expected);
                if vector.len() == 2 {
                    let batch = [&[5.0, 5.0][..], &vector].concat();
                    assert_eq!(index.insert_many(&[8, 7], &batch).unwrap_err(), expected);
                }
                let error = index.search(&vector, &SearchOptions::new(1)).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    expected.to_string().replace("the vector of key 7", "the query")
                );
            }
            let expected = BatchLength { keys: 2, dimension: 2, received: 3 };
            assert_eq!(index.insert_many(&[8, 9], &[1.0; 3]).unwrap_err(), expected);
            let expected = VectorError::Capacity { vectors: usize::MAX, dimension: 2 };
            assert_eq!(index.reserve(usize::MAX).unwrap_err(), expected);

            assert_eq!(index.len(), 1);
            assert!(!index.contains(8));
            assert_eq!(index.search(&[1.0, 1.0], &SearchOptions::new(9)).unwrap(), before);
        }
    }
}

#[test]
fn a_threshold_is_a_number() {
    for index in indexes(2, Metric::Dot) {
        let error = index.search(&[1.0, 1.0], &SearchOptions::new(1).with_threshold(f32::NAN)).unwrap_err();
        assert_eq!(error.to_string(), "threshold is NaN; expected a number");
    }
}

#[test]
fn the_two_zeros_are_one_score() {
    for mut index in indexes(64, Metric::Dot) {
        // All products are too small for a float; those of key 1 round to negative zeros.
        index.insert(1, &[-1e-30; 64]).unwrap();
        index.insert(2, &[1e-30; 64]).unwrap();
        let found = index.search(&[1e-30; 64], &SearchOptions::new(2)).unwrap();
        assert_eq!(found.iter().map(|neighbor| neighbor.key).collect::<Vec<_>>(), [1, 2]);
    }
}

#[test]
fn an_empty_index_finds_nothing() {
    for mut index in indexes(2, Metric::Cosine) {
        for _ in 0..2 {
            assert!(index.is_empty());
            assert_eq!(index.search(&[1.0, 0.0], &SearchOptions::new(usize::MAX)).unwrap(), []);
            assert!(!index.remove(1).unwrap());
            index.insert(1, &[0.0, 1.0]).unwrap();
            assert_eq!(index.search(&[1.0, 0.0], &SearchOptions::new(0)).unwrap(), []);
            assert_eq!(index.search(&[1.0, 0.0], &SearchOptions::new(usize::MAX)).unwrap().len(), 1);
            assert!(index.remove(1).unwrap());
        }
        index.insert(1, &[0.0, 1.0]).unwrap();
        index.clear();
        assert_eq!(index.search(&[1.0, 0.0], &SearchOptions::new(1)).unwrap(), []);
    }
}

proptest! {
    /// Whatever the bits of vectors and queries are: no panic, and no score that is not a number in its range.
    #[test]
    fn any_bits_are_refused_or_score_finitely(
        vectors in prop::collection::vec(prop::collection::vec(any::<u32>().prop_map(f32::from_bits), 3), 1..30),
    ) {
        for metric in METRICS {
            for mut index in indexes(3, metric) {
                let mut inserted = 0;
                for (key, vector) in vectors.iter().enumerate() {
                    inserted += usize::from(index.insert(key as u64, vector).is_ok());
                }
                prop_assert_eq!(index.len(), inserted);
                for query in &vectors {
                    let Ok(found) = index.search(query, &SearchOptions::new(100)) else { continue };
                    prop_assert_eq!(found.len(), inserted);
                    for neighbor in found {
                        prop_assert!(neighbor.score.is_finite());
                        match metric {
                            Metric::Cosine => prop_assert!((-1.0..=1.0).contains(&neighbor.score)),
                            Metric::Euclidean => prop_assert!(neighbor.score <= 0.0),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}
