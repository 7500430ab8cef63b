//! A source tree in a folder of its own, that a test may do with as it likes.

use ast_core_engine::{
    Engine, EngineConfig, EngineError, IndexControl, IndexOptions, IndexReport, SearchQuery, SearchReply,
};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder is removed when this is dropped.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// A tree with nothing in it.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("tree")).expect("a folder for the tree");
        fs::create_dir(folder.path().join("home")).expect("a folder for settings");
        Self { folder }
    }

    /// A copy of the repository in many languages that is among the fixtures.
    pub(crate) fn polyglot() -> Self {
        Self::fixture("polyglot")
    }

    /// A copy of a repository that is among the fixtures.
    pub(crate) fn fixture(name: &str) -> Self {
        let repository = Self::empty();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/repos").join(name);
        copy_folder(&fixture, &repository.root());
        repository
    }

    /// The tree.
    pub(crate) fn root(&self) -> PathBuf {
        // As the engine shows it: temporary folders are behind a link on some systems.
        self.folder.path().canonicalize().expect("the folder is there").join("tree")
    }

    /// A place beside the tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root().with_file_name(name)
    }

    /// Where the index is by default.
    pub(crate) fn database(&self) -> PathBuf {
        self.root().join(".ast-core/index.db")
    }

    /// Writes a file of the tree, and the folders that it is in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
        fs::write(path, content).expect("a file can be written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).expect("a file of the tree")
    }

    /// Replaces a text in a file by another.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let before = self.read(path);
        assert!(before.contains(from), "{path} does not contain {from:?}");
        self.write(path, before.replace(from, to));
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let to = self.root().join(to);
        fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("folders can be made");
        fs::rename(self.root().join(from), to).expect("a file can be renamed");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path)).expect("a file can be removed");
    }

    /// Brings the index of the tree up.
    pub(crate) fn index(&self) -> IndexReport {
        self.index_with(EngineConfig::for_tree(self.root()), &IndexOptions::default())
    }

    pub(crate) fn index_with(&self, config: EngineConfig, options: &IndexOptions) -> IndexReport {
        self.try_index_with(config, options).expect("the tree can be indexed")
    }

    pub(crate) fn try_index_with(
        &self,
        config: EngineConfig,
        options: &IndexOptions,
    ) -> Result<IndexReport, EngineError> {
        block_on(async {
            let engine = Engine::open(config).await?;
            let report = engine.index(self.root(), options, IndexControl::default()).await;
            engine.close().await;
            report
        })
    }

    /// The answer of the index as it is.
    pub(crate) fn search(&self, query: &SearchQuery) -> SearchReply {
        self.search_with(EngineConfig::for_tree(self.root()).read_only(), query)
    }

    pub(crate) fn search_with(&self, config: EngineConfig, query: &SearchQuery) -> SearchReply {
        block_on(async {
            let engine = Engine::open(config).await.expect("the index opens");
            let reply = engine.search(query).await;
            engine.close().await;
            reply.expect("the query can be answered")
        })
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folders can be made");
    for entry in fs::read_dir(from).expect("the fixture can be read") {
        let entry = entry.expect("the fixture can be read");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("the fixture can be read").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}
