//! Which files of a tree are indexed, of those that its ignore rules let through.

use crate::EngineError;
use crate::filter::path_filter;
use ast_core_parse::Language;
use globset::GlobSet;
use std::fmt;
use std::path::Path;

/// Which files of a tree are indexed, of those that its ignore rules let through. The default is all of them. A file that an
/// index has and that is not among them any more is taken out by the next run.
#[derive(Clone, Default)]
pub struct FileSelection {
    languages: Vec<Language>,
    patterns: Vec<String>,
    exclude: Option<GlobSet>,
}

impl FileSelection {
    /// Files in one of these languages, or in any if there are none, whose path matches none of these globs: they are as of
    /// [`SearchQuery::paths`](crate::SearchQuery::paths), and a directory that matches is left out with all that is in it. Of a
    /// `.h` file the content tells whether it is C or C++; either of them lets it through.
    ///
    /// # Errors
    /// [`EngineError::Pattern`] if one is no glob.
    pub fn new(languages: Vec<Language>, exclude: Vec<String>) -> Result<Self, EngineError> {
        let set = path_filter(&exclude)?;
        Ok(Self { languages, patterns: exclude, exclude: set })
    }

    /// Whether there may be something to be indexed at this path, relative to the tree.
    pub(crate) fn takes_path(&self, path: &Path) -> bool {
        self.exclude.as_ref().is_none_or(|exclude| !exclude.is_match(path))
    }

    /// Whether files of this language are indexed; `ambiguous` if only the content tells whether it is C or C++.
    pub(crate) fn takes_language(&self, language: Language, ambiguous: bool) -> bool {
        let is_of_c = |language: &Language| matches!(language.as_str(), "c" | "cpp");
        self.languages.is_empty()
            || self.languages.contains(&language)
            || ambiguous && self.languages.iter().any(is_of_c)
    }
}

impl fmt::Debug for FileSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { languages, patterns, exclude: _ } = self;
        f.debug_struct("FileSelection").field("languages", languages).field("exclude", patterns).finish()
    }
}
