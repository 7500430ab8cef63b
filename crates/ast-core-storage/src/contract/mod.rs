//! What every backend is held to: one suite of tests, which [`store_contract!`](crate::store_contract) expands to.
//!
//! The suite knows a store by the trait [`Store`] and nothing else, and makes what it stores without a parser. What is
//! about one backend alone (its file, its tables, its damage, its speed) is for that backend's own tests.
//!
//! A backend says how its stores come to be:
//!
//! ```
//! use ast_core_storage::contract::Backend;
//! use ast_core_storage::{Access, SqliteStore, Store, StoreConfig, StoreError};
//! use std::sync::Arc;
//!
//! /// A database in a folder of its own.
//! struct Folder(tempfile::TempDir);
//!
//! impl Backend for Folder {
//!     async fn new() -> Self {
//!         Self(tempfile::tempdir().expect("a folder"))
//!     }
//!
//!     async fn open(&self, access: Access) -> Result<Arc<dyn Store>, StoreError> {
//!         let path = self.0.path().join("index.db");
//!         Ok(Arc::new(SqliteStore::open(&path, access, &StoreConfig::default()).await?))
//!     }
//!
//!     async fn lose_lock(&self) {
//!         std::fs::remove_file(self.0.path().join("index.db.lock")).expect("a lock");
//!     }
//! }
//!
//! ast_core_storage::store_contract!(Folder);
//! # fn main() {}
//! ```

#[doc(hidden)]
pub mod commit;
#[doc(hidden)]
pub mod documents;
#[doc(hidden)]
pub mod fence;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod generations;
#[doc(hidden)]
pub mod incremental;
#[doc(hidden)]
pub mod jobs;
#[doc(hidden)]
pub mod lexical;
#[doc(hidden)]
pub mod opening;
mod sample;
#[doc(hidden)]
pub mod soundness;
#[doc(hidden)]
pub mod symbols;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod texts;
#[doc(hidden)]
pub mod vectors;

use crate::{
    Access, Bm25f, ChunkFilter, Document, FileRecord, FileVectors, LexicalHit, NameMatch, NamingFile, Store,
    StoreCounts, StoreError, SymbolQuery, SymbolRecord,
};
use ast_core_model::{FileId, LanguageName, RepoPath};
use proptest::test_runner::Config as ProptestConfig;
use sample::Again;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A place for one store of a backend, for one test.
pub trait Backend: Send + Sync + Sized + 'static {
    /// A place where no store is, and nobody else is. What it takes up goes when it is dropped.
    fn new() -> impl Future<Output = Self> + Send;

    /// Opens the store of this place, as [`Store`] says.
    fn open(&self, access: Access) -> impl Future<Output = Result<Arc<dyn Store>, StoreError>> + Send;

    /// Takes away what keeps a second writer out, as a deleted lock file does, from a store that is open for writing: it
    /// can be opened for writing once more. Where nothing can be lost but with the connection, that is what goes.
    fn lose_lock(&self) -> impl Future<Output = ()> + Send;
}

