//! Work on a connection without a hand-over of every statement.
//!
//! sqlx runs each statement on a thread of its own, and waking that thread and waiting for it takes longer than writing a
//! row does. The work of a commit, or of a search by words, is done on one thread, through the handle of the connection.

use super::connection::Writer;
use crate::StoreError;
use ast_core_model::FileId;
use rusqlite::Connection;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection};
use std::path::{Path, PathBuf};
use tokio::sync::OwnedMutexGuard;

/// Does the work on the connection, on a thread that may wait. It is done to its end, whoever waits for it or not.
pub(crate) async fn run<T: Send + 'static>(
    mut writer: OwnedMutexGuard<Writer>,
    path: PathBuf,
    work: impl FnOnce(&mut Connection, &Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    on_a_thread(path, async move |path| {
        let failed = |error| StoreError::from_sqlx(path, error);
        let connection = writer.ready().await.map_err(failed)?;
        lend(connection, |direct| work(direct, path)).await.map_err(failed)?
    })
    .await
}

/// Does the work on a connection that reads, on a thread that may wait.
pub(crate) async fn read<T: Send + 'static>(
    mut connection: PoolConnection<Sqlite>,
    path: PathBuf,
    work: impl FnOnce(&mut Connection, &Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    on_a_thread(path, async move |path| {
        let lent = lend(&mut connection, |direct| work(direct, path)).await;
        lent.map_err(|error| StoreError::from_sqlx(path, error))?
    })
    .await
}

/// Does the work on a thread that may wait, or compute for long.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    path: PathBuf,
    work: impl AsyncFnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let runtime = tokio::runtime::Handle::current();
    let name = path.clone();
    let ended = |error: tokio::task::JoinError| StoreError::Database { path: name, source: Box::new(error) };
    tokio::task::spawn_blocking(move || runtime.block_on(work(&path))).await.map_err(ended)?
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
