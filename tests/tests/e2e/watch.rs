//! A watched tree and its index are the same, whatever is done to the tree.

use crate::repository::{Repository, block_on};
use crate::rows;
use ast_core_engine::{
    CancelToken, Engine, EngineConfig, EngineError, IndexOptions, IndexReport, StoreError, WatchEvent,
    WatchOptions,
};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

struct Watched {
    cancel: CancelToken,
    events: Receiver<WatchEvent>,
    thread: Option<JoinHandle<Result<(), String>>>,
    database: PathBuf,
}

impl Watched {
    fn start(repository: &Repository, database: PathBuf) -> Self {
        let (root, config) = (repository.root(), EngineConfig::new(&database));
        Self::start_by(database, move |options, token, tell| {
            block_on(async {
                let engine = Engine::open(config).await.expect("the index opens");
                let ended = engine.watch(&root, &options, &token, tell).await;
                engine.close().await;
                ended
            })
        })
    }

    /// The same without holding the index.
    fn keep_up(repository: &Repository) -> Self {
        let (root, config) = (repository.root(), EngineConfig::for_tree(repository.root()));
        Self::start_by(repository.database(), move |options, token, tell| {
            block_on(Engine::keep_up(config, &root, &options, &token, tell))
        })
    }

    fn start_by(
        database: PathBuf,
        watch: impl FnOnce(
            WatchOptions,
            CancelToken,
            Box<dyn FnMut(WatchEvent) + Send>,
        ) -> Result<(), EngineError>
        + Send
        + 'static,
    ) -> Self {
        let cancel = CancelToken::new();
        let (sender, events) = channel();
        let token = cancel.clone();
        let options = WatchOptions { poll: Duration::from_millis(200), ..WatchOptions::default() };
        let thread = std::thread::spawn(move || {
            let ended = watch(options, token, Box::new(move |event| drop(sender.send(event))));
            ended.map_err(|error| error.to_string())
        });
        let watched = Self { cancel, events, thread: Some(thread), database };
        match watched.events.recv_timeout(PATIENCE) {
            Ok(WatchEvent::Ready { watched, .. }) => assert!(watched.is_some(), "nothing is told here"),
            other => panic!("{other:?}"),
        }
        watched
    }

