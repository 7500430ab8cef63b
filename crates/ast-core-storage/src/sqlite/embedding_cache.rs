//! Vectors by what they were made of, kept for the next time that it comes.

use super::checksum;
use crate::StoreError;
use ast_core_model::ContentHash;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// "ACEv", in the header of the file, says that it is one of these.
const APPLICATION_ID: i32 = 0x4143_4576;
const VERSION: i32 = 1;

/// How long is waited for another process that is writing; what it writes is a few rows.
const BUSY: Duration = Duration::from_secs(5);

/// When it is larger than it may be, as much is dropped as leaves this share.
const KEPT: f64 = 0.75;

const SCHEMA: &str = "\
    CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT; \
    CREATE TABLE vectors ( \
        model INTEGER NOT NULL, key BLOB NOT NULL, codes BLOB NOT NULL, checksum INTEGER NOT NULL, \
        used INTEGER NOT NULL, PRIMARY KEY (model, key) \
    ) STRICT, WITHOUT ROWID;";

/// A file of vectors by the hash of what they were made of, for one embedder.
///
/// An embedder that asks a model, or a service, should not be asked twice for the same: not for the same code in another
/// file, on another branch, or in another tree, whose engine may share the file. Any number of processes may have it open.
///
/// It is a cache: what it does not have, or has damaged, is as if it had never come. A vector is kept as the store keeps
/// it, a byte a value, so that what is taken from here becomes the very rows that it would have become.
#[derive(Debug)]
pub struct EmbeddingCache {
    path: PathBuf,
    connection: Mutex<Connection>,
    model: i64,
    dimension: usize,
}

impl EmbeddingCache {
    /// Opens the cache at a path for the vectors of one model, and makes the file if it is missing. One that takes more
    /// than `max_bytes` loses what was not used for longest, by days.
    ///
    /// Waits for the disk: not for the threads of a runtime.
    ///
    /// # Errors
    /// [`StoreError::NotADatabase`], [`StoreError::Foreign`] and [`StoreError::NewerSchema`] if the file is something else,
    /// which it stays; [`StoreError::Open`] and the others if it cannot be read or written.
    pub fn open(path: &Path, model: &str, dimension: usize, max_bytes: u64) -> Result<Self, StoreError> {
        let open = || {
            let mut connection = Connection::open(path)?;
            connection.busy_timeout(BUSY)?;
            // SQLite says only now whether it is a database.
            let version = Self::version(&mut connection, path)?;
            Ok((connection, version))
        };
        let failed = |error| StoreError::from_rusqlite(path, error);
        let (mut connection, checked) = open().map_err(failed)?;
        checked?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        let model = Self::model(&mut connection, &format!("{model}@{dimension}")).map_err(failed)?;
        let cache = Self { path: path.to_owned(), connection: Mutex::new(connection), model, dimension };
        cache.shrink(max_bytes).map_err(failed)?;
        Ok(cache)
    }

    /// Makes the tables of an empty file; whether it is one of ours then.
    fn version(connection: &mut Connection, path: &Path) -> rusqlite::Result<Result<(), StoreError>> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number = |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let (application_id, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if (application_id, version, tables) == (0, 0, 0) {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            return Ok(Ok(()));
        }
        let path = path.to_owned();
        Ok(match application_id {
            APPLICATION_ID if version <= VERSION => Ok(()),
            APPLICATION_ID => {
                Err(StoreError::NewerSchema { path, found: version.into(), supported: VERSION.into() })
            }
            other => Err(StoreError::Foreign { path, application_id: other.cast_unsigned().into() }),
        })
    }

    fn model(connection: &mut Connection, name: &str) -> rusqlite::Result<i64> {
        let find = "SELECT id FROM models WHERE name = ?";
        let known = |connection: &Connection| connection.query_row(find, [name], |row| row.get(0)).optional();
        if let Some(id) = known(connection)? {
            return Ok(id);
        }
        connection.execute("INSERT INTO models (name) VALUES (?) ON CONFLICT DO NOTHING", [name])?;
        known(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The vectors of these keys, each with its largest value 127 or -127; `None` of what is not there.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] and [`StoreError::Database`].
    pub fn get(&self, keys: &[ContentHash]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let failed = |error| StoreError::from_rusqlite(&self.path, error);
        let mut connection = self.connection();
        let mut found = Vec::with_capacity(keys.len());
        let mut aged = Vec::new();
        let today = today();
        {
            let mut statement = connection
                .prepare("SELECT codes, checksum, used FROM vectors WHERE model = ? AND key = ?")
                .map_err(failed)?;
            for key in keys {
                let row = statement.query_row(params![self.model, key.as_bytes()], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
                });
                let row = row.optional().map_err(failed)?;
                let row = row.filter(|(codes, noted, _)| {
                    codes.len() == self.dimension && *noted == self.checksum(key, codes)
                });
                if row.as_ref().is_some_and(|(.., used)| *used != today) {
                    aged.push(key);
                }
                let values =
                    |codes: Vec<u8>| codes.into_iter().map(|code| f32::from(code.cast_signed())).collect();
                found.push(row.map(|(codes, ..)| values(codes)));
            }
        }
        if !aged.is_empty() {
            let note = |connection: &mut Connection| {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                {
                    let update = "UPDATE vectors SET used = ? WHERE model = ? AND key = ?";
                    let mut update = transaction.prepare(update)?;
                    for key in aged {
                        update.execute(params![today, self.model, key.as_bytes()])?;
                    }
                }
                transaction.commit()
            };
            note(&mut connection).map_err(failed)?;
        }
        Ok(found)
    }

