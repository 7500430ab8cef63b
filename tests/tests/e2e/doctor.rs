//! Whatever is wrong with an index is found and mended, and what is mended is what a new index holds.

use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{EngineConfig, IndexOptions};
use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::fs;
use std::path::Path;

/// Changes the database past the engine.
pub(crate) fn sql(database: &Path, statements: &str) {
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
        let mut connection = options.connect().await.expect("the store opens");
        connection
            .execute(AssertSqlSafe(statements))
            .await
            .unwrap_or_else(|error| panic!("{error}: {statements}"));
        connection.close().await.expect("the store closes");
    });
}

/// What a new index of the tree would hold.
fn fresh(repository: &Repository) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = folder.path().join("fresh.db");
    repository.index_with(EngineConfig::new(&database), &IndexOptions::default());
    rows::dump(&database)
}

/// Of each finding its part, its remedy, and whether it is mended.
fn findings(report: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| {
            assert_ne!((&finding["found"], &finding["expected"]), (&"".into(), &"".into()));
            (text(&finding["part"]), text(&finding["remedy"]), finding["mended"] == true)
        })
        .collect()
}

/// It is found, mended, and then the rows are those of a new index.
#[track_caller]
fn found_and_mended(repository: &Repository, fresh: &str, what: &str, part: &str, remedy: &str) {
    let before = fs::read(repository.database()).expect("the index");
    let answer = repository.run(["doctor", "--json"]);
    assert_eq!(answer.code, Some(4), "{what}: {answer:?}");
    let report = answer.json();
    assert_eq!((&report["schema"], &report["sound"]), (&1.into(), &false.into()), "{what}: {report}");
    let found = findings(&report);
    assert!(found.contains(&(part.to_owned(), remedy.to_owned(), false)), "{what}: {report}");
    assert!(found.iter().all(|(.., mended)| !mended), "{what}: {report}");
    assert_eq!(
        fs::read(repository.database()).expect("the index"),
        before,
        "{what}: looking changes nothing"
    );

    let answer = repository.run(["doctor", "--repair", "--json"]);
    let report = answer.json();
    assert!(findings(&report).iter().all(|(.., mended)| *mended), "{what}: {report}");
    let needs_index =
        findings(&report).iter().any(|(_, remedy, _)| remedy == "read_again" || remedy == "set_aside");
    assert_eq!(report["needs_index"], needs_index, "{what}: {report}");
    assert_eq!(answer.code, Some(if needs_index { 3 } else { 0 }), "{what}: {report}");
    assert_eq!(report["set_aside"].is_null(), remedy != "set_aside", "{what}: {report}");
    if needs_index {
        assert_eq!(repository.run(["doctor"]).code, Some(0), "{what}: what is left is sound");
        assert_eq!(repository.run(["status", "--json"]).json()["complete"], false, "{what}");
        assert_eq!(repository.run(["index"]).code, Some(0), "{what}");
    }
    assert_eq!(rows::dump(&repository.database()), fresh, "{what}");
    let report = repository.run(["doctor", "--json"]).json();
    assert_eq!(report["sound"], true, "{what}: {report}");
}

