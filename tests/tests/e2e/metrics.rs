//! What the engine measures of itself, and how people, scripts and scrapers get at it.

use crate::repository::{Repository, block_on};
use ast_core_engine::{
    EmbedError, EmbedInput, Embedder, Engine, EngineConfig, IndexControl, IndexOptions, MetricsSnapshot,
    ModelInfo, SearchMode, SearchQuery, Stage, StaticEmbedder, Work,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// An engine that has indexed the tree and searched it: what it measured, and what the run and the search gave.
struct Measured {
    metrics: MetricsSnapshot,
    bytes: u64,
    chunks: u64,
    hits: u64,
}

fn measure(repository: &Repository, config: EngineConfig) -> Measured {
    block_on(async {
        let engine = Engine::open(config).await.expect("the index opens");
        let run = IndexOptions::default();
        let report =
            engine.index(repository.root(), &run, IndexControl::default()).await.expect("it is indexed");
        let reply = engine.search(&SearchQuery::new("fletcher32")).await.expect("an answer");
        engine.search(&SearchQuery::new("?!")).await.expect_err("nothing to look for");
        let metrics = engine.metrics();
        engine.close().await;
        Measured { metrics, bytes: report.bytes, chunks: report.chunks, hits: reply.hits.len() as u64 }
    })
}

#[test]
fn stages_add_up_to_what_the_run_and_the_search_say() {
    let repository = Repository::polyglot();
    let Measured { metrics, bytes, chunks, hits } =
        measure(&repository, EngineConfig::for_tree(repository.root()));
    let of = |stage: Stage| {
        let found = metrics.stage(stage).expect("it measures");
        (found.items, found.bytes)
    };
    let searchable = metrics.index.files;
    assert_eq!((metrics.index.runs.count, metrics.index.failed, metrics.index.active), (1, 0, 0));
    assert_eq!((metrics.index.bytes, metrics.index.chunks), (bytes, chunks));
    assert_eq!(of(Stage::Commit), (searchable, bytes));
    assert_eq!((of(Stage::Parse).0, of(Stage::Encode)), (searchable, (searchable, bytes)));
    assert_eq!([Stage::Chunk, Stage::Terms, Stage::Embed].map(|stage| of(stage).0), [chunks; 3]);
    // Files that are not text are read, too.
    assert!(of(Stage::Read).0 >= searchable && of(Stage::Read).1 >= bytes);
    assert!(of(Stage::Discover).0 >= of(Stage::Read).0);
    let (vectors, of_vectors) = of(Stage::VectorInsert);
    assert!(vectors >= chunks && of_vectors >= 256 * chunks, "{vectors} vectors, {of_vectors} bytes");

    let search = &metrics.search;
    assert_eq!((search.searches.count, search.failed, search.active, search.hits), (1, 1, 0, hits));
    assert_eq!((of(Stage::QueryEmbed).0, of(Stage::Hydrate).0), (1, hits));
    assert!(of(Stage::Lexical).0 > 0 && of(Stage::VectorSearch).0 > 0 && of(Stage::Definitions).0 > 0);
    assert!(of(Stage::Rank).0 >= hits);
    assert_eq!(of(Stage::Rerank), (0, 0));

    // The parts of a search by the clock are not longer than all of it, but those that go on at the same time.
    let time = |stage| metrics.stage(stage).expect("it measures").times.sum;
    assert!(time(Stage::Rank) + time(Stage::Hydrate) <= search.searches.sum);
    let names: BTreeSet<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    assert_eq!(names.len(), metrics.stages.len());
    let works: Vec<Work> = Stage::ALL.iter().map(|stage| stage.work()).collect();
    assert!(works.is_sorted(), "{works:?}");
}

#[test]
fn what_is_not_done_is_not_measured() {
    let repository = Repository::polyglot();
    repository.index();
    let metrics = block_on(async {
        let engine =
            Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.expect("it opens");
        let by_words = SearchQuery { mode: SearchMode::Lexical, ..SearchQuery::new("fletcher32") };
        engine.search(&by_words).await.expect("an answer");
        let metrics = engine.metrics();
        engine.close().await;
        metrics
    });
    let came_to: Vec<Stage> = Stage::ALL
        .iter()
        .copied()
        .filter(|stage| metrics.stage(*stage).is_some_and(|stage| stage.times.count > 0))
        .collect();
    assert_eq!(came_to, [Stage::Lexical, Stage::Definitions, Stage::Rank, Stage::Hydrate]);
    assert_eq!(metrics.index.runs.count, 0);
}

#[test]
fn an_engine_that_is_told_not_to_measures_nothing_and_finds_the_same() {
    let repository = Repository::polyglot();
    let config = EngineConfig { metrics: false, ..EngineConfig::for_tree(repository.root()) };
    let Measured { metrics, hits, .. } = measure(&repository, config);
    assert!(hits > 0);
    assert_eq!((metrics.enabled, metrics.stages.len(), metrics.stage(Stage::Parse)), (false, 0, None));
    assert_eq!((metrics.index.files, metrics.search.searches.count), (0, 0));
    let json = serde_json::to_value(&metrics).expect("JSON");
    assert_eq!(json["index"]["files_per_second"], Value::Null);
    if cfg!(target_os = "linux") {
        assert!(
            metrics.process.rss_bytes.is_some() && metrics.to_prometheus_text().contains("process_threads ")
        );
    }
}

/// One that cannot be asked.
struct Down {
    model: ModelInfo,
}

impl Embedder for Down {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn noise_floor(&self) -> f32 {
        0.0
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn embed(&self, _: &[EmbedInput<'_>], _: &mut Vec<f32>) -> Result<(), EmbedError> {
        Err(EmbedError::Unavailable { model: self.model.id.clone(), reason: "it is down".into() })
    }

    fn embed_query(&self, _: &str) -> Result<Vec<f32>, EmbedError> {
        Err(EmbedError::Unavailable { model: self.model.id.clone(), reason: "it is down".into() })
    }
}

#[test]
fn a_run_that_fails_is_counted_as_failed() {
    let repository = Repository::polyglot();
    let model = ModelInfo { id: "down".into(), ..StaticEmbedder::default().model().clone() };
    let embedder = Arc::new(Down { model });
    let metrics = block_on(async {
        let config = EngineConfig { embedder, ..EngineConfig::for_tree(repository.root()) };
        let engine = Engine::open(config).await.expect("it opens");
        let run = IndexOptions::default();
        engine.index(repository.root(), &run, IndexControl::default()).await.expect_err("it is down");
        let metrics = engine.metrics();
        engine.close().await;
        metrics
    });
    let index = &metrics.index;
    assert_eq!((index.runs.count, index.failed, index.active), (0, 1, 0));
    let embed = metrics.stage(Stage::Embed).expect("it measures");
    assert!(embed.times.count > 0 && embed.items == 0, "what fails takes time and makes nothing: {embed:?}");
}

/// Families of Prometheus text, and the kind of each.
fn families(text: &str) -> BTreeMap<String, String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split_once(' ')).map(|(name, kind)| (name.into(), kind.into())).collect()
}

/// The tables of the section on metrics in docs/performance.md: of rows that begin with a name in backquotes, that and the
/// next cell.
fn documented() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let text = std::fs::read_to_string(path).expect("the document is there");
    let section = text.split("\n## Metrics\n").nth(1).expect("a section on metrics");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once("` | "))
        .map(|(name, rest)| (name.into(), rest.split(" |").next().unwrap_or_default().into()))
        .collect()
}

