//! Hot parts of the engine on fixed inputs, to have their instructions counted: `kernel-instructions list`, which names
//! them, and `kernel-instructions KERNEL TIMES`. `cargo xtask bench instructions` runs it under Valgrind.
//!
//! What does not belong to a kernel is done once, so that it goes away in the difference between two numbers of times.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, bail};
use ast_core_benches::lexical;
use ast_core_lexical::{
    Bm25f, FileTerms, Filter, LexicalError, Manifest, Page, PageCache, PageId, Query, Search, Task, Update,
    run,
};
use ast_core_model::terms::TermSplitter;
use ast_core_model::{FileId, RepoPath};
use ast_core_parse::{Language, Parser};
use ast_core_search::fuse;
use ast_core_vector::{FlatIndex, Hnsw, HnswConfig, Metric, SearchOptions, Storage, VectorIndex};
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

/// A fixture of each language that is counted.
const SOURCES: &[(&str, &str)] = &[
    ("shapes.rs", include_str!("../../../crates/ast-core-parse/src/languages/rust/fixtures/shapes.rs")),
    (
        "service.ts",
        include_str!("../../../crates/ast-core-parse/src/languages/typescript/fixtures/service.ts"),
    ),
    ("app.js", include_str!("../../../crates/ast-core-parse/src/languages/javascript/fixtures/app.js")),
    ("models.py", include_str!("../../../crates/ast-core-parse/src/languages/python/fixtures/models.py")),
    ("Cache.java", include_str!("../../../crates/ast-core-parse/src/languages/java/fixtures/Cache.java")),
    ("service.cpp", include_str!("../../../crates/ast-core-parse/src/languages/cpp/fixtures/service.cpp")),
];
/// How often a fixture is in the text that is parsed: files of the size of a screen are mostly set-up.
const COPIES: usize = 8;

/// The shape of the vectors; all of them are less than what is scanned by several threads.
const VECTORS: usize = 1000;
const DIMENSION: usize = 256;
/// As many searches are one run of a kernel: tables with random seeds make set-up differ by tens of thousands of
/// instructions from one start to the next, which must not be a part of the count that anybody sees.
const SEARCHES: usize = 300;
/// The same of fusing.
const FUSIONS: usize = 50;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let kernel = arguments.next().context("usage: kernel-instructions list | KERNEL TIMES")?;
    if kernel == "list" {
        for (file, _) in SOURCES {
            println!("parse {file}");
        }
        for name in ["split terms", "scan floats", "scan codes", "walk graph", "search words", "fuse"] {
            println!("{name}");
        }
        return Ok(());
    }
    let times: usize = arguments.next().context("how many times?")?.parse()?;
    match kernel.as_str() {
        "split terms" => split_terms(times),
        "scan floats" => scan(Storage::Float, times)?,
        "scan codes" => scan(Storage::Code, times)?,
        "walk graph" => walk_graph(times)?,
        "search words" => search_words(times)?,
        "fuse" => fuse_both(times),
        _ => {
            let name = kernel.strip_prefix("parse ");
            let source = name.and_then(|name| SOURCES.iter().find(|(file, _)| *file == name));
            let Some((file, text)) = source else { bail!("there is no kernel {kernel:?}") };
            parse(file, &text.repeat(COPIES), times)?;
        }
    }
    Ok(())
}

fn parse(file: &str, text: &str, times: usize) -> Result<()> {
    let language = Language::of_path(&RepoPath::new(file)?).context("a fixture has a language")?;
    let mut parser = Parser::default();
    for _ in 0..times {
        let parsed = parser.parse(black_box(text.as_bytes()), language)?;
        anyhow::ensure!(!parsed.symbols.is_empty(), "{file} has no symbols");
    }
    Ok(())
}

fn split_terms(times: usize) {
    let mut splitter = TermSplitter::default();
    let mut letters = 0;
    for _ in 0..times {
        for (_, text) in SOURCES {
            splitter.split(black_box(text), |term| letters += term.text.len());
        }
    }
    black_box(letters);
}

/// Values in `-1.0..1.0` from SplitMix64.
fn values(count: usize, mut seed: u64) -> Vec<f32> {
    let next = || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn filled<I: VectorIndex>(mut index: I) -> Result<I> {
    for (key, vector) in (0..).zip(values(VECTORS * DIMENSION, 2).chunks(DIMENSION)) {
        index.insert(key, vector)?;
    }
    Ok(index)
}

fn search(index: &impl VectorIndex, times: usize) -> Result<()> {
    let query = values(DIMENSION, 1);
    for _ in 0..times * SEARCHES {
        black_box(index.search(black_box(&query), &SearchOptions::new(10))?);
    }
    Ok(())
}

fn scan(storage: Storage, times: usize) -> Result<()> {
    search(&filled(FlatIndex::with_storage(DIMENSION, Metric::Cosine, storage)?)?, times)
}

fn walk_graph(times: usize) -> Result<()> {
    search(&filled(Hnsw::new(DIMENSION, Metric::Cosine, HnswConfig::default())?)?, times)
}

fn search_words(times: usize) -> Result<()> {
    let files = lexical::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/repos"))?;
    let cache = PageCache::new(16 << 20);
    let counted = files.iter().zip((1..).filter_map(FileId::new));
    let counted = counted.map(|(file, id)| Ok((id, FileTerms::new(&file.chunks)?)));
    let changes = Update::new(Manifest::default(), Vec::new(), counted.collect::<Result<Vec<_>>>()?, &cache)?
        .finish()?;
    let pages: HashMap<PageId, Vec<u8>> = changes.put.into_iter().map(|page| (page.id, page.data)).collect();
    let fetch = |wanted: &[PageId]| -> Result<Vec<Page>, LexicalError> {
        Ok(wanted.iter().filter_map(|&id| Some(Page { id, data: pages.get(&id)?.clone() })).collect())
    };
    let ranking = Bm25f { weights: [8.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };
    let queries = lexical::queries(&files, 20);
    for _ in 0..times {
        for terms in queries.iter().flat_map(|kind| &kind.terms) {
            let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
            let query = Query { terms: &terms, ranking, limit: 200 };
            black_box(run(Search::new(&changes.manifest, &query, Filter::All, &cache)?, fetch)?);
        }
    }
    Ok(())
}

fn fuse_both(times: usize) {
    let found = |seed: u64| -> Vec<(u64, f64)> {
        let scores = values(200, seed).into_iter().map(f64::from);
        (0..).map(|id: u64| id * seed % 331).zip(scores).collect()
    };
    let (words, meaning) = (found(3), found(7));
    for _ in 0..times * FUSIONS {
        black_box(fuse(black_box(Some(&words)), black_box(Some(&meaning)), 0.5));
    }
}