/// Each damages the index of the file with the id 2.
const FAULTS: &[(&str, &str, &str)] = &[
    ("UPDATE meta SET value = 'seven' WHERE key = 'generation'", "meta", "set"),
    ("UPDATE meta SET value = '0' WHERE key = 'generation'", "meta", "set"),
    ("UPDATE meta SET value = 'nobody' WHERE key = 'repository'", "meta", "set"),
    ("DELETE FROM meta WHERE key = 'repository'", "meta", "set"),
    ("UPDATE meta SET value = '-1' WHERE key = 'writer'", "meta", "set"),
    ("UPDATE meta SET value = '2' WHERE key = 'next_file_id'", "meta", "set"),
    ("DELETE FROM meta WHERE key = 'next_file_id'", "meta", "set"),
    ("UPDATE meta SET value = '7' WHERE key = 'dimension'", "meta", "set"),
    ("UPDATE meta SET value = 'soon' WHERE key = 'last_run_ns'", "meta", "set"),
    ("UPDATE meta SET value = 'maybe' WHERE key = 'complete'", "meta", "set"),
    ("DELETE FROM meta WHERE key = 'pipeline'", "meta", "read_again"),
    ("UPDATE files SET id = -1 WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET status = 'lost' WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET path = '../up.rs' WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET content_hash = x'00' WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET content_hash = NULL WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET language = NULL WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET lines = -1 WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET content_hash = zeroblob(16) WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET path = 'core/src/other.rs' WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET language = 'go' WHERE id = 2", "files", "read_again"),
    ("UPDATE files SET lines = lines + 1 WHERE id = 2", "files", "read_again"),
    // As an index has it that was made before there were checksums.
    ("UPDATE files SET content_hash = zeroblob(16), checksum = NULL WHERE id = 2", "documents", "read_again"),
    ("UPDATE documents SET content = x'00' WHERE file_id = 2", "documents", "read_again"),
    (
        "UPDATE documents SET content = CAST(substr(content, 1, 40) || x'A5' || substr(content, 42) AS BLOB) \
         WHERE file_id = 2",
        "documents",
        "read_again",
    ),
    (
        "UPDATE documents SET content = (SELECT content FROM documents WHERE file_id = 3) WHERE file_id = 2",
        "documents",
        "read_again",
    ),
    ("DELETE FROM documents WHERE file_id = 2", "documents", "read_again"),
    (
        "UPDATE files SET status = 'binary', language = NULL, checksum = NULL WHERE id = 2",
        "documents",
        "read_again",
    ),
    ("INSERT INTO documents (file_id, content) VALUES (999, x'00')", "documents", "remove"),
    ("INSERT INTO vectors (file_id, kinds, codes) VALUES (999, x'00', x'00')", "vectors", "remove"),
    ("DELETE FROM vectors WHERE file_id = 2", "vectors", "derive"),
    ("UPDATE vectors SET kinds = zeroblob(length(kinds)) WHERE file_id = 2", "vectors", "derive"),
    ("UPDATE vectors SET codes = x'4142' WHERE file_id = 2", "vectors", "derive"),
    // As an index has it that was made when vectors were kept, and before there were checksums.
    (
        "UPDATE vectors SET codes = randomblob(256 * length(kinds)), checksum = NULL WHERE file_id = 2",
        "vectors",
        "derive",
    ),
    ("INSERT INTO signatures VALUES (999, x'00', 0)", "signatures", "remove"),
    ("DELETE FROM signatures WHERE file_id = 2", "signatures", "derive"),
    ("UPDATE signatures SET bits = x'00' WHERE file_id = 2", "signatures", "derive"),
    (
        "UPDATE signatures SET bits = (SELECT bits FROM signatures WHERE file_id = 3), checksum = 0 WHERE file_id = 2",
        "signatures",
        "derive",
    ),
    ("UPDATE files SET symbols = symbols + 1 WHERE id = 2", "files", "derive"),
    ("UPDATE files SET chunks = chunks + 1 WHERE id = 2", "files", "derive"),
    ("DELETE FROM name_pages", "names", "derive"),
    ("UPDATE name_pages SET data = substr(data, 2) WHERE id > 0", "names", "derive"),
    ("DELETE FROM lexical_pages WHERE id = 0", "lexical", "derive"),
    ("DELETE FROM lexical_pages WHERE id = (SELECT max(id) FROM lexical_pages)", "lexical", "derive"),
    ("UPDATE lexical_pages SET data = x'00' WHERE id = 0", "lexical", "derive"),
    (
        "UPDATE lexical_pages SET data = CAST(x'A5' || substr(data, 2) AS BLOB) \
         WHERE id = (SELECT max(id) FROM lexical_pages)",
        "lexical",
        "derive",
    ),
    ("INSERT INTO lexical_pages VALUES (77 << 32, x'00')", "lexical", "derive"),
    ("INSERT INTO lexical_pages VALUES (-5, x'00')", "lexical", "derive"),
];

