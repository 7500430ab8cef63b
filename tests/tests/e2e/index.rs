//! `ast-core index`: what it reads, what it leaves out, and what it reports.

use crate::binary::Answer;
use crate::repository::Repository;
use crate::rows;
use ast_core_engine::{BatchConfig, EngineConfig, IndexOptions, SearchQuery};
use expect_test::expect;
use serde_json::Value;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// A report without what differs from machine to machine.
fn normalised(mut report: Value) -> String {
    for key in ["elapsed_ms", "peak_rss_bytes"] {
        assert!(report[key].is_u64(), "{key} is measured: {report}");
        report[key] = "...".into();
    }
    serde_json::to_string_pretty(&sorted(report)).expect("a document can be written")
}

/// With members in order, whatever order this build keeps them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        value => value,
    }
}

/// All numbers in a value, added.
fn total(value: &Value) -> u64 {
    match value {
        Value::Object(members) => members.values().map(total).sum(),
        value => value.as_u64().expect("a count"),
    }
}

#[track_caller]
fn assert_adds_up(report: &Value) {
    let files = &report["files"];
    assert_eq!(total(files), 2 * files["seen"].as_u64().expect("a count"), "{report}");
}

#[test]
fn a_first_run_reports_what_it_did() {
    let repository = Repository::polyglot();
    let answer = repository.run(["index", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_adds_up(&answer.json());
    expect![[r#"
        {
          "bytes": 9668,
          "chunks": 32,
          "elapsed_ms": "...",
          "failures": [],
          "files": {
            "indexed": 15,
            "removed": 0,
            "seen": 19,
            "skipped": {
              "binary": 0,
              "error": 0,
              "ignored": 3,
              "timeout": 0,
              "too_large": 0,
              "unsupported": 1
            },
            "unchanged": 0
          },
          "generation": 3,
          "lines": 356,
          "peak_rss_bytes": "...",
          "schema": 1,
          "symbols": 77
        }"#]]
    .assert_eq(&normalised(answer.json()));
}

#[test]
fn a_second_run_parses_nothing() {
    let repository = Repository::polyglot();
    let first = repository.run(["index", "--json"]).json();
    let second = repository.run(["index", "--json"]).json();
    assert_adds_up(&second);
    assert_eq!(second["files"]["indexed"], 0);
    assert_eq!(second["files"]["unchanged"], first["files"]["indexed"]);
    assert_eq!(second["bytes"], 0);
}

#[test]
fn a_rebuild_parses_everything() {
    let repository = Repository::polyglot();
    let first = repository.run(["index", "--json"]).json();
    let before = rows::dump(&repository.database());
    let second = repository.run(["index", "--rebuild", "--json"]).json();
    assert_eq!(second["files"], first["files"]);
    assert_eq!(rows::dump(&repository.database()), before);
}

#[test]
fn a_plan_does_nothing() {
    let repository = Repository::polyglot();
    let plan = repository.run(["index", "--plan", "--json"]).json();
    assert!(plan["new"].as_array().expect("paths").contains(&"core/src/queue.rs".into()), "{plan}");
    assert!(!repository.root().join(".ast-core").exists(), "a plan makes no index");

    repository.index();
    let before = std::fs::read(repository.database()).expect("the index");
    repository.edit("tools/seed.js", "8", "16");
    repository.remove("native/checksum.cpp");
    repository.write("core/src/new.rs", "fn added() {}\n");
    let plan = repository.run(["index", "--plan", "--json"]).json();
    assert_eq!(plan["new"], serde_json::json!(["core/src/new.rs"]));
    assert!(plan["changed"].as_array().expect("paths").contains(&"tools/seed.js".into()), "{plan}");
    assert_eq!(plan["removed"], serde_json::json!(["native/checksum.cpp"]));
    assert_eq!(std::fs::read(repository.database()).expect("the index"), before);
}

#[test]
fn the_index_stays_out_of_the_repository() {
    let repository = Repository::polyglot();
    repository.index();
    let rules = repository.read(".ast-core/.gitignore");
    assert_eq!(rules, "*\n!config.toml\n");
}

/// The paths of all files in the index.
fn indexed_paths(repository: &Repository) -> Vec<String> {
    let dump = rows::dump(&repository.database());
    dump.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).map(str::to_owned).collect()
}

#[test]
fn ignore_rules_hold_nested_and_negated() {
    let repository = Repository::polyglot();
    let before = {
        repository.index();
        indexed_paths(&repository)
    };
    let left_out = [
        "build/generated.rs",
        "web/dist/bundle.js",
        "web/src/client.gen.ts",
        "web/src/page.snapshot.js",
        "web/src/keep.snapshot.js",
        "native/third_party/zlib.cpp",
        "scripts/__pycache__/report.py",
        ".hidden.rs",
        ".cache/inner.rs",
    ];
    let kept = ["web/src/routes.gen.ts", "web/keep.snapshot.js", "core/build/inner.rs", "tools/dist/x.js"];
    for path in left_out.into_iter().chain(kept) {
        repository.write(path, "// nothing\n");
    }
    let report = repository.index();
    assert_eq!(report.files.indexed, kept.len() as u64, "{report:?}");
    let mut expected = before;
    expected.extend(kept.map(str::to_owned));
    expected.sort();
    assert_eq!(indexed_paths(&repository), expected);
}

#[test]
fn what_becomes_ignored_goes_out_of_the_index() {
    let repository = Repository::polyglot();
    let first = repository.index();
    repository.write(".ast-coreignore", "native/\n");
    let report = repository.index();
    assert_eq!(report.files.removed, 2, "{report:?}");
    repository.remove(".ast-coreignore");
    let report = repository.index();
    assert_eq!((report.files.indexed, report.files.unchanged), (2, first.files.indexed - 2), "{report:?}");
}

#[test]
fn the_users_own_ignore_rules_hold() {
    let repository = Repository::polyglot();
    let all = repository.run(["index", "--json"]).json();
    std::fs::create_dir(repository.beside("home").join("git")).expect("a folder");
    std::fs::write(repository.beside("home").join("git/ignore"), "*.java\n").expect("a file");
    let fewer = repository.run(["index", "--json"]).json();
    assert_eq!(fewer["files"]["removed"], 2, "{all} {fewer}");
}

#[test]
fn a_rule_above_the_tree_is_somebody_elses() {
    let repository = Repository::polyglot();
    std::fs::write(repository.beside(".gitignore"), "*.rs\n").expect("a file");
    let report = repository.index();
    assert_eq!(
        indexed_paths(&repository).iter().filter(|path| path.ends_with(".rs")).count(),
        3,
        "{report:?}"
    );
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let repository = Repository::polyglot();
    let queries = ["retry", "cancel a job", "percentile of latencies", "JobQueue", "session token", "lease"];
    let outcome = |workers: usize| {
        let database = repository.beside(&format!("{workers}.db"));
        let workers = NonZeroUsize::new(workers).expect("some workers");
        let config = EngineConfig {
            batch: BatchConfig { workers, ..EngineConfig::new("").batch },
            ..EngineConfig::new(&database)
        };
        repository.index_with(config.clone(), &IndexOptions::default());
        let hits: Vec<_> = queries
            .iter()
            .map(|query| repository.search_with(config.clone().read_only(), &SearchQuery::new(*query)).hits)
            .collect();
        assert!(hits.iter().all(|hits| !hits.is_empty()));
        let dump = rows::dump_with_ids(&database);
        for kind in ["file", "document", "vectors", "signature"] {
            assert!(dump.contains(&format!("\n  {kind} ")), "there is no {kind} among the rows");
        }
        (dump, hits)
    };
    let alone = outcome(1);
    assert_eq!(outcome(2), alone);
    assert_eq!(outcome(8), alone);
}

#[test]
fn an_index_holds_one_tree() {
    let (repository, other) = (Repository::polyglot(), Repository::polyglot());
    let database = repository.beside("index.db");
    let database = database.to_str().expect("a path in UTF-8");
    assert_eq!(repository.run(["index", "--db", database]).code, Some(0));
    let before = rows::dump_with_ids(database.as_ref());
    let answer: Answer = other.run(["index", "--db", database]);
    let roots = [repository.root(), other.root()].map(|root| root.display().to_string());
    answer.assert_refused(2, &[database, &roots[0], &roots[1], "--db"]);
    assert_eq!(rows::dump_with_ids(database.as_ref()), before);
}
