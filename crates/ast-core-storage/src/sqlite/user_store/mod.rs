//! What users add to an index themselves, in a file of its own beside it.

use super::checksum;
use crate::StoreError;
use crate::store::Access;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// "ACEu", in the header of the file, says that it is one of these.
const APPLICATION_ID: i32 = 0x4143_4575;
const VERSION: i32 = 1;

/// How long is waited for another process that is writing.
const BUSY: Duration = Duration::from_secs(5);

/// Removals that are remembered, so that who knows what there was before them need not read everything again.
const MAX_REMOVED: i64 = 16_384;

/// A vector's number is never given again: one that is replaced gets another.
const SCHEMA: &str = "\
    CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT; \
    INSERT INTO state VALUES (1, 0, 0); \
    CREATE TABLE collections (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, dimension INTEGER NOT NULL) STRICT; \
    CREATE TABLE vectors ( \
        number INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, name TEXT NOT NULL, \
        vector BLOB NOT NULL, metadata TEXT, checksum INTEGER NOT NULL, UNIQUE (collection, name) \
    ) STRICT; \
    CREATE TABLE removed ( \
        collection INTEGER NOT NULL, generation INTEGER NOT NULL, number INTEGER NOT NULL, \
        PRIMARY KEY (collection, generation, number) \
    ) STRICT, WITHOUT ROWID; \
    CREATE TABLE file_metadata ( \
        path TEXT PRIMARY KEY, metadata TEXT NOT NULL, changed_ns INTEGER NOT NULL, checksum INTEGER NOT NULL \
    ) STRICT, WITHOUT ROWID;";

/// What users add to an index themselves: vectors of their own in named collections, and metadata of files.
///
/// None of it can be made again from the tree, so it is in a file of its own, which outlives the index: removing that,
/// making it anew and mending it leave this file alone. Every change is one transaction, and what was committed survives
/// a power loss, as far as the device keeps its word. Any number of processes may read and write it; SQLite has them
/// take turns.
///
/// All calls wait for the disk: not for the threads of a runtime.
///
/// # Errors
/// All may fail with [`StoreError::Corrupt`] where what is kept cannot have been written, [`StoreError::Locked`] if
/// another process writes for longer than 5 s, and [`StoreError::Database`]; those that write with
/// [`StoreError::ReadOnly`] and [`StoreError::DiskFull`], too.
#[derive(Debug)]
pub struct UserStore {
    path: PathBuf,
    access: Access,
    connection: Mutex<Connection>,
}

/// A user's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct UserVector {
    /// What its user calls it: one of a name in a collection.
    pub name: String,
    /// Its values.
    pub vector: Vec<f32>,
    /// What its user noted with it, as JSON.
    pub metadata: Option<String>,
}

/// A named collection of a user's vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCollection {
    /// Its name.
    pub name: String,
    /// The number of values of each of its vectors.
    pub dimension: usize,
    /// How many vectors it has.
    pub vectors: u64,
}

/// What a user noted of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMetadata {
    /// The file, relative to its tree.
    pub path: String,
    /// What was noted, as JSON.
    pub metadata: String,
    /// When, in nanoseconds since 1970.
    pub changed_ns: i64,
}

/// How much of a collection somebody has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenVectors {
    collection: i64,
    generation: i64,
    last: i64,
}

/// What a collection has become since somebody saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserVectorChanges {
    /// What is seen with this.
    pub seen: SeenVectors,
    /// The number of values of its vectors.
    pub dimension: usize,
    /// Whether `added` is all that there is, and whatever was seen before is to be forgotten.
    pub is_all: bool,
    /// The numbers of those that are gone.
    pub removed: Vec<u64>,
    /// The numbers of those that came.
    pub added: Vec<u64>,
    /// Their vectors, one behind the other.
    pub vectors: Vec<f32>,
}

