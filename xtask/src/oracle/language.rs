//! The languages of the corpus, as each side calls them.

use clap::ValueEnum;
use serde::Serialize;

/// A language of the corpus.
#[derive(ValueEnum, Serialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    Rust,
    #[value(name = "typescript")]
    TypeScript,
    #[value(name = "javascript")]
    JavaScript,
    Python,
    Java,
    Cpp,
}

impl Language {
    /// All of them, in the order of tables.
    pub(super) const ALL: [Self; 6] =
        [Self::Rust, Self::TypeScript, Self::JavaScript, Self::Python, Self::Java, Self::Cpp];

    /// The folder of the corpus, and in tables.
    pub(super) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// What the engine calls it. TSX is a grammar of its own.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rust"],
            Self::TypeScript => &["typescript", "tsx"],
            Self::JavaScript => &["javascript"],
            Self::Python => &["python"],
            Self::Java => &["java"],
            Self::Cpp => &["cpp"],
        }
    }

    /// What Universal Ctags calls it.
    pub(super) fn ctags(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::TypeScript => "TypeScript",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Java => "Java",
            Self::Cpp => "C++",
        }
    }

    /// The kinds of Universal Ctags that are asked for: all definitions that others can name.
    ///
    /// Left out are local variables, parameters and labels; mentions of what is defined elsewhere, as by an import, a
    /// `using` or an `extern` variable; and JavaScript's properties, which are the keys of any object literal: most of
    /// them are data, and those that hold functions are methods.
    pub(super) fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &[
                "enum",
                "enumerator",
                "field",
                "function",
                "implementation",
                "interface",
                "macro",
                "method",
                "module",
                "struct",
                "typedef",
                "variable",
            ],
            Self::TypeScript => &[
                "alias",
                "class",
                "constant",
                "enum",
                "enumerator",
                "function",
                "generator",
                "interface",
                "method",
                "namespace",
                "property",
                "variable",
            ],
            Self::JavaScript => &[
                "class",
                "constant",
                "field",
                "function",
                "generator",
                "getter",
                "method",
                "setter",
                "variable",
            ],
            Self::Python => &["class", "function", "member", "variable"],
            Self::Java => {
                &["annotation", "class", "enum", "enumConstant", "field", "interface", "method", "package"]
            }
            Self::Cpp => &[
                "alias",
                "class",
                "enum",
                "enumerator",
                "function",
                "macro",
                "member",
                "namespace",
                "prototype",
                "struct",
                "typedef",
                "union",
                "variable",
            ],
        }
    }
}
