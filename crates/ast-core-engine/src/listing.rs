//! All definitions that there are, a page at a time.

use crate::filter::path_filter;
use crate::{Engine, EngineError};
use ast_core_model::{FileId, LanguageName, RepoPath, Span, Symbol, SymbolId, SymbolKind, scope_of};
use ast_core_parse::{Language, SourceText};
use ast_core_storage::NameMatch;
use std::time::{Duration, Instant};

/// Documents that are in memory at a time.
const AT_A_TIME: usize = 32;

/// Which definitions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolFilter {
    /// Only of this name, or of those like it; of any if `None`.
    pub name: Option<String>,
    /// How names are compared with it.
    pub matching: NameMatch,
    /// Only of these kinds; of all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only in files in one of these languages; in all if empty.
    pub languages: Vec<Language>,
    /// Only in files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery); in all if empty.
    pub paths: Vec<String>,
    /// Only those behind this one: where the last page ended.
    pub after: Option<SymbolId>,
    /// The most definitions. Default: 1,000.
    pub limit: usize,
}

impl Default for SymbolFilter {
    fn default() -> Self {
        Self {
            name: None,
            matching: NameMatch::Exact,
            kinds: Vec::new(),
            languages: Vec::new(),
            paths: Vec::new(),
            after: None,
            limit: 1000,
        }
    }
}

/// A definition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSymbol {
    /// The version of its file, and its place in it.
    pub id: SymbolId,
    /// Which of the page's files it is in.
    pub file: u32,
    /// The definition. Its parent is a place in its file.
    pub symbol: Symbol,
    /// Its span in UTF-16 code units of the text of its file.
    pub utf16: Span,
    /// The names round it, outermost first.
    pub scope: Vec<Box<str>>,
}

/// Definitions of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolPage {
    /// The files that they are in, each with its language.
    pub files: Vec<(RepoPath, LanguageName)>,
    /// In order of their files, those that were indexed first before others; and in those of their places.
    pub symbols: Vec<ListedSymbol>,
    /// What the next page is to be behind; `None` if this is the last.
    pub next: Option<SymbolId>,
    /// The generation of the index that was read.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

/// A definition as it is read, to be taken what is wanted of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SymbolRow<'a> {
    /// The version of its file, and its place in it.
    pub id: SymbolId,
    /// Its file.
    pub path: &'a RepoPath,
    /// The language of its file.
    pub language: &'a LanguageName,
    /// The definition. Its parent is a place in its file.
    pub symbol: &'a Symbol,
    /// Its span in UTF-16 code units of the text of its file.
    pub utf16: Span,
    /// All definitions of its file.
    siblings: &'a [Symbol],
}

impl<'a> SymbolRow<'a> {
    /// The names round it, outermost first.
    pub fn scope(&self) -> Vec<&'a str> {
        scope_of(self.siblings, self.id.ordinal() as usize)
    }
}

/// How definitions were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolsRead {
    /// What the next page is to be behind; `None` if this is the last.
    pub next: Option<SymbolId>,
    /// The generation of the index that was read.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took, with what was done with each.
    pub took: Duration,
}

impl Engine {
    /// The definitions of the index, or those of a name. A file that is indexed anew meanwhile comes once more, in a later
    /// page.
    ///
    /// # Errors
    /// [`EngineError::Pattern`] if a path filter is no glob, [`EngineError::Store`].
    pub async fn symbols(&self, filter: &SymbolFilter) -> Result<SymbolPage, EngineError> {
        let (mut files, mut symbols, mut last) = (Vec::new(), Vec::new(), None);
        let read = self
            .each_symbol(filter, |row| {
                if last.replace(row.id.file()) != Some(row.id.file()) {
                    files.push((row.path.clone(), row.language.clone()));
                }
                symbols.push(ListedSymbol {
                    id: row.id,
                    file: files.len() as u32 - 1,
                    symbol: row.symbol.clone(),
                    utf16: row.utf16,
                    scope: row.scope().into_iter().map(Into::into).collect(),
                });
            })
            .await?;
        let SymbolsRead { next, generation, complete, took } = read;
        Ok(SymbolPage { files, symbols, next, generation, complete, took })
    }