#[test]
fn every_fault_of_a_row_is_found_and_mended() {
    let repository = Repository::polyglot();
    repository.index();
    assert_eq!(repository.run(["doctor"]).code, Some(0), "it is sound before");
    let (sound, fresh) = (fs::read(repository.database()).expect("the index"), fresh(&repository));
    for (fault, part, remedy) in FAULTS {
        fs::write(repository.database(), &sound).expect("the index is as it was");
        sql(&repository.database(), fault);
        found_and_mended(&repository, &fresh, fault, part, remedy);
    }
}

#[test]
fn a_path_that_was_never_indexed_is_mended_as_far_as_is_known() {
    let repository = Repository::polyglot();
    repository.index();
    // What the words of a file are made of, its path among them, is another than when they were cut.
    let fault =
        "UPDATE files SET path = 'core/src/other.rs', checksum = NULL WHERE path = 'core/src/queue.rs'";
    sql(&repository.database(), fault);
    let report = repository.run(["doctor", "--json"]).json();
    assert!(findings(&report).contains(&("lexical".into(), "derive".into(), false)), "{report}");
    assert_eq!(repository.run(["doctor", "--repair"]).code, Some(0));
    assert_eq!(repository.run(["index"]).code, Some(0));
    assert_eq!(repository.run(["doctor"]).code, Some(0));
    assert_eq!(rows::dump(&repository.database()), fresh(&repository));
}

/// Takes the pages that the index of words has now.
fn pages(database: &Path) -> Vec<(i64, Vec<u8>)> {
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).read_only(true);
        let mut connection = options.connect().await.expect("the store opens");
        sqlx::query_as("SELECT id, data FROM lexical_pages").fetch_all(&mut connection).await.expect("pages")
    })
}

#[test]
fn words_of_another_time_are_found_and_mended() {
    let repository = Repository::polyglot();
    repository.index();
    let old = pages(&repository.database());
    repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
    repository.remove("native/checksum.cpp");
    repository.index();
    sql(&repository.database(), "DELETE FROM lexical_pages");
    for (id, data) in old {
        let data: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        sql(&repository.database(), &format!("INSERT INTO lexical_pages VALUES ({id}, x'{data}')"));
    }
    found_and_mended(&repository, &fresh(&repository), "pages of another time", "lexical", "derive");
    let found = repository.run(["search", "take_most_urgent", "--mode", "lexical", "--json"]).json();
    assert_eq!(found["hits"][0]["path"], "core/src/queue.rs");
}

#[test]
fn an_index_of_the_database_that_misses_a_row_is_made_anew() {
    let repository = Repository::polyglot();
    repository.index();
    let database = repository.database();
    let schema: (i64, String) = block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database).read_only(true);
        let mut connection = options.connect().await.expect("the store opens");
        let query = "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_files_1'), \
            (SELECT sql FROM sqlite_schema WHERE name = 'files')";
        sqlx::query_as(query).fetch_one(&mut connection).await.expect("the schema")
    });
    // SQLite forgets the index for a moment, in which a row changes.
    sql(
        &database,
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_files_1'; \
         UPDATE sqlite_schema SET sql = replace(sql, ' UNIQUE', '') WHERE name = 'files'",
    );
    sql(&database, "UPDATE files SET path = 'core/src/zzz.rs' WHERE path = 'core/src/queue.rs'");
    let (root, made) = schema;
    sql(
        &database,
        &format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{made}' WHERE name = 'files'; \
             INSERT INTO sqlite_schema VALUES ('index', 'sqlite_autoindex_files_1', 'files', {root}, NULL)"
        ),
    );
    let report = repository.run(["doctor", "--json"]).json();
    assert!(findings(&report).contains(&("database".into(), "reindex".into(), false)), "{report}");
    let report = repository.run(["doctor", "--repair", "--json"]).json();
    assert_eq!((&report["sound"], &report["set_aside"]), (&true.into(), &Value::Null), "{report}");
    assert_eq!(repository.run(["index"]).code, Some(0));
    assert_eq!(rows::dump(&database), fresh(&repository));
}

