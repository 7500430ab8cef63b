//! The files of a tree, as git sees them.

use crate::{EngineError, FileSelection};
use ast_core_model::RepoPath;
use ast_core_parse::Language;
use ignore::WalkBuilder;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Ignore rules of one's own, in the syntax of `.gitignore`.
const IGNORE_FILE: &str = ".ast-coreignore";

/// How much of a script is read for its first line, in bytes: as much as Linux does.
const SHEBANG_BYTES: usize = 256;

/// A file to be indexed.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// The tree.
    pub(crate) root: Arc<Path>,
    pub(crate) path: RepoPath,
    pub(crate) stamp: Stamp,
    /// What its name tells; for a script without extension, its first line.
    pub(crate) language: Language,
    /// Whether only its content tells which of two languages it is in.
    pub(crate) ambiguous: bool,
}

impl SourceFile {
    pub(crate) fn absolute(&self) -> PathBuf {
        self.root.join(self.path.as_str())
    }
}

/// What the file system says of a file without its being read: it tells whether it was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// The later of the times of the last change of its content and of its inode, in nanoseconds since 1970, to the
    /// millisecond; below that it tells files of the same time apart. A program can set the first time back, but not the
    /// second.
    pub(crate) changed_ns: i64,
}

/// A millisecond: as long as the shortest tick.
#[cfg(unix)]
const NANOSECONDS_FOR_INODES: u64 = 1_000_000;

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let changed_ns = {
            use std::os::unix::fs::MetadataExt;
            let nanoseconds =
                |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
            let changed = nanoseconds(metadata.mtime(), metadata.mtime_nsec())
                .max(nanoseconds(metadata.ctime(), metadata.ctime_nsec()));
            // Within a tick of the system all files get the same time. One of them may come to the path of another
            // without a change of its own, with a directory that is renamed.
            changed.saturating_add((metadata.ino() % NANOSECONDS_FOR_INODES).cast_signed())
        };
        #[cfg(not(unix))]
        let changed_ns = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
        Self { size: metadata.len(), changed_ns }
    }
}

/// What a walk over a tree found.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    /// In order of paths.
    pub(crate) files: Vec<SourceFile>,
    /// What cannot even be looked at.
    pub(crate) failures: Vec<Failure>,
    /// Entries left out by an ignore rule or by the selection, or because they are hidden. A directory counts as one: nobody looks into it.
    pub(crate) ignored: u64,
    /// Files of no known language or of one that is not selected, links, sockets and the like.
    pub(crate) unsupported: u64,
    /// The directories that were looked into, the tree itself the first.
    pub(crate) folders: Vec<PathBuf>,
    /// Files that were named and are not there.
    pub(crate) missing: Vec<RepoPath>,
}

/// How much of a tree is looked at.
#[derive(Debug, Clone, Default)]
pub(crate) enum Scope {
    /// All of it.
    #[default]
    Tree,
    /// The files that are in these directories themselves, which are in the tree.
    Folders(Arc<HashSet<PathBuf>>),
    /// These files, whatever the rules say, and in this language if one is given, whatever their names say.
    Files(Arc<BTreeSet<RepoPath>>, Option<Language>),
}

impl Scope {
    /// Whether a file at this path in the tree is looked at.
    pub(crate) fn covers(&self, root: &Path, path: &RepoPath) -> bool {
        match self {
            Self::Tree => true,
            Self::Folders(folders) => {
                root.join(path.as_str()).parent().is_some_and(|folder| folders.contains(folder))
            }
            Self::Files(files, _) => files.contains(path),
        }
    }
}