    fn updated(&self) -> IndexReport {
        match self.events.recv_timeout(PATIENCE) {
            Ok(WatchEvent::Updated { report }) => report,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the rows are those of a new index.
    #[track_caller]
    fn catches_up(&self, repository: &Repository, what: &str) {
        let fresh = tempfile::tempdir().expect("a temporary folder");
        let fresh = fresh.path().join("fresh.db");
        repository.index_with(EngineConfig::new(&fresh), &IndexOptions::default());
        let (expected, begin) = (rows::dump(&fresh), Instant::now());
        while rows::dump(&self.database) != expected {
            assert!(begin.elapsed() < PATIENCE, "{what} is not in the index");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancel.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(ended) = ended
            && !std::thread::panicking()
        {
            assert_eq!(ended.expect("the watch does not panic"), Ok(()), "it ends when it is told to");
        }
    }
}

#[test]
fn what_is_done_to_the_tree_is_done_to_the_index() {
    let repository = Repository::polyglot();
    repository.write("src/deep/er/a.rs", "fn before() {}\n");
    edit(&repository, &Watched::start(&repository, repository.database()));
}

#[test]
fn it_is_so_without_holding_the_index() {
    let repository = Repository::polyglot();
    repository.write("src/deep/er/a.rs", "fn before() {}\n");
    repository.index();
    edit(&repository, &Watched::keep_up(&repository));
}

/// Does to the tree what people do, and waits for the index each time.
fn edit(repository: &Repository, watched: &Watched) {
    repository.write("new.py", "def added():\n    pass\n");
    watched.catches_up(repository, "a new file");
    repository.edit("new.py", "added", "changed");
    watched.catches_up(repository, "an edit");
    // As an editor saves: another file takes the place.
    repository.write("new.py~", "def saved():\n    pass\n");
    repository.rename("new.py~", "new.py");
    watched.catches_up(repository, "a file that was renamed over another");
    repository.rename("new.py", "src/deep/moved.py");
    watched.catches_up(repository, "a renamed file");
    repository.remove("src/deep/moved.py");
    watched.catches_up(repository, "a removed file");

    repository.write("one/two/three/c.ts", "export const c = 1\n");
    watched.catches_up(repository, "a file in new directories");
    repository.write("one/two/three/d.ts", "export const d = 1\n");
    watched.catches_up(repository, "another in them");
    repository.rename("one", "another");
    watched.catches_up(repository, "a renamed directory");
    repository.write("another/two/e.ts", "export const e = 1\n");
    watched.catches_up(repository, "a file in a renamed directory");

    repository.write(".gitignore", "two/\n");
    watched.catches_up(repository, "a new rule");
    repository.remove(".gitignore");
    watched.catches_up(repository, "a rule that is gone");
    std::fs::remove_dir_all(repository.root().join("src")).expect("a directory can be removed");
    watched.catches_up(repository, "a removed directory");
    repository.write("src/again.rs", "fn again() {}\n");
    watched.catches_up(repository, "a directory of an old name");
}

#[test]
fn a_burst_ends_in_the_same_rows() {
    let repository = Repository::polyglot();
    let watched = Watched::start(&repository, repository.database());
    for round in 0..4 {
        for number in 0..400 {
            let path = format!("burst/part{}/file{number}.rs", number % 40);
            repository.write(&path, format!("fn of_round_{round}_{number}() {{}}\n"));
        }
    }
    watched.catches_up(&repository, "a burst");
    for number in (0..400).step_by(2) {
        repository.remove(&format!("burst/part{}/file{number}.rs", number % 40));
    }
    watched.catches_up(&repository, "a burst of removals");
}

#[test]
fn the_index_itself_is_no_change() {
    let repository = Repository::polyglot();
    // In the middle of the tree, where every write to it is told of.
    let watched = Watched::start(&repository, repository.root().join("visible.db"));
    repository.write("a.py", "def a(): pass\n");
    assert_eq!(watched.updated().files.indexed, 1);
    let more = watched.events.recv_timeout(Duration::from_millis(700));
    assert!(matches!(more, Err(RecvTimeoutError::Timeout)), "{more:?}");
}

#[test]
fn a_tree_may_go_and_come_back() {
    let repository = Repository::polyglot();
    let watched = Watched::start(&repository, repository.beside("index.db"));
    let away = repository.beside("away");
    std::fs::rename(repository.root(), &away).expect("a directory can be renamed");
    match watched.events.recv_timeout(PATIENCE) {
        Ok(WatchEvent::Failed { error }) => assert!(error.to_string().contains("tree"), "{error}"),
        other => panic!("{other:?}"),
    }
    std::fs::rename(&away, repository.root()).expect("a directory can be renamed");
    watched.updated();
    repository.write("back.py", "def back(): pass\n");
    watched.catches_up(&repository, "a file of a tree that came back");
}

#[cfg(unix)]
#[test]
fn the_command_tells_of_each_change_and_ends_at_an_interrupt() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let repository = Repository::polyglot();
    let mut command = repository.command(["watch", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    let mut events = lines.map(|line| {
        let line = line.expect("output is UTF-8");
        serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let ready = events.next().expect("it gets ready");
    assert_eq!((&ready["event"], &ready["schema"]), (&"ready".into(), &1.into()), "{ready}");
    assert!(ready["watched"].as_u64().is_some_and(|directories| directories > 1), "{ready}");
    assert!(ready["files"]["indexed"].as_u64().is_some_and(|files| files > 3), "{ready}");

    repository.write("added.py", "def added():\n    pass\n");
    let updated = events.next().expect("it tells");
    assert_eq!(
        (&updated["event"], &updated["files"]["indexed"]),
        (&"updated".into(), &1.into()),
        "{updated}"
    );
    let found = repository.run(["search", "added", "--json"]).json();
    assert_eq!(found["hits"][0]["path"], "added.py");
    assert_eq!(found["generation"], updated["generation"]);

    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signal.expect("kill runs").success());
    assert_eq!(events.next(), None);
    assert_eq!(child.wait().expect("a child ends").code(), Some(130));
}

#[test]
fn others_write_to_an_index_that_is_kept_up() {
    let repository = Repository::polyglot();
    repository.index();
    let mut watched = Watched::keep_up(&repository);
    // It may look once more, at directories that it has only just begun to watch.
    let begin = Instant::now();
    let engine = loop {
        match block_on(Engine::open(EngineConfig::for_tree(repository.root()))) {
            Ok(engine) => break engine,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
    };
    repository.write("new.py", "def added():\n    pass\n");
    match watched.events.recv_timeout(PATIENCE) {
        Ok(WatchEvent::Failed { error: EngineError::Store(StoreError::Locked { .. }) }) => {}
        other => panic!("{other:?}"),
    }
    block_on(engine.close());
    assert!(watched.updated().files.unchanged > 0, "all of the tree was looked at");
    watched.catches_up(&repository, "what changed meanwhile");

    // Who deletes an index does not want another.
    std::fs::remove_dir_all(repository.root().join(".ast-core")).expect("it can be removed");
    repository.write("new.py", "def changed():\n    pass\n");
    let ended = watched.thread.take().expect("it runs").join().expect("the watch does not panic");
    assert!(ended.as_ref().is_err_and(|error| error.contains("index.db")), "{ended:?}");
    assert!(!repository.database().exists());
}
