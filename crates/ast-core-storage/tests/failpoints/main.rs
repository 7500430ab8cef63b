//! Every step of what is done to a store fails, panics and waits once: nothing of the work is there then, or all of it,
//! and what comes after goes well.

#[path = "../store/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;
#[path = "../store/tables.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod tables;

use ast_core_storage::{Access, SqliteStore, Store, StoreError, WriteBatch};
use fail::FailScenario;
use sample::{Again, files, id, open, rust};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is made of a step.
const FAULTS: [&str; 3] = ["return", "panic", "sleep(30)"];

const COMMIT: [&str; 8] = [
    "commit/begun",
    "commit/removed",
    "commit/files",
    "lexical/updated",
    "lexical/merging",
    "lexical/merged",
    "commit/written",
    "commit/done",
];

const MIGRATION: [&str; 5] =
    ["migrate/begun", "migrate/step", "migrate/signatures", "migrate/written", "migrate/done"];

/// Runs the work with a fault at the step, and gives what comes of it; a panic is `None`.
async fn with_fault<T: Send + 'static>(
    step: &str,
    fault: &str,
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Option<Result<T, StoreError>> {
    fail::cfg(step, fault).unwrap();
    let ended = tokio::spawn(work).await;
    fail::remove(step);
    ended.ok()
}

/// Commits of which the eighth merges: files that come in, that take a place, and that go.
fn batch(number: u64) -> WriteBatch {
    let first = number * 10;
    let mut batch = files(vec![
        rust(first, &format!("own/{number}.rs"), "own"),
        rust(first + 1, "shared/one.rs", "shared"),
        rust(first + 2, &format!("shared/{}.rs", number % 3), "shared"),
    ]);
    batch.removed.extend((number > 2).then(|| id(first - 20)));
    batch
}

const BEFORE: u64 = 7;

/// Everything there is to see, but for pages, which depend on how it came about.
async fn seen(path: &Path) -> Vec<Vec<String>> {
    let mut seen = Vec::new();
    for table in ["files", "documents", "vectors", "signatures"] {
        seen.extend(tables::rows(path, &format!("SELECT * FROM {table}")).await);
    }
    // Each store is a repository of its own, and was opened as often as it was.
    seen.extend(tables::rows(path, "SELECT * FROM meta WHERE key NOT IN ('repository', 'writer')").await);
    seen
}

/// The rows after so many commits that nothing happened to.
async fn expected(commits: u64) -> Vec<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("index.db"), Access::Write).await.unwrap();
    for number in 1..=commits {
        store.commit(batch(number)).await.unwrap();
    }
    seen(store.path()).await
}

async fn assert_sound(store: &SqliteStore) {
    let verification = store.verify(Box::new(Again)).await.unwrap();
    assert_eq!(verification.findings, []);
    assert!(verification.files > 0);
}

#[tokio::test]
async fn a_commit_is_all_or_nothing_whatever_happens_at_any_step() {
    let scenario = FailScenario::setup();
    let [before, after, next] =
        [expected(BEFORE).await, expected(BEFORE + 1).await, expected(BEFORE + 2).await];
    for step in COMMIT {
        for fault in FAULTS {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("index.db");
            let store = Arc::new(open(&path, Access::Write).await.unwrap());
            for number in 1..=BEFORE {
                store.commit(batch(number)).await.unwrap();
            }
            let reader = open(&path, Access::Read).await.unwrap();
            let writing = store.clone();
            let commit = async move { writing.commit(batch(BEFORE + 1)).await };
            let ended = with_fault(step, fault, commit).await.expect("a panic is an error");
            assert_eq!(ended.is_ok(), fault.starts_with("sleep"), "{step} {fault}: {ended:?}");
            // What is done is done, whether that could be said or not.
            let is_done = ended.is_ok() || step == "commit/done";
            for store in [&*store, &reader] {
                assert_sound(store).await;
                assert_eq!(
                    seen(store.path()).await,
                    if is_done { after.clone() } else { before.clone() },
                    "{step}"
                );
            }
            if !is_done {
                store.commit(batch(BEFORE + 1)).await.unwrap();
                assert_eq!(seen(&path).await, after, "{step} {fault}");
            }
            store.commit(batch(BEFORE + 2)).await.unwrap();
            assert_eq!(seen(&path).await, next, "{step} {fault}");
            assert_sound(&reader).await;
            assert_eq!(tables::quick_check(&path).await, [["'ok'"]]);
        }
    }
    scenario.teardown();
}

