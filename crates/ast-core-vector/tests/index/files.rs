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

/// The version that files are written in.
const VERSION: u32 = 3;

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
    fn sized(dimension: usize, metric: Metric, storage: Storage) -> Self;

    fn empty(metric: Metric, storage: Storage) -> Self {
        Self::sized(DIMENSION, metric, storage)
    }

    fn save(&self, path: &Path, options: &SaveOptions<'_>) -> Result<(), VectorError>;
    fn open(path: &Path, expected: &Expected<'_>, storage: Storage) -> Result<(Self, Header), VectorError>;
    fn verify(&self) -> Result<(), VectorError>;
    fn mapped(&self) -> usize;
}

macro_rules! file {
    ($index:ident, $kind:ident, $settings:expr, $with:ident) => {
        impl File for $index {
            const KIND: Kind = Kind::$kind;

            fn sized(dimension: usize, metric: Metric, storage: Storage) -> Self {
                $index::$with(dimension, metric, $settings(storage)).unwrap()
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

fn keys(found: &[Neighbor]) -> Vec<u64> {
    found.iter().map(|neighbor| neighbor.key).collect()
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
        assert_eq!((header.version, header.dimension, header.len), (VERSION, DIMENSION, index.len()));
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

/// What a search among what is opened says, and whether more of it can be asked and changed.
fn use_file<I: File>(
    path: &Path,
    metric: Metric,
    storage: Storage,
) -> Result<Vec<Vec<Neighbor>>, VectorError> {
    let (mut index, _) = I::open(path, &expected(metric), storage)?;
    let found = answers(&index)?;
    index.verify()?;
    let mut rng = SplitMix64(5);
    index.insert_many(&[1, 2, 3], &rng.vector(3 * DIMENSION))?;
    index.remove(7)?;
    Ok(found)
}

fn damage_shows<I: File>(metric: Metric, storage: Storage, flips: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut index = I::empty(metric, storage);
    change(&mut index, 3, 300);
    index.save(&path, &OPTIONS).unwrap();
    let (whole, right) = (fs::read(&path).unwrap(), answers(&index).unwrap());
    let is_typed = |error: &VectorError| {
        let named = error.to_string().starts_with(&path.display().to_string());
        let advised = error.to_string().ends_with("build the index anew and save it");
        let is_of_file = matches!(
            error,
            VectorError::Damaged { .. } | VectorError::UnknownFormat { .. } | VectorError::OtherIndex { .. }
        );
        assert!(is_of_file && named && advised, "{error}");
    };

    for length in (0..whole.len()).step_by(4096).chain([1, 7, 8, 100, 183, 184, whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        is_typed(&use_file::<I>(&path, metric, storage).unwrap_err());
        is_typed(&inspect(&path).unwrap_err());
    }
    fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    is_typed(&use_file::<I>(&path, metric, storage).unwrap_err());

    let (mut rng, mut found) = (SplitMix64(6), 0);
    for round in 0..flips {
        // Every other one in the header, which is small.
        let most = if round % 2 == 0 { whole.len() } else { 1000 };
        let at = rng.next() as usize % most;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (rng.next() % 8);
        fs::write(&path, bytes).unwrap();
        match use_file::<I>(&path, metric, storage) {
            Ok(answers) => assert_eq!(answers, right, "byte {at}"),
            Err(error) => {
                is_typed(&error);
                found += 1;
            }
        }
    }
    assert!(found * 2 > flips, "most bytes mean something: {found} of {flips}");
}

#[test]
fn damage_is_an_error_or_does_no_harm() {
    damage_shows::<FlatIndex>(Metric::Euclidean, Storage::Float, 600);
    damage_shows::<FlatIndex>(Metric::Cosine, Storage::CodeAndHalf, 600);
    damage_shows::<Hnsw>(Metric::Dot, Storage::CodeAndFloat, 1600);
    damage_shows::<Hnsw>(Metric::Euclidean, Storage::Code, 1200);
    damage_shows::<AutoIndex>(Metric::Cosine, Storage::CodeAndFloat, 1000);
}

/// A large file is checked piece by piece: searches that do not come by the damage are right, and from the first that
/// does on nothing works.
#[test]
fn damage_that_is_found_late_ends_all_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (metric, storage) = (Metric::Cosine, Storage::Float);
    let mut index = FlatIndex::empty(metric, storage);
    change(&mut index, 3, 30_000);
    index.save(&path, &OPTIONS).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 60_000;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let (mut opened, _) = FlatIndex::open(&path, &expected(metric), storage).unwrap();
    let first = opened.keys().next().unwrap();
    let query = SplitMix64(8).vector(DIMENSION);
    let options = SearchOptions::new(3);
    let near = [first];
    let found = opened.search(&query, &options.with_keys(&near)).unwrap();
    assert_eq!(found, index.search(&query, &options.with_keys(&near)).unwrap());

    let error = opened.search(&query, &options).unwrap_err();
    let VectorError::Damaged { part: "the vectors", .. } = &error else { panic!("{error}") };
    let snapshot = opened.clone();
    assert_eq!(opened.search(&query, &options.with_keys(&near)), Err(error.clone()));
    assert_eq!(snapshot.search(&query, &options.with_keys(&near)), Err(error.clone()));
    assert_eq!(opened.insert(1, &query), Err(error.clone()));
    assert_eq!(opened.remove(first), Err(error.clone()));
    assert_eq!(opened.verify(), Err(error.clone()));
    let other = folder.path().join("other");
    assert_eq!(opened.save(&other, &OPTIONS), Err(error));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "what is damaged is not saved");
    opened.clear();
    opened.insert(1, &query).unwrap();
    opened.save(&path, &OPTIONS).unwrap();
}

#[test]
fn a_file_of_another_index_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut index = Hnsw::empty(Metric::Dot, Storage::CodeAndFloat);
    change(&mut index, 1, 50);
    index.save(&path, &OPTIONS).unwrap();
    let right = expected(Metric::Dot);
    let open = |expected: Expected<'_>, config| Hnsw::open(&path, &expected, config).unwrap_err().to_string();
    let message = |rest: &str| format!("{} {rest}; build the index anew and save it", path.display());

    let usual = || config(Storage::CodeAndFloat);
    let with = |change: fn(&mut HnswConfig)| {
        let mut config = usual();
        change(&mut config);
        config
    };
    assert_eq!(
        open(Expected { model: "another", ..right }, usual()),
        message("has model a model, ä, but another was asked for")
    );
    assert_eq!(
        open(Expected { dimension: 21, ..right }, usual()),
        message("has dimension 20, but 21 was asked for")
    );
    assert_eq!(
        open(Expected { metric: Metric::Cosine, ..right }, usual()),
        message("has metric dot, but cosine was asked for")
    );
    assert_eq!(
        open(right, config(Storage::Code)),
        message("has storage CodeAndFloat, but Code was asked for")
    );
    assert_eq!(open(right, with(|config| config.m = 7)), message("has m 6, but 7 was asked for"));
    assert_eq!(
        open(right, with(|config| config.ef_construction = 31)),
        message("has ef_construction 30, but 31 was asked for")
    );
    assert_eq!(open(right, with(|config| config.seed = 9)), message("has seed 0, but 9 was asked for"));
    let error = AutoIndex::open(&path, &right, usual()).unwrap_err();
    assert_eq!(error.to_string(), message("has kind Hnsw, but AutoIndex was asked for"));
    let (opened, header) = Hnsw::open(&path, &right, with(|config| config.ef_search = 5)).unwrap();
    assert_eq!((opened.len(), header.config.unwrap().ef_search), (index.len(), 64));

    fs::write(&path, "#!/bin/sh\nexit 0 # and some more text\n").unwrap();
    assert_eq!(
        open(right, usual()),
        format!(
            "{} is not an index that this version can read: expected a file that begins with 89 41 53 54 56 45 43 0a, \
             received 23 21 2f 62 69 6e 2f 73; build the index anew and save it",
            path.display()
        )
    );
    fs::write(&path, b"\x89ASTVEC\n\x04\0\0\0and what comes with the next version").unwrap();
    assert!(open(right, usual()).contains("expected version 1 to 3, received version 4"));
}

#[test]
fn what_cannot_be_read_or_written_is_an_error_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let index = FlatIndex::empty(Metric::Dot, Storage::Float);
    let kind = |result: Result<(), VectorError>| match result.unwrap_err() {
        VectorError::Io { kind, path, .. } => (kind, path),
        error => panic!("{error}"),
    };
    let missing = folder.path().join("missing");
    let expected = expected(Metric::Dot);
    let open = |path: &Path| FlatIndex::open(path, &expected, Storage::Float).map(|_| ());
    assert_eq!(kind(open(&missing)), (ErrorKind::NotFound, missing.clone()));
    assert_eq!(kind(inspect(&missing).map(|_| ())), (ErrorKind::NotFound, missing.clone()));
    assert!(open(folder.path()).is_err());

    let nowhere = missing.join("index");
    assert_eq!(kind(index.save(&nowhere, &OPTIONS)), (ErrorKind::NotFound, nowhere));
    let root = Path::new("/");
    assert_eq!(kind(index.save(root, &OPTIONS)), (ErrorKind::InvalidInput, root.to_owned()));
    // A folder is in the place of the file.
    fs::create_dir(&missing).unwrap();
    fs::write(missing.join("file"), "").unwrap();
    assert_eq!(kind(index.save(&missing, &OPTIONS)).1, missing);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    let model = "m".repeat(1025);
    let error = index.save(folder.path().join("index"), &SaveOptions { generation: 0, model: &model });
    assert_eq!(error.unwrap_err().to_string(), "model is of 1025 bytes; expected at most 1024 bytes");
}

/// A process that ended while it wrote leaves a draft, which the next save removes; one that is being written stays.
#[test]
fn drafts_that_were_left_behind_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let index = FlatIndex::empty(Metric::Dot, Storage::Float);
    index.save(&path, &OPTIONS).unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "half of an index").unwrap();
        path
    };
    let left = [file("index.123-0.draft"), file("index.9-77.draft")];
    let others = [file("index2.123-0.draft"), file("index.mine.draft"), file("index.123-0.draft.txt")];
    let written = file("index.55-0.draft");
    let writer = fs::File::open(&written).unwrap();
    writer.lock().unwrap();
    index.save(&path, &OPTIONS).unwrap();
    assert!(left.iter().all(|path| !path.exists()));
    assert!(others.iter().chain([&written, &path]).all(|path| path.exists()));
    drop(writer);
    index.save(&path, &OPTIONS).unwrap();
    assert!(!written.exists());
}

