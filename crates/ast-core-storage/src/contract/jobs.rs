//! Jobs are kept with what they did, and outlive who ran them.

use super::sample::{batch, file};
use super::{Backend, reader, writer};
use crate::{JobProgress, JobRecord, JobState, StoreError, WriteBatch};
use ast_core_model::RepoPath;

pub(crate) fn job(state: JobState) -> JobRecord {
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

fn ids(jobs: Vec<JobRecord>) -> Vec<u64> {
    jobs.into_iter().map(|job| job.id).collect()
}

pub async fn what_is_noted_of_a_job_is_read_by_the_next_who_opens<B: Backend>(backend: B) {
    let paths = ["a/b.rs", "c.py", "grüße\n.rs"].map(|path| RepoPath::new(path).unwrap());
    let named = JobRecord { paths: Some(paths.into()), rebuild: true, ..job(JobState::Queued) };
    let store = writer(&backend).await;
    let id = store.add_job(&named).await.unwrap();
    let mut noted = JobRecord { id, ..named };
    assert_eq!(store.job(id).await.unwrap().as_ref(), Some(&noted));

    noted.state = JobState::Failed;
    (noted.started_ns, noted.finished_ns) = (Some(2), Some(i64::MAX));
    noted.error = Some("no space".into());
    noted.progress = JobProgress {
        files_total: Some(7),
        bytes_done: u64::MAX,
        outcomes: vec![1, 2],
        failures: 1,
        first_failures: vec![("a/b.rs".into(), "gone".into())],
        ..JobProgress::default()
    };
    store.put_job(&noted).await.unwrap();
    store.close().await;
    let store = reader(&backend).await;
    assert_eq!(store.job(id).await.unwrap(), Some(noted));
    assert_eq!(store.job(id + 1).await.unwrap(), None);
}

pub async fn jobs_come_the_newest_first<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let mut added = Vec::new();
    for state in JobState::ALL {
        added.push(store.add_job(&job(*state)).await.unwrap());
    }
    assert!(added.is_sorted() && added[0] > 0);
    added.reverse();
    let jobs = reader(&backend).await.jobs().await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.state).rev().collect::<Vec<_>>(), JobState::ALL);
    assert_eq!(ids(jobs), added);
}

pub async fn of_those_that_are_over_the_last_hundred_are_kept_and_all_others<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let waiting = store.add_job(&job(JobState::Queued)).await.unwrap();
    let mut last = 0;
    for at in 0..130 {
        let state = [JobState::Done, JobState::Failed, JobState::Cancelled, JobState::Interrupted][at % 4];
        last = store.add_job(&job(state)).await.unwrap();
    }
    let kept = ids(store.jobs().await.unwrap());
    let expected: Vec<u64> = (last - 99..=last).rev().chain([waiting]).collect();
    assert_eq!(kept, expected);
    // A number is not given again.
    store.close().await;
    assert_eq!(writer(&backend).await.add_job(&job(JobState::Done)).await.unwrap(), last + 1);
}

pub async fn a_job_that_is_gone_stays_so<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let first = store.add_job(&job(JobState::Done)).await.unwrap();
    for _ in 0..100 {
        store.add_job(&job(JobState::Done)).await.unwrap();
    }
    store.put_job(&JobRecord { id: first, ..job(JobState::Running) }).await.unwrap();
    let progress = JobProgress { files_done: 1, ..JobProgress::default() };
    let noted = WriteBatch { job: Some((first, progress)), ..batch([file(1, "a.rs", "plum")]) };
    store.commit(noted).await.unwrap();
    assert_eq!(store.job(first).await.unwrap(), None);
    assert_eq!(store.jobs().await.unwrap().len(), 100);
    assert_eq!(store.files().await.unwrap().len(), 1);
}

pub async fn progress_comes_with_what_it_tells_of<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    let reader = reader(&backend).await;
    let id = store.add_job(&job(JobState::Running)).await.unwrap();
    for done in 1..=3 {
        let progress = JobProgress { files_done: done, generation: 99, ..JobProgress::default() };
        let files = batch([file(done, &format!("{done}.rs"), "plum")]);
        store.commit(WriteBatch { job: Some((id, progress)), ..files }).await.unwrap();
        let noted = reader.job(id).await.unwrap().unwrap();
        assert_eq!((noted.progress.files_done, noted.progress.generation), (done, done));
        assert_eq!(noted.state, JobState::Running);
        assert_eq!(reader.files().await.unwrap().len() as u64, done);
    }
}

pub async fn the_progress_of_a_commit_that_fails_is_not_noted<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    store.commit(batch([file(1, "a.rs", "plum")])).await.unwrap();
    let id = store.add_job(&job(JobState::Running)).await.unwrap();
    let progress = JobProgress { files_done: 1, ..JobProgress::default() };
    // The id of the file is taken.
    let unfit = WriteBatch { job: Some((id, progress)), ..batch([file(1, "b.rs", "mango")]) };
    let error = store.commit(unfit).await.unwrap_err();
    assert!(matches!(error, StoreError::InvalidFile { .. }), "{error}");
    assert_eq!(store.job(id).await.unwrap().unwrap().progress, JobProgress::default());
}

pub async fn jobs_that_are_not_over_can_be_interrupted<B: Backend>(backend: B) {
    let store = writer(&backend).await;
    for state in JobState::ALL {
        store.add_job(&job(*state)).await.unwrap();
    }
    store.close().await;
    // Opening alone says nothing of jobs.
    let store = writer(&backend).await;
    let states =
        async || store.jobs().await.unwrap().into_iter().rev().map(|job| job.state).collect::<Vec<_>>();
    assert_eq!(states().await, JobState::ALL);
    store.interrupt_jobs().await.unwrap();
    let over = |state: &JobState| if state.is_over() { *state } else { JobState::Interrupted };
    assert_eq!(states().await, JobState::ALL.iter().map(over).collect::<Vec<_>>());
}
