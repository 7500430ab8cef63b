//! The languages that others know too, as each side calls them.

use clap::ValueEnum;
use serde::Serialize;

/// A language that both sides know.
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
    C,
    #[value(name = "csharp")]
    CSharp,
    Go,
    Ruby,
    Php,
    Kotlin,
    Bash,
}

impl Language {
    /// Those of the corpus that `cargo xtask corpus` fetches, in the order of tables.
    pub(super) const PINNED: [Self; 6] =
        [Self::Rust, Self::TypeScript, Self::JavaScript, Self::Python, Self::Java, Self::Cpp];

    /// Those that only a corpus of the user's own may have, in the order of tables.
    pub(super) const OTHERS: [Self; 7] =
        [Self::C, Self::CSharp, Self::Go, Self::Ruby, Self::Php, Self::Kotlin, Self::Bash];

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
            Self::C => &["c"],
            Self::CSharp => &["csharp"],
            Self::Go => &["go"],
            Self::Ruby => &["ruby"],
            Self::Php => &["php"],
            Self::Kotlin => &["kotlin"],
            Self::Bash => &["bash"],
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
            Self::C => "C",
            Self::CSharp => "C#",
            Self::Go => "Go",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
            Self::Kotlin => "Kotlin",
            Self::Bash => "Sh",
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
            Self::C => &[
                "enum",
                "enumerator",
                "function",
                "macro",
                "member",
                "prototype",
                "struct",
                "typedef",
                "union",
                "variable",
            ],
            Self::CSharp => &[
                "class",
                "enum",
                "enumerator",
                "event",
                "field",
                "interface",
                "method",
                "namespace",
                "property",
                "struct",
            ],
            Self::Go => &[
                "anonMember",
                "const",
                "func",
                "interface",
                "member",
                "methodSpec",
                "package",
                "struct",
                "talias",
                "type",
                "var",
            ],
            Self::Ruby => &["accessor", "alias", "class", "constant", "method", "module", "singletonMethod"],
            Self::Php => &["class", "define", "function", "interface", "namespace", "trait", "variable"],
            Self::Kotlin => {
                &["class", "constant", "interface", "method", "object", "package", "typealias", "variable"]
            }
            Self::Bash => &["alias", "function"],
        }
    }
}
