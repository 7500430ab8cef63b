//! Whose database a file is, and the version of its tables.

use super::fence::Fence;
use super::step::reach;
use super::{direct, signatures};
use crate::{RepositoryId, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// "ACEi", in the header of the file, says whose database it is.
const APPLICATION_ID: u32 = 0x4143_4569;

/// Each brings a store from the version before to its own: the first to version 1. They only ever grow in number.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_index.sql"),
    include_str!("../../migrations/0002_documents.sql"),
    include_str!("../../migrations/0003_names.sql"),
    include_str!("../../migrations/0004_jobs.sql"),
    include_str!("../../migrations/0005_checksums.sql"),
    include_str!("../../migrations/0006_repository.sql"),
    include_str!("../../migrations/0007_columns.sql"),
    include_str!("../../migrations/0008_signatures.sql"),
];

/// The version of the tables that this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The first version that has signatures.
const SIGNATURES: u32 = 8;

/// Refuses the file of somebody else, without a trace: no lock, no log and no journal of it is touched, as a plain
/// connection would on opening and closing it. What it lets pass is only known after [`check`].
///
/// It must not read the file by other means than SQLite: closing a file lets go of all locks that the process has on
/// it, those of its other connections included (<https://sqlite.org/howtocorrupt.html>, section 2.2).
pub(crate) async fn check_untouched(path: &Path, file: &Path) -> Result<(), StoreError> {
    let mut waits = AGAIN.into_iter();
    loop {
        match look_untouched(path, file).await {
            // It is being written, or writing it was interrupted: with its log it may be whole.
            Err(StoreError::NotADatabase { .. } | StoreError::Corrupt { .. }) if has_log(file) => {
                return Ok(());
            }
            // Who wrote it may have emptied the log meanwhile: what was read without a lock may be of two times.
            Err(StoreError::NotADatabase { .. } | StoreError::Corrupt { .. })
                if let Some(wait) = waits.next() =>
            {
                tokio::time::sleep(wait).await;
            }
            looked => return looked,
        }
    }
}

/// How long is waited before a database that seems to be damaged is looked at again.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

async fn look_untouched(path: &Path, file: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let found = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let found = Header::read(&mut connection).await;
        connection.close().await?;
        found
    };
    found.await.map_err(|error| StoreError::from_sqlx(path, error))?.check(path).map(drop)
}

/// The version of our tables, 0 if there are none yet; an error if the database is not ours.
pub(crate) fn check(connection: &rusqlite::Connection, path: &Path) -> Result<u32, StoreError> {
    let number = |statement| connection.query_row(statement, [], |row| row.get(0));
    let header = || {
        let application_id: i32 = number(APPLICATION)?;
        let user_version = number(USER_VERSION)?;
        let is_empty = number(TABLES)? == 0;
        Ok(Header { application_id: application_id.cast_unsigned(), user_version, is_empty })
    };
    header().map_err(|error| StoreError::from_rusqlite(path, error))?.check(path)
}

const APPLICATION: &str = "PRAGMA application_id";
const USER_VERSION: &str = "PRAGMA user_version";
const TABLES: &str = "SELECT count(*) FROM sqlite_schema";

/// Brings the tables up to this program's version and makes the connection the last writer, all or nothing. It may compute for
/// long, and is for a thread that may.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    repository: Arc<OnceLock<RepositoryId>>,
) -> Result<Fence, StoreError> {
    let failed = |error| StoreError::from_sqlx(path, error);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let reached = |step| reach(step).map_err(|error| StoreError::from_rusqlite(path, error));
    let version = Header::read(&mut transaction).await.map_err(failed)?.check(path)?;
    reached("migrate/begun")?;
    let pending = MIGRATIONS.get(version as usize..).unwrap_or_default();
    for migration in pending {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(failed)?;
        reached("migrate/step")?;
    }
    if version < SIGNATURES {
        let filled = direct::lend(&mut transaction, |connection| signatures::fill(connection));
        filled.await.map_err(failed)?.map_err(|error| StoreError::from_rusqlite(path, error))?;
        reached("migrate/signatures")?;
    }
    if !pending.is_empty() {
        // Both are numbers of this program.
        let header = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
        sqlx::raw_sql(AssertSqlSafe(header)).execute(&mut *transaction).await.map_err(failed)?;
    }
    let fence = Fence::raise(&mut transaction, repository).await.map_err(failed)?;
    reached("migrate/written")?;
    transaction.commit().await.map_err(failed)?;
    reached("migrate/done")?;
    Ok(fence)
}

/// What a database says of itself.
struct Header {
    application_id: u32,
    user_version: i32,
    is_empty: bool,
}

impl Header {
    async fn read(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let application_id: i32 = sqlx::query(APPLICATION).fetch_one(&mut *connection).await?.try_get(0)?;
        let user_version = sqlx::query(USER_VERSION).fetch_one(&mut *connection).await?.try_get(0)?;
        let tables: i64 = sqlx::query(TABLES).fetch_one(connection).await?.try_get(0)?;
        Ok(Self { application_id: application_id.cast_unsigned(), user_version, is_empty: tables == 0 })
    }

    fn check(&self, path: &Path) -> Result<u32, StoreError> {
        if self.application_id == 0 && self.user_version == 0 && self.is_empty {
            return Ok(0);
        }
        let path = path.to_owned();
        if self.application_id != APPLICATION_ID {
            return Err(StoreError::Foreign { path, application_id: self.application_id.into() });
        }
        match u32::try_from(self.user_version) {
            Ok(version @ 1..=VERSION) => Ok(version),
            Ok(found) if found > VERSION => {
                Err(StoreError::NewerSchema { path, found: found.into(), supported: VERSION.into() })
            }
            _ => Err(StoreError::Corrupt { path, reason: format!("schema version {}", self.user_version) }),
        }
    }
}

/// Whether there is more of the database than is in its file: changes to be made or to be undone.
pub(crate) fn has_log(file: &Path) -> bool {
    is_left(file, "-wal") || has_journal(file)
}

/// Whether there are changes to be undone.
pub(crate) fn has_journal(file: &Path) -> bool {
    is_left(file, "-journal")
}

fn is_left(file: &Path, suffix: &str) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push(suffix);
    std::fs::metadata(&log).is_ok_and(|log| log.len() > 0)
}
