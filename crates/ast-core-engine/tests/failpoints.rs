//! What is made from an index fails, panics, waits and is killed at each step: the next search finds what is there.

use ast_core_engine::{
    DoctorOptions, Engine, EngineConfig, IndexControl, IndexOptions, SearchMode, SearchQuery, SimilarQuery,
    VectorFileState,
};
use fail::FailScenario;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bringing vectors into memory.
const STEPS: [&str; 4] = ["snapshot/read", "snapshot/begun", "snapshot/removed", "snapshot/inserted"];

/// Writing them to the file beside the index.
const FILE_STEPS: [&str; 7] = [
    "vector_file/begun",
    "vector_file/added",
    "file/write",
    "file/complete",
    "file/synced",
    "file/renamed",
    "vector_file/done",
];

/// Enough files for a change of three not to be worth a new vector file.
const FILES: usize = 120;

fn write(tree: &Path, name: &str, function: &str) {
    let text =
        format!("def {function}(pump):\n    '''Opens the valve of a pump.'''\n    return pump.open()\n");
    fs::write(tree.join(name), text).unwrap();
}

fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        write(tree.path(), &format!("{number}.py"), &format!("open_valve_{number}"));
    }
    tree
}

async fn index(engine: &Engine, tree: &Path) {
    engine.index(tree, &IndexOptions::default(), IndexControl::default()).await.unwrap();
}

/// The names that are found, and how well.
async fn found(engine: &Engine) -> Vec<(Option<String>, String)> {
    let query = SearchQuery {
        limit: 2 * FILES,
        mode: SearchMode::Semantic,
        ..SearchQuery::new("open the valve of a pump")
    };
    let reply = engine.search(&query).await.unwrap();
    reply.hits.into_iter().map(|hit| (hit.name, format!("{:.9} {:?}", hit.score, hit.why))).collect()
}

async fn found_anew(tree: &Path) -> Vec<(Option<String>, String)> {
    let engine = Engine::open(EngineConfig::for_tree(tree).read_only()).await.unwrap();
    let found = found(&engine).await;
    engine.close().await;
    found
}

fn vector_file(tree: &Path) -> PathBuf {
    tree.join(".ast-core/index.db-vectors")
}

/// What is found without the vector file.
async fn found_in_store(tree: &Path) -> Vec<(Option<String>, String)> {
    let (file, aside) = (vector_file(tree), tree.join(".ast-core/aside"));
    let is_there = fs::rename(&file, &aside).is_ok();
    let found = found_anew(tree).await;
    if is_there {
        fs::rename(&aside, &file).unwrap();
    }
    found
}

/// Between what a search finds and what it shows of it, all files become others.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_whose_finds_are_taken_away_begins_anew() {
    let scenario = FailScenario::setup();
    let tree = tree();
    let writer = Arc::new(Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap());
    index(&writer, tree.path()).await;
    let reader = Engine::open(EngineConfig::for_tree(tree.path()).read_only()).await.unwrap();
    for (step, edition) in [("search/found", "b"), ("search/ranked", "c")] {
        let (writer, root) = (writer.clone(), tree.path().to_owned());
        let (runtime, is_over) = (tokio::runtime::Handle::current(), AtomicBool::new(false));
        let change = move || {
            if !is_over.swap(true, Ordering::SeqCst) {
                rewrite(&root, edition);
                std::thread::scope(|scope| scope.spawn(|| runtime.block_on(index(&writer, &root))).join())
                    .unwrap();
            }
        };
        fail::cfg_callback(step, change).unwrap();
        let shown = found(&reader).await;
        fail::remove(step);
        assert_eq!(shown.len(), FILES, "{step}");
        assert_eq!(shown, found_anew(tree.path()).await, "{step}");
    }
    reader.close().await;
    Arc::into_inner(writer).unwrap().close().await;
    scenario.teardown();
}

