//! What parsing a file gives.

use crate::{Annotation, Encoding, Language, Modifier};
use ast_core_model::{Chunk, Reference, ReferenceKind, Span, Symbol, SymbolKind, Visibility};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

/// What parsing a file gives. All positions are those of the file on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFile {
    /// The language it was parsed as.
    pub language: Language,
    /// The encoding it was read in.
    pub encoding: Encoding,
    /// Its definitions, outer before inner, in order of their beginning. Those inside of 256 others are left out, and
    /// `coverage` says so. Names are cut at 1 KiB, signatures, which are without comments, and types at 400 bytes,
    /// documentation at 8 KiB; all together have four bytes for each of the file and 64 KiB, and what is beyond has no
    /// documentation and no annotation.
    pub symbols: Vec<Symbol>,
    /// What the syntax says of each definition: one for each of `symbols`, in the same order.
    pub annotations: Vec<Annotation>,
    /// What it mentions: calls, types, imports, in order of their place.
    pub references: Vec<Reference>,
    /// Its pieces, in order. Every byte that is not white space is in exactly one.
    pub chunks: Vec<Chunk>,
    /// Number of lines; a last line without line break counts.
    pub lines: u32,
    /// Whether a comment at its beginning says that a program wrote it.
    pub generated: bool,
    /// What the parser stumbled over.
    pub syntax_errors: SyntaxErrors,
    /// Whether all of the file was understood.
    pub coverage: Coverage,
}

/// How many parts of a path are looked at for an import of it.
const MAX_PATH: usize = 16;

impl ParsedFile {
    /// What the definition at `index` of `symbols` mentions, in order of the places; what is inside of definitions in
    /// it too. Nothing for an index that is not in the list.
    pub fn references_of(&self, index: usize) -> impl Iterator<Item = &Reference> {
        let extent = self.symbols.get(index).map_or(Span::new(0, 0), |symbol| symbol.extent);
        let first = self.references.partition_point(|reference| reference.span.start < extent.start);
        self.references[first..].iter().take_while(move |reference| reference.span.start < extent.end)
    }

    /// The file's imports that the definition at `index` of `symbols` makes use of, as far as names tell: what it
    /// mentions by the name that the import gives, or qualifies with it or with all of its path.
    pub fn imports_of(&self, index: usize) -> Vec<&Reference> {
        let mut used: HashSet<&str> = HashSet::new();
        let mut paths: HashSet<&str> = HashSet::new();
        let mentions = self.references_of(index).filter(|mention| mention.kind != ReferenceKind::Import);
        for mention in mentions {
            let qualifier = mention.qualifier.as_deref().unwrap_or("");
            let name = Some(&*mention.name).filter(|_| qualifier.is_empty());
            let words = qualifier.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
            used.extend(name.into_iter().chain(words.take(1)).filter(|name| !name.is_empty()));
            // `a.b` and `a.b.c` of `a.b.c`
            paths.extend(qualifier.match_indices('.').map(|(at, _)| &qualifier[..at]).take(MAX_PATH));
            paths.insert(qualifier);
        }
        let is_used = |import: &&Reference| match (&import.alias, &import.qualifier) {
            (Some(alias), _) => used.contains(&**alias),
            // `import a.b` in Python: what is used is `a.b.c`.
            (None, Some(module)) => {
                used.contains(&*import.name) || paths.contains(&*format!("{module}.{}", import.name))
            }
            (None, None) => used.contains(&*import.name),
        };
        let imports = self.references.iter().filter(|reference| reference.kind == ReferenceKind::Import);
        imports.filter(is_used).collect()
    }

