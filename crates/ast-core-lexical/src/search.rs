//! Searching.

use crate::cache::{Expected, PageCache};
use crate::documents::{Documents, WORDS};
use crate::evaluate::{Best, Hit, List, Scratch, TermList, score_window};
use crate::lookup::{Lookup, dead, documents_page, root};
use crate::manifest::{Manifest, Segment};
use crate::page::PageId;
use crate::root::Root;
use crate::score::{Bm25f, Scorer};
use crate::task::unfinished;
use crate::{LexicalError, Page, Task};
use ast_core_model::{ChunkId, FileId};

/// The most distinct terms of a query.
pub const MAX_QUERY_TERMS: usize = 64;

/// What to look for, and how to rank it.
#[derive(Debug, Clone)]
pub struct Query<'q> {
    /// Terms, cut as those of the index were; any bytes are safe, and what is given again counts once.
    pub terms: &'q [&'q str],
    /// How matches count.
    pub ranking: Bm25f,
    /// The most hits.
    pub limit: usize,
}

/// Which chunks are looked for.
#[derive(Clone, Copy, Default)]
pub enum Filter<'f> {
    /// All of them.
    #[default]
    All,
    /// Those of these files, which are in order. What is of others is not even read, as far as it is apart.
    Files(&'f [FileId]),
    /// Those that a function takes; it is asked only of chunks that score high enough.
    Chunks(&'f (dyn Fn(ChunkId) -> bool + Sync)),
}

impl std::fmt::Debug for Filter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::All => "All",
            Self::Files(_) => "Files",
            Self::Chunks(_) => "Chunks",
        })
    }
}

/// The chunks that hold any of the terms and score the most, best first, equals in the order of their ids.
///
/// Scores are exactly those of a comparison with all documents, and depend on those that are in the index alone: not on
/// its segments, nor on documents that are gone. What terms add to a score is summed in the order of the query.
#[derive(Debug)]
pub struct Search<'a> {
    lookup: Lookup<'a>,
    manifest: Manifest,
    ranking: Bm25f,
    limit: usize,
    filter: Filter<'a>,
    state: State,
}

#[derive(Debug)]
enum State {
    LookingUp,
    /// What the terms count for; by segment, which pages of documents may have hits.
    Found {
        scorer: Scorer,
        idf: Vec<f64>,
        windows: Vec<Vec<usize>>,
    },
}

impl<'a> Search<'a> {
    /// Begins a search of the index of this manifest.
    ///
    /// # Errors
    /// [`LexicalError::TooManyTerms`]; [`LexicalError::InvalidParameter`]; [`LexicalError::Damaged`].
    pub fn new(
        manifest: &Manifest,
        query: &Query<'_>,
        filter: Filter<'a>,
        cache: &'a PageCache,
    ) -> Result<Self, LexicalError> {
        query.ranking.check()?;
        let mut search = Self {
            lookup: Lookup::new(manifest, distinct(query.terms)?, true, cache)?,
            manifest: manifest.clone(),
            ranking: query.ranking,
            limit: query.limit,
            filter,
            state: State::LookingUp,
        };
        search.advance()?;
        Ok(search)
    }

    fn advance(&mut self) -> Result<(), LexicalError> {
        if self.lookup.advance()? && matches!(self.state, State::LookingUp) {
            self.want_documents()?;
        }
        Ok(())
    }

    fn want_documents(&mut self) -> Result<(), LexicalError> {
        let scorer = Scorer::new(&self.ranking, &self.manifest.totals());
        let idf: Vec<f64> = self.lookup.frequencies()?.into_iter().map(|with| scorer.idf(with)).collect();
        let mut wanted = Vec::new();
        let mut windows = Vec::new();
        for at in 0..self.lookup.found.len() {
            let segment = self.lookup.segments[at];
            let mut pages = vec![false; self.root(&segment)?.first_files.len()];
            for (_, list) in self.lists(at, &scorer, &idf)? {
                list.windows(|page| {
                    if let Some(page) = pages.get_mut(page) {
                        *page = true;
                    }
                });
            }
            if let Filter::Files(files) = self.filter {
                let mut of_files = vec![false; pages.len()];
                let files = files.iter().filter(|&&file| segment.may_have(file));
                if pages.contains(&true) {
                    for &file in files {
                        of_files[self.root(&segment)?.find_file(file)].fill(true);
                    }
                }
                pages.iter_mut().zip(of_files).for_each(|(page, of_files)| *page &= of_files);
            }
            let pages: Vec<usize> = (0..pages.len()).filter(|&page| pages[page]).collect();
            wanted.extend(pages.iter().map(|&page| (documents_page(&segment, page), Expected::Documents)));
            windows.push(pages);
        }
        self.lookup.held.want(wanted);
        self.state = State::Found { scorer, idf, windows };
        Ok(())
    }

