//! Search by a regular expression, or for a text as it is, line by line in the sources that the index holds.
//!
//! Signatures tell which files may have a match ([decision 23](../../../docs/decisions/0023-grep.md)); those are read from the
//! store in the order of their paths, and searched by ripgrep's own libraries.

mod file;
mod needed;
mod pattern;

use crate::attempts::ATTEMPTS;
use crate::engine::blocking;
use crate::filter::path_filter;

use crate::{Definition, Engine, EngineError};
use ast_core_model::{FileId, LanguageName, RepoPath, Span};
use ast_core_parse::Language;
use ast_core_storage::{FileRecord, StoredDocument};
use globset::GlobSet;
use grep_regex::RegexMatcher;
use grep_searcher::Searcher;
use pattern::Pattern;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sources that are read and searched at a time, in bytes before compression: few at first, so that the first answers are
/// there soon, and then twice as many each time.
const FIRST_BYTES: u64 = 1 << 20;
const MOST_BYTES: u64 = 16 << 20;

/// What to look for in the lines of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepQuery {
    /// A [regular expression](https://docs.rs/regex/1/regex/#syntax), as ripgrep has them: it matches within a line, and `^` and
    /// `$` are the beginning and the end of one. A carriage return at the end of a line is part of it.
    pub pattern: String,
    /// Whether the pattern is a text, and no regular expression. Default: no.
    pub fixed: bool,
    /// Whether upper and lower case are alike, by Unicode's simple case folding. Default: no.
    pub ignore_case: bool,
    /// Whether a match must neither begin nor end inside of a word. Default: no.
    pub word: bool,
    /// Only files in one of these languages; all if empty.
    pub languages: Vec<Language>,
    /// Only files whose path matches one of these globs, as of [`SearchQuery`](crate::SearchQuery); all if empty.
    pub paths: Vec<String>,
    /// What is told of a file. Default: its lines.
    pub detail: GrepDetail,
    /// Lines before each line that matches that are given with it. Default: 0.
    pub before: u32,
    /// The same for those after it. Default: 0.
    pub after: u32,
    /// The most lines that match; if only files are told of, the most files. Default: 1,000.
    pub limit: usize,
}

impl GrepQuery {
    /// Looks for a regular expression everywhere.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            fixed: false,
            ignore_case: false,
            word: false,
            languages: Vec::new(),
            paths: Vec::new(),
            detail: GrepDetail::Lines,
            before: 0,
            after: 0,
            limit: 1_000,
        }
    }

    /// Looks for a text as it is everywhere.
    pub fn text(text: impl Into<String>) -> Self {
        Self { fixed: true, ..Self::new(text) }
    }
}

/// What is told of a file that has a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GrepDetail {
    /// The lines.
    #[default]
    Lines,
    /// How many lines match.
    Counts,
    /// That there is one, for which no more is looked at.
    Files,
}

/// A file that has lines that match.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrepFile {
    /// Its path, relative to the tree.
    pub path: RepoPath,
    /// Its language.
    pub language: LanguageName,
    /// Whether it has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
    /// How many lines match: of those that are given, all; 1 if only files are told of.
    pub count: u64,
    /// The lines that match, and those round them that were asked for, in order and each once.
    pub lines: Vec<GrepLine>,
    /// The definitions that the lines are in.
    pub definitions: Vec<Definition>,
}

impl GrepFile {
    /// The definition that a line of this file is in.
    pub fn definition_of(&self, line: &GrepLine) -> Option<&Definition> {
        self.definitions.get(line.within?)
    }

