//! Serving on loopback, for clients that are not started with the server.

use crate::{McpError, McpServer};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long to wait before the next connection is taken, if there is nothing to take one with, such as a descriptor.
const PAUSE: Duration = Duration::from_millis(100);

impl McpServer {
    /// Serves any number of clients of this machine over HTTP until `stop` comes, and lets go of the index. `listening` is told
    /// the address. The port 0 stands for any that is free.
    ///
    /// A page in a browser is not such a client: what names another origin or another host is refused, so that no site can
    /// reach the server through the browser of its user.
    ///
    /// Must be called inside of a tokio runtime with its timer and its I/O enabled.
    ///
    /// # Errors
    /// [`McpError::NotLoopback`]; [`McpError::Listen`].
    pub async fn serve_http(
        self,
        address: SocketAddr,
        stop: impl Future<Output = ()>,
        listening: impl FnOnce(SocketAddr),
    ) -> Result<(), McpError> {
        if !address.ip().is_loopback() {
            return Err(McpError::NotLoopback { address });
        }
        let failed = |source| McpError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let port = address.port();
        let origins = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{port}"));
        let config = StreamableHttpServerConfig::default().with_allowed_origins(origins);
        let sessions = config.cancellation_token.clone();
        let handler = self.handler.clone();
        let service = StreamableHttpService::new(
            move || Ok(handler.clone()),
            LocalSessionManager::default().into(),
            config,
        );
        let service = TowerToHyperService::new(service);
        listening(address);
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let service = service.clone();
            tokio::spawn(async move {
                // A client that breaks off is no error of the server.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
        sessions.cancel();
        self.handler.0.close().await;
        Ok(())
    }
}