    /// Keeps vectors, by their keys, and by their directions only. What there was by a key is replaced.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] if a vector has more values than the dimension that the cache was opened with, or fewer;
    /// then none is kept. [`StoreError::DiskFull`], [`StoreError::ReadOnly`] and [`StoreError::Database`].
    pub fn put<'a>(
        &self,
        vectors: impl IntoIterator<Item = (ContentHash, &'a [f32])>,
    ) -> Result<(), StoreError> {
        let vectors: Vec<(ContentHash, &[f32])> = vectors.into_iter().collect();
        if let Some((_, other)) = vectors.iter().find(|(_, vector)| vector.len() != self.dimension) {
            let (received, limit) = (other.len() as u64, self.dimension as u64);
            return Err(StoreError::OutOfRange { what: "the dimension of a vector", received, limit });
        }
        let mut connection = self.connection();
        let put = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut insert = transaction.prepare(
                    "INSERT OR REPLACE INTO vectors (model, key, codes, checksum, used) VALUES (?, ?, ?, ?, ?)",
                )?;
                let mut codes = Vec::with_capacity(self.dimension);
                for (key, vector) in vectors {
                    codes.clear();
                    crate::vectors::quantize(vector, &mut codes);
                    let checksum = self.checksum(&key, &codes);
                    insert.execute(params![self.model, key.as_bytes(), codes, checksum, today()])?;
                }
            }
            transaction.commit()
        };
        put().map_err(|error| StoreError::from_rusqlite(&self.path, error))
    }

    /// Drops what was not used for longest, if it takes more than this.
    fn shrink(&self, max_bytes: u64) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let used = (number("page_count")? - number("freelist_count")?) * number("page_size")?;
        if used.cast_unsigned() <= max_bytes {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let days: Vec<(i64, i64)> = transaction
            .prepare("SELECT used, count(*) FROM vectors GROUP BY used ORDER BY used")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let total: i64 = days.iter().map(|(_, count)| count).sum();
        let kept = total as f64 * KEPT * max_bytes as f64 / used as f64;
        let mut surplus = total - kept as i64;
        for (day, count) in days {
            if surplus <= 0 {
                break;
            }
            // Keys are hashes: the first byte takes a share of them that is as large as it looks.
            let share = (surplus.saturating_mul(256) / count.max(1)).clamp(1, 256);
            let limit = match u8::try_from(share) {
                Ok(first) => vec![first],
                Err(_) => vec![u8::MAX; 17],
            };
            transaction.execute("DELETE FROM vectors WHERE used = ? AND key < ?", params![day, limit])?;
            surplus -= count;
        }
        transaction.commit()
    }

    fn checksum(&self, key: &ContentHash, codes: &[u8]) -> i64 {
        checksum::of_row(self.model, &[key.as_bytes(), codes])
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Days since 1970.
fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs() / 86_400).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = u64::MAX;

    fn key(number: u32) -> ContentHash {
        ContentHash::of(&number.to_le_bytes())
    }

    fn cache(path: &Path, max_bytes: u64) -> EmbeddingCache {
        EmbeddingCache::open(path, "model-1", 4, max_bytes).unwrap()
    }

    #[test]
    fn what_is_put_is_there_for_the_same_model_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("embeddings.db");
        let first = cache(&path, ALL);
        first.put([(key(1), &[1.0, -0.5, 0.0, 0.25][..]), (key(2), &[0.0; 4][..])]).unwrap();
        let expected = [Some(vec![127.0, -64.0, 0.0, 32.0]), None, Some(vec![0.0; 4])];
        assert_eq!(first.get(&[key(1), key(3), key(2)]).unwrap(), expected);
        // Another process, at the same time.
        let second = cache(&path, ALL);
        assert_eq!(second.get(&[key(1), key(3), key(2)]).unwrap(), expected);
        second.put([(key(3), &[0.0, 0.0, 0.0, -3.0][..])]).unwrap();
        assert_eq!(first.get(&[key(3)]).unwrap(), [Some(vec![0.0, 0.0, 0.0, -127.0])]);
        let short = first.put([(key(4), &[1.0; 3][..])]).unwrap_err();
        assert!(matches!(short, StoreError::OutOfRange { received: 3, limit: 4, .. }), "{short}");
        let others = [("model-2", 4), ("model-1", 3)];
        for (model, dimension) in others {
            let other = EmbeddingCache::open(&path, model, dimension, ALL).unwrap();
            assert_eq!(other.get(&[key(1)]).unwrap(), [None], "{model} {dimension}");
        }
    }

    /// What the store makes of a vector from the cache is what it makes of the vector itself.
    #[test]
    fn vectors_come_back_as_the_store_would_keep_them() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(&directory.path().join("embeddings.db"), ALL);
        for number in 0..500u32 {
            let bytes = *key(number).as_bytes();
            let vector: Vec<f32> = bytes[..4].iter().map(|byte| f32::from(*byte) / 7.0 - 18.0).collect();
            cache.put([(key(number), &vector[..])]).unwrap();
            let back = cache.get(&[key(number)]).unwrap().remove(0).unwrap();
            let codes = |vector: &[f32]| {
                let mut codes = Vec::new();
                crate::vectors::quantize(vector, &mut codes);
                codes
            };
            assert_eq!(codes(&back), codes(&vector));
        }
    }

    #[test]
    fn what_is_damaged_was_never_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("embeddings.db");
        let cache = cache(&path, ALL);
        cache.put([(key(1), &[1.0; 4][..]), (key(2), &[1.0; 4][..]), (key(3), &[1.0; 4][..])]).unwrap();
        let raw = Connection::open(&path).unwrap();
        raw.execute("UPDATE vectors SET codes = x'7f7f7f7e' WHERE key = ?", [key(1).as_bytes()]).unwrap();
        raw.execute("UPDATE vectors SET codes = x'7f' WHERE key = ?", [key(2).as_bytes()]).unwrap();
        let found = cache.get(&[key(1), key(2), key(3)]).unwrap();
        assert_eq!(found, [None, None, Some(vec![127.0; 4])]);
        cache.put([(key(1), &[1.0; 4][..])]).unwrap();
        assert_eq!(cache.get(&[key(1)]).unwrap(), [Some(vec![127.0; 4])]);
    }

    #[test]
    fn other_files_are_refused_and_left_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("embeddings.db");
        std::fs::write(&path, "something that is no database at all").unwrap();
        let refused = |path: &Path| EmbeddingCache::open(path, "m", 4, ALL).unwrap_err();
        assert!(matches!(refused(&path), StoreError::NotADatabase { .. }));
        assert_eq!(std::fs::read(&path).unwrap(), b"something that is no database at all");
        let foreign = directory.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(refused(&foreign), StoreError::Foreign { application_id: 0, .. }));
        let newer = directory.path().join("newer.db");
        drop(cache(&newer, ALL));
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(refused(&newer), StoreError::NewerSchema { .. }));
        assert!(matches!(refused(&directory.path().join("none/x.db")), StoreError::Open { .. }));
    }

    #[test]
    fn one_that_is_too_large_loses_what_was_not_used_for_longest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("embeddings.db");
        let keys: Vec<ContentHash> = (0..20_000).map(key).collect();
        let first = cache(&path, ALL);
        first.put(keys.iter().map(|key| (*key, &[1.0; 4][..]))).unwrap();
        drop(first);
        let mut raw = Connection::open(&path).unwrap();
        // Half of them were used long ago, all alike but in their hashes.
        let transaction = raw.transaction().unwrap();
        for key in &keys[..10_000] {
            let update = "UPDATE vectors SET used = 1 WHERE model = 1 AND key = ?";
            transaction.execute(update, [key.as_bytes()]).unwrap();
        }
        transaction.commit().unwrap();
        let pages = |raw: &Connection| -> i64 {
            let number = |pragma| raw.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
            number("page_count") - number("freelist_count")
        };
        let before = pages(&raw);
        let size: i64 = raw.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        let limit = (before * size * 9 / 10).cast_unsigned();
        let shrunk = cache(&path, limit);
        let count = |keys: &[ContentHash]| shrunk.get(keys).unwrap().iter().flatten().count();
        assert_eq!(count(&keys[10_000..]), 10_000);
        let old = count(&keys[..10_000]);
        assert!((2_500..4_500).contains(&old), "{old}");
        // Those were just used.
        drop(shrunk);
        let shrunk = cache(&path, limit / 2);
        let left = shrunk.get(&keys).unwrap().iter().flatten().count();
        assert!((5_000..9_000).contains(&left), "{left}");
    }
}