#[test]
fn the_document_has_every_name_that_a_run_gives_and_no_other() {
    let repository = Repository::polyglot();
    let config = EngineConfig::for_tree(repository.root());
    let text = block_on(async {
        let engine = Engine::open(config).await.expect("the index opens");
        engine
            .index(repository.root(), &IndexOptions::default(), IndexControl::default())
            .await
            .expect("it is indexed");
        engine.search(&SearchQuery::new("fletcher32")).await.expect("an answer");
        // Rates are of a second at least.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let text = engine.metrics().to_prometheus_text();
        engine.close().await;
        text
    });
    let mut given = families(&text);
    given.extend(families(&repository.run(["status", "--prometheus"]).stdout));
    let documented = documented();
    if cfg!(target_os = "linux") {
        let of_metrics =
            documented.iter().filter(|(name, _)| given.contains_key(name) || name.contains("_core_"));
        let of_metrics: BTreeMap<String, String> = of_metrics.cloned().collect();
        assert_eq!(of_metrics, given);
    }
    let stages: Vec<(&str, &str)> = Stage::ALL.iter().map(|stage| (stage.as_str(), stage.items())).collect();
    let of_stages: Vec<(&str, &str)> = documented
        .iter()
        .filter(|(name, _)| Stage::ALL.iter().any(|stage| stage.as_str() == name.as_str()))
        .map(|(name, items)| (name.as_str(), items.as_str()))
        .collect();
    assert_eq!(of_stages, stages);
    // Nothing else stands in the tables.
    let known = |name: &String| given.contains_key(name) || stages.iter().any(|(stage, _)| stage == name);
    if cfg!(target_os = "linux") {
        let unknown: Vec<&(String, String)> = documented.iter().filter(|(name, _)| !known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// A stage of the table that `-v` ends with, and its other columns.
fn row<'a>(stderr: &'a str, stage: &str) -> Vec<&'a str> {
    let lines = stderr.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    let rows = lines.map(Iterator::collect::<Vec<&str>>);
    let mut rows = rows.filter(|row| row.first() == Some(&stage));
    rows.next().unwrap_or_else(|| panic!("no {stage} in {stderr}"))
}

#[test]
fn a_verbose_run_ends_with_a_table_of_its_stages() {
    let repository = Repository::polyglot();
    let run = repository.run(["index", "-v"]);
    assert!(run.stdout.contains("files indexed") && !run.stdout.contains("p95"), "{run:?}");
    assert_eq!(row(&run.stderr, "stage"), ["stage", "items", "bytes", "busy", "share", "p50", "p95", "max"]);
    for stage in
        ["discover", "plan", "read", "parse", "chunk", "terms", "embed", "encode", "commit", "vector_insert"]
    {
        assert_eq!(row(&run.stderr, stage).len(), 8, "{run:?}");
    }
    let shares = run
        .stderr
        .lines()
        .filter_map(|line| line.split_once(" %")?.0.rsplit(' ').next()?.parse::<f64>().ok());
    let sum: f64 = shares.sum();
    assert!((99.0..=101.0).contains(&sum), "{sum} % in {run:?}");
    assert!(run.stderr.trim_end().lines().last().is_some_and(|line| line.contains("busy over all threads")));

    let search = repository.run(["search", "-v", "fletcher32"]);
    for stage in ["refresh", "query_embed", "lexical", "vector_search", "definitions", "rank", "hydrate"] {
        assert_eq!(row(&search.stderr, stage).len(), 8, "{search:?}");
    }
    assert!(!search.stderr.contains("parse"), "{search:?}");

    for quiet in [&["index"][..], &["search", "fletcher32"], &["index", "-v", "--quiet"]] {
        let answer = repository.run(quiet);
        assert!(!answer.stderr.contains("p95") && !answer.stdout.contains("p95"), "{answer:?}");
    }
}

#[test]
fn status_tells_what_the_process_uses_if_it_is_asked() {
    let repository = Repository::polyglot();
    repository.index();
    assert_eq!(repository.run(["status", "--json"]).json().get("metrics"), None);
    let status = repository.run(["status", "--metrics", "--json"]).json();
    let metrics = &status["metrics"];
    assert!(metrics["uptime_seconds"].as_f64() > Some(0.0), "{metrics}");
    assert_eq!(metrics["stages"].as_array().map(Vec::len), Some(Stage::ALL.len()));
    let text = repository.run(["status", "--metrics"]).stdout;
    assert!(text.contains("this process: ") && text.contains("this machine: "), "{text}");

    let scraped = repository.run(["status", "--prometheus"]).stdout;
    for (name, member) in [("files", &status["files"]["indexed"]), ("symbols", &status["symbols"])] {
        let line = format!("ast_core_index_{name} {member}\n");
        assert!(scraped.contains(&line), "{line} is not in {scraped}");
    }
    assert!(scraped.contains("ast_core_index_stale_files 0\n"), "{scraped}");
    if cfg!(target_os = "linux") {
        assert!(metrics["process"]["peak_rss_bytes"].as_u64() > Some(1 << 20), "{metrics}");
        assert!(!text.contains("unknown"), "{text}");
    }
}
