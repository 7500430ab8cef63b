//! How much memory indexing takes, and how a limit on it is divided.

use crate::{EngineConfig, EngineError};

/// What the process takes beside the files in flight and the caches: the program and the tables of its grammars, of which
/// the system counts what is in use, its threads, the list of files, and what making vectors takes in the end, when the
/// allocator still has what parsing took. Measured with all the languages of the corpus.
const FIXED: u64 = 56 << 20;

/// With less, what the allocator keeps of each size and thread, and a few ordinary files at once, are more than what there
/// is to be divided: 2 threads on the corpus came to 190 MiB under a limit of 128.
const LEAST_LIMIT: u64 = 192 << 20;

/// The caches of the store take a part of that, within bounds.
const CACHE_SHARE: u64 = 16;
const CACHE_KIB: (u64, u64) = (2 << 10, 16 << 10);
const LEXICAL_CACHE_KIB: (u64, u64) = (4 << 10, 32 << 10);

/// Of what the files in flight may take, three quarters are for those that are being parsed.
const PARSING: (u64, u64) = (3, 4);

/// What a byte of source is taken to cost from when it is read until it is written, its parsing left out: the text,
/// its terms and vectors, and all of it again on its way to the database. Files in flight are weighed by their size.
pub(crate) const IN_FLIGHT: u64 = 8;

/// What parsing a file takes: the syntax tree, its columns, the outline and the vectors. The tree grows with the tokens
/// and not with the bytes: of ten files of 0.9 to 2 MB, half of them tables of data, it was from 170 to 312 bytes a
/// token, and of C++ most.
const OF_A_TOKEN: u64 = 240;
const OF_A_BYTE: u64 = 12;

/// Texts below are not worth counting: they are taken to be of short tokens, three bytes each.
const COUNTED_FROM: usize = 32 << 10;

impl EngineConfig {
    /// The same, with what an index run takes divided so that the process stays below so many bytes of resident memory, or
    /// near to it: the caches of the store, the files in flight, and [what parsing one of them may
    /// take](Self::max_file_memory). What else the process does, such as searches, which hold the vectors of the index, is
    /// not counted.
    ///
    /// # Errors
    /// [`EngineError::MaxMemory`] for less than 192 MiB.
    pub fn with_max_memory(mut self, bytes: u64) -> Result<Self, EngineError> {
        if bytes < LEAST_LIMIT {
            return Err(EngineError::MaxMemory { received: bytes, least: LEAST_LIMIT });
        }
        let rest = bytes - FIXED;
        let kib = |(least, most): (u64, u64)| (rest / CACHE_SHARE / 1024).clamp(least, most) as u32;
        self.store.cache_kib = kib(CACHE_KIB);
        self.store.lexical_cache_kib = kib(LEXICAL_CACHE_KIB);
        self.batch.memory_budget = rest - u64::from(self.store.cache_kib) * 1024;
        self.max_file_memory = Some(parsing(self.batch.memory_budget));
        Ok(self)
    }
}

/// What of a budget the files may take that are being parsed.
pub(crate) fn parsing(budget: u64) -> u64 {
    budget / PARSING.1 * PARSING.0
}

/// How many bytes of source may be in flight.
pub(crate) fn source_in_flight(budget: u64) -> u64 {
    budget.saturating_sub(parsing(budget)) / IN_FLIGHT
}

/// How many bytes of memory it takes to parse a text and read what is in it, an estimate.
pub(crate) fn of_parsing(text: &str) -> u64 {
    let tokens = if text.len() < COUNTED_FROM { text.len() as u64 / 3 } else { tokens(text.as_bytes()) };
    OF_A_TOKEN * tokens + of_text(text.len())
}

/// The same of a text that is not parsed, but cut by lines.
pub(crate) fn of_text(bytes: usize) -> u64 {
    OF_A_BYTE * bytes as u64
}

/// Words and signs.
fn tokens(text: &[u8]) -> u64 {
    let (mut tokens, mut was_word) = (0, 0);
    // Without a branch a byte: texts are of both kinds in no order.
    for &byte in text {
        let kind = KINDS[usize::from(byte)];
        tokens += u64::from(kind >> 1 | (kind & !was_word & 1));
        was_word = kind;
    }
    tokens
}

/// Of each byte 1 if it is part of a word, 2 if it is a sign, 0 if it is a space.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        kinds[byte] = if ascii.is_ascii_alphanumeric() || ascii == b'_' || ascii >= 0x80 {
            1
        } else if ascii.is_ascii_whitespace() {
            0
        } else {
            2
        };
        byte += 1;
    }
    kinds
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_counted() {
        for (text, expected) in
            [("", 0), ("  \n", 0), ("let x_1 = f(ab);", 8), ("größe+1", 3), ("a b\tc\nd", 4)]
        {
            assert_eq!(tokens(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_limit_is_divided_and_none_of_it_given_twice() {
        let config = || EngineConfig::new("x.db");
        for megabytes in [192, 256, 1024, 1 << 20] {
            let limit = megabytes << 20;
            let divided = config().with_max_memory(limit).unwrap();
            let budget = divided.batch.memory_budget;
            assert_eq!(FIXED + u64::from(divided.store.cache_kib) * 1024 + budget, limit);
            let parsing = divided.max_file_memory.unwrap();
            assert!(parsing + source_in_flight(budget) * IN_FLIGHT <= budget);
            assert!(parsing > budget / 2 && source_in_flight(budget) > 1 << 20);
        }
        let error = config().with_max_memory(191 << 20).unwrap_err();
        assert!(error.to_string().contains("at least 192 MiB"), "{error}");
    }
}