    /// Whether other files can mention the definition at `index` of `symbols` by its name alone: it says so, or is
    /// public and inside of nothing but modules and namespaces.
    pub fn is_exported(&self, index: usize) -> bool {
        let modifiers =
            self.annotations.get(index).map(|annotation| annotation.modifiers).unwrap_or_default();
        let Some(symbol) = self.symbols.get(index) else { return false };
        let mut outer = symbol.parent.and_then(|parent| self.symbols.get(parent as usize));
        while let Some(round) = outer {
            if !matches!(round.kind, SymbolKind::Module | SymbolKind::Namespace) {
                return false;
            }
            outer = round.parent.and_then(|parent| self.symbols.get(parent as usize));
        }
        modifiers.contains(Modifier::Export)
            || modifiers.contains(Modifier::Reexport)
            || symbol.visibility == Some(Visibility::Public)
    }
}

/// Places where the text does not follow the grammar. The rest of the file is understood all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyntaxErrors {
    /// How many places.
    pub count: u32,
    /// The line of the first, from 1.
    pub first_line: Option<u32>,
    /// The first of the places, at most 32. A place where something is missing is empty.
    pub places: Vec<Span>,
}

/// How much of a file was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// All of it.
    Full,
    /// The chunks are complete, but symbols beyond the limit were left out.
    SymbolLimit {
        /// The limit.
        limit: usize,
    },
    /// The chunks are complete, but symbols inside of so many others were left out.
    NestingLimit {
        /// The limit.
        limit: u32,
    },
    /// It is larger than the limit: there are no symbols, and the chunks are cut by lines.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Its text is squeezed onto a few long lines, or is a table of data: there are no symbols, and the chunks are
    /// cut by lines.
    Minified,
    /// The syntax tree took longer than its budget: there are no symbols, and the chunks are cut by lines.
    TimedOut {
        /// The budget.
        budget: Duration,
    },
    /// It is nested too deep, or can be read in too many ways: there are no symbols, and the chunks are cut by lines.
    TooComplex,
}

impl Coverage {
    /// Whether the file's tree was read, though some of its symbols may be left out.
    pub fn has_symbols(self) -> bool {
        matches!(self, Self::Full | Self::SymbolLimit { .. } | Self::NestingLimit { .. })
    }
}

impl fmt::Display for Coverage {
    /// What became of the file, to be read after its path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("understood"),
            Self::SymbolLimit { limit } => write!(f, "only the first {limit} symbols"),
            Self::NestingLimit { limit } => write!(f, "only symbols inside of fewer than {limit} others"),
            Self::TooLarge { limit } => write!(f, "larger than the limit of {limit} bytes"),
            Self::Minified => f.write_str("minified"),
            Self::TimedOut { budget } => write!(f, "took longer than {} s to parse", budget.as_secs_f64()),
            Self::TooComplex => f.write_str("nested too deep, or ambiguous in too many places, to parse"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Parser;

    #[test]
    fn a_definition_knows_what_it_uses() {
        let text = "use std::fs::{self, File};\nuse a::b as c;\n\npub fn one() { fs::read(c()); }\nfn two() -> File { one() }\n";
        let file = Parser::default().parse(text.as_bytes(), "rust".parse().unwrap()).unwrap();
        let names =
            |index| file.imports_of(index).into_iter().map(|import| &*import.name).collect::<Vec<_>>();
        assert_eq!(names(0), ["fs", "b"]);
        assert_eq!(names(1), ["File"]);
        let text = "import a.b\nimport a.c\nimport os\n\ndef one():\n    a.b.d.e()\n    os.getcwd()\n";
        let file = Parser::default().parse(text.as_bytes(), "python".parse().unwrap()).unwrap();
        let names: Vec<_> = file.imports_of(0).into_iter().map(|import| &*import.name).collect();
        assert_eq!(names, ["b", "os"]);
    }

    #[test]
    fn a_definition_knows_what_is_in_it() {
        let text = "use a::File;\n\npub fn one() {}\nfn two() -> File { one() }\n";
        let file = Parser::default().parse(text.as_bytes(), "rust".parse().unwrap()).unwrap();
        assert_eq!(
            file.references_of(1).map(|reference| &*reference.name).collect::<Vec<_>>(),
            ["File", "one"]
        );
        assert_eq!((file.is_exported(0), file.is_exported(1), file.is_exported(2)), (true, false, false));
    }
}
