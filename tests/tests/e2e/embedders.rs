//! Other embedders than the built-in model: a service, a change from one to another, and reranking.

use crate::binary::Answer;
use crate::repository::{Repository, block_on};
use crate::rows;
use crate::service::{DIMENSION, Service};
use ast_core_engine::{
    EmbedError, EmbedInput, Embedder, EmbeddingCacheConfig, Engine, EngineConfig, EngineError, HttpConfig,
    HttpEmbedder, IndexOptions, ModelInfo, RerankConfig, SearchMode, SearchNotice, SearchQuery,
    StaticEmbedder, StatusReport, SymbolKind,
};
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A client with the patience of a test.
fn client(service: &Service) -> Arc<HttpEmbedder> {
    let config = HttpConfig {
        backoff: Duration::from_millis(1),
        attempts: NonZeroU32::new(2).unwrap(),
        ..HttpConfig::new(service.url(), "m")
    };
    Arc::new(HttpEmbedder::with_dimension(config, DIMENSION).unwrap())
}

fn config(repository: &Repository, embedder: Arc<dyn Embedder>) -> EngineConfig {
    EngineConfig { embedder, ..EngineConfig::for_tree(repository.root()) }
}

fn with_cache(config: EngineConfig, path: &Path) -> EngineConfig {
    let cache = EmbeddingCacheConfig { path: Some(path.to_owned()), ..EmbeddingCacheConfig::default() };
    EngineConfig { embedding_cache: Some(cache), ..config }
}

/// The built-in model under another name, which is there for so many calls.
struct Renamed {
    embedder: StaticEmbedder,
    model: ModelInfo,
    calls: AtomicUsize,
}

fn renamed(calls: usize) -> Arc<Renamed> {
    let embedder = StaticEmbedder::default();
    let model = ModelInfo { id: "renamed".into(), ..embedder.model().clone() };
    Arc::new(Renamed { embedder, model, calls: calls.into() })
}

impl Embedder for Renamed {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn noise_floor(&self) -> f32 {
        self.embedder.noise_floor()
    }

    /// Only of such an embedder an index run keeps vectors.
    fn is_costly(&self) -> bool {
        true
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let left = |calls: usize| calls.checked_sub(1);
        if self.calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            let (model, reason) = (self.model.id.clone(), "it is not there any more".into());
            return Err(EmbedError::Unavailable { model, reason });
        }
        self.embedder.embed(inputs, vectors)
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        self.embedder.embed_query(query)
    }
}

fn status(config: EngineConfig) -> StatusReport {
    block_on(async {
        let engine = Engine::open(config.read_only()).await.unwrap();
        let status = engine.status().await.unwrap();
        engine.close().await;
        status
    })
}

#[test]
fn a_service_is_asked_once_for_the_same_code() {
    let (service, repository) = (Service::start(), Repository::polyglot());
    let cache = repository.beside("shared.embeddings");
    let index = |repository: &Repository, rebuild: bool| {
        let config = with_cache(config(repository, client(&service)), &cache);
        let report = repository.index_with(config, &IndexOptions { rebuild, ..IndexOptions::default() });
        assert_eq!(report.failures, []);
        report.chunks
    };
    let chunks = index(&repository, false);
    let (asked, most) = service.asked();
    assert!(asked > 0 && asked as u64 <= chunks && most == 1, "{asked} of {chunks}, {most}");

    // In another file, after a rename, after an edit that was taken back, in a run that begins anew, in another tree.
    repository.write("native/copy.cpp", repository.read("native/checksum.cpp"));
    index(&repository, false);
    repository.rename("core/src/queue.rs", "core/src/line.rs");
    index(&repository, false);
    index(&repository, true);
    index(&Repository::polyglot(), false);
    assert_eq!(service.asked(), (asked, 1));
    repository.edit("core/src/line.rs", "fn dequeue", "fn take_most_urgent");
    index(&repository, false);
    let after_edit = service.asked();
    assert!(after_edit.0 > asked && after_edit.1 == 1, "{after_edit:?}");
    repository.edit("core/src/line.rs", "fn take_most_urgent", "fn dequeue");
    index(&repository, false);
    assert_eq!(service.asked(), after_edit);
}

