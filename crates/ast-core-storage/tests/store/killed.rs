//! A writer that is killed loses nothing that it was told is kept, and leaves nothing half done.

use crate::process::{Player, command, part, say};
use crate::sample::{Again, EVEN, files, id, open, rust, skipped_record};
use crate::tables::{quick_check, row_counts, rows};
use ast_core_storage::{
    Access, ChunkFilter, FileRecord, FileStatus, IndexedFile, NameMatch, SqliteStore, Store, SymbolQuery,
    WriteBatch,
};
use std::path::Path;
use std::time::Duration;

const FILES: u64 = 12;

/// What a generation brings: some files of its own, and new versions of those that every generation has; a file of
/// the generation before goes.
fn batch(generation: u64) -> WriteBatch {
    let first = generation * 2 * FILES;
    let own = (0..FILES).map(|at| rust(first + at, &format!("own/{generation}/{at}.rs"), "own"));
    let shared = (0..FILES).map(|at| rust(first + FILES + at, &format!("shared/{at}.rs"), "shared"));
    let mut batch = files(own.chain(shared).collect());
    batch.removed.extend((generation > 1).then(|| id(first - 2 * FILES)));
    batch
}

fn rows_of(files: &[IndexedFile]) -> [i64; 3] {
    let count = |count: fn(&IndexedFile) -> usize| files.iter().map(count).sum::<usize>() as i64;
    [files.len() as i64, count(IndexedFile::symbols), count(IndexedFile::chunks)]
}

/// Commits generation after generation, and says so after each.
#[tokio::main(flavor = "current_thread")]
async fn write_for_ever(path: &Path) {
    let store = open(path, Access::Write).await.unwrap();
    say("open");
    for generation in store.generation().await.unwrap() + 1.. {
        assert_eq!(store.commit(batch(generation)).await.unwrap().generation, generation);
        say(&generation.to_string());
    }
}

async fn check(store: &SqliteStore, acknowledged: u64) {
    let generation = store.generation().await.unwrap();
    // The last one may have been done, and the process killed before it could say so.
    assert!((acknowledged..=acknowledged + 1).contains(&generation), "{generation} of {acknowledged}");
    assert_eq!(quick_check(store.path()).await, [["'ok'"]]);
    let batch = batch(1);
    let [_, symbols, chunks] = rows_of(&batch.files[..1]);
    let own = generation * FILES - generation.saturating_sub(1);
    let expected = if generation == 0 { 0 } else { (own + FILES) as i64 };
    let mut counts = row_counts(store.path()).await;
    counts.insert("kinds", store.counts().await.unwrap().chunks as i64);
    let found = store.lexical_search(&["count"], EVEN, ChunkFilter::All, usize::MAX).await.unwrap();
    assert_eq!(found.len() as i64, counts["kinds"], "each chunk is found once");
    let of_file = [("files", 1), ("documents", 1), ("vectors", 1), ("signatures", 1), ("kinds", chunks)];
    for (table, a_file) in of_file {
        assert_eq!(counts[table], expected * a_file, "{table} in generation {generation}");
    }
    let every = SymbolQuery { matching: NameMatch::Prefix, ..SymbolQuery::exact("") };
    assert_eq!(store.symbols(&every).await.unwrap().len() as i64, expected * symbols);
    assert_eq!(store.verify(Box::new(Again)).await.unwrap().findings, []);
    let generations =
        rows(store.path(), "SELECT DISTINCT generation FROM files WHERE path GLOB 'shared/*'").await;
    assert_eq!(generations.len(), usize::from(generation > 0), "{generations:?}");
}

#[test]
fn acknowledged_generations_survive() {
    if let Some(path) = part() {
        return write_for_ever(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut acknowledged = 0;
    for round in 0..12_u32 {
        let mut writer = Player::start(command("killed::acknowledged_generations_survive", &path));
        assert_eq!(writer.hear().as_deref(), Some("open"));
        for _ in 0..round % 4 {
            acknowledged = writer.hear().unwrap().parse().unwrap();
        }
        // To hit it elsewhere each time.
        std::thread::sleep(Duration::from_micros(613) * round);
        for line in writer.kill() {
            acknowledged = line.parse().unwrap();
        }
        runtime.block_on(async {
            // First as a reader finds it, who has to cope with what the writer left.
            let store = open(&path, Access::Read).await.unwrap();
            check(&store, acknowledged).await;
            store.close().await;
            let store = open(&path, Access::Write).await.unwrap();
            check(&store, acknowledged).await;
            acknowledged = store.generation().await.unwrap();
            store.close().await;
        });
    }
    assert!(acknowledged > 12, "only {acknowledged} commits were tried");
}

#[test]
fn a_store_is_made_wholly_or_not_at_all() {
    if let Some(path) = part() {
        return write_for_ever(&path);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..12_u32 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        let mut writer = Player::start(command("killed::a_store_is_made_wholly_or_not_at_all", &path));
        while !path.exists() {
            assert!(writer.is_running());
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(211) * round);
        writer.kill();
        runtime.block_on(async {
            let store = open(&path, Access::Write).await.unwrap();
            let record = skipped_record(1 << 40, "after.bin", FileStatus::Binary);
            let file = IndexedFile::left_out(FileRecord { lines: round, ..record });
            store.commit(files(vec![file])).await.unwrap();
            assert!(!store.files().await.unwrap().is_empty());
            assert_eq!(quick_check(&path).await, [["'ok'"]]);
            store.close().await;
        });
    }
}
