//! Files by the names that they define and mention.

use super::pages::{Failed, PageTable, Pages};
use super::{SqliteStore, direct};
use crate::{NameMatch, NamingFile, StoreError, name_term};
use ast_core_lexical::{Matches, TermMatch};

impl SqliteStore {
    pub(crate) async fn files_naming(
        &self,
        name: &str,
        matching: NameMatch,
    ) -> Result<Vec<NamingFile>, StoreError> {
        let term = name_term(name);
        let cache = self.caches.names.clone();
        let connection = self.reader().await?;
        direct::read(connection, self.path.clone(), move |connection, path| {
            let terms = match matching {
                NameMatch::Exact | NameMatch::IgnoreCase => TermMatch::Equal(&term),
                NameMatch::Prefix => TermMatch::Prefix(&term),
                NameMatch::Substring => TermMatch::Substring(&term),
            };
            let mut find = || -> Result<Vec<NamingFile>, Failed> {
                // All pages are of one generation.
                let transaction = connection.transaction()?;
                let mut pages = Pages::of(&transaction, PageTable::Names)?;
                let manifest = pages.searched()?;
                let found = pages.run(Matches::new(&manifest, terms, &cache)?)?;
                Ok(found.iter().map(NamingFile::of_match).collect())
            };
            find().map_err(|error| error.into_store_error(path))
        })
        .await
    }
}