/// A file that was not indexed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its path, relative to the tree; with replacement characters if it is not UTF-8.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Walks over a tree, or as much of it as there is to be looked at, for the files that are selected: the rules that hold
/// somewhere are in all the directories above.
pub(crate) fn discover(
    root: &Path,
    scope: &Scope,
    selection: &FileSelection,
) -> Result<Discovery, EngineError> {
    let failed =
        |error: std::io::Error| EngineError::Root { path: root.to_owned(), reason: error.to_string() };
    if !std::fs::metadata(root).map_err(failed)?.is_dir() {
        return Err(EngineError::Root { path: root.to_owned(), reason: "it is not a directory".into() });
    }
    std::fs::read_dir(root).map_err(failed)?;
    if let Scope::Files(files, language) = scope {
        return Ok(look_at(root, files, *language));
    }
    let mut discovery = Discovery::default();
    let tree: Arc<Path> = root.into();
    // How many entries of each directory the rules let through.
    let mut let_through: HashMap<PathBuf, u64> = HashMap::new();
    let mut directories = vec![root.to_owned()];
    for entry in walker(root, scope, selection).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                discovery.failures.push(failure_of_walk(root, &error));
                continue;
            }
        };
        if entry.depth() == 0 {
            continue;
        }
        if let Some(parent) = entry.path().parent() {
            *let_through.entry(parent.to_owned()).or_default() += 1;
        }
        match entry.file_type() {
            Some(kind) if kind.is_dir() => directories.push(entry.into_path()),
            Some(kind) if kind.is_file() => discovery.take(&tree, &entry, selection),
            _ => discovery.unsupported += 1,
        }
    }
    for directory in &directories {
        // A directory that cannot be read is among the failures already.
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        let all = entries.flatten().filter(|entry| !is_bookkeeping(&entry.file_name())).count() as u64;
        discovery.ignored += all.saturating_sub(let_through.get(directory).copied().unwrap_or(0));
    }
    discovery.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    discovery.folders = directories;
    Ok(discovery)
}

/// Looks at these files of a tree, whose language is this one if one is given. One that is reached through a link is not
/// of the tree.
fn look_at(root: &Path, files: &BTreeSet<RepoPath>, given: Option<Language>) -> Discovery {
    let mut discovery = Discovery::default();
    let tree: Arc<Path> = root.into();
    let mut folders: HashMap<&str, std::io::Result<bool>> = HashMap::new();
    for path in files {
        let folder = root.join(path.parent());
        let is_of_tree = folders.entry(path.parent()).or_insert_with(|| Ok(folder.canonicalize()? == folder));
        let metadata = match is_of_tree {
            Ok(true) => std::fs::symlink_metadata(root.join(path.as_str())),
            Ok(false) => Err(std::io::Error::other("its directory is reached through a link")),
            Err(error) => Err(std::io::Error::new(error.kind(), error.to_string())),
        };
        let fail = |reason: String| Failure { path: path.to_string(), reason };
        match metadata {
            Ok(metadata) if metadata.is_dir() => {
                discovery.failures.push(fail("it is a directory; name the files in it".into()));
            }
            Ok(metadata) if !metadata.is_file() => {
                discovery.failures.push(fail("it is no regular file".into()));
            }
            Ok(metadata) => match given.or_else(|| language_of(root, path)) {
                Some(language) => discovery.files.push(SourceFile {
                    ambiguous: given.is_none() && Language::depends_on_content(path),
                    root: tree.clone(),
                    path: path.clone(),
                    stamp: Stamp::of(&metadata),
                    language,
                }),
                None => {
                    discovery.unsupported += 1;
                    discovery.failures.push(fail("its language is not known".into()));
                }
            },
            Err(error) if is_missing(&error) => discovery.missing.push(path.clone()),
            Err(error) => discovery.failures.push(fail(io_reason(&error))),
        }
    }
    discovery
}

/// Whether there is no such file, or none of the directories that it was in.
fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What its name tells; of a script without extension, its first line.
fn language_of(root: &Path, path: &RepoPath) -> Option<Language> {
    match Language::of_path(path) {
        None if path.extension().is_empty() => language_of_script(root, path),
        language => language,
    }
}

