//! `ast-core mcp`: a server for agents.

use crate::args::{Global, McpArguments};
use crate::commands::index::check_directory;
use crate::embedder;
use crate::failure::{Exit, Failed};
use crate::output::Output;
use ast_core_engine::{Access, EngineConfig};
use ast_core_mcp::{Configure, McpError, McpServer, ServerConfig, TreeChoice};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) fn run(arguments: McpArguments, global: Global, output: &Output) -> Result<Exit, Failed> {
    let tree = match (&arguments.path, arguments.http) {
        (Some(path), _) => {
            check_directory(path)?;
            TreeChoice::This(path.clone())
        }
        // One server for several clients is about one tree.
        (None, Some(_)) => TreeChoice::This(std::env::current_dir()?),
        (None, None) => TreeChoice::OfClient { otherwise: std::env::current_dir()?, never: no_projects() },
    };
    let address = arguments.http;
    let server = McpServer::new(ServerConfig {
        tree,
        database: global.db.clone(),
        follow: !arguments.no_watch && global.settings.values.mcp_watch,
        configure: configure(arguments, global)?,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(async {
        match address {
            Some(address) => {
                let listening = |address| output.note(format_args!("listening at http://{address}/"));
                server.serve_http(address, stopped(), listening).await
            }
            None => server.serve(tokio::io::stdin(), tokio::io::stdout(), stopped()).await,
        }
    });
    // A thread that reads from standard input may be waiting there, and is not to be waited for.
    runtime.shutdown_background();
    match served {
        Ok(()) => Ok(Exit::Done),
        Err(error @ (McpError::Listen { .. } | McpError::NotLoopback { .. })) => {
            Err(Failed::Usage(error.to_string()))
        }
        Err(error) => Err(Failed::Server(error.to_string())),
    }
}

/// How engines are opened. What is wrong with the settings is told at once.
fn configure(arguments: McpArguments, global: Global) -> Result<Configure, Failed> {
    let make = move |database: PathBuf, access: Access| {
        let settings = global.settings.of_index(&database)?;
        let config = settings.apply(EngineConfig { access, ..EngineConfig::new(database) })?;
        let config = arguments.memory.apply(config, &settings)?;
        match access {
            Access::Read => embedder::for_reading(config, &arguments.embedder, &global),
            Access::Write => embedder::for_writing(config, &arguments.embedder, &global),
        }
    };
    make(PathBuf::new(), Access::Read)?;
    Ok(Arc::new(move |database, access| make(database, access).map_err(|failed| failed.to_string())))
}

/// Directories that clients start servers in when there is no project.
fn no_projects() -> Vec<PathBuf> {
    let root = std::env::current_dir().ok().and_then(|here| here.ancestors().last().map(PathBuf::from));
    [std::env::home_dir(), root].into_iter().flatten().collect()
}

/// Comes when the process is asked to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => return,
                interrupted = tokio::signal::ctrl_c() => if interrupted.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
