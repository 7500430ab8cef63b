//! Bounds on what one file may cost, and how large its chunks are.

use std::time::Duration;

/// Bounds on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseLimits {
    /// The largest content that is parsed, in bytes. Default: 2 MiB. At most `u32::MAX`, as positions are `u32`.
    pub max_bytes: usize,
    /// How long the syntax tree of one file may take. What takes longer is cut into chunks by lines and has no
    /// symbols. tree-sitter looks at the clock between steps, so a pathological file may overrun by about a
    /// second. Default: 2 s.
    pub time_budget: Duration,
    /// The most symbols kept of one file; the rest is left out and the file says so. Default: 100,000.
    pub max_symbols: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { max_bytes: 2 << 20, time_budget: Duration::from_secs(2), max_symbols: 100_000 }
    }
}

/// How large chunks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkingConfig {
    /// The size that a chunk should not exceed, in bytes, from 64. Default: 1,500, about 400 tokens.
    pub max_bytes: usize,
    /// A definition of at least so many bytes is not merged with its neighbours. Default: 240.
    pub solo_bytes: usize,
}

impl Default for ChunkingConfig {
    fn default() -> Self {
        Self { max_bytes: 1500, solo_bytes: 240 }
    }
}
