//! Which files are opened, and which are left as they are.

use crate::sample::{files, id, open, rust};
use ast_core_storage::{Access, SqliteStore, Store, StoreConfig, StoreError, WriteBatch};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection, Executor, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Every file of a directory.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

async fn database(path: &Path, journal: SqliteJournalMode, statements: &'static str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(journal);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(statements).await.unwrap();
    connection
}

/// What opening it says, after which everything in its directory is as it was.
async fn refused(path: &Path, access: Access) -> StoreError {
    let before = contents(path.parent().unwrap());
    let error = open(path, access).await.err().unwrap();
    assert_eq!(contents(path.parent().unwrap()), before, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

#[tokio::test]
async fn what_is_not_there_is_missing_for_a_reader_and_made_for_a_writer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    assert!(matches!(refused(&path, Access::Read).await, StoreError::Missing { .. }));
    let nowhere = directory.path().join("no/such/directory/index.db");
    assert!(matches!(open(&nowhere, Access::Read).await.err(), Some(StoreError::Missing { .. })));
    assert!(matches!(open(&nowhere, Access::Write).await.err(), Some(StoreError::Open { .. })));
    let store = open(&path, Access::Write).await.unwrap();
    assert_eq!((store.path(), store.generation().await.unwrap()), (&*path, 0));
}

#[tokio::test]
async fn an_empty_file_is_a_store_that_is_still_to_be_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    std::fs::write(&path, "").unwrap();
    assert!(matches!(refused(&path, Access::Read).await, StoreError::Missing { .. }));
    let store = open(&path, Access::Write).await.unwrap();
    store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
    assert_eq!(open(&path, Access::Read).await.unwrap().files().await.unwrap()[0].id, id(1));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("short.db", b"notes".as_slice()),
        ("long.db", "Dear diary, today I indexed.\n".repeat(1_000).as_bytes()),
        ("zeros.db", &[0; 8192]),
        (
            "header.db",
            b"SQLite format 3\0 and then something else entirely, for longer than a header is. It is a trap.",
        ),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        for access in [Access::Read, Access::Write] {
            let error = refused(&path, access).await;
            assert!(matches!(error, StoreError::NotADatabase { .. }), "{name}: {error}");
        }
    }
    let error = open(directory.path(), Access::Write).await.err().unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_untouched() {
    const TABLES: &str = "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('a')";
    for (journal, statements, application) in [
        (SqliteJournalMode::Delete, TABLES, 0),
        (SqliteJournalMode::Wal, TABLES, 0),
        (SqliteJournalMode::Delete, "PRAGMA application_id = 252006674", 252_006_674),
        (SqliteJournalMode::Wal, "PRAGMA application_id = -2", 0xFFFF_FFFE),
        (SqliteJournalMode::Delete, "PRAGMA user_version = 1", 0),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("places.sqlite");
        database(&path, journal, statements).await.close().await.unwrap();
        for access in [Access::Read, Access::Write] {
            let error = refused(&path, access).await;
            assert!(
                matches!(error, StoreError::Foreign { application_id, .. } if application_id == application),
                "{statements}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn the_open_database_of_another_program_is_left_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("places.sqlite");
    let made = "CREATE TABLE bookmarks (url TEXT)";
    database(&path, SqliteJournalMode::Wal, made).await.close().await.unwrap();
    let mut theirs = database(&path, SqliteJournalMode::Wal, "INSERT INTO bookmarks VALUES ('a')").await;
    for access in [Access::Read, Access::Write] {
        let error = open(&path, access).await.err().unwrap();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
    let mut names: Vec<_> = contents(directory.path()).into_keys().collect();
    names.sort();
    assert_eq!(names, ["places.sqlite", "places.sqlite-shm", "places.sqlite-wal"]);
    theirs.execute("INSERT INTO bookmarks VALUES ('b')").await.unwrap();
    theirs.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_another_version_is_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    open(&path, Access::Write).await.unwrap().close().await;
    let newer = SqliteStore::SCHEMA_VERSION + 1;
    for (version, is_newer) in [(i64::from(newer), true), (0, false), (-1, false)] {
        let options = SqliteConnectOptions::new().filename(&path);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let statement = format!("PRAGMA user_version = {version}");
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
        for access in [Access::Read, Access::Write] {
            let error = refused(&path, access).await;
            match error {
                StoreError::NewerSchema { found, supported, .. } => {
                    assert!(is_newer);
                    assert_eq!((found, supported), (version, version - 1));
                }
                StoreError::Corrupt { .. } => assert!(!is_newer),
                other => panic!("{other}"),
            }
        }
    }
}

/// What there was before the store said which repository it is of.
#[tokio::test]
async fn a_store_of_before_is_brought_up_with_what_it_holds() {
    const VERSION_5: &str = concat!(
        include_str!("../../migrations/0001_index.sql"),
        include_str!("../../migrations/0002_documents.sql"),
        include_str!("../../migrations/0003_names.sql"),
        include_str!("../../migrations/0004_jobs.sql"),
        include_str!("../../migrations/0005_checksums.sql"),
        "INSERT INTO meta VALUES ('generation', '3'), ('root', 'here'); \
         INSERT INTO files VALUES (1, 'a.bin', NULL, 'binary', NULL, 7, 8, NULL, 0, 0, 3, 0, NULL); \
         PRAGMA application_id = 0x41434569; PRAGMA user_version = 5"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    database(&path, SqliteJournalMode::Wal, VERSION_5).await.close().await.unwrap();
    assert!(matches!(open(&path, Access::Read).await.err(), Some(StoreError::Missing { .. })));
    let store = open(&path, Access::Write).await.unwrap();
    let repository = store.repository().unwrap();
    assert_eq!(
        (store.generation().await.unwrap(), store.meta("root").await.unwrap()),
        (3, Some("here".into()))
    );
    assert_eq!(store.files().await.unwrap()[0].path.as_str(), "a.bin");
    assert_eq!(store.commit(files(vec![rust(2, "a.rs", "alpha")])).await.unwrap().generation, 4);
    store.close().await;
    assert_eq!(open(&path, Access::Read).await.unwrap().repository().unwrap(), repository);
}

/// As SQLite's backup does it: through SQLite, into a file that is open.
#[tokio::test]
async fn a_store_over_which_another_was_restored_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("index.db"), directory.path().join("other.db"));
    for path in [&path, &other] {
        let store = open(path, Access::Write).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
        store.close().await;
    }
    let store = open(&path, Access::Write).await.unwrap();
    let mut restoring =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let attach = format!("ATTACH '{}' AS other", other.display());
    restoring.execute(sqlx::AssertSqlSafe(attach)).await.unwrap();
    // The other was written to as often.
    let restore = "UPDATE meta SET value = (SELECT value FROM other.meta AS o WHERE o.key = meta.key) WHERE key <> 'writer'";
    restoring.execute(restore).await.unwrap();
    let error = store.commit(files(vec![rust(2, "b.rs", "beta")])).await.unwrap_err();
    assert!(matches!(error, StoreError::Replaced { .. }), "{error}");
    assert_eq!(store.files().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_is_a_name_whatever_it_looks_like() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["file:x.db?mode=memory", ":memory:", "a b%20#ü'.db"] {
        let path = directory.path().join(name);
        let store = open(&path, Access::Write).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
        store.close().await;
        assert!(path.metadata().unwrap().len() > 0, "{name}");
        assert_eq!(open(&path, Access::Read).await.unwrap().generation().await.unwrap(), 1, "{name}");
    }
}

#[tokio::test]
async fn settings_at_the_edge_of_their_types_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    for config in [
        StoreConfig { readers: 0, cache_kib: 0, lexical_cache_kib: 0, busy_timeout: Duration::ZERO },
        StoreConfig {
            readers: u32::MAX,
            cache_kib: u32::MAX,
            lexical_cache_kib: u32::MAX,
            busy_timeout: Duration::MAX,
        },
    ] {
        let store = SqliteStore::open(&path, Access::Write, &config).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
        assert_eq!(store.files().await.unwrap().len(), 1);
        store.close().await;
    }
}

/// Who has the old file open would be told of the old one for ever, and what is in memory by numbers of rows and pages would
/// be taken for the new one's.
#[cfg(unix)]
#[tokio::test]
async fn a_store_that_is_removed_or_replaced_is_not_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    for is_replaced in [false, true] {
        let store = open(&path, Access::Write).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
        let reader = open(&path, Access::Read).await.unwrap();
        assert_eq!(reader.files().await.unwrap().len(), 1);
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let other = if is_replaced { Some(open(&path, Access::Write).await.unwrap()) } else { None };
        for error in [
            reader.generation().await.err(),
            reader.documents(&[id(1)]).await.err(),
            store.files().await.err(),
            store.commit(WriteBatch::default()).await.err(),
            store.settle().await.err(),
        ] {
            assert!(matches!(error, Some(StoreError::Replaced { .. })), "{error:?}");
        }
        if let Some(other) = other {
            other.commit(files(vec![rust(1, "b.rs", "beta")])).await.unwrap();
            assert_eq!(other.files().await.unwrap().len(), 1);
        }
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

/// What a process leaves that is killed while it makes a store: what is half done, and how to undo it.
#[tokio::test]
async fn a_store_that_was_half_made_is_missing_for_a_reader_and_made_by_a_writer() {
    for access in [Access::Read, Access::Write] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        {
            let made = directory.path().join("made.db");
            let mut connection = database(&made, SqliteJournalMode::Delete, "PRAGMA cache_size = 1").await;
            let half = "BEGIN; CREATE TABLE files (id INTEGER PRIMARY KEY, x BLOB); WITH RECURSIVE n(i) AS \
                (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO files SELECT i, randomblob(3000) FROM n";
            connection.execute(half).await.unwrap();
            for suffix in ["", "-journal"] {
                let name = |name: &str| directory.path().join(format!("{name}.db{suffix}"));
                std::fs::copy(name("made"), name("index")).unwrap();
            }
            connection.execute("ROLLBACK").await.unwrap();
        }
        assert!(directory.path().join("index.db-journal").metadata().unwrap().len() > 0);
        match access {
            Access::Read => {
                let error = open(&path, access).await.err().unwrap();
                assert!(matches!(error, StoreError::Missing { .. }), "{error}");
            }
            Access::Write => {
                let store = open(&path, access).await.unwrap();
                store.commit(files(vec![rust(1, "a.rs", "alpha")])).await.unwrap();
                assert_eq!(store.files().await.unwrap().len(), 1);
            }
        }
    }
}
