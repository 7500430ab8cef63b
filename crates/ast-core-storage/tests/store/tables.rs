//! What is in the tables, by SQL and past the store.

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Column, Connection, Row, SqliteConnection, TypeInfo, ValueRef};
use std::collections::BTreeMap;
use std::path::Path;

/// Every table that holds something of a file, and the one of its rows that `{}` names: all of one file.
pub(crate) const TABLES: [&str; 4] = ["files", "documents", "vectors", "signatures"];

pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Every row of a query, with every value as SQL would write it.
pub(crate) async fn rows(path: &Path, statement: &str) -> Vec<Vec<String>> {
    let mut connection = connect(path).await;
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| (0..row.columns().len()).map(|at| literal(row, at)).collect()).collect()
}

fn literal(row: &SqliteRow, at: usize) -> String {
    let value = row.try_get_raw(at).unwrap();
    if value.is_null() {
        return "NULL".into();
    }
    match value.type_info().name() {
        "INTEGER" => row.get::<i64, _>(at).to_string(),
        "TEXT" => format!("'{}'", row.get::<String, _>(at)),
        "BLOB" => row.get::<Vec<u8>, _>(at).iter().map(|byte| format!("{byte:02x}")).collect(),
        other => panic!("column {} is {other}", row.column(at).name()),
    }
}

/// How many rows each table has.
pub(crate) async fn row_counts(path: &Path) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        let count = &rows(path, &format!("SELECT count(*) FROM {table}")).await[0][0];
        counts.insert(table, count.parse().unwrap());
    }
    counts
}

/// What SQLite finds wrong with the file.
pub(crate) async fn quick_check(path: &Path) -> Vec<Vec<String>> {
    rows(path, "PRAGMA quick_check").await
}
