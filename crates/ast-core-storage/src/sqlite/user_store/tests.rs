//! Of one's own vectors and metadata, in the file of their own.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn open(path: &Path) -> UserStore {
    UserStore::open(path, Access::Write).unwrap().unwrap()
}

fn vector(name: &str, values: &[f32]) -> UserVector {
    UserVector { name: name.into(), vector: values.into(), metadata: Some(format!("{{\"of\":\"{name}\"}}")) }
}

/// What somebody who follows the changes knows.
#[derive(Default)]
struct Follower {
    seen: Option<SeenVectors>,
    known: BTreeMap<u64, Vec<f32>>,
}

impl Follower {
    fn follow(&mut self, store: &UserStore) -> BTreeMap<String, Vec<f32>> {
        match store.changes("c", self.seen).unwrap() {
            None => *self = Self::default(),
            Some(changes) => {
                if changes.is_all {
                    self.known.clear();
                }
                changes.removed.iter().for_each(|number| assert!(self.known.remove(number).is_some()));
                let vectors = changes.vectors.chunks(changes.dimension).map(<[f32]>::to_vec);
                self.known.extend(changes.added.into_iter().zip(vectors));
                self.seen = Some(changes.seen);
            }
        }
        let numbers: Vec<u64> = self.known.keys().copied().collect();
        let names = store.names(&numbers).unwrap();
        assert_eq!(names.len(), numbers.len());
        names.into_iter().map(|(number, name, _)| (name, self.known[&number].clone())).collect()
    }
}

#[test]
fn vectors_are_kept_by_their_names_and_found_by_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db.user");
    let first = open(&path);
    first.put_vectors("c", &[vector("a", &[1.0, 2.0]), vector("b", &[3.0, 4.0])]).unwrap();
    first.put_vectors("c", &[vector("a", &[5.0, f32::MIN_POSITIVE])]).unwrap();
    let second = UserStore::open(&path, Access::Read).unwrap().unwrap();
    assert_eq!(second.vector("c", "a").unwrap(), Some(vector("a", &[5.0, f32::MIN_POSITIVE])));
    assert_eq!(second.vector("d", "a").unwrap(), None);
    let collection = UserCollection { name: "c".into(), dimension: 2, vectors: 2 };
    assert_eq!(second.collections().unwrap(), [collection]);
    assert_eq!(first.delete_vectors("c", &["a".into(), "z".into()]).unwrap(), 1);
    assert_eq!(second.vector("c", "a").unwrap(), None);
    let refused = second.put_vectors("c", &[vector("x", &[1.0, 1.0])]).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }));
}

#[test]
fn a_batch_with_a_vector_of_another_dimension_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("u"));
    store.put_vectors("c", &[vector("a", &[1.0, 2.0])]).unwrap();
    let before = Follower::default().follow(&store);
    let error = store.put_vectors("c", &[vector("b", &[1.0, 2.0]), vector("d", &[1.0])]).unwrap_err();
    assert!(matches!(error, StoreError::Dimension { expected: 2, received: 1, .. }), "{error}");
    assert_eq!(Follower::default().follow(&store), before);
}

#[test]
fn metadata_of_files_is_kept_listed_and_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("u"));
    for path in ["src/a.rs", "src/b.rs", "src2/c.rs", "s%/d"] {
        store.put_file_metadata(path, &format!("{{\"p\":\"{path}\"}}")).unwrap();
    }
    store.put_file_metadata("src/a.rs", "1").unwrap();
    let paths = |prefix, after, limit| -> Vec<String> {
        let listed = store.list_file_metadata(prefix, after, limit).unwrap();
        listed.into_iter().map(|file| file.path).collect()
    };
    assert_eq!(paths("src/", None, 10), ["src/a.rs", "src/b.rs"]);
    assert_eq!(paths("s%", None, 10), ["s%/d"]);
    assert_eq!(paths("", Some("src/a.rs"), 1), ["src/b.rs"]);
    assert_eq!(store.file_metadata("src/a.rs").unwrap().unwrap().metadata, "1");
    assert!(store.delete_file_metadata("src/a.rs").unwrap());
    assert!(!store.delete_file_metadata("src/a.rs").unwrap());
    assert_eq!(store.file_metadata("src/a.rs").unwrap(), None);
}

#[test]
fn damage_is_told_and_other_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("u");
    let store = open(&path);
    store.put_vectors("c", &[vector("a", &[1.0])]).unwrap();
    store.put_file_metadata("f", "1").unwrap();
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch("UPDATE vectors SET vector = x'00000040'; UPDATE file_metadata SET metadata = '2'")
        .unwrap();
    for error in [
        store.vector("c", "a").unwrap_err(),
        store.changes("c", None).unwrap_err(),
        store.file_metadata("f").unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
    let other = directory.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(UserStore::open(&other, Access::Write), Err(StoreError::Foreign { .. })));
    std::fs::write(directory.path().join("text"), "no database, but long enough to be looked at").unwrap();
    let text = UserStore::open(&directory.path().join("text"), Access::Write);
    assert!(matches!(text, Err(StoreError::NotADatabase { .. })));
    assert!(UserStore::open(&directory.path().join("none"), Access::Read).unwrap().is_none());
}

#[test]
fn who_missed_more_removals_than_are_remembered_reads_everything() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("u"));
    let many: Vec<UserVector> =
        (0..MAX_REMOVED + 2).map(|number| vector(&number.to_string(), &[1.0])).collect();
    store.put_vectors("c", &many).unwrap();
    let mut follower = Follower::default();
    follower.follow(&store);
    let names: Vec<String> = many.iter().skip(1).map(|vector| vector.name.clone()).collect();
    store.delete_vectors("c", &names).unwrap();
    assert!(store.changes("c", follower.seen).unwrap().unwrap().is_all);
    assert_eq!(follower.follow(&store).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whoever follows the changes, however rarely, knows what is there.
    #[test]
    fn changes_lead_to_what_is_there(steps in prop::collection::vec((0u8..8, 0u8..6, -9i8..9), 1..40)) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("u"));
        let mut model: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let (mut often, mut rarely) = (Follower::default(), Follower::default());
        for (kind, name, value) in steps {
            let name = format!("n{name}");
            match kind {
                0 => {
                    store.delete_collection("c").unwrap();
                    model.clear();
                }
                1 | 2 => {
                    let had = model.remove(&name).is_some();
                    prop_assert_eq!(store.delete_vectors("c", &[name]).unwrap(), u64::from(had));
                }
                _ => {
                    let values = [f32::from(value), 1.0];
                    store.put_vectors("c", &[vector(&name, &values)]).unwrap();
                    model.insert(name, values.to_vec());
                }
            }
            prop_assert_eq!(&often.follow(&store), &model);
            if kind == 7 {
                prop_assert_eq!(&rarely.follow(&store), &model);
            }
        }
        prop_assert_eq!(&rarely.follow(&store), &model);
    }
}
