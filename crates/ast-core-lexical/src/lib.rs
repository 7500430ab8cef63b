//! An inverted index in pages that live inside a transaction, ranked by exact BM25F.
#![deny(missing_docs)]

mod build;
mod bytes;
mod cache;
mod checksum;
mod dictionary;
mod documents;
mod error;
mod evaluate;
mod expand;
mod lookup;
mod manifest;
mod merge;
mod pack;
mod page;
mod postings;
mod root;
mod score;
mod search;
mod task;
mod update;
mod writer;

pub use build::FileTerms;
pub use cache::PageCache;
pub use error::LexicalError;
pub use evaluate::Hit;
pub use expand::{Expand, TermCount};
pub use manifest::{Manifest, Segment};
pub use merge::{Merge, plan_merges};
pub use page::{Page, PageId};
pub use score::{Bm25f, FIELDS, Totals};
pub use search::{Filter, Frequencies, MAX_QUERY_TERMS, Query, Search};
pub use task::{Task, run};
pub use update::{Changes, Update};
