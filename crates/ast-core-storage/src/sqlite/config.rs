//! Settings of a store.

use std::time::Duration;

/// Settings of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The most connections that read at the same time, from 1 to 1,024. Default: 4.
    pub readers: u32,
    /// The page cache of the writing connection, in KiB; a reader has half. Default: 16,384.
    pub cache_kib: u32,
    /// What searches by words keep in memory, in KiB. Default: 32,768.
    pub lexical_cache_kib: u32,
    /// How long a statement waits for a lock of another process. Default: 5 s.
    pub busy_timeout: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            readers: 4,
            cache_kib: 16 << 10,
            lexical_cache_kib: 32 << 10,
            busy_timeout: Duration::from_secs(5),
        }
    }
}
