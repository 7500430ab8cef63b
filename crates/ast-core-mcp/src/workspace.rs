//! The tree of a server, and its index.

use crate::ServerConfig;
use crate::failure::Failure;
use crate::freshness::Looks;
use crate::keeper::Keeper;
use ast_core_engine::{
    Access, CancelToken, Engine, EngineConfig, IndexControl, IndexOptions, IndexReport, find_database,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A tree and its index.
pub(crate) struct Workspace {
    /// Without links in it.
    pub(crate) root: PathBuf,
    pub(crate) database: PathBuf,
    pub(crate) config: ServerConfig,
    /// Cancelled when the server ends.
    pub(crate) shutdown: CancelToken,
    pub(crate) keeper: Keeper,
    pub(crate) looks: Arc<Looks>,
    /// For reading; `None` until there is an index.
    open: Mutex<Option<Arc<Engine>>>,
    /// Held while an index run of a tool is under way.
    pub(crate) run: Mutex<()>,
}

impl Workspace {
    /// The tree that this directory is of: one that has an index, or else itself.
    pub(crate) fn of(
        directory: &Path,
        config: &ServerConfig,
        shutdown: &CancelToken,
    ) -> Result<Self, Failure> {
        let directory = directory.canonicalize().map_err(|error| {
            Failure::Settings(format!("the tree {} cannot be used: {error}", directory.display()))
        })?;
        let (root, database) = match &config.database {
            Some(database) => (directory, database.clone()),
            None => match find_database(&directory) {
                // An index is in a folder of its tree.
                Some(database) => (database.ancestors().nth(2).map_or(directory, Path::to_owned), database),
                None => {
                    let database = EngineConfig::for_tree(&directory).database;
                    (directory, database)
                }
            },
        };
        let reason =
            if config.follow { "it was not asked for yet" } else { "it was started with --no-watch" };
        Ok(Self {
            root,
            database,
            config: config.clone(),
            shutdown: shutdown.child(),
            keeper: Keeper::new(reason),
            looks: Arc::default(),
            open: Mutex::default(),
            run: Mutex::default(),
        })
    }

    /// The engine that reads the index, which is kept up from now on.
    pub(crate) async fn engine(self: &Arc<Self>) -> Result<Arc<Engine>, Failure> {
        let mut open = self.open.lock().await;
        if !self.database.exists() {
            *open = None;
            return Err(Failure::NoIndex(self.root.clone()));
        }
        if let Some(engine) = &*open {
            return Ok(engine.clone());
        }
        let config = configure(&self.config, &self.database, Access::Read).await?;
        let engine = Arc::new(Engine::open(config).await?);
        self.follow(&engine).await;
        *open = Some(engine.clone());
        Ok(engine)
    }

    /// Opens the index anew for the next who asks: another has taken its place.
    pub(crate) async fn forget_engine(&self) {
        *self.open.lock().await = None;
        self.looks.forget();
    }

    /// Brings the index up, or makes it. Nobody else of this server writes to it meanwhile.
    pub(crate) async fn index(
        self: &Arc<Self>,
        options: &IndexOptions,
        control: IndexControl,
    ) -> Result<IndexReport, Failure> {
        let run = self.run.lock().await;
        self.keeper.stop().await;
        self.keeper.leave_to_others();
        let ran = async {
            let config = configure(&self.config, &self.database, Access::Write).await?;
            let engine = Engine::open(config).await?;
            let report = engine.index(&self.root, options, control).await;
            engine.close().await;
            Ok(report?)
        };
        let report = ran.await;
        // What is open may be of an index that was made anew, and what follows the tree was held up.
        self.keeper.stop().await;
        self.forget_engine().await;
        drop(run);
        if !self.shutdown.is_cancelled() {
            let _ = self.engine().await;
            self.keeper.settled().await;
        }
        report
    }

    /// Lets go of everything.
    pub(crate) async fn close(&self) {
        self.shutdown.cancel();
        self.keeper.stop().await;
        let engine = self.open.lock().await.take();
        if let Some(Ok(engine)) = engine.map(Arc::try_unwrap) {
            engine.close().await;
        }
    }
}

/// The settings of an engine over this index.
pub(crate) async fn configure(
    server: &ServerConfig,
    database: &Path,
    access: Access,
) -> Result<EngineConfig, Failure> {
    let (configure, database) = (server.configure.clone(), database.to_owned());
    let made = tokio::task::spawn_blocking(move || configure(database, access)).await;
    made.map_err(|error| Failure::Internal(error.to_string()))?.map_err(Failure::Settings)
}