/// How often each step is reached while the work is done.
async fn reached(steps: &[&str], work: impl Future<Output = ()>) -> Vec<usize> {
    let counts: Vec<Arc<AtomicUsize>> = steps.iter().map(|_| Arc::default()).collect();
    for (step, count) in steps.iter().zip(&counts) {
        let count = count.clone();
        let counted = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        fail::cfg_callback(*step, counted).unwrap();
    }
    work.await;
    steps.iter().for_each(|step| fail::remove(*step));
    counts.iter().map(|count| count.load(Ordering::SeqCst)).collect()
}

/// A step that is never reached proves nothing.
#[tokio::test]
async fn every_step_is_reached() {
    let scenario = FailScenario::setup();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let mut store = None;
    let opened = reached(&MIGRATION, async { store = open(&path, Access::Write).await.ok() }).await;
    assert!(opened.iter().all(|count| *count > 0), "{opened:?}");
    let store = store.unwrap();
    for number in 1..=BEFORE {
        store.commit(batch(number)).await.unwrap();
    }
    let commit = async {
        store.commit(batch(BEFORE + 1)).await.unwrap();
    };
    let committed = reached(&COMMIT, commit).await;
    assert!(committed.iter().all(|count| *count > 0), "{committed:?}");
    let settled = reached(&["settle"], async { store.settle().await.unwrap() }).await;
    assert_eq!(settled, [1]);
    scenario.teardown();
}

#[tokio::test]
async fn a_store_is_made_or_brought_up_wholly_or_not_at_all() {
    let scenario = FailScenario::setup();
    for step in MIGRATION {
        for fault in FAULTS {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("index.db");
            let name = path.clone();
            let ended = with_fault(step, fault, async move { open(&name, Access::Write).await }).await;
            let is_ok = matches!(ended, Some(Ok(_)));
            assert_eq!(is_ok, fault.starts_with("sleep"), "{step} {fault}");
            drop(ended);
            let store = open(&path, Access::Write).await.unwrap();
            store.commit(batch(1)).await.unwrap();
            assert_sound(&store).await;
            assert_eq!(seen(&path).await, expected(1).await, "{step} {fault}");
        }
    }
    scenario.teardown();
}

#[tokio::test]
async fn a_repair_is_all_or_nothing() {
    let scenario = FailScenario::setup();
    for fault in FAULTS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let store = Arc::new(open(&path, Access::Write).await.unwrap());
        store.commit(batch(1)).await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
        sqlx::Executor::execute(&mut other, "DELETE FROM name_pages; DELETE FROM lexical_pages")
            .await
            .unwrap();
        let damaged = store.verify(Box::new(Again)).await.unwrap();
        assert!(!damaged.findings.is_empty());
        let mending = store.clone();
        let repair = async move { mending.repair(Box::new(Again)).await };
        let ended = with_fault("repair/mended", fault, repair).await.expect("a panic is an error");
        if ended.is_err() {
            assert_eq!(store.verify(Box::new(Again)).await.unwrap(), damaged, "{fault}");
            assert_eq!(store.repair(Box::new(Again)).await.unwrap().after.findings, []);
        }
        assert_sound(&store).await;
    }
    scenario.teardown();
}

#[tokio::test]
async fn settling_fails_without_harm() {
    let scenario = FailScenario::setup();
    for fault in FAULTS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let store = Arc::new(open(&path, Access::Write).await.unwrap());
        store.commit(batch(1)).await.unwrap();
        let settling = store.clone();
        let ended = with_fault("settle", fault, async move { settling.settle().await }).await;
        assert_eq!(matches!(ended, Some(Ok(()))), fault.starts_with("sleep"));
        store.commit(batch(2)).await.unwrap();
        store.settle().await.unwrap();
        assert_eq!(seen(&path).await, expected(2).await);
        assert_sound(&store).await;
    }
    scenario.teardown();
}

/// A database is never without its log, and a log never beside another database.
#[tokio::test]
async fn setting_aside_can_be_gone_on_with() {
    let scenario = FailScenario::setup();
    for skipped in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let store = open(&path, Access::Write).await.unwrap();
        store.commit(batch(1)).await.unwrap();
        store.close().await;
        std::fs::write(&path, "noise").unwrap();
        std::fs::write(directory.path().join("index.db-wal"), "more noise").unwrap();
        fail::cfg("set_aside/renamed", &format!("{skipped}*off->return")).unwrap();
        let error = SqliteStore::set_aside(&path).unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error}");
        fail::remove("set_aside/renamed");
        assert!(!directory.path().join("index.db-wal").exists(), "the log goes first");
        if path.exists() {
            SqliteStore::set_aside(&path).unwrap();
        }
        let store = open(&path, Access::Write).await.unwrap();
        store.commit(batch(1)).await.unwrap();
        assert_eq!(seen(&path).await, expected(1).await);
        let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name.to_string_lossy().contains("damaged")).count(), 2);
    }
    scenario.teardown();
}
