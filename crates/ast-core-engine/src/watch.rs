//! Keeping an index up with a tree that changes.
//!
//! The system tells of the directories that the last walk looked into, so what is ignored is not even watched. A change of
//! a file has the files of its directory looked at; a change of which directories there are, or of the rules, has the
//! whole tree. Nothing that is told is believed: each run looks at what is there.

use crate::config::INDEX_FOLDER;
use crate::discover::Scope;
use crate::{
    CancelToken, Engine, EngineConfig, EngineError, IndexControl, IndexOptions, IndexReport, StoreError,
};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How a tree is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// How long nothing must have changed before what did is indexed: a save is several changes. Default: 50 ms.
    pub quiet: Duration,
    /// How long changes are waited for at most, if they do not end. Default: 1 s.
    pub at_most: Duration,
    /// How often all of the tree is looked at where the system does not tell of changes, and how soon a run that failed
    /// is tried again. Default: 2 s.
    pub poll: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(50),
            at_most: Duration::from_secs(1),
            poll: Duration::from_secs(2),
        }
    }
}

/// What a watch tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// The index is up to the tree, and changes are waited for.
    Ready {
        /// What was done to bring it up.
        report: IndexReport,
        /// How many directories the system tells of; `None` if it does not, and the tree is looked at every
        /// [`poll`](WatchOptions::poll).
        watched: Option<usize>,
    },
    /// Something changed, and is in the index now.
    Updated {
        /// What was done.
        report: IndexReport,
    },
    /// The index could not be brought up. It is tried again, and told again if it fails in another way.
    Failed {
        /// Why.
        error: EngineError,
    },
}

/// How often it is looked whether the watch is to end.
const TICK: Duration = Duration::from_millis(50);

/// From so many directories with changes the whole tree is looked at.
const MANY_FOLDERS: usize = 256;

/// Files that say what is ignored.
const RULES: [&str; 3] = [".gitignore", ".ignore", ".ast-coreignore"];

impl Engine {
    /// Brings the index up to the tree at `root`, and goes on doing so as the tree changes, until it is cancelled. A
    /// changed file is searchable as soon as it was parsed and committed.
    ///
    /// Only what the files of the tree say is watched: a change of rules outside of it, such as the user's global ones,
    /// is seen by the next run over all of the tree.
    ///
    /// # Errors
    /// As [`index`](Self::index), if the first run fails; what fails later is told and tried again, but for
    /// [`StoreError::Replaced`] and [`StoreError::Fenced`].
    pub async fn watch(
        &self,
        root: impl AsRef<Path>,
        options: &WatchOptions,
        cancel: &CancelToken,
        mut tell: impl FnMut(WatchEvent) + Send,
    ) -> Result<(), EngineError> {
        watch(&Writer::Open(self), root.as_ref(), options, cancel, &mut tell).await
    }

    /// As [`watch`](Self::watch) for an index that is there, but it is open for writing only while there is something to be
    /// written, so that other programs can write to it meanwhile. While one of them does, [`StoreError::Locked`] is told,
    /// and it is tried again every [`poll`](WatchOptions::poll).
    ///
    /// # Errors
    /// As of [`watch`](Self::watch), and of [`open`](Self::open) the first time; [`StoreError::Missing`] as soon as there
    /// is no index.
    pub async fn keep_up(
        config: EngineConfig,
        root: impl AsRef<Path>,
        options: &WatchOptions,
        cancel: &CancelToken,
        mut tell: impl FnMut(WatchEvent) + Send,
    ) -> Result<(), EngineError> {
        watch(&Writer::Closed(Box::new(config)), root.as_ref(), options, cancel, &mut tell).await
    }
}

/// What brings the index up.
enum Writer<'a> {
    Open(&'a Engine),
    /// Opened for each run.
    Closed(Box<EngineConfig>),
}

