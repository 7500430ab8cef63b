//! Jobs: what they index, how they are held up, and how they are gone on with.

use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{
    EmbedError, EmbedInput, Embedder, Engine, EngineConfig, EngineError, IndexControl, IndexOptions, JobId,
    JobRequest, JobState, JobStatus, ModelInfo, StaticEmbedder, StoreConfig,
};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// An embedder that lets so many files through, and then waits until it may go on.
struct Gate {
    inner: StaticEmbedder,
    state: Mutex<Passing>,
    changed: Condvar,
}

struct Passing {
    may_pass: usize,
    came: usize,
}

impl Gate {
    fn new(may_pass: usize) -> Arc<Self> {
        let state = Mutex::new(Passing { may_pass, came: 0 });
        Arc::new(Self { inner: StaticEmbedder::default(), state, changed: Condvar::new() })
    }

    fn open(&self) {
        self.state.lock().unwrap().may_pass = usize::MAX;
        self.changed.notify_all();
    }

    fn came(&self) -> usize {
        self.state.lock().unwrap().came
    }
}

impl Embedder for Gate {
    fn model(&self) -> &ModelInfo {
        self.inner.model()
    }

    fn noise_floor(&self) -> f32 {
        self.inner.noise_floor()
    }

    fn embed(&self, inputs: &[EmbedInput<'_>], vectors: &mut Vec<f32>) -> Result<(), EmbedError> {
        let mut state = self.state.lock().unwrap();
        state.came += 1;
        let place = state.came;
        drop(self.changed.wait_while(state, |state| state.may_pass < place).unwrap());
        self.inner.embed(inputs, vectors)
    }

    /// So that it is asked file by file, and not for the vector file in the end.
    fn is_costly(&self) -> bool {
        true
    }

    fn embed_query(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        self.inner.embed_query(query)
    }
}

/// A tree of small files.
fn tree_of(files: usize) -> Repository {
    let repository = Repository::empty();
    for number in 0..files {
        let code =
            format!("/// Adds {number}.\npub fn add_{number}(to: u64) -> u64 {{\n    to + {number}\n}}\n");
        repository.write(&format!("part{}/file{number}.rs", number % 7), code);
    }
    // Files that are as new as the run that notes them are looked at again by the next.
    std::thread::sleep(Duration::from_millis(40));
    repository
}

fn gated(repository: &Repository, gate: &Arc<Gate>) -> EngineConfig {
    EngineConfig {
        embedder: gate.clone(),
        embedding_cache: None,
        ..EngineConfig::for_tree(repository.root())
    }
}

/// Short enough to look often, long enough for others to get on.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

async fn until(engine: &Engine, id: JobId, what: impl Fn(&JobStatus) -> bool) -> JobStatus {
    loop {
        let status = engine.job(id).await.unwrap();
        if what(&status) {
            return status;
        }
        assert!(!status.state.is_over(), "{status:?}");
        a_moment().await;
    }
}

fn ids(repository: &Repository) -> Vec<String> {
    rows::dump_with_ids(&repository.database())
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_job_tells_how_it_goes_and_the_next_process_how_it_went() {
    let repository = tree_of(40);
    repository.write("broken.rs", b"fn a() {}\0\0\0");
    let (id, ended) = block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.unwrap();
        let id = engine.submit(JobRequest::tree(repository.root())).await.unwrap();
        let mut events = engine.job_events(id).await.unwrap();
        let mut late = engine.job_events(id).await.unwrap();
        let mut last: Option<JobStatus> = None;
        while let Some(status) = events.next().await {
            if let Some(last) = &last {
                assert!(status.files_done >= last.files_done && status.bytes_done >= last.bytes_done);
                assert!(status.active >= last.active && status.symbols >= last.symbols);
            }
            last = Some(status);
        }
        let ended = engine.wait(id).await.unwrap();
        assert_eq!(last.as_ref(), Some(&ended));
        // Who did not look meanwhile still learns how it ended, and that this is all.
        assert_eq!((late.next().await.as_ref(), late.next().await), (Some(&ended), None));
        assert_eq!(engine.jobs().await.unwrap(), std::slice::from_ref(&ended));
        engine.close().await;
        (id, ended)
    });
    assert_eq!((ended.state, ended.error.as_ref()), (JobState::Done, None));
    assert_eq!((ended.files_total, ended.files_done, ended.symbols), (Some(41), 41, 40));
    assert_eq!((ended.files.indexed, ended.failure_count, ended.failures.len()), (40, 1, 1));
    assert_eq!(ended.failures[0].path, "broken.rs");
    assert_eq!(ended.bytes_total, Some(ended.bytes_done));
    assert!(ended.started >= Some(ended.created) && ended.finished >= ended.started);
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root()).read_only()).await.unwrap();
        assert_eq!(engine.job(id).await.unwrap(), ended);
        assert_eq!(ended.generation, engine.status().await.unwrap().generation);
        let missing = JobId::new(id.get() + 1);
        assert!(matches!(engine.job(missing).await, Err(EngineError::NoJob { id }) if id == missing));
        let refused = engine.submit(JobRequest::tree(repository.root())).await;
        assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    });
}