    fn root(&self, segment: &Segment) -> Result<&Root, LexicalError> {
        root(&self.lookup.held, segment)
    }

    /// The lists of a segment.
    fn lists(&self, at: usize, scorer: &Scorer, idf: &[f64]) -> Result<Vec<TermList<'_>>, LexicalError> {
        let mut lists = Vec::new();
        for (term, found) in self.lookup.found[at].iter().enumerate() {
            if let Some(found) = found {
                let documents = self.lookup.segments[at].documents;
                let list = List::new(found, &self.lookup.held, documents, scorer, idf[term])?;
                lists.push((term, list));
            }
        }
        Ok(lists)
    }

    /// The documents of a page that may be found, a bit each.
    fn allowed(
        &self,
        segment: &Segment,
        page: usize,
        documents: &Documents,
    ) -> Result<[u64; WORDS], LexicalError> {
        let mut allowed = [u64::MAX; WORDS];
        if let Filter::Files(files) = self.filter {
            allowed = [0; WORDS];
            for (place, run) in documents.placed() {
                if files.binary_search(&run.file).is_ok() {
                    (place..place + run.count as usize)
                        .for_each(|place| allowed[place / 64] |= 1 << (place % 64));
                }
            }
        }
        if let Some(dead) = dead(&self.lookup.held, segment)? {
            allowed.iter_mut().zip(dead.page(page)).for_each(|(allowed, dead)| *allowed &= !dead);
        }
        Ok(allowed)
    }
}

impl Task for Search<'_> {
    type Output = Vec<Hit>;

    fn wanted(&self) -> &[PageId] {
        self.lookup.held.wanted()
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        self.lookup.held.supply(pages)?;
        self.advance()
    }

    fn finish(self) -> Result<Vec<Hit>, LexicalError> {
        unfinished(self.wanted())?;
        let mut best = Best::new(self.limit);
        let State::Found { scorer, idf, windows } = &self.state else { return Ok(best.into_hits()) };
        if self.limit == 0 {
            return Ok(best.into_hits());
        }
        let all = |_: ChunkId| true;
        let accept = if let Filter::Chunks(accept) = self.filter { accept } else { &all };
        let mut scratch = Scratch::new(*scorer, idf.len());
        // The largest first, so that the bar is high early.
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(self.lookup.segments[at].documents));
        for at in order {
            let segment = &self.lookup.segments[at];
            let mut lists = self.lists(at, scorer, idf)?;
            for &page in &windows[at] {
                let id = documents_page(segment, page);
                let documents = self.lookup.held.get(id)?.documents().map_err(|damage| damage.of(id))?;
                let allowed = self.allowed(segment, page, documents)?;
                if allowed == [0; WORDS] {
                    continue;
                }
                score_window(page, documents, &mut lists, &allowed, accept, &mut scratch, &mut best)?;
            }
        }
        Ok(best.into_hits())
    }
}

fn distinct(terms: &[&str]) -> Result<Vec<Vec<u8>>, LexicalError> {
    let mut distinct: Vec<Vec<u8>> = Vec::new();
    for term in terms {
        if !distinct.iter().any(|known| known == term.as_bytes()) {
            distinct.push(term.as_bytes().to_vec());
        }
    }
    if distinct.len() > MAX_QUERY_TERMS {
        return Err(LexicalError::TooManyTerms { received: distinct.len() });
    }
    Ok(distinct)
}

/// In how many documents each of some terms is, those that are gone left out.
#[derive(Debug)]
pub struct Frequencies<'a>(Lookup<'a>);

impl<'a> Frequencies<'a> {
    /// Begins to count.
    ///
    /// # Errors
    /// [`LexicalError::Damaged`].
    pub fn new(manifest: &Manifest, terms: &[&str], cache: &'a PageCache) -> Result<Self, LexicalError> {
        let terms = terms.iter().map(|term| term.as_bytes().to_vec()).collect();
        Lookup::new(manifest, terms, false, cache).map(Self)
    }
}

impl Task for Frequencies<'_> {
    type Output = Vec<u64>;

    fn wanted(&self) -> &[PageId] {
        self.0.held.wanted()
    }

    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError> {
        self.0.held.supply(pages)?;
        self.0.advance().map(drop)
    }

    fn finish(self) -> Result<Vec<u64>, LexicalError> {
        unfinished(self.wanted())?;
        self.0.frequencies()
    }
}
