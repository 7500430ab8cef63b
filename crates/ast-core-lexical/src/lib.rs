//! An inverted index in pages that live inside a transaction, ranked by exact BM25F.
//!
//! The index is a set of [`Page`]s of some kilobytes, each under a number that is never used again for other bytes. Who
//! keeps them, in rows of a database, in one transaction with everything else, decides what is durable and what a reader
//! sees; this crate has no files, no threads and no clock.
//!
//! # Example
//!
//! ```
//! use ast_core_lexical::*;
//! use ast_core_model::{ChunkTerms, FileId};
//! use std::collections::BTreeMap;
//!
//! // A store: pages by their names.
//! let mut pages: BTreeMap<PageId, Vec<u8>> = BTreeMap::new();
//! fn fetch(pages: &BTreeMap<PageId, Vec<u8>>, wanted: &[PageId]) -> Result<Vec<Page>, LexicalError> {
//!     Ok(wanted.iter().filter_map(|&id| Some(Page { id, data: pages.get(&id)?.clone() })).collect())
//! }
//!
//! // A commit: a file of two chunks comes in, and none goes.
//! let chunk = |name: &str, body: &str| ChunkTerms { name: name.into(), body: body.into(), ..ChunkTerms::default() };
//! let terms = FileTerms::new(&[chunk("read", "read fil"), chunk("writ", "writ fil fil")])?;
//! let file = FileId::new(1).expect("1 is in range");
//! let cache = PageCache::new(16 << 20);
//! let manifest = Manifest::read(pages.get(&PageId::MANIFEST).cloned())?;
//! let update = Update::new(manifest, vec![], vec![(file, terms)], &cache)?;
//! let changes = run(update, |wanted| fetch(&pages, wanted))?;
//! for range in changes.delete {
//!     pages.retain(|id, _| !range.contains(id));
//! }
//! pages.extend(changes.put.into_iter().map(|page| (page.id, page.data)));
//!
//! // A search.
//! let manifest = Manifest::read(pages.get(&PageId::MANIFEST).cloned())?;
//! let ranking = Bm25f { weights: [8.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };
//! let query = Query { terms: &["writ", "fil"], ranking, limit: 10 };
//! let search = Search::new(&manifest, &query, Filter::All, &cache)?;
//! let hits = run(search, |wanted| fetch(&pages, wanted))?;
//! assert_eq!(hits.iter().map(|hit| hit.chunk.ordinal()).collect::<Vec<_>>(), [1, 0]);
//! # Ok::<(), LexicalError>(())
//! ```
//!
//! # The tour
//!
//! A [`Manifest`] says which segments the index has. A [`Task`] is work on it that says which pages it needs:
//! [`run`] does one with pages from a function; who fetches asynchronously writes the same loop of three lines.
//!
//! - [`Update`] takes files out and puts others in, as a new segment made of [`FileTerms`]. What is gone is marked so.
//! - [`plan_merges`] says which segments ought to be one, and [`Merge`] makes them one and leaves out what is gone.
//! - [`Search`] finds the best chunks under [`Bm25f`] and a [`Filter`]. [`Frequencies`] counts documents of terms.
//! - [`Matches`] finds all documents that hold a term, or terms that begin with some text or have it inside, without rank.
//! - [`Verify`] reads everything, and says what is wrong and what is there.
//!
//! The first two give [`Changes`], to be applied in the transaction in which the manifest was read. Pages of segments never
//! change, so a [`PageCache`] can keep them across transactions.
//!
//! An index that was kept up to date ranks exactly, to the last bit, as one that is made anew: what is gone counts
//! neither in the frequencies of terms nor in the lengths of fields.
//!
//! Beside the index, and for who looks for pieces of text and not for words, [`SignatureMaker`] and [`TrigramQuery`] tell which
//! texts may have a piece.
//!
//! What can be wrong is a [`LexicalError`]. Every page has a checksum over its bytes and its name, and what is read is
//! checked once more while it is taken apart, so that no bytes make this crate panic.
#![deny(missing_docs)]

mod build;
mod bytes;
mod cache;
mod checksum;
mod dictionary;
mod documents;
mod error;
mod evaluate;
mod fingerprint;
mod lookup;
mod manifest;
mod matches;
mod merge;
mod pack;
mod page;
mod postings;
mod root;
mod score;
mod search;
mod task;
mod trigrams;
mod update;
mod verify;
mod writer;

pub use build::FileTerms;
pub use cache::PageCache;
pub use error::LexicalError;
pub use evaluate::Hit;
pub use manifest::{Manifest, Segment};
pub use matches::{Match, Matches, TermMatch};
pub use merge::{Merge, plan_merges};
pub use page::{Page, PageId};
pub use score::{Bm25f, FIELDS, Totals};
pub use search::{Filter, Frequencies, MAX_QUERY_TERMS, Query, Search};
pub use task::{Task, run};
pub use trigrams::{Signature, SignatureMaker, Trigram, TrigramQuery, folded, trigrams};
pub use update::{Changes, Update};
pub use verify::{Verified, Verify};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