/// Expands to the tests that a [`Backend`](crate::contract::Backend) is held to, each a function with `#[test]`, in a
/// module for each part of the contract. Needs the feature `contract-tests`.
#[macro_export]
macro_rules! store_contract {
    ($backend:ty) => {
        $crate::store_contract!(@tests $backend;
            opening {
                a_new_store_holds_nothing
                what_is_not_there_is_missing_for_a_reader
                a_store_says_what_it_was_opened_for
                a_store_is_one_repository_whoever_opens_it
                stores_know_nothing_of_each_other
                what_was_committed_is_there_when_it_is_opened_again
                a_reader_sees_what_is_committed_after_it_was_opened
                a_second_writer_is_refused_until_the_first_is_closed
                a_store_that_was_opened_for_reading_refuses_to_write
                a_store_stays_open_for_its_other_holders
            }
            commit {
                values_at_the_edges_come_back
                a_file_that_is_not_indexed_is_known_and_no_more
                counts_are_those_of_the_searchable_files
                a_file_takes_the_place_of_the_one_at_its_path
                a_file_that_is_no_longer_indexed_leaves_its_record
                a_removed_file_leaves_nothing_behind
                a_path_that_is_removed_is_free_in_the_same_batch
                a_path_that_was_removed_can_come_back
                files_can_change_places_in_one_batch
                a_touched_file_changes_in_size_and_time_only
                a_file_that_is_replaced_in_the_same_batch_is_not_touched
                meta_keeps_the_last_value_of_a_key
                the_keys_of_the_store_are_its_own
                a_batch_of_many_files_comes_in_whole
                a_path_that_is_in_a_batch_twice_is_refused
                numbers_that_cannot_be_kept_are_refused
                an_id_that_is_taken_is_refused
                an_id_is_of_one_version_only
                a_commit_that_nobody_waits_for_any_more_leaves_nothing_or_all
                settling_changes_nothing_that_is_seen
            }
            generations {
                each_commit_that_changes_something_is_the_next_generation
                an_empty_batch_is_no_generation
                a_batch_that_is_committed_again_changes_nothing
                a_batch_that_came_in_by_half_of_its_files_is_completed
                what_is_known_already_is_no_generation
                the_progress_of_a_job_is_no_generation
                a_commit_that_is_refused_is_no_generation
                files_are_told_by_the_generation_they_came_with
                each_answer_is_of_one_generation
                what_is_read_by_id_is_of_that_version_or_gone
            }
            files {
                files_come_in_order_of_the_bytes_of_their_paths
                paths_are_told_apart_by_every_byte
                a_path_of_any_length_is_kept
                only_searchable_files_have_paths_by_id
            }
            documents {
                documents_come_with_their_files_in_order_of_ids
                documents_go_with_their_files
                texts_come_back_as_they_were
                as_many_documents_as_are_asked_for_come
                a_document_without_symbols_or_chunks_is_one
            }
            texts {
                a_text_that_every_file_may_have_is_in_all_that_are_searchable
                texts_go_with_their_files
                a_text_in_another_encoding_is_not_told_from_others
            }
            vectors {
                vectors_come_by_file
                vectors_go_with_their_files
                a_file_may_have_chunks_without_vectors
                a_vector_keeps_its_direction
                a_vector_of_zeros_stays_one
            }
            symbols {
                names_match_as_asked
                all_names_begin_with_nothing
                filters_leave_out
                pages_follow_each_other
                a_definition_goes_with_its_file
                a_definition_comes_with_the_names_round_it
                files_are_found_by_what_they_mention
                names_that_begin_alike_for_long_are_told_apart
            }
            lexical {
                a_match_counts_for_the_weight_of_its_field
                any_of_the_terms_is_enough_and_more_are_better
                a_rare_word_counts_for_more_than_a_common_one
                only_chunks_of_the_files_asked_for_are_found
                only_chunks_that_a_function_takes_are_found
                what_the_index_cuts_is_cut_in_the_query_too
                a_query_of_any_length_is_answered
                words_go_with_their_files
                many_small_commits_answer_as_a_large_one
                a_ranking_that_makes_no_sense_is_refused
            }
            jobs {
                what_is_noted_of_a_job_is_read_by_the_next_who_opens
                jobs_come_the_newest_first
                of_those_that_are_over_the_last_hundred_are_kept_and_all_others
                a_job_that_is_gone_stays_so
                progress_comes_with_what_it_tells_of
                the_progress_of_a_commit_that_fails_is_not_noted
                jobs_that_are_not_over_can_be_interrupted
            }
            fence {
                a_writer_whose_lock_was_lost_commits_nothing_once_another_is_open
                nothing_is_written_past_the_fence
                a_writer_that_is_fenced_off_still_reads
                a_writer_that_is_fenced_off_may_open_again
                a_writer_is_not_fenced_off_by_readers
                each_writer_is_fenced_off_by_the_next
            }
            soundness {
                a_sound_store_has_nothing_wrong
                looking_and_mending_change_nothing_that_is_sound
                what_follows_otherwise_by_now_is_found_and_made_anew
                a_file_of_which_nothing_can_be_made_is_taken_out
                what_is_committed_after_a_repair_is_sound
            }
        );
        $crate::store_contract!(@properties $backend;
            documents { any_text_comes_back_as_it_was }
            texts { every_file_that_has_a_text_is_found_by_it }
            symbols { any_name_is_found }
            lexical { any_text_is_safe }
            incremental { incremental_equals_rebuilt }
            fence { only_the_last_writer_writes }
        );
    };
    (@tests $backend:ty; $($module:ident { $($test:ident)+ })+) => {
        $(
            mod $module {
                use super::*;

                $(
                    #[test]
                    fn $test() {
                        $crate::contract::run::<$backend, _>($crate::contract::$module::$test);
                    }
                )+
            }
        )+
    };
    (@properties $backend:ty; $($module:ident { $($test:ident)+ })+) => {
        mod properties {
            use super::*;

            $($(
                #[test]
                fn $test() {
                    $crate::contract::$module::$test::<$backend>();
                }
            )+)+
        }
    };
}

