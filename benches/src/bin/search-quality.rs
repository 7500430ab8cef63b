//! How well search finds the files that answer questions: `search-quality QUESTIONS CORPUS CACHE [OPTIONS]`.
//!
//! Indexes each package that is asked about, or brings its index below CACHE up, asks every question in several ways, and
//! prints NDCG@10, MRR@10 and R@10 over files, by language and by kind of question. A file ranks where the first of its chunks
//! does. The ways are counting words in files, the full text search of SQLite over the same chunks, words and meaning alone
//! and both without rules, and both with rules, which is what the engine does.
//!
//! - `--list`: also each question that was not answered first, with what came instead.
//! - `--set NAME=WEIGHT`: another weight of a rule, or of the meaning of a kind of query: `test=0.5`, `sentence=0.7`.
//! - `--ablate`: instead of the tables, what is lost without each rule.
//! - `--embedder NAME`: `builtin`, `hash`, or, built with the feature `minilm`, `minilm:FOLDER`. Give each a CACHE of its own.
//! - `--rerank NAME[=SHARE]`: also puts the first fifty hits in order anew by such an embedder.
//! - `--results FOLDER`: writes `report.md` and `results.json` to a folder below this, of the day and id of the last commit.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::quality::baseline::Baseline;
use ast_core_benches::quality::{Method, Outcome, Question, Report, read_questions};
use ast_core_engine::{
    Embedder, Engine, EngineConfig, FeatureHashEmbedder, IndexControl, IndexOptions, QueryKind,
    RankingWeights, RerankConfig, Rule, SearchMode, SearchQuery, StaticEmbedder,
};
use ast_core_search::ParsedQuery;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Chunks that are asked for.
const LIMIT: usize = 200;

struct Options {
    questions: Vec<Question>,
    corpus: PathBuf,
    cache: PathBuf,
    lists: bool,
    ablates: bool,
    weights: RankingWeights,
    makers: Makers,
    results: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    std::fs::create_dir_all(&options.cache)?;
    if options.ablates {
        return ablate(&options).await;
    }
    let mut methods = baselines(&options).await?;
    let bare = Rule::all().fold(options.weights.clone(), RankingWeights::without);
    for (name, mode) in [
        ("words", SearchMode::Lexical),
        ("meaning", SearchMode::Semantic),
        ("both, no rules", SearchMode::Hybrid),
    ] {
        methods.push(ask_all(&options, name, mode, &bare, false, false).await?);
    }
    let (hybrid, weights, lists) = (SearchMode::Hybrid, &options.weights, options.lists);
    methods.push(ask_all(&options, "both", hybrid, weights, lists, false).await?);
    if options.makers.reranking.is_some() {
        methods.push(ask_all(&options, "both, reranked", hybrid, weights, lists, true).await?);
    }
    let looks: Vec<QueryKind> = options
        .questions
        .iter()
        .map(|question| Ok(ParsedQuery::parse(&question.query)?.kind))
        .collect::<Result<_>>()?;
    let version = version()?;
    let report = Report::new(format!("Search quality, {version}"), &options.questions, &looks, methods);
    println!("{}", report.markdown());
    if let Some(results) = &options.results {
        let folder = results.join(version);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("report.md"), report.markdown())?;
        std::fs::write(folder.join("results.json"), serde_json::to_string_pretty(&report.json())?)?;
    }
    Ok(())
}

fn options() -> Result<Options> {
    let mut arguments = Vec::new();
    let (mut lists, mut ablates, mut results) = (false, false, None);
    let mut weights = RankingWeights::default();
    let mut makers = Makers { embedder: Arc::new(StaticEmbedder::default()), reranking: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => lists = true,
            "--ablate" => ablates = true,
            "--set" => weights = with_weight(weights, &args.next().context("--set NAME=WEIGHT")?)?,
            "--embedder" => makers.embedder = embedder(&args.next().context("--embedder NAME")?)?,
            "--rerank" => makers.reranking = Some(reranking(&args.next().context("--rerank NAME")?)?),
            "--results" => results = Some(PathBuf::from(args.next().context("--results FOLDER")?)),
            _ => arguments.push(arg),
        }
    }
    let [questions, corpus, cache] = &arguments[..] else {
        anyhow::bail!(
            "usage: search-quality QUESTIONS CORPUS CACHE [--list] [--ablate] [--set NAME=WEIGHT]... \
             [--embedder NAME] [--rerank NAME[=SHARE]] [--results FOLDER]"
        );
    };
    let questions = read_questions(Path::new(questions))?;
    let (corpus, cache) = (PathBuf::from(corpus), PathBuf::from(cache));
    Ok(Options { questions, corpus, cache, lists, ablates, weights, makers, results })
}

/// What makes vectors.
struct Makers {
    embedder: Arc<dyn Embedder>,
    reranking: Option<RerankConfig>,
}

fn embedder(name: &str) -> Result<Arc<dyn Embedder>> {
    match name.split_once(':') {
        None if name == "builtin" => Ok(Arc::new(StaticEmbedder::default())),
        None if name == "hash" => Ok(Arc::new(FeatureHashEmbedder::default())),
        #[cfg(feature = "minilm")]
        Some(("minilm", folder)) => {
            let config = ast_core_engine::MiniLmConfig::new(folder);
            Ok(Arc::new(ast_core_engine::MiniLmEmbedder::open(&config)?))
        }
        _ => anyhow::bail!("no embedder is {name:?}; or this was built without the feature `minilm`"),
    }
}

fn reranking(text: &str) -> Result<RerankConfig> {
    let (name, share) = text.split_once('=').map_or((text, None), |(name, share)| (name, Some(share)));
    let mut reranking = RerankConfig::new(embedder(name)?);
    if let Some(share) = share {
        reranking.share = share.parse().with_context(|| text.to_owned())?;
    }
    Ok(reranking)
}

