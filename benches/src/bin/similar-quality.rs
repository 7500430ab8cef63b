//! How well code finds the code that it was made from: `similar-quality CORPUS TRANSLATIONS CACHE [OPTIONS]`.
//!
//! Indexes the corpus and the translations as one tree below CACHE, or brings its index up. Functions of six languages, drawn
//! from the corpus, are rewritten by program, and each is looked for by the text of its rewriting alone: right is the function
//! itself, and what holds the same text. TRANSLATIONS is a folder of functions that do the same in several languages, with a
//! file `groups.txt` that names those of each group in a line: each is looked for by the place of the others. Prints MRR@10,
//! R@1 and R@10 by what was done to the function, by each part of likeness alone, among all that was compared, and by their sum;
//! and how long it takes to look for the like of a place.
//!
//! - `--each N`: functions of each language. Default: 60.
//! - `--set NAME=VALUE`: a weight, `containment` or `gram` of [`LikenessWeights`].
//! - `--weights`: also the weights of the parts that would be best, and those that would be without each language.
//! - `--list`: also each query whose answer did not come first.
//! - `--results FOLDER`: writes `report.md` to a folder below this, of the day and id of the last commit.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::similar::{
    Case, Function, Tables, Transformation, best_weights, functions, names, plant, transformed,
};
use ast_core_benches::stats::Times;
use ast_core_engine::{
    Access, Engine, EngineConfig, IndexControl, IndexOptions, Language, LikenessWeights, SearchHit,
    SimilarQuery, SqliteStore, StoreConfig,
};
use ast_core_storage::Store;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// All that is compared.
const LIMIT: usize = 200;

const LANGUAGES: [&str; 6] = ["cpp", "java", "javascript", "python", "rust", "typescript"];

/// The folders of the tree.
const CORPUS: &str = "corpus/";
const TRANSLATIONS: &str = "translations";

/// Times that the like of each function is looked for by its place.
const ROUNDS: usize = 3;

struct Options {
    corpus: PathBuf,
    translations: PathBuf,
    cache: PathBuf,
    each: usize,
    weights: LikenessWeights,
    finds_weights: bool,
    lists: bool,
    results: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    let tree = options.cache.join("tree");
    plant(&tree, &[("corpus", &options.corpus), (TRANSLATIONS, &options.translations)])?;
    let config =
        EngineConfig { likeness: options.weights, ..EngineConfig::new(options.cache.join("index.db")) };
    let engine = Engine::open(config.clone()).await?;
    let report = engine.index(&tree, &IndexOptions::default(), IndexControl::default()).await?;
    println!("{} chunks new in {:.1} s", report.chunks, report.elapsed.as_secs_f64());
    let chunks = engine.status().await?.chunks;
    let store = SqliteStore::open(&config.database, Access::Read, &StoreConfig::default()).await?;
    let drawn = functions(&store, CORPUS, &LANGUAGES, options.each).await?;
    ensure!(!drawn.is_empty(), "no functions in the corpus");

    let mut cases = Vec::new();
    for function in &drawn {
        let of_file = names(&function.text, &function.span, function.language)?;
        let known = function.defined_elsewhere(&store, of_file).await?;
        for transformation in Transformation::ALL {
            let Function { text, span, language, .. } = function;
            if let Some(code) = transformed(text, span, *language, transformation, &known)? {
                cases.push(look_for(&engine, &options, function, transformation, &code).await?);
            }
        }
    }
    cases.extend(translations(&engine, &options).await?);
    let version = version()?;
    let title = format!("Similar code, {version}: {} functions among {chunks} chunks", drawn.len());
    let mut text = Tables::new(title, &cases, &options.weights).markdown();
    if options.finds_weights {
        println!("{}", best_weights(&cases, &options.weights));
    }
    let mut times = Times::default();
    for round in 0..=ROUNDS {
        for function in &drawn {
            let reply = engine.similar(&SimilarQuery::of_place(&function.path, function.line)).await?;
            // The first round reads what the next ones have in memory.
            if round > 0 {
                times.add(reply.took);
            }
        }
    }
    text.push_str(&format!("\n{}\n", times.line("the like of a place")));
    println!("{text}");
    if let Some(results) = &options.results {
        let folder = results.join(version);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("report.md"), text)?;
    }
    Arc::new(store).close().await;
    engine.close().await;
    Ok(())
}

