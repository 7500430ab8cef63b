//! A damaged file gives an error or the right answer.

use crate::sample::{EVEN, files, id, open, rust, rust_text, skipped};
use ast_core_storage::{
    Access, ChunkFilter, FileStatus, NameMatch, SqliteStore, Store, StoreError, SymbolQuery, TrigramQuery,
    WriteBatch,
};
use std::path::Path;

const FILES: u64 = 24;
fn word(number: u64) -> String {
    format!("word{}", char::from(b'a' + number as u8))
}

/// The bytes of a sound store.
async fn sound(directory: &Path) -> Vec<u8> {
    let path = directory.join("sound.db");
    let store = open(&path, Access::Write).await.unwrap();
    let all = (1..=FILES).map(|number| rust(number, &format!("{number}.rs"), &word(number))).collect();
    store.commit(files(all)).await.unwrap();
    store.close().await;
    std::fs::read(path).unwrap()
}

/// SplitMix64: Steele et al., "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as usize % bound
    }
}

fn symbols_named(name: &str) -> SymbolQuery {
    SymbolQuery { matching: NameMatch::Substring, ..SymbolQuery::exact(name) }
}

/// Lets pass any error that says what is wrong with the file. The thread of a connection must not be gone, as it is
/// after a panic.
fn accept<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(StoreError::Database { source, .. })
            if matches!(source.downcast_ref(), Some(sqlx::Error::WorkerCrashed))
                || source.is::<tokio::task::JoinError>() =>
        {
            panic!("a connection crashed")
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Asks for everything there is; gives whether all was answered.
async fn ask_for_everything(store: &SqliteStore) -> bool {
    let mut answers = vec![
        accept(store.generation().await).is_some(),
        accept(store.files().await).is_some(),
        accept(store.counts().await).is_some(),
        accept(store.vectors(&(1..=FILES).map(id).collect::<Vec<_>>()).await).is_some(),
        accept(store.symbols(&symbols_named("Count")).await).is_some(),
        accept(store.files_with(&TrigramQuery::of_text(b"count")).await).is_some(),
        accept(store.lexical_search(&["count", "state", "total"], EVEN, ChunkFilter::All, 50).await)
            .is_some(),
    ];
    let texts: Vec<_> = (1..=FILES).map(|number| rust_text(&word(number), 3)).collect();
    for number in 1..=FILES {
        let documents = accept(store.documents(&[id(number)]).await);
        for (_, document) in documents.iter().flatten() {
            let is_known = texts.iter().any(|known| known.as_bytes() == document.source);
            assert!(is_known, "a text that nobody wrote");
        }
        answers.push(documents.is_some());
    }
    answers.iter().all(|answered| *answered)
}

#[tokio::test]
async fn flipped_bytes_give_an_error_or_an_answer_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let sound = sound(directory.path()).await;
    let mut noticed = 0;
    for seed in 0..96 {
        let mut random = Random(seed);
        let mut bytes = sound.clone();
        // Every other time where the structure is: at the beginning of a page.
        for _ in 0..=random.below(24) {
            let page = random.below(bytes.len() / 4096) * 4096;
            let within = random.below(if seed % 2 == 0 { 4096 } else { 64 });
            bytes[page + within] ^= 1 << random.below(8);
        }
        let path = directory.path().join(format!("{seed}.db"));
        std::fs::write(&path, &bytes).unwrap();
        let mut sound = true;
        match accept(open(&path, Access::Read).await) {
            Some(store) => {
                sound &= ask_for_everything(&store).await;
                store.close().await;
            }
            None => sound = false,
        }
        match accept(open(&path, Access::Write).await) {
            Some(store) => {
                let replaced = (1..=FILES).map(|at| rust(100 + at, &format!("{at}.rs"), &word(at)));
                sound &= accept(store.commit(files(replaced.collect())).await).is_some();
                sound &= accept(store.settle().await).is_some();
                ask_for_everything(&store).await;
                store.close().await;
            }
            None => sound = false,
        }
        noticed += usize::from(!sound);
    }
    assert!(noticed > 48, "of 96 damaged files only {noticed} were noticed");
}

#[tokio::test]
async fn a_truncated_file_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let sound = sound(directory.path()).await;
    // A file of one byte is an empty one for SQLite, and of the last page it takes a part for the whole on opening.
    let cuts = (1..15).map(|part| sound.len() * part / 16).chain([2, 99, 100, 511, 512, 4095, 4096, 4097]);
    for cut in cuts {
        let path = directory.path().join(format!("{cut}.db"));
        for access in [Access::Read, Access::Write] {
            std::fs::write(&path, &sound[..cut]).unwrap();
            let opened = open(&path, access).await;
            let error =
                opened.err().unwrap_or_else(|| panic!("{access:?} of {cut} bytes of {}", sound.len()));
            assert!(
                matches!(error, StoreError::NotADatabase { .. } | StoreError::Corrupt { .. }),
                "{access:?} of {cut} bytes: {error}"
            );
        }
    }
}