/// Runs a test in a place of its own.
#[doc(hidden)]
pub fn run<B: Backend, F: Future<Output = ()>>(test: impl FnOnce(B) -> F) {
    runtime().block_on(async { test(B::new().await).await });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// How a property is tried.
fn cases(cases: u32) -> ProptestConfig {
    // Where the seed of a failure would be kept is the place of this source, which is not the backend's.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A place with its store, open for writing.
async fn new_store<B: Backend>() -> (B, Arc<dyn Store>) {
    let place = B::new().await;
    let store = writer(&place).await;
    (place, store)
}

/// Opens the store of this place to write.
async fn writer<B: Backend>(backend: &B) -> Arc<dyn Store> {
    backend.open(Access::Write).await.expect("it opens for writing")
}

/// Opens the store of this place to read.
async fn reader<B: Backend>(backend: &B) -> Arc<dyn Store> {
    backend.open(Access::Read).await.expect("it opens for reading")
}

/// Every field alike, whatever its length.
const EVEN: Bm25f = Bm25f { weights: [1.0; 4], b: [0.0; 4], k1: 1.2 };

/// Everything there is to see of a store, but for its generation and its jobs.
#[derive(Debug, PartialEq)]
struct Seen {
    files: Vec<FileRecord>,
    counts: StoreCounts,
    searchable: Vec<(FileId, RepoPath, LanguageName)>,
    documents: Vec<(FileRecord, Document)>,
    vectors: Vec<FileVectors>,
    naming: Vec<NamingFile>,
    symbols: Vec<SymbolRecord>,
    hits: Vec<Vec<LexicalHit>>,
}

/// Looks at everything there is.
async fn seen(store: &dyn Store) -> Seen {
    let files = store.files().await.unwrap();
    let ids: Vec<FileId> = files.iter().map(|file| file.id).collect();
    let ranking = Bm25f { weights: [3.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };
    let mut hits = Vec::new();
    for terms in [&["count", "state"][..], &["total"], &sample::WORDS] {
        hits.push(store.lexical_search(terms, ranking, ChunkFilter::All, 10_000).await.unwrap());
    }
    let every = SymbolQuery { matching: NameMatch::Prefix, ..SymbolQuery::exact("") };
    Seen {
        counts: store.counts().await.unwrap(),
        searchable: store.searchable_files().await.unwrap(),
        documents: store.documents(&ids).await.unwrap(),
        vectors: store.vectors(&ids).await.unwrap(),
        naming: store.files_naming("", NameMatch::Prefix).await.unwrap(),
        symbols: store.symbols(&every).await.unwrap(),
        hits,
        files,
    }
}

/// Nothing of the store contradicts the rest of it.
async fn assert_sound(store: &dyn Store) {
    assert_eq!(store.verify(Box::new(Again)).await.unwrap().findings, []);
}