#[test]
fn a_job_of_some_files_indexes_those_and_leaves_the_others() {
    let repository = tree_of(10);
    repository.write(".gitignore", "out/\n");
    repository.index();
    let before = ids(&repository);
    repository.write("out/generated.rs", "pub fn generated() {}\n");
    repository.edit("part1/file1.rs", "add_1", "add_one");
    repository.edit("part2/file2.rs", "add_2", "add_two");
    repository.remove("part3/file3.rs");
    repository.write("notes.xyz", "no code");
    let status = block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.unwrap();
        let root = repository.root();
        let files = [
            root.join("out/generated.rs"),
            "part1/../part1/./file1.rs".into(),
            "part1/file1.rs".into(),
            "part3/file3.rs".into(),
            "nowhere/missing.rs".into(),
            "notes.xyz".into(),
            "part4".into(),
        ];
        let id = engine.submit(JobRequest::files(&root, files)).await.unwrap();
        let status = engine.wait(id).await.unwrap();
        engine.close().await;
        status
    });
    assert_eq!((status.state, status.named_files, status.files_done), (JobState::Done, Some(6), 2));
    assert_eq!((status.files.indexed, status.files.removed, status.files.failed), (2, 1, 3));
    let failed: Vec<&str> = status.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!(failed, ["notes.xyz", "nowhere/missing.rs", "part4"]);
    let after = ids(&repository);
    let kept = before.iter().filter(|line| after.contains(line)).count();
    // Also the one that was changed and not named.
    assert_eq!((after.len(), kept), (10, 8));
    let is_in = |path: &str| after.iter().any(|line| line.starts_with(path));
    assert!(is_in("out/generated.rs ") && !is_in("part3/file3.rs "), "{after:?}");
    // A run over all of the tree goes by its rules again.
    assert_eq!(repository.index().files.removed, 1);
}

#[cfg(unix)]
#[test]
fn files_outside_of_the_tree_are_refused_by_name() {
    let repository = tree_of(1);
    repository.index();
    std::fs::write(repository.beside("secret.rs"), "pub fn secret() {}\n").unwrap();
    std::os::unix::fs::symlink(repository.beside("home"), repository.root().join("away")).unwrap();
    std::os::unix::fs::symlink(repository.beside("secret.rs"), repository.root().join("link.rs")).unwrap();
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.unwrap();
        for file in [
            "../secret.rs",
            "part0/../../secret.rs",
            "away/file.rs",
            "/etc/passwd",
            "../../../../../../../x",
            ".",
        ] {
            let error = engine.submit(JobRequest::files(repository.root(), [file])).await.unwrap_err();
            assert!(matches!(error, EngineError::OutsideTree { .. }), "{file}: {error}");
            assert!(error.to_string().contains(file), "{file}: {error}");
        }
        assert_eq!(engine.jobs().await.unwrap().len(), 1);
        let id = engine.submit(JobRequest::files(repository.root(), ["link.rs"])).await.unwrap();
        let status = engine.wait(id).await.unwrap();
        assert_eq!((status.files.indexed, status.failure_count), (0, 1), "{status:?}");
        let other = engine.submit(JobRequest::tree(repository.beside("home"))).await.unwrap_err();
        assert!(matches!(other, EngineError::OtherRoot { .. }), "{other}");
        engine.close().await;
    });
}