/// Writers in several threads: what is there at any time is what one of them saved.
#[test]
fn savers_do_not_disturb_each_other_or_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (metric, storage) = (Metric::Cosine, Storage::CodeAndFloat);
    let mut index = AutoIndex::empty(metric, storage);
    change(&mut index, 1, 500);
    let right = answers(&index).unwrap();
    index.save(&path, &OPTIONS).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (path, index) = (&path, &index);
            scope.spawn(move || {
                for generation in 0..20 {
                    index
                        .save(path, &SaveOptions { generation: writer * 100 + generation, ..OPTIONS })
                        .unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let (opened, _) = AutoIndex::open(&path, &expected(metric), config(storage)).unwrap();
                    assert_eq!(answers(&opened).unwrap(), right);
                }
            });
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Many read blocks of a file for the first time at once, while one changes the index.
#[test]
fn an_opened_index_is_shared_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (metric, storage) = (Metric::Cosine, Storage::CodeAndFloat);
    let mut index = Hnsw::empty(metric, storage);
    change(&mut index, 1, 3000);
    index.save(&path, &OPTIONS).unwrap();
    let right = answers(&index).unwrap();
    for _ in 0..3 {
        let (opened, _) = Hnsw::open(&path, &expected(metric), config(storage)).unwrap();
        let shared = Shared::new(opened);
        let first = shared.snapshot();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(answers(&*first).unwrap(), right));
                scope.spawn(|| answers(&*shared.snapshot()).unwrap());
            }
            scope.spawn(|| {
                for seed in 0..5 {
                    shared.update(|index| change(index, seed, 40));
                }
            });
        });
        let mut expected = index.clone();
        (0..5).for_each(|seed| change(&mut expected, seed, 40));
        assert_eq!(answers(&*shared.snapshot()).unwrap(), answers(&expected).unwrap());
    }
}

