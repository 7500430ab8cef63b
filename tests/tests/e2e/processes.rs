//! Several processes on one index: one writes, all read, and nobody is told that somebody else is busy.

use crate::repository::{Repository, block_on};
use ast_core_engine::{Engine, EngineConfig, IndexControl, IndexOptions, SearchQuery};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

fn code(number: usize, edition: usize) -> String {
    format!("/// Edition {edition}.\npub fn storm_{number}_{edition}() -> usize {{\n    {edition}\n}}\n")
}

const FILES: usize = 40;
const COMMITS: usize = 60;

/// Writes the tree anew and brings the index up, again and again; the generation that it has come to.
fn storm(repository: &Repository, generation: &AtomicU64) {
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.expect("the index opens");
        for edition in 1..=COMMITS {
            for number in (edition % 4..FILES).step_by(4) {
                repository.write(&format!("file{number}.rs"), code(number, edition));
            }
            let report =
                engine.index(repository.root(), &IndexOptions::default(), IndexControl::default()).await;
            let report = report.expect("nobody is in the way");
            assert_eq!(report.failures, []);
            generation.store(report.generation, Ordering::SeqCst);
        }
        engine.close().await;
    });
}

#[test]
fn readers_are_never_refused_and_never_behind_during_a_storm_of_commits() {
    let repository = Repository::empty();
    (0..FILES).for_each(|number| repository.write(&format!("file{number}.rs"), code(number, 0)));
    repository.index();
    let (generation, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let ask = |arguments: &[&str]| {
        // That the last run has not come to its end is true as long as the storm goes on.
        let answer = repository.run(arguments.iter().chain(&["--quiet"]));
        assert_eq!((answer.code, &*answer.stderr), (Some(0), ""), "{arguments:?}: {answer:?}");
        serde_json::from_str::<serde_json::Value>(&answer.stdout).expect("JSON")
    };
    let asked = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            storm(&repository, &generation);
            is_over.store(true, Ordering::SeqCst);
        });
        // Processes that open the index for one question each, also while the writer empties the log and closes.
        for verb in
            [&["search", "storm", "--json"][..], &["status", "--json"], &["search", "edition", "--json"]]
        {
            let (ask, generation, is_over, asked) = (&ask, &generation, &is_over, &asked);
            scope.spawn(move || {
                let mut last = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let acknowledged = generation.load(Ordering::SeqCst);
                    let answer = ask(verb);
                    let found = answer["generation"].as_u64().expect("a generation");
                    assert!(found >= acknowledged.max(last), "{found} after {acknowledged} and {last}");
                    last = found;
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // One that stays open.
        scope.spawn(|| {
            block_on(async {
                let config = EngineConfig::for_tree(repository.root()).read_only();
                let engine = Engine::open(config).await.expect("the index opens");
                while !is_over.load(Ordering::SeqCst) {
                    let acknowledged = generation.load(Ordering::SeqCst);
                    let reply = engine.search(&SearchQuery::new("storm")).await.expect("an answer");
                    assert!(reply.generation >= acknowledged, "{} after {acknowledged}", reply.generation);
                    assert!(!reply.hits.is_empty());
                }
                engine.close().await;
            });
        });
        writer.join().expect("the storm ends");
    });
    assert!(asked.load(Ordering::SeqCst) > 20, "too few questions to mean anything: {asked:?}");
    let report = ask(&["doctor", "--json"]);
    assert_eq!(report["sound"], true, "{report}");
}

#[test]
fn a_second_writer_is_told_which_process_writes() {
    use std::io::{BufRead, BufReader};
    let repository = Repository::polyglot();
    let mut command = repository.command(["watch", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let mut said = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    assert!(said.next().expect("a line").expect("output is UTF-8").contains("ready"));
    let holder = format!("process {}", child.id());
    for verb in [&["index"][..], &["index", "--rebuild"], &["watch"], &["doctor", "--repair"]] {
        repository.run(verb).assert_refused(4, &[&holder, "index.db"]);
    }
    for verb in [&["search", "job"][..], &["status"], &["doctor"]] {
        assert_eq!(repository.run(verb).code, Some(0), "{verb:?} only reads");
    }
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
    assert_eq!(repository.run(["index"]).code, Some(0), "the right to write went with it");
}

#[cfg(unix)]
#[test]
fn a_watch_whose_index_is_taken_away_says_so_and_ends() {
    use std::io::Read;
    let repository = Repository::polyglot();
    let mut command = repository.command(["watch"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    while !repository.database().exists() || repository.run(["status"]).code != Some(0) {
        std::thread::sleep(Duration::from_millis(20));
    }
    while repository.run(["status", "--json"]).json()["complete"] != true {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::remove_dir_all(repository.root().join(".ast-core")).expect("a folder can be removed");
    // Until it is told of a change, nothing is wrong.
    let mut edition = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            break status;
        }
        edition += 1;
        repository.write("changed.rs", code(0, edition));
        std::thread::sleep(Duration::from_millis(100));
    };
    let mut said = String::new();
    child.stderr.take().expect("it was asked for").read_to_string(&mut said).expect("output is UTF-8");
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("was replaced or removed"), "{said}");
}
