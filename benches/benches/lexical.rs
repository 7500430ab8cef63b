//! The lexical index over the corpus: how fast terms become segments, segments one, and queries hits.

use anyhow::{Context, Result};
use ast_core_benches::lexical::{File, files, queries};
use ast_core_lexical::{
    Bm25f, FileTerms, Filter, LexicalError, Manifest, Merge, Page, PageCache, PageId, Query, Search, Task,
    Update, run,
};
use ast_core_model::FileId;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

/// As much source as the engine commits at a time.
const COMMIT_BYTES: u64 = 8 << 20;

const RANKING: Bm25f = Bm25f { weights: [8.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };

/// Files of one commit.
type Commit<'f> = Vec<(FileId, &'f File)>;

fn commits(files: &[File]) -> Vec<Commit<'_>> {
    let mut commits = vec![Vec::new()];
    let mut bytes = 0;
    for (file, id) in files.iter().zip((1..).filter_map(FileId::new)) {
        if bytes >= COMMIT_BYTES {
            commits.push(Vec::new());
            bytes = 0;
        }
        bytes += file.bytes;
        commits.last_mut().expect("there is one").push((id, file));
    }
    commits
}

#[derive(Default)]
struct Pages(HashMap<PageId, Vec<u8>>);

impl Pages {
    fn fetch(&self, wanted: &[PageId]) -> Result<Vec<Page>, LexicalError> {
        Ok(wanted.iter().filter_map(|&id| Some(Page { id, data: self.0.get(&id)?.clone() })).collect())
    }

    fn put(&mut self, pages: Vec<Page>) {
        self.0.extend(pages.into_iter().map(|page| (page.id, page.data)));
    }
}

fn counted(commit: &Commit<'_>) -> Result<Vec<(FileId, FileTerms)>> {
    commit.iter().map(|(id, file)| Ok((*id, FileTerms::new(&file.chunks)?))).collect()
}

fn merged(pages: &mut Pages, manifest: Manifest) -> Result<Manifest> {
    let mut merge = Merge::new(manifest, &(0..10_000).collect::<Vec<_>>());
    while !merge.wanted().is_empty() {
        merge.supply(pages.fetch(merge.wanted())?)?;
        let done = merge.take_pages();
        pages.put(done);
    }
    let changes = merge.finish()?;
    pages.put(changes.put);
    Ok(changes.manifest)
}

fn lexical(c: &mut Criterion) {
    measure(c).expect("the corpus, which `cargo xtask corpus` gets");
}

fn measure(c: &mut Criterion) -> Result<()> {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))?;
    let commits = commits(&files);
    let commit = commits.first().context("no source files")?;
    let cache = PageCache::new(0);

    let mut group = c.benchmark_group("lexical");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(commit.iter().map(|(_, file)| file.bytes).sum()));
    group.bench_function("count", |b| b.iter(|| counted(black_box(commit))));
    let terms = counted(commit)?;
    group.bench_function("build", |b| {
        b.iter(|| Update::new(Manifest::default(), Vec::new(), terms.clone(), &cache)?.finish());
    });

    let (mut pages, mut manifest) = (Pages::default(), Manifest::default());
    for commit in &commits {
        let changes = Update::new(manifest, Vec::new(), counted(commit)?, &cache)?.finish()?;
        pages.put(changes.put);
        manifest = changes.manifest;
    }
    group.throughput(Throughput::Bytes(files.iter().map(|file| file.bytes).sum()));
    group.bench_function("merge", |b| {
        b.iter_batched(
            || (Pages(pages.0.clone()), manifest.clone()),
            |(mut pages, manifest)| merged(&mut pages, manifest),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();

    let cache = PageCache::new(256 << 20);
    let mut group = c.benchmark_group("lexical_search");
    for kind in queries(&files, 200) {
        let mut terms = kind.terms.iter().cycle();
        group.bench_function(kind.name, |b| {
            b.iter(|| {
                let terms: Vec<&str> = terms.next().into_iter().flatten().map(String::as_str).collect();
                let query = Query { terms: &terms, ranking: RANKING, limit: 200 };
                run(Search::new(&manifest, &query, Filter::All, &cache)?, |wanted| pages.fetch(wanted))
            });
        });
    }
    group.finish();
    Ok(())
}

criterion_group!(benches, lexical);
criterion_main!(benches);
