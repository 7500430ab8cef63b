//! Inserting many rows with few statements: each statement crosses to SQLite's thread and back, which costs more
//! than a row.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

/// The table and columns of an insert.
pub(crate) struct Insert {
    /// `INSERT INTO table (columns)`.
    pub(crate) head: &'static str,
    /// How many columns.
    pub(crate) columns: usize,
}

/// Rows of one statement, most first. Few different numbers, so that the statements stay prepared. Of symbols, 64 are
/// written 1.3 times as fast as 16, and no slower than 128 or 256.
const STATEMENT_ROWS: [usize; 3] = [64, 8, 1];

/// Inserts the rows, in order.
pub(crate) async fn insert_rows<T>(
    connection: &mut SqliteConnection,
    insert: &Insert,
    rows: &[T],
    bind: impl for<'q> Fn(Query<'q, Sqlite, SqliteArguments>, &T) -> Query<'q, Sqlite, SqliteArguments>,
) -> Result<(), sqlx::Error> {
    let mut rest = rows;
    for size in STATEMENT_ROWS {
        let mut groups = rest.chunks_exact(size);
        if groups.len() > 0 {
            let statement: std::sync::Arc<str> = statement(insert, size).into();
            for group in groups.by_ref() {
                // The text is made of constants only; every value is bound.
                let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
                for row in group {
                    query = bind(query, row);
                }
                query.execute(&mut *connection).await?;
            }
        }
        rest = groups.remainder();
    }
    Ok(())
}

fn statement(insert: &Insert, rows: usize) -> String {
    let row = format!("({})", vec!["?"; insert.columns].join(", "));
    format!("{} VALUES {}", insert.head, vec![row.as_str(); rows].join(", "))
}
