//! No query that is asked often reads a whole table.

use super::pages::PageTable;
use super::{SqliteStore, StoreConfig, commit, direct, files, store, vectors};
use crate::Access;

/// What of a plan reads all rows of something that grows with the index.
async fn scans(store: &SqliteStore, statements: &str) -> Vec<String> {
    let mut scans = Vec::new();
    for statement in statements.split(';') {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let reader = store.reader().await.unwrap();
        let plan = direct::look(reader, store.path.clone(), move |connection| {
            let mut explained = connection.prepare(&explain)?;
            let mut rows = explained.raw_query();
            let mut steps = Vec::new();
            while let Some(row) = rows.next()? {
                steps.push(row.get::<_, String>("detail")?);
            }
            Ok(steps)
        });
        let steps = plan.await.unwrap();
        assert!(!steps.is_empty(), "{statement}");
        let steps = steps.into_iter();
        // Lists that come with the query are read whole.
        let is_bounded = |step: &str| step.starts_with("SCAN json_each VIRTUAL TABLE");
        scans.extend(steps.filter(|step| step.starts_with("SCAN") && !is_bounded(step)));
    }
    scans
}

#[tokio::test]
async fn queries_go_by_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let store = SqliteStore::open(&path, Access::Write, &StoreConfig::default()).await.unwrap();
    let pages = PageTable::ALL.into_iter().flat_map(|table| [table.get(), table.delete()]);
    let constants = [
        store::META,
        files::DOCUMENTS,
        files::PATHS,
        vectors::VECTORS,
        commit::AT_PATH,
        commit::CHECKSUMS,
        commit::TOUCH,
    ];
    for statement in constants.into_iter().chain(commit::REMOVE).chain(pages) {
        assert_eq!(scans(&store, statement).await, [""; 0], "{statement}");
    }
    // It is what the test looks for, where all rows are asked for.
    assert!(!scans(&store, files::FILES).await.is_empty());
}
