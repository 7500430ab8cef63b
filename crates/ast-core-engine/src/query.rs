//! What is looked for, and what was found.

use ast_core_model::{ChunkId, LanguageName, LineRange, RepoPath, Span, SymbolKind};
use ast_core_parse::Language;
use ast_core_search::{SearchMode, Why};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// Words, a name, a path, a question, or a piece of code; `lang:`, `path:` and `kind:` in it are filters.
    pub text: String,
    /// The most hits. Default: 10.
    pub limit: usize,
    /// By what to find. Default: both words and vectors.
    pub mode: SearchMode,
    /// Only files in one of these languages; all if empty.
    pub languages: Vec<Language>,
    /// Only files whose path matches one of these globs; all if empty. `*` does not match `/`, `**` does; a
    /// pattern without `/` matches the file name.
    pub paths: Vec<String>,
    /// Only chunks about a definition of one of these kinds; all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only hits of at least this score, from 0 to 1. Default: 0.
    pub threshold: f64,
    /// Lines before and after each hit that are shown with it. Default: 0.
    pub context: u32,
    /// Whether the first fifty hits are put in order anew, by what [`EngineConfig::reranking`](crate::EngineConfig) says
    /// of their texts. Default: no.
    pub rerank: bool,
}

impl SearchQuery {
    /// Looks for this text everywhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            limit: 10,
            mode: SearchMode::default(),
            languages: Vec::new(),
            paths: Vec::new(),
            kinds: Vec::new(),
            threshold: 0.0,
            context: 0,
            rerank: false,
        }
    }
}

/// What code to find the like of.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarQuery {
    /// The code.
    pub to: SimilarTo,
    /// The most hits. Default: 10.
    pub limit: usize,
    /// Only files in one of these languages; all if empty.
    pub languages: Vec<Language>,
    /// Only files whose path matches one of these globs, as of [`SearchQuery::paths`]; all if empty.
    pub paths: Vec<String>,
    /// Only chunks about a definition of one of these kinds; all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only hits of at least this score, from 0 to 1. Default: 0.
    pub threshold: f64,
    /// Lines before and after each hit that are shown with it. Default: 0.
    pub context: u32,
}

/// The code that others are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimilarTo {
    /// The piece of a file that this line is in, as search would find it. If the file has changed since it was indexed, or is
    /// not indexed, the file as it is now is read; if it is gone, what was indexed.
    Place {
        /// The file: absolute, or relative to the tree.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
    },
    /// A text.
    Code {
        /// Any piece of code; it need not be whole.
        text: String,
        /// Its language. Without it, names that it defines are not told from others, and comments are guessed.
        language: Option<Language>,
    },
}

impl SimilarQuery {
    /// Looks everywhere for the like of this code.
    pub fn new(to: SimilarTo) -> Self {
        Self {
            to,
            limit: 10,
            languages: Vec::new(),
            paths: Vec::new(),
            kinds: Vec::new(),
            threshold: 0.0,
            context: 0,
        }
    }

    /// Looks everywhere for the like of what is round a line of a file.
    pub fn of_place(path: impl Into<PathBuf>, line: u32) -> Self {
        Self::new(SimilarTo::Place { path: path.into(), line })
    }

    /// Looks everywhere for the like of a text.
    pub fn of_code(text: impl Into<String>, language: Option<Language>) -> Self {
        Self::new(SimilarTo::Code { text: text.into(), language })
    }
}

/// Code that is like other code.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimilarReply {
    /// What the hits are like; `None` if the query had the text.
    pub place: Option<SimilarPlace>,
    /// The most alike first. [`Why::likeness`] says in what they are alike.
    pub hits: Vec<SearchHit>,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// What was left out of the search, and why.
    pub notices: Vec<SearchNotice>,
}

/// The piece of a file that others were compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimilarPlace {
    /// Its file, relative to the tree.
    pub path: RepoPath,
    /// The language of its file; `None` if it is not known.
    pub language: Option<LanguageName>,
    /// Its lines.
    pub lines: LineRange,
    /// The definition it is about: its name, `None` if it is about none.
    pub name: Option<String>,
    /// The kind of that definition.
    pub kind: Option<SymbolKind>,
    /// The names round that definition, outermost first.
    pub scope: Vec<String>,
    /// Whether this is not what is indexed of the file: it has changed since, or is not indexed. `false` of a file that is
    /// gone, of which there is only what was indexed.
    pub unindexed: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchReply {
    /// Best first.
    pub hits: Vec<SearchHit>,
    /// How many were put in order, of which these are the first: more than this many are not to be had by a higher limit,
    /// but for one that is beyond the candidates that are looked at.
    pub found: usize,
    /// The generation of the index that was searched.
    pub generation: u64,
    /// Whether the last index run came to its end; if not, files may be missing.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// What was left out of the search, and why.
    pub notices: Vec<SearchNotice>,
}

/// Something that was left out of a search. The answer is that of what was left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchNotice {
    /// It was searched by words alone: the vectors of the index are of another embedder.
    OtherEmbedder {
        /// The id of the embedder that made them.
        indexed: String,
        /// The id of the engine's.
        current: String,
    },
    /// It was searched by words alone: the query could not be embedded.
    NotEmbedded {
        /// Why.
        reason: String,
    },
    /// Hits are in the order that they have without reranking.
    NotReranked {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for SearchNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEmbedder { indexed, current } => write!(
                f,
                "searched by words alone: the vectors of the index are of {indexed}, not of {current}"
            ),
            Self::NotEmbedded { reason } => write!(f, "searched by words alone: {reason}"),
            Self::NotReranked { reason } => write!(f, "not reranked: {reason}"),
        }
    }
}

/// A piece of a file that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchHit {
    /// Its id in the store.
    pub chunk: ChunkId,
    /// Its file, relative to the tree.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
    /// Its lines.
    pub lines: LineRange,
    /// Its bytes.
    pub span: Span,
    /// The same in UTF-16 code units of the text of its file, as it was indexed.
    pub utf16: Span,
    /// The definition it is about: its name, `None` if it is about none.
    pub name: Option<String>,
    /// The kind of that definition.
    pub kind: Option<SymbolKind>,
    /// The names round that definition, outermost first.
    pub scope: Vec<String>,
    /// From 0 to 1. It compares hits of one reply, not those of two.
    pub score: f64,
    /// Its text as it was indexed, with as many lines round it as were asked for.
    pub snippet: String,
    /// The lines of the snippet.
    pub snippet_lines: LineRange,
    /// What the score is made of.
    pub why: Why,
    /// Whether its file has changed since it was indexed; `None` if that could not be told.
    pub changed: Option<bool>,
}