#[test]
fn a_paused_job_starts_nothing_until_it_is_resumed() {
    let (repository, gate) = (tree_of(60), Gate::new(10));
    block_on(async {
        let engine = Engine::open(gated(&repository, &gate)).await.unwrap();
        let id = engine.submit(JobRequest::tree(repository.root())).await.unwrap();
        until(&engine, id, |status| status.files_done == 10).await;
        engine.pause(id).await.unwrap();
        gate.open();
        // What was at work comes to its end.
        let workers = engine.config().batch.workers.get() as u64;
        let (mut seen, mut same) = (0, 0);
        while same < 20 {
            a_moment().await;
            let status = engine.job(id).await.unwrap();
            assert_eq!(status.state, JobState::Paused);
            same = if status.files_done == seen { same + 1 } else { 0 };
            seen = status.files_done;
        }
        assert!(seen <= 10 + 2 * workers, "{seen} files");
        let status = engine.job(id).await.unwrap();
        assert_eq!(engine.job(id).await.unwrap().active, status.active);
        // Everything that is done is committed, and said so in the store.
        assert_eq!(engine.status().await.unwrap().files.indexed, seen);
        engine.pause(id).await.unwrap();
        engine.resume(id).await.unwrap();
        engine
            .resume(id)
            .await
            .unwrap_or_else(|error| assert!(matches!(error, EngineError::JobState { .. })));
        let status = engine.wait(id).await.unwrap();
        assert_eq!((status.state, status.files_done, status.files.indexed), (JobState::Done, 60, 60));
        for refused in [engine.pause(id).await, engine.resume(id).await, engine.cancel(id).await] {
            assert!(matches!(refused, Err(EngineError::JobState { state: JobState::Done, .. })));
        }
        engine.close().await;
    });
}

#[test]
fn a_paused_job_and_one_that_waits_for_its_turn_can_be_cancelled() {
    let (repository, gate) = (tree_of(60), Gate::new(10));
    block_on(async {
        let engine = Engine::open(gated(&repository, &gate)).await.unwrap();
        let first = engine.submit(JobRequest::tree(repository.root())).await.unwrap();
        until(&engine, first, |status| status.files_done == 10).await;
        let [second, third] = [["part0/file0.rs"], ["part1/file1.rs"]].map(|files| {
            let request = JobRequest::files(repository.root(), files);
            engine.submit(request)
        });
        let (second, third) = (second.await.unwrap(), third.await.unwrap());
        engine.pause(third).await.unwrap();
        assert_eq!(engine.job(second).await.unwrap().state, JobState::Queued);
        engine.cancel(second).await.unwrap();
        assert_eq!(engine.wait(second).await.unwrap().state, JobState::Cancelled);
        engine.pause(first).await.unwrap();
        gate.open();
        engine.cancel(first).await.unwrap();
        let status = engine.wait(first).await.unwrap();
        assert_eq!(status.state, JobState::Cancelled);
        assert!(status.files_done < 60 && status.files_done == status.files.indexed, "{status:?}");
        assert_eq!(engine.status().await.unwrap().files.indexed, status.files_done);
        // It is resumed as any other.
        engine.resume(first).await.unwrap();
        let status = engine.wait(first).await.unwrap();
        assert_eq!((status.state, status.files_done, status.files_total), (JobState::Done, 60, Some(60)));
        assert_eq!((status.files.indexed, status.symbols), (60, 60));
        // One that is paused while it waits lets others go first.
        assert_eq!(engine.job(third).await.unwrap().state, JobState::Paused);
        engine.resume(third).await.unwrap();
        assert_eq!(engine.wait(third).await.unwrap().state, JobState::Done);
        engine.close().await;
    });
}