/// Files as the first programs wrote them that knew their version. One of the current version that is missing is
/// written, to be committed; none that is there may ever be written again.
#[test]
fn old_files_stay_readable() {
    /// Codes of more than one cache line.
    const WIDE: usize = 150;
    fn check<I: File>(version: u32, dimension: usize, metric: Metric, storage: Storage) {
        const COUNT: usize = 60;
        let wide = if dimension == WIDE { "-wide" } else { "" };
        let name = format!("v{version}-{:?}-{metric}-{storage:?}{wide}.index", I::KIND).to_lowercase();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/index/fixtures").join(&name);
        let mut rng = SplitMix64(12);
        let vectors = rng.vector(COUNT * dimension);
        let (key, removed) = (|i: usize| i as u64 * 1_000_003, |i: usize| i % 6 == 1);
        let options = SaveOptions { generation: 31, model: "golden" };
        let mut anew = I::sized(dimension, metric, storage);
        anew.insert_many(&(0..COUNT).map(key).collect::<Vec<_>>(), &vectors).unwrap();
        (0..COUNT).filter(|&i| removed(i)).for_each(|i| _ = anew.remove(key(i)).unwrap());
        if !path.exists() {
            assert_eq!(version, VERSION, "{name} is missing and cannot be written any more");
            anew.save(&path, &options).unwrap();
            panic!("{name} was missing and is written now; commit it");
        }
        let expected = Expected { dimension, metric, model: "golden" };
        let (mut index, header) = I::open(&path, &expected, storage).unwrap();
        index.verify().unwrap();
        let held: Vec<usize> = (0..COUNT).filter(|&i| !removed(i)).collect();
        assert_eq!((header.version, header.generation, header.len), (version, 31, held.len()));
        for &i in &held {
            let query = &vectors[i * dimension..][..dimension];
            assert!(index.contains(key(i)));
            let search = |index: &I| index.search(query, &SearchOptions::new(5)).unwrap();
            let (found, right) = (search(&index), search(&anew));
            assert_eq!(keys(&found), keys(&right), "{name}");
            // Between processors the last bits may differ.
            let near =
                |(a, b): (&Neighbor, &Neighbor)| (a.score - b.score).abs() <= 1e-5 * b.score.abs().max(1.0);
            assert!(found.iter().zip(&right).all(near), "{name}: {found:?}, {right:?}");
        }
        (0..COUNT).filter(|&i| removed(i)).for_each(|i| assert!(!index.contains(key(i))));
        // It is written in the version of today, and comes back.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("index");
        index.save(&copy, &options).unwrap();
        let (again, header) = I::open(&copy, &expected, storage).unwrap();
        assert_eq!(header.version, VERSION);
        let query = &vectors[..dimension];
        let search = |index: &I| index.search(query, &SearchOptions::new(20)).unwrap();
        assert_eq!(search(&again), search(&index));
        index.insert_many(&[5, 6], &vectors[..2 * dimension]).unwrap();
        assert_eq!(index.len(), held.len() + 2);
    }
    fn check_kinds(version: u32, dimension: usize, metric: Metric, storage: Storage) {
        check::<FlatIndex>(version, dimension, metric, storage);
        check::<Hnsw>(version, dimension, metric, storage);
        check::<AutoIndex>(version, dimension, metric, storage);
    }
    for metric in METRICS {
        for storage in STORAGES {
            check_kinds(1, DIMENSION, metric, storage);
        }
    }
    for (storage, metric) in STORAGES.into_iter().zip(METRICS.into_iter().cycle()) {
        // Version 3 is another in the kind that is bytes only.
        for version in 1..=2 {
            check_kinds(version, WIDE, metric, storage);
        }
    }
}

