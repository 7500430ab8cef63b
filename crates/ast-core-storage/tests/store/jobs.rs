//! Jobs are kept with what they did, and outlive who ran them.

use crate::process::{Player, command, part, say, wait};
use crate::sample::{files, open, rust};
use ast_core_model::RepoPath;
use ast_core_storage::{Access, JobProgress, JobRecord, JobState, StoreError, WriteBatch};
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

#[tokio::test]
async fn what_is_noted_of_a_job_is_read_by_the_next_who_opens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let paths = ["a/b.rs", "c.py"].map(|path| RepoPath::new(path).unwrap());
    let named = JobRecord { paths: Some(paths.into()), rebuild: true, ..job(JobState::Queued) };
    let store = open(&path, Access::Write).await.unwrap();
    let id = store.add_job(&named).await.unwrap();
    let mut noted = JobRecord { id, ..named };
    assert_eq!(store.job(id).await.unwrap().as_ref(), Some(&noted));

    noted.state = JobState::Failed;
    (noted.started_ns, noted.finished_ns) = (Some(2), Some(3));
    noted.error = Some("no space".into());
    noted.progress = JobProgress {
        files_total: Some(7),
        bytes_done: 9,
        outcomes: vec![1, 2],
        failures: 1,
        first_failures: vec![("a/b.rs".into(), "gone".into())],
        ..JobProgress::default()
    };
    store.put_job(&noted).await.unwrap();
    let second = store.add_job(&job(JobState::Done)).await.unwrap();
    store.close().await;

    let store = open(&path, Access::Read).await.unwrap();
    let ids = |jobs: Vec<JobRecord>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(store.jobs().await.unwrap()), [second, id]);
    assert_eq!(store.job(id).await.unwrap(), Some(noted.clone()));
    assert_eq!(store.job(second + 1).await.unwrap(), None);
    assert!(matches!(store.add_job(&noted).await, Err(StoreError::ReadOnly { .. })));
}

#[tokio::test]
async fn of_those_that_are_over_the_last_hundred_are_kept_and_all_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("index.db"), Access::Write).await.unwrap();
    let waiting = store.add_job(&job(JobState::Queued)).await.unwrap();
    let mut last = 0;
    for at in 0..130 {
        let state = [JobState::Done, JobState::Failed, JobState::Cancelled, JobState::Interrupted][at % 4];
        last = store.add_job(&job(state)).await.unwrap();
    }
    let kept: Vec<u64> = store.jobs().await.unwrap().into_iter().map(|job| job.id).collect();
    let expected: Vec<u64> = (last - 99..=last).rev().chain([waiting]).collect();
    assert_eq!(kept, expected);
    assert_eq!(store.add_job(&job(JobState::Done)).await.unwrap(), last + 1);
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