#[tokio::test]
async fn values_that_nobody_can_have_written_are_damage() {
    use sqlx::Executor;
    for (statement, ask) in [
        ("UPDATE meta SET value = 'seven' WHERE key = 'generation'", "generation"),
        ("UPDATE meta SET value = '-7' WHERE key = 'generation'", "generation"),
        ("UPDATE meta SET value = 'nobody' WHERE key = 'repository'", "repository"),
        ("DELETE FROM meta WHERE key = 'repository'", "repository"),
        ("UPDATE files SET id = -1 WHERE id = 2", "files"),
        ("UPDATE files SET id = 0 WHERE id = 2", "files"),
        ("UPDATE files SET size = -1 WHERE id = 2", "files"),
        ("UPDATE files SET lines = 4294967296 WHERE id = 2", "files"),
        ("UPDATE files SET syntax_errors = -1 WHERE id = 2", "files"),
        ("UPDATE files SET status = 'lost' WHERE id = 2", "files"),
        ("UPDATE files SET path = '../up.rs' WHERE id = 2", "files"),
        ("UPDATE files SET content_hash = x'00' WHERE id = 2", "files"),
        ("UPDATE files SET symbols = -1 WHERE id = 2; UPDATE files SET symbols = 0 WHERE id = 1", "counts"),
        ("UPDATE name_pages SET data = substr(data, 2)", "symbols"),
        ("DELETE FROM name_pages WHERE id > 0", "symbols"),
        ("UPDATE documents SET content = x'00'", "documents"),
        ("UPDATE documents SET content = substr(content, 1, length(content) - 1)", "documents"),
        // A frame that says that its text is of 4 GiB less one byte.
        ("UPDATE documents SET content = x'28B52FFDA0FFFFFFFF010000'", "documents"),
        ("UPDATE vectors SET kinds = x'0000', codes = x'000000'", "vectors"),
        ("UPDATE vectors SET kinds = x''", "vectors"),
        ("UPDATE vectors SET kinds = x'FFFF', codes = x''", "vectors"),
        // What could have been written, but was not.
        ("UPDATE files SET path = 'c.rs' WHERE id = 2", "files"),
        ("UPDATE files SET path = 'c.rs' WHERE id = 2", "documents"),
        ("UPDATE files SET path = 'c.rs' WHERE id = 2", "paths"),
        ("UPDATE files SET language = 'go' WHERE id = 2", "files"),
        ("UPDATE files SET status = 'timeout' WHERE id = 2", "files"),
        ("UPDATE files SET lines = lines + 1 WHERE id = 2", "files"),
        ("UPDATE files SET detail = 'because' WHERE id = 2", "files"),
        ("UPDATE files SET content_hash = zeroblob(16) WHERE id = 2", "files"),
        (
            "UPDATE documents SET (content, checksum) = (SELECT content, checksum FROM documents WHERE file_id = 1)",
            "documents",
        ),
        ("UPDATE vectors SET kinds = zeroblob(length(kinds))", "vectors"),
        ("UPDATE vectors SET codes = zeroblob(length(codes))", "vectors"),
        ("UPDATE vectors SET file_id = 3 WHERE file_id = 2", "vectors"),
        ("UPDATE signatures SET bits = zeroblob(length(bits)) WHERE file_id = 2", "texts"),
        ("UPDATE signatures SET bits = x''", "texts"),
        ("UPDATE files SET status = 'lost' WHERE id = 2", "texts"),
        ("UPDATE documents SET content = substr(content, 1, length(content) - 1)", "stored"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let store = open(&path, Access::Write).await.unwrap();
        store.commit(files(vec![rust(1, "a.rs", "alpha"), rust(2, "b.rs", "beta")])).await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut connection =
            <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
        connection.execute(statement).await.unwrap();
        let error = match ask {
            "generation" => {
                let commit = store.commit(files(vec![skipped(3, "c.rs", FileStatus::Binary)])).await;
                assert!(matches!(commit, Err(StoreError::Corrupt { .. })), "{statement}: {commit:?}");
                store.generation().await.err()
            }
            "files" => store.files().await.err(),
            "repository" => {
                let commit = store.commit(WriteBatch::default()).await;
                assert!(matches!(commit, Err(StoreError::Corrupt { .. })), "{statement}: {commit:?}");
                open(&path, Access::Read).await.unwrap().repository().err()
            }
            "counts" => store.counts().await.err(),
            "symbols" => store.symbols(&symbols_named("beta")).await.err(),
            "paths" => store.paths(&[id(2)]).await.err(),
            "documents" => store.documents(&[id(2)]).await.err(),
            "stored" => store.stored_documents(&[id(2)]).await.err(),
            "texts" => store.files_with(&TrigramQuery::of_text(b"beta")).await.err(),
            _ => store.vectors(&[id(1), id(2), id(3)]).await.err(),
        };
        assert!(matches!(error, Some(StoreError::Corrupt { .. })), "{statement}: {error:?}");
    }
}
