//! What a store holds, as text: two stores that hold the same give the same text.

use crate::repository::block_on;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Ids pack the id of a file and an ordinal in it.
const ORDINAL_BITS: u32 = 20;

/// Everything that is indexed of each file, but for ids, times and generations.
pub(crate) fn dump(database: &Path) -> String {
    render(database, false)
}

/// The same with the ids.
pub(crate) fn dump_with_ids(database: &Path) -> String {
    render(database, true)
}

/// How many files the store knows of; `None` if there is no store that can be read yet.
pub(crate) fn count_files(database: &Path) -> Option<u64> {
    block_on(async {
        let mut connection = open(database).await.ok()?;
        let row = sqlx::query("SELECT count(*) FROM files").fetch_one(&mut connection).await;
        connection.close().await.ok()?;
        row.ok()?.try_get::<i64, _>(0).ok()?.try_into().ok()
    })
}

async fn open(database: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(database).read_only(true).connect().await
}

/// Each query gives the id of a file, and a text about something in it.
const TABLES: &[&str] = &[
    "SELECT id, 'file ' || concat_ws(' ', coalesce(language, '-'), status, coalesce(detail, '-'), size, \
     coalesce(hex(content_hash), '-'), lines, syntax_errors, symbols, chunks) FROM files",
    "SELECT file_id, 'document ' || hex(content) FROM documents ORDER BY file_id",
    "SELECT file_id, 'vectors ' || hex(kinds) || ' ' || hex(codes) FROM vectors ORDER BY file_id",
    "SELECT file_id, 'signature ' || hex(bits) FROM signatures ORDER BY file_id",
];

fn render(database: &Path, ids: bool) -> String {
    block_on(async {
        let mut connection = open(database).await.expect("the store opens");
        // All of one generation, also while somebody writes.
        sqlx::query("BEGIN").execute(&mut connection).await.expect("a transaction begins");
        let paths = rows(&mut connection, "SELECT id, path FROM files").await;
        let mut files: Vec<(String, i64)> =
            paths.iter().map(|row| (row.get::<String, _>(1), row.get::<i64, _>(0))).collect();
        files.sort();
        let mut lines: HashMap<i64, String> = HashMap::new();
        for query in TABLES {
            for row in rows(&mut connection, query).await {
                let (file, line): (i64, String) = (row.get(0), row.get(1));
                let known = files.iter().any(|(_, id)| *id == file);
                assert!(known, "a row of a file that is gone ({file}): {line}");
                writeln!(lines.entry(file).or_default(), "  {line}").expect("a string can be written");
            }
        }
        connection.close().await.expect("the store closes");
        let mut text = String::new();
        for (path, id) in files {
            assert!(id < 1 << (63 - ORDINAL_BITS), "{path} has the id {id}");
            let shown = if ids { format!("{path} {id}") } else { path };
            writeln!(text, "{shown}\n{}", lines.remove(&id).unwrap_or_default()).expect("a string");
        }
        text
    })
}

async fn rows(connection: &mut SqliteConnection, query: &'static str) -> Vec<SqliteRow> {
    sqlx::query(query).fetch_all(connection).await.unwrap_or_else(|error| panic!("{error}: {query}"))
}
