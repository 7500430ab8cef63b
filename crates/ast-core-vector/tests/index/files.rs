//! Indexes in files: what is opened is what was saved, and a file that is not as it was saved is refused.

use std::{fs, io::ErrorKind, path::Path};

use ast_core_vector::{
    AutoIndex, Expected, FlatIndex, Header, Hnsw, HnswConfig, Kind, Metric, Neighbor, SaveOptions,
    SearchOptions, Shared, Storage, VectorError, VectorIndex, inspect,
};

use crate::oracle::SplitMix64;

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];
const STORAGES: [Storage; 4] = [Storage::Float, Storage::CodeAndFloat, Storage::CodeAndHalf, Storage::Code];
const OPTIONS: SaveOptions<'_> = SaveOptions { generation: u64::MAX - 3, model: "a model, ä" };
const DIMENSION: usize = 20;

fn config(storage: Storage) -> HnswConfig {
    let mut config = HnswConfig::default();
    (config.m, config.ef_construction, config.storage) = (6, 30, storage);
    config
}

fn expected(metric: Metric) -> Expected<'static> {
    Expected { dimension: DIMENSION, metric, model: OPTIONS.model }
}

/// The three indexes alike.
trait File: VectorIndex + Clone + Sized {
    const KIND: Kind;
    fn empty(metric: Metric, storage: Storage) -> Self;
    fn save(&self, path: &Path, options: &SaveOptions<'_>) -> Result<(), VectorError>;
    fn open(path: &Path, expected: &Expected<'_>, storage: Storage) -> Result<(Self, Header), VectorError>;
    fn verify(&self) -> Result<(), VectorError>;
    fn mapped(&self) -> usize;
}

macro_rules! file {
    ($index:ident, $kind:ident, $settings:expr, $with:ident) => {
        impl File for $index {
            const KIND: Kind = Kind::$kind;

            fn empty(metric: Metric, storage: Storage) -> Self {
                $index::$with(DIMENSION, metric, $settings(storage)).unwrap()
            }

            fn save(&self, path: &Path, options: &SaveOptions<'_>) -> Result<(), VectorError> {
                self.save(path, options)
            }

            fn open(
                path: &Path,
                expected: &Expected<'_>,
                storage: Storage,
            ) -> Result<(Self, Header), VectorError> {
                $index::open(path, expected, $settings(storage))
            }

            fn verify(&self) -> Result<(), VectorError> {
                self.verify()
            }

            fn mapped(&self) -> usize {
                self.memory().mapped
            }
        }
    };
}

file!(FlatIndex, Flat, std::convert::identity, with_storage);
file!(Hnsw, Graph, config, new);
file!(AutoIndex, Auto, config, new);

/// Inserts, replaces and removes, so that there are holes and, in a graph, a sweep that is half done.
fn change(index: &mut impl VectorIndex, seed: u64, count: usize) {
    let mut rng = SplitMix64(seed);
    let keys: Vec<u64> = (0..count).map(|_| rng.next() % (2 * count as u64) * 7).collect();
    index.insert_many(&keys, &rng.vector(count * DIMENSION)).unwrap();
    for key in keys.iter().step_by(5) {
        index.remove(*key).unwrap();
    }
    for key in keys.iter().step_by(11) {
        index.insert(*key, &rng.vector(DIMENSION)).unwrap();
    }
}

fn answers(index: &impl VectorIndex) -> Result<Vec<Vec<Neighbor>>, VectorError> {
    let mut rng = SplitMix64(99);
    let third = |key| key % 3 == 0;
    let keys: Vec<u64> = (0..40).map(|key| key * 7).collect();
    let options = SearchOptions::new(10).with_ef(12);
    let options = [options, options.with_filter(&third), options.with_keys(&keys)];
    let mut answers = Vec::new();
    for _ in 0..10 {
        let query = rng.vector(DIMENSION);
        for options in &options {
            answers.push(index.search(&query, options)?);
        }
    }
    Ok(answers)
}

fn comes_back<I: File>(metric: Metric, storage: Storage) {
    let what = format!("{:?}, {metric}, {storage:?}", I::KIND);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    for count in [0, 1, 150, 2500] {
        let mut index = I::empty(metric, storage);
        if count > 0 {
            change(&mut index, 1, count);
        }
        index.save(&path, &OPTIONS).unwrap();

        let (mut opened, header) = I::open(&path, &expected(metric), storage).unwrap();
        assert_eq!(inspect(&path).unwrap(), header);
        assert_eq!((header.kind, header.metric, header.storage), (I::KIND, metric, storage));
        assert_eq!((header.generation, header.model.as_str()), (OPTIONS.generation, OPTIONS.model));
        assert_eq!((header.version, header.dimension, header.len), (1, DIMENSION, index.len()));
        assert_eq!(header.config, (I::KIND != Kind::Flat).then(|| config(storage)));
        assert_eq!(opened.len(), index.len(), "{what}");
        assert_eq!(opened.mapped() > 0, count > 0);
        assert_eq!(answers(&opened).unwrap(), answers(&index).unwrap(), "{what}");
        opened.verify().unwrap();

        // It goes on as the one that was never saved, and what was opened before stays what it was.
        let snapshot = opened.clone();
        change(&mut index, 2, 200);
        change(&mut opened, 2, 200);
        assert_eq!(answers(&opened).unwrap(), answers(&index).unwrap(), "{what}, changed");
        assert_eq!(
            answers(&snapshot).unwrap(),
            answers(&I::open(&path, &expected(metric), storage).unwrap().0).unwrap()
        );

        // What is partly in a file is saved like any other, in place of that file too.
        let again = SaveOptions { generation: 2, model: OPTIONS.model };
        let bytes = |index: &I| {
            index.save(&path, &again).unwrap();
            fs::read(&path).unwrap()
        };
        assert!(bytes(&opened) == bytes(&index), "{what}: both are the same file");
        assert_eq!(inspect(&path).unwrap().generation, 2);
        opened.clear();
        assert_eq!((opened.len(), opened.mapped()), (0, 0));
        assert_eq!(snapshot.verify(), Ok(()), "the old file is still there for those who have it open");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn an_index_comes_back_as_it_was_saved() {
    for metric in METRICS {
        for storage in STORAGES {
            comes_back::<FlatIndex>(metric, storage);
            comes_back::<Hnsw>(metric, storage);
            comes_back::<AutoIndex>(metric, storage);
        }
    }
}