    /// The same for who keeps them in a form of their own: each is shown once, in the order of a page, and nothing of it is
    /// copied.
    ///
    /// # Errors
    /// As of [`symbols`](Self::symbols).
    pub async fn each_symbol(
        &self,
        filter: &SymbolFilter,
        mut show: impl FnMut(SymbolRow<'_>) + Send,
    ) -> Result<SymbolsRead, EngineError> {
        let begin = Instant::now();
        let paths = path_filter(&filter.paths)?;
        let generation = self.store.generation().await?;
        let complete = self.is_complete().await?;
        let files = self.listed_files(filter, paths.as_ref(), generation).await?;
        let (mut shown, mut last, mut next) = (0, None, None);
        'files: for files in files.chunks(AT_A_TIME) {
            for (record, document) in self.store.outlines(files).await? {
                let Some(language) = &record.language else { continue };
                let siblings = &*document.symbols;
                let mut utf16 = None;
                for (index, symbol) in siblings.iter().enumerate() {
                    let Some(id) = SymbolId::in_file(record.id, index as u32) else { break };
                    if !filter.takes(id, symbol) {
                        continue;
                    }
                    if shown == filter.limit {
                        next = last;
                        break 'files;
                    }
                    let places = match &utf16 {
                        Some(places) => places,
                        None => utf16.insert(SourceText::decode(&document.source)?.utf16_places()),
                    };
                    let utf16 = places.of_span(symbol.span);
                    show(SymbolRow { id, path: &record.path, language, symbol, utf16, siblings });
                    (shown, last) = (shown + 1, Some(id));
                }
            }
        }
        Ok(SymbolsRead { next, generation, complete, took: begin.elapsed() })
    }

    /// The files that may have definitions to be listed, in order of ids.
    async fn listed_files(
        &self,
        filter: &SymbolFilter,
        paths: Option<&globset::GlobSet>,
        generation: u64,
    ) -> Result<Vec<FileId>, EngineError> {
        let catalog = self.catalog(generation).await?;
        let mut files: Vec<FileId> = match &filter.name {
            Some(name) => {
                let naming = self.store.files_naming(name, filter.matching).await?;
                naming.into_iter().filter(|naming| naming.defines).map(|naming| naming.file).collect()
            }
            None => catalog.files.keys().copied().collect(),
        };
        let first = filter.after.map(SymbolId::file);
        files.retain(|file| {
            first.is_none_or(|first| *file >= first)
                && catalog.files.get(file).is_some_and(|known| {
                    let is_of = |language: &Language| language.name() == known.language;
                    (filter.languages.is_empty() || filter.languages.iter().any(is_of))
                        && paths.is_none_or(|paths| paths.is_match(known.path.as_str()))
                })
        });
        files.sort_unstable();
        Ok(files)
    }
}

impl SymbolFilter {
    fn takes(&self, id: SymbolId, symbol: &Symbol) -> bool {
        self.after.is_none_or(|after| id > after)
            && (self.kinds.is_empty() || self.kinds.contains(&symbol.kind))
            && self.name.as_ref().is_none_or(|name| self.matching.takes(name, &symbol.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineConfig, IndexControl, IndexOptions};

    #[tokio::test]
    async fn pages_hold_every_definition_once() {
        let tree = tempfile::tempdir().unwrap();
        let text = "# é😀\nclass Pump:\n    def open(self):\n        pass\n\ndef open_all():\n    pass\n";
        std::fs::write(tree.path().join("a.py"), text).unwrap();
        std::fs::write(tree.path().join("b.rs"), "fn Open() {}\n").unwrap();
        let engine = Engine::open(EngineConfig::for_tree(tree.path())).await.unwrap();
        engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await.unwrap();
        let all = engine.symbols(&SymbolFilter::default()).await.unwrap();
        let named = |page: &SymbolPage| -> Vec<String> {
            let path = |symbol: &ListedSymbol| page.files[symbol.file as usize].0.to_string();
            page.symbols.iter().map(|symbol| format!("{} {}", path(symbol), symbol.symbol.name)).collect()
        };
        assert_eq!(named(&all), ["a.py Pump", "a.py open", "a.py open_all", "b.rs Open"]);
        assert_eq!(all.next, None);
        assert_eq!(*all.symbols[1].scope, ["Pump".into()]);
        let [pump, units] = [all.symbols[0].symbol.span.start as usize, all.symbols[0].utf16.start as usize];
        assert_eq!(text[..pump].encode_utf16().count(), units);
        for limit in 1..4 {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page =
                    engine.symbols(&SymbolFilter { limit, after, ..SymbolFilter::default() }).await.unwrap();
                assert!(page.symbols.len() <= limit);
                paged.extend(named(&page));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, named(&all), "{limit}");
        }
        for (name, matching, expected) in [
            ("open", NameMatch::Exact, 1),
            ("open", NameMatch::IgnoreCase, 2),
            ("open", NameMatch::Prefix, 3),
            ("um", NameMatch::Substring, 1),
        ] {
            let filter = SymbolFilter { name: Some(name.into()), matching, ..SymbolFilter::default() };
            assert_eq!(engine.symbols(&filter).await.unwrap().symbols.len(), expected, "{name} {matching:?}");
        }
        let kinds = SymbolFilter { kinds: vec![SymbolKind::Class], ..SymbolFilter::default() };
        assert_eq!(named(&engine.symbols(&kinds).await.unwrap()), ["a.py Pump"]);
        let rust = SymbolFilter { languages: vec!["rust".parse().unwrap()], ..SymbolFilter::default() };
        assert_eq!(named(&engine.symbols(&rust).await.unwrap()), ["b.rs Open"]);
    }
}