fn options() -> Result<Options> {
    let (mut arguments, mut each, mut results) = (Vec::new(), 60, None);
    let (mut finds_weights, mut lists) = (false, false);
    let mut weights = LikenessWeights::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--each" => each = args.next().context("--each N")?.parse()?,
            "--set" => set(&mut weights, &args.next().context("--set NAME=VALUE")?)?,
            "--weights" => finds_weights = true,
            "--list" => lists = true,
            "--results" => results = Some(PathBuf::from(args.next().context("--results FOLDER")?)),
            _ => arguments.push(PathBuf::from(arg)),
        }
    }
    let Ok([corpus, translations, cache]) = <[PathBuf; 3]>::try_from(arguments) else {
        anyhow::bail!(
            "usage: similar-quality CORPUS TRANSLATIONS CACHE [--each N] [--set NAME=VALUE]... [--weights] [--list] \
             [--results FOLDER]"
        );
    };
    Ok(Options { corpus, translations, cache, each, weights, finds_weights, lists, results })
}

fn set(weights: &mut LikenessWeights, text: &str) -> Result<()> {
    let (name, value) = text.split_once('=').context("--set NAME=VALUE")?;
    let value: f64 = value.parse().with_context(|| text.to_owned())?;
    match name {
        "meaning" => weights.meaning = value,
        "shape" => weights.shape = value,
        "words" => weights.words = value,
        "containment" => weights.containment = value,
        "gram" => weights.gram = value as usize,
        _ => anyhow::bail!("no weight is {name:?}; there are meaning, shape, words, containment and gram"),
    }
    Ok(())
}

/// The day and the id of the last commit.
fn version() -> Result<String> {
    let output =
        Command::new("git").args(["show", "-s", "--format=%cs-%h", "--abbrev=9", "HEAD"]).output()?;
    ensure!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Without white space.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

async fn look_for(
    engine: &Engine,
    options: &Options,
    function: &Function,
    transformation: Transformation,
    code: &str,
) -> Result<Case> {
    let query = SimilarQuery { limit: LIMIT, ..SimilarQuery::of_code(code, Some(function.language)) };
    let hits = engine.similar(&query).await?.hits;
    let whole = dense(function.code());
    let is_right = |hit: &SearchHit| dense(&hit.snippet).contains(&whole);
    if options.lists && !hits.first().is_some_and(is_right) {
        let place = format!("{}:{}", function.path, function.line);
        list(&place, transformation.as_str(), &hits, is_right);
    }
    Ok(Case {
        change: transformation.as_str(),
        language: function.language.to_string(),
        compared: compared(&hits, is_right),
        // It is enough to find one of several that are the same.
        right: 1,
    })
}

async fn translations(engine: &Engine, options: &Options) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let groups = std::fs::read_to_string(options.translations.join("groups.txt"))?;
    for group in groups.lines() {
        let files: Vec<String> = group.split(' ').map(|file| format!("{TRANSLATIONS}/{file}")).collect();
        for file in &files {
            let text = std::fs::read_to_string(options.translations.join(relative(file)))?;
            // The function is the larger part of its file.
            let line = text.lines().count() as u32 / 2 + 2;
            let query = SimilarQuery { limit: LIMIT, ..SimilarQuery::of_place(file, line) };
            let hits = engine.similar(&query).await?.hits;
            let is_right = |hit: &SearchHit| files.iter().any(|file| file == hit.path.as_str());
            if options.lists && !hits.first().is_some_and(is_right) {
                list(file, "translation", &hits, is_right);
            }
            let name = Path::new(file).file_name().and_then(|name| name.to_str()).context("a name")?;
            let language = Language::of_path(&ast_core_engine::RepoPath::new(name)?).context("a language")?;
            cases.push(Case {
                change: "translated or rewritten by hand",
                language: language.to_string(),
                compared: compared(&hits, is_right),
                right: files.len() - 1,
            });
        }
    }
    Ok(cases)
}

fn relative(file: &str) -> &str {
    file.split_once('/').map_or(file, |(_, file)| file)
}

fn compared(
    hits: &[SearchHit],
    is_right: impl Fn(&SearchHit) -> bool,
) -> Vec<(ast_core_engine::Likeness, bool)> {
    hits.iter().filter_map(|hit| Some((hit.why.likeness?, is_right(hit)))).collect()
}

/// Prints what came instead of what was looked for.
fn list(place: &str, change: &str, hits: &[SearchHit], is_right: impl Fn(&SearchHit) -> bool) {
    let rank = hits.iter().position(is_right);
    println!("{change}: {place} is at {rank:?}");
    for hit in hits.iter().take(1).chain(rank.map(|rank| &hits[rank])) {
        let parts = hit.why.likeness.map(|likeness| {
            [likeness.meaning.unwrap_or(0.0), likeness.shape, likeness.words]
                .map(|part| format!("{part:.2}"))
                .join(" ")
        });
        println!("  {:.3} {} {}:{}", hit.score, parts.unwrap_or_default(), hit.path, hit.lines.start);
    }
}