/// Directories of git and of this engine are no part of the tree.
fn is_bookkeeping(name: &std::ffi::OsStr) -> bool {
    name == ".git" || name == crate::config::INDEX_FOLDER
}

fn walker(root: &Path, scope: &Scope, selection: &FileSelection) -> WalkBuilder {
    // Above a repository, and above a tree that is in none, other people's rules apply to other things.
    let in_repository = root.ancestors().any(|directory| directory.join(".git").exists());
    let mut builder = WalkBuilder::new(root);
    builder
        .parents(in_repository)
        .require_git(false)
        .follow_links(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .filter_entry(only(root, scope, selection));
    builder
}

/// Which entries of a directory are looked at at all.
fn only(
    root: &Path,
    scope: &Scope,
    selection: &FileSelection,
) -> impl Fn(&ignore::DirEntry) -> bool + Send + Sync + 'static {
    let (root, selection) = (root.to_owned(), selection.clone());
    let wanted = match scope {
        Scope::Tree | Scope::Files(..) => None,
        Scope::Folders(folders) => {
            let on_the_way = folders.iter().flat_map(|folder| folder.ancestors()).map(Path::to_owned);
            Some((folders.clone(), on_the_way.collect::<HashSet<_>>()))
        }
    };
    move |entry| {
        let is_wanted = wanted.as_ref().is_none_or(|(folders, on_the_way)| {
            on_the_way.contains(entry.path())
                || entry.path().parent().is_some_and(|folder| folders.contains(folder))
                    && entry.file_type().is_none_or(|kind| !kind.is_dir())
        });
        is_wanted
            && !is_bookkeeping(entry.file_name())
            && entry.path().strip_prefix(&root).is_ok_and(|path| selection.takes_path(path))
    }
}

impl Discovery {
    fn take(&mut self, root: &Arc<Path>, entry: &ignore::DirEntry, selection: &FileSelection) {
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let Some(text) = relative.to_str() else {
            let reason = "its name is not UTF-8".to_owned();
            self.failures.push(Failure { path: relative.to_string_lossy().into_owned(), reason });
            return;
        };
        let text = if std::path::MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace('\\', "/") };
        let path = match RepoPath::new(text.as_str()) {
            Ok(path) => path,
            Err(error) => {
                self.failures.push(Failure { path: text, reason: error.to_string() });
                return;
            }
        };
        let ambiguous = Language::depends_on_content(&path);
        let language = language_of(root, &path);
        let Some(language) = language.filter(|language| selection.takes_language(*language, ambiguous))
        else {
            self.unsupported += 1;
            return;
        };
        match entry.metadata() {
            Ok(metadata) => self.files.push(SourceFile {
                root: root.clone(),
                path,
                stamp: Stamp::of(&metadata),
                language,
                ambiguous,
            }),
            Err(error) => self.failures.push(Failure { path: text, reason: io_reason(&error) }),
        }
    }
}

/// The language of a file without extension that begins with `#!`. One that cannot be read is taken for no script.
fn language_of_script(root: &Path, path: &RepoPath) -> Option<Language> {
    let mut begin = [0; SHEBANG_BYTES];
    let mut file = crate::tree_file::open(root, path).ok()?;
    let mut length = 0;
    while length < begin.len() {
        match file.read(&mut begin[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    let begin = begin[..length].utf8_chunks().next()?.valid();
    Language::of_shebang(begin)
}

fn failure_of_walk(root: &Path, error: &ignore::Error) -> Failure {
    let mut inner = error;
    let mut path = None;
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = Some(at);
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            _ => break,
        }
    }
    let path = path.map_or(root, |path| path.strip_prefix(root).unwrap_or(path));
    // The messages of a walk repeat the path, and that of this machine.
    let reason = error.io_error().map_or_else(|| io_reason(inner), |error| error.kind().to_string());
    Failure { path: path.to_string_lossy().into_owned(), reason }
}

/// What an error says, without the path that stands beside it.
pub(crate) fn io_reason(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
