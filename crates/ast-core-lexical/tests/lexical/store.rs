//! An index with its pages in a map.

use ast_core_lexical::{
    Bm25f, Changes, FileTerms, Filter, Frequencies, Hit, LexicalError, Manifest, Match, Matches, Merge, Page,
    PageCache, PageId, Query, Search, Task, TermMatch, Update, plan_merges, run,
};
use ast_core_model::{ChunkTerms, FileId};
use std::collections::BTreeMap;

pub(crate) fn file(number: u64) -> FileId {
    FileId::new(number).unwrap()
}

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) pages: BTreeMap<PageId, Vec<u8>>,
}

impl Store {
    pub(crate) fn fetch(&self, wanted: &[PageId]) -> Result<Vec<Page>, LexicalError> {
        assert!(wanted.is_sorted_by(|a, b| a < b) && !wanted.is_empty());
        Ok(wanted.iter().filter_map(|&id| Some(Page { id, data: self.pages.get(&id)?.clone() })).collect())
    }

    pub(crate) fn manifest(&self) -> Result<Manifest, LexicalError> {
        Manifest::read(self.pages.get(&PageId::MANIFEST).cloned())
    }

    pub(crate) fn apply(&mut self, changes: Changes) {
        for range in changes.delete {
            self.pages.retain(|id, _| !range.contains(id));
        }
        self.pages.extend(changes.put.into_iter().map(|page| (page.id, page.data)));
    }

    pub(crate) fn update(
        &mut self,
        removed: &[u64],
        added: &[(u64, Vec<ChunkTerms>)],
    ) -> Result<(), LexicalError> {
        let cache = PageCache::new(1 << 20);
        let removed = removed.iter().map(|&number| file(number)).collect();
        let added = added
            .iter()
            .map(|(number, chunks)| Ok((file(*number), FileTerms::new(chunks)?)))
            .collect::<Result<_, LexicalError>>()?;
        let update = Update::new(self.manifest()?, removed, added, &cache)?;
        let changes = run(update, |wanted| self.fetch(wanted))?;
        self.apply(changes);
        Ok(())
    }

    pub(crate) fn merge(&mut self, segments: &[u32]) -> Result<(), LexicalError> {
        let mut merge = Merge::new(self.manifest()?, segments);
        while !merge.wanted().is_empty() {
            let pages = self.fetch(merge.wanted())?;
            merge.supply(pages)?;
            self.pages.extend(merge.take_pages().into_iter().map(|page| (page.id, page.data)));
        }
        let changes = merge.finish()?;
        self.apply(changes);
        Ok(())
    }

    /// Merges what is to be merged.
    pub(crate) fn settle(&mut self, budget: u64) -> Result<(), LexicalError> {
        loop {
            let plan = plan_merges(&self.manifest()?, budget);
            if plan.is_empty() {
                return Ok(());
            }
            for segments in plan {
                self.merge(&segments)?;
            }
        }
    }

    pub(crate) fn search(
        &self,
        terms: &[&str],
        ranking: Bm25f,
        limit: usize,
        filter: Filter<'_>,
        cache: &PageCache,
    ) -> Result<Vec<Hit>, LexicalError> {
        let search = Search::new(&self.manifest()?, &Query { terms, ranking, limit }, filter, cache)?;
        run(search, |wanted| self.fetch(wanted))
    }

    pub(crate) fn matches(
        &self,
        terms: TermMatch<'_>,
        cache: &PageCache,
    ) -> Result<Vec<Match>, LexicalError> {
        run(Matches::new(&self.manifest()?, terms, cache)?, |wanted| self.fetch(wanted))
    }

    pub(crate) fn frequencies(&self, terms: &[&str], cache: &PageCache) -> Result<Vec<u64>, LexicalError> {
        run(Frequencies::new(&self.manifest()?, terms, cache)?, |wanted| self.fetch(wanted))
    }
}
