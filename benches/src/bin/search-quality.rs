//! How well search finds the files that answer questions: `search-quality QUESTIONS CORPUS CACHE [OPTIONS]`.
//!
//! Indexes each package that is asked about, or brings its index below CACHE up, asks every question by words, by vectors
//! and by both, and prints NDCG@10, MRR@10 and R@10 over files, by language and by kind of question. A file ranks where the
//! first of its chunks does.
//!
//! - `--list`: also each question that was not answered first by both, with what came instead.
//! - `--set NAME=WEIGHT`: another weight of a rule, or of the meaning of a kind of query: `test=0.5`, `sentence=0.7`.
//! - `--ablate`: instead of the tables, what is lost without each rule.
//! - `--embedder NAME`: `builtin`, `hash`, or, built with the feature `minilm`, `minilm:FOLDER`. Give each a CACHE of its own.
//! - `--rerank NAME[=SHARE]`: also puts the first fifty hits in order anew by such an embedder.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use anyhow::{Context, Result, ensure};
use ast_core_benches::quality::{Question, QuestionKind, read_questions};
use ast_core_benches::stats::Times;
use ast_core_engine::{
    Embedder, Engine, EngineConfig, FeatureHashEmbedder, IndexControl, IndexOptions, QueryKind,
    RankingWeights, RerankConfig, Rule, SearchMode, SearchQuery, StaticEmbedder,
};
use ast_core_search::{Measures, Relevance};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Chunks that are asked for, so that there are ten files among them.
const LIMIT: usize = 100;
const MODES: [SearchMode; 3] = [SearchMode::Lexical, SearchMode::Semantic, SearchMode::Hybrid];

/// What was measured of a way to search.
#[derive(Default)]
struct Found {
    languages: BTreeMap<String, Measures>,
    kinds: BTreeMap<QuestionKind, Measures>,
    all: Measures,
    times: Times,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = Vec::new();
    let (mut lists, mut ablates, mut weights) = (false, false, RankingWeights::default());
    let mut makers = Makers { embedder: Arc::new(StaticEmbedder::default()), reranking: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => lists = true,
            "--ablate" => ablates = true,
            "--set" => weights = with_weight(weights, &args.next().context("--set NAME=WEIGHT")?)?,
            "--embedder" => makers.embedder = embedder(&args.next().context("--embedder NAME")?)?,
            "--rerank" => makers.reranking = Some(reranking(&args.next().context("--rerank NAME")?)?),
            _ => arguments.push(arg),
        }
    }
    let [questions, corpus, cache] = &arguments[..] else {
        anyhow::bail!(
            "usage: search-quality QUESTIONS CORPUS CACHE [--list] [--ablate] [--set NAME=WEIGHT]... \
             [--embedder NAME] [--rerank NAME[=SHARE]]"
        );
    };
    let questions = read_questions(Path::new(questions))?;
    let mut packages: BTreeMap<PathBuf, Vec<&Question>> = BTreeMap::new();
    for question in &questions {
        let folder = format!("{}/{}-{}", question.language, question.package, question.version);
        packages.entry(Path::new(corpus).join(folder)).or_default().push(question);
    }
    std::fs::create_dir_all(cache)?;
    let runs: Vec<(String, RankingWeights)> = match ablates {
        false => vec![(String::new(), weights)],
        true => std::iter::once(("all rules".into(), weights.clone()))
            .chain(
                Rule::all().map(|rule| (format!("without {}", rule.as_str()), weights.clone().without(rule))),
            )
            .collect(),
    };
    for (name, weights) in runs {
        let found = measure(&packages, Path::new(cache), &weights, &makers, lists).await?;
        if ablates {
            let line = |mode: SearchMode| {
                let all = found.get(mode.as_str()).map(|found| found.all).unwrap_or_default();
                format!("{} {:.4}", mode.as_str(), all.ndcg())
            };
            println!("{name:<24} {}", MODES.map(line).join("  "));
            continue;
        }
        println!(
            "{} questions about {} packages; NDCG@10 / MRR@10 / R@10 over files\n",
            questions.len(),
            packages.len()
        );
        table(&found);
    }
    Ok(())
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

