//! Bounds on what one file may cost, and how large its chunks are.

use std::time::Duration;

/// Bounds on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseLimits {
    /// The largest text that is parsed, in bytes; a larger one is cut into chunks by lines. Default: 2 MiB.
    pub max_bytes: usize,
    /// How long one file may take, in processor time of the thread where the system tells it (Linux, Android, macOS
    /// and FreeBSD), so that a busy machine loses nothing; elsewhere by the clock. A tree that takes more than three
    /// quarters of it is given up; the file is cut into chunks by lines then and has no symbols. Default: 2 s: 2 MiB of
    /// ordinary code take a fifth of that in the slowest of the languages, and a twelfth in the fastest.
    ///
    /// It is looked at between steps of the parser, the longest of which take some tenths of a second. What would
    /// take much longer, and gigabytes, is given up by the shape of the parser's stack, whatever the time:
    /// [`Coverage::TooComplex`](crate::Coverage::TooComplex).
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
    /// The size that a chunk should not exceed, in tokens of a language model, from 16; it may do so by up to 16
    /// tokens so that nothing is torn. Default: 400, about 1,600 bytes. Tokens are estimated, within a tenth of what
    /// `o200k_base` counts for nine files of ten.
    pub max_tokens: u32,
    /// A definition of at least so many tokens is not merged with its neighbours. Default: 60.
    pub solo_tokens: u32,
}

impl Default for ChunkingConfig {
    fn default() -> Self {
        Self { max_tokens: 400, solo_tokens: 60 }
    }
}
