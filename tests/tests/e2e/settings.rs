//! What is set once: which setting wins, what a tree may set, and what is told of it.

use crate::binary::Answer;
use crate::repository::Repository;
use serde_json::Value;
use std::fs;

fn indexed() -> Repository {
    let repository = Repository::polyglot();
    repository.index();
    repository
}

fn set_by_user(repository: &Repository, text: &str) {
    let folder = repository.beside("home").join("ast-core");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.toml"), text).expect("a file");
}

fn set_by_tree(repository: &Repository, text: &str) {
    repository.write(".ast-core/config.toml", text);
}

fn with(repository: &Repository, variable: (&str, &str), arguments: &[&str]) -> Answer {
    let output = repository.command(arguments).env(variable.0, variable.1).output();
    Answer::of(output.expect("the binary runs"))
}

fn hits(answer: &Answer) -> usize {
    answer.json()["hits"].as_array().expect("hits").len()
}

/// What `status --show-config` says of a setting.
fn told(answer: &Answer, key: &str) -> Value {
    let settings = answer.json();
    let rows = settings["settings"].as_array().expect("settings").clone();
    rows.into_iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}: {answer:?}"))
}

#[test]
fn what_is_nearer_to_the_command_wins_and_is_told() {
    let repository = indexed();
    let search = ["search", "job", "--json"];
    let show = ["status", "--show-config", "--json"];
    let origin = |answer: &Answer| {
        let row = told(answer, "search.limit");
        (row["value"].clone(), row["origin"].clone(), row["from"].clone(), row["line"].clone())
    };
    let path = |path: std::path::PathBuf| Value::from(path.display().to_string());

    assert_eq!(hits(&repository.run(search)), 10);
    assert_eq!(origin(&repository.run(show)), (10.into(), "default".into(), Value::Null, Value::Null));

    set_by_user(&repository, "# mine\n[search]\nlimit = 7\n");
    assert_eq!(hits(&repository.run(search)), 7);
    let user = path(repository.beside("home").join("ast-core/config.toml"));
    assert_eq!(origin(&repository.run(show)), (7.into(), "user".into(), user, 3.into()));

    set_by_tree(&repository, "search.limit = 5\n");
    assert_eq!(hits(&repository.run(search)), 5);
    let tree = path(repository.root().join(".ast-core/config.toml"));
    assert_eq!(origin(&repository.run(show)), (5.into(), "project".into(), tree, 1.into()));
    // Wherever in the tree, and whatever names the index.
    let below = repository.command(search).current_dir(repository.root().join("web")).output();
    assert_eq!(hits(&Answer::of(below.expect("the binary runs"))), 5);
    let database = repository.database().display().to_string();
    assert_eq!(hits(&with(&repository, ("AST_CORE_DB", &database), &search)), 5);

    let variable = ("AST_CORE_SEARCH_LIMIT", "3");
    assert_eq!(hits(&with(&repository, variable, &search)), 3);
    let environment = (3.into(), "environment".into(), variable.0.into(), Value::Null);
    assert_eq!(origin(&with(&repository, variable, &show)), environment);

    assert_eq!(hits(&with(&repository, variable, &["search", "job", "--json", "--limit", "2"])), 2);
    let shown = with(
        &repository,
        ("AST_CORE_EMBEDDER", "builtin"),
        &["status", "--show-config", "--json", "--embedder", "hash"],
    );
    let embedder = told(&shown, "embedder.use");
    assert_eq!(
        (&embedder["value"], &embedder["origin"], &embedder["from"]),
        (&"hash".into(), &"flag".into(), &"--embedder".into())
    );
    let set = with(&repository, ("AST_CORE_EMBEDDER", "hash"), &show);
    assert_eq!(told(&set, "embedder.use")["origin"], "environment");
    assert_eq!(told(&set, "format")["from"], "--format");
}

#[test]
fn an_index_elsewhere_has_the_settings_of_its_tree() {
    let repository = Repository::polyglot();
    set_by_tree(&repository, "search.limit = 4\n");
    let elsewhere = repository.beside("elsewhere.db").display().to_string();
    assert_eq!(repository.run(["index", "--db", &elsewhere]).code, Some(0));
    let mut search = repository.command(["search", "job", "--json", "--db", &elsewhere]);
    let answer = search.current_dir(repository.beside("home")).output().expect("the binary runs");
    assert_eq!(hits(&Answer::of(answer)), 4);
}

#[test]
fn people_are_told_the_same_as_programs() {
    let repository = indexed();
    set_by_tree(&repository, "\n[index]\nexclude = [\"a b\", \"\u{9b}31m\"]\n");
    let answer = repository.run(["status", "--show-config"]);
    assert_eq!((answer.code, &*answer.stderr), (Some(0), ""));
    assert!(answer.stdout.contains("search.limit = 10  # default\n"), "{answer:?}");
    assert!(answer.stdout.contains("embedder.http.url is not set\n"), "{answer:?}");
    let line = answer.stdout.lines().find(|line| line.starts_with("index.exclude")).expect("a line");
    assert!(line.contains("\"a b\"") && line.ends_with(".ast-core/config.toml:3"), "{line}");
    assert!(!answer.stdout.contains(|c: char| c.is_control() && c != '\n'), "{line:?}");
    let lines = repository.run(["status", "--show-config", "--format", "jsonl"]);
    assert_eq!(lines.stdout.lines().count(), answer.stdout.lines().count());
    // An index is not needed.
    let without = Repository::polyglot();
    set_by_tree(&without, "search.limit = 4\n");
    assert_eq!(told(&without.run(["status", "--show-config", "--json"]), "search.limit")["value"], 4);
}