#[test]
fn a_run_that_loses_its_service_keeps_what_it_has_and_goes_on_without_asking_again() {
    let (service, repository) = (Service::start(), Repository::polyglot());
    let run = || repository.try_index_with(config(&repository, client(&service)), &IndexOptions::default());
    let mut lost = 0;
    for _ in 0..100 {
        service.answer_only(3);
        match run() {
            Ok(report) => {
                assert_eq!(report.failures, []);
                break;
            }
            Err(EngineError::Embed(error @ EmbedError::Unavailable { .. })) => {
                assert!(error.to_string().contains("down for the night"), "{error}");
                lost += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(lost > 2, "{lost}");
    assert_eq!(service.asked().1, 1, "a text was asked for twice");
    // It is what a run without interruption makes.
    service.answer_only(usize::MAX);
    let database = repository.beside("fresh.db");
    let fresh = EngineConfig { database: database.clone(), ..config(&repository, client(&service)) };
    repository.index_with(fresh, &IndexOptions::default());
    assert_eq!(rows::dump(&repository.database()), rows::dump(&database));
}

#[test]
fn an_index_loses_nothing_when_its_service_is_down() {
    let (service, repository) = (Service::start(), Repository::polyglot());
    let config = || config(&repository, client(&service));
    repository.index_with(config(), &IndexOptions::default());
    let before = status(config()).files;
    service.answer_only(0);
    repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
    let error = repository.try_index_with(config(), &IndexOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::Embed(EmbedError::Unavailable { .. })), "{error}");
    assert_eq!(status(config()).files, before);
    // What is asked is answered by words, and says so.
    let query = SearchQuery::new("dequeue");
    let reply = repository.search_with(config().read_only(), &query);
    assert!(!reply.hits.is_empty());
    let notices = &reply.notices[..];
    assert!(
        matches!(notices, [SearchNotice::NotEmbedded { reason }] if reason.contains("503")),
        "{notices:?}"
    );
    let by_words = SearchQuery { mode: SearchMode::Lexical, ..query.clone() };
    let by_words = repository.search_with(config().read_only(), &by_words);
    assert_eq!((by_words.hits, by_words.notices), (reply.hits, Vec::new()));
    let error = block_on(async {
        let engine = Engine::open(config().read_only()).await.unwrap();
        engine.search(&SearchQuery { mode: SearchMode::Semantic, ..query }).await.unwrap_err()
    });
    assert!(matches!(error, EngineError::Embed(_)), "{error}");
    // And nothing is taken for damaged that could not be embedded.
    std::fs::remove_file(repository.root().join(".ast-core/index.db.embeddings")).unwrap();
    for repair in [false, true] {
        let error =
            block_on(Engine::doctor(config(), &ast_core_engine::DoctorOptions { repair })).unwrap_err();
        assert!(matches!(error, EngineError::Embed(EmbedError::Unavailable { .. })), "{error}");
    }
    assert_eq!(status(config()).files, before);
}

#[test]
fn an_index_of_another_embedder_is_searched_by_words() {
    let repository = Repository::polyglot();
    repository.index();
    let other = || config(&repository, renamed(0)).read_only();
    let search = |query: &SearchQuery| repository.search_with(other(), query);
    let query = SearchQuery::new("put a job into the queue");
    let reply = search(&query);
    let [SearchNotice::OtherEmbedder { indexed, current }] = &reply.notices[..] else {
        panic!("{:?}", reply.notices)
    };
    assert_eq!((indexed, current.as_str()), (&StaticEmbedder::default().model().id, "renamed"));
    let by_words = SearchQuery { mode: SearchMode::Lexical, ..query.clone() };
    assert_eq!(search(&by_words).notices, []);
    assert_eq!(search(&by_words).hits, reply.hits);
    assert!(reply.hits.iter().all(|hit| hit.why.semantic.is_none()));
    // Kinds are known whatever the vectors are.
    let functions = SearchQuery { kinds: vec![SymbolKind::Function], ..query.clone() };
    let found = search(&functions).hits;
    assert!(!found.is_empty() && found.iter().all(|hit| hit.kind == Some(SymbolKind::Function)));

    block_on(async {
        let engine = Engine::open(other()).await.unwrap();
        let by_meaning = SearchQuery { mode: SearchMode::Semantic, ..query };
        let error = engine.search(&by_meaning).await.unwrap_err();
        assert!(matches!(error, EngineError::OtherPipeline { .. }), "{error}");
        let change = engine.embedder_change().await.unwrap().unwrap();
        assert_eq!(
            (change.before, change.now),
            (StaticEmbedder::default().model().id.clone(), "renamed".into())
        );
    });
    let report = status(other());
    assert_eq!(
        (report.configured_embedder.as_str(), report.foreign_files),
        ("renamed", report.files.indexed)
    );
    let file = report.vector_file.unwrap();
    assert_eq!((file.state.as_str(), file.files_beside), ("current", 0), "it belongs to the index");
}

#[test]
fn a_change_that_is_cut_short_mixes_nothing_and_is_gone_on_with() {
    let repository = Repository::empty();
    // Without a cache, each call of the embedder is for a file.
    let limited = |embedder| EngineConfig { embedding_cache: None, ..config(&repository, embedder) };
    let code = |number: usize| {
        format!(
            "def open_valve_{number}(pump):\n    '''Opens the valve of a pump.'''\n    return pump.open()\n"
        )
    };
    for number in 0..40 {
        repository.write(&format!("{number}.py"), code(number));
    }
    repository.index();
    let query = SearchQuery {
        mode: SearchMode::Semantic,
        limit: 100,
        ..SearchQuery::new("open the valve of a pump")
    };
    let found = |config: EngineConfig| -> HashSet<String> {
        let reply = repository.search_with(config.read_only(), &query);
        reply.hits.iter().map(|hit| hit.path.to_string()).collect()
    };
    assert_eq!(found(EngineConfig::for_tree(repository.root())).len(), 40);

    let change = |calls: usize| repository.try_index_with(limited(renamed(calls)), &IndexOptions::default());
    let mut known = HashSet::new();
    for round in 0..3 {
        assert!(matches!(change(10).unwrap_err(), EngineError::Embed(EmbedError::Unavailable { .. })));
        let report = status(limited(renamed(0)));
        let now = found(limited(renamed(0)));
        // Those of before have the same vectors under another name, and would be found.
        assert_eq!(now.len() as u64 + report.foreign_files, 40);
        assert!(now.is_superset(&known) && now.len() == known.len() + 10, "{now:?}");
        // Nor are they in the vector file, whoever writes it.
        repository.write("0.py", code(round));
        let named = ast_core_engine::JobRequest::files(repository.root(), ["0.py"]);
        block_on(async {
            let engine = Engine::open(limited(renamed(5))).await.unwrap();
            let id = engine.submit(named).await.unwrap();
            engine.wait(id).await.unwrap();
            engine.close().await;
        });
        assert_eq!(found(limited(renamed(0))), now);
        known = now;
    }
    assert_eq!(change(10).unwrap().files.unchanged, 30);
    let report = status(limited(renamed(0)));
    assert_eq!((report.foreign_files, report.complete), (0, true));
    assert_eq!(found(limited(renamed(0))).len(), 40);
    let database = repository.beside("fresh.db");
    let fresh = EngineConfig { database: database.clone(), ..limited(renamed(100)) };
    repository.index_with(fresh, &IndexOptions::default());
    assert_eq!(rows::dump(&repository.database()), rows::dump(&database));
}

/// Likes texts by how often they have a word.
struct Fond {
    model: ModelInfo,
    asked: AtomicUsize,
}

impl Embedder for Fond {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn noise_floor(&self) -> f32 {
        0.0
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        self.asked.fetch_add(inputs.len(), Ordering::SeqCst);
        for input in inputs {
            let angle = input.code.matches("xylophone").count() as f32;
            vectors.extend([angle, 1.0]);
        }
        Ok(())
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn embed_query(&self, _: &str) -> Result<Vec<f32>, EmbedError> {
        Ok(vec![1.0, 0.0])
    }
}

#[test]
fn the_first_hits_are_put_in_order_anew() {
    let repository = Repository::empty();
    for number in 0..60 {
        let code = format!(
            "def open_valve_{number}(pump):\n    # {}\n    return pump\n",
            "xylophone ".repeat(number % 7)
        );
        repository.write(&format!("{number}.py"), code);
    }
    repository.index();
    let fond = |id: &str| {
        let model = ModelInfo { id: id.into(), dimension: 2, description: String::new() };
        Arc::new(Fond { model, asked: AtomicUsize::new(0) })
    };
    let plain = SearchQuery { limit: 100, ..SearchQuery::new("open the valve of a pump") };
    let query = SearchQuery { rerank: true, ..plain.clone() };
    let search = |embedder: Arc<Fond>, share: f64| {
        let reranking = Some(RerankConfig { share, ..RerankConfig::new(embedder) });
        let config = EngineConfig { reranking, ..EngineConfig::for_tree(repository.root()).read_only() };
        repository.search_with(config, &query).hits
    };
    let before = repository.search(&plain).hits;
    assert!(before.iter().all(|hit| hit.why.reranked.is_none()));

    let first = fond("fond");
    let hits = search(first.clone(), 1.0);
    assert_eq!(first.asked.load(Ordering::SeqCst), 50, "of the first fifty alone the texts are looked at");
    let of_text = |hits: &[ast_core_engine::SearchHit]| -> Vec<usize> {
        hits[..50].iter().map(|hit| hit.snippet.matches("xylophone").count()).collect()
    };
    assert!(of_text(&hits).is_sorted_by(|a, b| a >= b), "{:?}", of_text(&hits));
    assert!(!of_text(&before).is_sorted_by(|a, b| a >= b));
    assert!(hits[..50].iter().all(|hit| hit.why.reranked.is_some()));
    let rest =
        |hits: &[ast_core_engine::SearchHit]| -> Vec<_> { hits[50..].iter().map(|hit| hit.chunk).collect() };
    assert_eq!(rest(&hits), rest(&before), "the others stay where they are");
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));

    // From the cache, and the same to the last bit.
    let second = fond("fond");
    assert_eq!(search(second.clone(), 1.0), hits);
    assert_eq!(second.asked.load(Ordering::SeqCst), 0);
    let ids = |hits: &[ast_core_engine::SearchHit]| -> Vec<_> { hits.iter().map(|hit| hit.chunk).collect() };
    assert_eq!(ids(&search(fond("other"), 0.0)), ids(&before), "what counts for nothing changes nothing");

    let error = block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        engine.search(&query).await.unwrap_err()
    });
    assert!(matches!(error, EngineError::NoReranking), "{error}");
}

