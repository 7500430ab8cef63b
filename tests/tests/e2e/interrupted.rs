//! A run that is cut short keeps what it committed, and the next goes on from there.
#![cfg(unix)]

use crate::binary::Answer;
use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{Engine, EngineConfig, IndexOptions, JobState};
use std::process::{Child, Command, Stdio};

const FILES: usize = 3000;

/// A tree that takes several commits.
pub(crate) fn large_tree() -> Repository {
    let repository = Repository::empty();
    for number in 0..FILES {
        let code: String = (0..12)
            .map(|function| {
                format!(
                    "/// Adds {function} to what file {number} was given.\n\
                     pub fn add_{number}_{function}(value: u64) -> u64 {{\n    value + {function}\n}}\n\n"
                )
            })
            .collect();
        repository.write(&format!("part{}/file{number}.rs", number % 20), code);
    }
    repository
}

fn start(repository: &Repository) -> Child {
    let mut command = repository.command(["index", "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

/// Waits until the run has committed more files than these; how many there are then.
fn wait_for_more_than(files: u64, child: &mut Child, repository: &Repository) -> u64 {
    loop {
        let count = rows::count_files(&repository.database()).unwrap_or(0);
        if count > files {
            return count;
        }
        assert_eq!(child.try_wait().expect("the child can be asked"), None, "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn a_run_that_is_cut_short_is_gone_on_with() {
    let repository = large_tree();

    let mut child = start(&repository);
    let committed = wait_for_more_than(0, &mut child, &repository);
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
    let kept = rows::count_files(&repository.database()).expect("the store can be read");
    assert!(kept >= committed && kept < FILES as u64, "{kept} of {FILES} files");
    let status = repository.run(["status", "--json"]).json();
    assert_eq!((&status["complete"], &status["files"]["indexed"]), (&false.into(), &kept.into()));

    let mut child = start(&repository);
    wait_for_more_than(kept, &mut child, &repository);
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signal.expect("kill runs").success());
    let answer = Answer::of(child.wait_with_output().expect("a child ends"));
    assert_eq!((answer.code, &*answer.stdout), (Some(130), ""), "{answer:?}");
    assert!(answer.stderr.contains("what was committed is kept"), "{answer:?}");
    let kept_again = rows::count_files(&repository.database()).expect("the store can be read");
    assert!(kept_again > kept && kept_again < FILES as u64, "{kept_again} of {FILES} files");

    let last = repository.run(["index", "--json"]).json();
    assert_eq!(last["files"]["unchanged"], kept_again);
    assert_eq!(last["files"]["indexed"], FILES as u64 - kept_again);
    // All of it was one job, which knows what it did in each of its processes.
    let jobs = block_on(async {
        let config = EngineConfig::for_tree(repository.root()).read_only();
        Engine::open(config).await.expect("the index opens").jobs().await.expect("jobs can be read")
    });
    let [job] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!(
        (job.state, job.files.indexed, job.symbols),
        (JobState::Done, FILES as u64, 12 * FILES as u64)
    );
    let database = repository.beside("fresh.db");
    repository.index_with(EngineConfig::new(&database), &IndexOptions::default());
    assert!(rows::dump(&repository.database()) == rows::dump(&database), "it is not what a new index holds");
}
