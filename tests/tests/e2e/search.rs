//! Search over a repository in several languages: what is found, and what is said of it.

use crate::repository::{Repository, block_on};
use ast_core_engine::{
    Engine, EngineConfig, EngineError, IndexControl, IndexOptions, Language, LineRange, SearchHit,
    SearchMode, SearchQuery, SymbolKind,
};

fn indexed() -> Repository {
    let repository = Repository::polyglot();
    repository.index();
    repository
}

/// The names of what is found, best first.
fn names(hits: &[SearchHit]) -> Vec<&str> {
    hits.iter().filter_map(|hit| hit.name.as_deref()).collect()
}

#[test]
fn a_name_finds_its_definition_first() {
    let repository = indexed();
    let definitions = [
        ("retry_with_backoff", "core/src/retry.rs", SymbolKind::Function),
        ("cancelJob", "web/src/api.ts", SymbolKind::Function),
        ("seedDatabase", "tools/seed.js", SymbolKind::Function),
        ("load_latencies", "scripts/ferry/metrics.py", SymbolKind::Function),
        ("fletcher32", "native/checksum.cpp", SymbolKind::Function),
        ("RingBuffer", "native/ring_buffer.hpp", SymbolKind::Class),
        ("Percentiles", "scripts/ferry/metrics.py", SymbolKind::Class),
    ];
    for (name, path, kind) in definitions {
        for mode in [SearchMode::Hybrid, SearchMode::Lexical] {
            let reply = repository.search(&SearchQuery { mode, ..SearchQuery::new(name) });
            let first = &reply.hits[0];
            let found = (first.name.as_deref(), first.path.as_str(), first.kind);
            assert_eq!(found, (Some(name), path, Some(kind)), "{mode}");
        }
    }
}

#[test]
fn a_name_that_begins_another_is_found_with_it() {
    let repository = indexed();
    for mode in [SearchMode::Hybrid, SearchMode::Lexical] {
        let query = SearchQuery { mode, ..SearchQuery::new("JobTable") };
        assert_eq!(names(&repository.search(&query).hits)[..2], ["JobTable", "JobTableProps"], "{mode}");
    }
}

#[test]
fn words_find_what_they_describe() {
    let repository = indexed();
    let questions = [
        ("wait longer between attempts", "core/src/retry.rs"),
        ("checksum of a payload", "native/checksum.cpp"),
        ("who is signed in", "web/src/session.ts"),
        ("weekly report", "scripts/report.py"),
        ("milliseconds as minutes and seconds", "tools/lib/format.js"),
    ];
    for (question, path) in questions {
        let reply = repository.search(&SearchQuery::new(question));
        assert_eq!(reply.hits[0].path.as_str(), path, "{question}: {:?}", names(&reply.hits));
    }
}

#[test]
fn filters_let_pass_only_what_they_name() {
    let repository = indexed();
    let query = || SearchQuery { limit: 100, ..SearchQuery::new("job queue lease session") };
    let all = repository.search(&query()).hits;
    assert!(all.iter().any(|hit| hit.path.as_str().starts_with("core/")));
    assert!(all.iter().any(|hit| !hit.path.as_str().starts_with("core/")));

    let paths = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let hits = repository.search(&SearchQuery { paths, ..query() }).hits;
        assert!(!hits.is_empty());
        hits.into_iter().map(|hit| hit.path.to_string()).collect::<Vec<_>>()
    };
    assert!(paths(&["core"]).iter().all(|path| path.starts_with("core/")));
    assert!(paths(&["**/*.java"]).iter().all(|path| path.ends_with(".java")));
    assert!(
        paths(&["web/src/*.ts"]).iter().all(|path| path.ends_with(".ts") && !path.contains("components"))
    );
    assert!(paths(&["queue.rs"]).iter().all(|path| path == "core/src/queue.rs"));
    let two = paths(&["*.py", "*.java"]);
    assert!(two.iter().all(|path| path.ends_with(".py") || path.ends_with(".java")));

    let rust: Language = "rust".parse().expect("a language");
    let hits = repository.search(&SearchQuery { languages: vec![rust], ..query() }).hits;
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.path.as_str().ends_with(".rs")));

    let kinds = vec![SymbolKind::Interface, SymbolKind::Enum];
    let hits = repository.search(&SearchQuery { kinds: kinds.clone(), ..query() }).hits;
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.kind.is_some_and(|kind| kinds.contains(&kind))));
}