    /// Leaves no more than so many lines that match, and those round them.
    fn truncate(&mut self, most: u64, after: u32) {
        let mut matches = self.lines.iter().enumerate().filter(|(_, line)| line.is_match);
        if let Some((beyond, _)) = usize::try_from(most).ok().and_then(|most| matches.nth(most)) {
            self.lines.truncate(beyond);
        }
        let last = self.lines.iter().rfind(|line| line.is_match).map_or(0, |line| line.number);
        let is_beyond = |line: &mut GrepLine| !line.is_match && line.number > last.saturating_add(after);
        while self.lines.pop_if(is_beyond).is_some() {}
        self.count = self.count.min(most);
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrepLine {
    /// Its number, from 1.
    pub number: u32,
    /// Its bytes in the file, without the line feed.
    pub span: Span,
    /// What is in it, without the line feed; of a file in UTF-16 as UTF-8.
    pub bytes: Vec<u8>,
    /// Whether it matches, or is round one that does.
    pub is_match: bool,
    /// What of it matches, in order. It may be nothing, where the end of the line is looked at.
    pub matches: Vec<GrepMatch>,
    /// Which of the file's [definitions](GrepFile::definitions) it is in, by the first match: the innermost. `None` at the top of a
    /// file, and of a line that does not match.
    pub within: Option<usize>,
}

impl GrepLine {
    /// What is in it. What is no UTF-8 is replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// A part of a line that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrepMatch {
    /// Where it begins in the [bytes](GrepLine::bytes) of the line.
    pub start: u32,
    /// Where it ends there.
    pub end: u32,
    /// Its bytes in the file.
    pub span: Span,
}

/// What was looked at, and whether that was all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrepSummary {
    /// How many lines match of those that were given or counted; if only files are told of, one of each.
    pub lines: u64,
    /// How many files they are in.
    pub files: u64,
    /// How many files were read: those that may have a match, by their signatures, as far as they were looked at.
    pub files_read: u64,
    /// Whether the limit was reached, so that there may be more.
    pub more: bool,
    /// The generation of the index that was searched. A file that was indexed anew meanwhile is of a later one.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrepReply {
    /// The files that have lines that match, in the order of their paths.
    pub files: Vec<GrepFile>,
    /// What was looked at.
    pub summary: GrepSummary,
}

impl Engine {
    /// The lines of the tree that match a regular expression, or have a text in them, in the order of paths: what ripgrep finds in
    /// the files that are in the index, as they were indexed.
    ///
    /// Files whose signatures tell that they have no match are not read. That takes a pattern of which every match has the same three
    /// characters, or one of a few; another is looked for in all files. All threads of
    /// [`EngineConfig::batch`](crate::EngineConfig::batch) take part. To cancel it, drop the future: what is under way, no more than
    /// 16 MB of source, comes to its end.
    ///
    /// ```
    /// use ast_core_engine::{Engine, EngineConfig, GrepQuery, IndexControl, IndexOptions};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let tree = tempfile::tempdir()?;
    /// # std::fs::write(tree.path().join("retry.py"), "def retry_request(times):\n    return times\n")?;
    /// let engine = Engine::open(EngineConfig::for_tree(tree.path())).await?;
    /// engine.index(tree.path(), &IndexOptions::default(), IndexControl::default()).await?;
    ///
    /// let reply = engine.grep(&GrepQuery::new(r"return \w+")).await?;
    /// let (file, line) = (&reply.files[0], &reply.files[0].lines[0]);
    /// assert_eq!((file.path.as_str(), line.number, &*line.text()), ("retry.py", 2, "    return times"));
    /// assert_eq!(file.definition_of(line).map(|within| &*within.name), Some("retry_request"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Regex`] if the pattern is none, [`EngineError::Pattern`] if a path filter is no glob,
    /// [`EngineError::Store`].
    pub async fn grep(&self, query: &GrepQuery) -> Result<GrepReply, EngineError> {
        let mut files = Vec::new();
        let each = |file| {
            files.push(file);
            ControlFlow::Continue(())
        };
        let summary = self.grep_each(query, each).await?;
        Ok(GrepReply { files, summary })
    }

    /// The same, and each file is given to `sink` as soon as it and those before it are searched. `sink` may end it early. In memory
    /// there is no more at a time than some 16 MB of source come to.
    ///
    /// # Errors
    /// As of [`grep`](Self::grep).
    pub async fn grep_each(
        &self,
        query: &GrepQuery,
        mut sink: impl FnMut(GrepFile) -> ControlFlow<()>,
    ) -> Result<GrepSummary, EngineError> {
        let begin = Instant::now();
        let paths = path_filter(&query.paths)?;
        let asked = query.clone();
        let pattern = Arc::new(blocking(move || Pattern::new(&asked)).await??);
        let root = self.tree().await?.map(Arc::<Path>::from);
        let generation = self.store.generation().await?;
        let mut left = self.candidates(&pattern, query, paths.as_ref()).await?;
        let mut tally = Tally { query, lines: 0, files: 0, more: false };
        let (mut files_read, mut done) = (0, None);
        let mut attempts = 1..ATTEMPTS;
        let mut bytes = FIRST_BYTES;
        let mut next = self.read(&mut left, bytes).await?;
        'batches: while let Some(batch) = next {
            if batch.documents.len() < batch.asked && attempts.next().is_some() {
                // Commits took some away. What came in their places may match, too.
                left = self.candidates(&pattern, query, paths.as_ref()).await?;
                left.retain(|file| done.as_ref().is_none_or(|done| file.path > *done));
                next = self.read(&mut left, bytes).await?;
                continue;
            }
            done = Some(batch.last);
            files_read += batch.documents.len() as u64;
            bytes = (2 * bytes).min(MOST_BYTES);
            // While these are searched, the next are read.
            let searching = self.search_all(&pattern, batch.documents, tally.left(), &root);
            let (found, read) = tokio::join!(searching, self.read(&mut left, bytes));
            for file in found? {
                if tally.give(file, &mut sink).is_break() {
                    break 'batches;
                }
            }
            next = read?;
            if tally.left() == 0 {
                tally.more = next.is_some();
                break;
            }
        }
        Ok(GrepSummary {
            lines: tally.lines,
            files: tally.files,
            files_read,
            more: tally.more,
            generation,
            complete: self.is_complete().await?,
            took: begin.elapsed(),
        })
    }

