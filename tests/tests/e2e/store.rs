//! An engine on a store that it was given, and on one whose lock was lost.

use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{
    Access, Engine, EngineConfig, EngineError, IndexControl, IndexOptions, JobRequest, JobState, SearchQuery,
    SqliteStore, Store, StoreConfig, StoreError,
};
use std::path::Path;
use std::sync::Arc;

async fn store(database: &Path, access: Access) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(database, access, &StoreConfig::default()).await.expect("the store opens"))
}

async fn index(engine: &Engine, root: &Path) -> Result<u64, EngineError> {
    let report = engine.index(root, &IndexOptions::default(), IndexControl::default()).await?;
    Ok(report.generation)
}

#[test]
fn a_store_of_ones_own_holds_what_that_of_a_path_holds() {
    let repository = Repository::polyglot();
    repository.index();
    let database = repository.beside("given.db");
    block_on(async {
        let given = store(&database, Access::Write).await;
        let repository_id = given.repository().expect("an id");
        // What the configuration says of a place does not matter.
        let config = EngineConfig::new("nowhere/index.db").read_only();
        let engine = Engine::open_with_store(given.clone(), config.clone()).await.expect("it opens");
        assert_eq!((&*engine.config().database, engine.config().access), (&*database, Access::Write));
        index(&engine, &repository.root()).await.expect("it indexes");
        let found = engine.search(&SearchQuery::new("retry_with_backoff")).await.expect("it searches");
        assert_eq!(found.hits[0].path.as_str(), "core/src/retry.rs");
        engine.close().await;
        // Who gave the store still has it.
        assert_eq!(given.repository().expect("an id"), repository_id);
        given.close().await;

        let reader =
            Engine::open_with_store(store(&database, Access::Read).await, config).await.expect("it opens");
        let refused = reader.submit(JobRequest::tree(repository.root())).await.err().expect("it only reads");
        assert!(matches!(refused, EngineError::Store(StoreError::ReadOnly { .. })), "{refused}");
        let again = reader.search(&SearchQuery::new("retry_with_backoff")).await.expect("it searches");
        assert_eq!(again.hits[0].path, found.hits[0].path);
    });
    assert_eq!(rows::dump(&database), rows::dump(&repository.database()));
}

#[test]
fn a_writer_whose_lock_was_lost_is_told_so_and_spoils_nothing() {
    let repository = Repository::polyglot();
    block_on(async {
        let config = || EngineConfig::for_tree(repository.root());
        let first = Engine::open(config()).await.expect("it opens");
        index(&first, &repository.root()).await.expect("it indexes");

        std::fs::remove_file(repository.root().join(".ast-core/index.db.lock")).expect("the lock");
        let second = Engine::open(config()).await.expect("nothing keeps it out");
        repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
        let generation = second.status().await.expect("it reads").generation;
        let refused = index(&first, &repository.root()).await.expect_err("it is not the last writer");
        assert!(matches!(refused, EngineError::Store(StoreError::Fenced { .. })), "{refused}");
        let job =
            first.submit(JobRequest::tree(repository.root())).await.err().expect("nor may it note a job");
        assert!(matches!(job, EngineError::Store(StoreError::Fenced { .. })), "{job}");
        assert_eq!(second.status().await.expect("it reads").generation, generation);
        assert!(second.jobs().await.expect("jobs").iter().all(|job| job.state == JobState::Done));

        assert!(index(&second, &repository.root()).await.expect("it indexes") > generation);
        let found = first.search(&SearchQuery::new("take_most_urgent")).await.expect("it still reads");
        assert!(
            found.hits.iter().any(|hit| hit.name.as_deref() == Some("take_most_urgent")),
            "{:?}",
            found.hits
        );
        first.close().await;
        second.close().await;
    });
    assert_eq!(repository.run(["doctor"]).code, Some(0));
    let fresh = repository.beside("fresh.db");
    repository.index_with(EngineConfig::new(&fresh), &IndexOptions::default());
    assert_eq!(rows::dump(&repository.database()), rows::dump(&fresh));
}
