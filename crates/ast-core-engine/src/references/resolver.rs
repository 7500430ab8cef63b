//! What a mention in a file means.

use super::Evidence;
use super::imports::{Candidate, Fit, Imports, names_in};
use ast_core_model::{FileId, LanguageName, Reference, ReferenceKind, Span, SymbolKind, scope_of};
use ast_core_storage::{Document, SymbolRecord};

/// A definition that a mention may mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) file: FileId,
    pub(crate) kind: SymbolKind,
    /// Where its name is written.
    pub(crate) name_span: Span,
    /// Where it is, and what it is called.
    pub(crate) place: Candidate<'a>,
}

impl<'a> From<&'a SymbolRecord> for Target<'a> {
    fn from(found: &'a SymbolRecord) -> Self {
        let SymbolRecord { id, path, language, symbol, scope, .. } = found;
        let place = Candidate { path, language, name: &symbol.name, scope };
        Self { file: id.file(), kind: symbol.kind, name_span: symbol.name_span, place }
    }
}

/// Tells what mentions in one file mean.
pub(crate) struct Resolver<'a> {
    pub(crate) file: FileId,
    pub(crate) language: &'a LanguageName,
    pub(crate) document: &'a Document,
    pub(crate) imports: &'a Imports<'a>,
}

impl Resolver<'_> {
    /// What a mention of a name means: the best evidence, and the definitions, by their places in the list, that it
    /// speaks for.
    pub(crate) fn resolve(
        &self,
        reference: &Reference,
        name: &str,
        definitions: &[Target<'_>],
    ) -> (Evidence, Vec<usize>) {
        let is_import = reference.kind == ReferenceKind::Import;
        let here: Vec<usize> = (0..definitions.len())
            .filter(|at| definitions[*at].file == self.file && !is_import)
            .filter(|at| self.is_meant_here(reference, &definitions[*at]))
            // The name of an `impl` block is a mention of the type.
            .filter(|at| !definitions[*at].name_span.contains(reference.span))
            .collect();
        // What a file imports by name hides nothing that it defines, but what it defines hides what it imports whole.
        if !here.is_empty() {
            return (Evidence::SameFile, here);
        }
        let mut best = Fit::Inside;
        let mut targets = Vec::new();
        // `self` stands for the type around, which may be defined elsewhere, and in parts.
        let around = self.type_around(reference);
        let qualifier = around.or(reference.qualifier.as_deref());
        let is_path = self.is_path(reference);
        for (at, found) in definitions.iter().enumerate().filter(|(_, found)| found.file != self.file) {
            let fit = match is_import {
                true => self.imports.fit_of_import(reference, &found.place),
                false => {
                    // A name that an import changed is looked for by the name that it has here.
                    let written = if *reference.name == *name { name } else { &*reference.name };
                    self.imports.fit(written, qualifier, is_path, &found.place)
                }
            };
            if fit > best {
                targets.clear();
                best = fit;
            }
            if fit == best {
                targets.push(at);
            }
        }
        if targets.is_empty() {
            (Evidence::Name, self.by_name(reference, qualifier, definitions))
        } else {
            (Evidence::Import, targets)
        }
    }

    /// Whether what stands before the name is a path and not a value.
    fn is_path(&self, reference: &Reference) -> bool {
        let before = self.document.source.get(..reference.span.start as usize);
        before.is_some_and(|before| before.trim_ascii_end().ends_with(b"::"))
    }

    /// Whether a bare name can mean a member of a type: in some languages it cannot.
    fn is_within_reach(&self, reference: &Reference, found: &Target<'_>) -> bool {
        let is_bare = reference.qualifier.is_none() && reference.kind != ReferenceKind::Import;
        let is_member = matches!(found.kind, SymbolKind::Method | SymbolKind::Field | SymbolKind::Property);
        let needs_self = matches!(
            self.language.as_str(),
            "rust" | "python" | "javascript" | "typescript" | "tsx" | "go" | "php"
        );
        !(is_bare && is_member && needs_self)
    }

    /// The type that a mention with `self` before it is inside of.
    fn type_around(&self, reference: &Reference) -> Option<&str> {
        let qualifier = reference.qualifier.as_deref()?;
        if !is_self(qualifier) || qualifier == "self" && self.is_path(reference) {
            return None;
        }
        let mut index = reference.symbol;
        while let Some(symbol) = self.document.symbols.get(index? as usize) {
            if symbol.kind.is_container() {
                return Some(&symbol.name);
            }
            if let Some(qualifier) = &symbol.qualifier {
                return names_in(qualifier).last();
            }
            index = symbol.parent;
        }
        None
    }

    /// What a mention may mean if nothing but the name speaks for it: what its language can call, and, if a type or an
    /// import is named before it, what is inside of that.
    fn by_name(
        &self,
        reference: &Reference,
        qualifier: Option<&str>,
        definitions: &[Target<'_>],
    ) -> Vec<usize> {
        let last = qualifier.and_then(|qualifier| names_in(qualifier).last());
        let is_round =
            |found: &Target<'_>, name: &str| found.place.scope.last().is_some_and(|scope| **scope == *name);
        let known = last.filter(|last| {
            self.imports.has(last)
                || last.starts_with(char::is_uppercase)
                || self.is_path(reference)
                || definitions.iter().any(|found| is_round(found, last))
        });
        let fits = |found: &Target<'_>| {
            speak_to_each_other(self.language, found.place.language)
                && self.is_within_reach(reference, found)
                && (reference.kind == ReferenceKind::Import || known.is_none_or(|name| is_round(found, name)))
        };
        (0..definitions.len()).filter(|at| fits(&definitions[*at])).collect()
    }

    /// Whether a mention may mean a definition in its own file.
    fn is_meant_here(&self, reference: &Reference, found: &Target<'_>) -> bool {
        if !self.is_within_reach(reference, found) {
            return false;
        }
        let Some(qualifier) = reference.qualifier.as_deref() else { return true };
        let names: Vec<&str> = names_in(qualifier).collect();
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return true };
        let scope = &found.place.scope;
        let is_path = self.is_path(reference);
        if is_self(qualifier) {
            if qualifier == "self" && is_path {
                return scope.is_empty();
            }
            // In the same type as far as that can be seen.
            let around =
                reference.symbol.map_or(Vec::new(), |index| scope_of(&self.document.symbols, index as usize));
            return around.iter().any(|name| scope.last().is_some_and(|scope| **scope == **name));
        }
        if scope.iter().any(|scope| **scope == **last) {
            return true;
        }
        // A value whose type is not known, unless what stands before it is known for something else.
        let is_other = |name: &str| {
            let symbols = &self.document.symbols;
            self.imports.has(name)
                || symbols.iter().any(|symbol| *symbol.name == *name && symbol.kind.is_container())
        };
        !is_path && !is_other(first) && !last.starts_with(char::is_uppercase)
    }
}

/// Whether it is the value or the type around that is named.
fn is_self(qualifier: &str) -> bool {
    matches!(
        qualifier.trim_start_matches('$'),
        "self" | "this" | "Self" | "super" | "super()" | "cls" | "static" | "parent" | "base"
    )
}

/// Whether code in one language can name what is defined in the other, without a bridge between them.
fn speak_to_each_other(one: &LanguageName, other: &LanguageName) -> bool {
    let group = |language: &LanguageName| match language.as_str() {
        "javascript" | "typescript" | "tsx" => 1,
        "c" | "cpp" => 2,
        "java" | "kotlin" | "scala" => 3,
        _ => 0,
    };
    one == other || group(one) == group(other) && group(one) != 0
}
