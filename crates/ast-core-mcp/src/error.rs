//! What ends a server.

/// Why a server could not be started, or ended early. What goes wrong with a request is told to the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The client did not begin as the protocol says.
    #[error(
        "the client did not begin as the Model Context Protocol says: {reason}; expected `initialize` or `server/discover`"
    )]
    Handshake {
        /// What it did.
        reason: String,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; give another port, or 0 for any that is free")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The address can be reached from other machines.
    #[error(
        "{address} is not a loopback address; a server is for this machine alone, such as at 127.0.0.1:0"
    )]
    NotLoopback {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// A task of the server ended before its work did: a defect.
    #[error("internal error: {what}")]
    Internal {
        /// What happened.
        what: String,
    },
}
