//! Jobs outlive the process that ran them.

use crate::process::{Player, command, part, say, wait};
use crate::sample::{files, open, rust};
use ast_core_storage::{Access, JobProgress, JobRecord, JobState, Store, WriteBatch};
use std::path::Path;

fn job(state: JobState) -> JobRecord {
    JobRecord {
        id: 0,
        state,
        root: "/tree".into(),
        paths: None,
        rebuild: false,
        created_ns: 1,
        started_ns: None,
        finished_ns: None,
        error: None,
        progress: JobProgress::default(),
    }
}

/// Commits a file with each step of a job, and says so.
#[tokio::main(flavor = "current_thread")]
async fn work(path: &Path) {
    let store = open(path, Access::Write).await.unwrap();
    let id = store.add_job(&job(JobState::Running)).await.unwrap();
    for done in 1..=3 {
        let progress = JobProgress { files_done: done, ..JobProgress::default() };
        let batch = files(vec![rust(done, &format!("{done}.rs"), "name")]);
        store.commit(WriteBatch { job: Some((id, progress)), ..batch }).await.unwrap();
    }
    store.add_job(&job(JobState::Done)).await.unwrap();
    say("done three");
    wait();
}

#[test]
fn a_job_whose_process_died_is_found_interrupted_with_what_it_did() {
    if let Some(path) = part() {
        return work(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let test = "jobs::a_job_whose_process_died_is_found_interrupted_with_what_it_did";
    let mut worker = Player::start(command(test, &path));
    assert_eq!(worker.hear().as_deref(), Some("done three"));
    worker.kill();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let store = open(&path, Access::Write).await.unwrap();
        store.interrupt_jobs().await.unwrap();
        let [over, cut_short] = &store.jobs().await.unwrap()[..] else { panic!("two jobs") };
        assert_eq!((over.state, cut_short.state), (JobState::Done, JobState::Interrupted));
        let JobProgress { files_done, generation, .. } = cut_short.progress;
        assert_eq!((files_done, generation), (3, store.generation().await.unwrap()));
        assert_eq!(store.files().await.unwrap().len(), 3);
        assert_eq!(store.files_until(generation - 1).await.unwrap().len(), 2);
    });
}