/// Asks everything, by these weights.
async fn measure(
    packages: &BTreeMap<PathBuf, Vec<&Question>>,
    cache: &Path,
    weights: &RankingWeights,
    makers: &Makers,
    lists: bool,
) -> Result<BTreeMap<&'static str, Found>> {
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for (root, questions) in packages {
        let name = root.file_name().and_then(|name| name.to_str()).context("a package has a name")?;
        let config = EngineConfig::new(cache.join(format!("{name}.db")));
        let Makers { embedder, reranking } = makers;
        let config = EngineConfig { embedder: embedder.clone(), reranking: reranking.clone(), ..config };
        let engine = Engine::open(EngineConfig { ranking: weights.clone(), ..config }).await?;
        let report = engine.index(root, &IndexOptions::default(), IndexControl::default()).await?;
        if report.chunks > 0 {
            println!("{name}: {} chunks in {:.1} s", report.chunks, report.elapsed.as_secs_f64());
        }
        for question in questions {
            for file in &question.files {
                ensure!(root.join(file).is_file(), "{name}: {:?}: no file {file}", question.query);
            }
            for mode in MODES {
                let found = found.entry(mode.as_str()).or_default();
                ask(&engine, question, mode, found, lists && mode == SearchMode::Hybrid).await?;
            }
        }
        engine.close().await;
    }
    Ok(found)
}

/// Asks one question, and adds what became of it.
async fn ask(
    engine: &Engine,
    question: &Question,
    mode: SearchMode,
    found: &mut Found,
    lists: bool,
) -> Result<()> {
    let begin = Instant::now();
    let rerank = engine.config().reranking.is_some();
    let query = SearchQuery { mode, limit: LIMIT, rerank, ..SearchQuery::new(&question.query) };
    let reply = engine.search(&query).await?;
    found.times.add(begin.elapsed());
    let mut files: Vec<&str> = Vec::new();
    for hit in &reply.hits {
        if !files.contains(&hit.path.as_str()) {
            files.push(hit.path.as_str());
        }
    }
    let place = |file: &&str| question.files.iter().position(|right| right == file);
    let ranking: Vec<Option<usize>> = files.iter().map(place).collect();
    let relevance = Relevance { ranking: &ranking, total: question.files.len() };
    found.languages.entry(question.language.clone()).or_default().add(relevance);
    found.kinds.entry(question.kind).or_default().add(relevance);
    found.all.add(relevance);
    if lists && ranking.first().is_none_or(Option::is_none) {
        let rank = ranking.iter().position(Option::is_some);
        println!("{} {:?}: {:?}", question.package, question.kind, question.query);
        println!("  right: {:?}, at {:?}; came: {:?}", question.files, rank, &files[..files.len().min(4)]);
    }
    Ok(())
}

fn table(found: &BTreeMap<&str, Found>) {
    let line = |name: &str, of: &dyn Fn(&Found) -> Option<Measures>| {
        print!("{name:<12}");
        for found in MODES.iter().filter_map(|mode| found.get(mode.as_str())) {
            let measures = of(found).unwrap_or_default();
            print!("  {:.3} / {:.3} / {:.3}", measures.ndcg(), measures.mrr(), measures.recall());
        }
        println!();
    };
    print!("{:<12}", "");
    MODES.iter().for_each(|mode| print!("  {:<21}", mode.as_str()));
    println!();
    let first = found.values().next();
    for language in first.iter().flat_map(|found| found.languages.keys()) {
        line(language, &|found| found.languages.get(language).copied());
    }
    for kind in first.iter().flat_map(|found| found.kinds.keys()) {
        line(&format!("{kind:?}").to_lowercase(), &|found| found.kinds.get(kind).copied());
    }
    line("all", &|found| Some(found.all));
    // Every language counts alike.
    print!("{:<12}", "by language");
    for found in MODES.iter().filter_map(|mode| found.get(mode.as_str())) {
        let mean = |of: fn(&Measures) -> f64| {
            found.languages.values().map(of).sum::<f64>() / found.languages.len().max(1) as f64
        };
        print!("  {:.3} / {:.3} / {:.3}", mean(Measures::ndcg), mean(Measures::mrr), mean(Measures::recall));
    }
    println!();
    print!("{:<12}", "p50, p95 ms");
    for found in MODES.iter().filter_map(|mode| found.get(mode.as_str())) {
        let at = |share| found.times.at(share).as_secs_f64() * 1e3;
        print!("  {:<21}", format!("{:.1}, {:.1}", at(0.5), at(0.95)));
    }
    println!();
}