impl Writer<'_> {
    fn config(&self) -> &EngineConfig {
        match self {
            Self::Open(engine) => &engine.config,
            Self::Closed(config) => config,
        }
    }

    async fn run(
        &self,
        root: &Path,
        cancel: &CancelToken,
        scope: Scope,
    ) -> Result<(IndexReport, Vec<PathBuf>), EngineError> {
        let control = IndexControl { cancel: cancel.child(), ..IndexControl::default() };
        let options = IndexOptions::default();
        match self {
            Self::Open(engine) => engine.index_scope(root, &options, control, scope).await,
            // Somebody who deletes an index does not want another.
            Self::Closed(config) if !config.database.exists() => {
                Err(StoreError::Missing { path: config.database.clone() }.into())
            }
            Self::Closed(config) => {
                let engine = Engine::open(EngineConfig::clone(config)).await?;
                let ran = engine.index_scope(root, &options, control, scope).await;
                engine.close().await;
                ran
            }
        }
    }

    /// The first run, which waits for others to be done with the index.
    async fn first_run(
        &self,
        root: &Path,
        options: &WatchOptions,
        cancel: &CancelToken,
        tell: &mut (impl FnMut(WatchEvent) + Send),
    ) -> Result<(IndexReport, Vec<PathBuf>), EngineError> {
        let mut told = false;
        loop {
            match self.run(root, cancel, Scope::Tree).await {
                Err(error @ EngineError::Store(StoreError::Locked { .. }))
                    if matches!(self, Self::Closed(_)) =>
                {
                    if !std::mem::replace(&mut told, true) {
                        tell(WatchEvent::Failed { error });
                    }
                }
                ran => return ran,
            }
            let begin = Instant::now();
            while begin.elapsed() < options.poll {
                if cancel.is_cancelled() {
                    return Err(EngineError::Cancelled);
                }
                tokio::time::sleep(TICK).await;
            }
        }
    }
}

async fn watch(
    writer: &Writer<'_>,
    root: &Path,
    options: &WatchOptions,
    cancel: &CancelToken,
    tell: &mut (impl FnMut(WatchEvent) + Send),
) -> Result<(), EngineError> {
    let canonical = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut watch = Watch::new(canonical, &writer.config().database);
    // Whatever changes while the first run goes on is told by then, or seen by it.
    let (tree, selection) = (watch.root.clone(), writer.config().selection.clone());
    let look = move || crate::discover::discover(&tree, &Scope::Tree, &selection);
    let seen = crate::engine::blocking(look).await??;
    watch.follow(&seen.folders);
    let (report, found) = writer.first_run(root, options, cancel, tell).await?;
    // What is in a directory is only known for good by a run that began when it was watched already.
    let mut next = watch.follow(&found).then_some(Scope::Tree);
    tell(WatchEvent::Ready { report, watched: watch.system.is_some().then_some(found.len()) });
    let mut failed: Option<String> = None;
    loop {
        let again = if failed.is_some() { Some(options.poll) } else { None };
        let scope = match next.take() {
            Some(scope) => scope,
            None => match watch.next(options, again, cancel).await {
                Some(scope) => scope,
                None => return Ok(()),
            },
        };
        match writer.run(root, cancel, scope.clone()).await {
            Ok((report, found)) => {
                if matches!(scope, Scope::Tree) && watch.follow(&found) {
                    next = Some(Scope::Tree);
                }
                let has_changed = report.files.indexed + report.files.removed > 0;
                if failed.take().is_some() || has_changed {
                    tell(WatchEvent::Updated { report });
                }
            }
            Err(EngineError::Cancelled) => return Ok(()),
            // What is open is no longer the index of anything, however often it is tried.
            Err(
                error @ EngineError::Store(
                    StoreError::Replaced { .. } | StoreError::Fenced { .. } | StoreError::Missing { .. },
                ),
            ) => return Err(error),
            Err(error) => {
                let message = error.to_string();
                if failed.as_ref() != Some(&message) {
                    tell(WatchEvent::Failed { error });
                }
                failed = Some(message);
            }
        }
    }
}

/// What the system tells of a tree.
struct Watch {
    root: PathBuf,
    /// What the names of the index's own files begin with.
    database: PathBuf,
    /// `None` if the system cannot tell of all of it.
    system: Option<RecommendedWatcher>,
    events: UnboundedReceiver<notify::Result<Event>>,
    folders: HashSet<PathBuf>,
}

/// What changed since the last run.
#[derive(Default)]
struct Changes {
    everything: bool,
    folders: HashSet<PathBuf>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        !self.everything && self.folders.is_empty()
    }

    fn scope(self) -> Scope {
        match self.everything || self.folders.len() > MANY_FOLDERS {
            true => Scope::Tree,
            false => Scope::Folders(Arc::new(self.folders)),
        }
    }
}

