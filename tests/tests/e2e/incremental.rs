//! After any edits the index holds what an index made from nothing would hold.

use crate::repository::Repository;
use crate::rows;
use ast_core_engine::{Change, Engine, EngineConfig, IndexOptions, IndexReport, SearchQuery};
use proptest::prelude::*;
use std::fs::File;

/// What a new index of the tree would hold.
fn fresh(repository: &Repository) -> String {
    let database = repository.beside("fresh.db");
    repository.index_with(EngineConfig::new(&database), &IndexOptions::default());
    let dump = rows::dump(&database);
    for entry in std::fs::read_dir(repository.beside("")).expect("the folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("fresh.db") {
            std::fs::remove_file(entry.path()).expect("a file can be removed");
        }
    }
    dump
}

#[track_caller]
fn assert_as_fresh(repository: &Repository) {
    assert_eq!(rows::dump(&repository.database()), fresh(repository));
}

/// Indexed, unchanged, removed.
fn counts(report: &IndexReport) -> (u64, u64, u64) {
    (report.files.indexed, report.files.unchanged, report.files.removed)
}

/// A repository that is indexed, and how many files that are.
fn indexed() -> (Repository, u64) {
    let repository = Repository::polyglot();
    let report = repository.index();
    assert_eq!(report.failures, []);
    (repository, report.files.indexed)
}

#[test]
fn an_edit_is_parsed_alone() {
    let (repository, all) = indexed();
    repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
    assert_eq!(counts(&repository.index()), (1, all - 1, 0));
    let reply = repository.search(&SearchQuery::new("take_most_urgent"));
    assert_eq!(reply.hits[0].path.as_str(), "core/src/queue.rs");
    assert!(reply.hits[0].snippet.contains("fn take_most_urgent"), "{reply:?}");
    assert_as_fresh(&repository);
}

#[test]
fn a_new_file_is_parsed_alone() {
    let (repository, all) = indexed();
    repository.write("core/src/clock.rs", "/// The time of day.\npub fn wall_clock() -> u64 { 0 }\n");
    assert_eq!(counts(&repository.index()), (1, all, 0));
    assert_as_fresh(&repository);
}

#[test]
fn a_deleted_file_is_found_no_more() {
    let (repository, all) = indexed();
    repository.remove("native/checksum.cpp");
    assert_eq!(counts(&repository.index()), (0, all - 1, 1));
    let reply = repository.search(&SearchQuery::new("fletcher32"));
    assert!(reply.hits.iter().all(|hit| hit.path.as_str() != "native/checksum.cpp"), "{reply:?}");
    assert_as_fresh(&repository);
}

#[test]
fn a_renamed_file_is_found_at_its_new_path_alone() {
    let (repository, all) = indexed();
    repository.rename("native/checksum.cpp", "native/hash/fletcher.cpp");
    assert_eq!(counts(&repository.index()), (1, all - 1, 1));
    let reply = repository.search(&SearchQuery::new("fletcher32"));
    assert_eq!(reply.hits[0].path.as_str(), "native/hash/fletcher.cpp");
    assert_as_fresh(&repository);
}

#[test]
fn a_touched_file_is_not_parsed() {
    let (repository, all) = indexed();
    repository.write("tools/seed.js", repository.read("tools/seed.js"));
    let report = repository.index();
    assert_eq!((counts(&report), report.bytes), ((0, all, 0), 0));
    assert_as_fresh(&repository);
}

#[test]
fn an_edit_of_the_same_size_at_the_same_time_is_noticed() {
    let (repository, all) = indexed();
    let path = repository.root().join("tools/seed.js");
    let time = path.metadata().and_then(|metadata| metadata.modified()).expect("a time");
    repository.edit("tools/seed.js", "seedDatabase", "feedDatabase");
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(time))
        .expect("a time can be set");
    assert_eq!(counts(&repository.index()), (1, all - 1, 0));
    assert_as_fresh(&repository);
}

