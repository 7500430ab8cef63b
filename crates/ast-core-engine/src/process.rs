//! One file: what is in it, and the index brought up to it.

use crate::config::INDEX_FOLDER;
use crate::discover::{Scope, io_reason};
use crate::engine::blocking;
use crate::jobs::path_in;
use crate::memory::of_parsing;
use crate::prepare::{ReadError, read_opened};
use crate::tree_file::open_named;
use crate::{Access, CancelToken, Engine, EngineError, FileProblem, IndexControl, IndexOptions};
use ast_core_model::{ContentHash, RepoPath};
use ast_core_parse::{Language, ParsedFile, Parser, SourceText, Utf16Places};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How a file is processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessOptions {
    /// Its language; by default its name and its content tell. An index run over the tree goes by these again.
    pub language: Option<Language>,
    /// Whether what is known already will do: what was found in the file as long as its content is the same, and what the
    /// index has of it. Default: yes.
    pub use_cache: bool,
    /// Whether the index is brought up to the file as well, if it is open for writing. Default: yes.
    pub index: bool,
    /// How the index is brought up; [`rebuild`](IndexOptions::rebuild) follows from `use_cache`.
    pub run: IndexOptions,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self { language: None, use_cache: true, index: true, run: IndexOptions::default() }
    }
}

/// What is in a file, and what became of it in the index.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProcessedFile {
    /// Where it is, without links on the way.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The hash of its content.
    pub hash: ContentHash,
    /// What is in it.
    pub file: Arc<ParsedFile>,
    /// Where places in it are in UTF-16.
    pub utf16: Arc<Utf16Places>,
    /// Whether what is in it was known from an earlier call.
    pub from_cache: bool,
    /// What became of it in the index.
    pub index: ProcessedAs,
    /// How long it took.
    pub timings: ProcessTimings,
}

/// What became of a processed file in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessedAs {
    /// It was parsed and written.
    Indexed {
        /// Its path in the tree.
        path: RepoPath,
        /// The generation of the index that has it.
        generation: u64,
    },
    /// The index had it as it is.
    Unchanged {
        /// Its path in the tree.
        path: RepoPath,
        /// The generation of the index.
        generation: u64,
    },
    /// It is not in the index as it is.
    NotIndexed {
        /// Why.
        reason: String,
    },
}

/// How long the parts of processing a file took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessTimings {
    /// Reading and hashing it.
    pub read: Duration,
    /// Parsing it and cutting it into chunks; zero if that was known.
    pub parse: Duration,
    /// Bringing the index up to it, the wait for other index runs included.
    pub index: Duration,
    /// All of it.
    pub total: Duration,
}

/// What is remembered of processed files takes a multiple of their size; so many bytes of source are.
const REMEMBERED_BYTES: u64 = 16 << 20;

/// What was found in the files that were processed last.
#[derive(Default)]
pub(crate) struct ParsedFiles {
    files: HashMap<ParsedKey, Parsed>,
    /// The one that was used last stands last.
    order: VecDeque<ParsedKey>,
    bytes: u64,
}

type ParsedKey = (PathBuf, Option<&'static str>);

#[derive(Clone)]
struct Parsed {
    hash: ContentHash,
    bytes: u64,
    file: Arc<ParsedFile>,
    utf16: Arc<Utf16Places>,
}

impl ParsedFiles {
    fn get(&mut self, key: &ParsedKey, hash: ContentHash) -> Option<Parsed> {
        let found = self.files.get(key).filter(|parsed| parsed.hash == hash).cloned()?;
        self.order.retain(|other| other != key);
        self.order.push_back(key.clone());
        Some(found)
    }

    fn put(&mut self, key: ParsedKey, parsed: Parsed) {
        self.order.retain(|other| *other != key);
        self.order.push_back(key.clone());
        self.bytes += parsed.bytes;
        self.bytes -= self.files.insert(key, parsed).map_or(0, |before| before.bytes);
        while self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.files.remove(&oldest).map_or(0, |parsed| parsed.bytes);
        }
    }
}