impl Watch {
    fn new(root: PathBuf, database: &Path) -> Self {
        let (sender, events) = unbounded_channel();
        // Nobody is left to be told when the receiver is gone.
        let system = notify::recommended_watcher(move |event| drop(sender.send(event))).ok();
        let database = match (database.parent().map(Path::canonicalize), database.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => database.to_owned(),
        };
        Self { root, database, system, events, folders: HashSet::new() }
    }

    /// Watches these directories, and no others; whether some were not watched before.
    fn follow(&mut self, folders: &[PathBuf]) -> bool {
        let folders: HashSet<PathBuf> = folders.iter().cloned().collect();
        let Some(system) = &mut self.system else {
            self.folders = folders;
            return false;
        };
        let has_new = folders.difference(&self.folders).next().is_some();
        for gone in self.folders.difference(&folders) {
            // It is no longer watched if it is no longer there.
            let _ = system.unwatch(gone);
        }
        let mut is_complete = true;
        for folder in &folders {
            // One that was made anew under its old name is another one for the system, and to be told to it again.
            match system.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                // It went, and the run that is told of it will see that.
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) || !folder.is_dir() => {}
                Err(_) => is_complete = false,
            }
        }
        self.folders = folders;
        if !is_complete {
            // There are more directories than the system watches for a user, say: what it does not tell has to be
            // looked for.
            self.system = None;
        }
        has_new && is_complete
    }

    /// Waits until something changed and then did not for a moment; or until it is time to look again. `None` if the
    /// watch is to end.
    async fn next(
        &mut self,
        options: &WatchOptions,
        again: Option<Duration>,
        cancel: &CancelToken,
    ) -> Option<Scope> {
        let begin = Instant::now();
        let mut changes = Changes::default();
        let mut first = None;
        loop {
            if cancel.is_cancelled() {
                return None;
            }
            let wait = if first.is_some() { options.quiet } else { TICK };
            let event = match self.system {
                Some(_) => tokio::time::timeout(wait, self.events.recv()).await,
                None => {
                    tokio::time::sleep(TICK).await;
                    Ok(None)
                }
            };
            match event {
                Ok(Some(event)) => {
                    self.note(event, &mut changes);
                    if !changes.is_empty() {
                        let since = first.get_or_insert_with(Instant::now);
                        if since.elapsed() >= options.at_most {
                            return Some(changes.scope());
                        }
                    }
                }
                Err(_) if first.is_some() => return Some(changes.scope()),
                Err(_) => {}
                // The system tells no more, or never did.
                Ok(None) => {
                    self.system = None;
                    if begin.elapsed() >= options.poll {
                        return Some(Scope::Tree);
                    }
                }
            }
            if again.is_some_and(|again| begin.elapsed() >= again) {
                return Some(Scope::Tree);
            }
        }
    }

    fn note(&mut self, event: notify::Result<Event>, changes: &mut Changes) {
        let Ok(event) = event else {
            changes.everything = true;
            return;
        };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        changes.everything |= event.need_rescan();
        for path in &event.paths {
            if self.is_our_own(path) {
                continue;
            }
            let is_rule = path.file_name().is_some_and(|name| RULES.iter().any(|rule| name == *rule));
            // A directory came, went, or got another name.
            let is_folder = self.folders.contains(path) || path.is_dir();
            let only_its_times =
                is_folder && matches!(event.kind, EventKind::Modify(notify::event::ModifyKind::Metadata(_)));
            if is_rule || (is_folder && !only_its_times) {
                changes.everything = true;
                // Another may have its name by now, and is not watched.
                self.folders.retain(|folder| !folder.starts_with(path));
            } else if let Some(folder) = path.parent().filter(|folder| self.folders.contains(*folder)) {
                changes.folders.insert(folder.to_owned());
            }
        }
    }

    /// Whether the index or git writes there, for itself.
    fn is_our_own(&self, path: &Path) -> bool {
        let database = self.database.as_os_str().as_encoded_bytes();
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let first = inside.components().next().map(|part| part.as_os_str());
        first.is_some_and(|first| first == INDEX_FOLDER || first == ".git")
            || path.as_os_str().as_encoded_bytes().starts_with(database)
    }
}