/// Ends an engine with a job that has done some of its files, in some way.
fn cut_short(
    repository: &Repository,
    request: JobRequest,
    end: impl AsyncFnOnce(Engine, JobId, &Gate),
) -> JobId {
    let gate = Gate::new(20);
    block_on(async {
        let engine = Engine::open(gated(repository, &gate)).await.unwrap();
        let id = engine.submit(request).await.unwrap();
        let some = until(&engine, id, |status| status.files_done == 20 && status.symbols == 20).await;
        assert_eq!(some.state, JobState::Running);
        end(engine, id, &gate).await;
        // What is at work is not to wait for the test.
        gate.open();
        id
    })
}

/// A job goes on, in another engine, where it was cut short.
fn goes_on(repository: &Repository, id: JobId, files: u64) -> JobStatus {
    let before = ids(repository);
    let status = block_on(async {
        let engine = loop {
            // The one before may still be about to let go of it.
            match Engine::open(EngineConfig::for_tree(repository.root())).await {
                Ok(engine) => break engine,
                Err(error) => assert!(error.to_string().contains("being written"), "{error}"),
            }
            a_moment().await;
        };
        let status = engine.job(id).await.unwrap();
        assert_eq!((status.state, status.finished), (JobState::Interrupted, None));
        assert!(status.files_done >= 20 && status.files_done < files, "{status:?}");
        engine.resume(id).await.unwrap();
        let status = engine.wait(id).await.unwrap();
        engine.close().await;
        status
    });
    assert_eq!((status.state, status.files_done, status.files_total), (JobState::Done, files, Some(files)));
    assert_eq!((status.files.indexed, status.files.unchanged), (files, 0));
    let after = ids(repository);
    assert!(before.iter().filter(|line| after.contains(line)).count() >= 20, "files were parsed again");
    status
}

#[test]
fn a_job_of_an_engine_that_is_closed_or_dropped_is_gone_on_with() {
    for paused in [false, true] {
        for closed in [false, true] {
            let repository = tree_of(60);
            let id = cut_short(&repository, JobRequest::tree(repository.root()), async |engine, id, gate| {
                if paused {
                    engine.pause(id).await.unwrap();
                }
                gate.open();
                if closed { engine.close().await } else { drop(engine) }
            });
            goes_on(&repository, id, 60);
        }
    }
}

#[test]
fn a_rebuild_that_is_cut_short_is_gone_on_with_and_comes_to_its_end() {
    let repository = tree_of(60);
    repository.index();
    let original = ids(&repository);
    let request = || {
        let mut request = JobRequest::tree(repository.root());
        request.options.rebuild = true;
        request
    };
    let id = cut_short(&repository, request(), async |engine, _, gate| {
        gate.open();
        drop(engine);
    });
    let made_anew = ids(&repository).iter().filter(|line| !original.contains(line)).count();
    assert!((20..60).contains(&made_anew), "{made_anew}");
    goes_on(&repository, id, 60);
    let left = ids(&repository).iter().filter(|line| original.contains(line)).count();
    assert_eq!(left, 0, "files were not parsed again");

    // Nor does it need the job: the index knows.
    let original = ids(&repository);
    cut_short(&repository, request(), async |engine, _, gate| {
        gate.open();
        engine.close().await;
    });
    let report = repository.index();
    assert!(report.files.indexed > 0 && report.files.unchanged >= 20, "{report:?}");
    assert_eq!(ids(&repository).iter().filter(|line| original.contains(line)).count(), 0);
    assert_eq!(repository.index().files.unchanged, 60);
}

