//! The functions of a package, each with its documentation and its code apart.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use ast_core_model::{RepoPath, Symbol, SymbolKind, scope_of};
use ast_core_parse::{Language, Parser, Query, SourceText};
use rayon::prelude::*;
use regex::Regex;

/// A function, method or constructor that has a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The path of its file below the package.
    pub path: String,
    /// Its first line in that file.
    pub line: u32,
    /// Its last line.
    pub last_line: u32,
    /// Its name.
    pub name: String,
    /// The names round it, separated by spaces.
    pub scope: String,
    /// Its documentation; empty if it has none.
    pub doc: String,
    /// Its text without that.
    pub code: String,
    /// Of its code without white space.
    pub hash: u64,
}

impl Function {
    /// The names that an index has it under: its own and those round it.
    pub fn names(&self) -> String {
        format!("{} {}", self.name, self.scope)
    }

    /// Where it is: the path of its file and the names round it.
    pub fn place(&self) -> String {
        format!("{} {}", self.path, self.scope)
    }
}

/// The shortest and the longest code that is a function to learn from, in bytes.
const CODE_BYTES: std::ops::RangeInclusive<usize> = 60..=40_000;
/// What is kept of a long one.
const KEPT_BYTES: usize = 6_000;
/// Larger files are tables or were generated.
const MAX_FILE_BYTES: u64 = 600_000;

/// Tests, examples, generated files, and what others wrote.
static SKIPPED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)(?:^|/)(?:tests?|testing|__tests__|spec|specs|bench(?:es|marks?)?|examples?|docs?|third[_-]?party|3rd_?party|vendor|vendored|node_modules|_vendor|external|extern|deps|debian|locale|umd|generated|gen|test-?data)/|\.min\.|\.d\.ts$|\.d\.mts$|\.d\.cts$|_pb2|\.pb\.|bundle|\.test\.|\.spec\.|_test\.|(?:^|/)test_[^/]*$|conftest";
    Regex::new(pattern).expect("a pattern of this file is one")
});

/// The functions of a language in a folder, in order of their paths and places, each text once.
///
/// # Errors
/// A folder or a file that cannot be read, and what [`Reader::functions`] cannot do.
pub fn functions(folder: &Path, language: &str, keep: impl Fn(&str) -> bool + Sync) -> Result<Vec<Function>> {
    let mut paths = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).with_context(|| format!("failed to list {}", at.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && entry.metadata()?.len() <= MAX_FILE_BYTES {
                let path = entry.path();
                let path = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
                if !SKIPPED.is_match(&path) && keep(&path) {
                    paths.push(path);
                }
            }
        }
    }
    paths.sort();
    let found = paths.par_iter().map_init(Reader::default, |reader, path| {
        let place = || folder.join(path).display().to_string();
        let bytes = fs::read(folder.join(path)).with_context(place)?;
        reader.functions(path, &bytes, language).with_context(place)
    });
    let found: Vec<Vec<Function>> = found.collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    Ok(found.into_iter().flatten().filter(|function| seen.insert(function.hash)).collect())
}

/// Parses files and takes their functions out; keeps what it has compiled.
#[derive(Default)]
pub struct Reader {
    parser: Parser,
    docstrings: Option<Query>,
}

/// The docstring of a Python function.
const DOCSTRINGS: &str = "(function_definition body: (block . (expression_statement (string) @doc)))";

impl Reader {
    /// The functions of one file, if it is of the language. One that is no text, or whose path none of a repository could
    /// have, has none.
    ///
    /// # Errors
    /// A grammar or a query that does not load: a defect, which must not pass for a package without documentation.
    pub fn functions(&mut self, path: &str, bytes: &[u8], language: &str) -> Result<Vec<Function>> {
        let (Ok(repo_path), Ok(source)) = (RepoPath::new(path), SourceText::decode(bytes)) else {
            return Ok(Vec::new());
        };
        let Some(found) = Language::detect(&repo_path, source.text()) else { return Ok(Vec::new()) };
        // A header that has nothing of C++ may be C++ all the same.
        let is_wanted = match language {
            "typescript" => matches!(found.as_str(), "typescript" | "tsx"),
            "cpp" => matches!(found.as_str(), "cpp" | "c") && repo_path.extension() != "c",
            _ => found.as_str() == language,
        };
        if !is_wanted || is_squeezed(source.text()) {
            return Ok(Vec::new());
        }
        let parsed = self.parser.parse_source(&source, found)?;
        if parsed.generated {
            return Ok(Vec::new());
        }
        let docstrings = if language == "python" { self.docstrings(&source, found)? } else { Vec::new() };
        let function = |index: usize| -> Option<Function> {
            let symbol = &parsed.symbols[index];
            let scope = scope_of(&parsed.symbols, index);
            if !is_function(symbol) || scope.iter().any(|name| matches!(*name, "test" | "tests")) {
                return None;
            }
            let (mut doc, mut code) =
                (symbol.doc.as_deref().unwrap_or(""), source.slice(symbol.span).to_owned());
            if language == "python" && !doc.is_empty() {
                // A docstring is inside of the function, before anything else in it.
                let at = docstrings.partition_point(|&(start, _)| start < symbol.name_span.end);
                let inside = docstrings.get(at).filter(|&&(_, end)| end <= symbol.span.end);
                let cut = inside.and_then(|&(start, end)| {
                    let range = (start - symbol.span.start) as usize..(end - symbol.span.start) as usize;
                    code.get(range.clone()).is_some().then_some(range)
                });
                match cut {
                    Some(range) => code.replace_range(range, ""),
                    None => doc = "",
                }
            }
            if !CODE_BYTES.contains(&code.len()) || !(language == "python" || has_body(&code)) {
                return None;
            }
            let hash = hash_of(&code);
            code.truncate(code.floor_char_boundary(KEPT_BYTES));
            Some(Function {
                path: path.to_owned(),
                line: symbol.lines.start,
                last_line: symbol.lines.end,
                name: symbol.name.to_string(),
                scope: scope.join(" "),
                doc: doc.to_owned(),
                code,
                hash,
            })
        };
        Ok((0..parsed.symbols.len()).filter_map(function).collect())
    }