fn with_weight(weights: RankingWeights, set: &str) -> Result<RankingWeights> {
    let (name, weight) = set.split_once('=').context("--set NAME=WEIGHT")?;
    let weight: f64 = weight.parse().with_context(|| set.to_owned())?;
    if let Some(rule) = Rule::all().find(|rule| rule.as_str() == name) {
        return Ok(weights.with(rule, weight));
    }
    let kind = QueryKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    Ok(weights
        .with_meaning(kind.with_context(|| format!("no rule and no kind of query is {name:?}"))?, weight))
}

/// The day and the id of the last commit.
fn version() -> Result<String> {
    let output =
        Command::new("git").args(["show", "-s", "--format=%cs-%h", "--abbrev=9", "HEAD"]).output()?;
    ensure!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Options {
    /// The questions by their package, with their numbers.
    fn packages(&self) -> BTreeMap<String, Vec<(usize, &Question)>> {
        let mut packages: BTreeMap<String, Vec<(usize, &Question)>> = BTreeMap::new();
        for (number, question) in self.questions.iter().enumerate() {
            let name = format!("{}/{}-{}", question.language, question.package, question.version);
            packages.entry(name).or_default().push((number, question));
        }
        packages
    }

    fn database(&self, package: &str) -> PathBuf {
        self.cache.join(format!("{}.db", package.replace('/', "-")))
    }
}

/// What came of the questions, with their numbers, in the order in which they were asked.
type Answers = Vec<(usize, Outcome)>;

fn method(name: &'static str, mut answers: Answers) -> Method {
    answers.sort_unstable_by_key(|(number, _)| *number);
    Method { name, outcomes: answers.into_iter().map(|(_, outcome)| outcome).collect() }
}

/// Asks everything by the engine.
async fn ask_all(
    options: &Options,
    name: &'static str,
    mode: SearchMode,
    weights: &RankingWeights,
    lists: bool,
    rerank: bool,
) -> Result<Method> {
    let mut answers = Answers::new();
    for (package, questions) in options.packages() {
        let engine = open(options, &package, weights).await?;
        for (number, question) in questions {
            let query = SearchQuery { mode, limit: LIMIT, rerank, ..SearchQuery::new(&question.query) };
            let reply = engine.search(&query).await?;
            let found: Vec<&str> = reply.hits.iter().map(|hit| hit.path.as_str()).collect();
            if lists {
                list(question, &found);
            }
            answers.push((number, Outcome::of(&found, &question.files)));
        }
        engine.close().await;
    }
    Ok(method(name, answers))
}

/// The engine of a package, its index brought up.
async fn open(options: &Options, package: &str, weights: &RankingWeights) -> Result<Engine> {
    let root = options.corpus.join(package);
    let Makers { embedder, reranking } = &options.makers;
    let config = EngineConfig {
        ranking: weights.clone(),
        embedder: embedder.clone(),
        reranking: reranking.clone(),
        ..EngineConfig::new(options.database(package))
    };
    let engine = Engine::open(config).await?;
    let report = engine.index(&root, &IndexOptions::default(), IndexControl::default()).await?;
    if report.chunks > 0 {
        println!("{package}: {} chunks in {:.1} s", report.chunks, report.elapsed.as_secs_f64());
    }
    Ok(engine)
}

/// Asks everything by other means than the engine's. Makes the indexes where they are missing.
async fn baselines(options: &Options) -> Result<Vec<Method>> {
    let (mut counted, mut full_text) = (Answers::new(), Answers::new());
    for (package, questions) in options.packages() {
        open(options, &package, &options.weights).await?.close().await;
        let baseline = Baseline::open(&options.database(&package)).await?;
        for (number, question) in questions {
            for file in &question.files {
                let path = options.corpus.join(&package).join(file);
                ensure!(path.is_file(), "{package}: {:?}: no file {file}", question.query);
            }
            let found = baseline.by_count(&question.query, LIMIT);
            counted.push((number, Outcome::of(&found, &question.files)));
            let found = baseline.by_full_text(&question.query, LIMIT)?;
            full_text.push((number, Outcome::of(&found, &question.files)));
        }
    }
    Ok(vec![method("counted words", counted), method("FTS5", full_text)])
}

/// Prints a question that was not answered first.
fn list(question: &Question, found: &[&str]) {
    let mut files: Vec<&str> = Vec::new();
    for file in found {
        if !files.contains(file) {
            files.push(file);
        }
    }
    let is_right = |file: &&str| question.files.iter().any(|right| right == file);
    let rank = files.iter().position(is_right);
    if rank != Some(0) {
        println!("{} {:?}: {:?}", question.package, question.kind, question.query);
        println!("  right: {:?}, at {rank:?}; came: {:?}", question.files, &files[..files.len().min(4)]);
    }
}

/// Prints what is lost without each rule.
async fn ablate(options: &Options) -> Result<()> {
    let without = |rule: Rule| (format!("without {}", rule.as_str()), options.weights.clone().without(rule));
    let runs =
        std::iter::once(("all rules".to_owned(), options.weights.clone())).chain(Rule::all().map(without));
    for (name, weights) in runs {
        print!("{name:<24}");
        for mode in [SearchMode::Lexical, SearchMode::Semantic, SearchMode::Hybrid] {
            let asked = ask_all(options, mode.as_str(), mode, &weights, false, false).await?;
            let sum: f64 = asked.outcomes.iter().map(|outcome| outcome.0[0]).sum();
            print!("  {} {:.4}", mode.as_str(), sum / asked.outcomes.len().max(1) as f64);
        }
        println!();
    }
    Ok(())
}