#[test]
fn a_tree_may_not_set_what_is_for_the_user() {
    let repository = indexed();
    for (text, key, line) in [
        ("[embedder]\nuse = \"http\"\n", "embedder.use", ":2"),
        ("[embedder.http]\nurl = \"https://example.com\"\n", "embedder.http.url", ":2"),
        ("embedder.http.key_env = \"AWS_SECRET_ACCESS_KEY\"\n", "embedder.http.key_env", ":1"),
        ("\nrerank.use = \"minilm:/\"\n", "rerank.use", ":2"),
        ("index.yes = true\n", "index.yes", ":1"),
        ("index.max_memory = 100000\n", "index.max_memory", ":1"),
        ("format = \"json\"\n", "format", ":1"),
    ] {
        set_by_tree(&repository, text);
        let user = repository.beside("home").join("ast-core/config.toml").display().to_string();
        for verb in [&["search", "job"][..], &["index"], &["status"], &["status", "--show-config"], &["map"]]
        {
            let place = format!(".ast-core/config.toml{line}");
            repository.run(verb).assert_refused(2, &[&place, key, "not for the settings of a tree", &user]);
        }
    }
    set_by_tree(&repository, "[search]\nlimt = 4\n");
    repository.run(["search", "job"]).assert_refused(2, &["config.toml:2", "search.limt", "search.limit"]);
    // What needs no index needs no tree either.
    assert_eq!(repository.run(["symbols", "core"]).code, Some(0));
}

#[cfg(unix)]
#[test]
fn the_settings_of_a_tree_are_not_read_through_a_link() {
    let repository = indexed();
    fs::write(repository.beside("secret"), "password = \"hunter2\"\n").expect("a file");
    let path = repository.root().join(".ast-core/config.toml");
    std::os::unix::fs::symlink(repository.beside("secret"), &path).expect("a link");
    let answer = repository.run(["search", "job"]);
    answer.assert_refused(2, &[".ast-core/config.toml"]);
    assert!(!answer.stderr.contains("password"), "{answer:?}");
}

#[test]
fn a_variable_that_sets_nothing_sensible_is_named() {
    let repository = indexed();
    with(&repository, ("AST_CORE_SEARCH_LIMIT", "many"), &["search", "job"])
        .assert_refused(2, &["AST_CORE_SEARCH_LIMIT", "many", "0 to 1000"]);
    assert_eq!(with(&repository, ("AST_CORE_SEARCH_LIMIT", ""), &["search", "job"]).code, Some(0));
}

#[test]
fn what_is_indexed_follows_the_settings() {
    let repository = Repository::polyglot();
    let indexed = |answer: &Answer| {
        let files = &answer.json()["files"];
        (files["indexed"].as_u64().unwrap(), files["removed"].as_u64().unwrap())
    };
    let index = ["index", "--json"];
    let (all, _) = indexed(&repository.run(index));
    let stale = || {
        let status = repository.run(["status", "--json"]).json();
        status["stale"].as_array().expect("it can be looked at").len() as u64
    };
    assert_eq!(stale(), 0);

    set_by_tree(
        &repository,
        "[index]\nlanguages = [\"rust\", \"python\"]\nexclude = [\"tools\", \"core/src/retry.rs\"]\n",
    );
    let differ = stale();
    let (none, removed) = indexed(&repository.run(index));
    assert!(none == 0 && removed > 0 && removed == differ && removed < all, "{removed} of {all}, {differ}");
    assert_eq!(stale(), 0);
    let left = repository.run(["search", "job", "--json", "--limit", "100"]).json();
    let languages: Vec<&str> =
        left["hits"].as_array().unwrap().iter().filter_map(|hit| hit["language"].as_str()).collect();
    assert!(languages.iter().all(|language| ["rust", "python"].contains(language)), "{languages:?}");
    assert_eq!(
        repository.run(["search", "retry_with_backoff", "--mode", "lexical", "--path", "retry.rs"]).code,
        Some(1)
    );
    // A plan says the same, with an index and without.
    let plan = repository.run(["index", "--plan", "--json"]).json();
    assert_eq!((&plan["new"], &plan["removed"]), (&Value::Array(vec![]), &Value::Array(vec![])));

    set_by_tree(&repository, "");
    assert_eq!(stale(), removed);
    assert_eq!(indexed(&repository.run(index)), (removed, 0));
    assert_eq!(stale(), 0);
}

#[test]
fn the_largest_file_that_is_indexed_can_be_set() {
    let repository = Repository::polyglot();
    repository.write("large.py", "def large_thing():\n    pass\n\n".repeat(200));
    let run = || repository.run(["index", "--json"]).json()["files"].clone();
    let all = run();
    assert_eq!(all["skipped"]["too_large"], 0);
    set_by_tree(&repository, "index.max_file_bytes = 4096\n");
    let stale = repository.run(["status", "--json"]).json()["stale"].clone();
    assert_eq!(stale, serde_json::json!([{ "path": "large.py", "change": "changed" }]));
    assert_eq!(run()["skipped"]["too_large"], 1);
    assert_eq!(repository.run(["search", "large_thing", "--mode", "lexical"]).code, Some(1));
    assert_eq!(run()["skipped"]["too_large"], 1);
    assert_eq!(repository.run(["status", "--json"]).json()["stale"], serde_json::json!([]));
    set_by_tree(&repository, "");
    assert_eq!(repository.run(["status", "--json"]).json()["stale"].as_array().map(Vec::len), Some(1));
    assert_eq!(run()["indexed"], 1);
    assert_eq!(repository.run(["search", "large_thing", "--mode", "lexical"]).code, Some(0));
}