/// Between what is found and what is read of it to be compared, all files become others.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_compared_is_of_files_that_are_there() {
    let scenario = FailScenario::setup();
    let tree = tree();
    let writer = Arc::new(Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap());
    index(&writer, tree.path()).await;
    let reader = Engine::open(EngineConfig::for_tree(tree.path()).read_only()).await.unwrap();
    let query = SimilarQuery { limit: FILES, ..SimilarQuery::of_place("0.py", 2) };
    let like = async |engine: &Engine| {
        let hits = engine.similar(&query).await.unwrap().hits.into_iter();
        hits.map(|hit| (hit.path, hit.snippet, format!("{:.9} {:?}", hit.score, hit.why))).collect::<Vec<_>>()
    };
    let (step, root, is_over) = ("similar/found", tree.path().to_owned(), AtomicBool::new(false));
    let (runtime, changing) = (tokio::runtime::Handle::current(), writer.clone());
    let change = move || {
        if !is_over.swap(true, Ordering::SeqCst) {
            rewrite(&root, "b");
            std::thread::scope(|scope| scope.spawn(|| runtime.block_on(index(&changing, &root))).join())
                .unwrap();
        }
    };
    fail::cfg_callback(step, change).unwrap();
    let shown = like(&reader).await;
    fail::remove(step);
    assert_eq!(shown.len(), FILES - 1);
    let anew = Engine::open(EngineConfig::for_tree(tree.path()).read_only()).await.unwrap();
    assert_eq!(shown, like(&anew).await);
    anew.close().await;
    reader.close().await;
    Arc::into_inner(writer).unwrap().close().await;
    scenario.teardown();
}

#[tokio::test]
async fn a_snapshot_that_fails_is_made_anew() {
    let scenario = FailScenario::setup();
    for step in STEPS {
        for fault in ["return", "panic", "sleep(30)"] {
            let tree = tree();
            let engine = Arc::new(Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap());
            index(&engine, tree.path()).await;
            assert_eq!(found(&engine).await.len(), FILES);
            fs::remove_file(tree.path().join("0.py")).unwrap();
            write(tree.path(), "1.py", "open_valve_again");
            write(tree.path(), "new.py", "open_valve_new");
            index(&engine, tree.path()).await;

            fail::cfg(step, fault).unwrap();
            let searching = engine.clone();
            let search = async move { searching.search(&SearchQuery::new("open the valve of a pump")).await };
            let ended = tokio::spawn(search).await;
            let is_ok = matches!(ended, Ok(Ok(_)));
            assert_eq!(
                is_ok,
                fault.starts_with("sleep"),
                "{step} {fault}: reached, and only waiting is no error"
            );
            fail::remove(step);

            let expected = found_in_store(tree.path()).await;
            assert_eq!(expected.len(), FILES);
            assert_eq!(found_anew(tree.path()).await, expected, "{step} {fault}");
            assert_eq!(found(&engine).await, expected, "{step} {fault}");
        }
    }
    scenario.teardown();
}

/// Writes all files of the tree anew.
fn rewrite(tree: &Path, edition: &str) {
    for number in 0..FILES {
        write(tree, &format!("{number}.py"), &format!("open_valve_{number}_{edition}"));
    }
}

async fn state(tree: &Path) -> VectorFileState {
    let engine = Engine::open(EngineConfig::for_tree(tree).read_only()).await.unwrap();
    let state = engine.status().await.unwrap().vector_file.unwrap().state;
    engine.close().await;
    state
}

/// Nothing is wrong with the index, and nothing is left that is neither it nor its vector file.
async fn assert_sound(tree: &Path, what: &str) {
    let report = Engine::doctor(EngineConfig::for_tree(tree), &DoctorOptions::default()).await.unwrap();
    assert_eq!(report.findings, [], "{what}");
}

fn drafts(tree: &Path) -> usize {
    let entries = fs::read_dir(tree.join(".ast-core")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".draft")).count()
}