#[test]
fn a_limit_and_a_threshold_cut_the_end_off() {
    let repository = indexed();
    let query = |limit, threshold| SearchQuery { limit, threshold, ..SearchQuery::new("job") };
    let all = repository.search(&query(100, 0.0)).hits;
    assert!(all.len() > 3 && all.is_sorted_by(|a, b| a.score >= b.score));
    assert_eq!(repository.search(&query(3, 0.0)).hits, all[..3]);
    let threshold = all[2].score;
    let above = repository.search(&query(100, threshold)).hits;
    assert!(above.len() < all.len() && above.iter().all(|hit| hit.score >= threshold));
    assert_eq!(repository.search(&query(0, 0.0)).hits, []);
}

#[test]
fn a_snippet_is_the_lines_of_the_file() {
    let repository = indexed();
    let source = repository.read("core/src/retry.rs");
    let query = SearchQuery { limit: 1, ..SearchQuery::new("retry_with_backoff") };
    let hit = &repository.search(&query).hits[0];
    assert_eq!(hit.snippet, source[hit.span.start as usize..hit.span.end as usize]);
    assert!(hit.snippet.contains("pub fn retry_with_backoff"));

    let with_context = &repository.search(&SearchQuery { context: 2, ..query }).hits[0];
    let shown = with_context.snippet_lines;
    let last = (source.lines().count() as u32).min(hit.lines.end + 2);
    assert_eq!(shown, LineRange::new(hit.lines.start - 2, last));
    let lines: Vec<&str> = source.lines().collect();
    assert_eq!(with_context.snippet, lines[shown.start as usize - 1..shown.end as usize].join("\n"));
}

#[test]
fn a_hit_tells_when_its_file_has_changed_since() {
    let repository = indexed();
    let query = SearchQuery { limit: 1, ..SearchQuery::new("fletcher32") };
    let before = repository.search(&query).hits.remove(0);
    assert_eq!(before.changed, Some(false));

    // Touched, but as it was.
    repository.write("native/checksum.cpp", repository.read("native/checksum.cpp"));
    assert_eq!(repository.search(&query).hits[0].changed, Some(false));

    repository.write("native/checksum.cpp", "int something_else;\n");
    let after = &repository.search(&query).hits[0];
    assert_eq!(after.changed, Some(true));
    assert_eq!(after.snippet, before.snippet, "what is shown is what was indexed");

    repository.remove("native/checksum.cpp");
    assert_eq!(repository.search(&query).hits[0].changed, Some(true));
}

#[test]
fn what_cannot_be_asked_is_an_error() {
    let repository = indexed();
    block_on(async {
        let config = EngineConfig::for_tree(repository.root()).read_only();
        let engine = Engine::open(config).await.expect("the index opens");
        for text in ["", "  \n", "?!"] {
            let result = engine.search(&SearchQuery::new(text)).await;
            assert!(matches!(result, Err(EngineError::Query(_))), "{text:?}: {result:?}");
        }
        let query = SearchQuery { paths: vec!["src/[".into()], ..SearchQuery::new("job") };
        let result = engine.search(&query).await;
        assert!(matches!(result, Err(EngineError::Pattern { .. })), "{result:?}");
        engine.close().await;
    });
}

#[test]
fn readers_see_each_generation_while_a_writer_is_open() {
    let repository = indexed();
    block_on(async {
        let writer = Engine::open(EngineConfig::for_tree(repository.root())).await.expect("a writer");
        let config = EngineConfig::for_tree(repository.root()).read_only();
        let reader = Engine::open(config).await.expect("a reader beside the writer");
        let query = SearchQuery { mode: SearchMode::Lexical, ..SearchQuery::new("zeppelin") };
        let nothing = reader.search(&query).await.expect("an answer");
        assert_eq!(nothing.hits, []);

        repository.write("core/src/airship.rs", "pub fn moor_zeppelin() {}\n");
        let options = IndexOptions::default();
        let report = writer.index(repository.root(), &options, IndexControl::default()).await;
        let report = report.expect("the tree can be indexed");
        for engine in [&reader, &writer] {
            let found = engine.search(&query).await.expect("an answer");
            assert_eq!(names(&found.hits), ["moor_zeppelin"]);
            assert_eq!(found.generation, report.generation);
        }
        // The binary is a reader too.
        let answer = repository.run(["search", "zeppelin", "--json"]);
        assert_eq!(answer.json()["hits"][0]["name"], "moor_zeppelin");
        reader.close().await;
        writer.close().await;
    });
}
