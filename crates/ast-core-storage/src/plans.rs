//! No query that is asked often reads a whole table.

use crate::{Access, Store, StoreConfig, chunks, commit, embeddings, lexical, store, terms};
use sqlx::{AssertSqlSafe, Row};

/// What of a plan reads all rows of something that grows with the index.
async fn scans(store: &Store, statements: &str) -> Vec<String> {
    let mut connection = store.reader().await.unwrap();
    let mut scans = Vec::new();
    for statement in statements.split(';') {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&mut *connection).await.unwrap();
        assert!(!plan.is_empty(), "{statement}");
        let steps = plan.iter().map(|row| row.get::<String, _>("detail"));
        // Lists that come with the query are read whole, and so are the matches of a search.
        let is_bounded = |step: &str| {
            let list = ["wanted", "gone", "new", "json_each"]
                .iter()
                .any(|name| step.starts_with(&format!("SCAN {name} VIRTUAL TABLE")));
            list || step == "SCAN lexical VIRTUAL TABLE INDEX 0:M4"
        };
        scans.extend(steps.filter(|step| step.starts_with("SCAN") && !is_bounded(step)));
    }
    scans
}

#[tokio::test]
async fn queries_go_by_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let store = Store::open(&path, Access::Write, &StoreConfig::default()).await.unwrap();
    for statements in [
        store::META,
        store::SOURCE,
        chunks::CHUNKS,
        chunks::OF_KINDS,
        embeddings::AFTER,
        lexical::SEARCH,
        lexical::SEARCH_FILES,
        commit::AT_PATHS,
        commit::TOUCH,
        commit::REMOVE,
        terms::REMOVE,
    ] {
        assert_eq!(scans(&store, statements).await, [""; 0], "{statements}");
    }
    // It is what the test looks for, where all rows are asked for.
    assert!(!scans(&store, store::FILES).await.is_empty());
}
