//! A costly embedder is asked once for the same code.

use crate::repository::Repository;
use crate::rows;
use ast_core_engine::{
    ContentHash, EmbedError, EmbedInput, Embedder, EmbeddingCacheConfig, EngineConfig, EngineError,
    FeatureHashEmbedder, IndexOptions, ModelInfo, SearchMode, SearchQuery, StoreError,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does not read paths, and counts what it is asked for.
#[derive(Default)]
struct Counting {
    embedder: FeatureHashEmbedder,
    asked: AtomicUsize,
}

fn without_path<'a>(input: &EmbedInput<'a>) -> EmbedInput<'a> {
    EmbedInput { path: "", ..*input }
}

impl Embedder for Counting {
    fn model(&self) -> &ModelInfo {
        self.embedder.model()
    }

    fn noise_floor(&self) -> f32 {
        self.embedder.noise_floor()
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        self.asked.fetch_add(inputs.len(), Ordering::Relaxed);
        let inputs: Vec<EmbedInput<'_>> = inputs.iter().map(without_path).collect();
        self.embedder.embed(&inputs, vectors)
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn cache_key(&self, input: &EmbedInput<'_>) -> ContentHash {
        ContentHash::of(format!("{:?}", without_path(input)).as_bytes())
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        self.embedder.embed_query(query)
    }
}

/// Indexes the tree; how many texts were embedded, and how many chunks it read.
fn index(repository: &Repository, cache: Option<&Path>, options: &IndexOptions) -> (usize, usize) {
    let embedder = Arc::new(Counting::default());
    let cache = cache.map(|path| EmbeddingCacheConfig { path: Some(path.to_owned()), ..Default::default() });
    let config = EngineConfig {
        embedder: embedder.clone(),
        embedding_cache: cache,
        ..EngineConfig::for_tree(repository.root())
    };
    let report = repository.index_with(config, options);
    assert_eq!(report.failures, []);
    (embedder.asked.load(Ordering::Relaxed), report.chunks as usize)
}

const REBUILD: IndexOptions = IndexOptions { rebuild: true, workers: None, files_a_commit: None };

#[test]
fn what_was_embedded_once_is_not_again_in_any_file_branch_or_tree() {
    let repository = Repository::polyglot();
    let cache = repository.beside("shared.embeddings");
    let run = || index(&repository, Some(&cache), &IndexOptions::default());
    let (asked, chunks) = run();
    assert!(0 < asked && asked <= chunks, "{asked} of {chunks}");

    // The same code in another file.
    repository.write("native/copy.cpp", repository.read("native/checksum.cpp"));
    let (asked, chunks) = run();
    assert_eq!((asked, chunks > 0), (0, true));

    // A branch, and back again.
    let before = repository.read("core/src/queue.rs");
    repository.edit("core/src/queue.rs", "fn dequeue", "fn take_most_urgent");
    let (asked, chunks) = run();
    assert!(0 < asked && asked <= chunks, "{asked} of {chunks}");
    repository.write("core/src/queue.rs", before);
    assert_eq!(run().0, 0);

    // All of it once more, and another tree with the same files in it.
    let (asked, chunks) = index(&repository, Some(&cache), &REBUILD);
    assert_eq!((asked, chunks > 0), (0, true));
    let other = Repository::polyglot();
    assert_eq!(index(&other, Some(&cache), &IndexOptions::default()).0, 0);

    // What comes out of the cache becomes the same rows.
    let cached = rows::dump(&repository.database());
    let (asked, chunks) = index(&repository, None, &REBUILD);
    assert_eq!(asked, chunks);
    assert_eq!(rows::dump(&repository.database()), cached);
}

#[test]
fn by_default_it_is_beside_the_index_and_only_of_a_costly_embedder() {
    let repository = Repository::polyglot();
    let cache = repository.root().join(".ast-core/index.db.embeddings");
    repository.index();
    assert!(!cache.exists());
    let embedder = Arc::new(Counting::default());
    let config = EngineConfig { embedder, ..EngineConfig::for_tree(repository.root()) };
    repository.index_with(config, &REBUILD);
    assert!(cache.exists());
}

#[test]
fn one_that_is_something_else_is_refused_by_name_and_left_alone() {
    let repository = Repository::polyglot();
    let path = repository.beside("notes.txt");
    std::fs::write(&path, "not vectors, but notes of somebody").unwrap();
    let config = EngineConfig {
        embedder: Arc::new(Counting::default()),
        embedding_cache: Some(EmbeddingCacheConfig { path: Some(path.clone()), ..Default::default() }),
        ..EngineConfig::for_tree(repository.root())
    };
    let error = repository.try_index_with(config, &IndexOptions::default()).unwrap_err();
    let is_named = matches!(
        &error,
        EngineError::EmbeddingCache { path: named, source: StoreError::NotADatabase { .. } } if *named == path
    );
    assert!(is_named, "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"not vectors, but notes of somebody");
}

/// How many of an index's files have vectors in its store, and how many have none.
fn kept(repository: &Repository) -> (usize, usize) {
    let dump = rows::dump(&repository.database());
    let rows = dump.lines().filter_map(|line| line.trim_start().strip_prefix("vectors "));
    let (kept, without): (Vec<&str>, Vec<&str>) = rows.partition(|row| row.split(' ').nth(1) != Some(""));
    (kept.len(), without.len())
}

#[test]
fn vectors_are_kept_where_they_cost_much_and_made_again_where_they_do_not() {
    let repository = Repository::polyglot();
    let file = repository.root().join(".ast-core/index.db-vectors");
    let query = SearchQuery { mode: SearchMode::Semantic, ..SearchQuery::new("cancel a job that waits") };
    // With the file, and without.
    let both = |config: &dyn Fn() -> EngineConfig| {
        let with = repository.search_with(config(), &query).hits;
        let content = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(repository.search_with(config(), &query).hits, with);
        assert!(!with.is_empty());
        std::fs::write(&file, content).unwrap();
    };

    repository.index();
    let (of_costly, of_cheap) = kept(&repository);
    assert!(of_costly == 0 && of_cheap > 5, "{of_cheap}");
    both(&|| EngineConfig::for_tree(repository.root()).read_only());

    let embedder = Arc::new(Counting::default());
    let config = || EngineConfig { embedder: embedder.clone(), ..EngineConfig::for_tree(repository.root()) };
    let chunks = repository.index_with(config(), &REBUILD).chunks as usize;
    assert_eq!(kept(&repository), (of_cheap, 0));
    both(&|| config().read_only());
    assert!(embedder.asked.load(Ordering::Relaxed) <= chunks, "nothing is made twice");
}