#[tokio::test]
async fn a_vector_file_that_is_not_written_is_done_without() {
    let scenario = FailScenario::setup();
    for step in FILE_STEPS {
        for fault in ["return", "panic", "sleep(30)"] {
            let what = format!("{step} {fault}");
            let tree = tree();
            let engine = Arc::new(Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap());
            index(&engine, tree.path()).await;
            let before = fs::read(vector_file(tree.path())).unwrap();
            assert_eq!(found(&engine).await.len(), FILES);
            rewrite(tree.path(), "again");
            fail::cfg(step, fault).unwrap();
            let (indexing, root) = (engine.clone(), tree.path().to_owned());
            let ended = tokio::spawn(async move { index(&indexing, &root).await }).await;
            fail::remove(step);
            // What panics may end the run, but then all of it is committed.
            assert!(ended.is_ok() || fault == "panic", "{what}");
            let is_written = fs::read(vector_file(tree.path())).unwrap() != before;
            let is_reached = fault != "sleep(30)";
            let in_place = ["file/renamed", "vector_file/done"].contains(&step);
            assert_eq!(is_written, in_place || !is_reached, "{what}");
            assert_eq!(drafts(tree.path()), 0, "{what}");

            let expected = found_in_store(tree.path()).await;
            assert_eq!(expected.len(), FILES);
            assert_eq!(found_anew(tree.path()).await, expected, "{what}");
            assert_eq!(found(&engine).await, expected, "{what}");
            index(&engine, tree.path()).await;
            assert_eq!(state(tree.path()).await, VectorFileState::Current, "{what}");
            assert_eq!(found(&engine).await, expected, "{what}");
            Arc::into_inner(engine).unwrap().close().await;
            assert_sound(tree.path(), &what).await;
        }
    }
    scenario.teardown();
}

/// Names the tree that a process is to index, and the step at which it is to wait until it is killed.
const CHILD: &str = "AST_CORE_KILLED_AT";

/// Not a test of its own: what the next one kills.
#[tokio::test]
async fn a_process_that_is_killed() {
    let Ok(child) = std::env::var(CHILD) else { return };
    let (step, tree) = child.split_once(' ').unwrap();
    let reached = Path::new(tree).join(".ast-core/reached");
    let wait = move || {
        fs::write(&reached, "").unwrap();
        std::thread::sleep(Duration::from_secs(600));
    };
    fail::cfg_callback(step, wait).unwrap();
    let engine = Engine::open(EngineConfig::for_tree(tree)).await.unwrap();
    index(&engine, Path::new(tree)).await;
}

#[tokio::test]
async fn a_kill_while_the_vector_file_is_written_leaves_the_old_one_or_the_new() {
    let scenario = FailScenario::setup();
    for step in FILE_STEPS {
        let tree = tree();
        let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
        index(&engine, tree.path()).await;
        engine.close().await;
        rewrite(tree.path(), "again");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_is_killed"])
            .env(CHILD, format!("{step} {}", tree.path().display()))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let (reached, begin) = (tree.path().join(".ast-core/reached"), Instant::now());
        while !reached.exists() {
            assert!(begin.elapsed() < Duration::from_secs(60), "{step} is not reached");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let expected = found_in_store(tree.path()).await;
        assert_eq!(expected.len(), FILES);
        assert_eq!(found_anew(tree.path()).await, expected, "{step}");
        let in_place = ["file/renamed", "vector_file/done"].contains(&step);
        let left = state(tree.path()).await;
        assert_eq!(left == VectorFileState::Current, in_place, "{step}: {left:?}");
        assert_sound(tree.path(), step).await;
        let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
        index(&engine, tree.path()).await;
        engine.close().await;
        assert_eq!(state(tree.path()).await, VectorFileState::Current, "{step}");
        assert_eq!(drafts(tree.path()), 0, "{step}: what the dead process left is gone");
        assert_eq!(found_anew(tree.path()).await, expected, "{step}");
    }
    scenario.teardown();
}
