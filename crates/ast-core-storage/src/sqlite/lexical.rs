//! Search by words.

use super::pages::{Failed, PageTable, Pages};
use super::{SqliteStore, direct};
use crate::{ChunkFilter, StoreError, query_words};
use ast_core_lexical::{Bm25f, Filter, Frequencies, Hit, MAX_QUERY_TERMS, Query, Search};

impl SqliteStore {
    pub(crate) async fn lexical_search(
        &self,
        terms: &[&str],
        ranking: Bm25f,
        filter: ChunkFilter,
        limit: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        let words = query_words(terms);
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let cache = self.caches.words.clone();
        let path = self.path.clone();
        let connection = self.reader().await?;
        direct::read(connection, path, move |connection, path| {
            let mut search = || -> Result<Vec<Hit>, Failed> {
                // All pages are of one generation.
                let transaction = connection.transaction()?;
                let mut pages = Pages::of(&transaction, PageTable::Words)?;
                let manifest = pages.searched()?;
                let mut terms: Vec<&str> = words.iter().map(String::as_str).collect();
                if terms.len() > MAX_QUERY_TERMS {
                    let frequencies = pages.run(Frequencies::new(&manifest, &terms, &cache)?)?;
                    let mut rarest: Vec<(u64, &str)> = frequencies.into_iter().zip(terms).collect();
                    rarest.retain(|(frequency, _)| *frequency > 0);
                    rarest.sort_unstable();
                    terms = rarest.into_iter().map(|(_, term)| term).take(MAX_QUERY_TERMS).collect();
                }
                let files = match &filter {
                    ChunkFilter::Files(files) => {
                        let mut files = files.clone();
                        files.sort_unstable();
                        files.dedup();
                        files
                    }
                    _ => Vec::new(),
                };
                let filter = match &filter {
                    ChunkFilter::All => Filter::All,
                    ChunkFilter::Files(_) => Filter::Files(&files),
                    ChunkFilter::Chunks(takes) => Filter::Chunks(&**takes),
                };
                let query = Query { terms: &terms, ranking, limit };
                pages.run(Search::new(&manifest, &query, filter, &cache)?)
            };
            search().map_err(|error| error.into_store_error(path))
        })
        .await
    }
}