#[test]
fn an_index_run_goes_on_with_the_job_that_was_cut_short() {
    let repository = tree_of(60);
    let id = cut_short(&repository, JobRequest::tree(repository.root()), async |engine, _, gate| {
        gate.open();
        engine.close().await;
    });
    let report = repository.index();
    assert_eq!(report.files.indexed + report.files.unchanged, 60);
    assert!(report.files.unchanged >= 20);
    repository.index();
    block_on(async {
        let engine = Engine::open(EngineConfig::for_tree(repository.root())).await.unwrap();
        let [again, first] = &engine.jobs().await.unwrap()[..] else { panic!("two jobs") };
        assert_eq!((first.id, first.state, first.files.indexed), (id, JobState::Done, 60));
        assert_eq!((again.state, again.files.indexed, again.files.unchanged), (JobState::Done, 0, 60));
        engine.close().await;
    });
}

#[test]
fn a_runtime_ends_although_a_job_is_paused_or_waited_for() {
    let (repository, gate) = (tree_of(60), Gate::new(10));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let engine = runtime.block_on(async {
        let engine = Engine::open(gated(&repository, &gate)).await.unwrap();
        let id = engine.submit(JobRequest::tree(repository.root())).await.unwrap();
        until(&engine, id, |status| status.files_done == 10).await;
        engine.pause(id).await.unwrap();
        engine
    });
    gate.open();
    // Waits for threads that would be parked for ever.
    drop(runtime);
    drop(engine);
    assert!(gate.came() < 60);
}

#[test]
fn a_store_that_another_program_holds_is_waited_for() {
    use sqlx::{ConnectOptions, Connection, Executor};
    let (repository, gate) = (tree_of(5), Gate::new(0));
    block_on(async {
        let store = StoreConfig { busy_timeout: Duration::from_millis(20), ..StoreConfig::default() };
        let engine = Engine::open(EngineConfig { store, ..gated(&repository, &gate) }).await.unwrap();
        let id = engine.submit(JobRequest::tree(repository.root())).await.unwrap();
        while gate.came() == 0 {
            a_moment().await;
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(repository.database());
        let mut other = options.connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        gate.open();
        until(&engine, id, |status| status.files_done == 5).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(engine.job(id).await.unwrap().state, JobState::Running);
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
        let status = engine.wait(id).await.unwrap();
        assert_eq!((status.state, status.files.indexed), (JobState::Done, 5), "{status:?}");
        engine.close().await;
    });
}

#[test]
fn a_file_that_takes_too_long_is_among_the_failures() {
    let repository = tree_of(3);
    let config =
        EngineConfig { file_time_limit: Duration::ZERO, ..EngineConfig::for_tree(repository.root()) };
    let report = repository.index_with(config, &IndexOptions::default());
    assert_eq!((report.files.failed, report.files.indexed, report.failures.len()), (3, 0, 3));
    assert_eq!(report.failures[0].reason, "it took longer than 0 s");
    assert_eq!(repository.index().files.indexed, 3);
}

#[test]
fn who_drops_an_index_run_leaves_a_job_that_can_be_resumed() {
    let (repository, gate) = (tree_of(60), Gate::new(20));
    block_on(async {
        let engine = Engine::open(gated(&repository, &gate)).await.unwrap();
        let (root, options) = (repository.root(), IndexOptions::default());
        let run = engine.index(&root, &options, IndexControl::default());
        let came = async {
            while gate.came() < 20 {
                a_moment().await;
            }
        };
        tokio::select! {
            _ = run => panic!("it cannot have ended"),
            () = came => {}
        }
        let job = engine.jobs().await.unwrap().remove(0);
        assert_eq!(job.state, JobState::Interrupted);
        gate.open();
        engine.resume(job.id).await.unwrap();
        let status = engine.wait(job.id).await.unwrap();
        assert_eq!((status.state, engine.status().await.unwrap().files.indexed), (JobState::Done, 60));
        engine.close().await;
    });
}