const KEY: &str = "sk-very-secret-0123456789";

/// `ast-core` with the service as its embedder.
fn run(repository: &Repository, service: &Service, arguments: &[&str]) -> Answer {
    let mut command = repository.command(arguments);
    command.args(["--embedder", "http", "--embedder-model", "m", "--embedder-key-env", "MY_KEY"]);
    command.args(["--embedder-url", &service.url()]).env("MY_KEY", KEY);
    let answer = Answer::of(command.output().expect("the binary runs"));
    assert!(!format!("{answer:?}").contains("very-secret"), "{answer:?}");
    answer
}

#[test]
fn the_binary_asks_a_service_and_says_which() {
    let (service, repository) = (Service::start(), Repository::polyglot());
    assert_eq!(run(&repository, &service, &["index"]).code, Some(0));
    assert!(service.keys().iter().all(|key| key.as_deref() == Some(&*format!("Bearer {KEY}"))));
    let (asked, most) = service.asked();
    assert_eq!(most, 1);
    let found = run(&repository, &service, &["search", "a job queue", "--json"]).json();
    assert!(found["hits"].as_array().unwrap().iter().any(|hit| !hit["why"]["semantic"].is_null()), "{found}");
    assert_eq!(service.asked(), (asked + 1, 1), "the query, and not how long a vector is");

    let status = run(&repository, &service, &["status", "--json"]).json();
    let id = status["embedder"]["id"].as_str().unwrap();
    assert!(id.starts_with("http 127.0.0.1:") && id.contains("/v1 m"), "{id}");
    assert_eq!(
        (&status["embedder"]["configured"], &status["embedder"]["dimension"]),
        (&id.into(), &DIMENSION.into())
    );
    assert!(run(&repository, &service, &["status"]).stdout.contains(id));
    assert_eq!(run(&repository, &service, &["doctor", "--json"]).json()["sound"], true);

    // By another embedder.
    let other = repository.run(["search", "a job queue", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&other.stdout).unwrap();
    assert!(found["notices"][0].as_str().unwrap().contains(id), "{other:?}");
    assert!(other.stderr.contains("by words alone"), "{other:?}");
    repository
        .run(["search", "a job queue", "--mode", "semantic"])
        .assert_refused(4, &["--embedder", "ast-core index"]);
    assert!(repository.run(["status"]).stdout.contains("would embed all of it anew"));
    let plan = repository.run(["index", "--plan"]);
    assert!(plan.stderr.contains("everything is embedded anew") && plan.stderr.contains(id), "{plan:?}");

    // A key that is not there matters only to who needs it.
    let without = |verb: &str| {
        let arguments = [verb, "--embedder", "http", "--embedder-model", "m", "--embedder-key-env", "NO_KEY"];
        let mut command = repository.command(arguments);
        command.args(["--embedder-url", &service.url()]);
        Answer::of(command.output().expect("the binary runs"))
    };
    assert_eq!(without("status").code, Some(0));
    without("index").assert_refused(2, &["NO_KEY", "not set", "--embedder-key-env"]);

    service.answer_only(0);
    repository.write("new.py", "def new():\n    pass\n");
    let mut command = repository.command(["index", "--config", "settings.toml"]);
    let settings = format!(
        "[embedder]\nuse = \"http\"\n[embedder.http]\nurl = \"{}\"\nmodel = \"m\"\nattempts = 1\n",
        service.url()
    );
    repository.write("settings.toml", settings);
    let down = Answer::of(command.output().expect("the binary runs"));
    down.assert_refused(5, &["503", "down for the night", "what was committed is kept"]);
}

#[test]
fn what_cannot_be_an_embedder_is_refused_with_what_can() {
    let repository = Repository::polyglot();
    repository.index();
    let refused = |arguments: &[&str], words: &[&str]| {
        let answer = repository.run(arguments);
        assert_eq!((answer.code, &*answer.stdout), (Some(2), ""), "{answer:?}");
        words.iter().for_each(|word| assert!(answer.stderr.contains(word), "{word:?} is not in {answer:?}"));
    };
    refused(
        &["index", "--embedder", "magic"],
        &["--embedder", "magic", "builtin, hash, minilm:FOLDER or http"],
    );
    refused(&["index", "--embedder", "minilm:"], &["minilm:FOLDER"]);
    refused(&["index", "--embedder", "http"], &["--embedder-url", "http://localhost"]);
    refused(&["index", "--embedder", "http", "--embedder-url", "https://example.com"], &["--embedder-model"]);
    let insecure =
        ["index", "--embedder", "http", "--embedder-url", "http://example.com", "--embedder-model", "m"];
    refused(&insecure, &["http://example.com", "https"]);
    refused(&["search", "job", "--rerank"], &["--rerank=minilm:FOLDER"]);
    refused(&["search", "job", "--rerank=magic"], &["magic", "minilm:FOLDER"]);
    refused(&["index", "--config", "nowhere.toml"], &["nowhere.toml"]);
    repository.write("bad.toml", "[embedder.http]\nkey = \"sk-1\"\n");
    refused(&["index", "--config", "bad.toml"], &["bad.toml", "key_env"]);
    let own = repository.beside("home").join("ast-core");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("config.toml"), "[embedder]\nuse = \"hash\"\n[rerank]\nuse = \"builtin\"\n")
        .unwrap();
    let changed = repository.run(["index"]);
    assert!(changed.code == Some(0) && changed.stderr.contains("everything is embedded anew"), "{changed:?}");
    assert_eq!(repository.run(["status", "--json"]).json()["embedder"]["id"], "feature-hash-256-v2");
    let reranked = repository.run(["search", "job", "--rerank", "--json"]).json();
    assert!(reranked["hits"][0]["why"]["reranked"].is_number(), "{reranked}");
    let flag = repository.run(["status", "--embedder", "builtin", "--json"]).json();
    assert_ne!(flag["embedder"]["configured"], flag["embedder"]["id"], "flags beat settings");
}
