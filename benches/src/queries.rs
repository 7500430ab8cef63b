//! What is searched for in the corpus.

use std::sync::LazyLock;

/// Names, words and questions: those of `benches/queries.txt`, which other programs read, too.
pub static QUERIES: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../queries.txt").lines().filter(|line| !line.is_empty()).collect());