impl Engine {
    /// Reads and parses a file, and brings the index of the tree at `root` up to it. Rules on what is ignored do not hold
    /// for a file that is named.
    ///
    /// The index is brought up when the index runs before have come to their end. A file that cannot be indexed, as it is
    /// outside of the tree or the index is open for reading, is parsed all the same.
    ///
    /// # Errors
    /// [`EngineError::File`] if there is nothing to be told of the file; what [`index`](Self::index) fails with.
    pub async fn process_file(
        &self,
        root: &Path,
        path: &Path,
        options: &ProcessOptions,
        cancel: &CancelToken,
    ) -> Result<ProcessedFile, EngineError> {
        let begin = Instant::now();
        let mut processed = self.parse_file(path, options, begin).await?;
        let indexing = Instant::now();
        processed.index = match (options.index, self.config.access) {
            (false, _) => ProcessedAs::NotIndexed { reason: "it was not to be indexed".into() },
            (true, Access::Read) => {
                ProcessedAs::NotIndexed { reason: "the index is open for reading only".into() }
            }
            (true, Access::Write) => self.index_file(root, &processed.path, options, cancel).await?,
        };
        processed.timings.index = indexing.elapsed();
        processed.timings.total = begin.elapsed();
        Ok(processed)
    }

    async fn parse_file(
        &self,
        path: &Path,
        options: &ProcessOptions,
        begin: Instant,
    ) -> Result<ProcessedFile, EngineError> {
        let given = path.to_owned();
        let (pool, memory, config) =
            (self.search_pool.clone(), self.parse_memory.clone(), self.config.clone());
        let (parsed, language, use_cache) = (self.parsed.clone(), options.language, options.use_cache);
        blocking(move || {
            let problem = |kind, reason: String| EngineError::File { path: given.clone(), kind, reason };
            let missing = |error: std::io::Error| match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                    problem(FileProblem::Missing, "there is no such file".into())
                }
                _ => problem(FileProblem::Unreadable, io_reason(&error)),
            };
            let path = given.canonicalize().map_err(missing)?;
            let max_bytes = config.limits.max_bytes;
            let (bytes, _) = read_opened(open_named(&path), max_bytes).map_err(|error| match error {
                ReadError::Vanished => problem(FileProblem::Missing, "there is no such file".into()),
                ReadError::TooLarge(stamp) => {
                    let reason = format!("its {} bytes exceed the limit of {max_bytes} bytes", stamp.size);
                    problem(FileProblem::TooLarge, reason)
                }
                ReadError::Failed(reason) | ReadError::Transient(reason) => {
                    problem(FileProblem::Unreadable, reason)
                }
            })?;
            let hash = ContentHash::of(&bytes);
            let read = begin.elapsed();
            let processed = |parsed: Parsed, path, from_cache, parse| ProcessedFile {
                path,
                bytes: parsed.bytes,
                hash,
                file: parsed.file,
                utf16: parsed.utf16,
                from_cache,
                index: ProcessedAs::NotIndexed { reason: "it was not to be indexed".into() },
                timings: ProcessTimings { read, parse, ..ProcessTimings::default() },
            };
            let key = (path.clone(), language.map(Language::as_str));
            if use_cache {
                let known = parsed.lock().unwrap_or_else(PoisonError::into_inner).get(&key, hash);
                if let Some(known) = known {
                    return Ok(processed(known, path, true, Duration::ZERO));
                }
            }
            let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
            let binary = |error: ast_core_parse::ParseError| problem(FileProblem::Binary, error.to_string());
            let text = SourceText::decode(&bytes).map_err(binary)?.named(&stem);
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let detected = || Language::detect(&RepoPath::new(name).ok()?, text.text());
            let language = language.or_else(detected).ok_or_else(|| {
                let reason = "neither its name nor its content tells its language; name one";
                problem(FileProblem::UnknownLanguage, reason.into())
            })?;
            let begun = Instant::now();
            // Whoever holds some waits for nothing else, so there is some again soon.
            let _memory = memory.acquire(of_parsing(text.text()), &CancelToken::new());
            // Parsers need the stack that the threads of the pool have.
            let parsing =
                || Parser::new(config.limits.clone(), config.chunking.clone()).parse_source(&text, language);
            let found = pool.install(parsing)?;
            let result = Parsed {
                hash,
                bytes: bytes.len() as u64,
                file: Arc::new(found),
                utf16: Arc::new(text.utf16_places()),
            };
            parsed.lock().unwrap_or_else(PoisonError::into_inner).put(key, result.clone());
            Ok(processed(result, path, false, begun.elapsed()))
        })
        .await?
    }

    async fn index_file(
        &self,
        root: &Path,
        path: &Path,
        options: &ProcessOptions,
        cancel: &CancelToken,
    ) -> Result<ProcessedAs, EngineError> {
        let (tree, file) = (root.to_owned(), path.to_owned());
        let in_tree = blocking(move || {
            let failed = |error| EngineError::Root { path: tree.clone(), reason: io_reason(&error) };
            path_in(&tree.canonicalize().map_err(failed)?, &file)
        });
        let path = match in_tree.await? {
            Err(error @ EngineError::OutsideTree { .. }) => {
                return Ok(ProcessedAs::NotIndexed { reason: error.to_string() });
            }
            path => path?,
        };
        let scope = Scope::Files(Arc::new(BTreeSet::from([path.clone()])), options.language);
        let run = IndexOptions { rebuild: !options.use_cache, ..options.run.clone() };
        let control = IndexControl { cancel: cancel.child(), ..IndexControl::default() };
        let (report, _) = self.index_scope(root, &run, control, scope).await?;
        let generation = report.generation;
        let failure = report.failures.into_iter().find(|failure| failure.path == path.as_str());
        Ok(match failure {
            Some(failure) => ProcessedAs::NotIndexed { reason: failure.reason },
            None if report.files.indexed > 0 => ProcessedAs::Indexed { path, generation },
            None => ProcessedAs::Unchanged { path, generation },
        })
    }

    /// The tree that files are taken to be of, where nobody says: that of the index. Before there is one, it is the
    /// repository that the first of the files is in, by the nearest directory above it with a `.git`; else the directory
    /// of the database, if all of them are in it; else the nearest directory that all of them are in. Once it was asked
    /// for it stays the same.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn tree_of(&self, files: &[PathBuf]) -> Result<PathBuf, EngineError> {
        if let Some(root) = self.indexed_root().await? {
            return Ok(root);
        }
        let (assumed, database, files) =
            (self.assumed_tree.clone(), self.config.database.clone(), files.to_vec());
        blocking(move || {
            let mut assumed = assumed.lock().unwrap_or_else(PoisonError::into_inner);
            assumed.get_or_insert_with(|| assume_tree(&database, &files)).clone()
        })
        .await
    }
}