impl UserStore {
    /// Opens the file. For writing it is made if it is missing; `None` if it is missing and was to be read.
    ///
    /// # Errors
    /// [`StoreError::NotADatabase`], [`StoreError::Foreign`] and [`StoreError::NewerSchema`] if the file is something else,
    /// which it stays; [`StoreError::Open`] if it cannot be opened.
    pub fn open(path: &Path, access: Access) -> Result<Option<Self>, StoreError> {
        let writes = access == Access::Write;
        if !writes && !path.exists() {
            return Ok(None);
        }
        let flags = match access {
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let failed = |error| StoreError::from_rusqlite(path, error);
        let open = || {
            let mut connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(BUSY)?;
            let checked = Self::check(&mut connection, path, writes)?;
            Ok((connection, checked))
        };
        let (connection, checked) = open().map_err(failed)?;
        match checked {
            Err(StoreError::Missing { .. }) => return Ok(None),
            checked => checked?,
        }
        if writes {
            connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
            connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        }
        Ok(Some(Self { path: path.to_owned(), access, connection: Mutex::new(connection) }))
    }

    /// Whether the file is one of ours; makes the tables of an empty one, or says that they are missing.
    fn check(
        connection: &mut Connection,
        path: &Path,
        writes: bool,
    ) -> rusqlite::Result<Result<(), StoreError>> {
        let behavior = match writes {
            true => TransactionBehavior::Immediate,
            false => TransactionBehavior::Deferred,
        };
        let transaction = connection.transaction_with_behavior(behavior)?;
        let number = |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let (application_id, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let path = path.to_owned();
        if (application_id, version, tables) == (0, 0, 0) {
            if !writes {
                return Ok(Err(StoreError::Missing { path }));
            }
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            return Ok(Ok(()));
        }
        Ok(match application_id {
            APPLICATION_ID if version <= VERSION => Ok(()),
            APPLICATION_ID => {
                Err(StoreError::NewerSchema { path, found: version.into(), supported: VERSION.into() })
            }
            other => Err(StoreError::Foreign { path, application_id: other.cast_unsigned().into() }),
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All collections, in order of their names.
    pub fn collections(&self) -> Result<Vec<UserCollection>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT name, dimension, (SELECT count(*) FROM vectors WHERE collection = collections.id) \
                       FROM collections ORDER BY name";
            let row = |row: &rusqlite::Row<'_>| {
                let vectors: i64 = row.get(2)?;
                Ok(UserCollection {
                    name: row.get(0)?,
                    dimension: dimension_of(row.get(1)?),
                    vectors: vectors.cast_unsigned(),
                })
            };
            connection.prepare(sql)?.query_map([], row)?.collect()
        })
    }

    /// Keeps vectors in a collection, which is made with the first. A vector takes the place of the one of its name; of
    /// those that are given with one name the last stays. All are kept, or none.
    ///
    /// # Errors
    /// [`StoreError::Dimension`] if one has another number of values than those of the collection.
    pub fn put_vectors(&self, collection: &str, vectors: &[UserVector]) -> Result<(), StoreError> {
        let Some(first) = vectors.first() else { return Ok(()) };
        self.write(|transaction, generation| {
            let sql = "INSERT INTO collections (name, dimension) VALUES (?, ?) ON CONFLICT DO NOTHING";
            transaction.execute(sql, params![collection, first.vector.len() as i64])?;
            let Some((id, expected)) = find(transaction, collection)? else {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            };
            if let Some(other) = vectors.iter().find(|vector| vector.vector.len() != expected) {
                let (collection, received) = (collection.to_owned(), other.vector.len());
                return Ok(Err(StoreError::Dimension { collection, expected, received }));
            }
            let mut insert = transaction.prepare(
                "INSERT INTO vectors (collection, name, vector, metadata, checksum) VALUES (?, ?, ?, ?, ?)",
            )?;
            for UserVector { name, vector, metadata } in vectors {
                remove(transaction, generation, id, name)?;
                let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
                let noted = metadata.as_deref().unwrap_or("");
                let checksum = checksum::of_row(id, &[name.as_bytes(), &bytes, noted.as_bytes()]);
                insert.execute(params![id, name, bytes, metadata, checksum])?;
            }
            Ok(Ok(()))
        })
    }

    /// Removes vectors by their names; how many there were.
    pub fn delete_vectors(&self, collection: &str, names: &[String]) -> Result<u64, StoreError> {
        self.write(|transaction, generation| {
            let Some((id, _)) = find(transaction, collection)? else { return Ok(Ok(0)) };
            let mut removed = 0;
            for name in names {
                removed += u64::from(remove(transaction, generation, id, name)?);
            }
            Ok(Ok(removed))
        })
    }

    /// Removes a collection with all that is in it; whether there was one.
    pub fn delete_collection(&self, collection: &str) -> Result<bool, StoreError> {
        self.write(|transaction, _| {
            let Some((id, _)) = find(transaction, collection)? else { return Ok(Ok(false)) };
            for sql in [
                "DELETE FROM vectors WHERE collection = ?",
                "DELETE FROM removed WHERE collection = ?",
                "DELETE FROM collections WHERE id = ?",
            ] {
                transaction.execute(sql, [id])?;
            }
            Ok(Ok(true))
        })
    }

    /// The vector of a name, if there is one.
    pub fn vector(&self, collection: &str, name: &str) -> Result<Option<UserVector>, StoreError> {
        let sql = "SELECT vectors.name, vector, metadata, checksum, collection FROM vectors JOIN collections \
                   ON collections.id = collection WHERE collections.name = ? AND vectors.name = ?";
        let found = self.read(|connection| {
            connection.query_row(sql, [collection, name], |row| self.vector_of(row)).optional()
        })?;
        found.transpose()
    }

    /// The names of these vectors, and what was noted with them, by their numbers; those that are gone are left out.
    pub fn names(&self, numbers: &[u64]) -> Result<Vec<(u64, String, Option<String>)>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare("SELECT name, metadata FROM vectors WHERE number = ?")?;
            let mut names = Vec::with_capacity(numbers.len());
            for number in numbers {
                let row =
                    select.query_row([number.cast_signed()], |row| Ok((*number, row.get(0)?, row.get(1)?)));
                names.extend(row.optional()?);
            }
            Ok(names)
        })
    }

    /// What became of a collection since it was last seen; `None` if there is none.
    pub fn changes(
        &self,
        collection: &str,
        seen: Option<SeenVectors>,
    ) -> Result<Option<UserVectorChanges>, StoreError> {
        let changes = self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let Some((id, dimension)) = find(&transaction, collection)? else { return Ok(None) };
            let (generation, floor) =
                transaction.query_row("SELECT generation, floor FROM state", [], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
                })?;
            let seen = seen.filter(|seen| seen.collection == id && seen.generation >= floor);
            let before = seen.unwrap_or(SeenVectors { collection: id, generation: 0, last: 0 });
            let mut changes = UserVectorChanges {
                seen: SeenVectors { generation, ..before },
                dimension,
                is_all: seen.is_none(),
                removed: Vec::new(),
                added: Vec::new(),
                vectors: Vec::new(),
            };
            if before.generation == generation && seen.is_some() {
                return Ok(Some(Ok(changes)));
            }
            if seen.is_some() {
                let sql =
                    "SELECT number FROM removed WHERE collection = ? AND generation > ? AND number <= ?";
                let parameters = params![id, before.generation, before.last];
                let mut select = transaction.prepare(sql)?;
                let numbers = select.query_map(parameters, |row| row.get::<_, i64>(0))?;
                for number in numbers {
                    changes.removed.push(number?.cast_unsigned());
                }
            }
            let sql = "SELECT name, vector, metadata, checksum, collection, number FROM vectors \
                       WHERE collection = ? AND number > ? ORDER BY number";
            let mut select = transaction.prepare(sql)?;
            let mut rows = select.query(params![id, before.last])?;
            while let Some(row) = rows.next()? {
                let number: i64 = row.get(5)?;
                let vector = match self.vector_of(row)? {
                    Ok(found) if found.vector.len() == dimension => found.vector,
                    Ok(found) => return Ok(Some(Err(self.damaged(&found.name)))),
                    Err(error) => return Ok(Some(Err(error))),
                };
                changes.added.push(number.cast_unsigned());
                changes.vectors.extend_from_slice(&vector);
                changes.seen.last = number;
            }
            Ok(Some(Ok(changes)))
        })?;
        changes.transpose()
    }

    /// Notes what a user says of a file, in place of what was noted before, as JSON.
    pub fn put_file_metadata(&self, path: &str, metadata: &str) -> Result<(), StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        self.write(|transaction, _| {
            let checksum = checksum::of_row(now, &[path.as_bytes(), metadata.as_bytes()]);
            let sql = "INSERT OR REPLACE INTO file_metadata (path, metadata, changed_ns, checksum) VALUES (?, ?, ?, ?)";
            transaction.execute(sql, params![path, metadata, now, checksum])?;
            Ok(Ok(()))
        })
    }

    /// What was noted of a file, if anything was.
    pub fn file_metadata(&self, path: &str) -> Result<Option<FileMetadata>, StoreError> {
        let sql = "SELECT path, metadata, changed_ns, checksum FROM file_metadata WHERE path = ?";
        let found = self
            .read(|connection| connection.query_row(sql, [path], |row| self.metadata_of(row)).optional())?;
        found.transpose()
    }

    /// Forgets what was noted of a file; whether there was something.
    pub fn delete_file_metadata(&self, path: &str) -> Result<bool, StoreError> {
        self.write(|transaction, _| {
            Ok(Ok(transaction.execute("DELETE FROM file_metadata WHERE path = ?", [path])? > 0))
        })
    }

    /// What was noted of files whose paths begin with this, in order of their paths: those behind `after`, at most
    /// `limit`.
    pub fn list_file_metadata(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FileMetadata>, StoreError> {
        let sql = "SELECT path, metadata, changed_ns, checksum FROM file_metadata \
                   WHERE path >= ?1 AND substr(path, 1, length(?1)) = ?1 AND (?2 IS NULL OR path > ?2) \
                   ORDER BY path LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<Result<FileMetadata, StoreError>> = self.read(|connection| {
            let mut select = connection.prepare(sql)?;
            select.query_map(params![prefix, after, limit], |row| self.metadata_of(row))?.collect()
        })?;
        found.into_iter().collect()
    }

    fn vector_of(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<UserVector, StoreError>> {
        let (name, metadata): (String, Option<String>) = (row.get(0)?, row.get(2)?);
        let (bytes, noted, collection): (Vec<u8>, i64, i64) = (row.get(1)?, row.get(3)?, row.get(4)?);
        let parts = [name.as_bytes(), &bytes, metadata.as_deref().unwrap_or("").as_bytes()];
        if noted != checksum::of_row(collection, &parts) {
            return Ok(Err(self.damaged(&name)));
        }
        let (values, _) = bytes.as_chunks::<4>();
        let vector = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Ok(Ok(UserVector { name, vector, metadata }))
    }

    fn metadata_of(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<FileMetadata, StoreError>> {
        let found = FileMetadata { path: row.get(0)?, metadata: row.get(1)?, changed_ns: row.get(2)? };
        let parts = [found.path.as_bytes(), found.metadata.as_bytes()];
        match row.get::<_, i64>(3)? == checksum::of_row(found.changed_ns, &parts) {
            true => Ok(Ok(found)),
            false => Ok(Err(self.damaged(&found.path))),
        }
    }

    fn damaged(&self, what: &str) -> StoreError {
        StoreError::Corrupt {
            path: self.path.clone(),
            reason: format!("what is kept of {what:?} is not what was written"),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        read(&self.connection()).map_err(|error| StoreError::from_rusqlite(&self.path, error))
    }

    /// One transaction, which makes the next generation; nothing of it stays if it fails.
    fn write<T>(
        &self,
        write: impl FnOnce(&Transaction<'_>, i64) -> rusqlite::Result<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.access == Access::Read {
            return Err(StoreError::ReadOnly { path: self.path.clone() });
        }
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "UPDATE state SET generation = generation + 1 RETURNING generation";
            let generation: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
            let written = match write(&transaction, generation)? {
                Ok(written) => written,
                Err(error) => return Ok(Err(error)),
            };
            forget_old(&transaction)?;
            transaction.commit()?;
            Ok(Ok(written))
        };
        run().map_err(|error| StoreError::from_rusqlite(&self.path, error))?
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id and the dimension of a collection.
fn find(connection: &Connection, collection: &str) -> rusqlite::Result<Option<(i64, usize)>> {
    let sql = "SELECT id, dimension FROM collections WHERE name = ?";
    connection.query_row(sql, [collection], |row| Ok((row.get(0)?, dimension_of(row.get(1)?)))).optional()
}

/// One that no vector has is found to be so when its vectors are read.
fn dimension_of(stored: i64) -> usize {
    usize::try_from(stored).unwrap_or(0)
}

/// Removes a vector, and remembers that; whether there was one.
fn remove(
    transaction: &Transaction<'_>,
    generation: i64,
    collection: i64,
    name: &str,
) -> rusqlite::Result<bool> {
    let mut delete = transaction
        .prepare_cached("DELETE FROM vectors WHERE collection = ? AND name = ? RETURNING number")?;
    let number: Option<i64> = delete.query_row(params![collection, name], |row| row.get(0)).optional()?;
    if let Some(number) = number {
        let sql = "INSERT INTO removed (collection, generation, number) VALUES (?, ?, ?)";
        transaction.prepare_cached(sql)?.execute(params![collection, generation, number])?;
    }
    Ok(number.is_some())
}

/// Forgets the older half of the removals if there are too many: who has not seen them reads everything again.
fn forget_old(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let count: i64 = transaction.query_row("SELECT count(*) FROM removed", [], |row| row.get(0))?;
    if count <= MAX_REMOVED {
        return Ok(());
    }
    let sql = "SELECT generation FROM removed ORDER BY generation LIMIT 1 OFFSET ?";
    let floor: i64 = transaction.query_row(sql, [count / 2], |row| row.get(0))?;
    transaction.execute("DELETE FROM removed WHERE generation <= ?", [floor])?;
    transaction.execute("UPDATE state SET floor = ?", [floor])?;
    Ok(())
}

#[cfg(test)]
mod tests;
