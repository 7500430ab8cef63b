//! Work on a connection without a hand-over of every statement.
//!
//! sqlx runs each statement on a thread of its own, and waking that thread and waiting for it takes longer than writing a
//! row does, or reading one. The work of a commit, or of a search by words, is done on one thread, through the handle of the
//! connection; and what takes less than a hand-over where it is asked for.

use super::connection::Writer;
use super::readers::{Lent, Reader};
use crate::StoreError;
use ast_core_model::FileId;
use rusqlite::{Connection, ErrorCode};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// Does the work on the connection, on a thread that may wait. It is done to its end, whoever waits for it or not.
pub(crate) async fn run<T: Send + 'static>(
    mut writer: OwnedMutexGuard<Writer>,
    path: PathBuf,
    work: impl FnOnce(&mut Connection, &Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let runtime = tokio::runtime::Handle::current();
    blocking(path, move |path| {
        let failed = |error| StoreError::from_sqlx(path, error);
        runtime.block_on(async {
            let connection = writer.ready().await.map_err(failed)?;
            lend(connection, |direct| work(direct, path)).await.map_err(failed)?
        })
    })
    .await
}

/// Opens a connection and takes its handle.
pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Reader, sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let handle = connection.lock_handle().await?.as_raw_handle().as_ptr();
    // SAFETY: the handle is that of an open connection, and what is made of it here neither closes it nor outlives it, as
    // `Reader` drops it first. The thread of the connection uses the handle only for what it is asked to do, and after this
    // nobody can ask anything of it: it stays in the `Reader` until it is closed.
    let direct = unsafe { Connection::from_handle(handle) };
    let direct = direct.map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
    Ok(Reader { direct, connection })
}

/// Does the work on a connection that reads, on a thread that may wait.
pub(crate) async fn read<T: Send + 'static>(
    mut lent: Lent,
    path: PathBuf,
    work: impl FnOnce(&mut Connection, &Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    blocking(path, move |path| {
        let connection = &mut lent.reader.direct;
        let waits = connection.busy_timeout(lent.busy_timeout);
        let done = match waits {
            Ok(()) => work(connection, path),
            Err(error) => Err(StoreError::from_rusqlite(path, error)),
        };
        lent.give_back();
        done
    })
    .await
}

/// Does work that takes a few microseconds, here and at once: to wake a thread for it takes longer. If somebody has locked
/// the database, it is done on a thread that may wait.
pub(crate) async fn look<T: Send + 'static>(
    mut lent: Lent,
    path: PathBuf,
    work: impl Fn(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let connection = &mut lent.reader.direct;
    let looked = connection.busy_timeout(Duration::ZERO).and_then(|()| work(connection));
    match looked {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            let again = move |connection: &mut Connection, path: &Path| {
                work(connection).map_err(|error| StoreError::from_rusqlite(path, error))
            };
            read(lent, path, again).await
        }
        looked => {
            lent.give_back();
            looked.map_err(|error| StoreError::from_rusqlite(&path, error))
        }
    }
}

/// Does the work on a thread that may wait, or compute for long.
pub(crate) async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let name = path.clone();
    let ended = |error: tokio::task::JoinError| StoreError::Database { path: name, source: Box::new(error) };
    tokio::task::spawn_blocking(move || work(&path)).await.map_err(ended)?
}

/// Lends the handle of a connection for as long as the work takes, on this thread.
pub(crate) async fn lend<T>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut Connection) -> T,
) -> Result<T, sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    let handle = locked.as_raw_handle().as_ptr();
    // SAFETY: the handle is that of an open connection, and it is ours alone until `locked` is dropped, which is declared
    // before what is made of it here and so dropped after it. Dropping that one does not close the connection.
    let direct = unsafe { Connection::from_handle(handle) };
    let mut direct = direct.map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
    Ok(work(&mut direct))
}

/// A list for `json_each`: as many files as there are, in one statement.
pub(crate) fn in_list(files: &[FileId]) -> String {
    let numbers: Vec<String> = files.iter().map(|file| file.get().to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// The id of a file in a row.
pub(crate) fn file_id(number: i64) -> rusqlite::Result<FileId> {
    FileId::new(number.cast_unsigned()).ok_or_else(|| damaged(format!("file id {number}")))
}

/// What a row holds is not what it must be.
fn damaged(reason: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, reason.into())
}