fn assume_tree(database: &Path, files: &[PathBuf]) -> PathBuf {
    let absolute = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        folder.canonicalize().or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
    };
    let place = absolute(database);
    if let Some(tree) = place.parent().filter(|_| place.ends_with(INDEX_FOLDER)) {
        return tree.to_owned();
    }
    let folders: Vec<PathBuf> = files.iter().map(|file| absolute(file)).collect();
    let Some(first) = folders.first() else { return place };
    let has_all = |tree: &Path| folders.iter().all(|folder| folder.starts_with(tree));
    let repository = first.ancestors().find(|folder| folder.join(".git").exists());
    let nearest = || first.ancestors().find(|folder| has_all(folder));
    let tree = repository.or_else(|| Some(&*place).filter(|place| has_all(place))).or_else(nearest);
    tree.unwrap_or(first).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineConfig;

    struct Project {
        folder: tempfile::TempDir,
        engine: Engine,
    }

    impl Project {
        async fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            let engine = Engine::open(EngineConfig::new(folder.path().join("index.db"))).await.unwrap();
            Self { folder, engine }
        }

        async fn process(&self, path: &str, options: &ProcessOptions) -> Result<ProcessedFile, EngineError> {
            let (root, path) = (self.folder.path(), self.folder.path().join(path));
            self.engine.process_file(root, &path, options, &CancelToken::new()).await
        }
    }

    fn indexed_at(processed: &ProcessedFile) -> Option<&str> {
        match &processed.index {
            ProcessedAs::Indexed { path, .. } => Some(path.as_str()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_file_is_parsed_and_indexed_once_until_it_changes() {
        let project = Project::new(&[("src/a.py", "def one():\n    return 1\n")]).await;
        let default = ProcessOptions::default();
        let first = project.process("src/a.py", &default).await.unwrap();
        assert_eq!(
            (&*first.file.symbols[0].name, first.from_cache, indexed_at(&first)),
            ("one", false, Some("src/a.py"))
        );
        let second = project.process("src/a.py", &default).await.unwrap();
        assert!(second.from_cache && matches!(second.index, ProcessedAs::Unchanged { .. }), "{second:?}");
        assert_eq!(second.file, first.file);
        let anew = ProcessOptions { use_cache: false, ..default.clone() };
        let third = project.process("src/a.py", &anew).await.unwrap();
        assert_eq!((third.from_cache, indexed_at(&third)), (false, Some("src/a.py")));
        std::fs::write(project.folder.path().join("src/a.py"), "def two():\n    return 2\n").unwrap();
        let changed = project.process("src/a.py", &default).await.unwrap();
        assert_eq!((&*changed.file.symbols[0].name, changed.from_cache), ("two", false));
        assert_eq!(project.engine.status().await.unwrap().symbols, 1);
    }

    #[tokio::test]
    async fn the_language_that_is_given_holds_for_the_index_too() {
        let project = Project::new(&[("script.txt", "def one():\n    return 1\n")]).await;
        let error = project.process("script.txt", &ProcessOptions::default()).await.unwrap_err();
        assert!(matches!(error, EngineError::File { kind: FileProblem::UnknownLanguage, .. }), "{error}");
        let python = ProcessOptions { language: "python".parse().ok(), ..ProcessOptions::default() };
        let processed = project.process("script.txt", &python).await.unwrap();
        assert_eq!(indexed_at(&processed), Some("script.txt"));
        assert_eq!(project.engine.status().await.unwrap().symbols, 1);
        let ruby = ProcessOptions { language: "ruby".parse().ok(), ..ProcessOptions::default() };
        if ruby.language.is_some() {
            let processed = project.process("script.txt", &ruby).await.unwrap();
            assert_eq!((processed.from_cache, indexed_at(&processed)), (false, Some("script.txt")));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_told_of_says_why() {
        let project = Project::new(&[("b.py", "a\0b")]).await;
        let kind = |result: Result<ProcessedFile, EngineError>| match result.unwrap_err() {
            EngineError::File { kind, .. } => kind,
            other => panic!("{other}"),
        };
        let default = ProcessOptions::default();
        assert_eq!(kind(project.process("none.py", &default).await), FileProblem::Missing);
        assert_eq!(kind(project.process("b.py/none.py", &default).await), FileProblem::Missing);
        assert_eq!(kind(project.process("b.py", &default).await), FileProblem::Binary);
        assert_eq!(kind(project.process(".", &default).await), FileProblem::Unreadable);
    }

    #[tokio::test]
    async fn a_file_outside_of_the_tree_is_parsed_only() {
        let project = Project::new(&[("in/a.py", "x = 1\n"), ("out/b.py", "def b(): pass\n")]).await;
        let (root, file) = (project.folder.path().join("in"), project.folder.path().join("out/b.py"));
        let default = ProcessOptions::default();
        let processed =
            project.engine.process_file(&root, &file, &default, &CancelToken::new()).await.unwrap();
        assert_eq!(processed.file.symbols.len(), 1);
        assert!(matches!(&processed.index, ProcessedAs::NotIndexed { reason } if reason.contains("b.py")));
    }

    #[test]
    fn a_tree_is_assumed_by_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for path in ["repo/.git", "repo/src", "data", "x/y", "x/z", "own/.ast-core"] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        let assume = |database: &str, files: &[&str]| {
            let files: Vec<PathBuf> = files.iter().map(|file| root.join(file)).collect();
            let tree = assume_tree(&root.join(database), &files);
            tree.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(assume("own/.ast-core/index.db", &["x/a.rs"]), "own");
        assert_eq!(assume("data/index.db", &["repo/src/a.rs"]), "repo");
        assert_eq!(assume("x/index.db", &["x/y/a.rs", "x/z/b.rs"]), "x");
        assert_eq!(assume("index.db", &["x/y/a.rs"]), "");
        assert_eq!(assume("data/index.db", &["x/y/a.rs", "x/z/b.rs"]), "x");
        assert_eq!(assume("data/index.db", &["x/y/a.rs"]), "x/y");
        assert_eq!(assume("data/index.db", &[]), "data");
    }
}