    /// The first and one past the last byte of each docstring of a function.
    fn docstrings(&mut self, source: &SourceText<'_>, language: Language) -> Result<Vec<(u32, u32)>> {
        let query = match self.docstrings.take() {
            Some(query) => query,
            None => Query::new(language, DOCSTRINGS)?,
        };
        let found = self.parser.query(source, &query);
        self.docstrings = Some(query);
        let captures = found?.matches.into_iter().flat_map(|found| found.captures);
        let mut spans: Vec<(u32, u32)> =
            captures.map(|capture| (capture.span.start, capture.span.end)).collect();
        spans.sort_unstable();
        Ok(spans)
    }
}

/// Functions, and properties that are made of them.
fn is_function(symbol: &Symbol) -> bool {
    match symbol.kind {
        SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor => true,
        SymbolKind::Property => symbol.signature.contains('('),
        _ => false,
    }
}

/// Whether it is more than a declaration.
fn has_body(code: &str) -> bool {
    code.contains('{') || code.contains("=>")
}

/// Whether the text has few lines for its length: a program wrote it.
fn is_squeezed(text: &str) -> bool {
    text.len() > 4000 && text.lines().count() < text.len() / 300
}

/// A hash of the code that does not see white space.
pub fn hash_of(code: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for word in code.split_ascii_whitespace() {
        hasher.write(word.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions_of(path: &str, text: &str, language: &str) -> Vec<Function> {
        Reader::default().functions(path, text.as_bytes(), language).unwrap()
    }

    #[test]
    fn documentation_and_code_are_apart() {
        let rust = "/// Adds one to what it is given.\n#[inline]\npub fn add_one(value: u64) -> u64 {\n    value.wrapping_add(1_u64)\n}\n";
        let found = functions_of("src/a.rs", rust, "rust");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].doc.as_str()),
            ("add_one", "Adds one to what it is given.")
        );
        assert!(found[0].code.starts_with("pub fn") && !found[0].code.contains("given"));

        let python = "class A:\n    def size(self, unit='b'):\n        \"\"\"How large it is, in the unit.\"\"\"\n        return self.bytes / UNITS[unit.lower()]\n\n    def empty(self):\n        return len(self.everything_that_is_in_here) == 0\n";
        let found = functions_of("a.py", python, "python");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].doc.as_str(), found[0].scope.as_str()), ("How large it is, in the unit.", "A"));
        assert!(found[0].code.contains("UNITS") && !found[0].code.contains("large"), "{}", found[0].code);
        assert_eq!(found[1].doc, "");
    }

    #[test]
    fn declarations_tests_and_other_languages_are_left_out() {
        let cpp =
            "/** Frees all. */\nvoid free_all_of_the_memory_of_the_program(int how, int when, int why);\n";
        assert!(functions_of("a.hpp", cpp, "cpp").is_empty());
        let rust = "mod tests {\n    fn a_test_of_something() { assert_eq!(1 + 1, 2, \"it adds up, as ever\"); }\n}\n";
        assert!(functions_of("a.rs", rust, "rust").is_empty());
        assert!(
            functions_of(
                "a.py",
                "def f():\n    return 'something that is long enough to be taken at all'\n",
                "java"
            )
            .is_empty()
        );
        assert!(
            SKIPPED.is_match("src/__tests__/a.js")
                && SKIPPED.is_match("a/b.min.js")
                && !SKIPPED.is_match("src/testimony.js")
        );
    }

    #[test]
    fn white_space_makes_no_other_function() {
        assert_eq!(hash_of("a  b\n c"), hash_of("a b c"));
        assert_ne!(hash_of("a b c"), hash_of("a b d"));
    }
}
