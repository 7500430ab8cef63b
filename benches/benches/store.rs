//! Look-ups in the store of the corpus, through the trait and the pool of connections: how long one takes.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result};
use ast_core_engine::{
    Access, Engine, EngineConfig, IndexControl, IndexOptions, SqliteStore, Store, StoreConfig,
};
use ast_core_model::FileId;
use ast_core_storage::{NameMatch, StoreFuture, SymbolQuery};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

/// Look-ups of which the median is told.
const TIMED: usize = 4_000;

/// What is looked up: some files, and a name that each is the only one to define.
struct Wanted {
    files: Vec<FileId>,
    names: Vec<String>,
}

type Lookup = for<'a> fn(&'a dyn Store, &'a Wanted, usize) -> StoreFuture<'a, usize>;

const LOOKUPS: [(&str, Lookup); 6] = [
    ("generation", |store, _, _| Box::pin(async move { Ok(store.generation().await? as usize) })),
    ("meta", |store, _, _| {
        Box::pin(async move { Ok(store.meta("root").await?.map_or(0, |root| root.len())) })
    }),
    ("file by id", |store, wanted, at| {
        Box::pin(async move { Ok(store.paths(&wanted.files[at..=at]).await?.len()) })
    }),
    ("document", |store, wanted, at| {
        Box::pin(async move { Ok(store.documents(&wanted.files[at..=at]).await?.len()) })
    }),
    ("files by name", |store, wanted, at| {
        Box::pin(async move { Ok(store.files_naming(&wanted.names[at], NameMatch::Exact).await?.len()) })
    }),
    ("symbol by name", |store, wanted, at| {
        Box::pin(async move {
            let query = SymbolQuery { limit: 1, ..SymbolQuery::exact(&*wanted.names[at]) };
            Ok(store.symbols(&query).await?.len())
        })
    }),
];

async fn wanted(store: &dyn Store) -> Result<Wanted> {
    let files = store.searchable_files().await?;
    let mut wanted = Wanted { files: Vec::new(), names: Vec::new() };
    for (file, ..) in files.iter().step_by(7) {
        let documents = store.documents(&[*file]).await?;
        for symbol in documents.iter().flat_map(|(_, document)| document.symbols.iter().take(8)) {
            let naming = store.files_naming(&symbol.name, NameMatch::Exact).await?;
            if naming.iter().filter(|naming| naming.defines).count() == 1 {
                wanted.files.push(*file);
                wanted.names.push(symbol.name.to_string());
                break;
            }
        }
    }
    Ok(wanted)
}

/// An index of the corpus, open for reading.
async fn store(database: &Path) -> Result<Arc<dyn Store>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let engine = Engine::open(EngineConfig::new(database)).await?;
    engine.index(&corpus, &IndexOptions::default(), IndexControl::default()).await?;
    engine.close().await;
    Ok(Arc::new(SqliteStore::open(database, Access::Read, &StoreConfig::default()).await?))
}

/// The median and the 99th percentile, in microseconds.
async fn percentiles(store: &dyn Store, wanted: &Wanted, lookup: Lookup) -> Result<(f64, f64)> {
    let mut times = Vec::with_capacity(TIMED);
    for round in 0..TIMED {
        // A step that has no factor in common with most counts goes through all of them.
        let at = (round * 997) % wanted.files.len();
        let begin = Instant::now();
        black_box(lookup(store, wanted, at).await?);
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[TIMED / 2], times[TIMED * 99 / 100]))
}

fn lookups(c: &mut Criterion) {
    measure(c).expect("the corpus, which `cargo xtask corpus` gets");
}

fn measure(c: &mut Criterion) -> Result<()> {
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("ast-core-store-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = runtime.block_on(async {
        let store = store(&folder.join("index.db")).await?;
        let wanted = wanted(&*store).await?;
        anyhow::ensure!(!wanted.files.is_empty(), "no source files");
        for (name, lookup) in LOOKUPS {
            let (median, late) = percentiles(&*store, &wanted, lookup).await?;
            println!("{name}: p50 {median:.1} us, p99 {late:.1} us");
        }
        anyhow::Ok((store, wanted))
    });
    let (store, wanted) = measured.context("the store of the corpus")?;
    let mut group = c.benchmark_group("store");
    for (name, lookup) in LOOKUPS {
        let mut places = (0..wanted.files.len()).cycle();
        group.bench_function(name, |b| {
            b.iter(|| runtime.block_on(lookup(&*store, &wanted, places.next().unwrap_or(0))));
        });
    }
    group.finish();
    runtime.block_on(store.close());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

criterion_group!(benches, lookups);
criterion_main!(benches);