type Damage = fn(&mut Vec<u8>);

#[test]
fn a_database_that_cannot_be_read_is_set_aside_and_made_anew() {
    let repository = Repository::polyglot();
    let fresh = fresh(&repository);
    let damages: [(&str, Damage); 4] = [
        ("its first page is gone", |bytes| bytes[..4096].fill(0)),
        ("its magic is another", |bytes| bytes[0] ^= 0xFF),
        ("half of it is gone", |bytes| bytes.truncate(bytes.len() / 2)),
        ("its pages are noise", |bytes| bytes[4096..].fill(0xA5)),
    ];
    for (number, (what, damage)) in (1..).zip(damages) {
        let database = repository.database();
        repository.index();
        let mut bytes = fs::read(&database).expect("the index");
        damage(&mut bytes);
        fs::write(&database, &bytes).expect("the index can be damaged");
        found_and_mended(&repository, &fresh, what, "database", "set_aside");
        let aside = repository.root().join(format!(".ast-core/index.db.damaged-{number}"));
        assert!(fs::read(&aside).expect("nothing is deleted") == bytes, "{what}");
    }
}

#[test]
fn what_is_not_ours_is_not_set_aside() {
    let repository = Repository::polyglot();
    let letter = repository.beside("letter.db");
    fs::write(&letter, "Dear diary, today I indexed.\n".repeat(100)).expect("a file");
    let foreign = repository.beside("foreign.db");
    fs::write(&foreign, "").expect("a file");
    sql(&foreign, "CREATE TABLE letters (text TEXT); INSERT INTO letters VALUES ('Dear')");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(repository.beside(""))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let before = names();
    for (database, word) in [(&letter, "not a database"), (&foreign, "another program")] {
        let path = database.to_str().expect("a path in UTF-8");
        let content = fs::read(database).expect("the file");
        for verb in [&["doctor"][..], &["doctor", "--repair"]] {
            let arguments = verb.iter().copied().chain(["--db", path]);
            repository.run(arguments).assert_refused(4, &[path, word, "--db"]);
            assert_eq!((fs::read(database).expect("the file"), names()), (content.clone(), before.clone()));
        }
    }
    let missing = repository.beside("missing.db");
    let path = missing.to_str().expect("a path in UTF-8");
    repository.run(["doctor", "--repair", "--db", path]).assert_refused(4, &["no index", "ast-core index"]);
    assert!(!missing.exists());
}

#[test]
fn an_index_of_other_settings_is_for_the_next_run() {
    let repository = Repository::polyglot();
    repository.index();
    sql(&repository.database(), "UPDATE meta SET value = 'format 1' WHERE key = 'pipeline'");
    repository.run(["doctor", "--repair"]).assert_refused(4, &["format 1", "ast-core index"]);
    assert_eq!(repository.run(["index"]).code, Some(0));
    assert_eq!(repository.run(["doctor"]).code, Some(0));
}

#[test]
fn people_are_told_in_words() {
    let repository = Repository::polyglot();
    repository.index();
    let answer = repository.run(["doctor"]);
    assert!(answer.stdout.starts_with("sound: "), "{answer:?}");
    sql(&repository.database(), "DELETE FROM documents WHERE file_id = 2");
    let answer = repository.run(["doctor"]);
    assert!(
        answer.stdout.contains("no document; expected one") && answer.stdout.contains("--repair"),
        "{answer:?}"
    );
    let lines = repository.run(["doctor", "--format", "jsonl"]).stdout;
    let record: Value = serde_json::from_str(lines.lines().next().expect("a record")).expect("JSON");
    assert_eq!((&record["part"], &record["mended"]), (&"documents".into(), &false.into()));
    let answer = repository.run(["doctor", "--repair"]);
    assert!(
        answer.stdout.contains("(mended)") && answer.stdout.contains("run `ast-core index`"),
        "{answer:?}"
    );
}