#[test]
fn a_file_and_a_folder_change_places() {
    let (repository, _) = indexed();
    repository.write("swap.py/inner.py", "def inside(): pass\n");
    repository.write("other.py", "def outside(): pass\n");
    repository.index();
    std::fs::remove_dir_all(repository.root().join("swap.py")).expect("a folder can be removed");
    repository.write("swap.py", "def was_a_folder(): pass\n");
    repository.remove("other.py");
    repository.write("other.py/inner.py", "def was_a_file(): pass\n");
    repository.index();
    assert_as_fresh(&repository);
}

#[test]
fn an_index_moves_with_its_tree() {
    let (repository, all) = indexed();
    let moved = repository.beside("moved");
    std::fs::rename(repository.root(), &moved).expect("a folder can be renamed");
    std::fs::rename(&moved, repository.beside("tree2")).expect("a folder can be renamed");
    let tree = repository.beside("tree2");
    let report = crate::repository::block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(&tree)).await.expect("the index opens");
        let report = engine.index(&tree, &IndexOptions::default(), Default::default()).await;
        engine.close().await;
        report.expect("the tree can be indexed")
    });
    assert_eq!(counts(&report), (0, all, 0));
}

#[test]
fn status_says_what_differs() {
    let (repository, all) = indexed();
    let stale = || {
        crate::repository::block_on(async {
            let config = EngineConfig::for_tree(repository.root()).read_only();
            let engine = Engine::open(config).await.expect("the index opens");
            let status = engine.status().await.expect("a status");
            engine.close().await;
            assert_eq!(status.files.indexed, all);
            let stale = status.stale.expect("the tree is there");
            stale.into_iter().map(|stale| (stale.path, stale.change)).collect::<Vec<_>>()
        })
    };
    assert_eq!(stale(), []);
    repository.edit("tools/seed.js", "seedDatabase", "feedDatabase");
    repository.write("web/src/api.ts", repository.read("web/src/api.ts"));
    repository.remove("native/checksum.cpp");
    repository.write("new.py", "");
    assert_eq!(
        stale(),
        [
            ("native/checksum.cpp".to_owned(), Change::Removed),
            ("new.py".to_owned(), Change::New),
            ("tools/seed.js".to_owned(), Change::Changed),
        ]
    );
}

/// Something that happens to a tree.
#[derive(Debug, Clone)]
enum Step {
    Write { path: usize, content: usize },
    Delete { path: usize },
    Rename { from: usize, to: usize },
    Index { rebuild: bool },
}

const PATHS: [&str; 6] = ["a.rs", "b.rs", "deep/c.py", "deep/er/d.ts", "e.java", "f.txt"];

/// Code, broken code, the same size twice, nothing, and what is no text.
const CONTENTS: [&[u8]; 7] = [
    b"pub fn alpha() {}\n",
    b"pub fn gamma() {}\n",
    b"class Alpha { int beta() { return 1; } }\n",
    b"def gamma(x):\n    '''Doc.'''\n    return x\n",
    b"fn broken( {{{ \"",
    b"",
    b"\0\x01binary\0",
];

fn step() -> impl Strategy<Value = Step> {
    let path = 0..PATHS.len();
    prop_oneof![
        5 => (path.clone(), 0..CONTENTS.len()).prop_map(|(path, content)| Step::Write { path, content }),
        2 => path.clone().prop_map(|path| Step::Delete { path }),
        2 => (path.clone(), path).prop_map(|(from, to)| Step::Rename { from, to }),
        2 => prop::bool::weighted(0.1).prop_map(|rebuild| Step::Index { rebuild }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_rebuilt(steps in prop::collection::vec(step(), 1..24)) {
        let repository = Repository::empty();
        for step in steps {
            match step {
                Step::Write { path, content } => repository.write(PATHS[path], CONTENTS[content]),
                Step::Delete { path } => {
                    // Perhaps there is none.
                    let _ = std::fs::remove_file(repository.root().join(PATHS[path]));
                }
                Step::Rename { from, to } => {
                    if repository.root().join(PATHS[from]).exists() {
                        repository.rename(PATHS[from], PATHS[to]);
                    }
                }
                Step::Index { rebuild } => {
                    let config = EngineConfig::for_tree(repository.root());
                    repository.index_with(config, &IndexOptions { rebuild, ..IndexOptions::default() });
                }
            }
        }
        repository.index();
        assert_as_fresh(&repository);
    }
}
