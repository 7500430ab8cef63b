//! Languages and how a file's language is told.

use crate::ParseError;
use crate::languages::{LANGUAGES, Spec};
use ast_core_model::{LanguageName, RepoPath};
use std::fmt;
use std::str::FromStr;

/// A language that this build can parse.
#[derive(Clone, Copy)]
pub struct Language(pub(crate) &'static Spec);

impl Language {
    /// All languages, in order of their names.
    pub fn all() -> impl ExactSizeIterator<Item = Language> {
        LANGUAGES.iter().map(|spec| Language(spec))
    }

    /// The language of a file of this path, from its name or extension; `None` if it is none of the list. Where the
    /// content tells more, as it does for `.h` and for a script without extension, [`detect`](Self::detect) knows
    /// better.
    pub fn of_path(path: &RepoPath) -> Option<Self> {
        let (name, extension) = (path.file_name(), path.extension());
        let by = |matches: &dyn Fn(&Spec) -> bool| Self::all().find(|language| matches(language.0));
        by(&|spec| spec.file_names.contains(&name))
            .or_else(|| by(&|spec| spec.extensions.contains(&extension)))
            .or_else(|| {
                let lower = extension.to_ascii_lowercase();
                by(&|spec| spec.extensions.contains(&lower.as_str()))
            })
    }

    /// The language of a file, from its name, its extension, and what it begins with.
    ///
    /// ```
    /// use ast_core_model::RepoPath;
    /// use ast_core_parse::Language;
    ///
    /// let language = |path, text| Language::detect(&RepoPath::new(path).unwrap(), text).map(Language::as_str);
    /// assert_eq!(language("tools/release", "#!/usr/bin/env python3\n"), Some("python"));
    /// assert_eq!(language("list.h", "namespace a {\nclass List;\n}\n"), Some("cpp"));
    /// assert_eq!(language("list.h", "struct list *list_new(void);\n"), Some("c"));
    /// assert_eq!(language("LICENSE", "Permission is granted"), None);
    /// ```
    pub fn detect(path: &RepoPath, text: &str) -> Option<Self> {
        match Self::of_path(path) {
            Some(language) if Self::depends_on_content(path) => Some(language.refined(text)),
            Some(language) => Some(language),
            None if path.extension().is_empty() => Self::of_shebang(text),
            None => None,
        }
    }

    /// Whether the content of a file of this path tells which of two languages it is in: so it is with C and C++.
    pub fn depends_on_content(path: &RepoPath) -> bool {
        cfg!(all(feature = "c", feature = "cpp")) && path.extension() == "h"
    }

    /// The language of a script, from its first line: `#!/usr/bin/env python3`.
    pub fn of_shebang(text: &str) -> Option<Self> {
        let command = text.strip_prefix("#!")?.lines().next()?;
        let mut words = command.split_ascii_whitespace();
        let mut interpreter = words.next()?.rsplit('/').next()?;
        if interpreter == "env" {
            interpreter =
                words.find(|word| !word.starts_with('-') && !word.contains('='))?.rsplit('/').next()?;
        }
        // `python3.12` is Python.
        let name = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        Self::all().find(|language| language.0.interpreters.contains(&name))
    }

    #[cfg(all(feature = "c", feature = "cpp"))]
    fn refined(self, text: &str) -> Self {
        let spec = if crate::languages::looks_like_cpp(text) { "cpp" } else { "c" };
        spec.parse().unwrap_or(self)
    }

    #[cfg(not(all(feature = "c", feature = "cpp")))]
    fn refined(self, _text: &str) -> Self {
        self
    }

    /// The name, as in output and filters.
    pub fn name(self) -> LanguageName {
        LanguageName::from_static(self.0.name)
    }

    /// The name, as in output and filters, as text.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// The extensions of its files, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        self.0.extensions
    }

    /// The grammar itself, for who wants tree-sitter's own view of a text.
    pub fn grammar(self) -> &'static tree_sitter::Language {
        self.0.grammar()
    }

    /// The name of the grammar's crate.
    pub fn grammar_crate(self) -> &'static str {
        self.0.grammar_crate
    }

    /// The version of the grammar's crate.
    pub fn grammar_version(self) -> &'static str {
        self.0.grammar_version
    }
}

impl FromStr for Language {
    type Err = ParseError;

    /// The language of this name.
    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::all().find(|language| language.0.name == name).ok_or_else(|| ParseError::UnknownLanguage {
            received: name.to_owned(),
            expected: Self::all().map(|language| language.0.name).collect::<Vec<_>>().join(" "),
        })
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Language {}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.name)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_language() {
        let language = |path: &str| Language::of_path(&RepoPath::new(path).unwrap()).map(|l| l.0.name);
        assert_eq!(language("src/lib.rs"), Some("rust"));
        assert_eq!(language("a/b.d.ts"), Some("typescript"));
        assert_eq!(language("App.tsx"), Some("tsx"));
        assert_eq!(language("x.mjs"), Some("javascript"));
        assert_eq!(language("x.H"), Some("cpp"));
        assert_eq!(language("README.md"), None);
        assert_eq!(language("rs"), None);
    }

    #[test]
    fn a_script_names_its_interpreter() {
        let language = |line: &str| Language::of_shebang(line).map(Language::as_str);
        assert_eq!(language("#!/usr/bin/python3.12 -u\n"), Some("python"));
        assert_eq!(language("#!/usr/bin/env -S A=1 node --x\n"), Some("javascript"));
        assert_eq!(language("#! /bin/sh").is_some(), cfg!(feature = "bash"));
        assert_eq!(language("#!/usr/bin/env -S scala-cli shebang").is_some(), cfg!(feature = "scala"));
        assert_eq!(language("#!/usr/bin/env kotlin").is_some(), cfg!(feature = "kotlin"));
        assert_eq!(language("#!/usr/bin/swift").is_some(), cfg!(feature = "swift"));
        assert_eq!(language("#!/usr/bin/php8.2 -q").is_some(), cfg!(feature = "php"));
        for line in ["#!/usr/bin/awk -f", "#!", "#!/usr/bin/env", "# /bin/sh", ""] {
            assert_eq!(language(line), None, "{line:?}");
        }
    }

    #[test]
    fn an_unknown_name_lists_what_is_known() {
        let error = "cobol".parse::<Language>().unwrap_err().to_string();
        assert!(error.contains("\"cobol\"") && error.contains("rust"), "{error}");
    }

    #[test]
    fn names_are_sorted_and_no_extension_is_claimed_twice() {
        let names: Vec<_> = Language::all().map(|language| language.0.name).collect();
        assert!(names.is_sorted());
        let mut extensions: Vec<_> = Language::all().flat_map(Language::extensions).collect();
        let count = extensions.len();
        extensions.sort();
        extensions.dedup();
        assert_eq!(extensions.len(), count);
    }

    #[test]
    fn grammar_versions_are_those_of_the_lock_file() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        for language in Language::all() {
            let (package, version) = (language.grammar_crate(), language.grammar_version());
            let entry = format!("name = \"{package}\"\nversion = \"{version}\"");
            assert!(lock.contains(&entry), "{language}: {package} {version}");
        }
    }
}