    /// The files that may have a match, in the order of their paths.
    async fn candidates(
        &self,
        pattern: &Pattern,
        query: &GrepQuery,
        paths: Option<&GlobSet>,
    ) -> Result<VecDeque<Candidate>, EngineError> {
        let versions = self.store.files_with(&pattern.needed).await?;
        let ids: Vec<FileId> = versions.iter().map(|version| version.id).collect();
        let names: Vec<LanguageName> = query.languages.iter().map(|language| language.name()).collect();
        let mut candidates = Vec::with_capacity(ids.len());
        for (file, path, language) in self.store.paths(&ids).await? {
            let is_asked_for = (names.is_empty() || names.contains(&language))
                && paths.is_none_or(|paths| paths.is_match(path.as_str()));
            if is_asked_for && let Ok(at) = versions.binary_search_by_key(&file, |version| version.id) {
                candidates.push(Candidate { path, file, size: versions[at].size });
            }
        }
        candidates.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(candidates.into())
    }

    /// Reads the next files, of about so many bytes of source, but does not decompress them; `None` if there are no more.
    async fn read(
        &self,
        left: &mut VecDeque<Candidate>,
        bytes: u64,
    ) -> Result<Option<ReadBatch>, EngineError> {
        let (mut ids, mut size, mut last) = (Vec::new(), 0, None);
        while let Some(file) = left.pop_front_if(|file| ids.is_empty() || size + file.size <= bytes) {
            size += file.size;
            ids.push(file.file);
            last = Some(file.path);
        }
        let Some(last) = last else { return Ok(None) };
        let mut documents = self.store.stored_documents(&ids).await?;
        documents.sort_unstable_by(|a, b| a.0.path.cmp(&b.0.path));
        Ok(Some(ReadBatch { last, asked: ids.len(), documents }))
    }

    /// Searches files on all threads; those that have a match, in the order in which they came.
    async fn search_all(
        &self,
        pattern: &Arc<Pattern>,
        documents: Vec<(FileRecord, StoredDocument)>,
        most: u64,
        root: &Option<Arc<Path>>,
    ) -> Result<Vec<GrepFile>, EngineError> {
        let (pattern, pool, root) = (pattern.clone(), self.search_pool.clone(), root.clone());
        let store = self.store.path().to_owned();
        blocking(move || {
            let search = |tools: &mut (Searcher, RegexMatcher), document| {
                file::search(&pattern, tools, document, most, (store.as_path(), root.as_deref()))
            };
            let found: Result<Vec<Option<GrepFile>>, EngineError> =
                pool.install(|| documents.into_par_iter().map_init(|| pattern.tools(), search).collect());
            found.map(|found| found.into_iter().flatten().collect())
        })
        .await?
    }
}

/// A file that may have a match.
struct Candidate {
    path: RepoPath,
    file: FileId,
    /// The bytes of its source.
    size: u64,
}

/// Files that were read together.
struct ReadBatch {
    /// The path of the last of them.
    last: RepoPath,
    /// How many were to be read.
    asked: usize,
    documents: Vec<(FileRecord, StoredDocument)>,
}

/// What was given so far.
struct Tally<'a> {
    query: &'a GrepQuery,
    lines: u64,
    files: u64,
    more: bool,
}

impl Tally<'_> {
    /// How many lines, or files, may still be given.
    fn left(&self) -> u64 {
        let given = if self.query.detail == GrepDetail::Lines { self.lines } else { self.files };
        (self.query.limit as u64).saturating_sub(given)
    }

    /// Gives a file as far as the limit lets.
    fn give(
        &mut self,
        mut file: GrepFile,
        sink: &mut impl FnMut(GrepFile) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let left = self.left();
        let is_beyond = self.query.detail == GrepDetail::Lines && file.count > left;
        self.more = left == 0 || is_beyond;
        if left == 0 {
            return ControlFlow::Break(());
        }
        if is_beyond {
            file.truncate(left, self.query.after);
        }
        self.files += 1;
        self.lines += file.count;
        sink(file)?;
        if self.more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