/// A file system of 300 KB, as long as this lives.
#[cfg(target_os = "linux")]
struct SmallDisk<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl<'a> SmallDisk<'a> {
    /// `None` if this process may not make one.
    fn mount(at: &'a Path) -> Option<Self> {
        Self::run("mount", &["-t", "tmpfs", "-o", "size=300k", "tmpfs"], at).then_some(Self(at))
    }

    fn make_read_only(&self) {
        assert!(Self::run("mount", &["-o", "remount,ro"], self.0));
    }

    fn run(program: &str, arguments: &[&str], at: &Path) -> bool {
        let mut command = std::process::Command::new(program);
        command.args(arguments).arg(at).stderr(std::process::Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Self::run("umount", &[], self.0);
    }
}

/// Without room, or without the right to write, the file that is there stays.
#[cfg(target_os = "linux")]
#[test]
#[expect(clippy::print_stderr, reason = "what this process has no right to test is said")]
fn a_save_that_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let (metric, storage) = (Metric::Cosine, Storage::CodeAndFloat);
    let mut index = Hnsw::empty(metric, storage);
    change(&mut index, 1, 100);
    let check = |index: &Hnsw, expected_kinds: &[ErrorKind]| {
        let before = fs::read(&path).unwrap();
        let error = index.save(&path, &OPTIONS).unwrap_err();
        let VectorError::Io { kind, .. } = &error else { panic!("{error}") };
        assert!(expected_kinds.contains(kind), "{error}");
        assert!(fs::read(&path).unwrap() == before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
    };

    match SmallDisk::mount(folder.path()) {
        Some(disk) => {
            index.save(&path, &OPTIONS).unwrap();
            let mut large = index.clone();
            change(&mut large, 2, 2000);
            check(&large, &[ErrorKind::StorageFull]);
            index.save(&path, &OPTIONS).unwrap();
            disk.make_read_only();
            check(&index, &[ErrorKind::ReadOnlyFilesystem]);
            let (opened, _) = Hnsw::open(&path, &expected(metric), config(storage)).unwrap();
            assert_eq!(answers(&opened).unwrap(), answers(&index).unwrap());
        }
        None => eprintln!("not tested: a full and a read-only disk, which take the right to mount one"),
    }

    index.save(&path, &OPTIONS).unwrap();
    let mut permissions = fs::metadata(folder.path()).unwrap().permissions();
    let before = permissions.clone();
    permissions.set_readonly(true);
    fs::set_permissions(folder.path(), permissions).unwrap();
    if fs::write(folder.path().join("probe"), "").is_err() {
        check(&index, &[ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem]);
    } else {
        fs::remove_file(folder.path().join("probe")).unwrap();
        eprintln!("not tested: a folder that cannot be written to, because this user can write to all");
    }
    fs::set_permissions(folder.path(), before).unwrap();
}
